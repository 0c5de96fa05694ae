-- redis_examples_spec.lua: the examples and the lines to copy of
-- docs/redis.md that want a Redis, with one.

local helper = require "spec.helper"
local servers = require "spec.support.redis"

describe("the examples for Redis", function()
  local server

  setup(function() server = servers.start() end)
  teardown(function() server:stop() end)

  local function run(name)
    return helper.run(("arg = { %q }; dofile %q; dofile 'examples/%s.lua'")
      :format(server.address, "spec/support/loopback.lua", name),
      "env -u SIGNICAT_LIVE")
  end

  it("hand in a job once, do it, and tell how it stands", function()
    assert.equal("lease-17\thanded in\nstate\tqueued\t\n",
      run "redis_producer")
    assert.equal("lease-17\twas handed in before\nstate\tqueued\t\n",
      run "redis_producer")
    assert.equal("lease-17\tdone\t\n", run "redis_worker")
    assert.matches("^lease%-17\twas handed in before\nstate\tdone"
      .. "\t%x+%-%x+%-%x+%-%x+%-%x+\n$", run "redis_producer")
  end)

  it("are short and say first where they run", function()
    for _, name in ipairs { "redis_producer", "redis_worker" } do
      local text = helper.read("examples/" .. name .. ".lua")
      local _, lines = text:gsub("\n", "")
      assert.is_true(lines < 40, name)
      assert.truthy(text:match "^(%-%- [^\n]*\n%-%- [^\n]*)"
        :find("SIGNICAT_LIVE", 1, true), name)
    end
  end)
end)
