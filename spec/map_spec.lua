-- map_spec.lua: a function called for each item of a list, a few at a time.

local sandbox = require "signicat.sandbox"

describe("map", function()
  local service, sign
  setup(function()
    service = assert(sandbox.start())
    sign = assert(service:client())
  end)
  teardown(function()
    sign:close()
    service:stop()
  end)

  it("gives results and errors at their items' places", function()
    local results, errors = sign:map({ "a", "b", "c", "d" }, function(item, i)
      if item == "b" then return nil, "no b" end
      if item == "c" then error("raised c", 0) end
      return item .. i
    end)
    assert.same({ [1] = "a1", [4] = "d4" }, results)
    assert.same({ [2] = "no b", [3] = "raised c" }, errors)
    assert.same({ [1] = "nil was raised", [2] = "false was raised" },
      (select(2, sign:map({ 1, 2 }, function(i)
        if i == 1 then error() end
        error(false)
      end))))
    assert.same({ { "x" }, nil },
      { sign:map({ "x" }, function(x) return x end) })
    assert.same({}, (sign:map({}, error)))
  end)

  it("has no more under way than its limit", function()
    local now, most = 0, 0
    local ids = sign:map({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, function(i)
      now = now + 1
      most = math.max(most, now)
      local document, err = sign.documents:upload {
        content = tostring(i), type = "text/plain" }
      now = now - 1
      return document, err
    end, { limit = 3 })
    assert.equal(10, #ids)
    assert.equal(3, most)
  end)

  it("works inside of a task", function()
    local task = sign:async(function()
      return sign:map({ 1, 2, 3 }, function(i)
        return sign.documents:upload { content = tostring(i),
                                       type = "text/plain" }
      end)
    end)
    assert.equal(3, #task:wait())
  end)

  it("begins nothing where nobody could wait for it", function()
    local begun = 0
    local function map()
      return sign:map({ 1, 2 }, function() begun = begun + 1 end)
    end
    local function told(fn)
      local task = sign:async(function() return select(2, pcall(fn)) end)
      local words = task:wait()
      sign:run()
      return words
    end
    assert.matches("attempt to yield", told(function()
      ("x"):gsub("x", map)
    end), 1, true)
    assert.matches("a coroutine of your own", told(coroutine.wrap(map)), 1,
      true)
    assert.equal(0, begun)
  end)

  it("refuses what is no list, no function or no limit", function()
    for _, call in ipairs {
      function() sign:map(7, print) end, function() sign:map({}, 7) end,
      function() sign:map({}, print, { limit = 0 }) end } do
      assert.has_error(call)
    end
  end)
end)
