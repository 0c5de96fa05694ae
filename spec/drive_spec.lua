-- drive_spec.lua: lua/signicat/loop: a client's tasks in real loops of luv and
-- cqueues, among timers and coroutines of theirs.

local core = require "signicat.core"
local cqueues = require "spec.support.cqueues"
local helper = require "spec.helper"
local lfs = require "lfs"
local sandbox = require "signicat.sandbox"
local uv = require "luv"

local TICK = 0.002 -- seconds

-- What a program does with each loop.
local hosts = {}

function hosts.luv()
  local host = { attach = require "signicat.loop.luv".attach, run = uv.run }
  -- Calls a function over and over until it returns true.
  function host.every(fn)
    local timer = uv.new_timer()
    timer:start(0, TICK * 1000, function()
      if fn() then timer:close() end
    end)
  end
  -- What there is in the loop.
  function host.count()
    local count = 0
    uv.walk(function() count = count + 1 end)
    return count
  end
  return host
end

function hosts.cqueues()
  local controller = cqueues.new()
  local host = {}
  function host.attach(client)
    return require "signicat.loop.cqueues".attach(client, controller)
  end
  function host.run() assert(controller:loop()) end
  function host.every(fn)
    controller:wrap(function()
      while not fn() do cqueues.sleep(TICK) end
    end)
  end
  function host.count() return controller:count() end
  return host
end

local function descriptors()
  local count = 0
  for _ in lfs.dir "/proc/self/fd" do count = count + 1 end
  return count
end

local service, go_on
setup(function()
  service = assert(sandbox.start())
  assert(service:seed { sessions = 3 })
end)
teardown(function() service:stop() end)

-- Has the service answer nothing until it is released.
local function hold() go_on = helper.hold(service.process) end
local function release()
  if go_on then go_on() end
  go_on = nil
end

for name, new_host in pairs(hosts) do
  describe("in a loop of " .. name, function()
    local host, sign, drive, steps

    before_each(function()
      host, sign, steps = new_host(), assert(service:client()), 0
      assert(sign.sessions:list()) -- fetches the token
      function sign:step(budget)
        steps = steps + 1
        return getmetatable(self).__index.step(self, budget)
      end
      drive = host.attach(sign)
    end)
    after_each(function()
      release()
      service:clear_faults()
      sign:close()
      host.run()
      assert.equal(0, host.count())
    end)

    local function slow(milliseconds)
      assert(service:faults { { operation = "listSigningSessions",
        fault = "slow", milliseconds = milliseconds, times = 100 } })
    end

    -- Runs the loop, with a clock of its own ticking until `fn(tick)` says so.
    local function run(fn)
      local tick = 0
      host.every(function()
        tick = tick + 1
        return fn(tick)
      end)
      host.run()
      return tick
    end

    it("calls go on while the loop does, which ends with the last", function()
      hold()
      local order, begun, done = {}, 0, 0
      for i = 1, 3 do
        sign:async(function()
          order[#order + 1] = "begin"
          begun = begun + 1
          local page, err = sign.sessions:list { limit = i }
          order[#order + 1] = page and #page.data == i and "end" or err
          done = done + 1
        end)
      end
      run(function()
        if order[#order] ~= "tick" then order[#order + 1] = "tick" end
        if begun == 3 then release() end
        return done == 3
      end)
      local said = table.concat(order, " "):gsub("^tick ", "")
      assert.matches("begin tick end .*end", said)
      assert.equal(0, sign:step())
    end)

    it("a step is taken when there is something to do, and only then",
      function()
        slow(500)
        local done = 0
        sign:async(function()
          assert(sign.sessions:list())
          done = done + 1
        end)
        sign:async(function()
          local session = helper.session
          -- What it waits for is not there.
          local _, err = sign.sessions:wait(session)
          assert.equal("not_found", err.kind)
          done = done + 1
        end)
        local pause = sign:async(function()
          sign.sleep(0.5)
          done = done + 1
        end)
        local at
        run(function(tick)
          if tick == 50 then at = steps end
          return pause:done() and done == 3
        end)
        assert.equal(3, done)
        -- From the 50th tick on nothing happens until the ends come.
        at = at or steps
        assert.is_true(steps - at < 12, steps - at .. " steps")
        assert.is_true(steps < 50, steps .. " steps")
      end)

    it("nothing is done when there is no task", function()
      run(function(tick) return tick == 20 end)
      assert.equal(0, steps)
    end)

    it("a task may be started at any time, by any callback", function()
      local seen = {}
      local function begin(what)
        sign:async(function()
          seen[#seen + 1] = #assert(sign.sessions:list()).data .. what
        end)
      end
      begin "a"
      host.run()
      run(function(tick)
        if tick == 5 then begin "b" end
        return tick == 9
      end)
      sign:async(function()
        begin "c"
      end)
      host.run()
      assert.same({ "3a", "3b", "3c" }, seen)
    end)

    it("a step cut short is gone on with in the loop's next turn", function()
      local ticks, done, at_end = 0, 0, nil
      for _ = 1, 40 do
        sign:async(function()
          core.sleep(0.001)
          done = done + 1
          if done == 40 then at_end = ticks end
        end)
      end
      run(function(tick)
        ticks = tick
        return at_end
      end)
      assert.is_true(at_end >= 3, at_end .. " ticks")
      assert.is_true(steps >= 3 and steps <= 42, steps .. " steps")
    end)

    it("documents pass through in both directions", function()
      local bytes = ("A line of text.\n"):rep(300000)
      local back
      sign:async(function()
        local document = assert(sign.documents:upload {
          content = bytes, type = "text/plain" })
        back = assert(sign.documents:download(document))
      end)
      host.run()
      assert.is_true(bytes == back)
    end)

    it("cancelling wakes it, and ends what was under way", function()
      slow(60000)
      local task = sign:async(function() return sign.sessions:list() end)
      local never = sign:async(function() return 1 end)
      never:cancel()
      run(function(tick)
        if tick == 20 then task:cancel() end
        return tick == 20
      end)
      assert.is_true(task:done())
      assert.equal("cancelled", select(2, task:wait()).kind)
      assert.equal("cancelled", select(2, never:wait()).kind)
    end)

    it("a callback that blocks loses no task", function()
      slow(100)
      local values = {}
      local task = sign:async(function()
        sign.sleep(0.02)
        values[1] = #assert(sign.sessions:list()).data
      end)
      run(function()
        values[2] = #assert(sign.sessions:list()).data
        return true
      end)
      assert.is_true(task:done())
      assert.same({ 3, 3 }, values)
    end)

    it("closing the client ends all, also from a callback", function()
      slow(60000)
      local task = sign:async(function() return sign.sessions:list() end)
      run(function(tick)
        if tick == 20 then sign:close() end
        return tick == 20
      end)
      assert.equal("cancelled", select(2, task:wait()).kind)
    end)

    it("stopping leaves nothing, and tasks to whoever steps", function()
      hold()
      local before = descriptors()
      local task = sign:async(function() return sign.sessions:list() end)
      run(function(tick)
        if tick == 3 then drive:stop() end
        return tick == 3
      end)
      drive:stop()
      assert.equal(0, host.count())
      assert.is_false(task:done())
      release()
      sign:run()
      assert.is_true(task:done())
      drive = host.attach(sign)
      task = sign:async(function() return sign.sessions:list() end)
      host.run()
      assert.is_true(task:done())
      -- The second connection, which a task made, is kept.
      assert.is_true(descriptors() <= before + 1)
    end)

    it("a task may stop it", function()
      local task = sign:async(function() drive:stop() end)
      host.run()
      assert.is_true(task:done())
      assert.equal(0, host.count())
    end)

    it("no closed client is driven", function()
      local closed = assert(service:client())
      closed:close()
      assert.error_matches(function() host.attach(closed) end,
        "this client is closed")
      assert.error_matches(function() host.attach() end,
        "attach takes a client, not a nil")
    end)

    it("a client is in one loop at a time", function()
      assert.error_matches(function() host.attach(sign) end,
        "attached already")
    end)

    it("children of the client come with it", function()
      local child = sign:with { timeout = 20 }
      local task = child:async(function() return child.sessions:list() end)
      host.run()
      assert.is_true(task:done())
    end)
  end)
end

describe("an error that nobody waits for", function()
  local BEGIN = [[
    local sign = assert(require "signicat".new { token = "t" })
    sign:async(function() error("torn", 0) end)
  ]]

  it("is one of luv's callback, which ends a program", function()
    local said = helper.run(BEGIN .. [[
      require "signicat.loop.luv".attach(sign)
      require "luv".run()
      print "went on"
    ]])
    assert.matches("torn", said, 1, true)
    assert.falsy(said:find("went on", 1, true))
  end)

  it("is one of cqueues' loop, which can go on", function()
    local said = helper.run(BEGIN .. [[
      local loop = require "cqueues".new()
      require "signicat.loop.cqueues".attach(sign, loop)
      print((select(2, loop:loop())))
      sign:async(function() print "went on" end)
      print(loop:loop())
    ]])
    assert.equal("torn\nwent on\ntrue\n", said)
  end)
end)

describe("in a coroutine of cqueues", function()
  local sign
  before_each(function() sign = assert(service:client()) end)
  after_each(function()
    release()
    sign:close()
  end)

  local function run(fn)
    local controller = cqueues.new()
    controller:wrap(function()
      fn(require "signicat.loop.cqueues".attach(sign))
    end)
    assert(controller:loop())
    assert.equal(0, controller:count())
  end

  it("a task is waited for while others run", function()
    local order = {}
    run(function(drive)
      assert(sign:warm()) -- a token
      hold()
      local late = sign:async(function() return sign.sessions:list(), 7 end)
      local early = sign:async(function() return 1, nil, 3 end)
      cqueues.running():wrap(function()
        local page, more = drive:wait(late)
        order[#order + 1] = #page.data + more
      end)
      assert.same({ 1, nil, 3 }, { drive:wait(early) })
      order[#order + 1] = "early"
      cqueues.sleep(0)
      order[#order + 1] = "others"
      release()
    end)
    assert.same({ "early", "others", 10 }, order)
  end)

  it("what a task raised is raised for whoever waits, and not again",
    function()
      local controller = cqueues.new()
      controller:wrap(function()
        local drive = require "signicat.loop.cqueues".attach(sign)
        drive:wait(sign:async(function() error("torn", 0) end))
      end)
      local _, why = controller:loop()
      assert.equal("torn", why)
      assert.is_true(controller:loop())
    end)

  it("there has to be one, or a loop is named", function()
    assert.error_matches(function()
      require "signicat.loop.cqueues".attach(sign)
    end, "attach takes a loop")
  end)

  it("waiting ends when the client is closed", function()
    local err
    run(function(drive)
      assert(service:faults { { operation = "listSigningSessions",
        fault = "slow", milliseconds = 60000 } })
      local task = sign:async(function() return sign.sessions:list() end)
      cqueues.running():wrap(function()
        cqueues.sleep(0.05)
        sign:close()
      end)
      err = select(2, drive:wait(task))
    end)
    assert.equal("cancelled", err.kind)
    service:clear_faults()
  end)
end)
