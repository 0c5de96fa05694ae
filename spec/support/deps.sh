#!/bin/sh
# deps.sh: the Debian packages that building, showing and testing need.
#
#     deps.sh build|demo|test|lint|bench|fuzz installs what is missing, if any
#     deps.sh all                             the same, and says what it needs
#
# Asks dpkg first, so nothing touches the network when all is there. Nothing
# is ever removed for it and no package of the lists brings a service. The
# servers would: they are unpacked below build/servers and not installed.
# Judges from npm go below build/judges, as spec/judges/ says which, and what
# is measured beside the client below build/beside, as spec/bench/beside/ does.

set -eu

build="gcc libc6-dev make pkg-config liblua5.4-dev libcurl4-openssl-dev \
libssl-dev libmicrohttpd-dev libqpdf-dev libsqlite3-dev libjansson-dev \
libxmlsec1-dev libpango1.0-dev libcairo2-dev libfontconfig-dev
fonts-dejavu-core"
# What runs the example, and the outside judges of its result.
demo="lua5.4 libnss3-tools openssl poppler-utils"
# locales: a spec makes itself one with a decimal comma.
# LuaJIT is luajit2: luajit and it exclude each other, and other packages of
# Debian need this one.
test="lua-busted lua-cjson lua-filesystem lua-socket lua-redis lua-luv \
lua-cqueues curl locales qpdf sqlite3 xmlsec1 lua5.1 lua5.2 lua5.3 \
luajit2 liblua5.1-0-dev liblua5.2-dev liblua5.3-dev libluajit2-5.1-dev \
libpcre3 redis-tools valgrind love neovim chromium chromium-driver"
lint="lua-check clang clang-format cppcheck"
bench="valgrind wrk ca-certificates lua-socket lua-cjson lua-filesystem \
openssl python3 gnuplot-nox"
# libFuzzer and the sanitizers are in the library of clang.
fuzz="lua5.4 clang libclang-rt-14-dev llvm"
# Whoever has npm has it with Node.js, perhaps from elsewhere than Debian.
if ! command -v npm >/dev/null 2>&1; then
  test="$test nodejs npm"
  bench="$bench nodejs npm"
fi
# Unpacked; redis-server is a name of a program in redis-tools. Manual pages,
# which small systems leave out, tell what libcurl had when. Of the last five
# the PDFs are wanted: specs sign them.
servers="libcurl4-doc nginx libnginx-mod-http-ndk libnginx-mod-http-lua lua-resty-core \
lua-resty-lrucache bash-doc gnuplot-doc xfig-doc pari-doc groff"

set_name=${1:?build, demo, test, lint, bench, fuzz or all}
case $set_name in
  build) packages=$build ;;
  demo) packages="$build $demo" ;;
  test) packages="$build $demo $test" ;;
  lint) packages="$build $lint" ;;
  bench) packages="$build $demo $bench" ;;
  fuzz) packages="$build $fuzz" ;;
  all) packages="$build $demo $test $lint $bench $fuzz" ;;
  *) echo "deps: no set is called '$set_name'" >&2; exit 2 ;;
esac

say() { echo "deps: $*"; }

# What is needed, and why it is not installed here.
explain() {
  say "$1" >&2
  say "needed are these packages of Debian 12, or what they hold:" >&2
  echo "  $packages" >&2
}

missing() {
  for package in $packages; do
    state=$(dpkg-query -W -f=' ${db:Status-Status} ' "$package" 2>/dev/null) ||:
    case $state in *" installed "*) ;; *) printf '%s ' "$package" ;; esac
  done
}

wants_servers() {
  case $set_name in
    test | bench | all)
      [ "$servers" != "$(cat build/servers/complete 2>/dev/null)" ] ;;
    *) false ;;
  esac
}

# Whether a folder with a list of npm's has to be fetched to another one.
lacks() {
  ! cmp -s "$1/package-lock.json" "$2/complete"
}

wants_judges() {
  case $set_name in
    test | all) lacks spec/judges build/judges ;;
    *) false ;;
  esac
}

wants_beside() {
  case $set_name in
    bench | all) lacks spec/bench/beside build/beside ;;
    *) false ;;
  esac
}

apt_get() {
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@"
}

install_missing() {
  apt_get install -y --no-install-recommends --no-remove $(missing)
}

unpack_servers() {
  rm -rf build/servers && mkdir -p build/servers/usr/bin && (
    cd build/servers &&
      apt-get -o APT::Sandbox::User=root download $servers &&
      for file in *.deb; do dpkg-deb -x "$file" . || exit; done &&
      ln -s /usr/bin/redis-check-rdb usr/bin/redis-server &&
      rm ./*.deb && echo "$servers" >complete
  )
}

fetch() {
  say "fetching what $1/package.json names"
  rm -rf "$2" && mkdir -p "$2" &&
    cp "$1/package.json" "$1/package-lock.json" "$2" &&
    (cd "$2" && npm ci --ignore-scripts --no-audit --no-fund --silent &&
      cp package-lock.json complete) && return
  say "npm could not fetch what $1/package.json names" >&2
  return 1
}

if [ "$set_name" = all ]; then
  say "building, showing, testing and measuring need these packages:"
  echo "$build $demo $test $lint $bench $fuzz" | fold -s -w 76 | sed 's/^/  /'
  say "and from npm, below build/, what spec/judges/package.json and"
  say "spec/bench/beside/package.json name;"
  say "and these servers, unpacked below build/servers and not installed:"
  echo "$servers" | fold -s -w 76 | sed 's/^/  /'
fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  explain "this is not Debian: nothing is installed or looked for"
  # Elsewhere the compiler has the last word; CI has to know.
  [ "${CI:-}" != true ]
  exit
fi

if [ -z "$(missing)" ] && ! wants_servers && ! wants_judges &&
  ! wants_beside; then
  [ "$set_name" != all ] || say "all are here"
  exit 0
fi

# With make -j two of us may come here.
exec 9<"$0"
flock 9

as_root=
if [ -n "$(missing)" ]; then
  say "missing: $(missing)"
  if [ "$(id -u)" -ne 0 ]; then
    as_root=sudo
    if ! command -v sudo >/dev/null; then
      explain "installing takes root or sudo; as root: apt-get install \
--no-install-recommends $(missing)"
      exit 1
    fi
  fi
  # Lists that are absent or old are the usual reason for a failure.
  if ! ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1; then
    apt_get update
  fi
  install_missing || { apt_get update && install_missing; } || :
  if [ -n "$(missing)" ]; then
    explain "apt-get could not install: $(missing)"
    exit 1
  fi
fi

if wants_servers && ! unpack_servers; then
  explain "the servers that specs and bench need could not be fetched"
  exit 1
fi

if wants_judges; then fetch spec/judges build/judges; fi
if wants_beside; then fetch spec/bench/beside build/beside; fi
