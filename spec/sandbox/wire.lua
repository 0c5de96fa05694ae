-- wire.lua: one connection to the service: requests are sent as bytes, answers
-- read as they come, and how it ends is told.

local socket = require "socket"

local wire = {}
wire.__index = wire

function wire.open(sandbox)
  local one = assert(socket.connect("127.0.0.1", sandbox.port))
  one:settimeout(30)
  return setmetatable({ socket = one }, wire)
end

function wire:send(bytes) assert(self.socket:send(bytes)) end

-- Status, headers and the announced body of the next answer; nil when there
-- is no byte of it. `size` is how much body to wait for instead.
function wire:answer(size)
  local line = self.socket:receive "*l"
  if not line then return nil end
  local status, headers = tonumber(line:match "^HTTP/1.1 (%d+)"), {}
  for field in function() return self.socket:receive "*l" end do
    if field == "" then break end
    local name, value = field:match "^([^:]+): (.*)$"
    assert(not headers[name:lower()], name .. " came twice")
    headers[name:lower()] = value
  end
  size = size or tonumber(headers["content-length"])
  if size == 0 then return status, headers, "" end
  return status, headers, size and assert(self.socket:receive(size))
end

-- What else comes, and whether it ends with "closed" or not at all.
function wire:rest(seconds)
  self.socket:settimeout(seconds or 30)
  local text, why, part = self.socket:receive "*a"
  if text then return text, "closed" end
  return part, why
end

function wire:close() self.socket:close() end

-- The answer to one request on a connection of its own.
function wire.ask(sandbox, bytes)
  local one = wire.open(sandbox)
  one:send(bytes)
  local status, headers, body = one:answer()
  one:close()
  return status, headers, body
end

-- Everything that comes back to it, and how it ends.
function wire.drain(sandbox, bytes, seconds)
  local one = wire.open(sandbox)
  one:send(bytes)
  local text, why = one:rest(seconds)
  one:close()
  return text, why
end

return wire
