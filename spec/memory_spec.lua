-- memory_spec.lua: documents of any size pass through memory of one size, and
-- so do lists of any length.
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

describe("40 pages", function()
  for _, way in ipairs { "next", "each" } do
    it("take less than five times the memory of one: " .. way, function()
      local all, one = measure.pages(way, 40), measure.pages("one", 1)
      assert.is_true(all < 5 * one, ("%d KiB to %d"):format(all, one))
    end)
  end
end)
