-- worker_spec.lua: jobs, a queue and workers, with a real Redis and the
-- sandbox. What happens when one ends in the middle is in
-- worker_functions_spec.lua.

local core = require "signicat.core"
local helper = require "spec.helper"
local offices = require "spec.support.office"
local servers = require "spec.support.redis"
local signicat = require "signicat"
local worker = require "signicat.worker"

local office, queue, redis, service, sign

setup(function()
  office = offices.open()
  queue, redis = office.queue, office.redis
  service, sign = office.service, office.sign
end)

teardown(function() office:close() end)
before_each(function() office:clear() end)

describe("a job", function()
  it("is an upload, a collection and a session", function()
    assert.is_true(queue:enqueue("j1", office.job { file = "lease.pdf" }))
    assert.equal("queued", queue:status "j1".state)
    assert.same({ "j1", "done" }, { office:worker():step() })
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
    for i = 1, 3 do assert(queue:enqueue("j" .. i, office.job())) end
    local one = office:worker()
    for i = 1, 3 do assert.same({ "j" .. i, "done" }, { one:step() }) end
    assert.is_false(one:step())
    assert.equal(3, office:sessions().total)
  end)

  it("is one job however often it is handed in", function()
    assert.is_true(queue:enqueue("j1", office.job()))
    assert.is_false(queue:enqueue("j1", office.job()))
    assert.equal("done", office:work "j1")
    assert.is_false(queue:enqueue("j1", office.job()))
    assert.is_false(office:worker():step())
    assert.equal(1, office:sessions().total)
  end)

  it("leaves neither document nor payload when it is done, and is forgotten "
    .. "in time", function()
    assert(queue:enqueue("j1", office.job()))
    assert.equal("done", office:work("j1", office:worker { keep = 1000 }))
    local key = "{sign}:job:j1"
    assert.same({ false, false },
      redis:call("HMGET", key, "payload", "content"))
    local left = redis:call("TTL", key)
    assert.is_true(left > 0 and left <= 1000)
    assert.equal(0, redis:call("XLEN", "{sign}:jobs"))
  end)

  it("carries bytes of any kind in Redis, up to 4 MiB", function()
    local bytes = ("\0\r\n\255"):rep(2 ^ 20)
    assert(queue:enqueue("j1", office.job { file = { content = bytes,
                                                 type = "text/plain" } }))
    assert.equal("done", office:work "j1")
    assert.is_true(
      sign.documents:download(queue:status "j1".documentId) == bytes)
    local is_new, err = queue:enqueue("j2", office.job { file = {
      content = bytes .. "x", type = "text/plain" } })
    assert.is_nil(is_new)
    assert.equal("invalid", err.kind)
    assert.matches("file.content is above 4 MiB: name a path", err.message)
    assert.equal("not_found", select(2, queue:status "j2").kind)
  end)

  it("gives its session a reference of its own, or keeps the caller's",
    function()
      assert(queue:enqueue("j1", office.job()))
      assert(queue:enqueue("j2", office.job { externalReference = "mine" }))
      local one = office:worker()
      office:work("j1", one)
      office:work("j2", one)
      local first = sign.sessions:get(queue:status "j1".sessionId)
      assert.matches("^j1@%d+%-%d+$", first.externalReference)
      local second = sign.sessions:get(queue:status "j2".sessionId)
      assert.equal("mine", second.externalReference)
    end)

  it("is announced in the stream of results", function()
    assert(queue:enqueue("good", office.job()))
    assert(queue:enqueue("bad", office.job { file = "absent.pdf" }))
    local one = office:worker { attempts = 1 }
    assert.equal("done", office:work("good", one))
    assert.equal("dead", office:work("bad", one))
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
    for _, file in ipairs { false, {}, { path = "a", content = "b" },
      { path = "a", offset = 1 }, { content = "a" } } do
      local ok, message = pcall(function()
        queue:enqueue("j1", office.job { file = file })
      end)
      assert.is_false(ok)
      assert.matches("worker_spec%.lua:%d+: queue:enqueue: `file`", message)
    end
  end)

  it("is asked about ids, which are strings", function()
    for _, name in ipairs { "status", "retry" } do
      local ok, message = pcall(function() return (queue[name](queue)) end)
      assert.is_false(ok)
      assert.matches("worker_spec%.lua:%d+: queue:" .. name .. " takes an id",
        message)
    end
  end)

  it("refuses an id that nobody could hand in", function()
    for _, id in ipairs { "", ("x"):rep(201) } do
      local is_new, err = queue:enqueue(id, office.job())
      assert.same({ nil, "invalid", "id" },
        { is_new, err.kind, err.fields[1].name })
    end
    assert(queue:enqueue(("x"):rep(200), office.job()))
  end)

  it("tells when Redis has no functions, and what has them", function()
    assert(redis:call("FUNCTION", "FLUSH"))
    finally(function() assert(worker.load(redis)) end)
    local _, err = queue:enqueue("j1", office.job())
    assert.matches("worker.load(redis)", err.message, 1, true)
  end)

  it("tells when Redis failed, and its id makes another call harmless",
    function()
      local is_new, err = worker.queue { call = function()
        return nil, "closed"
      end }:enqueue("j1", office.job())
      assert.is_nil(is_new)
      assert.equal("connect", err.kind)
      assert.is_true(err.retryable)
    end)
end)

describe("a failed step", function()
  it("is tried again, from where it was", function()
    office:faults { operation = "createDocumentCollection", fault = "status",
                    status = 500 }
    assert(queue:enqueue("j1", office.job()))
    local one = office:worker()
    local id, state, err = one:step()
    assert.same({ "j1", "waiting" }, { id, state })
    assert.equal(500, err.status)
    assert.equal("collection", queue:status "j1".error.step)
    assert.equal("done", office:work("j1", one))
    local status = queue:status "j1"
    assert.equal(2, status.attempts)
    assert.is_nil(status.error)
    assert.equal(1, office:count "uploadDocument")
    -- A 500 does not say whether the collection was made.
    assert.same({ { step = "collection" } }, status.strays)
  end)

  it("is given up after so many attempts, and goes on when told to",
    function()
      office:faults { operation = "createDocumentCollection", fault = "status",
                      status = 429, times = 2 }
      assert(queue:enqueue("j1", office.job()))
      local one = office:worker { attempts = 2 }
      assert.equal("dead", office:work("j1", one))
      assert.same({ "j1" }, queue:dead())
      assert.equal("rate_limit", queue:status "j1".error.kind)
      assert.is_true(queue:retry "j1")
      assert.is_false(queue:retry "j1")
      assert.same({}, queue:dead())
      assert.equal("done", office:work("j1", one))
      assert.equal(1, office:count "uploadDocument")
      assert.same({}, queue:status "j1".strays)
      assert.is_false(queue:retry "j1")
    end)

  it("is given up at once when another attempt would change nothing",
    function()
      office:faults { operation = "createSigningSession", fault = "status",
                      status = 422 }
      assert(queue:enqueue("j1", office.job()))
      assert.equal("dead", select(2, office:worker():step()))
      assert.equal(422, queue:status "j1".error.status)
    end)

  it("waits as long as the service says", function()
    office:faults { operation = "uploadDocument", fault = "status",
                    status = 429, retry_after = 500 }
    assert(queue:enqueue("j1", office.job()))
    local before = redis:call "TIME"[1]
    assert.equal("waiting", select(2, office:worker():step()))
    local entry = redis:call("ZRANGE", "{sign}:later", 0, -1, "WITHSCORES")
    assert.equal("j1", entry[1])
    assert.is_true(entry[2] / 1000 >= before + 500)
  end)

  it("keeps nothing of an error that somebody may have typed in", function()
    office:faults { operation = "createSigningSession", fault = "status",
                    status = 400 }
    assert(queue:enqueue("j1", office.job()))
    assert.equal("dead", select(2, office:worker():step()))
    local kept = queue:status "j1".error
    assert.is_nil(kept.detail)
    assert.is_string(kept.message)
  end)
end)

describe("worker:run", function()
  it("ends with the job in hand when it is told to stop", function()
    for i = 1, 3 do assert(queue:enqueue("j" .. i, office.job())) end
    local one, told = office:worker(), {}
    one:run(function(id, state)
      told[#told + 1] = id .. " " .. state
      if #told == 2 then one:stop() end
    end)
    assert.same({ "j1 done", "j2 done" }, told)
    assert.equal("queued", queue:status "j3".state)
    assert.equal("done", office:work "j3")
  end)

  it("waits for Redis and goes on, also when all was lost", function()
    local patient = assert(service:client { sleep = function(seconds)
      core.sleep(math.min(seconds, 0.05))
    end })
    local other = servers.start()
    local theirs = other:client()
    local jobs = worker.queue(theirs)
    local one = office:worker { redis = theirs, client = patient }
    local failed, done = 0, 0
    assert(worker.load(theirs))
    assert(jobs:enqueue("j1", office.job()))
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
          assert(jobs:enqueue("j2", office.job()))
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
      for i = 1, 3 do assert(there:enqueue("j" .. i, office.job())) end
      local one = office:worker { redis = both }
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
      assert.equal(3, office:sessions().total)
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
      assert.is_true(jobs:enqueue("j1", office.job()))
      local one = office:worker { redis = nodes[i % 3 + 1]:client(),
                              name = "queue-" .. i }
      assert.equal("done", office:work("j1", one))
      assert.equal("done", jobs:status "j1".state)
      client:close()
    end
    nodes:stop()
    assert.equal(3, office:sessions().total)
  end)

  it("yields where its Redis client does", function()
    assert(queue:enqueue("j1", office.job()))
    local one = office:worker { redis = { call = function(_, ...)
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
    assert(other:enqueue("j1", office.job()))
    assert.is_false(office:worker():step())
    assert.equal("not_found", select(2, queue:status "j1").kind)
    assert.equal("done", office:work("j1", office:worker { name = "other" }))
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
    local ok, message = pcall(office.worker, office,
      { client = sign:strict() })
    assert.is_false(ok)
    assert.matches("must be a plain client, not a strict one", message)
  end)
end)
