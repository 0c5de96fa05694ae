-- Memory that ends: at every point of every JSON operation, and at some points
-- of the rest. The host is spec/alloc/alloc_host.c; what it calls is in
-- spec/alloc/cases.lua and calls.lua. `make oom` tries every point of all.

local oom = require "spec.support.oom"

local function check(file, case, mode, first, step)
  local counts, output = oom.run(file, case, mode, first, step)
  assert(counts, output)
  assert.is_nil(oom.fault(mode, counts), output)
  return counts
end

describe("with an allocator that fails from the n-th request on", function()
  local least = {
    decode = 100, decode_refused = 5, access = 50, access_page = 50,
    access_refused = 10, validate = 10, encode = 8,
    encode_refused = 8,
  }
  for case, at_least in pairs(least) do
    it(case .. " raises and leaks nothing, whatever n", function()
      assert.is_true(check("cases", case, "lua").positions >= at_least)
    end)
  end
end)

-- The same on every Lua, so those do that differ most.
if _VERSION ~= "Lua 5.4" and (_VERSION ~= "Lua 5.1" or rawget(_G, "jit")) then
  return
end

describe("with an allocator that fails from some request on", function()
  it("a call's error surfaces, nothing is left and the client goes on",
    function()
      for _, case in ipairs { "get_session", "upload_file", "download_file",
          "tasks", "task_download_file" } do
        assert.is_true(check("calls", case, "lua", 3, 7).positions > 0)
      end
    end)
end)

describe("where malloc fails", function()
  it("a call returns an error of the kind memory, and leaves nothing",
    function()
      for _, case in ipairs { "client", "download_file", "task_each" } do
        assert.is_true(check("calls", case, "ours").positions >= 4)
      end
    end)

  it("once, no request goes without one of its headers", function()
    for _, case in ipairs { "get_session", "upload" } do
      assert.is_true(check("calls", case, "ours-once").positions >= 4)
    end
  end)
end)

describe("where libcurl's allocator fails", function()
  it("a call returns an error, leaves nothing and does no other request",
    function()
      for _, case in ipairs { "client", "delete_session", "tasks_token" } do
        local mode = case == "client" and "curl" or "curl-once"
        assert.is_true(check("calls", case, mode, 2, 3).positions > 20)
      end
    end)
end)
