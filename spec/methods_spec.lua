-- methods_spec.lua: what is said to who calls a method with a dot.

local sandbox = require "signicat.sandbox"
local signicat = require "signicat"

describe("a method that is called with a dot", function()
  local objects

  setup(function()
    objects = { client = assert(signicat.new { token = "t" }),
                sandbox = assert(sandbox.start()) }
  end)
  teardown(function()
    objects.client:close()
    objects.sandbox:stop()
  end)

  -- Whose it is, its name, and what is given to it.
  for _, case in ipairs {
    { "client", "sign", { file = "lease.pdf", title = "x" } },
    { "client", "request", "GET" }, { "client", "with", {} },
    { "client", "async", print }, { "client", "step", 0.1 },
    { "client", "close" }, { "sandbox", "client" }, { "sandbox", "sign", {} },
  } do
    local owner, name = case[1], case[2]
    it("says so: " .. owner .. "." .. name, function()
      local ok, message = pcall(function()
        return (objects[owner][name](case[3]))
      end)
      assert.is_false(ok)
      assert.matches(("methods_spec%%.lua:%%d+: %s:%s is a method: call it "
        .. "with a colon"):format(owner, name), message)
    end)
  end
end)
