#!/bin/sh
# test.sh: runs the specs on one Lua after the other and adds up what each
# run counted; the last line is that of all.
#
#     sh spec/support/test.sh LUA...
#
# A run that ends without its closing line counts as one more that failed, as
# does one that fails though every spec of it passed.

set -eu

mkdir -p build
passed=0
failed=0

for lua in "$@"; do
  log=build/test-$lua.log
  echo "== Lua $lua"
  rm -f "$log.ok"
  { "${MAKE:-make}" --no-print-directory "test-$lua" 2>&1 && : >"$log.ok"; } |
    tee "$log" || :
  counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$log" |
    tail -n 1)
  good=${counts% *}
  bad=${counts#* }
  [ -e "$log.ok" ] || [ "${bad:-0}" -gt 0 ] || bad=1
  passed=$((passed + ${good:-0}))
  failed=$((failed + ${bad:-0}))
done

[ $# -eq 1 ] || echo "== Lua $*"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
