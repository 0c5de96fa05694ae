-- crowd.lua: many clients of a sandbox in one process. Each is a coroutine
-- over one keep-alive connection; while its answer is on the way the others
-- go on. No code of ours takes part.

local cjson = require "cjson"
local socket = require "socket"

local crowd = {}

local Client = {}
Client.__index = Client

-- A whole answer: its status and its body, or nil when the line broke first.
local function read(connection)
  local first = connection:receive "*l"
  local status = tonumber((first or ""):match "^HTTP/1.1 (%d+)")
  local length = 0
  for line in function() return (connection:receive "*l") end do
    if line == "" then
      local body = length == 0 and "" or connection:receive(length)
      return body and status, body
    end
    length = tonumber(line:lower():match "^content%-length: (%d+)") or length
  end
  return nil
end

-- Sends a request and gives way until it is answered: its status, its body
-- (a table when it is JSON), or nil when the service was gone. Inside of what
-- `crowd.run` runs.
---@param body string|table|nil a table is sent as JSON
function Client:call(method, path, body, mime)
  if type(body) == "table" then
    body, mime = cjson.encode(body), "application/json"
  end
  local sent = self.connection:send(("%s %s HTTP/1.1\r\nHost: localhost\r\n"
    .. "Authorization: Bearer %s\r\n%s%s\r\n%s"):format(method, path,
    self.token, mime and "Content-Type: " .. mime .. "\r\n" or "",
    body and "Content-Length: " .. #body .. "\r\n" or "", body or ""))
  if not sent then return nil end
  coroutine.yield()
  local status, answer = read(self.connection)
  if status and answer:find "^[{[]" then answer = cjson.decode(answer) end
  return status, answer
end

-- Runs `work(client, number)` for so many clients, until all have returned.
---@param service table spec/sandbox/service.lua's
function crowd.run(service, count, work)
  local waiting, connections = {}, {}
  local function resume(connection, thread, ...)
    local fine, why = coroutine.resume(thread, ...)
    assert(fine, why)
    if coroutine.status(thread) == "dead" then
      waiting[connection] = nil
      connection:close()
    else
      waiting[connection] = thread
    end
  end
  for i = 1, count do
    connections[i] = assert(socket.connect("127.0.0.1", service.port))
    connections[i]:settimeout(60)
    connections[i]:setoption("tcp-nodelay", true)
  end
  for i, connection in ipairs(connections) do
    resume(connection, coroutine.create(work), setmetatable({
      connection = connection, token = service.token }, Client), i)
  end
  while next(waiting) do
    local list = {}
    for connection in pairs(waiting) do list[#list + 1] = connection end
    local readable = socket.select(list, nil, 60)
    if #readable == 0 then error "nobody is answered" end
    for _, connection in ipairs(readable) do
      resume(connection, waiting[connection])
    end
  end
end

return crowd
