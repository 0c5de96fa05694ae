-- receiver.lua: takes events on a port of this machine, one when asked for
-- one. Between, nobody answers: the kernel keeps who knocks waiting.

local socket = require "socket"

local receiver = {}
receiver.__index = receiver

-- Listens on a free port. A socket that is bound to it, and no more, keeps it
-- from others while nobody listens.
function receiver.open()
  local self = setmetatable({ holder = assert(socket.tcp4()) }, receiver)
  self.holder:setoption("reuseaddr", true)
  assert(self.holder:bind("127.0.0.1", 0))
  local _, port = self.holder:getsockname()
  self.port = tonumber(port)
  self.url = ("http://127.0.0.1:%d/events?from=sandbox"):format(self.port)
  self:listen()
  return self
end

function receiver:listen()
  self.listener = assert(socket.bind("127.0.0.1", self.port))
end

-- Until it listens again, its port refuses.
function receiver:shut()
  self.listener:close()
end

function receiver:close()
  self:shut()
  self.holder:close()
end

local function read(connection)
  local first = assert(connection:receive "*l")
  local headers = {}
  for line in function() return assert(connection:receive "*l") end do
    if line == "" then break end
    local name, value = line:match "^(.-):%s*(.*)$"
    headers[name:lower()] = value
  end
  local raw = assert(connection:receive(tonumber(headers["content-length"])))
  return { line = first, headers = headers, raw = raw }
end

-- The next request: line, headers and raw. Answered with this status (204
-- unless said), or with these bytes, or (false) not at all. Nil when there
-- is none for so many seconds (30 unless said).
function receiver:take(answer, seconds)
  self.listener:settimeout(seconds or 30)
  local connection = self.listener:accept()
  if not connection then return nil end
  connection:settimeout(30)
  local request = read(connection)
  if answer ~= false then
    if type(answer) ~= "string" then
      answer = ("HTTP/1.1 %d Said\r\nContent-Length: 0\r\n"
        .. "Connection: close\r\n\r\n"):format(answer or 204)
    end
    connection:send(answer)
  end
  connection:close()
  return request
end

return receiver
