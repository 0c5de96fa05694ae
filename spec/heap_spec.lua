-- heap_spec.lua: the order in which a heap gives back what was put into it.

local heap = require "signicat.heap"

-- The first value, which is in it no more.
local function take(all)
  local _, value = all:first()
  if value then all:remove(value) end
  return value
end

describe("a heap", function()
  it("gives its values in the order of their keys", function()
    math.randomseed(7)
    for size = 0, 40 do
      local all, keys = heap.new(), {}
      for i = 1, size do
        keys[i] = math.random(20)
        all:add(keys[i], { key = keys[i] })
      end
      table.sort(keys)
      for i = 1, size do
        assert.equal(keys[i], all:first())
        assert.equal(keys[i], take(all).key)
      end
      assert.same({ nil, nil, 0 }, { all:first(), take(all), all.count })
    end
  end)

  it("lets any of them go, and keeps the order of the rest", function()
    math.randomseed(8)
    for size = 1, 40 do
      local all, values = heap.new(), {}
      for i = 1, size do
        values[i] = { key = math.random(20) }
        all:add(values[i].key, values[i])
      end
      local keys = {}
      for i, value in ipairs(values) do
        if i % 3 == 0 then
          all:remove(value)
        else
          keys[#keys + 1] = value.key
        end
      end
      all:remove(values[3] or {}) -- not there any more
      table.sort(keys)
      assert.equal(#keys, all.count)
      for _, key in ipairs(keys) do assert.equal(key, take(all).key) end
      assert.equal(nil, next(all.places))
    end
  end)
end)
