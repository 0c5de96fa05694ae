--- A small Redis client over LuaSocket, for the worker and the token store.
--
-- One connection, one command at a time. A connection that broke is made anew
-- by the next command; a command that may have arrived is not sent again by
-- itself. In a cluster it goes where MOVED says and stays there: all keys of
-- this library are in one slot. A replica refuses what would change something,
-- so then the next of the nodes is asked.

local core = require "signicat.core"
local options = require "signicat.options"

local redis = {}

local REDIRECTS = 5

---@class signicat.Redis
local Redis = {}
Redis.__index = Redis

--- A command as the bytes that are sent; numbers are whole.
local function encode(words)
  local parts = { ("*%d\r\n"):format(#words) }
  for i = 1, #words do
    local word = words[i]
    if type(word) == "number" then word = ("%.0f"):format(word) end
    parts[i + 1] = ("$%d\r\n"):format(#word) .. word .. "\r\n"
  end
  return table.concat(parts)
end

--- Reads one reply: its value, false for none; nil, a reason, and whether it
--- was Redis that said so.
local function read(socket)
  local line, reason = socket:receive "*l"
  if not line then return nil, reason end
  local mark, rest = line:sub(1, 1), line:sub(2)
  if mark == "+" then return rest end
  if mark == "-" then return nil, rest, true end
  local number = tonumber(rest)
  if not number then return nil, "this is no Redis" end
  if mark == ":" then return number end
  if number < 0 then return false end
  if mark == "$" then
    local bytes
    bytes, reason = socket:receive(number + 2)
    if not bytes then return nil, reason end
    return bytes:sub(1, -3)
  end
  local list, failure = {}, nil
  for i = 1, number do
    local value, why, said = read(socket)
    if value == nil and not said then return nil, why end
    if value == nil then failure = why end
    list[i] = value
  end
  if failure then return nil, failure, true end
  return list
end

local function exchange(socket, command)
  local done, reason = socket:send(command)
  if not done then return nil, reason end
  return read(socket)
end

local function open(self, node)
  local host, port = node:match "^%[?(.-)%]?:(%d+)$"
  local socket = require "socket".tcp()
  socket:settimeout(self.given.timeout or 5)
  local done, reason = socket:connect(host, tonumber(port))
  if done then
    socket:setoption("tcp-nodelay", true)
    if self.given.wrap then socket, reason = self.given.wrap(socket, host) end
    done = socket
  end
  local given = self.given
  if done and given.password then
    done, reason = exchange(socket, encode { "AUTH",
      given.username or "default", given.password })
  end
  if done then return socket end
  if socket then socket:close() end
  return nil, ("%s: %s"):format(node, tostring(reason))
end

--- Connects to the node that is wanted, or to the first that answers.
local function connect(self, wanted)
  self:close()
  local socket, reason
  self.node = wanted
  if wanted then socket, reason = open(self, wanted) end
  for _, node in ipairs(self.given.nodes) do
    if socket then break end
    self.node = node
    socket, reason = open(self, node)
  end
  self.socket = socket
  return socket, reason
end

--- The one of our nodes that comes after this one.
local function next_node(self)
  local nodes = self.given.nodes
  for i, node in ipairs(nodes) do
    if node == self.node then return nodes[i % #nodes + 1] end
  end
  return nodes[1]
end

--- Has a connection serve the next command, too.
local function keep(self, socket)
  self:close() -- a coroutine's that found none meanwhile
  self.socket = socket
end

--- Sends a command and reads its reply.
---@param ... string|number the command and its words
---@return any reply a string, a number, a list; false for Redis's nil
---@return string? reason when the reply is nil: Redis's own words, or why the
--- connection failed; the command may then have been carried out
function Redis:call(...)
  local command = encode { ... }
  local wanted, asking, value, reason, said
  for _ = 1, REDIRECTS + #self.given.nodes do
    if wanted or not self.socket then
      local socket, why = connect(self, wanted)
      if not socket then return nil, why end
    end
    local socket = self.socket
    self.socket = nil -- what comes after an error in here, nobody knows
    if asking then exchange(socket, encode { "ASKING" }) end
    value, reason, said = exchange(socket, command)
    if value == nil and not said then
      socket:close()
      return nil, reason
    end
    keep(self, socket)
    if value ~= nil then return value end
    local how, node = reason:match "^(%u+) %d+ (%S+:%d+)$"
    asking = how == "ASK"
    if reason:find "^READONLY" and #self.given.nodes > 1 then
      node = next_node(self)
    elseif how ~= "MOVED" and not asking then
      return nil, reason
    end
    wanted = node
  end
  return nil, reason
end

--- Closes the connection; the next command makes a new one.
function Redis:close()
  local socket = self.socket
  self.socket = nil
  if socket then socket:close() end
end

local function text(value)
  if type(value) ~= "string" then return "must be a string" end
end

local known = {
  nodes = function(value)
    if type(value) ~= "table" or #value == 0 then
      return "must be a list of \"host:port\""
    end
    for _, node in ipairs(value) do
      if type(node) ~= "string" or not node:find "^.+:%d+$" then
        return "must be a list of \"host:port\""
      end
    end
  end,
  username = text,
  password = text,
  timeout = function(value)
    if type(value) ~= "number" or not (value > 0 and value < 1e6) then
      return "must be a number of seconds above 0"
    end
  end,
  wrap = function(value)
    if type(value) ~= "function" then return "must be a function" end
  end,
}

--- Makes a client; it connects with its first command.
---@param given signicat.RedisOptions
---@return signicat.Redis
function redis.new(given)
  options.check(given, known, "redis.new")
  if not (given and given.nodes) then
    core.misuse "redis.new: `nodes` is required"
  end
  return setmetatable({ given = given }, Redis)
end

return redis
