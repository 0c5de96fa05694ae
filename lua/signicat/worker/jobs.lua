--- How Redis is asked about jobs: the keys of a queue, the functions of
-- functions.lua, and what a failure of Redis looks like.

local call = require "signicat.call"

local jobs = {}

--- An error for what Redis did not do.
function jobs.failed(name, reason)
  reason = tostring(reason)
  return call.fail(name, { kind = "connect", sent = true, detail = reason,
    note = reason:find("Function not found", 1, true)
      and "Redis has no functions for jobs; load them, worker.load(redis) does"
      or "Redis did not do it; see `detail`" })
end

--- The keys of a queue; that of a job is `job` and its id.
function jobs.keys_of(name)
  local tag = "{" .. name .. "}:"
  return { jobs = tag .. "jobs", later = tag .. "later", dead = tag .. "dead",
           results = tag .. "results", job = tag .. "job:" }
end

--- Calls a function of functions.lua about a job.
---@param self table redis, keys
function jobs.ask(self, fn, id, ...)
  local keys = self.keys
  return self.redis:call("FCALL", "signicat_" .. fn, 5, keys.jobs, keys.later,
    keys.dead, keys.results, keys.job .. id, ...)
end

--- A list of fields and values as a table.
function jobs.fields_of(list)
  local fields = {}
  for i = 1, #list, 2 do fields[list[i]] = list[i + 1] end
  return fields
end

--- What is wrong with a client of Redis, or with a name.
function jobs.redis_fault(value)
  local kind = type(value)
  if kind ~= "table" and kind ~= "userdata" or not value.call then
    return "must be an object with a method `call(self, command, ...)`"
  end
end

function jobs.name_fault(value)
  if type(value) ~= "string" or not value:find "^[^{}]+$" then
    return "must be a string that is not empty, without { and }"
  end
end

return jobs
