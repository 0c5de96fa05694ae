--- The transport on libcurl: blocks its caller until the answer is there.
--
-- One multi handle a client, so connections, name lookups and the certificate
-- store are shared by all its calls. Transfers are used again. One that an
-- error in the middle of a call left behind is ended before the next begins:
-- what its caller saw fail must not go on unseen.

local core = require "signicat.core"

local Curl = {}
Curl.__index = Curl

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
  local started, failure = transfer:start(request)
  if not started then
    failure.sent = false
    return nil, failure
  end
  local multi = self.multi
  self.running = transfer
  repeat multi:step(1) until transfer:done()
  self.running = nil
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
