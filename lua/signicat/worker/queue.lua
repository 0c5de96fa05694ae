--- Handing in signing jobs, and asking how they stand.

local call = require "signicat.call"
local core = require "signicat.core"
local jobs = require "signicat.worker.jobs"
local options = require "signicat.options"
local sign = require "signicat.sign"

-- The limits of functions.lua, told before anything is sent.
local MAX_ID = 200 -- characters
local MAX_CONTENT = 4 * 1024 * 1024 -- bytes of a document that lies in Redis

-- What of a source a job can carry.
local file_options = { path = options.upload.path, type = options.upload.type,
                       content = options.upload.content }

---@class signicat.Queue
local Queue = {}
Queue.__index = Queue

--- A job's document: what of it goes into the payload, and the bytes.
local function file_of(fields)
  local file = fields.file
  if type(file) == "string" then file = { path = file } end
  if type(file) ~= "table" or not file.path == not file.content
    or file.content and not file.type then
    core.misuse("queue:enqueue: `file` is a path, or a table with `path` or "
      .. "with `content` and `type`")
  end
  options.check(file, file_options, "queue:enqueue: `file`")
  return { path = file.path, type = file.type }, file.content
end

local function limit_findings(id, content)
  if id == "" or #id > MAX_ID then
    return { { name = "id", reason = "must have 1 to 200 characters" } }
  end
  if content and #content > MAX_CONTENT then
    return { { name = "file.content",
               reason = "is above 4 MiB: name a path" } }
  end
end

--- Hands in a job, once however often it is called with this id.
---@param id string of the job, up to 200 characters: not personal data
---@param fields signicat.SignFields as client:sign takes them; of `file` a
--- path below the workers' `folder`, or `content` of up to 4 MiB, each with
--- `type`. An externalReference has to be another one in each job; one is made
--- if none is given
---@return boolean? is_new false: there is such a job already
---@return signicat.Error? err `invalid` for an id or a document that is too
--- long, or a session that the API would refuse; `connect` when Redis failed:
--- call again, the job may be there
function Queue:enqueue(id, fields)
  if type(id) ~= "string" or type(fields) ~= "table" then
    core.misuse("queue:enqueue takes an id, a string, and a table")
  end
  local session = sign.session_of(fields)
  local findings = sign.findings_of(session, {}, core.wall_clock())
  local payload, reason, path
  local file, content = file_of(fields)
  findings = findings or limit_findings(id, content)
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
    is_new, reason = jobs.ask(self, "enqueue", id, id, payload, content)
  else
    is_new, reason = jobs.ask(self, "enqueue", id, id, payload)
  end
  if is_new == nil then return nil, jobs.failed("queue:enqueue", reason) end
  return is_new == 1
end

local function check_id(id, name)
  if type(id) ~= "string" then
    core.misuse(name .. " takes an id, a string, not a " .. type(id))
  end
end

--- Tells how a job stands.
---@param id string
---@return signicat.JobStatus? status
---@return signicat.Error? err `not_found`: never handed in, or over long ago
function Queue:status(id)
  check_id(id, "queue:status")
  local list, reason = jobs.ask(self, "status", id)
  if not list then return nil, jobs.failed("queue:status", reason) end
  local status = jobs.fields_of(list)
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
  check_id(id, "queue:retry")
  local done, reason = jobs.ask(self, "retry", id, id)
  if done == nil then return nil, jobs.failed("queue:retry", reason) end
  return done == 1
end

--- The jobs that were given up, the oldest first.
---@return string[]? ids
---@return signicat.Error? err
function Queue:dead()
  local ids, reason = self.redis:call("ZRANGE", self.keys.dead, 0, -1)
  if not ids then return nil, jobs.failed("queue:dead", reason) end
  return ids
end

return {
  --- The side that hands jobs in; the name has a default.
  new = function(redis, name)
    name = name or "sign"
    local fault = jobs.redis_fault(redis) or jobs.name_fault(name)
    if fault then core.misuse("worker.queue: what it was given " .. fault) end
    return setmetatable({ redis = redis, keys = jobs.keys_of(name) }, Queue)
  end,
}
