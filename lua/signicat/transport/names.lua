--- Connecting inside nginx to an address, or to a name, which its `resolver`
--- looks up.
--
-- A socket's own limit is none for the look-up: that ends when nginx's
-- resolver_timeout says. So a light thread connects, and is given up when the
-- time is over or the call is cancelled.

local loop = require "signicat.tasks.nginx".loop

local names = {}

local MARGIN = 20 -- milliseconds kept for finding a name
local SILENT = "no answer within connect_timeout or the call's timeout"

local Lookup = {}
Lookup.__index = Lookup

--- Ends the call from outside.
function Lookup:cancel(note)
  self.note = note
  self.done:post()
end

--- Why a name led nowhere, and what to do.
local function failure_of(reason)
  local kind, note = "connect", "nginx's `resolver` does not know the name "
    .. "(%s); it reads no /etc/hosts, name a DNS server that has it"
  if reason:find("^no resolver") then
    kind, note = "unsupported", "nginx finds no names without a `resolver` "
      .. "(%s); add a line `resolver ADDRESS;` of a DNS server to `http`"
  elseif reason == SILENT or reason:find("timed out", 1, true) then
    kind, note = "timeout", "nginx's `resolver` did not answer (%s); look at "
      .. "its address and resolver_timeout"
  elseif not reason:find("Host not found", 1, true) then
    note = "nginx's `resolver` could not look the name up (%s)"
  end
  return { kind = kind, phase = "dns", note = note:format(reason) }
end

--- Connects a socket. For a name its own limit is a bit shorter than the
--- whole, so that what is late at the end is the look-up.
---@param running table of what can be cancelled
---@param socket table
---@param host string
---@param port integer
---@param options table of the socket's connect
---@param wait integer milliseconds
---@return any connected
---@return string|table? reason as the socket has it, or a failure
function names.connect(running, socket, host, port, options, wait)
  socket:settimeouts(wait, wait, wait)
  if host:find "^[%d.]+$" or host:find "^%[" then
    return socket:connect(host, port, options)
  end
  local lookup = setmetatable({ done = require "ngx.semaphore".new() }, Lookup)
  socket:settimeouts(math.max(1, wait - MARGIN), wait, wait)
  running[lookup] = true
  local task = loop:enter(lookup)
  local thread = ngx.thread.spawn(function()
    local connected, reason = socket:connect(host, port, options)
    lookup.done:post()
    return connected, reason
  end)
  local in_time = lookup.done:wait(wait / 1000)
  loop:leave(task)
  running[lookup] = nil
  if in_time and not lookup.note then
    local _, connected, reason = ngx.thread.wait(thread)
    if not connected and reason:find("resolve", 1, true) then
      return nil, failure_of(reason)
    end
    return connected, reason
  end
  ngx.thread.kill(thread)
  if not lookup.note then return nil, failure_of(SILENT) end
  return nil, { kind = "cancelled", phase = "connect", note = lookup.note }
end

return names
