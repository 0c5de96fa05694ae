--- A tiny HTTP proxy: lua proxy.lua [USER:PASSWORD in Base64]
--
-- Prints its port, then serves one connection after the other: CONNECT, and
-- requests with an absolute address, of which it passes on one each. It
-- prints the head of each, the empty line too, and refuses who has not the
-- password.

local socket = require "socket"

local password = arg[1]

local function read_head(connection)
  local lines = {}
  for line in function() return connection:receive("*l") end do
    if line == "" then return lines end
    lines[#lines + 1] = line
  end
end

local function may_pass(lines)
  if not password then return true end
  for _, line in ipairs(lines) do
    local given = line:match("^[Pp]roxy%-[Aa]uthorization: Basic (.+)$")
    if given then return given == password end
  end
  return false
end

--- Carries bytes both ways until one side ends.
local function tunnel(one, other)
  local peer = { [one] = other, [other] = one }
  one:settimeout(0)
  other:settimeout(0)
  while true do
    for _, ready in ipairs((socket.select({ one, other }))) do
      local bytes, err, part = ready:receive(65536)
      bytes = bytes or part
      local at = 1
      peer[ready]:settimeout(30)
      while at <= #bytes do
        local sent = peer[ready]:send(bytes, at)
        if not sent then return end
        at = sent + 1
      end
      peer[ready]:settimeout(0)
      if err == "closed" then return end
    end
  end
end

local function serve(connection)
  local lines = read_head(connection)
  if not lines or not lines[1] then return end
  print(table.concat(lines, "\n") .. "\n")
  io.stdout:flush()
  if not may_pass(lines) then
    connection:send("HTTP/1.1 407 No\r\nContent-Length: 0\r\n"
      .. "Proxy-Authenticate: Basic realm=\"x\"\r\n\r\n")
    return
  end
  local method, host, port, path =
    lines[1]:match("^(%u+) h?t?t?p?:?/?/?([^/:]+):(%d+)(%S*)")
  local peer = socket.connect(host, tonumber(port))
  if not peer then return end
  if method == "CONNECT" then
    connection:send("HTTP/1.1 200 OK\r\n\r\n")
  else
    lines[1] = ("%s %s HTTP/1.1"):format(method, path)
    peer:send(table.concat(lines, "\r\n") .. "\r\nConnection: close\r\n\r\n")
  end
  tunnel(connection, peer)
  peer:close()
end

local listener = assert(socket.bind("127.0.0.1", 0))
local _, port = listener:getsockname()
print(port)
io.stdout:flush()
while true do
  local connection = assert(listener:accept())
  serve(connection)
  connection:close()
end
