# Makefile: builds the module and the sandbox, and everything the README says.
#
# `make` alone needs a compiler and the development packages; `make deps`
# prints what that is and installs it on Debian. See also spec/ for what the
# test targets run.

LUA_VERSION ?= 5.4
PREFIX ?= /usr/local
DESTDIR ?=

LUA_PC = $(if $(filter jit,$(LUA_VERSION)),luajit,lua$(LUA_VERSION))
LUA = $(LUA_PC)
BUILD = build/$(LUA_VERSION)
CORE = $(BUILD)/signicat/core.so
SANDBOX = build/signicat-sandbox

CFLAGS ?= -O2 -g
WARNINGS = -Wall -Wextra -Wpedantic
STANDARD = -std=c99 -D_GNU_SOURCE
ALL_CFLAGS = $(STANDARD) $(WARNINGS) -fPIC -fvisibility=hidden $(CFLAGS)

CORE_CFLAGS = $(shell pkg-config --cflags $(LUA_PC) libcurl libcrypto)
CORE_LIBS = $(shell pkg-config --libs libcurl libcrypto) -lm
# A resolver thread of libcurl may outlive the Lua state: never unload.
CORE_LDFLAGS = -shared -Wl,-z,nodelete -Wl,--as-needed

SANDBOX_PC = libmicrohttpd libqpdf sqlite3 jansson libcrypto
SANDBOX_CFLAGS = $(shell pkg-config --cflags $(SANDBOX_PC))
SANDBOX_LIBS = $(shell pkg-config --libs $(SANDBOX_PC)) -lpthread

CORE_OBJECTS = $(patsubst src/%.c,$(BUILD)/obj/%.o,$(wildcard src/*.c))
SANDBOX_OBJECTS = $(patsubst src/sandbox/%.c,build/obj/sandbox/%.o,\
                    $(wildcard src/sandbox/*.c))

.PHONY: all core sandbox clean

all: core sandbox
core: $(CORE)
sandbox: $(SANDBOX)

$(CORE): $(CORE_OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(CORE_LDFLAGS) $(LDFLAGS) -o $@ $^ $(CORE_LIBS)

$(BUILD)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(CORE_CFLAGS) -MMD -c -o $@ $<

$(SANDBOX): $(SANDBOX_OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(SANDBOX_LIBS)

build/obj/sandbox/%.o: src/sandbox/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(SANDBOX_CFLAGS) -MMD -c -o $@ $<

-include $(wildcard $(BUILD)/obj/*.d build/obj/sandbox/*.d)

clean:
	rm -rf build
