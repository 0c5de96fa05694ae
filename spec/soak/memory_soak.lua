-- memory_soak.lua: a gibibyte each way, as spec/memory_spec.lua does with
-- less. Takes half a minute and as much of the disk.

local measure = require "spec.support.measure"

describe("1 GiB", function()
  for _, way in ipairs { "upload", "download", "reader", "writer" } do
    it("adds at most 2 MiB of memory: " .. way, function()
      local grown = measure.peak(way, 2 ^ 30)
      assert.is_true(grown <= 2048, grown .. " KiB")
    end)
  end
end)
