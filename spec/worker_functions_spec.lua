-- worker_functions_spec.lua: what Redis keeps true of a job when workers end
-- or are slow. One that ends in the middle is one whose call raises there;
-- worker_kill_spec.lua kills processes.

local core = require "signicat.core"
local offices = require "spec.support.office"

local office, queue, redis

setup(function()
  office = offices.open()
  queue, redis = office.queue, office.redis
end)

teardown(function() office:close() end)
before_each(function() office:clear() end)

-- A Redis client that calls `before` and `after` around each call.
local function watched(before, after)
  return { call = function(_, ...)
    local name = (select(2, ...))
    local what = select(1, ...) == "FCALL" and name:match "_(%a+)$" or ""
    if what == "step" then what = what .. " " .. select(12, ...) end
    if before then before(what) end
    local value, reason = redis:call(...)
    if after then after(what) end
    return value, reason
  end }
end

local DIES = {}

local function dies(wanted)
  return function(what)
    if what == wanted then error(DIES, 0) end
  end
end

describe("a worker that ends", function()
  local POINTS = { "claim", "take", "step document", "step collection",
                   "step session", "finish" }
  for _, when in ipairs { "before", "after" } do
    for i, point in ipairs(POINTS) do
      it(("%s %s leaves a job that another one does once")
        :format(when, point), function()
        assert(queue:enqueue("j1", office.job()))
        local die = dies(point)
        local first = office:worker { redis = watched(when == "before" and die,
          when == "after" and die) }
        local ok, err = pcall(first.step, first)
        assert.is_false(ok)
        assert.equal(DIES, err)
        local last = when == "after" and point == "finish"
        if not last then assert.equal("done", office:work "j1") end
        assert.equal("done", queue:status "j1".state)
        local page = office:sessions()
        assert.equal(1, page.total)
        assert.equal(page.data[1].id, queue:status "j1".sessionId)
        assert.equal(1, office:count "createSigningSession")
        -- An upload or a collection that was begun, or made and not noted.
        local steps = {}
        for _, stray in ipairs(queue:status "j1".strays) do
          steps[#steps + 1] = stray.step
        end
        local reached = when == "after" and i or i - 1
        local open = reached == 3 and "document"
          or reached == 4 and "collection" or nil
        assert.same({ open }, steps)
      end)
    end
  end

  it("again and again is given up, with its job", function()
    assert(queue:enqueue("j1", office.job()))
    for _ = 1, 2 do
      office:wait()
      local one = office:worker { redis = watched(nil, dies "take") }
      assert.is_false(pcall(one.step, one))
    end
    office:wait()
    assert.same({ "j1", "passed" }, { office:worker { attempts = 2 }:step() })
    assert.equal("dead", queue:status "j1".state)
    assert.same({ "j1" }, queue:dead())
    assert.equal("cancelled", queue:status "j1".error.kind)
    assert.equal(0, office:count "uploadDocument")
  end)

  it("leaves its job to others when it has been silent for long enough",
    function()
      assert(queue:enqueue("j1", office.job()))
      local patience = { timeout = 0.8, slack = 0.2 }
      local one = office:worker { redis = watched(nil, dies "take") }
      local heard_before = core.now()
      assert.is_false(pcall(one.step, one))
      assert.is_false(office:worker():step()) -- which waits for longer
      local other = office:worker(patience)
      local id, state
      repeat id, state = other:step() until id
      assert.is_true(core.now() - heard_before > 0.99)
      if state ~= "done" then office:work "j1" end -- with more time
      assert.equal("done", queue:status "j1".state)
    end)
end)

describe("a worker that is slow", function()
  -- The other one does the job in the middle of the first one's.
  local function overtaken(point)
    assert(queue:enqueue("j1", office.job()))
    local other = office:worker()
    local first = office:worker { redis = watched(function(what)
      if what == point then office:work("j1", other) end
    end) }
    assert.same({ "j1", "passed" }, { first:step() })
    assert.equal("done", queue:status "j1".state)
    assert.equal(1, office:sessions().total)
    assert.equal(office:sessions().data[1].id, queue:status "j1".sessionId)
  end

  for _, point in ipairs { "take", "step document", "step collection",
      "step session", "finish" } do
    it("changes nothing of a job that another has done, at " .. point,
      function()
        overtaken(point)
      end)

    it("changes nothing of a job that another has begun, at " .. point,
      function()
        assert(queue:enqueue("j1", office.job()))
        local before
        local other = office:worker { redis = watched(nil, dies "take") }
        local first = office:worker { redis = watched(function(what)
          if what ~= point then return end
          office:wait()
          assert.is_false(pcall(other.step, other))
          before = redis:call("HGETALL", "{sign}:job:j1")
        end) }
        assert.same({ "j1", "passed" }, { first:step() })
        assert.same(before, redis:call("HGETALL", "{sign}:job:j1"))
        assert.equal("done", office:work "j1")
        assert.equal(1, office:sessions().total)
        assert.equal(1, office:count "createSigningSession")
      end)
  end

  it("does not have a job wait that another has begun", function()
    office:faults { operation = "uploadDocument", fault = "status",
                    status = 500 }
    assert(queue:enqueue("j1", office.job()))
    local other = office:worker { redis = watched(nil, dies "take") }
    local first = office:worker { redis = watched(function(what)
      if what ~= "fail" then return end
      office:wait()
      assert.is_false(pcall(other.step, other))
    end) }
    assert.same({ "j1", "passed" }, { first:step() })
    assert.equal("running", queue:status "j1".state)
    assert.equal("done", office:work "j1")
  end)

  it("does not create after its own deadline", function()
    assert(queue:enqueue("j1", office.job()))
    local late = 0
    local slow = assert(office.service:client { clock = function()
      return core.now() + late
    end })
    local first = office:worker { client = slow, redis = watched(nil,
      function(what)
        if what == "step session" then late = 61 end
      end) }
    local _, state, err = first:step()
    assert.equal("waiting", state)
    assert.equal("timeout", err.kind)
    assert.is_false(err.sent)
    assert.equal(0, office:count "createSigningSession")
    slow:close()
  end)

  it("keeps its job while each step is in time", function()
    assert(queue:enqueue("j1", office.job()))
    local stolen
    local other = office:worker()
    local first = office:worker { redis = watched(function(what)
      if what:find "^step" or what == "finish" then
        office:silence(40)
        stolen = stolen or other:step()
      end
    end) }
    assert.same({ "j1", "done" }, { first:step() })
    assert.is_false(stolen)
  end)
end)

describe("an answer of Redis that is lost", function()
  for _, point in ipairs { "step document", "step collection",
      "step session", "finish", "fail" } do
    it("does not change what becomes of the job: " .. point, function()
      if point == "fail" then
        office:faults { operation = "uploadDocument", fault = "status",
                        status = 429 }
      end
      assert(queue:enqueue("j1", office.job()))
      local lost = 0
      local flaky = watched()
      local call = flaky.call
      function flaky:call(...)
        local name = select(2, ...)
        local value, reason = call(self, ...)
        local step = name == "signicat_step" and "step " .. select(12, ...)
        if (step or name) == (step and point or "signicat_" .. point)
          and lost < 2 then
          lost = lost + 1
          return nil, "closed"
        end
        return value, reason
      end
      local one = office:worker { redis = flaky }
      local _, state = one:step()
      assert.equal(point == "fail" and "waiting" or "done", state)
      if state == "waiting" then
        assert.equal("done", office:work("j1", one))
      end
      assert.equal(2, lost)
      assert.same({}, queue:status "j1".strays)
      assert.equal(1, office:sessions().total)
      assert.equal(1, office:count "createSigningSession")
    end)
  end

  it("is told a second time that a session has to be looked for", function()
    office:faults { operation = "createSigningSession", fault = "lost_answer" }
    assert(queue:enqueue("j1", office.job()))
    assert.equal("waiting", select(2, office:worker():step()))
    local lost
    local flaky = { call = function(_, ...)
      local value, reason = redis:call(...)
      if select(2, ...) == "signicat_step" and not lost then
        lost = true
        return nil, "closed"
      end
      return value, reason
    end }
    assert.equal("done", office:work("j1", office:worker { redis = flaky }))
    assert.is_true(lost)
    assert.equal(1, office:sessions().total)
  end)
end)
