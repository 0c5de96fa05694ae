-- worker_spec.lua: jobs, a queue and workers, with a real Redis and the
-- sandbox. A worker that ends in the middle is one whose call raises there;
-- spec/worker_kill_spec.lua kills processes.

local core = require "signicat.core"
local helper = require "spec.helper"
local sandbox = require "signicat.sandbox"
local servers = require "spec.support.redis"
local signicat = require "signicat"
local worker = require "signicat.worker"

local service, server, redis, sign, queue

setup(function()
  service = assert(sandbox.start())
  sign = assert(service:client())
  server = servers.start()
  redis = server:client()
  assert(worker.load(redis))
  queue = worker.queue(redis)
end)

teardown(function()
  sign:close()
  redis:close()
  server:stop()
  service:stop()
end)

before_each(function()
  assert(redis:call "FLUSHALL")
  assert(service:reset())
  assert(sign.sessions:list()) -- with a new token
  assert(service:clear_journal())
end)

-- The fields of a job that is good.
local function job_of(more)
  local job = { title = "Lease", file = { content = "To be signed",
                                          type = "text/plain" } }
  for name, value in pairs(more or {}) do job[name] = value end
  return job
end

local function worker_of(more)
  local given = { client = sign, redis = redis, timeout = 5, slack = 0.1,
                  backoff = 0.01, block = 0.01, folder = "examples" }
  for name, value in pairs(more or {}) do given[name] = value end
  return worker.new(given)
end

-- As if all that has to be waited for had passed: the silence of workers, the
-- pause before another attempt, the outcome of a create.
local function wait()
  local pending = redis:call("XPENDING", "{sign}:jobs", "workers", "-", "+",
    10)
  for _, entry in ipairs(pending or {}) do
    assert(redis:call("XCLAIM", "{sign}:jobs", "workers", entry[2], 0,
      entry[1], "IDLE", 1e7, "JUSTID"))
  end
  for _, id in ipairs(redis:call("ZRANGE", "{sign}:later", 0, -1)) do
    assert(redis:call("ZADD", "{sign}:later", 0, id))
  end
  for _, key in ipairs(redis:call("KEYS", "{sign}:job:*")) do
    assert(redis:call("HDEL", key, "look_at"))
  end
end

-- Works until a job is over; what its last step returned.
local function work(one, id)
  for _ = 1, 20 do
    wait()
    local done, state, err = one:step()
    if done == id and (state == "done" or state == "dead") then
      return state, err
    end
  end
  error("the job is not done")
end

local function sessions()
  return assert(sign.sessions:list())
end

-- How many requests of an operation the sandbox has seen.
local function count(operation)
  return #assert(service:journal { operation = operation })
end

local function faults(...)
  assert(service:faults { ... })
end

describe("a job", function()
  it("is an upload, a collection and a session", function()
    assert.is_true(queue:enqueue("j1", job_of { file = "lease.pdf" }))
    assert.equal("queued", queue:status "j1".state)
    assert.same({ "j1", "done" }, { worker_of():step() })
    local status = queue:status "j1"
    assert.equal("done", status.state)
    assert.equal(1, status.attempts)
    assert.same({}, status.strays)
    local session = assert(sign.sessions:get(status.sessionId))
    assert.equal("Lease", session.title)
    assert.equal(status.documentId, session.documents[1].documentId)
    assert.equal(status.documentCollectionId,
      session.documents[1].documentCollectionId)
    assert.is_true(sign.documents:download(status.documentId)
      == helper.read "examples/lease.pdf")
  end)

  it("may have been handed in before there was a worker", function()
    for i = 1, 3 do assert(queue:enqueue("j" .. i, job_of())) end
    local one = worker_of()
    for i = 1, 3 do assert.same({ "j" .. i, "done" }, { one:step() }) end
    assert.is_false(one:step())
    assert.equal(3, sessions().total)
  end)

  it("is one job however often it is handed in", function()
    assert.is_true(queue:enqueue("j1", job_of()))
    assert.is_false(queue:enqueue("j1", job_of()))
    assert.equal("done", work(worker_of(), "j1"))
    assert.is_false(queue:enqueue("j1", job_of()))
    assert.is_false(worker_of():step())
    assert.equal(1, sessions().total)
  end)

  it("leaves neither document nor payload when it is done, and is forgotten "
    .. "in time", function()
    assert(queue:enqueue("j1", job_of()))
    assert.equal("done", work(worker_of { keep = 1000 }, "j1"))
    local key = "{sign}:job:j1"
    assert.same({ false, false },
      redis:call("HMGET", key, "payload", "content"))
    local left = redis:call("TTL", key)
    assert.is_true(left > 0 and left <= 1000)
    assert.equal(0, redis:call("XLEN", "{sign}:jobs"))
  end)

  it("carries bytes of any kind in Redis, up to 4 MiB", function()
    local bytes = ("\0\r\n\255"):rep(2 ^ 20)
    assert(queue:enqueue("j1", job_of { file = { content = bytes,
                                                 type = "text/plain" } }))
    assert.equal("done", work(worker_of(), "j1"))
    assert.is_true(
      sign.documents:download(queue:status "j1".documentId) == bytes)
    local is_new, err = queue:enqueue("j2", job_of { file = {
      content = bytes .. "x", type = "text/plain" } })
    assert.is_nil(is_new)
    assert.matches("above 4 MiB: name a path", err.detail)
    assert.equal("not_found", select(2, queue:status "j2").kind)
  end)

  it("gives its session a reference of its own, or keeps the caller's",
    function()
      assert(queue:enqueue("j1", job_of()))
      assert(queue:enqueue("j2", job_of { externalReference = "mine" }))
      local one = worker_of()
      work(one, "j1")
      work(one, "j2")
      local first = sign.sessions:get(queue:status "j1".sessionId)
      assert.matches("^j1@%d+%-%d+$", first.externalReference)
      local second = sign.sessions:get(queue:status "j2".sessionId)
      assert.equal("mine", second.externalReference)
    end)

  it("is announced in the stream of results", function()
    assert(queue:enqueue("good", job_of()))
    assert(queue:enqueue("bad", job_of { file = "absent.pdf" }))
    local one = worker_of { attempts = 1 }
    assert.equal("done", work(one, "good"))
    assert.equal("dead", work(one, "bad"))
    local told = {}
    for _, entry in ipairs(redis:call("XRANGE", "{sign}:results", "-", "+")) do
      told[#told + 1] = table.concat(entry[2], " ")
    end
    assert.same({ "job good state done", "job bad state dead" }, told)
  end)
end)

describe("queue:enqueue", function()
  it("refuses a session that the API would refuse", function()
    local is_new, err = queue:enqueue("j1", { file = "lease.pdf" })
    assert.is_nil(is_new)
    assert.equal("invalid", err.kind)
    assert.equal("title", err.fields[1].name)
    assert.equal(0, redis:call "DBSIZE")
  end)

  it("raises at the caller's line what is no job at all", function()
    for _, job in ipairs { job_of { file = false }, job_of { file = {} },
        job_of { file = { path = "a", content = "b" } } } do
      local ok, message = pcall(function() queue:enqueue("j1", job) end)
      assert.is_false(ok)
      assert.matches("worker_spec%.lua:%d+: queue:enqueue: `file`", message)
    end
  end)

  it("tells when Redis failed, and its id makes another call harmless",
    function()
      local is_new, err = worker.queue { call = function()
        return nil, "closed"
      end }:enqueue("j1", job_of())
      assert.is_nil(is_new)
      assert.equal("connect", err.kind)
      assert.is_true(err.retryable)
    end)
end)

describe("a job of another program", function()
  -- Hands in what `enqueue` would not.
  local function hand_in(id, payload, content)
    local words = { "FCALL", "signicat_enqueue", 5, "{sign}:jobs",
      "{sign}:later", "{sign}:dead", "{sign}:results", "{sign}:job:" .. id,
      id, payload, content }
    return assert(redis:call((table.unpack or rawget(_G, "unpack"))(words)))
  end

  for name, payload in pairs {
    ["no JSON"] = "{", ["a list"] = "[]", ["a string"] = '"a"',
    ["null"] = "null", ["nothing"] = "{}",
    ["a file that is null"] = '{"title":"t","file":null}',
    ["a type that is no string"] = '{"title":"t","file":{"path":"a","type":7}}',
    ["a path that is no string"] = '{"title":"t","file":{"path":{}}}',
    ["a path from the root"] = '{"title":"t","file":{"path":"/etc/passwd"}}',
    ["a path upwards"] = '{"title":"t","file":{"path":"a/../../b"}}',
    ["neither path nor content"] = '{"title":"t","file":{}}',
    ["no title"] = '{"file":{"path":"lease.pdf"}}',
    ["a field that is not known"] =
      '{"title":"t","titel":"t","file":{"path":"lease.pdf"}}',
    ["documents of its own"] =
      '{"title":7,"documents":[],"file":{"path":"lease.pdf"}}',
  } do
    it("is given up unsent when it is or has " .. name, function()
      assert.equal(1, hand_in("j1", payload))
      local id, state, err = worker_of():step()
      assert.same({ "j1", "dead" }, { id, state })
      assert.equal("invalid", err.kind)
      assert.equal("invalid", queue:status "j1".error.kind)
      assert.same({ "j1" }, queue:dead())
      assert.equal(0, count "uploadDocument")
    end)
  end

  it("with content and no type is given up", function()
    hand_in("j1", '{"title":"t","file":{}}', "bytes")
    local id, state, err = worker_of():step()
    assert.same({ "j1", "dead", "invalid" }, { id, state, err.kind })
  end)

  it("is done when it is right", function()
    hand_in("j1", '{"title":"t","file":{"type":"text/plain"},"signingSetup":'
      .. '[{"signingFlow":"AUTHENTICATION_BASED"}]}', "bytes")
    assert.equal("done", work(worker_of(), "j1"))
  end)

  it("needs an id of 1 to 200 characters", function()
    for _, id in ipairs { "", ("x"):rep(201) } do
      assert.is_false(pcall(hand_in, id, "{}"))
    end
  end)

  it("with a path needs a worker with a folder", function()
    hand_in("j1", '{"title":"t","file":{"path":"lease.pdf"}}')
    local one = worker.new { client = sign, redis = redis }
    assert.equal("dead", select(2, one:step()))
  end)
end)

describe("a failed step", function()
  it("is tried again, from where it was", function()
    faults({ operation = "createDocumentCollection", fault = "status",
             status = 500 })
    assert(queue:enqueue("j1", job_of()))
    local one = worker_of()
    local id, state, err = one:step()
    assert.same({ "j1", "waiting" }, { id, state })
    assert.equal(500, err.status)
    assert.equal("collection", queue:status "j1".error.step)
    assert.equal("done", work(one, "j1"))
    local status = queue:status "j1"
    assert.equal(2, status.attempts)
    assert.is_nil(status.error)
    assert.equal(1, count "uploadDocument")
    -- A 500 does not say whether the collection was made.
    assert.same({ { step = "collection" } }, status.strays)
  end)

  it("is given up after so many attempts, and goes on when told to",
    function()
      faults({ operation = "createDocumentCollection", fault = "status",
               status = 429, times = 2 })
      assert(queue:enqueue("j1", job_of()))
      local one = worker_of { attempts = 2 }
      assert.equal("dead", work(one, "j1"))
      assert.same({ "j1" }, queue:dead())
      assert.equal("rate_limit", queue:status "j1".error.kind)
      assert.is_true(queue:retry "j1")
      assert.is_false(queue:retry "j1")
      assert.same({}, queue:dead())
      assert.equal("done", work(one, "j1"))
      assert.equal(1, count "uploadDocument")
      assert.same({}, queue:status "j1".strays)
      assert.is_false(queue:retry "j1")
    end)

  it("is given up at once when another attempt would change nothing",
    function()
      faults({ operation = "createSigningSession", fault = "status",
               status = 422 })
      assert(queue:enqueue("j1", job_of()))
      assert.equal("dead", select(2, worker_of():step()))
      assert.equal(422, queue:status "j1".error.status)
    end)

  it("waits as long as the service says", function()
    faults({ operation = "uploadDocument", fault = "status", status = 429,
             retry_after = 500 })
    assert(queue:enqueue("j1", job_of()))
    assert.equal("waiting", select(2, worker_of():step()))
    local entry = redis:call("ZRANGE", "{sign}:later", 0, -1, "WITHSCORES")
    assert.equal("j1", entry[1])
    assert.is_true(entry[2] / 1000 > redis:call "TIME"[1] + 490)
  end)

  it("keeps nothing of an error that somebody may have typed in", function()
    faults({ operation = "createSigningSession", fault = "status",
             status = 400 })
    assert(queue:enqueue("j1", job_of()))
    assert.equal("dead", select(2, worker_of():step()))
    local kept = queue:status "j1".error
    assert.is_nil(kept.detail)
    assert.is_string(kept.message)
  end)
end)

describe("what may have been made in vain", function()
  local CASES = {
    { "uploadDocument", "lost_answer", "document" },
    { "uploadDocument", "cut", "document" },
    { "createDocumentCollection", "lost_answer", "collection" },
    { "createDocumentCollection", "cut", "collection" },
  }
  for _, case in ipairs(CASES) do
    local operation, fault, step = case[1], case[2], case[3]
    it("is told: a " .. step .. " whose answer was " .. fault, function()
      faults({ operation = operation, fault = fault })
      assert(queue:enqueue("j1", job_of()))
      assert.equal("done", work(worker_of(), "j1"))
      assert.equal(2, count(operation))
      assert.same({ { step = step } }, queue:status "j1".strays)
    end)
  end

  it("is told with its id where that is known", function()
    faults({ operation = "uploadDocument", fault = "wrong_hash" })
    assert(queue:enqueue("j1", job_of()))
    assert.equal("done", work(worker_of(), "j1"))
    local strays = queue:status "j1".strays
    assert.equal(1, #strays)
    assert.equal("document", strays[1].step)
    assert.is_not.equal(strays[1].id, queue:status "j1".documentId)
    assert(sign.documents:delete(strays[1].id))
  end)

  it("is told of a job that was given up, once", function()
    faults({ operation = "uploadDocument", fault = "lost_answer" })
    assert(queue:enqueue("j1", job_of()))
    assert.equal("dead", work(worker_of { attempts = 1 }, "j1"))
    assert.same({ { step = "document" } }, queue:status "j1".strays)
    assert(queue:retry "j1")
    assert.equal("done", work(worker_of(), "j1"))
    assert.same({ { step = "document" } }, queue:status "j1".strays)
  end)
end)

describe("a session whose create is ambiguous", function()
  local function is_made_once(fault, creates, timeout)
    faults(fault)
    assert(queue:enqueue("j1", job_of()))
    local one = worker_of { timeout = timeout }
    local _, state, err = one:step()
    assert.equal("waiting", state)
    assert.is_true(err.ambiguous)
    assert.is_true(queue:status "j1".error.ambiguous)
    assert.equal("done", work(one, "j1"))
    assert.equal(creates, count "createSigningSession")
    local page = sessions()
    assert.equal(1, page.total)
    assert.equal(page.data[1].id, queue:status "j1".sessionId)
    assert.same({}, queue:status "j1".strays)
    return one
  end

  for _, fault in ipairs { "lost_answer", "cut" } do
    it("is found, not created again: " .. fault, function()
      is_made_once({ operation = "createSigningSession", fault = fault }, 1)
    end)
  end

  it("is found, not created again: slow", function()
    is_made_once({ operation = "createSigningSession", fault = "slow",
                   milliseconds = 20000 }, 1, 2)
  end)

  it("is created when it surely was not", function()
    is_made_once({ operation = "createSigningSession", fault = "status",
                   status = 503 }, 2)
  end)

  it("is not looked for when it surely failed", function()
    faults({ operation = "createSigningSession", fault = "status",
             status = 429 })
    assert(queue:enqueue("j1", job_of()))
    local one = worker_of()
    assert.equal("waiting", select(2, one:step()))
    assert.equal("done", work(one, "j1"))
    assert.equal(0, count "listSigningSessions")
  end)

  it("is not looked for before its outcome is certain", function()
    faults({ operation = "createSigningSession", fault = "lost_answer" })
    assert(queue:enqueue("j1", job_of()))
    local one = worker_of { timeout = 500 }
    assert.equal("waiting", select(2, one:step()))
    core.sleep(0.05)
    assert.same({ "j1", "passed" }, { one:step() })
    assert.equal("waiting", queue:status "j1".state)
    assert.equal(1, queue:status "j1".attempts)
    assert.equal(0, count "listSigningSessions")
  end)

  it("is not created while nobody can look", function()
    faults({ operation = "createSigningSession", fault = "lost_answer" },
      { operation = "listSigningSessions", fault = "status", status = 500,
        times = 3 })
    assert(queue:enqueue("j1", job_of()))
    local impatient = assert(service:client { retries = 0 })
    assert.equal("done", work(worker_of { client = impatient, attempts = 9 },
      "j1"))
    impatient:close()
    assert.equal(4, count "listSigningSessions")
    assert.equal(1, count "createSigningSession")
    assert.equal(1, sessions().total)
  end)

  it("given up is looked for by whoever retries", function()
    faults({ operation = "createSigningSession", fault = "lost_answer" })
    assert(queue:enqueue("j1", job_of()))
    local one = worker_of { attempts = 1 }
    assert.equal("dead", work(one, "j1"))
    assert.is_true(queue:status "j1".error.ambiguous)
    assert(queue:retry "j1")
    assert.equal("done", work(one, "j1"))
    assert.equal(1, sessions().total)
  end)

  it("is not mistaken for another job's with the same reference", function()
    assert(queue:enqueue("j1", job_of { externalReference = "same" }))
    assert.equal("done", work(worker_of(), "j1"))
    faults({ operation = "createSigningSession", fault = "status",
             status = 503 })
    assert(queue:enqueue("j2", job_of { externalReference = "same" }))
    local state, err = work(worker_of(), "j2")
    assert.equal("dead", state)
    assert.equal("conflict", err.kind)
    assert.matches("each job needs its own", err.message)
  end)
end)

-- -- workers that end, and those that are slow --------------------------------

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
        assert(queue:enqueue("j1", job_of()))
        local die = dies(point)
        local first = worker_of { redis = watched(when == "before" and die,
          when == "after" and die) }
        local ok, err = pcall(first.step, first)
        assert.is_false(ok)
        assert.equal(DIES, err)
        local last = when == "after" and point == "finish"
        if not last then assert.equal("done", work(worker_of(), "j1")) end
        assert.equal("done", queue:status "j1".state)
        local page = sessions()
        assert.equal(1, page.total)
        assert.equal(page.data[1].id, queue:status "j1".sessionId)
        assert.equal(1, count "createSigningSession")
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
    assert(queue:enqueue("j1", job_of()))
    for _ = 1, 2 do
      wait()
      local one = worker_of { redis = watched(nil, dies "take") }
      assert.is_false(pcall(one.step, one))
    end
    wait()
    assert.same({ "j1", "passed" }, { worker_of { attempts = 2 }:step() })
    assert.equal("dead", queue:status "j1".state)
    assert.same({ "j1" }, queue:dead())
    assert.equal("cancelled", queue:status "j1".error.kind)
    assert.equal(0, count "uploadDocument")
  end)

  it("leaves its job to others when it has been silent for long enough",
    function()
      assert(queue:enqueue("j1", job_of()))
      local patience = { timeout = 0.8, slack = 0.2 }
      local one = worker_of { redis = watched(nil, dies "take") }
      local heard_before = core.now()
      assert.is_false(pcall(one.step, one))
      local other, early = worker_of(patience), 0
      while not other:step() do early = early + 1 end
      assert.is_true(early > 0)
      assert.is_true(core.now() - heard_before > 0.99)
      assert.equal("done", queue:status "j1".state)
    end)
end)

describe("a worker that is slow", function()
  -- The other one does the job in the middle of the first one's.
  local function overtaken(point)
    assert(queue:enqueue("j1", job_of()))
    local other = worker_of()
    local first = worker_of { redis = watched(function(what)
      if what == point then work(other, "j1") end
    end) }
    assert.same({ "j1", "passed" }, { first:step() })
    assert.equal("done", queue:status "j1".state)
    assert.equal(1, sessions().total)
    assert.equal(sessions().data[1].id, queue:status "j1".sessionId)
  end

  for _, point in ipairs { "take", "step document", "step collection",
      "step session", "finish" } do
    it("changes nothing of a job that another has done, at " .. point,
      function()
        overtaken(point)
      end)

    it("changes nothing of a job that another has begun, at " .. point,
      function()
        assert(queue:enqueue("j1", job_of()))
        local before
        local other = worker_of { redis = watched(nil, dies "take") }
        local first = worker_of { redis = watched(function(what)
          if what ~= point then return end
          wait()
          assert.is_false(pcall(other.step, other))
          before = redis:call("HGETALL", "{sign}:job:j1")
        end) }
        assert.same({ "j1", "passed" }, { first:step() })
        assert.same(before, redis:call("HGETALL", "{sign}:job:j1"))
        assert.equal("done", work(worker_of(), "j1"))
        assert.equal(1, sessions().total)
        assert.equal(1, count "createSigningSession")
      end)
  end

  it("does not have a job wait that another has begun", function()
    faults({ operation = "uploadDocument", fault = "status", status = 500 })
    assert(queue:enqueue("j1", job_of()))
    local other = worker_of { redis = watched(nil, dies "take") }
    local first = worker_of { redis = watched(function(what)
      if what ~= "fail" then return end
      wait()
      assert.is_false(pcall(other.step, other))
    end) }
    assert.same({ "j1", "passed" }, { first:step() })
    assert.equal("running", queue:status "j1".state)
    assert.equal("done", work(worker_of(), "j1"))
  end)

  it("does not create after its own deadline", function()
    assert(queue:enqueue("j1", job_of()))
    local late = 0
    local slow = assert(service:client { clock = function()
      return core.now() + late
    end })
    local first = worker_of { client = slow, redis = watched(nil, function(what)
      if what == "step session" then late = 6 end
    end) }
    local _, state, err = first:step()
    assert.equal("waiting", state)
    assert.equal("timeout", err.kind)
    assert.is_false(err.sent)
    assert.equal(0, count "createSigningSession")
    slow:close()
  end)

  it("keeps its job while each step is in time", function()
    assert(queue:enqueue("j1", job_of()))
    local stolen
    local other = worker_of { timeout = 1.9 }
    local first = worker_of { timeout = 1.9, redis = watched(function(what)
      if what:find "^step" or what == "finish" then
        core.sleep(0.7)
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
        faults({ operation = "uploadDocument", fault = "status",
                 status = 429 })
      end
      assert(queue:enqueue("j1", job_of()))
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
      local one = worker_of { redis = flaky }
      local _, state = one:step()
      assert.equal(point == "fail" and "waiting" or "done", state)
      if state == "waiting" then assert.equal("done", work(one, "j1")) end
      assert.equal(2, lost)
      assert.same({}, queue:status "j1".strays)
      assert.equal(1, sessions().total)
      assert.equal(1, count "createSigningSession")
    end)
  end

  it("is told a second time that a session has to be looked for", function()
    faults({ operation = "createSigningSession", fault = "lost_answer" })
    assert(queue:enqueue("j1", job_of()))
    assert.equal("waiting", select(2, worker_of():step()))
    local lost
    local flaky = { call = function(_, ...)
      local value, reason = redis:call(...)
      if select(2, ...) == "signicat_step" and not lost then
        lost = true
        return nil, "closed"
      end
      return value, reason
    end }
    assert.equal("done", work(worker_of { redis = flaky }, "j1"))
    assert.is_true(lost)
    assert.equal(1, sessions().total)
  end)
end)

describe("worker:run", function()
  it("ends with the job in hand when it is told to stop", function()
    for i = 1, 3 do assert(queue:enqueue("j" .. i, job_of())) end
    local one, told = worker_of(), {}
    one:run(function(id, state)
      told[#told + 1] = id .. " " .. state
      if #told == 2 then one:stop() end
    end)
    assert.same({ "j1 done", "j2 done" }, told)
    assert.equal("queued", queue:status "j3".state)
    assert.equal("done", work(worker_of(), "j3"))
  end)

  it("waits for Redis and goes on, also when all was lost", function()
    local patient = assert(service:client { sleep = function(seconds)
      core.sleep(math.min(seconds, 0.05))
    end })
    local other = servers.start()
    local theirs = other:client()
    local jobs = worker.queue(theirs)
    local one = worker_of { redis = theirs, client = patient }
    local failed, done = 0, 0
    assert(worker.load(theirs))
    assert(jobs:enqueue("j1", job_of()))
    one:run(function(id, state)
      if id then
        done = done + 1
        if done == 2 then return one:stop() end
        other:kill()
      else
        assert.is_true(signicat.is_error(state))
        failed = failed + 1
        if failed == 2 then
          other:start_again()
          assert(theirs:call "FLUSHALL")
          assert(jobs:enqueue("j2", job_of()))
        end
      end
    end)
    assert.equal("done", jobs:status "j2".state)
    assert.is_true(failed >= 2)
    patient:close()
    other:stop()
  end)

  it("goes on at a replica that is promoted, with what that one has",
    function()
      local first, second = servers.pair()
      local both = first:client { nodes = { first.address, second.address } }
      assert(worker.load(both))
      local there = worker.queue(both)
      for i = 1, 3 do assert(there:enqueue("j" .. i, job_of())) end
      local one = worker_of { redis = both }
      assert.same({ "j1", "done" }, { one:step() })
      assert.equal(1, both:call("WAIT", 1, 20000))
      first:kill()
      local promoted = second:client()
      assert(promoted:call("REPLICAOF", "NO", "ONE"))
      promoted:close()
      local id, err = one:step()
      assert.same({ nil, "connect" }, { id, err.kind })
      for i = 2, 3 do assert.same({ "j" .. i, "done" }, { one:step() }) end
      assert.is_false(one:step())
      assert.equal("done", there:status "j1".state)
      assert.equal(3, sessions().total)
      both:close()
      first:stop()
      second:stop()
    end)

  it("works in a cluster, asked of any node", function()
    local nodes = servers.cluster()
    for _, node in ipairs(nodes) do
      local client = node:client()
      assert(worker.load(client))
      client:close()
    end
    for i, node in ipairs(nodes) do
      local client = node:client()
      local jobs = worker.queue(client, "queue-" .. i)
      assert.is_true(jobs:enqueue("j1", job_of()))
      local one = worker_of { redis = nodes[i % 3 + 1]:client(),
                              name = "queue-" .. i }
      assert.equal("done", work(one, "j1"))
      assert.equal("done", jobs:status "j1".state)
      client:close()
    end
    nodes:stop()
    assert.equal(3, sessions().total)
  end)

  it("yields where its Redis client does", function()
    assert(queue:enqueue("j1", job_of()))
    local one = worker_of { redis = { call = function(_, ...)
      coroutine.yield "asked"
      return redis:call(...)
    end } }
    local told
    local thread = coroutine.create(function()
      one:run(function(...)
        told = { ... }
        one:stop()
      end)
    end)
    local asked = 0
    while coroutine.status(thread) ~= "dead" do
      local ok, what = coroutine.resume(thread)
      assert.is_true(ok, what)
      if what == "asked" then asked = asked + 1 end
    end
    assert.same({ "j1", "done" }, told)
    assert.equal(7, asked) -- group, claim, take, three steps, finish
  end)

  it("of two names has two queues in one Redis", function()
    local other = worker.queue(redis, "other")
    assert(other:enqueue("j1", job_of()))
    assert.is_false(worker_of():step())
    assert.equal("not_found", select(2, queue:status "j1").kind)
    assert.equal("done", work(worker_of { name = "other" }, "j1"))
  end)
end)

describe("worker.new", function()
  it("raises at the caller's line for what it cannot use", function()
    for _, given in ipairs { {}, { client = sign }, { redis = redis },
        { client = sign, redis = {} }, { client = {}, redis = redis },
        { client = sign, redis = redis, timeout = 0 },
        { client = sign, redis = redis, attempts = 0.5 },
        { client = sign, redis = redis, name = "a}b" },
        { client = sign, redis = redis, nmae = "a" } } do
      local ok, message = pcall(function() worker.new(given) end)
      assert.is_false(ok)
      assert.matches("worker_spec%.lua:%d+: worker%.new: ", message)
    end
  end)
end)

describe("a worker's client", function()
  it("is no strict one, whose calls raise in the middle of a job", function()
    local ok, message = pcall(worker_of, { client = sign:strict() })
    assert.is_false(ok)
    assert.matches("must be a plain client, not a strict one", message)
  end)
end)
