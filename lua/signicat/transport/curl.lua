--- The transport on libcurl: blocks its caller until the answer is there.
--
-- One multi handle a client, so connections, name lookups and the certificate
-- store are shared by all its calls. Transfers are used again. One that an
-- error in the middle of a call left behind is ended before the next begins:
-- what its caller saw fail must not go on unseen.

local connection = require "signicat.connection"
local core = require "signicat.core"
local streams = require "signicat.transport.streams"

local Curl = {}
Curl.__index = Curl

-- Plain Lua 5.1 cannot yield across pcall. There what a reader or writer
-- raises inside a coroutine leaves its transfer to the collector.
local pcall_yields = _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil

local function may_protect()
  return pcall_yields or coroutine.running() == nil
end

--- Lets Lua supply and take bytes. It may call this transport meanwhile, so
--- the transfer is nobody's leftover until it is back.
local function serve(self, transfer, functions, state)
  self.running = nil
  if may_protect() then
    local ok, raised = pcall(streams.serve, transfer, functions, state)
    if not ok then
      transfer:cancel()
      error(raised, 0)
    end
  else
    streams.serve(transfer, functions, state)
  end
end

--- Steps until the transfer is done.
local function carry(self, transfer, functions)
  local multi, state = self.multi, functions and {}
  repeat
    self.running = transfer
    multi:step(1)
    if functions then serve(self, transfer, functions, state) end
  until transfer:done()
  self.running = nil
end

--- Sends one request and waits for its answer.
---@param request table|userdata as core.request made it
---@return userdata? response
---@return table? failure a plain table with kind, phase, sent
function Curl:send(request)
  if self.running then self.running:cancel() end
  local idle = self.idle
  local last = #idle
  local transfer = idle[last] or core.transfer(self.multi)
  idle[last] = nil
  local started, functions = transfer:start(request)
  if not started then
    functions.sent = false
    return nil, functions
  end
  carry(self, transfer, functions)
  local response, reason = transfer:finish()
  idle[#idle + 1] = transfer
  return response, reason
end

Curl.now = core.now
Curl.sleep = core.sleep

--- Ends the transport: open connections are closed, later calls raise.
function Curl:close()
  self.multi:close()
  self.idle = {}
end

return {
  --- Makes a transport.
  ---@param given table? tls, proxy, no_proxy, http_version, as signicat.new
  --- has them, already checked
  new = function(given)
    local multi = core.multi(given and connection.settings(given))
    return setmetatable({ multi = multi, idle = {} }, Curl)
  end,
}
