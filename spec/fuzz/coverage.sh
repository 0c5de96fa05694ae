#!/bin/sh
# coverage.sh: which lines the seeds alone reach, of what each fuzzer is for.
#
#     coverage.sh FOLDER FUZZER...
#
# Each of the reader's has to be 95 % or more.

set -eu

folder=$1
shift
rm -rf "$folder/seeds"
export LLVM_PROFILE_FILE="$folder/raw"
lua5.4 spec/fuzz/seeds.lua "$folder/seeds" "$@"

# The files that it is for.
aims_of() {
  case $1 in
    json_read) echo src/json_read.c src/json_value.c src/json_number.c ;;
    json_write) echo src/json_write.c ;;
    reply) echo src/response.c src/message.c src/resource.c src/shape.c ;;
    dates) echo src/format.c ;;
    head) echo lua/signicat/transport/head.lua ;;
    event) echo lua/signicat/events.lua src/event.c ;;
    request) for file in dispatch query route rules token session_create \
      session_rules fault_rules when text visit; do
        echo "src/sandbox/$file.c"
      done ;;
    markdown) echo src/sandbox/markdown.c src/sandbox/page_markdown.c \
      src/sandbox/html.c ;;
  esac
}

# How much of a Lua file ran: luac knows which of its lines do anything.
tell_lua() {
  FUZZER=spec/fuzz/$1.lua "$folder/lua_fuzz" spec/fuzz/lines.lua -runs=0 \
    "$folder/seeds/$1" 2>/dev/null >"$folder/$1.lines"
  luac5.4 -l -p "$2" | sed -n 's/^\t[0-9]*\t\[\([0-9]*\)\].*/\1/p' |
    sort -u >"$folder/$1.active"
  sed -n "s|^@.*$2:||p" "$folder/$1.lines" | sort -u |
    comm -12 - "$folder/$1.active" | wc -l |
    awk -v name="$1" -v file="$2" -v all="$(wc -l <"$folder/$1.active")" \
      '{ printf "%-12s %-32s %6.2f%% of %4d lines\n", name, file,
         100 * $1 / all, all }'
}

tell_c() {
  llvm-cov report "$host" -instr-profile="$folder/$1.profile" "$2" |
    awk -v name="$1" -v file="$2" '$1 == "TOTAL" {
      printf "%-12s %-32s %7s of %4d lines\n", name, file, $10, $8 }'
}

# FUZZER: a line for each of its files.
tell() {
  host=$folder/$1_fuzz
  script=
  if [ -e "spec/fuzz/$1.lua" ]; then
    host=$folder/lua_fuzz
    script=spec/fuzz/$1.lua
  fi
  "$host" $script -runs=0 "$folder/seeds/$1" >"$folder/$1.log" 2>&1 || {
    cat "$folder/$1.log"
    exit 1
  }
  llvm-profdata merge -o "$folder/$1.profile" "$folder/raw"
  for file in $(aims_of "$1"); do
    case $file in
      *.lua) tell_lua "$1" "$file" ;;
      *) tell_c "$1" "$file" ;;
    esac
  done
}

for name; do tell "$name"; done | tee "$folder/lines"
awk '$1 == "json_read" && $3 + 0 >= 95 { good++ } END { exit good != 3 }' \
  "$folder/lines"
