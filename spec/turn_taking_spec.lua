-- turn_taking_spec.lua: which task goes on when, and how much one step or turn
-- of the loop does.

local core = require "signicat.core"
local helper = require "spec.helper"
local sandbox = require "signicat.sandbox"
local signicat = require "signicat"
local socket = require "socket"

local ID = helper.session

-- Waits until what was sent on a connection is there for its other end.
local function await_arrival(connection)
  local _, port = connection:getsockname()
  local _, peer = connection:getpeername()
  local line = (":%04X %%x+:%04X %%x+ %%x+:(%%x+)"):format(peer, port)
  repeat
    local waiting = helper.read("/proc/net/tcp"):match(line)
  until tonumber(waiting, 16) > 0
end

describe("a task among others", function()
  local service, sign

  setup(function()
    service = assert(sandbox.start())
    assert(service:seed { sessions = 120 })
  end)
  before_each(function() sign = assert(service:client()) end)
  after_each(function()
    service:clear_faults()
    sign:close()
  end)
  teardown(function() service:stop() end)

  it("is not held up by the first call of another that gets no answer",
    function()
      assert(service:faults { { operation = "listSigningSessions",
                                fault = "stall" } })
      local stranger = assert(signicat.new { token = "nobodys",
        base_url = service.url .. "/sign", retries = 0 })
      local first = stranger:async(function()
        return stranger.sessions:list()
      end)
      local second = stranger:async(function()
        return stranger.sessions:get(ID, { timeout = 20 })
      end)
      local _, err = second:wait()
      assert.equal("auth", err.kind)
      assert.is_false(first:done())
      stranger:close()
    end)

  it("that was there first has its call begun first", function()
    assert(service:faults { { operation = "listSigningSessions",
                              fault = "stall", times = 100 } })
    local list = {}
    local function begun()
      local count = 0
      for _, task in ipairs(list) do count = count + task.open end
      return count
    end
    assert(sign.sessions:get(ID) == nil) -- the token is there
    for i = 1, 20 do
      list[i] = sign:async(function() return sign.sessions:list() end)
    end
    repeat sign:step() until begun() > 0
    local first = begun()
    assert.is_true(first < 20)
    local late = sign:async(function() return sign.sessions:list() end)
    for _ = 1, 100 do
      sign:step()
      assert.is_true(begun() == 20 or late.open == 0)
    end
    assert.equal(20, begun())
    assert.equal(1, late.open)
  end)

  it("starts eight transfers in a step, not more", function()
    local most, before = 0, 0
    -- The token, before there are tasks: a wait of the main program's steps
    -- them without that limit.
    sign.sessions:get(ID)
    for _ = 1, 30 do sign:async(function() sign.sessions:list() end) end
    assert(service:faults { { operation = "listSigningSessions", times = 30,
      fault = "slow", milliseconds = 60000 } })
    repeat
      sign:step()
      local started = 0
      for _, task in ipairs(sign.transport.loop.tasks) do
        if task.waits_for then started = started + 1 end
      end
      most, before = math.max(most, started - before), started
    until started == 30
    assert.equal(8, most)
  end)

  it("lets others go on in a pause of no time", function()
    local order = {}
    for _, name in ipairs { "a", "b" } do
      sign:async(function()
        for i = 1, 2 do
          order[#order + 1] = name .. i
          sign.sleep(0)
        end
      end)
    end
    sign:run()
    assert.equal("a1 b1 a2 b2", table.concat(order, " "))
    assert.has_error(function() sign.sleep "long" end)
  end)

  it("makes its call in a step before those that come later", function()
    sign.sessions:get(ID) -- the token is there
    local list = {}
    local function call() assert(sign.sessions:list { limit = 1 }) end
    for i = 1, 30 do list[i] = sign:async(call) end
    for step = 1, 4 do
      for _ = 1, 8 do sign:async(call) end
      sign:step()
      local begun = 0
      for _, task in ipairs(list) do
        if task.open > 0 or task:done() then begun = begun + 1 end
      end
      assert.equal(math.min(8 * step, 30), begun)
    end
    sign:run()
  end)

  for how, pause in pairs {
    ["yields"] = function() coroutine.yield() end,
    ["pauses for no time"] = function() sign.sleep(0) end,
  } do
    it("that " .. how .. " for ever holds up no call", function()
      local ends, over = core.now() + 20, false
      sign:async(function()
        while not over and core.now() < ends do pause() end
      end)
      sign:async(function()
        assert(sign.sessions:list { limit = 1 })
        over = true
      end)
      while not over and core.now() < ends do
        sign.transport.loop:turn(1)
      end
      assert.is_true(core.now() < ends)
    end)

    it("that " .. how .. " for ever holds up no step", function()
      local goes, over = 0, false
      local task = sign:async(function()
        repeat
          goes = goes + 1
          pause()
        until over
      end)
      for i = 1, 5 do
        assert.equal(1, sign:step())
        assert.equal(i, goes)
        assert.equal(0, sign:timeout())
      end
      assert(sign.sessions:list { limit = 1 })
      over = true
      task:wait()
    end)
  end

  it("lets others go on when it yields by itself", function()
    local order = {}
    for name in ("ab"):gmatch "." do
      sign:async(function()
        for i = 1, 3 do
          order[#order + 1] = name .. i
          coroutine.yield(i)
        end
      end)
    end
    sign:run()
    assert.same({ "a1", "b1", "a2", "b2", "a3", "b3" }, order)
  end)

  for what, wanted in pairs {
    ["no other"] = { 1, 2, 3, 4, 5, 6 },
    ["one that waits for them"] = { 1, "woken" },
  } do
    it("goes on in one turn with all whose answers are there, and " .. what,
      function()
        local listener = assert(socket.bind("127.0.0.1", 0, 6))
        listener:settimeout(0.01)
        local own = assert(signicat.new { token = "t", timeout = 600,
          base_url = "http://127.0.0.1:" .. select(2, listener:getsockname()) })
        local loop, order, list, asked = own.transport.loop, {}, {}, {}
        for i = 1, 6 do
          list[i] = own:async(function()
            assert(own.sessions:delete(ID))
            order[#order + 1] = #order + 1
          end)
        end
        for i = 1, #wanted == 2 and 6 or 0 do
          own:async(function()
            list[i]:wait()
            if order[2] then return end
            order[#order + 1] = "woken"
          end)
        end
        for i = 1, 6 do
          local line
          repeat
            own:step()
            asked[i] = asked[i] or listener:accept()
            if asked[i] then
              asked[i]:settimeout(0.01)
              line = asked[i]:receive "*l"
            end
          until line == ""
        end
        for i = 1, 6 do
          asked[i]:send "HTTP/1.1 204 Done\r\n\r\n"
          await_arrival(asked[i])
        end
        loop:turn(60) -- which ends with the first that goes on
        assert.same(wanted, order)
        own:run()
        own:close()
        for i = 1, 6 do asked[i]:close() end
        listener:close()
      end)
  end
end)
