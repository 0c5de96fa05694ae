--- Signing jobs on Redis Streams: those who hand them in, and those who do
-- them, any number on any number of machines.
--
-- worker/functions.lua runs inside Redis and keeps what is true of a job; here
-- is the order of things. A job is an upload, a collection and a session. What
-- a step makes is noted in Redis before the next one begins, and that a step
-- begins before anything is sent. A step ends by a deadline of its own, which
-- passes before another worker may take the job over. Nothing yields here
-- within a pcall, so a Redis client may yield.

local call = require "signicat.call"
local core = require "signicat.core"
local options = require "signicat.options"
local sign = require "signicat.sign"

local worker = {}

local PAUSE = 0.1 -- seconds between two attempts to tell Redis
local CLOCKS = 300 -- seconds that Redis's clock and the service's may differ
local LONGEST_DELAY = 300 -- seconds before another attempt

local function redis_failed(name, reason)
  return call.fail(name, { kind = "connect", sent = true,
    note = "Redis did not do it; see `detail`", detail = tostring(reason) })
end

-- -- what both sides have -----------------------------------------------------

local function keys_of(name)
  local tag = "{" .. name .. "}:"
  return { jobs = tag .. "jobs", later = tag .. "later", dead = tag .. "dead",
           results = tag .. "results", job = tag .. "job:" }
end

--- Calls a function of worker/functions.lua about a job.
local function about(self, fn, id, ...)
  local keys = self.keys
  return self.redis:call("FCALL", "signicat_" .. fn, 5, keys.jobs, keys.later,
    keys.dead, keys.results, keys.job .. id, ...)
end

--- A list of fields and values as a table.
local function fields_of(list)
  local fields = {}
  for i = 1, #list, 2 do fields[list[i]] = list[i + 1] end
  return fields
end

local function redis_fault(value)
  local kind = type(value)
  if kind ~= "table" and kind ~= "userdata" or not value.call then
    return "must be an object with a method `call(self, command, ...)`"
  end
end

local function name_fault(value)
  if type(value) ~= "string" or not value:find "^[^{}]+$" then
    return "must be a string that is not empty, without { and }"
  end
end

-- -- handing in ---------------------------------------------------------------

---@class signicat.Queue
local Queue = {}
Queue.__index = Queue

--- A job's document: what of it goes into the payload, and the bytes.
local function file_of(fields)
  local file = fields.file
  if type(file) == "string" then file = { path = file } end
  if type(file) ~= "table" or not file.path == not file.content then
    core.misuse("queue:enqueue: `file` is a path, or a table with `path` or "
      .. "with `content` and `type`")
  end
  return { path = file.path, type = file.type }, file.content
end

--- Hands in a job, once however often it is called with this id.
---@param id string of the job, up to 200 characters: not personal data
---@param fields signicat.SignFields as client:sign takes them; a path is of a
--- file below the workers' `folder`. An externalReference has to be another
--- one in each job; one is made if none is given
---@return boolean? is_new false: there is such a job already
---@return signicat.Error? err `invalid` for a session that the API would
--- refuse; `connect` when Redis failed: call again, the job may be there
function Queue:enqueue(id, fields)
  if type(id) ~= "string" or type(fields) ~= "table" then
    core.misuse("queue:enqueue takes an id, a string, and a table")
  end
  local session = sign.session_of(fields)
  local findings = sign.findings_of(session, {}, core.wall_clock())
  local payload, reason, path
  local file, content = file_of(fields)
  if not findings then
    session.documents, session.file = nil, file
    payload, reason, path = core.json_encode(session)
    if not payload then findings = { { name = path, reason = reason } } end
  end
  if findings then
    return nil, call.fail("queue:enqueue", { kind = "invalid",
      fields = findings, note = "the job was not handed in" })
  end
  local is_new
  if content then
    is_new, reason = about(self, "enqueue", id, id, payload, content)
  else
    is_new, reason = about(self, "enqueue", id, id, payload)
  end
  if is_new == nil then return nil, redis_failed("queue:enqueue", reason) end
  return is_new == 1
end

--- Tells how a job stands.
---@param id string
---@return signicat.JobStatus? status
---@return signicat.Error? err `not_found`: never handed in, or over long ago
function Queue:status(id)
  local list, reason = about(self, "status", id)
  if not list then return nil, redis_failed("queue:status", reason) end
  local status = fields_of(list)
  if not status.state then
    return nil, call.fail("queue:status", { kind = "not_found",
      note = "there is no such job" })
  end
  status.attempts = tonumber(status.attempts or 0)
  status.strays = core.json_decode(status.strays or "[]")
  status.error = status.error and core.json_decode(status.error)
  return status
end

--- Has a job that was given up begin again, from the step it had reached.
---@param id string
---@return boolean? done false: it is not among those given up
---@return signicat.Error? err
function Queue:retry(id)
  local done, reason = about(self, "retry", id, id)
  if done == nil then return nil, redis_failed("queue:retry", reason) end
  return done == 1
end

--- The jobs that were given up, the oldest first.
---@return string[]? ids
---@return signicat.Error? err
function Queue:dead()
  local ids, reason = self.redis:call("ZRANGE", self.keys.dead, 0, -1)
  if not ids then return nil, redis_failed("queue:dead", reason) end
  return ids
end

--- The side that hands jobs in.
---@param redis signicat.RedisClient
---@param name string? of the queue ("sign")
---@return signicat.Queue
function worker.queue(redis, name)
  local fault = redis_fault(redis) or name_fault(name or "sign")
  if fault then core.misuse("worker.queue: what it was given " .. fault) end
  return setmetatable({ redis = redis, keys = keys_of(name or "sign") }, Queue)
end

--- Where worker/functions.lua lies: beside this file.
local function find_functions()
  local source = debug.getinfo(1, "S").source
  return source:gsub("^@", ""):gsub("%.lua$", "") .. "/functions.lua"
end

--- Loads the functions into a Redis server, in place of those of another
--- version. In a cluster every master needs them.
---@param redis signicat.RedisClient
---@return true? done
---@return signicat.Error? err `io` when the file is not beside this one
function worker.load(redis)
  local file, reason = io.open(find_functions(), "rb")
  if not file then
    return nil, call.fail("worker.load", { kind = "io", detail = reason,
      note = "functions.lua cannot be read" })
  end
  local text = file:read "*a"
  file:close()
  local done
  done, reason = redis:call("FUNCTION", "LOAD", "REPLACE", text)
  if not done then return nil, redis_failed("worker.load", reason) end
  return true
end

-- -- the three steps ----------------------------------------------------------

local steps = {}

local ORDER = { "document", "collection", "session" }

-- Where a job has what a step made.
local FIELDS = { document = "documentId", collection = "documentCollectionId",
                 session = "sessionId" }

--- What is wrong with a job's file; all of it may come from another program.
local function file_fault(file, folder)
  if type(file) ~= "table" or file == core.null then return "is no object" end
  if file.type ~= nil and type(file.type) ~= "string" then
    return "has a type that is no string"
  end
  local path = file.path
  if path == nil then return nil end
  if not folder then return "has a path, and this worker no `folder`" end
  if type(path) ~= "string" or path:find "^/" or path:find "%z"
    or ("/" .. path .. "/"):find("/../", 1, true) then
    return "has a path that leads out of the folder"
  end
end

--- Reads a job's payload into `source` and `session`.
local function read_payload(self, job)
  local fields = core.json_decode(job.payload or "")
  local findings
  if type(fields) ~= "table" or fields == core.null then
    findings = { { name = "", reason = "the payload is no JSON object" } }
  else
    local fault = file_fault(fields.file, self.folder)
    if not fault and not (fields.file.path or job.content) then
      fault = "has neither path nor content"
    end
    if fault then findings = { { name = "file", reason = fault } } end
  end
  if not findings then
    job.session = sign.session_of(fields)
    -- Before anything is sent, so that a slip leaves no document behind.
    findings = not job.begun and sign.findings_of(job.session,
      self.client.settings, self.client.wall_clock())
  end
  if findings then
    return nil, call.fail("worker", { kind = "invalid", fields = findings,
      note = "the job cannot be done" })
  end
  local file = fields.file
  job.source = { path = file.path and self.folder .. "/" .. file.path,
                 content = not file.path and job.content or nil,
                 type = file.type }
  local reference = job.session.externalReference
  if reference == nil or reference == core.null then
    job.session.externalReference = job.reference
  end
  return true
end

function steps.document(self, job, opts)
  local document, err = self.client.documents:upload(job.source, opts)
  if not document then return nil, err, err.ambiguous end
  return document.documentId
end

function steps.collection(self, job, opts)
  local collection, err = self.client.collections:create({
    documents = { { documentId = job.documentId } } }, opts)
  if not collection then return nil, err, err.ambiguous end
  return collection.id
end

--- A session that may have been created is looked for, and created only if it
--- surely was not. Its document shows that it is this job's.
function steps.session(self, job, opts, since)
  local sessions, wanted = self.client.sessions, job.session
  if since then
    local found, err = sessions:find({ since = since - CLOCKS,
      externalReference = wanted.externalReference }, opts)
    if found and found.documents[1].documentId == job.documentId then
      return found.id
    end
    if found then
      return nil, call.fail("worker", { kind = "conflict", sent = true,
        note = "another session has this externalReference; each job needs "
          .. "its own" }), true
    end
    if err.kind ~= "not_found" then return nil, err, true end
  end
  sign.set_documents(wanted, job.documentId, job.documentCollectionId)
  local made, err = sessions:create({ wanted }, opts)
  if not made then return nil, err, err.ambiguous end
  return made[1].id
end

-- -- doing --------------------------------------------------------------------

---@class signicat.Worker
local Worker = {}
Worker.__index = Worker

-- What another attempt would not change.
local FINAL = { invalid = true, unsupported = true, too_large = true,
                forbidden = true, not_found = true, conflict = true }

--- Tells Redis about a job until it is heard: at most until another worker may
--- have the job, who then finds out by itself.
local function insist(self, fn, job, ...)
  while true do
    local value, reason = about(self, fn, job.id, ...)
    if value ~= nil then return value end
    if self.client.clock() + PAUSE >= job.ends then
      return nil, redis_failed("worker", reason)
    end
    self.client.sleep(PAUSE)
  end
end

--- What may be kept of an error: nothing that somebody typed in.
local function error_text(err, step)
  return core.json_encode { kind = err.kind, operation = err.operation,
    status = err.status, code = err.code, message = err.message,
    trace_id = err.trace_id, ambiguous = err.ambiguous, step = step,
    fields = err.fields }
end

--- Longer each time, and by chance shorter, so that jobs spread.
local function delay_of(self, job, err)
  local longest = math.min(LONGEST_DELAY,
    self.backoff * 2 ^ (tonumber(job.attempts) - 1))
  local delay = longest * (1 + self.client.random()) / 2
  return math.max(delay, err.retry_after or 0)
end

local function fail(self, job, step, err, open)
  local delay = -1
  local final = FINAL[err.kind] and not err.ambiguous
  if not final and tonumber(job.attempts) < self.attempts then
    delay = math.floor(delay_of(self, job, err) * 1000)
  end
  local stray = step ~= "session" and err.result ~= nil
    and core.resource_id(err.result)
  local told, failure = insist(self, "fail", job, job.entry, job.fence, job.id,
    error_text(err, step), delay, open and 1 or 0, step, stray or "")
  if told == nil then return nil, failure end
  if told == 0 then return job.id, "passed" end
  return job.id, delay < 0 and "dead" or "waiting", err
end

--- Goes through the steps that are not done yet.
local function carry_out(self, job)
  local entry, fence = job.entry, job.fence
  local good, err = read_payload(self, job)
  if not good then return fail(self, job, "check", err, job.begun) end
  local made = {}
  for _, step in ipairs(ORDER) do
    if not job[FIELDS[step]] then
      local began = self.client.clock()
      job.ends = began + self.timeout + self.slack
      local told, failure = insist(self, "step", job, entry, self.consumer,
        fence, step, self.idle, made[1], made[2])
      if told == nil then return nil, failure end
      if not told then return job.id, "passed" end
      local id, open
      id, err, open = steps[step](self, job,
        { deadline = began + self.timeout }, told[1])
      if not id then return fail(self, job, step, err, open) end
      job[FIELDS[step]] = id
      made = { FIELDS[step], id }
    end
  end
  local told, failure = insist(self, "finish", job, entry, fence, job.id,
    self.keep, job.sessionId)
  if told == nil then return nil, failure end
  return job.id, told == 1 and "done" or "passed"
end

--- The entry of the next job and its id, false when there is none.
local function claim(self)
  local redis, keys = self.redis, self.keys
  if not self.has_group then
    local done, reason = redis:call("XGROUP", "CREATE", keys.jobs, "workers",
      "0", "MKSTREAM")
    if not done and not tostring(reason):find "BUSYGROUP" then
      return nil, reason
    end
    self.has_group = true
  end
  local found, reason = redis:call("FCALL", "signicat_claim", 4, keys.jobs,
    keys.later, keys.dead, keys.results, self.consumer, self.idle)
  if found == nil then return nil, reason end
  if found then return found[1], found[2] end
  found, reason = redis:call("XREADGROUP", "GROUP", "workers", self.consumer,
    "BLOCK", self.block, "COUNT", 1, "STREAMS", keys.jobs, ">")
  if not found then return found, reason end
  local read = found[1][2][1]
  return read[1], read[2][2]
end

--- Does one job, if there is one; waits for a short while if there is none.
---@return string|false|nil id of the job; false: there was none
---@return string|signicat.Error|nil state "done", "waiting" for another
--- attempt, "dead", or "passed": it is another's, over, or not to be looked at
--- yet; err when there is no id: Redis failed
---@return signicat.Error? err why the job waits or is dead
function Worker:step()
  local entry, id = claim(self)
  local list, reason = nil, id
  if entry then
    list, reason = about(self, "take", id, entry, self.consumer, id,
      self.attempts)
  end
  if entry == nil or entry and list == nil then
    self.has_group = false
    return nil, redis_failed("worker", reason)
  end
  if not entry then return false end
  if not list then return id, "passed" end
  local job = fields_of(list)
  job.id, job.entry = id, entry
  job.ends = self.client.clock() + self.timeout
  return carry_out(self, job)
end

--- Does jobs until `stop` is called. When Redis fails it waits and goes on.
---@param told fun(id: string?, state: any, err: signicat.Error?)? is called
--- with what `step` returns, except when there was nothing to do
function Worker:run(told)
  while not self.stopped do
    local id, state, err = self:step()
    if told and id ~= false then told(id, state, err) end
    if id == nil then self.client.sleep(1) end
  end
end

--- Has `run` return when the job it does is done; a job that is handed in
--- meanwhile is left to others. A signal handler may call this.
function Worker:stop()
  self.stopped = true
end

local function seconds(value)
  if type(value) ~= "number" or not (value > 0 and value <= 1e6) then
    return "must be a number of seconds above 0"
  end
end

local known = {
  client = function(value)
    if type(value) ~= "table" or not value.sessions then
      return "must be a client, as signicat.new makes it"
    end
  end,
  redis = redis_fault,
  name = name_fault,
  consumer = name_fault,
  folder = function(value)
    if type(value) ~= "string" or value == "" then return "must be a path" end
  end,
  attempts = function(value)
    if type(value) ~= "number" or value < 1 or value % 1 ~= 0 then
      return "must be a whole number above 0"
    end
  end,
  timeout = seconds,
  slack = seconds,
  backoff = seconds,
  block = seconds,
  keep = seconds,
}

--- A name that no other worker has.
local function unique_name()
  local function part() return math.floor(core.random() * 2 ^ 32) end
  return ("%08x%08x%08x"):format(part(), part(), part())
end

--- Makes a worker; nothing is sent.
---@param given signicat.WorkerOptions
---@return signicat.Worker
function worker.new(given)
  options.check(given, known, "worker.new")
  if not (given and given.client and given.redis) then
    core.misuse "worker.new: `client` and `redis` are required"
  end
  local timeout, slack = given.timeout or 120, given.slack or 15
  return setmetatable({
    client = given.client,
    redis = given.redis,
    keys = keys_of(given.name or "sign"),
    consumer = given.consumer or unique_name(),
    folder = given.folder,
    timeout = timeout,
    slack = slack,
    idle = math.ceil((timeout + slack) * 1000),
    attempts = given.attempts or 5,
    backoff = given.backoff or 1,
    block = math.ceil((given.block or 1) * 1000),
    keep = math.ceil(given.keep or 7 * 86400),
  }, Worker)
end

return worker
