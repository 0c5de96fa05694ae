-- killing.lua: jobs, workers that are killed at every step, a service and a
-- Redis that fail; and what must hold in the end.

local busted = require "busted"
local core = require "signicat.core"
local helper = require "spec.helper"
local luassert = require "luassert"
local offices = require "spec.support.office"
local signicat = require "signicat"

local killing = {}

-- Where spec/support/signer.lua can be killed, or stopped for a while.
killing.points = { "read", "taken", "upload begun", "uploading", "uploaded",
  "collect begun", "collecting", "collected", "creat begun", "creating",
  "created", "finished", "anywhere", "read, stopped", "upload begun, stopped",
  "creat begun, stopped", "created, stopped" }

local WORKERS = 4
local OPEN = 20 -- jobs that are handed in and not done
local OPERATIONS = { "uploadDocument", "createDocumentCollection",
                     "createSigningSession" }

-- What goes wrong at the service: every so many requests each of these, of
-- each operation in turn.
local FAULTS = {
  { fault = "status", status = 503 },
  { fault = "status", status = 503, retry_after = 0 },
  { fault = "lost_answer" },
  { fault = "cut" },
  { fault = "reset" },
}

local function script(service, jobs)
  local rules = {}
  for o, operation in ipairs(OPERATIONS) do
    for at = 0, jobs - 1, 8 do
      local rule = { operation = operation, skip = 7 }
      for name, value in pairs(FAULTS[(at / 8 + o) % #FAULTS + 1]) do
        rule[name] = value
      end
      rules[#rules + 1] = rule
    end
  end
  assert(service:faults(rules))
  return #rules
end

-- Keeps four workers alive until `is_done`, which is told whether all points of
-- the plan were met: first workers with one each, after that others. `met`
-- counts by point.
local function work(signer, plan, met, is_done)
  local alive, doomed = {}, 0
  repeat
    for i = 1, WORKERS do
      if not alive[i] and (plan[1] or doomed == 0) then
        local point = table.remove(plan, 1)
        if point then doomed = doomed + 1 end
        alive[i] = signer(point)
      end
      local line, why = nil, nil
      if alive[i] then line, why = alive[i]:read_line(0.01) end
      local point = (line or ""):match "^meets (.+)"
      assert(point or not line, line)
      if point then
        met[point] = (met[point] or 0) + 1
        doomed = doomed - 1
      elseif why == "end" then
        alive[i]:stop()
        alive[i] = nil
      end
    end
  until is_done(not plan[1] and doomed == 0)
  for i = 1, WORKERS do
    if alive[i] then alive[i]:kill() end
  end
end

-- Does `jobs` jobs, with each point met `rounds` times, or more jobs if that
-- takes more; returns all that a spec asserts on.
function killing.run(jobs, rounds)
  local office = offices.open()
  local queue, redis = office.queue, office.redis
  local server, service = office.server, office.service
  local rules = script(service, jobs)

  local plan, met, restarts, handed_in = {}, {}, 0, 0
  for _ = 1, rounds do
    for _, point in ipairs(killing.points) do plan[#plan + 1] = point end
  end
  local function signer(point)
    local words = { "spec/support/signer.lua", server.address, service.url,
                    service.client_id, service.client_secret, point }
    return assert(core.spawn(helper.lua, words))
  end

  -- While others are done; what fails is asked again. A point that nobody has
  -- met when all are done gets another one.
  local ended = 0
  local function hand_in(are_met)
    while handed_in < math.min(jobs, ended + OPEN)
      or not are_met and handed_in == ended do
      local name = "job-" .. handed_in + 1
      local is_new, err = queue:enqueue(name, { title = name, file = {
        content = "To be signed: " .. name, type = "text/plain" } })
      assert(is_new ~= nil or err.kind == "connect", err)
      if is_new == nil then return end
      handed_in = handed_in + 1
    end
  end

  local began = core.now()
  work(signer, plan, met, function(are_met)
    hand_in(are_met)
    ended = redis:call("XLEN", "{sign}:results") or ended
    if ended >= (restarts + 1) * jobs / 4 and restarts < 3 then
      redis:close()
      server:kill()
      restarts = restarts + 1
      server:start_again()
    end
    assert(core.now() - began < 300 + jobs, "the jobs do not end")
    return are_met and ended == handed_in and restarts == 3
  end)

  local seen = { met = met, jobs = handed_in, restarts = restarts,
                 rules = rules,
                 rules_left = #assert(service:faults_left()),
                 statuses = {}, results = {}, sessions = {}, made = {} }
  for i = 1, handed_in do
    seen.statuses[i] = assert(queue:status("job-" .. i))
  end
  for _, entry in ipairs(redis:call("XRANGE", "{sign}:results", "-", "+")) do
    seen.results[#seen.results + 1] = entry[2]
  end
  for session, err in office.sign.sessions:each() do
    assert(session, err)
    seen.sessions[#seen.sessions + 1] = { id = session.id,
      title = session.title, reference = session.externalReference }
  end
  -- What was carried out: also what nobody was told of.
  for _, operation in ipairs(OPERATIONS) do
    local made = 0
    for _, request in ipairs(assert(service:journal {
      operation = operation })) do
      local status = request.status
      if request.fault == "lost_answer" or request.fault == "cut"
        or status ~= signicat.null and status < 300 then
        made = made + 1
      end
    end
    seen.made[operation] = made
  end
  seen.left = { redis:call("XLEN", "{sign}:jobs"),
    redis:call("ZCARD", "{sign}:later"), redis:call("ZCARD", "{sign}:dead"),
    redis:call("XPENDING", "{sign}:jobs", "workers")[1] }
  office:close()
  return seen
end

-- What must hold of it, as specs of one `describe`.
function killing.specs(jobs, rounds)
  local it, assert = busted.it, luassert
  local seen

  busted.setup(function() seen = killing.run(jobs, rounds) end)

  it("are done, each once", function()
    local told = {}
    for _, result in ipairs(seen.results) do
      assert.equal("done", result[4])
      assert.is_nil(told[result[2]], result[2])
      told[result[2]] = true
    end
    assert.equal(seen.jobs, #seen.results)
    for _, status in ipairs(seen.statuses) do
      assert.equal("done", status.state)
    end
    assert.same({ 0, 0, 0, 0 }, seen.left)
  end)

  it("have one session each, the one they tell", function()
    local ids = {}
    for _, session in ipairs(seen.sessions) do
      assert.is_nil(ids[session.title], session.title)
      ids[session.title] = session.id
      assert.equal(session.title, session.reference:match "^(.*)@")
    end
    assert.equal(seen.jobs, #seen.sessions)
    for _, status in ipairs(seen.statuses) do
      assert.equal(status.sessionId, ids[status.id])
    end
    assert.equal(seen.jobs, seen.made.createSigningSession)
  end)

  it("tell each document and collection that was made in vain", function()
    local told = { document = 0, collection = 0 }
    for _, status in ipairs(seen.statuses) do
      for _, stray in ipairs(status.strays) do
        told[stray.step] = told[stray.step] + 1
      end
    end
    local documents = seen.made.uploadDocument - seen.jobs
    local collections = seen.made.createDocumentCollection - seen.jobs
    assert.is_true(documents > 0 and documents <= told.document)
    assert.is_true(collections > 0 and collections <= told.collection)
  end)

  it("saw workers killed or stopped at every point, Redis restarted, faults",
    function()
      for _, point in ipairs(killing.points) do
        assert.equal(rounds, seen.met[point], point)
      end
      assert.equal(3, seen.restarts)
      assert.is_true(seen.rules_left < seen.rules / 2)
    end)
end

return killing
