-- What closing_host runs: tasks that are cancelled, or whose time is over,
-- while the name is looked up.

local signicat = require "signicat"

local client = assert(signicat.new {
  base_url = "https://slow.example", token = "unused", retries = 0,
  connect_timeout = 60 })
local function list(options)
  return client.sessions:list({}, options)
end
local late = client:async(list, { timeout = 1 })
local ended = client:async(list)
local mapping = client:async(function()
  return select(2, client:map({ {} }, list))
end)
-- Until all were begun, of which only one ends by itself.
local multi = client.transport.loop.multi
while multi:running() + (late:done() and 1 or 0) < 3 do client:step(0.01) end
ended:cancel()
mapping:cancel()
client:run()
local _, timeout = late:wait()
local _, cancelled = ended:wait()
return timeout.kind .. " " .. cancelled.kind .. " " .. mapping:wait()[1].kind
