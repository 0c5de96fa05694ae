-- libcurl_spec.lua: the core builds with the oldest libcurl it says it takes.
-- The headers of that one are those at hand, under its number and without any
-- name that is younger; which those are, libcurl's own pages say.

local helper = require "spec.helper"

local PAGES = "build/servers/usr/share/man/man3/"

local function run(command)
  local pipe = assert(io.popen(command .. "; echo $?"))
  local output, code = pipe:read("*a"):match "^(.-)(%d+)\n$"
  pipe:close()
  return tonumber(code) == 0, output
end

local function page(name)
  local found, text = run("zcat " .. PAGES .. name .. ".3.gz")
  assert(found, name)
  return text
end

-- "7.77.0" as a number that can be compared.
local function number(version)
  local major, minor, patch = version:match "^(%d+)%.(%d+)%.?(%d*)"
  return major * 0x10000 + minor * 0x100 + (tonumber(patch) or 0)
end

local OLDEST = helper.read("README.md"):match "one older than ([%d.]+%d)\n?"

-- The names that came after a version: of constants, and of functions.
local function younger(than)
  local names = {}
  for name, version in page("libcurl-symbols")
    :gmatch "\n%.IP (%S+)\nIntroduced in ([%d.]+)" do
    if number(version) > than then names[#names + 1] = name end
  end
  local _, list = run("ls " .. PAGES)
  for name in list:gmatch "(curl_[%w_]+)%.3%.gz" do
    local version = page(name):match "\n%.SH AVAILABILITY\n[^\n]-(%d+%.[%d.]+)"
    if version and number(version) > than then names[#names + 1] = name end
  end
  return names
end

describe("libcurl " .. OLDEST, function()
  local folder, header

  setup(function()
    folder = select(2, run "mktemp -d"):match "%S+"
    assert(run("mkdir " .. folder .. "/curl"))
    header = folder .. "/curl/curl.h"
  end)
  teardown(function() run("rm -r " .. folder) end)

  -- Compiles what includes curl as if libcurl were `version`, without the
  -- names that are younger than `known`.
  local function compile(version, known)
    helper.write(header, ([[
#include_next <curl/curl.h>
#undef LIBCURL_VERSION_NUM
#define LIBCURL_VERSION_NUM 0x%06x
#pragma GCC poison %s
]]):format(version, table.concat(younger(known), " ")))
    return run("gcc -fsyntax-only -std=c99 -D_GNU_SOURCE -w "
      .. "-DCURL_DISABLE_TYPECHECK -Isrc -I" .. folder
      .. " $(pkg-config --cflags lua5.4 libcurl libcrypto) src/*.c 2>&1")
  end

  it("has all that the core cannot do without", function()
    local oldest = number(OLDEST)
    assert.is_true(#younger(oldest) > 50)
    local done, says = compile(oldest, oldest)
    assert.is_true(done, says)
  end)

  it("is the oldest that is taken", function()
    local done, says = compile(number(OLDEST) - 0x100, number(OLDEST))
    assert.is_false(done)
    assert.matches("libcurl " .. OLDEST .. " or later is needed", says, 1, true)
  end)

  it("lacks what a later one is asked for", function()
    local done, says = compile(0x075801, number(OLDEST))
    assert.is_false(done)
    assert.matches("poisoned \"CURLOPT_QUICK_EXIT\"", says, 1, true)
  end)
end)
