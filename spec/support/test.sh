#!/bin/sh
# test.sh: runs the specs on each Lua, as many at a time as there are cores,
# and adds up what each run counted; the last line is that of all.
#
#     sh spec/support/test.sh LUA...
#
# A run that ends without its closing line counts as one more that failed, as
# does one that fails though every spec of it passed.

set -eu

mkdir -p build
passed=0
failed=0

# Two runs must not build the same file at a time.
for lua in "$@"; do
  rm -f "build/test-$lua.log" "build/test-$lua.ok"
  "${MAKE:-make}" --silent "LUA_VERSION=$lua" core sandbox \
    spec-programs
done

# One alone is seen while it runs, of several each when it is done.
sync=target
[ $# -gt 1 ] || sync=none
printf 'test-%s\n' "$@" |
  xargs "${MAKE:-make}" --no-print-directory --keep-going \
    --jobs="$(nproc)" --output-sync=$sync || :

for lua in "$@"; do
  counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' \
    "build/test-$lua.log" | tail -n 1)
  good=${counts% *}
  bad=${counts#* }
  [ -e "build/test-$lua.ok" ] || [ "${bad:-0}" -gt 0 ] || bad=1
  passed=$((passed + ${good:-0}))
  failed=$((failed + ${bad:-0}))
  [ $# -eq 1 ] || echo "Lua $lua: ${good:-0} passed, ${bad:-0} failed"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
