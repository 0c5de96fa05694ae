--- The transport on libcurl: blocks its caller until the answer is there.
--
-- One multi handle a client, so connections, name lookups and the certificate
-- store are shared by all its calls. Transfers are used again; one that an
-- error left behind is collected and leaves the multi by itself.

local core = require "signicat.core"

local Curl = {}
Curl.__index = Curl

--- Sends one request and waits for its answer.
---@param request table|userdata as core.request made it
---@return userdata? response
---@return table? failure a plain table with kind, phase, sent
function Curl:send(request)
  local idle = self.idle
  local last = #idle
  local transfer = idle[last] or core.transfer(self.multi)
  idle[last] = nil
  local started, failure = transfer:start(request)
  if not started then
    failure.sent = false
    return nil, failure
  end
  local multi = self.multi
  repeat multi:step(1) until transfer:done()
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
  new = function()
    return setmetatable({ multi = core.multi(), idle = {} }, Curl)
  end,
}
