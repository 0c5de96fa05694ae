-- idset_spec.lua: a set of ids takes each once, however many, in little room.

local core = require "signicat.core"

local ZERO = "00000000-0000-0000-0000-000000000000"

local function id_of(n)
  return ("0197e3d2-%04x-7000-8000-0000%08x"):format(n % 65536, n)
end

describe("a set of ids", function()
  it("has each id once, in either case", function()
    local set = core.idset()
    assert.is_true(set:add "0197e3d2-0c6e-7b0a-9b7e-1f2d3c4b5a69")
    assert.is_false(set:add "0197e3d2-0c6e-7b0a-9b7e-1f2d3c4b5a69")
    assert.is_false(set:add "0197E3D2-0C6E-7B0A-9B7E-1F2D3C4B5A69")
    assert.is_true(set:add "0197e3d2-0c6e-7b0a-9b7e-1f2d3c4b5a6a")
    assert.is_true(set:add "1197e3d2-0c6e-7b0a-9b7e-1f2d3c4b5a69")
  end)

  it("has the id of zeros, too", function()
    local set = core.idset()
    assert.is_true(set:add(ZERO))
    assert.is_false(set:add(ZERO))
  end)

  it("says what it has, and takes nothing by that", function()
    local set = core.idset()
    assert.is_false(set:has(ZERO))
    assert.is_false(set:has(id_of(1)))
    for n = 1, 300 do assert.is_true(set:add(id_of(n))) end
    assert.is_false(set:has(ZERO))
    assert.is_false(set:has "x")
    assert.is_false(set:has())
    for n = 1, 600 do assert.equal(n <= 300, set:has(id_of(n))) end
    set:add(ZERO)
    assert.is_true(set:has(ZERO))
  end)

  it("knows nothing of another", function()
    local one, other = core.idset(), core.idset()
    assert.is_true(one:add(ZERO))
    assert.is_true(other:add(ZERO))
  end)

  it("grows", function()
    local set = core.idset()
    for n = 1, 20000 do assert.is_true(set:add(id_of(n))) end
    for n = 1, 20000 do assert.is_false(set:add(id_of(n))) end
  end)

  it("takes at most 32 bytes an id with room to grow", function()
    collectgarbage()
    collectgarbage()
    local set, before = core.idset(), collectgarbage "count"
    for n = 1, 98000 do set:add(id_of(n)) end
    collectgarbage()
    collectgarbage()
    assert.is_true((collectgarbage "count" - before) * 1024 < 98000 * 32)
    assert.is_true(set:add(ZERO))
  end)

  it("says nothing of what is no id", function()
    local set = core.idset()
    for _, other in ipairs { "", "x", 7, true, {}, ZERO .. "0",
                             ZERO:gsub("%-", "") } do
      assert.is_nil((set:add(other)))
    end
    assert.is_nil((set:add()))
  end)

  it("raises for another object", function()
    assert.is_false((pcall(core.idset().add, io.stdout, ZERO)))
    assert.is_false((pcall(core.idset().add, {}, ZERO)))
  end)

  it("outlives a collector that is busy", function()
    local set = core.idset()
    for n = 1, 2000 do
      assert.is_true(set:add(id_of(n)))
      if n % 100 == 0 then collectgarbage() end
    end
    for n = 1, 2000 do assert.is_false(set:add(id_of(n))) end
  end)
end)
