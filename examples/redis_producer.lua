-- Hands in a job for examples/redis_worker.lua; only that one knows whether
-- SIGNICAT_LIVE=1. Run it again to see how the job stands: it stays one job.
--
--     lua examples/redis_producer.lua [HOST:PORT [ID]]

local must = require "examples.support".must
local worker = require "signicat.worker"

local redis = require "signicat.redis".new {
  nodes = { arg[1] or "127.0.0.1:6379" } }
must(worker.load(redis)) -- once for a server would do

local id = arg[2] or "lease-17"
local queue = worker.queue(redis)
local is_new, err = queue:enqueue(id, {
  file = "lease.pdf", -- below the workers' folder
  title = "Lease 17",
  signingSetup = { { signingFlow = "AUTHENTICATION_BASED" } },
})
if is_new == nil then must(nil, err) end
print(id, is_new and "handed in" or "was handed in before")

local status = must(queue:status(id))
print("state", status.state, status.sessionId or "")
for _, stray in ipairs(status.strays) do
  print("may be left", stray.step, stray.id or "")
end
if status.error then print("because", status.error.message) end
redis:close()
