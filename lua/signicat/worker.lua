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
local jobs = require "signicat.worker.jobs"
local options = require "signicat.options"
local queue = require "signicat.worker.queue"
local steps = require "signicat.worker.steps"
local strict = require "signicat.strict"

local worker = {}

local PAUSE = 0.1 -- seconds between two attempts to tell Redis
local LONGEST_DELAY = 300 -- seconds before another attempt

--- The side that hands jobs in.
---@param redis signicat.RedisClient
---@param name string? of the queue ("sign")
---@return signicat.Queue
function worker.queue(redis, name)
  return queue.new(redis, name)
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
  local fault = jobs.redis_fault(redis)
  if fault then core.misuse("worker.load: what it was given " .. fault) end
  local file, reason = io.open(find_functions(), "rb")
  if not file then
    return nil, call.fail("worker.load", { kind = "io", detail = reason,
      note = "functions.lua cannot be read" })
  end
  local text = file:read "*a"
  file:close()
  local done
  done, reason = redis:call("FUNCTION", "LOAD", "REPLACE", text)
  if not done then return nil, jobs.failed("worker.load", reason) end
  return true
end

-- -- doing jobs ---------------------------------------------------------------

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
    local value, reason = jobs.ask(self, fn, job.id, ...)
    if value ~= nil then return value end
    if self.client.clock() + PAUSE >= job.ends then
      return nil, jobs.failed("worker", reason)
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
  local good, err = steps.read(self, job)
  if not good then return fail(self, job, "check", err, job.begun) end
  local made = {}
  for _, step in ipairs(steps.order) do
    if not job[steps.fields[step]] then
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
      job[steps.fields[step]] = id
      made = { steps.fields[step], id }
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
    list, reason = jobs.ask(self, "take", id, entry, self.consumer, id,
      self.attempts)
  end
  if entry == nil or entry and list == nil then
    self.has_group = false
    return nil, jobs.failed("worker", reason)
  end
  if not entry then return false end
  if not list then return id, "passed" end
  local job = jobs.fields_of(list)
  job.id, job.entry = id, entry
  job.ends = self.client.clock() + self.timeout
  return carry_out(self, job)
end

--- Does jobs until `stop` is called, or with `stop_on_signals` until SIGTERM
--- or SIGINT comes. When Redis fails it waits and goes on.
---@param told fun(id: string?, state: any, err: signicat.Error?)? is called
--- with what `step` returns, except when there was nothing to do
---@return boolean signalled whether a signal came
function Worker:run(told)
  -- If an error comes through here, the collector lets go of the signals.
  local signals = self.stop_on_signals and core.hold_signals()
  while not (self.stopped or signals and signals:came()) do
    local id, state, err = self:step()
    if told and id ~= false then told(id, state, err) end
    if id == nil then self.client.sleep(1) end
  end
  return signals and signals:release() or false
end

--- Has `run` return when the job it does is done; a job that is handed in
--- meanwhile is left to others.
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
    if strict.is_strict(value) then
      return "must be a plain client, not a strict one"
    end
  end,
  redis = jobs.redis_fault,
  name = jobs.name_fault,
  consumer = jobs.name_fault,
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
  stop_on_signals = function(value)
    if type(value) ~= "boolean" then return "must be true or false" end
  end,
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
    keys = jobs.keys_of(given.name or "sign"),
    consumer = given.consumer or unique_name(),
    folder = given.folder,
    timeout = timeout,
    slack = slack,
    idle = math.ceil((timeout + slack) * 1000),
    attempts = given.attempts or 5,
    backoff = given.backoff or 1,
    block = math.ceil((given.block or 1) * 1000),
    keep = math.ceil(given.keep or 7 * 86400),
    stop_on_signals = given.stop_on_signals,
  }, Worker)
end

return worker
