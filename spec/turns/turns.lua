--- Takes turns and marks each: lua turns.lua URL WAY TASKS PATH
--
-- One task does something, `get`, `read`, `upload` or `download`, while so
-- many more wait; PATH is the file that goes up, or comes down. The same is
-- done once before, so that what a first time costs is not counted.

local mark = require "mark"
local signicat = require "signicat"

local url, way, tasks, path = ...
local ID = "d1234567-89ab-cdef-0123-456789abcdef"

local sign = assert(signicat.new { base_url = url, token = "t", retries = 0 })
local loop = sign.transport.loop
local act = {}

function act.get()
  for _ = 1, 5 do assert(sign.sessions:get(ID)) end
end

function act.read()
  assert(sign:request("GET", "/signing-sessions"))
end

function act.upload()
  assert(sign.documents:upload { path = path, type = "text/plain" })
end

function act.download()
  assert(sign.documents:download(ID, { to = path, overwrite = true }))
end

for _ = 1, tonumber(tasks) do
  sign:async(function()
    sign.sessions:wait(ID, { timeout = 1e6, first_delay = 1e5,
                             max_delay = 1e5 })
  end)
end
while loop.sleepers.count < tonumber(tasks) do sign:step(0.01) end

local warm = sign:async(act[way])
while not warm:done() do loop:turn(1) end

collectgarbage()
collectgarbage "stop"
sign.sessions:get(ID) -- the allocator tidies up behind the collector
local task = sign:async(act[way])
mark()
while not task:done() do
  loop:turn(0)
  mark()
end
os.exit(0)
