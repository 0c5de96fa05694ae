-- memory_soak.lua: a gibibyte each way and 200 pages; spec/memory_spec.lua has
-- less. Takes two minutes, and a gibibyte of the disk.

local measure = require "spec.support.measure"

describe("1 GiB", function()
  for _, way in ipairs { "upload", "download", "reader", "writer" } do
    it("adds at most 2 MiB of memory: " .. way, function()
      local grown = measure.peak(way, 2 ^ 30)
      assert.is_true(grown <= 2048, grown .. " KiB")
    end)
  end
end)

describe("200 pages", function()
  for _, way in ipairs { "next", "each" } do
    it("take less than five times the memory of one: " .. way, function()
      local all, one = measure.pages(way, 200), measure.pages("one", 1)
      assert.is_true(all < 5 * one, ("%d KiB to %d"):format(all, one))
    end)
  end
end)
