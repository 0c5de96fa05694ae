-- waits.lua: what the client is measured with: GETs of a session while other
-- tasks wait.
--
--   waits.lua sleep|call COUNT BASE_URL WAITING
--
-- WAITING tasks sleep, or wait for an answer that does not come.

local answers = require "spec.bench.answers"
local signicat = require "signicat"

package.cpath = "build/5.4/spec/?.so;" .. package.cpath
local mark = require "mark"

local kind, count, base_url, waiting = ...
waiting = math.tointeger(waiting)

local client = assert(signicat.new { base_url = base_url, token = "bench",
                                     timeout = 3600 })
local loop = client.transport.loop
local begun = 0

local wait = {}

function wait.sleep()
  client.sleep(1e6)
end

function wait.call()
  error(select(2, client:request("GET", "/never")))
end

for _ = 1, waiting do
  client:async(function()
    begun = begun + 1
    wait[kind]()
  end)
end
while begun < waiting or kind == "call" and loop.multi:running() < waiting do
  assert(not loop.unclaimed.first, "a call was answered")
  client:step()
end
assert(client.sessions:get(answers.id))
collectgarbage()
mark() -- what was before is not counted, nor is an end
for _ = 1, count do assert(client.sessions:get(answers.id)) end
os.exit(true)
