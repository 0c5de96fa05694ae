# Makefile: builds the module and the sandbox, and everything the README says.
#
# Every target works from a clean checkout: Debian packages that it needs and
# that are missing are installed first (spec/support/deps.sh has the lists).
# Whatever is made goes below build/; nothing but apt leaves this machine.

LUA_VERSION ?= 5.4
PREFIX ?= /usr/local
DESTDIR ?=

# A Lua release, or jit, whose files lie with those of 5.1.
LUA_ABI = $(if $(filter jit,$(LUA_VERSION)),5.1,$(LUA_VERSION))
LUA_PC = $(if $(filter jit,$(LUA_VERSION)),luajit,lua$(LUA_VERSION))
LUA = $(LUA_PC)
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib/lua/$(LUA_ABI)
LUADIR ?= $(PREFIX)/share/lua/$(LUA_ABI)

# `make asan` builds the same things into a folder of its own.
OUT = build
BUILD = $(OUT)/$(LUA_VERSION)
CORE = $(BUILD)/signicat/core.so
SANDBOX = $(OUT)/signicat-sandbox
ALLOC_HOST = $(BUILD)/spec/alloc_host
CLOSING_HOST = $(BUILD)/spec/closing_host
FORKING_HOST = $(BUILD)/spec/forking_host
EMBED = $(BUILD)/embed
MARK = $(BUILD)/spec/mark.so
EAGER = $(BUILD)/spec/eager.so
BENCH_PROGRAMS = $(addprefix $(OUT)/bench/,floor floor_upload launch \
  count_heap.so)
SPEC_PROGRAMS = $(OUT)/sign_pdf $(OUT)/press_host $(OUT)/hold.so \
  $(ALLOC_HOST) $(CLOSING_HOST) $(FORKING_HOST) $(EMBED) $(MARK) $(EAGER) \
  $(BENCH_PROGRAMS)

CFLAGS ?= -O2 -g
STANDARD = -std=c99 -D_GNU_SOURCE
WARNINGS = -Wall -Wextra -Wpedantic
ALL_CFLAGS = $(STANDARD) $(WARNINGS) -fPIC -fvisibility=hidden $(CFLAGS)

CORE_PC = $(LUA_PC) libcurl libssl libcrypto
CORE_CFLAGS = $(shell pkg-config --cflags $(CORE_PC))
CORE_LIBS = $(shell pkg-config --libs libcurl libssl libcrypto) -lm
# A resolver thread of libcurl may outlive the Lua state: never unload.
CORE_LDFLAGS = -shared -Wl,-z,nodelete -Wl,--as-needed

SANDBOX_PC = libmicrohttpd libqpdf sqlite3 jansson xmlsec1-openssl libcrypto \
  libcurl pangocairo fontconfig
SANDBOX_CFLAGS = $(shell pkg-config --cflags $(SANDBOX_PC))
SANDBOX_LIBS = $(shell pkg-config --libs $(SANDBOX_PC)) -lpthread

CORE_OBJECTS = $(patsubst src/%.c,$(BUILD)/obj/%.o,$(wildcard src/*.c))
SANDBOX_OBJECTS = $(patsubst src/sandbox/%.c,$(OUT)/obj/sandbox/%.o,\
                    $(wildcard src/sandbox/*.c))
LUA_FILES = $(sort $(wildcard lua/signicat/*.lua lua/signicat/*/*.lua))

# V=1 shows the commands of a build in full.
Q = $(if $(V),,@)
note = @echo "  $(1)"

.PHONY: all core sandbox spec-programs deps demo demo-browser console test \
  soak oom bench asan asan-short coverage valgrind valgrind-short \
  fuzz fuzz-short fuzz-coverage \
  lint lint-lua lint-format lint-gcc lint-clang lint-cppcheck \
  install install-core install-sandbox uninstall rockspecs clean help

# ---- building ------------------------------------------------------------

all: core sandbox ## build the module and the sandbox (LUA_VERSION=5.4)
core: $(CORE) ## build the module
sandbox: $(SANDBOX) ## build the sandbox
spec-programs: $(SPEC_PROGRAMS)

$(CORE): $(CORE_OBJECTS)
	@mkdir -p $(@D)
	$(call note,link $@)
	$(Q)$(CC) $(CORE_LDFLAGS) $(LDFLAGS) -o $@ $^ $(CORE_LIBS)

$(BUILD)/obj/%.o: src/%.c | deps-build
	@mkdir -p $(@D)
	$(call note,compile $<)
	$(Q)$(CC) $(ALL_CFLAGS) $(CORE_CFLAGS) -MMD -c -o $@ $<

$(SANDBOX): $(SANDBOX_OBJECTS)
	@mkdir -p $(@D)
	$(call note,link $@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(SANDBOX_LIBS)

$(OUT)/obj/sandbox/%.o: src/sandbox/%.c | deps-build
	@mkdir -p $(@D)
	$(call note,compile $<)
	$(Q)$(CC) $(ALL_CFLAGS) $(SANDBOX_CFLAGS) -MMD -c -o $@ $<

# Hosts of our C files that specs run: a signer, a press, and one whose memory
# ends.
$(OUT)/sign_pdf $(OUT)/press_host: $(OUT)/%: spec/sandbox/%.c \
  $(filter-out %/main.o,$(SANDBOX_OBJECTS))
	$(call note,link $@)
	$(Q)$(CC) $(ALL_CFLAGS) $(SANDBOX_CFLAGS) $(LDFLAGS) -o $@ $^ $(SANDBOX_LIBS)

$(OUT)/hold.so: spec/sandbox/hold.c | deps-build
	@mkdir -p $(@D)
	$(call note,link $@)
	$(Q)$(CC) $(ALL_CFLAGS) -fvisibility=default $(SANDBOX_CFLAGS) $(LDFLAGS) \
	  -shared -o $@ $<

# It has the module in it, whose own allocations it can refuse.
REFUSED = malloc calloc realloc free strdup strndup realpath EVP_MD_CTX_new
$(ALLOC_HOST): $(wildcard spec/alloc/*.[ch]) $(CORE_OBJECTS)
	@mkdir -p $(@D)
	$(call note,link $@)
	$(Q)$(CC) $(ALL_CFLAGS) $(CORE_CFLAGS) $(LDFLAGS) -Wl,-E \
	  $(REFUSED:%=-Wl,--wrap=%) -o $@ $(filter %.c %.o,$^) \
	  $(shell pkg-config --libs $(LUA_PC)) $(CORE_LIBS)

$(MARK): spec/turns/mark.c
$(EAGER): spec/eager/eager.c
$(MARK) $(EAGER): | deps-build
	@mkdir -p $(@D)
	$(call note,link $@)
	$(Q)$(CC) $(ALL_CFLAGS) $(CORE_CFLAGS) $(LDFLAGS) -shared -o $@ $<

# Without the module, which they load as any host does.
$(CLOSING_HOST): spec/closing/closing_host.c
$(FORKING_HOST): spec/forking/forking_host.c
$(EMBED): examples/embed/embed.c
$(CLOSING_HOST) $(FORKING_HOST) $(EMBED): | deps-build
	@mkdir -p $(@D)
	$(call note,link $@)
	$(Q)$(CC) $(ALL_CFLAGS) $(CORE_CFLAGS) $(LDFLAGS) -Wl,-E -o $@ $< \
	  $(shell pkg-config --libs $(LUA_PC)) -lpthread

# What calls are measured beside, and measured with.
$(OUT)/bench/%.so: BENCH_FLAGS = -shared -fPIC
$(OUT)/bench/%.so $(OUT)/bench/%: spec/bench/%.c | deps-build
	@mkdir -p $(@D)
	$(call note,link $@)
	$(Q)$(CC) $(STANDARD) $(WARNINGS) $(CFLAGS) $(BENCH_FLAGS) $(LDFLAGS) \
	  $(shell pkg-config --cflags libcurl libcrypto) -o $@ $< \
	  $(shell pkg-config --libs libcurl libcrypto)

-include $(wildcard $(BUILD)/obj/*.d $(OUT)/obj/sandbox/*.d \
  build/lint-*/*/*.d build/lint-*/*/*/*.d)

# ---- what is needed ------------------------------------------------------

DEPS = deps-build deps-demo deps-test deps-lint deps-bench deps-fuzz deps-all

.PHONY: $(DEPS)
deps: deps-all ## list every Debian package and install what is missing
$(DEPS): deps-%:
	@sh spec/support/deps.sh $*

# ---- running -------------------------------------------------------------

# Our module and Lua files, and nothing of the environment that could lead a
# call off this machine or put other files in their place.
VERSIONS = 5_2 5_3 5_4
UNSET = $(filter-out SIGNICAT_JSON_TEST_SUITE SIGNICAT_SEED \
          SIGNICAT_SHOW_FAULTS,$(filter SIGNICAT_%,$(.VARIABLES))) \
  http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY \
  LUA_INIT $(foreach name,INIT PATH CPATH,$(VERSIONS:%=LUA_$(name)_%))
ENV = env $(UNSET:%=-u %) -u MAKEFLAGS -u MFLAGS -u CFLAGS -u LDFLAGS -u OUT \
  LUA_PATH='lua/?.lua;lua/?/init.lua;;' \
  LUA_CPATH='$(BUILD)/?.so;;'

FILE = examples/lease.pdf
export DEMO_FILE := $(value FILE)

demo: deps-demo core sandbox ## sign a PDF, have others judge it (FILE=any.pdf)
	@mkdir -p build/demo
	@$(ENV) $(LUA) examples/demo.lua "$$DEMO_FILE" build/demo
	@$(ENV) $(LUA) spec/support/verify.lua build/demo/ca.pem \
	  build/demo/signed.pdf
	@$(ENV) $(LUA) spec/support/verify.lua build/demo/ca.pem \
	  build/demo/package.pdf
	@pages=$$(pdfinfo build/demo/package.pdf | sed -n 's/^Pages: *//p'); \
	  pdftoppm -png -r 72 -singlefile -f $$pages build/demo/package.pdf \
	  build/demo/evidence && echo "Its page of evidence: build/demo/evidence.png"

demo-browser: deps-demo core sandbox ## sign in a browser, have it judged
	@mkdir -p build/demo
	@$(ENV) $(LUA) examples/demo_browser.lua "$$DEMO_FILE" build/demo
	@$(ENV) $(LUA) spec/support/verify.lua build/demo/ca.pem \
	  build/demo/signed.pdf

console: deps-demo core sandbox ## a Lua prompt: `sign` and its `sandbox`
	@$(ENV) $(LUA) -i examples/console.lua

# Lua 5.4 runs every spec. The others leave out those of the service and of
# this house's tools, which are the same whichever Lua a client has.
LUAS = 5.4 5.1 5.2 5.3 jit
ON_5_4 = bench browser demo house libcurl readme storm turns
SPECS = $(if $(filter 5.4,$(LUA_VERSION)),spec,$(filter-out \
          $(ON_5_4:%=spec/%_spec.lua),$(wildcard spec/*_spec.lua)))
BUSTED = /usr/bin/busted
SERVERS = $(CURDIR)/build/servers/usr
WITH_SERVERS = PATH="$(TOOLS)$(SERVERS)/sbin:$(SERVERS)/bin:$$PATH:/usr/sbin"
TEST_ENV = $(ENV) $(WITH_SERVERS) SIGNICAT_ALLOC_HOST=$(ALLOC_HOST) \
  SIGNICAT_CLOSING_HOST=$(CLOSING_HOST) \
  SIGNICAT_FORKING_HOST=$(FORKING_HOST) SIGNICAT_EMBED=$(EMBED) \
  SIGNICAT_EAGER=$(EAGER)

test: deps-test ## run all specs on every Lua, or SPECS=a/file on one
	@MAKE='$(MAKE)' sh spec/support/test.sh \
	  $(if $(filter file,$(origin SPECS)),$(LUAS),$(LUA_VERSION))

.PHONY: $(LUAS:%=test-%) test-run
$(LUAS:%=test-%): test-%:
	@echo "== Lua $*"
	@{ $(MAKE) --no-print-directory LUA_VERSION=$* test-run 2>&1 && \
	  touch build/test-$*.ok; } | tee build/test-$*.log
test-run: deps-test core sandbox spec-programs
	@$(TEST_ENV) $(LUA) $(BUSTED) -o spec/support/counts.lua $(SPECS)

# Faults in nginx are met by LuaJIT, which is the Lua there.
SOAK = spec/soak
.PHONY: soak-run
soak: ## run the specs that take long, or SOAK=spec/soak/x_soak.lua
	@$(MAKE) --no-print-directory soak-run
	@$(if $(findstring file,$(origin SOAK)),$(MAKE) --no-print-directory \
	  LUA_VERSION=jit SOAK=spec/soak/faults_soak.lua soak-run)
soak-run: deps-test core sandbox
	@$(TEST_ENV) $(LUA) $(BUSTED) -o spec/support/counts.lua -p _soak $(SOAK)

# The host has the module in it, so its Lua files are all that is loaded.
OOM_LUAS = 5.4 5.1
oom: deps-test ## run out of memory at every point (Lua's, ours, libcurl's)
	@for lua in $(OOM_LUAS); do \
	  $(MAKE) --no-print-directory LUA_VERSION=$$lua oom-run || exit; \
	done

.PHONY: oom-run
oom-run: core spec-programs
	@$(TEST_ENV) LUA_PATH='./?.lua;lua/?.lua;lua/?/init.lua;;' \
	  $(LUA) spec/alloc/sweep.lua

# A thousand calls under way are as many descriptors.
SECTIONS =
bench: deps-bench core $(MARK) $(BENCH_PROGRAMS) ## measure calls beside bare libcurl
	@ulimit -n 4096; \
	  $(ENV) $(WITH_SERVERS) $(LUA) spec/bench/bench.lua $(SECTIONS)

# nginx and LÖVE have LuaJIT.
.PHONY: bench-hosts bench-hosts-run
bench-hosts: deps-test deps-bench ## measure nginx and LÖVE beside calls
	@$(MAKE) --no-print-directory LUA_VERSION=jit bench-hosts-run
bench-hosts-run: core sandbox
	@$(ENV) $(WITH_SERVERS) $(LUA) spec/bench/hosts.lua

# ---- checking ------------------------------------------------------------

C_FILES = $(sort $(wildcard src/*.[ch] src/*/*.[ch] spec/*/*.[ch] \
  examples/*/*.[ch]))
LINT_OBJECTS = $(patsubst %.c,build/lint-$(1)/%.o,$(filter %.c,$(C_FILES)))
LINT_CFLAGS = $(STANDARD) $(WARNINGS) -Werror -O2 -Isrc $(CORE_CFLAGS) \
  $(SANDBOX_CFLAGS)

lint: lint-lua lint-format lint-gcc lint-clang lint-cppcheck ## all linters
lint-lua: deps-lint
	$(call note,luacheck)
	$(Q)luacheck --quiet .
lint-format: deps-lint
	$(call note,clang-format)
	$(Q)clang-format --dry-run -Werror $(C_FILES)
lint-gcc: $(call LINT_OBJECTS,gcc)
	$(call note,gcc -Werror: $(words $^) files)
lint-clang: $(call LINT_OBJECTS,clang)
	$(call note,clang -Werror: $(words $^) files)
lint-cppcheck: deps-lint
	@mkdir -p build/cppcheck
	$(call note,cppcheck)
	$(Q)cppcheck --quiet --error-exitcode=1 --std=c99 --inline-suppr \
	  --enable=warning,portability,performance \
	  --cppcheck-build-dir=build/cppcheck src spec examples

build/lint-gcc/%.o: %.c | deps-lint
	@mkdir -p $(@D)
	@gcc $(LINT_CFLAGS) -MMD -c -o $@ $<
build/lint-clang/%.o: %.c | deps-lint
	@mkdir -p $(@D)
	@clang $(LINT_CFLAGS) -MMD -c -o $@ $<

# The specs again, with every C file of ours under the sanitizers and in an
# interpreter of ours: nothing is preloaded, so programs that specs start are
# judged only if they are ours. Reports go to files; one is a failure. Values
# by the thousand get a calm collector, and README's crashes are not ours.
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=undefined
ASAN_LUAS = 5.4 5.1
ASAN_LUA = build/asan/bin/$(LUA)
asan-run asan-short-run: TOOLS = $(CURDIR)/build/asan/bin:
ASAN_ENV = $(TEST_ENV) \
  SIGN_PDF=build/asan/sign_pdf PRESS_HOST=build/asan/press_host \
  PRESS_HOLD=build/asan/hold.so \
  SIGNICAT_SANDBOX=build/asan/signicat-sandbox \
  ASAN_OPTIONS="detect_leaks=1:log_path='$(CURDIR)/build/asan/report':verify_asan_link_order=0" \
  LSAN_OPTIONS="suppressions='$(CURDIR)/spec/support/leaks.txt':print_suppressions=0" \
  UBSAN_OPTIONS=print_stacktrace=1

ASAN_MAKE = $(MAKE) --no-print-directory OUT=build/asan LDFLAGS='$(SANITIZE)' \
  CFLAGS='-O1 -g -fno-omit-frame-pointer $(SANITIZE)'

asan: deps-test ## run the specs under ASan, UBSan and a busy collector
	@for lua in $(ASAN_LUAS); do \
	  $(ASAN_MAKE) LUA_VERSION=$$lua asan-run || exit; \
	done

# Those that reach most of the C, in a minute.
ASAN_SHORT = json_read transfer tasks turn_taking cancelling map response \
  sandbox/documents
asan-short: deps-test ## the same, of some specs on one Lua
	@$(ASAN_MAKE) SPECS='$(ASAN_SHORT:%=spec/%_spec.lua)' \
	  asan-short-run

.PHONY: asan-run asan-short-run
asan-short-run: core sandbox $(ASAN_LUA)
	@rm -f build/asan/report.*
	@$(ASAN_ENV) $(LUA) $(BUSTED) -o spec/support/counts.lua $(SPECS)
	@! cat build/asan/report.* 2>/dev/null
asan-run: core sandbox spec-programs $(ASAN_LUA)
	@rm -f build/asan/report.*
	@echo "asan: all but readme_spec, where lua-cjson crashes by design, and"
	@echo "asan: memory_spec, turns_spec and bench_spec: a sanitizer keeps what"
	@echo "asan: was freed, and does more than is counted"
	@$(ASAN_ENV) LUA_GC=calm $(LUA) $(BUSTED) -o spec/support/counts.lua \
	  spec/json_cjson_spec.lua
	@$(ASAN_ENV) $(LUA) $(BUSTED) -o spec/support/counts.lua \
	  --exclude-pattern=json_cjson_spec --exclude-pattern=readme_spec \
	  --exclude-pattern=memory_spec --exclude-pattern=turns_spec \
	  --exclude-pattern=bench_spec \
	  $(filter-out %/json_cjson_spec.lua \
	  %/readme_spec.lua %/memory_spec.lua,$(SPECS))
	@! cat build/asan/report.* 2>/dev/null

$(ASAN_LUA): spec/support/interpreter.c
	@mkdir -p $(@D)
	$(call note,link $@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $(shell pkg-config --cflags $(LUA_PC)) \
	  -Wl,-E -o $@ $< $(shell pkg-config --libs $(LUA_PC))

# Which lines and branches of the module the specs reach; V=1 lists the rest.
# Memory that ends is what most of its branches are about. What fails is left
# to `make test` and `make oom`: this build is slow, and shows gcov's symbols.
COVERED = $(filter-out $(patsubst %,spec/%_spec.lua,$(ON_5_4) memory),\
            $(wildcard spec/*_spec.lua))
COVERAGE_ENV = $(TEST_ENV) SIGN_PDF=build/sign_pdf

coverage: deps-test sandbox build/sign_pdf ## what of the module specs reach
	@$(MAKE) --no-print-directory OUT=build/coverage LDFLAGS=--coverage \
	  CFLAGS='-O0 -g --coverage -fprofile-update=atomic' coverage-run

.PHONY: coverage-run
coverage-run: core $(filter $(BUILD)/%,$(SPEC_PROGRAMS))
	@rm -f $(BUILD)/obj/*.gcda
	@ln -sf ../signicat-sandbox build/coverage/signicat-sandbox
	-@$(COVERAGE_ENV) $(LUA) $(BUSTED) -o spec/support/counts.lua $(COVERED)
	-@$(COVERAGE_ENV) LUA_PATH='./?.lua;lua/?.lua;lua/?/init.lua;;' \
	  $(LUA) spec/alloc/sweep.lua lua ours ours-once curl
	@$(LUA) spec/support/coverage.lua $(if $(V),-v) $(BUILD)/obj \
	  $(sort $(wildcard src/*.c))

# memcheck over the specs that call: what is left when the Lua state has been
# closed counts as an error, too.
MEMCHECK = valgrind --quiet --error-exitcode=99 --leak-check=full \
  --errors-for-leak-kinds=definite,possible
CHECKED = twelve_operations transfer stream tasks turn_taking cancelling map \
  client events error json_write response request resource exchange
valgrind: deps-test core sandbox spec-programs ## run the specs that call under memcheck
	@$(TEST_ENV) $(MEMCHECK) $(LUA) $(BUSTED) -o spec/support/counts.lua \
	  $(CHECKED:%=spec/%_spec.lua)
valgrind-short: CHECKED = twelve_operations tasks turn_taking cancelling map
valgrind-short: valgrind ## the same, of a few of them

# ---- fuzzing -------------------------------------------------------------

# Fuzzers are C files with libFuzzer in them; those in Lua run in lua_fuzz.
FUZZERS = json_read json_write reply dates head event request markdown
FUZZ_HOSTS = $(patsubst spec/fuzz/%.c,$(OUT)/%,$(wildcard spec/fuzz/*_fuzz.c))
FUZZ_CORE = $(filter-out $(FUZZ_SANDBOX),$(FUZZ_HOSTS))
FUZZ_SANDBOX = $(OUT)/request_fuzz $(OUT)/markdown_fuzz
# What has sockets or threads: a fuzzer stands in its place.
SERVER_OBJECTS = $(foreach name,main http delivery acceptor connections \
                   courier packager workers,$(OUT)/obj/sandbox/$(name).o)
PAGE_OBJECTS = $(foreach name,markdown page_markdown html,\
                 $(OUT)/obj/sandbox/$(name).o)
FUZZ_FLAGS = -O1 -g -fno-omit-frame-pointer \
  -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
FUZZ_RUN = $(ENV) sh spec/fuzz/run.sh
SECONDS = 60

fuzz: fuzz-hosts ## run the fuzzers, SECONDS=60 each, two at a time
	@$(FUZZ_RUN) build/fuzz -max_total_time=$(SECONDS) $(FUZZERS)
fuzz-short: fuzz-hosts ## run the fuzzers' corpus and some inputs more
	@$(FUZZ_RUN) build/fuzz '-runs=3000 -seed=1' $(FUZZERS)
fuzz-coverage: ## tell which lines the fuzzers' corpus alone reaches
	@$(MAKE) --no-print-directory OUT=build/fuzz-coverage fuzz-hosts \
	  FUZZ_FLAGS='$(FUZZ_FLAGS) -fprofile-instr-generate -fcoverage-mapping'
	@$(ENV) sh spec/fuzz/coverage.sh build/fuzz-coverage $(FUZZERS)

.PHONY: fuzz-hosts fuzz-hosts-run
fuzz-hosts: OUT = build/fuzz
fuzz-hosts: deps-fuzz
	@$(MAKE) --no-print-directory LUA_VERSION=5.4 OUT=$(OUT) CC=clang \
	  CFLAGS='$(FUZZ_FLAGS)' fuzz-hosts-run
fuzz-hosts-run: $(FUZZ_HOSTS)

$(FUZZ_CORE): $(OUT)/%: spec/fuzz/%.c spec/fuzz/fuzz.h spec/fuzz/opinion.c \
  $(CORE_OBJECTS)
	$(call note,link $@)
	$(Q)$(CC) $(ALL_CFLAGS) -Isrc $(CORE_CFLAGS) -fsanitize=fuzzer -o $@ \
	  $(filter-out %.h,$^) $(shell pkg-config --libs $(LUA_PC)) $(CORE_LIBS) \
	  -ljansson
$(OUT)/request_fuzz: $(filter-out $(SERVER_OBJECTS),$(SANDBOX_OBJECTS))
$(OUT)/markdown_fuzz: $(PAGE_OBJECTS)
$(FUZZ_SANDBOX): $(OUT)/%: spec/fuzz/%.c spec/fuzz/fuzz.h
	$(call note,link $@)
	$(Q)$(CC) $(ALL_CFLAGS) -Isrc $(SANDBOX_CFLAGS) -fsanitize=fuzzer -o $@ \
	  $(filter-out %.h,$^) $(SANDBOX_LIBS)

# ---- installing ----------------------------------------------------------

INSTALLED_LUA = $(LUA_FILES:lua/%=%)
INSTALLED = "$(DESTDIR)$(LIBDIR)/signicat/core.so" \
  "$(DESTDIR)$(BINDIR)/signicat-sandbox" \
  $(foreach file,$(INSTALLED_LUA),"$(DESTDIR)$(LUADIR)/$(file)")

install: install-core install-sandbox ## install below PREFIX (and DESTDIR)

install-core: core
	install -D -m 755 $(CORE) "$(DESTDIR)$(LIBDIR)/signicat/core.so"
	@for file in $(INSTALLED_LUA); do \
	  install -D -m 644 "lua/$$file" "$(DESTDIR)$(LUADIR)/$$file" || exit; \
	done

install-sandbox: sandbox
	install -D -m 755 $(SANDBOX) "$(DESTDIR)$(BINDIR)/signicat-sandbox"

# Folders go with their last file, but none above PREFIX or DESTDIR and none
# of the system's own.
uninstall: ## remove what install put there
	@top="$(DESTDIR)"; top=$${top:-$$(dirname "$(PREFIX)")}; \
	for file in $(INSTALLED); do \
	  rm -f "$$file" || exit; \
	  folder=$${file%/*}; \
	  while case $${folder%/*} in /usr | /usr/local) false ;; esac && \
	    [ "$$folder" != "$$top" ] && rmdir "$$folder" 2>/dev/null; do \
	    folder=$${folder%/*}; \
	  done; \
	done

# Those of a release: the version is what signicat._VERSION says, the source
# is its tag there.
VERSION = $(shell sed -n 's/^signicat._VERSION = "\(.*\)"$$/\1/p' \
            lua/signicat/init.lua)
URL = git+file://.

rockspecs: ## those of a release, in build/rocks (URL=git+https:...)
	@mkdir -p build/rocks
	@for file in *-scm-1.rockspec; do \
	  new=build/rocks/$${file%-scm-1.rockspec}-$(VERSION)-1.rockspec; \
	  echo "  write $$new"; \
	  sed -e 's|^version = .*|version = "$(VERSION)-1"|' \
	    -e 's|^source = .*|source = { url = "$(URL)", tag = "v$(VERSION)" }|' \
	    $$file >$$new || exit; \
	done

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.* ## /\1\t/p' Makefile | expand -t 16
