#!/bin/sh
# run.sh: what a call costs, next to the least libcurl can cost.
#
# Builds the two C programs, serves the answers with an nginx of its own on
# loopback and leaves the measuring to report.lua. Everything it writes is in
# a temporary folder; the nginx is ended by its process id. LUA, LUA_PATH and
# LUA_CPATH say which Lua and which build of the client.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
: "${LUA:=lua5.4}" "${CC:=cc}"
# sbin is not on everybody's path.
PATH=$PATH:/usr/sbin

missing=
for tool in "$LUA" "$CC" nginx valgrind pkg-config; do
  command -v "$tool" >/dev/null || missing="$missing $tool"
done
if [ -n "$missing" ]; then
  echo "bench: not found:$missing" >&2
  echo "bench: on Debian: apt-get install gcc libcurl4-openssl-dev" \
    "lua5.4 nginx-light pkg-config valgrind" >&2
  exit 2
fi

# Whatever a proxy or an account of the environment says, nothing leaves.
for name in http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY \
  SIGNICAT_BASE_URL SIGNICAT_TOKEN_URL SIGNICAT_CLIENT_ID \
  SIGNICAT_CLIENT_SECRET; do
  unset "$name"
done

# Client and server take turns on one core: each answer is waited for once,
# as one of a real service is. On two cores it depends on luck.
taskset -p -c 0 $$ >/dev/null 2>&1 || :

folder=$(mktemp -d)
nginx_pid=
finish() {
  if [ -n "$nginx_pid" ]; then kill "$nginx_pid" 2>/dev/null || :; fi
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

curl_flags=$(pkg-config --cflags --libs libcurl)
# shellcheck disable=SC2086 # several flags
"$CC" -std=c99 -D_GNU_SOURCE -O2 -Wall -Wextra -o "$folder/floor" \
  "$here/floor.c" $curl_flags
"$CC" -std=c99 -O2 -Wall -Wextra -shared -fPIC -o "$folder/count_heap.so" \
  "$here/count_heap.c"

id=f05d0dce-a7af-432b-b6b8-e455ab7c0852
mkdir "$folder/answers"
"$LUA" "$here/answers.lua" "$here/session.json" "$folder/answers" "$id"

# nginx cannot be told "any free port", so it is told one after the other.
# It writes its process id once it listens, and ends when it cannot.
serve() {
  sed "s/PORT/$1/" "$here/nginx.conf" >"$folder/nginx.conf"
  rm -f "$folder/nginx.pid"
  nginx -p "$folder" -e error.log -c nginx.conf 2>/dev/null &
  nginx_pid=$!
  while kill -0 "$nginx_pid" 2>/dev/null; do
    if [ -s "$folder/nginx.pid" ]; then return 0; fi
    sleep 0.05
  done
  nginx_pid=
  return 1
}

port=$((20000 + $$ % 10000))
tries=0
until serve "$port"; do
  tries=$((tries + 1))
  if [ "$tries" -eq 5 ]; then
    echo "bench: nginx does not start:" >&2
    tail -n 3 "$folder/error.log" >&2
    exit 1
  fi
  port=$((port + 1))
done

"$LUA" "$here/report.lua" "$here" "$folder" "http://127.0.0.1:$port/sign" \
  "$id" "$LUA"
