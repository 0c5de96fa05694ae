-- tasks_spec.lua: many calls under way at once on one thread, on a real
-- service.

local core = require "signicat.core"
local gateway = require "spec.support.gateway"
local helper = require "spec.helper"
local sandbox = require "signicat.sandbox"

local ID = helper.session

local function is_plain_51()
  return _VERSION == "Lua 5.1" and not rawget(_G, "jit")
end

describe("a task", function()
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

  it("returns to whoever waits what its function returned", function()
    local task = sign:async(function(...) return ... end, 1, nil, "x", nil)
    assert.is_false(task:done())
    local function pack(...) return { n = select("#", ...), ... } end
    assert.same({ n = 4, 1, nil, "x", nil }, pack(task:wait()))
    assert.is_true(task:done())
    assert.same({ n = 4, 1, nil, "x", nil }, pack(task:wait()))
  end)

  it("is refused for what is no function, a step for what is no time",
    function()
      assert.has_error(function() sign:async(7) end)
      assert.has_error(function() sign:step "x" end)
    end)

  it("that raised is kept for a run, but not all of those of a long day",
    function()
      local kept = setmetatable({}, { __mode = "k" })
      local function raise(i, is_claimed)
        local task = sign:async(function() error("task " .. i, 0) end)
        kept[task] = true
        assert.equal(0, sign:step())
        if is_claimed then assert.is_false(pcall(task.wait, task)) end
      end
      for i = 1, 1000 do raise(i, i ~= 7) end
      collectgarbage()
      collectgarbage()
      local count = 0
      for _ in pairs(kept) do count = count + 1 end
      assert.is_true(count < 10)
      for i = 1, 1000 do raise(i) end
      assert.has_error(function() sign:run() end, "task 7")
      for i = 1, 99 do
        assert.has_error(function() sign:run() end, "task " .. i)
      end
      sign:run()
    end)

  it("can be started, and goes on, wherever a host's limit struck", function()
    local function act()
      sign.sleep(0)
      coroutine.yield()
    end
    local function step(limit)
      pcall(function()
        debug.sethook(function()
          debug.sethook()
          error "the limit"
        end, "", limit)
        sign:step(0)
        sign:step(0)
        debug.sethook()
      end)
      debug.sethook()
    end
    for limit = 1, 1200 do
      for _ = 1, 3 do
        sign:async(act)
        step(limit)
      end
      local left = 0
      for _ = 1, 50 do
        left = sign:step(0)
        if left == 0 then break end
      end
      assert.equal(0, left)
    end
  end)

  it("that would sleep for no time that there is raises", function()
    for _, time in ipairs { 0 / 0, "1", {} } do
      local task = sign:async(function() sign.sleep(time) end)
      assert.equal(0, sign:step())
      assert.is_false(pcall(task.wait, task))
      assert.is_false(pcall(sign.sleep, time))
    end
  end)

  it("begins with the first step, not before", function()
    local begun = false
    sign:async(function() begun = true end)
    assert.is_false(begun)
    assert.equal(0, sign:step())
    assert.is_true(begun)
  end)

  it("raises for whoever waits what its function raised", function()
    local reason = { "an object" }
    local task = sign:async(function() error(reason) end)
    local ok, raised = pcall(task.wait, task)
    assert.same({ false, true }, { ok, raised == reason })
    sign:async(function() error("unseen", 0) end)
    assert.equal(0, sign:step())
    assert.has_error(function() sign:run() end, "unseen")
    sign:run()
  end)

  -- LuaJIT's compiled code gives way to each collection, and may then come no
  -- further. In a process of its own, where a collection is little.
  if not rawget(_G, "jit") then
    it("has what it returned when a finalizer calls just then", function()
      assert.equal("1 2 3 1 2 3 true", helper.run(([[
        local sign = assert(require "signicat".new { base_url = "%s/sign",
          client_id = "%s", client_secret = "%s" })
        local sessions, calls = sign.sessions, 0
        local function call()
          local ok, page = pcall(sessions.list, sessions, { limit = 1 })
          if ok and page then calls = calls + 1 end
        end
        local function finalized()
          if not newproxy then return setmetatable({}, { __gc = call }) end
          local object = newproxy(true) -- 5.1 does not finalize tables
          getmetatable(object).__gc = call
          return object
        end
        -- A collection at every chance; the next is when all is over.
        collectgarbage("setpause", 0)
        collectgarbage("setstepmul", 1e6)
        collectgarbage()
        local said
        for _ = 1, 20 do
          local tasks = {}
          for i = 1, 3 do
            tasks[i] = sign:async(function()
              local held = finalized()
              assert(sign.sessions:list())
              return i, held and true
            end)
            tasks[i + 3] = sign:async(function() return tasks[i]:wait() end)
          end
          sign:run()
          said = ""
          for i = 1, 6 do said = said .. tasks[i]:wait() .. " " end
          assert(said == "1 2 3 1 2 3 ", said)
        end
        collectgarbage()
        io.write(said, tostring(calls > 0))
      ]]):format(service.url, service.client_id, service.client_secret)))
    end)
  end

  it("raises all that tasks raised unseen, one run after the other", function()
    for _, words in ipairs { "one", "two" } do
      sign:async(function() error(words, 0) end)
    end
    sign:step()
    assert.has_error(function() sign:run() end, "one")
    assert.has_error(function() sign:run() end, "two")
    sign:run()
  end)

  it("leaves connections open for other calls, however many are under way",
    function()
      assert(service:faults { { operation = "listSigningSessions",
                                fault = "stall", times = 100 } })
      assert(service:clear_journal())
      for _ = 1, 100 do
        sign:async(function() return sign.sessions:list() end)
      end
      local ends = core.now() + 60
      repeat
        sign:step()
        local asked = #assert(service:journal {
          operation = "listSigningSessions" })
        assert(core.now() < ends, asked)
      until asked == 100
      assert.equal(100, sign.transport.loop.multi:running())
      local function reused()
        local _, _, meta = sign.sessions:get(ID)
        return meta.reused
      end
      reused() -- that one may need a new connection
      assert.same({ true, true }, { reused(), reused() })
    end)

  it("leaves few connections open when many calls are over", function()
    local function descriptors() return #helper.names_in "/proc/self/fd" end
    assert(sign.sessions:list { limit = 1 })
    local before = descriptors()
    -- Nobody has an answer, nor a connection, before all have asked.
    local release = helper.hold(service.process)
    finally(release)
    for _ = 1, 150 do
      sign:async(function() return sign.sessions:list { limit = 1 } end)
    end
    for _ = 1, 150 do sign:step() end
    assert.equal(150, sign.transport.loop.multi:running())
    release()
    sign:run()
    -- Of connections whose calls end at once one is closed by each call later.
    for _ = 1, 100 do assert(sign.sessions:list { limit = 1 }) end
    local left = descriptors() - before
    assert.is_true(left > 1 and left < 80, left)
  end)

  it("is collected with its client once nobody holds them", function()
    local held = setmetatable({}, { __mode = "k" })
    local task = sign:async(function() return sign.sessions:list() end)
    task:wait()
    held[task] = true
    local other = assert(service:client())
    held[other] = true
    other:async(function() other.sleep(60) end)
    other:step()
    task, other = nil, nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.equal(nil, next(held))
  end)

  it("tells a hook when its function raised", function()
    local events = {}
    local told = sign:with { on_event = function(event)
      events[#events + 1] = event
    end }
    told:async(function() error("secret") end)
    told:step()
    assert.same({ { name = "error", operation = "async",
      reason = "a task's function raised; task:wait raises the same" } },
      events)
  end)

  it("makes calls that suspend it, while others make theirs", function()
    local under_way, most = 0, 0
    local done = {}
    -- Nobody has an answer before all have asked.
    local release = helper.hold(service.process)
    finally(release)
    for i = 1, 30 do
      sign:async(function()
        under_way = under_way + 1
        most = math.max(most, under_way)
        if most == 30 then release() end
        local document = assert(sign.documents:upload {
          content = "number " .. i, type = "text/plain" })
        assert.equal("number " .. i, sign.documents:download(document))
        under_way = under_way - 1
        done[i] = true
      end)
    end
    sign:run()
    assert.equal(30, #done)
    assert.equal(30, most)
  end)

  it("shares one token fetch with all others and the main program", function()
    assert(service:clear_journal())
    local fresh = assert(service:client())
    assert(service:faults { { operation = "token", fault = "slow",
                              milliseconds = 200 } })
    local ok = 0
    for _ = 1, 50 do
      fresh:async(function()
        assert(fresh.sessions:list())
        ok = ok + 1
      end)
    end
    assert(fresh.sessions:list())
    fresh:run()
    assert.equal(50, ok)
    assert.equal(1, #assert(service:journal { operation = "token" }))
    fresh:close()
  end)

  it("goes on when the task that fetched the token was cancelled", function()
    local fresh = assert(service:client())
    assert(service:faults { { operation = "token", fault = "slow",
                              milliseconds = 30000 } })
    local function fetches()
      return #assert(service:journal { operation = "token" })
    end
    local before = fetches()
    local leader = fresh:async(function() return fresh.sessions:list() end)
    fresh:step()
    local other = fresh:async(function() return fresh.sessions:list() end)
    repeat fresh:step() until fetches() > before
    leader:cancel()
    assert.truthy(other:wait())
    assert.equal("cancelled", select(2, leader:wait()).kind)
    fresh:close()
  end)

  it("waits, walks and uploads from readers as the main program does",
    function()
      local count, pages = 0, 0
      local walker = sign:async(function()
        local page = assert(sign.sessions:list { limit = 50 })
        while page do
          pages, count = pages + 1, count + #page.data
          page = page:next()
        end
      end)
      local reader = sign:async(function()
        local left = 3
        return sign.documents:upload { type = "text/plain", size = 6,
          reader = function()
            left = left - 1
            if left < 0 then return nil end
            assert(sign.sessions:list { limit = 1 })
            return "ab"
          end }
      end)
      local waiter = sign:async(function()
        return sign.sessions:wait(assert(sign.sessions:list()).data[1],
          { timeout = 0.3, first_delay = 0.05 })
      end)
      walker:wait()
      assert.same({ 3, 120 }, { pages, count })
      assert.equal("ababab", sign.documents:download((reader:wait())))
      assert.equal("timeout", select(2, waiter:wait()).kind)
    end)

  it("may use each where this Lua yields in iterators, or is told what to do",
    function()
      local task = sign:async(function()
        local count = 0
        for session, err in sign.sessions:each { limit = 50 } do
          assert(session, err)
          count = count + 1
        end
        return count
      end)
      if not is_plain_51() then return assert.equal(120, task:wait()) end
      local ok, why = pcall(task.wait, task)
      assert.is_false(ok)
      assert.matches("page:next()", why, 1, true)
      assert.matches("client:try(fn)", why, 1, true)
    end)

  it("has client:try for pcall, on every Lua", function()
    local task = sign:async(function()
      local ok, list = sign:try(function(limit)
        return assert(sign.sessions:list { limit = limit })
      end, 7)
      local failed, why = sign:try(function()
        assert(sign.sessions:list { limit = 1 })
        error("mine", 0)
      end)
      local inner = { sign:try(function()
        return sign:try(function() return sign.sessions:list { limit = 2 } end)
      end) }
      return ok and #list.data, failed, why, #inner[3].data
    end)
    assert.same({ 7, false, "mine", 2 }, { task:wait() })
    assert.same({ true, 3 }, { sign:try(function() return 3 end) })
  end)

  it("raises the same objects as a strict client's calls do", function()
    local strict = sign:strict()
    local task = strict:async(function()
      local ok, err = strict:try(function()
        return strict.sessions:get(ID)
      end)
      return ok, err.kind, strict.sessions:get(ID)
    end)
    local ok, err = strict:try(task.wait, task)
    assert.same({ false, "not_found" }, { ok, err.kind })
    local _, errors = strict:map({ ID }, function(id)
      return strict.sessions:get(id)
    end)
    assert.equal("not_found", errors[1].kind)
  end)

  it("has hooks that may step in the middle of a turn", function()
    local loop, hooked = sign.transport.loop, nil
    hooked = sign:with { on_event = function() hooked:step() end }
    hooked:async(function() error "torn" end)
    assert.is_true(loop:turn(0))
    assert.equal(0, loop.torn)
    assert.has_error(function() sign:run() end)
  end)

  it("has hooks that may call, in a task and for one that raised", function()
    local told, said = { [""] = true }, {}
    local hooked
    hooked = sign:with { on_event = function(event)
      local operation = event.operation
      if operation == "token" or told[operation or ""] ~= nil then return end
      told[operation] = true
      local page, err = sign.sessions:list { limit = 1 }
      said[operation] = page and page.total or tostring(err)
    end }
    assert(hooked:async(function() return hooked.sessions:list() end):wait())
    hooked:async(function() error "torn" end)
    assert(service:faults { { operation = "getSigningSession",
      fault = "slow", milliseconds = 200 } })
    local _, err = sign.sessions:get(ID)
    assert.equal("not_found", err.kind)
    assert.has_error(function() sign:run() end)
    assert.same({ ["sessions:list"] = 120, async = 120 }, said)
  end)

  it("goes on after a limit of its host ended a step, wherever it did",
    function()
      -- As a host with a budget of instructions does, at many places.
      for count = 1, 2500, 7 do
        local other = assert(service:client())
        assert(other.sessions:list { limit = 1 })
        local list = {}
        for i = 1, 3 do
          list[i] = other:async(function()
            other.sleep(0.0001)
            return other.sessions:list { limit = 1 }
          end)
        end
        list[4] = other:async(function() return list[1]:wait() end)
        pcall(function()
          debug.sethook(function()
            debug.sethook()
            error("budget", 0)
          end, "", count)
          other:step(0.05)
          debug.sethook()
        end)
        other:async(function() coroutine.yield() end)
        -- What was lost on the way raises.
        pcall(other.run, other)
        for _, task in ipairs(list) do assert.is_true(task:done()) end
        assert(other.sessions:list { limit = 1 })
        other:close()
      end
    end)

  it("gets its arguments once, wherever a limit of its host ended a step",
    function()
      local calls, wrong = 0, 0
      for count = 1, 500 do
        sign:async(function(...)
          calls = calls + 1
          if select("#", ...) ~= 2 then wrong = wrong + 1 end
          wrong = wrong + select("#", coroutine.yield())
        end, "a", "b")
        pcall(function()
          debug.sethook(function()
            debug.sethook()
            error("budget", 0)
          end, "", count)
          sign:step()
          debug.sethook()
        end)
        pcall(sign.run, sign)
      end
      assert.is_true(calls > 0)
      assert.equal(0, wrong)
    end)

  it("that could not wait somewhere waits elsewhere", function()
    local task = sign:async(function()
      assert.is_false(pcall(string.gsub, "x", ".", function()
        sign.sessions:list()
      end))
      sign.sleep(0.001)
      return sign.sessions:list { limit = 1 }
    end)
    assert.equal(1, #assert(task:wait()).data)
  end)

  it("has sent nothing where it cannot wait, though it tries", function()
    assert(sign.sessions:list()) -- there is a token
    local function uploads()
      return #assert(service:journal { operation = "uploadDocument" })
    end
    local before = uploads()
    sign:async(function()
      pcall(string.gsub, "x", ".", function()
        assert.is_false(sign:try(function()
          return sign.documents:upload { content = "x", type = "text/plain" }
        end))
      end)
      for _ = 1, 5 do assert(sign.sessions:list { limit = 1 }) end
    end):wait()
    assert.equal(before, uploads())
  end)

  for how, serve in pairs {
    ["steps"] = function(client) repeat until client:step(0.1) == 0 end,
    ["runs"] = function(client) client:run() end,
    ["waits"] = function(_, task) task:wait() end,
  } do
    it("may close its client while the main program " .. how, function()
      local own = assert(service:client())
      local held = setmetatable({}, { __mode = "k" })
      local task = own:async(function()
        local what = {}
        held[what] = true
        assert(own.sessions:list { limit = 1 })
        own:close()
        coroutine.yield(what)
      end)
      local loop = own.transport.loop
      serve(loop, task)
      assert.equal("cancelled", select(2, task:wait()).kind)
      collectgarbage()
      collectgarbage()
      assert.is_nil(next(held))
    end)
  end

  it("may wait for another, and not for itself or in a circle", function()
    local first = sign:async(function() return sign.sessions:list() end)
    local second = sign:async(function() return first:wait() end)
    assert.equal(100, #second:wait().data)
    local alone
    alone = sign:async(function() return alone:wait() end)
    assert.error_matches(function() alone:wait() end, "cannot wait for itself")
    local one, two
    one = sign:async(function() return two:wait() end)
    two = sign:async(function() return one:wait() end)
    assert.error_matches(function() sign:run() end, "wait for each other")
  end)

  it("is not waited for once the collector has taken the last call", function()
    local document = assert(sign.documents:upload {
      content = ("x"):rep(1e5), type = "text/plain" })
    local hooked = sign:with { on_event = function(event)
      if event.operation ~= "async" then return end
      collectgarbage()
      collectgarbage()
    end }
    hooked:async(function()
      sign.documents:download(document, { to = function() error "torn" end })
    end)
    local one, two
    one = sign:async(function() return two:wait() end)
    two = sign:async(function() return one:wait() end)
    assert.error_matches(function() sign:run() end, "wait for each other")
  end)

  it("cannot be left for a coroutine of one's own that calls", function()
    local task = sign:async(function()
      return coroutine.wrap(function()
        return pcall(sign.sessions.list, sign.sessions)
      end)()
    end)
    local ok, why = task:wait()
    assert.is_false(ok)
    assert.matches("coroutine of your own inside a task", why)
  end)

  it("waits for no call of another client", function()
    local other = assert(service:client())
    local task = sign:async(function()
      return sign:try(function() return other.sessions:list() end)
    end)
    local ok, why = task:wait()
    assert.is_false(ok)
    assert.matches("belongs to another client", why)
    local child = sign:with { timeout = 20 }
    assert.truthy(sign:async(function() return child.sessions:list() end)
      :wait())
    other:close()
  end)

  it("cannot step or run its own loop", function()
    for _, name in ipairs { "step", "run" } do
      assert.error_matches(function()
        sign:async(function() sign[name](sign) end):wait()
      end, "is for the main program")
    end
  end)

  it("shares one connection with 63 others over HTTP/2", function()
    local front = gateway.start(service.url)
    local fast = assert(service:client { base_url = front.url .. "/sign",
      tls = { ca_file = front.ca_file } })
    local connections, protocols, calls = {}, {}, 0
    for _ = 1, 64 do
      fast:async(function()
        local page, meta = fast.sessions:list { limit = 1 }
        assert(page, meta)
        calls = calls + 1
        connections[meta.headers["x-connection"]] = true
        protocols[meta.headers["x-protocol"]] = true
      end)
    end
    fast:run()
    fast:close()
    front:stop()
    local id = next(connections)
    assert.same({ 64, { [id] = true }, { ["HTTP/2.0"] = true } },
      { calls, connections, protocols })
  end)

  it("goes on while the main program calls", function()
    local other = assert(sandbox.start())
    local slow = assert(other:client { transport = sign.transport,
                                       token = "nobodys" })
    local release = helper.hold(other.process)
    finally(function()
      release()
      other:stop()
    end)
    local ticks = 0
    local task = sign:async(function()
      for _ = 1, 5 do
        assert(sign.sessions:list { limit = 1 })
        ticks = ticks + 1
      end
      release() -- that call has its answer now
    end)
    local _, err = slow.sessions:get(ID)
    assert.equal("auth", err.kind)
    assert.equal(5, ticks)
    assert.is_true(task:done())
  end)
end)
