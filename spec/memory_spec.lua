-- memory_spec.lua: documents of any size pass through memory of one size.
-- spec/soak/memory_soak.lua has the same with a gibibyte.

local measure = require "spec.support.measure"

describe("128 MiB", function()
  for _, way in ipairs { "upload", "download", "reader", "writer" } do
    it("add at most 2 MiB of memory: " .. way, function()
      local grown = measure.peak(way, 128 * 2 ^ 20)
      assert.is_true(grown <= 2048, grown .. " KiB")
    end)
  end
end)
