-- worker_steps_spec.lua: what a job may ask for, and the steps whose outcome
-- is not certain.

local core = require "signicat.core"
local offices = require "spec.support.office"
local worker = require "signicat.worker"

local office, queue, redis, service, sign

setup(function()
  office = offices.open()
  queue, redis = office.queue, office.redis
  service, sign = office.service, office.sign
end)

teardown(function() office:close() end)
before_each(function() office:clear() end)

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
    ["a reference that is no string"] =
      '{"title":"t","externalReference":7,"file":{"path":"lease.pdf"}}',
    ["no title"] = '{"file":{"path":"lease.pdf"}}',
    ["a field that is not known"] =
      '{"title":"t","titel":"t","file":{"path":"lease.pdf"}}',
    ["documents of its own"] =
      '{"title":7,"documents":[],"file":{"path":"lease.pdf"}}',
  } do
    it("is given up unsent when it is or has " .. name, function()
      assert.equal(1, hand_in("j1", payload))
      local id, state, err = office:worker():step()
      assert.same({ "j1", "dead" }, { id, state })
      assert.equal("invalid", err.kind)
      assert.equal("invalid", queue:status "j1".error.kind)
      assert.same({ "j1" }, queue:dead())
      assert.equal(0, office:count "uploadDocument")
    end)
  end

  it("with content and no type is given up", function()
    hand_in("j1", '{"title":"t","file":{}}', "bytes")
    local id, state, err = office:worker():step()
    assert.same({ "j1", "dead", "invalid" }, { id, state, err.kind })
  end)

  it("is done when it is right", function()
    hand_in("j1", '{"title":"t","file":{"type":"text/plain"},"signingSetup":'
      .. '[{"signingFlow":"AUTHENTICATION_BASED"}]}', "bytes")
    assert.equal("done", office:work "j1")
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
      office:faults { operation = operation, fault = fault }
      assert(queue:enqueue("j1", office.job()))
      assert.equal("done", office:work "j1")
      assert.equal(2, office:count(operation))
      assert.same({ { step = step } }, queue:status "j1".strays)
    end)
  end

  it("is told with its id where that is known", function()
    office:faults { operation = "uploadDocument", fault = "wrong_hash" }
    assert(queue:enqueue("j1", office.job()))
    assert.equal("done", office:work "j1")
    local strays = queue:status "j1".strays
    assert.equal(1, #strays)
    assert.equal("document", strays[1].step)
    assert.is_not.equal(strays[1].id, queue:status "j1".documentId)
    assert(sign.documents:delete(strays[1].id))
  end)

  it("is told of a job that was given up, once", function()
    office:faults { operation = "uploadDocument", fault = "lost_answer" }
    assert(queue:enqueue("j1", office.job()))
    assert.equal("dead", office:work("j1", office:worker { attempts = 1 }))
    assert.same({ { step = "document" } }, queue:status "j1".strays)
    assert(queue:retry "j1")
    assert.equal("done", office:work "j1")
    assert.same({ { step = "document" } }, queue:status "j1".strays)
  end)
end)

describe("a session whose create is ambiguous", function()
  local function is_made_once(fault, creates, client)
    office:faults(fault)
    assert(queue:enqueue("j1", office.job()))
    local one = office:worker { client = client }
    local _, state, err = one:step()
    assert.equal("waiting", state)
    assert.is_true(err.ambiguous)
    assert.is_true(queue:status "j1".error.ambiguous)
    -- The service may still be about to carry it out.
    while creates == 1 and office:sessions().total == 0 do core.sleep(0.01) end
    assert.equal("done", office:work("j1", one))
    assert.equal(creates, office:count "createSigningSession")
    local page = office:sessions()
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

  it("is looked for by a reference of the queue's when the job's is empty",
    function()
      office:faults { operation = "createSigningSession",
                      fault = "lost_answer" }
      assert(queue:enqueue("j1", office.job { externalReference = "" }))
      assert.equal("done", office:work "j1")
      assert.equal(1, office:count "createSigningSession")
      assert.matches("^j1@", office:sessions().data[1].externalReference)
    end)

  it("is found, not created again: slow", function()
    -- In time with all but that one answer.
    local function create(_, list, opts)
      return sign:with { first_byte_timeout = 0.2 }.sessions:create(list, opts)
    end
    local sessions = setmetatable({ create = create, find = function(_, ...)
      return sign.sessions:find(...)
    end }, { __index = sign.sessions })
    is_made_once({ operation = "createSigningSession", fault = "slow",
                   milliseconds = 60000 }, 1,
      setmetatable({ sessions = sessions }, { __index = sign }))
  end)

  it("is created when it surely was not", function()
    is_made_once({ operation = "createSigningSession", fault = "status",
                   status = 503 }, 2)
  end)

  it("is not looked for when it surely failed", function()
    office:faults { operation = "createSigningSession", fault = "status",
                    status = 429 }
    assert(queue:enqueue("j1", office.job()))
    local one = office:worker()
    assert.equal("waiting", select(2, one:step()))
    assert.equal("done", office:work("j1", one))
    assert.equal(0, office:count "listSigningSessions")
  end)

  it("is not looked for before its outcome is certain", function()
    office:faults { operation = "createSigningSession", fault = "lost_answer" }
    assert(queue:enqueue("j1", office.job()))
    local one = office:worker { timeout = 500 }
    assert.equal("waiting", select(2, one:step()))
    core.sleep(0.05)
    assert.same({ "j1", "passed" }, { one:step() })
    assert.equal("waiting", queue:status "j1".state)
    assert.equal(1, queue:status "j1".attempts)
    assert.equal(0, office:count "listSigningSessions")
  end)

  it("is not created while nobody can look", function()
    office:faults({ operation = "createSigningSession", fault = "lost_answer" },
      { operation = "listSigningSessions", fault = "status", status = 500,
        times = 3 })
    assert(queue:enqueue("j1", office.job()))
    local impatient = assert(service:client { retries = 0 })
    assert.equal("done", office:work("j1",
      office:worker { client = impatient, attempts = 9 }))
    impatient:close()
    assert.equal(4, office:count "listSigningSessions")
    assert.equal(1, office:count "createSigningSession")
    assert.equal(1, office:sessions().total)
  end)

  it("given up is looked for by whoever retries", function()
    office:faults { operation = "createSigningSession", fault = "lost_answer" }
    assert(queue:enqueue("j1", office.job()))
    local one = office:worker { attempts = 1 }
    assert.equal("dead", office:work("j1", one))
    assert.is_true(queue:status "j1".error.ambiguous)
    assert(queue:retry "j1")
    assert.equal("done", office:work("j1", one))
    assert.equal(1, office:sessions().total)
  end)

  it("is not mistaken for another job's with the same reference", function()
    assert(queue:enqueue("j1", office.job { externalReference = "same" }))
    assert.equal("done", office:work "j1")
    office:faults { operation = "createSigningSession", fault = "status",
                    status = 503 }
    assert(queue:enqueue("j2", office.job { externalReference = "same" }))
    local state, err = office:work "j2"
    assert.equal("dead", state)
    assert.equal("conflict", err.kind)
    assert.matches("each job needs its own", err.message)
  end)
end)
