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
BENCH_PROGRAMS = $(addprefix $(OUT)/bench/,floor floor_upload launch \
  count_heap.so)
SPEC_PROGRAMS = $(OUT)/sign_pdf $(ALLOC_HOST) $(CLOSING_HOST) \
  $(FORKING_HOST) $(EMBED) $(MARK) $(BENCH_PROGRAMS)

CFLAGS ?= -O2 -g
STANDARD = -std=c99 -D_GNU_SOURCE
WARNINGS = -Wall -Wextra -Wpedantic
ALL_CFLAGS = $(STANDARD) $(WARNINGS) -fPIC -fvisibility=hidden $(CFLAGS)

CORE_PC = $(LUA_PC) libcurl libcrypto
CORE_CFLAGS = $(shell pkg-config --cflags $(CORE_PC))
CORE_LIBS = $(shell pkg-config --libs libcurl libcrypto) -lm
# A resolver thread of libcurl may outlive the Lua state: never unload.
CORE_LDFLAGS = -shared -Wl,-z,nodelete -Wl,--as-needed

SANDBOX_PC = libmicrohttpd libqpdf sqlite3 jansson xmlsec1-openssl libcrypto \
  libcurl pangocairo
SANDBOX_CFLAGS = $(shell pkg-config --cflags $(SANDBOX_PC))
SANDBOX_LIBS = $(shell pkg-config --libs $(SANDBOX_PC)) -lpthread

CORE_OBJECTS = $(patsubst src/%.c,$(BUILD)/obj/%.o,$(wildcard src/*.c))
SANDBOX_OBJECTS = $(patsubst src/sandbox/%.c,$(OUT)/obj/sandbox/%.o,\
                    $(wildcard src/sandbox/*.c))
LUA_FILES = $(sort $(wildcard lua/signicat/*.lua lua/signicat/*/*.lua))

# V=1 shows the commands of a build in full.
Q = $(if $(V),,@)
note = @echo "  $(1)"

.PHONY: all core sandbox spec-programs deps demo demo-browser console test soak bench asan \
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

# Hosts of our C files that specs run: a signer, and one whose memory ends.
$(OUT)/sign_pdf: spec/sandbox/sign_pdf.c \
  $(filter-out %/main.o,$(SANDBOX_OBJECTS))
	$(call note,link $@)
	$(Q)$(CC) $(ALL_CFLAGS) $(SANDBOX_CFLAGS) $(LDFLAGS) -o $@ $^ $(SANDBOX_LIBS)

$(ALLOC_HOST): $(wildcard spec/alloc/*.c) $(CORE_OBJECTS)
	@mkdir -p $(@D)
	$(call note,link $@)
	$(Q)$(CC) $(ALL_CFLAGS) -Isrc $(CORE_CFLAGS) $(LDFLAGS) -Wl,-E -o $@ $^ \
	  $(shell pkg-config --libs $(LUA_PC)) $(CORE_LIBS)

$(MARK): spec/turns/mark.c | deps-build
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

DEPS = deps-build deps-demo deps-test deps-lint deps-bench deps-all

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
ON_5_4 = bench browser demo house libcurl readme turns
SPECS = $(if $(filter 5.4,$(LUA_VERSION)),spec,$(filter-out \
          $(ON_5_4:%=spec/%_spec.lua),$(wildcard spec/*_spec.lua)))
BUSTED = /usr/bin/busted
SERVERS = $(CURDIR)/build/servers/usr
WITH_SERVERS = PATH="$(TOOLS)$(SERVERS)/sbin:$(SERVERS)/bin:$$PATH:/usr/sbin"
TEST_ENV = $(ENV) $(WITH_SERVERS) SIGNICAT_ALLOC_HOST=$(ALLOC_HOST) \
  SIGNICAT_CLOSING_HOST=$(CLOSING_HOST) \
  SIGNICAT_FORKING_HOST=$(FORKING_HOST) SIGNICAT_EMBED=$(EMBED)

test: deps-test ## run all specs on every Lua, or SPECS=a/file on one
	@MAKE='$(MAKE)' sh spec/support/test.sh \
	  $(if $(filter file,$(origin SPECS)),$(LUAS),$(LUA_VERSION))

.PHONY: $(LUAS:%=test-%) test-run
$(LUAS:%=test-%): test-%:
	@$(MAKE) --no-print-directory LUA_VERSION=$* test-run
test-run: deps-test core sandbox spec-programs
	@$(TEST_ENV) $(LUA) $(BUSTED) -o spec/support/counts.lua $(SPECS)

soak: deps-test core sandbox ## run the specs that take long
	@$(TEST_ENV) $(LUA) $(BUSTED) -o spec/support/counts.lua -p _soak spec/soak

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
asan-run: TOOLS = $(CURDIR)/build/asan/bin:
ASAN_ENV = $(TEST_ENV) \
  SIGN_PDF=build/asan/sign_pdf \
  SIGNICAT_SANDBOX=build/asan/signicat-sandbox \
  ASAN_OPTIONS="detect_leaks=1:log_path='$(CURDIR)/build/asan/report'" \
  LSAN_OPTIONS="suppressions='$(CURDIR)/spec/support/leaks.txt':print_suppressions=0" \
  UBSAN_OPTIONS=print_stacktrace=1

asan: deps-test ## run the specs under ASan, UBSan and a busy collector
	@for lua in $(ASAN_LUAS); do \
	  $(MAKE) --no-print-directory OUT=build/asan LUA_VERSION=$$lua \
	    LDFLAGS='$(SANITIZE)' \
	    CFLAGS='-O1 -g -fno-omit-frame-pointer $(SANITIZE)' \
	    asan-run || exit; \
	done

.PHONY: asan-run
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
