-- memory_spec.lua: documents of any size pass through memory of one size, and
-- so do lists of any length.
-- spec/soak/memory_soak.lua has the same with a gibibyte.

require "spec.support.measure".specs(128, 40)

describe("what is known of an answer without a body", function()
  it("is its headers, whatever came before in the same memory", function()
    local output = require "spec.helper".run [[
      local service = assert(require "signicat.sandbox".start())
      assert(service:seed { sessions = 40 })
      local sign, kept = assert(service:client()), {}
      local function resident()
        collectgarbage()
        for line in io.lines "/proc/self/status" do
          local kib = line:match "VmRSS:%s+(%d+)"
          if kib then return tonumber(kib) end
        end
      end
      local before
      for i = 0, 200 do
        local document = assert(sign.documents:upload { content = "x",
          type = "text/plain" })
        assert(sign.sessions:list { limit = 40 })
        kept[i] = select(2, assert(sign.documents:delete(document)))
        if i == 0 then before = resident() end
      end
      print((resident() - before) / 200)
      service:stop()]]
    assert.is_true((assert(tonumber(output), output)) < 6)
  end)
end)
