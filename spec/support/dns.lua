--- A small DNS server: lua dns.lua
--
-- Says its port, then each question it is asked. sign.test and other.test are
-- this machine, slow.test is never answered, failing.test is a failure of the
-- server's, and no other name is known.

local socket = require "socket"

local NO_ERROR, SERVER_FAILURE, UNKNOWN = 0, 2, 3
local A = 1

local codes = { ["sign.test"] = NO_ERROR, ["other.test"] = NO_ERROR,
                ["failing.test"] = SERVER_FAILURE }

-- The name that is asked for, its type, and where the question ends.
local function read(packet)
  local labels, at = {}, 13
  while packet:byte(at) > 0 do
    local size = packet:byte(at)
    labels[#labels + 1] = packet:sub(at + 1, at + size)
    at = at + size + 1
  end
  return table.concat(labels, "."):lower(), packet:byte(at + 2), at + 4
end

-- One answer, of 60 seconds, refers to the question's name.
local function answer(packet, name, kind, ends)
  local code = codes[name] or UNKNOWN
  local has = code == NO_ERROR and kind == A
  return packet:sub(1, 2) .. string.char(0x81, 0x80 + code, 0, 1, 0,
    has and 1 or 0, 0, 0, 0, 0) .. packet:sub(13, ends)
    .. (has and "\192\12\0\1\0\1\0\0\0\60\0\4\127\0\0\1" or "")
end

local server = assert(socket.udp())
assert(server:setsockname("127.0.0.1", 0))
local _, port = server:getsockname()
io.stdout:setvbuf "line"
print(port)

while true do
  local packet, address, from = server:receivefrom()
  local name, kind, ends = read(packet)
  print(name)
  if name ~= "slow.test" then
    server:sendto(answer(packet, name, kind, ends), address, from)
  end
end
