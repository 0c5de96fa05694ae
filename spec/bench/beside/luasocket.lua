--- The same GETs by hand, on LuaSocket and lua-cjson: a connection that is kept
--- open, and no more of HTTP than these answers need.
--
--   luasocket.lua COUNT PORT PATH

local cjson = require "cjson"
local socket = require "socket"

local count, port, path = ...

local connection = assert(socket.connect("127.0.0.1", tonumber(port)))
connection:setoption("tcp-nodelay", true)
local request = table.concat({
  "GET " .. path .. " HTTP/1.1", "Host: 127.0.0.1:" .. port,
  "User-Agent: by-hand", "Accept: application/json",
  "Authorization: Bearer bench", "", "" }, "\r\n")

for _ = 1, tonumber(count) do
  assert(connection:send(request))
  assert(assert(connection:receive "*l"):find "^HTTP/1.1 200 ")
  local length
  for line in function() return assert(connection:receive "*l") end do
    if line == "" then break end
    local name, value = line:match "^([^:]+):%s*(.-)$"
    if name:lower() == "content-length" then length = tonumber(value) end
  end
  local session = cjson.decode((assert(connection:receive(length))))
  assert(session.id and session.title and session.lifecycle.state == "READY")
end
