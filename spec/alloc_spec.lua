-- Memory that ends, at every point of every JSON operation in turn. The host
-- is spec/alloc/alloc_host.c; what it calls is in spec/alloc/cases.lua.

local host = os.getenv "SIGNICAT_ALLOC_HOST" or "build/5.4/spec/alloc_host"

-- The host finds the modules where we do.
local function run(case)
  local command = string.format(
    "LUA_PATH='%s' LUA_CPATH='%s' '%s' spec/alloc/cases.lua %s 2>&1",
    package.path, package.cpath, host, case)
  local pipe = assert(io.popen(command))
  local output = pipe:read "*a"
  pipe:close()
  local positions, raised, leaked =
    output:match "^positions=(%d+) raised=(%d+) leaked=(%d+)\n$"
  assert(positions, output)
  return tonumber(positions), tonumber(raised), tonumber(leaked)
end

describe("with an allocator that fails from the n-th request on", function()
  local least = {
    decode = 100, decode_refused = 5, access = 50, access_page = 50,
    access_refused = 10, validate = 10, encode = 8,
    encode_refused = 8,
  }
  for case, at_least in pairs(least) do
    it(case .. " raises and leaks nothing, whatever n", function()
      local positions, raised, leaked = run(case)
      assert.is_true(positions >= at_least)
      assert.is_true(raised >= 0.95 * positions)
      assert.equal(0, leaked)
    end)
  end
end)
