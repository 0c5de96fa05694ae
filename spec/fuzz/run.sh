#!/bin/sh
# run.sh: runs fuzzers, two at a time, and tells what each did.
#
#     run.sh FOLDER 'OPTIONS OF LIBFUZZER' FUZZER...
#
# What is found lies below FOLDER/findings and makes the run fail. Inputs that
# reach something new are kept in FOLDER/corpus from run to run, but a run of
# a fixed number of inputs begins with the seeds alone, to be the same always.

set -u

# Prints the words that start the fuzzer.
fuzzer() {
  if [ -e "spec/fuzz/$2.lua" ]; then
    echo "$1/lua_fuzz spec/fuzz/$2.lua"
  else
    echo "$1/$2_fuzz"
  fi
}

corpus_of() {
  case $2 in
    *-runs=*) echo "$1/short" ;;
    *) echo "$1/corpus" ;;
  esac
}

# What the reader's judges know is taken along where it is.
suite_of() {
  suite=${SIGNICAT_JSON_TEST_SUITE:-../shared/data/json-test-suite}
  [ "$1" = json_read ] && [ -d "$suite/test_parsing" ] &&
    echo "$suite/test_parsing"
}

run_one() {
  folder=$1 options=$2 name=$3
  corpus=$(corpus_of "$folder" "$options")/$name
  log=$corpus.log
  dictionary=
  [ -e "spec/fuzz/$name.dict" ] && dictionary=-dict=spec/fuzz/$name.dict
  mkdir -p "$corpus"
  $(fuzzer "$folder" "$name") $options $dictionary -timeout=20 \
    -print_final_stats=1 -artifact_prefix="$folder/findings/$name-" \
    "$corpus" "$folder/seeds/$name" $(suite_of "$name") >"$log" 2>&1
  status=$?
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
  printf '%-12s %10s executions, %6s edges' "$name" "${runs:-?}" "${edges:-?}"
  if [ $status -eq 0 ]; then
    echo
    return
  fi
  echo ", a FINDING:"
  grep -v -e '^#[0-9]*[[:space:]]' -e '^INFO:' -e 'NEW_FUNC' "$log" |
    head -n 40
  sed -n 's/^.*Test unit written to /  its input: /p' "$log"
  return 1
}

if [ "$1" = one ]; then
  shift
  run_one "$@"
  exit
fi

folder=$1
options=$2
shift 2
mkdir -p "$folder/findings"
rm -rf "$folder/short" "$folder/seeds"
lua5.4 spec/fuzz/seeds.lua "$folder/seeds" "$@" || exit
printf '%s\n' "$@" | xargs -P 2 -n 1 sh "$0" one "$folder" "$options"
