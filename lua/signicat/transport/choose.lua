--- Which transport carries a call: libcurl, or inside nginx its own sockets.
--
-- Inside nginx that falls at each call, from the phase it is made in: where
-- nginx can wait, its sockets serve; while it starts (init) and on a thread
-- of ngx.run_worker_thread nobody else waits, so libcurl does; elsewhere
-- there is nothing to wait with, and the failure says so.

local core = require "signicat.core"
local curl = require "signicat.transport.curl"
local loop = require "signicat.tasks.nginx".loop

local choose = {}

-- Where nginx lends its sockets. It does so while a TLS connection is made
-- too, but only with OpenResty's changes to it.
local CAN_WAIT = {
  rewrite = true, server_rewrite = true, access = true, content = true,
  timer = true,
}

-- Where a call that blocks holds up no request.
local MAY_BLOCK = { init = true, init_worker = true, exit_worker = true }

local TO_BEGIN = 0.1 -- seconds; a timer begins with the next turn of nginx

--- The phase nginx is in; nil outside of it, and on a thread of its pool,
--- which has no event loop.
---@return string?
function choose.phase()
  local nginx = rawget(_G, "ngx")
  if type(nginx) ~= "table" or not nginx.get_phase or not nginx.socket then
    return nil
  end
  return nginx.get_phase()
end

local function refusal(note)
  return { kind = "unsupported", sent = false, note = note }
end

local function new_nginx(given)
  return require "signicat.transport.nginx".new(given)
end

-- -- nginx's sockets --------------------------------------------------------

local Sockets = { now = core.now }
Sockets.__index = Sockets

--- Where a call is made now, if nothing can be waited for there.
---@return string? place and what to do
function Sockets.obstacle()
  local phase = choose.phase()
  if not CAN_WAIT[phase] then
    return ("nginx's phase %s; start a function with ngx.timer.at, from "
      .. "init_worker on, and call there"):format(tostring(phase))
  end
  -- The light threads of a call would end the worker.
  if core.is_yieldable() == false then
    return "a function that C calls, such as one given to string.gsub or "
      .. "table.sort, or a file that `require` runs; call outside"
  end
end

--- Why a call made now is not to be sent, if so: known before a token is
--- waited for, which there would stop the worker.
---@return table? failure
function Sockets:refusal()
  local obstacle = Sockets.obstacle()
  local phase = choose.phase()
  if not obstacle or self.may_start and (phase == "init" or phase == nil) then
    return nil
  end
  return refusal("nothing can be waited for in " .. obstacle)
end

function Sockets:send(request)
  if Sockets.can_wait() then return self.nginx:send(request) end
  local refused = self:refusal()
  if refused then return nil, refused end
  if not self.curl then
    local made, failure = curl.new(self.given)
    if not made then
      failure.sent = false
      return nil, failure
    end
    self.curl = made
  end
  return self.curl:send(request)
end

function Sockets.sleep(seconds)
  if CAN_WAIT[choose.phase()] then return loop:sleep(seconds) end
  return core.sleep(seconds)
end

--- Whether a call made now can wait for others.
function Sockets.can_wait()
  return not Sockets.obstacle()
end

--- What a timer does for one who waits, and who may be gone by then with all
--- locals: nothing here is an upvalue of that one's.
local function act_apart(_, box, act, ...)
  if box.is_dropped then return end
  box.has_begun = true
  box.ok, box.value, box.more = pcall(act, ...)
  box.done:post()
end

--- Runs a function where the end of the caller's request does not end it,
--- and waits for what it returns, up to `seconds`. nginx drops a timer, and
--- tells nobody, when others are too many: then the caller runs it.
---@param seconds number
---@param act function
---@return any ... what it returned; nil and a failure when it is late
function Sockets.apart(seconds, act, ...)
  if not Sockets.can_wait() then return act(...) end
  local box = { done = require "ngx.semaphore".new() }
  box.is_dropped = not ngx.timer.at(0, act_apart, box, act, ...)
    or not loop:hear(box.done, TO_BEGIN) and not box.has_begun
  if box.is_dropped then return act(...) end
  if box.ok == nil and not loop:hear(box.done, seconds) then
    return nil, loop:refusal()
      or { kind = "timeout", note = "no token came in time" }
  end
  if not box.ok then error(box.value, 0) end
  return box.value, box.more
end

function Sockets:close()
  self.nginx:close()
  if self.curl then self.curl:close() end
end

-- -- libcurl, where it was asked for ----------------------------------------

local Guarded = { now = core.now, sleep = core.sleep }
Guarded.__index = Guarded

--- Why a call made now is not to be sent, if so.
function Guarded.refusal()
  local phase = choose.phase()
  if not phase or MAY_BLOCK[phase] then return nil end
  return refusal(("libcurl would stop this nginx worker until the answer "
    .. "comes (phase %s); leave out `transport`, or say block_nginx = true")
    :format(phase))
end

function Guarded:send(request)
  local refused = self.refusal()
  if refused then return nil, refused end
  return self.curl:send(request)
end

function Guarded:close()
  self.curl:close()
end

-- -- the choice -------------------------------------------------------------

--- Raises for what nginx's sockets do not do.
local function check_nginx(given)
  local tls = given.tls or {}
  if tls.ca_file or tls.ca_pem then
    core.misuse("new: inside nginx its own trust store rules: name the "
      .. "certificates in lua_ssl_trusted_certificate, not in `tls`")
  end
  if given.proxy or given.no_proxy then
    core.misuse("new: inside nginx there is no `proxy`; transport = \"curl\" "
      .. "has one, and blocks")
  end
  if given.http_version == "2" then
    core.misuse("new: inside nginx `http_version` is \"1.1\"")
  end
end

--- The transport that a client's options and its host come down to.
---@param given table options of signicat.new, already checked
---@return table? transport
---@return table? failure
function choose.transport(given)
  local wanted = given.transport
  if type(wanted) == "table" then return wanted end
  if given.block_nginx and wanted ~= "curl" then
    core.misuse("new: `block_nginx` goes with transport = \"curl\"")
  end
  local phase = choose.phase()
  if wanted == "nginx" and not phase then
    core.misuse("new: transport = \"nginx\" works inside nginx only")
  end
  if not phase then return curl.new(given) end
  if wanted == "curl" then
    local made, failure = curl.new(given)
    if not made or given.block_nginx then return made, failure end
    return setmetatable({ curl = made }, Guarded)
  end
  check_nginx(given)
  return setmetatable({ nginx = new_nginx(given), given = given,
    loop = loop, may_start = wanted == nil }, Sockets)
end

return choose
