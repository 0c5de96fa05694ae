--- The transport on libcurl: blocks its caller until the answer is there, or
--- only its task.
--
-- One multi handle a client, so connections, name lookups and the certificate
-- store are shared by all its calls. Transfers are used again. How a caller
-- waits is the loop's to know.

local connection = require "signicat.connection"
local core = require "signicat.core"
local streams = require "signicat.transport.streams"
local tasks = require "signicat.tasks"

local Curl = {}
Curl.__index = Curl

-- Plain Lua 5.1 cannot yield across pcall. There what is raised inside a
-- coroutine leaves its transfer to the collector.
local catch = pcall
if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then
  function catch(fn, ...)
    if coroutine.running() then return true, fn(...) end
    return pcall(fn, ...)
  end
end

--- Has a request sent and answered; Lua supplies and takes bytes meanwhile.
---@return userdata? response
---@return table? failure
---@return boolean? lengthy whether decode has to do what takes long
local function exchange(loop, line, request)
  local started, functions = loop:start(line, request)
  if not started then return nil, functions end
  local transfer = line.transfer
  local state = functions and {}
  while true do
    loop:wait(line)
    if functions then streams.serve(transfer, functions, state) end
    local response, failure, lengthy = transfer:finish()
    if response or failure then return response, failure, lengthy end
  end
end

--- Sends one request and waits for its answer.
---
--- What its caller sees fail does not go on unseen, whoever raised: a reader, a
--- hook of another call's, or Lua for want of memory.
---@param request table|userdata as core.request made it
---@return userdata? response
---@return table? failure a plain table with kind, phase, sent
function Curl:send(request)
  local idle, loop = self.idle, self.loop
  local last = #idle
  local line = idle[last]
  if not line then
    local made, failure = loop:line()
    if not made then return nil, failure end
    line = made
  end
  idle[last] = nil
  local ok, response, failure, lengthy = catch(exchange, loop, line, request)
  if not ok then line.transfer:cancel() end
  local task = loop:forget(line)
  if not ok then error(response, 0) end
  idle[#idle + 1] = line
  if lengthy and task then loop:settle(task, request, response) end
  return response, failure
end

Curl.now = core.now

--- Ends the transport: open connections are closed, tasks are dropped, later
--- calls raise.
function Curl:close()
  self.loop:close()
  self.idle = {}
end

return {
  --- Makes a transport.
  ---@param given table? tls, proxy, no_proxy, http_version, as signicat.new
  --- has them, already checked
  ---@return table? transport
  ---@return table? failure
  new = function(given)
    local multi, failure = core.multi(given and connection.settings(given))
    if not multi then return nil, failure end
    local loop = tasks.loop(multi)
    return setmetatable({ loop = loop, idle = {},
      sleep = function(seconds) loop:sleep(seconds) end }, Curl)
  end,
}
