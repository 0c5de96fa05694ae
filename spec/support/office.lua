-- office.lua: what a queue of signing jobs needs: a sandbox and a client of
-- it, a Redis with our functions, and workers.

local sandbox = require "signicat.sandbox"
local servers = require "spec.support.redis"
local worker = require "signicat.worker"

local office = {}
office.__index = office

function office.open()
  local self = setmetatable({ service = assert(sandbox.start()),
                              server = servers.start() }, office)
  self.sign = assert(self.service:client())
  self.redis = self.server:client()
  assert(worker.load(self.redis))
  self.queue = worker.queue(self.redis)
  return self
end

function office:close()
  self.sign:close()
  self.redis:close()
  self.server:stop()
  self.service:stop()
end

-- As it was in the beginning.
function office:clear()
  assert(self.redis:call "FLUSHALL")
  assert(self.service:reset())
  assert(self.sign.sessions:list()) -- with a new token
  assert(self.service:clear_journal())
end

-- The fields of a job that is good.
function office.job(more)
  local job = { title = "Lease", file = { content = "To be signed",
                                          type = "text/plain" } }
  for name, value in pairs(more or {}) do job[name] = value end
  return job
end

function office:worker(more)
  local given = { client = self.sign, redis = self.redis, timeout = 60,
    slack = 0.1, backoff = 0.01, block = 0.01, folder = "examples" }
  for name, value in pairs(more or {}) do given[name] = value end
  return worker.new(given)
end

-- As if workers had been silent for so many seconds more.
function office:silence(seconds)
  local redis = self.redis
  local pending = redis:call("XPENDING", "{sign}:jobs", "workers", "-", "+",
    10)
  for _, entry in ipairs(pending or {}) do
    assert(redis:call("XCLAIM", "{sign}:jobs", "workers", entry[2], 0,
      entry[1], "IDLE", entry[3] + seconds * 1000, "JUSTID"))
  end
end

-- As if all that has to be waited for had passed: the silence of workers, the
-- pause before another attempt, the outcome of a create.
function office:wait()
  local redis = self.redis
  self:silence(1e4)
  for _, id in ipairs(redis:call("ZRANGE", "{sign}:later", 0, -1)) do
    assert(redis:call("ZADD", "{sign}:later", 0, id))
  end
  for _, key in ipairs(redis:call("KEYS", "{sign}:job:*")) do
    assert(redis:call("HDEL", key, "look_at"))
  end
end

-- Has a worker, a new one or this one, work until a job is over; what its
-- last step returned.
function office:work(id, one)
  one = one or self:worker()
  for _ = 1, 20 do
    self:wait()
    local done, state, err = one:step()
    if done == id and (state == "done" or state == "dead") then
      return state, err
    end
  end
  error("the job is not done")
end

function office:sessions()
  return assert(self.sign.sessions:list())
end

-- How many requests of an operation the sandbox has seen.
function office:count(operation)
  return #assert(self.service:journal { operation = operation })
end

function office:faults(...)
  assert(self.service:faults { ... })
end

return office
