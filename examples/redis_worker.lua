-- Runs on a local sandbox, for one job; on the real service, until it is
-- ended, only with SIGNICAT_LIVE=1 and credentials. Any number may run.
--
--     lua examples/redis_worker.lua [HOST:PORT]

local support = require "examples.support"

local sign, service = support.client()
local one = require "signicat.worker".new {
  client = sign,
  redis = require "signicat.redis".new {
    nodes = { arg[1] or "127.0.0.1:6379" } },
  folder = "examples",
  stop_on_signals = true, -- SIGTERM and Ctrl-C let it do the job in hand
}

-- `id` is nil when Redis failed: it is asked again after a moment. Whatever
-- else ends this program, the job in hand is gone on with by another worker.
one:run(function(id, state, err)
  print(id or "Redis", tostring(state), err and tostring(err) or "")
  if service and state == "done" then one:stop() end
end)
sign:close()
