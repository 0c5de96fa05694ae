-- JSONTestSuite, Nicolas Seriot's collection of texts that parsers get wrong:
-- y_ must be read, n_ must be refused, i_ is up to the parser, which must
-- survive it. SIGNICAT_JSON_TEST_SUITE says where it is. The run ends with how
-- many there were; where the suite is absent, it is pending.

local busted = require "busted"
local read = require "spec.support.files".read
local lfs = require "lfs"
local core = require "signicat.core"

local root = os.getenv "SIGNICAT_JSON_TEST_SUITE"
  or "../shared/data/json-test-suite"

-- The files by their first letter; also of a suite that lies there flat.
local function collect()
  local files, found = { y = {}, n = {}, i = {} }, false
  for _, folder in ipairs { root .. "/test_parsing", root } do
    if not found and lfs.attributes(folder, "mode") == "directory" then
      for name in lfs.dir(folder) do
        local letter = name:match "^([yni])_.*%.json$"
        if letter then
          found = true
          table.insert(files[letter], folder .. "/" .. name)
        end
      end
    end
  end
  return found and files
end

local files = collect()
local good = { y = 0, n = 0, i = 0 }

describe("JSONTestSuite", function()
  if not files then
    return pending("is not in " .. root)
  end

  -- Comes after the summary of the run.
  busted.subscribe({ "suite", "end" }, function()
    print(string.format("JSONTestSuite: %d of %d y_ read, "
      .. "%d of %d n_ refused, %d i_ survived",
      good.y, #files.y, good.n, #files.n, good.i))
    return nil, true
  end)

  -- Calls `judge` with what the reader says to each file; returns the
  -- names of those it does not like.
  local function wrong(letter, judge)
    local names = {}
    for _, path in ipairs(files[letter]) do
      local value, reason, offset = core.json_decode(read(path))
      if judge(value, reason, offset) then
        good[letter] = good[letter] + 1
      else
        names[#names + 1] = path:match "[^/]*$"
      end
    end
    return names
  end

  local function is_refusal(value, reason, offset)
    return value == nil and type(reason) == "string"
      and type(offset) == "number"
  end

  local function is_value(value, reason)
    return value ~= nil and reason == nil
  end

  it("has the files its first release had", function()
    assert.is_true(#files.y >= 95 and #files.n >= 188 and #files.i >= 35)
  end)

  it("has every y_ read", function()
    assert.same({}, wrong("y", is_value))
  end)

  it("has every n_ refused", function()
    assert.same({}, wrong("n", is_refusal))
  end)

  it("has every i_ read or refused", function()
    assert.same({}, wrong("i", function(...)
      return is_value(...) or is_refusal(...)
    end))
  end)

  it("has what was read written so that it reads the same", function()
    for _, letter in ipairs { "y", "i" } do
      for _, path in ipairs(files[letter]) do
        local value = core.json_decode(read(path))
        if value ~= nil then
          local text = assert(core.json_encode(value))
          assert.same(value, (core.json_decode(text)))
        end
      end
    end
  end)
end)
