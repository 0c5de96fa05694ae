--- The transport on nginx's own sockets: a call waits, its worker does not.
--
-- HTTP/1.1 over connections that nginx keeps in pools. A pool's name says
-- where a connection leads and how it was made, as a hash: no text of a
-- certificate or key is in it. Whom to trust is nginx's own business
-- (lua_ssl_trusted_certificate), names are looked up by its `resolver`.
--
-- What creates something is never sent twice: a kept connection that ends
-- without a byte of an answer is replaced for what may be repeated, or while
-- the body has not been handed over whole.

local core = require "signicat.core"
local exchange = require "signicat.transport.exchange"
local loop = require "signicat.tasks.nginx".loop
local names = require "signicat.transport.names"

local IDLE = 60 -- seconds that a connection is kept without a request
local POOL = 64 -- connections kept by a worker for one address
local milliseconds = exchange.milliseconds
local CLOSED = "the client was closed"

-- One for all clients: it has descriptors, and where each request makes a
-- client there are as many as the collector leaves.
local multi

local Nginx = {}
Nginx.__index = Nginx

-- -- addresses --------------------------------------------------------------

--- The parts of an address that address.lua has judged.
local function split(url)
  local scheme, authority, path = url:match("^(https?)://([^/?#]+)(.*)$")
  local host, port = authority:match("^(.-):(%d+)$")
  host = host or authority
  if path:sub(1, 1) ~= "/" then path = "/" .. path end
  return { tls = scheme == "https", authority = authority, host = host,
           port = tonumber(port) or (scheme == "https" and 443 or 80),
           path = path }
end

--- nginx asks no hosts file; this name is the same everywhere (RFC 6761).
local function machine(host)
  return host == "localhost" and "127.0.0.1" or host
end

-- -- the client's certificate -----------------------------------------------

local function text_of(value)
  if value:find("-----BEGIN ", 1, true) then return value end
  local file, reason = io.open(value, "rb")
  if not file then return nil, reason end
  local text = file:read("*a")
  file:close()
  return text
end

--- The certificate and key in nginx's form, read at the first connection.
---@return table? identity cert, key, text; or false: none is given
---@return table? failure
local function read_identity(tls)
  if not tls.cert then return false end
  local ssl = require "ngx.ssl"
  local certificates, why = text_of(tls.cert)
  local keys = certificates
  if tls.key then keys, why = text_of(tls.key) end
  local cert, key
  if certificates and keys then
    cert, why = ssl.parse_pem_cert(certificates)
    if cert then key, why = ssl.parse_pem_priv_key(keys) end
  end
  if key then return { cert = cert, key = key, text = certificates .. keys } end
  return nil, { kind = "tls", detail = tostring(why), sent = false,
                note = "the client's own certificate or key cannot be used" }
end

-- -- connections ------------------------------------------------------------

--- Where a connection leads and how it was made, as a hash.
function Nginx:pool_of(where)
  local name = self.pools[where.authority .. (where.tls and "s" or "")]
  if name then return name end
  local identity = self.identity
  name = core.hmac_sha256("signicat", table.concat({
    where.tls and "https" or "http", where.host, where.port,
    tostring(self.tls.insecure == true), identity and identity.text or "" },
    "\n"))
  self.pools[where.authority .. (where.tls and "s" or "")] = name
  return name
end

--- What is left of the time to connect.
local function time_left(began, limit, ends)
  local now = core.now()
  local left = ends - now
  if limit > 0 then left = math.min(left, began + limit - now) end
  return left
end

local function connect_failure(reason, phase)
  local late = reason == "timeout"
  return nil, { kind = late and "timeout" or phase == "tls" and "tls"
    or "connect", phase = phase, note = late
    and "no connection was made within connect_timeout or the call's timeout"
    or ("nginx made no connection (%s)"):format(reason) }
end

--- Shakes hands on a new connection. When no step of that had to wait,
--- ngx_lua says "done" of a certificate it refuses, and only closes the socket
--- (mended upstream in 2026).
function Nginx:secure(socket, where)
  local identity = self.identity
  if identity then
    if not socket.setclientcert then
      return nil, "this nginx cannot show a certificate of its own"
    end
    local set, reason = socket:setclientcert(identity.cert, identity.key)
    if not set then return nil, reason end
  end
  local secured, why = socket:sslhandshake(false, where.host,
    not self.tls.insecure)
  if secured and not socket:getreusedtimes() then
    return nil, "the server's certificate was refused"
  end
  return secured, why
end

--- A connection, taken from the pool or, if wanted so, a new one.
---@return table? socket
---@return table? failure, or timing: reused, connect, tls
function Nginx:connect(where, request, ends, fresh)
  local began, limit = core.now(), request:limits()
  local pool = self:pool_of(where)
  while true do
    local wait = time_left(began, limit, ends)
    if wait <= 0 then return connect_failure("timeout", "connect") end
    wait = milliseconds(wait)
    local socket = ngx.socket.tcp()
    local connected, reason = names.connect(self.running, socket,
      machine(where.host), where.port, { pool = pool }, wait)
    if type(reason) == "table" then return nil, reason end
    if not connected then return connect_failure(reason, "connect") end
    local reused = (socket:getreusedtimes() or 0) > 0
    if reused and not fresh then return socket, { reused = true } end
    if not reused then
      local timing = { connect = core.now() - began }
      if not where.tls then return socket, timing end
      wait = time_left(began, limit, ends)
      if wait <= 0 then
        socket:close()
        return connect_failure("timeout", "tls")
      end
      wait = milliseconds(wait)
      socket:settimeouts(wait, wait, wait)
      local secured, why = self:secure(socket, where)
      if secured then
        timing.tls = core.now() - began
        return socket, timing
      end
      socket:close()
      return connect_failure(tostring(why), "tls")
    end
    -- Where one kept connection was dead the others may be.
    socket:close()
  end
end

-- -- a call -----------------------------------------------------------------

--- Whether a connection that broke is to be replaced unasked.
local function may_replace(it, reused, request)
  if not reused or it.received or it.own or it.failure.kind ~= "connect" then
    return false
  end
  return request.replayable and not (request.creates and it.handed_over)
end

--- What went wrong, with all that is known of it.
local function describe(it, request, sent)
  local failure = it.failure
  failure.sent = sent
  failure.status = it.status
  failure.phase = it:phase()
  request:broke(failure, not it.own)
  return failure
end

local function respond(it, answer, timing, began, resent)
  return core.response {
    status = answer.status, lines = answer.lines, body = it.body,
    reused = timing.reused, resent = resent,
    timing = { name_lookup = 0, connect = timing.connect or 0,
               tls = timing.tls or 0,
               first_byte = (it.first_byte_at or began) - began,
               total = core.now() - began },
  }
end

--- Carries one exchange; what Lua raises ends it and comes through.
function Nginx:run(it, where)
  self.running[it] = true
  local task = loop:enter(it)
  local ok, answer, clean = pcall(it.run, it, where.authority, where.path)
  loop:leave(task)
  self.running[it] = nil
  it:reap()
  if not ok then
    it.socket:close()
    error(answer, 0)
  end
  if clean then
    it.socket:setkeepalive(self.idle * 1000, POOL)
  else
    it.socket:close()
  end
  return answer
end

--- What is done stays, also when its task is cancelled.
local function stay() end

--- Has what would hold the worker up done on a thread. nginx waits for nothing
--- but its sockets, so this looks every millisecond.
local function settle(request, response)
  multi = multi or core.multi()
  local aside = multi and multi:aside(request, response)
  if not aside then return end
  local task = loop:enter { cancel = stay }
  while not aside:done() do
    ngx.sleep(0.001)
    multi:turn(0)
  end
  loop:leave(task)
end

--- Sends one request and waits for its answer.
---@param request userdata as core.request made it
---@return userdata? response
---@return table? failure a plain table with kind, phase, sent
function Nginx:send(request)
  if self.closed then core.misuse("the client is closed") end
  local began = core.now()
  local ends = request.timeout and began + request.timeout or math.huge
  local where = split(request.url)
  if self.identity == nil then
    local identity, failure = read_identity(self.tls)
    if identity == nil then return nil, failure end
    self.identity = identity
  end
  local sent, fresh = false, false
  local refusal = loop:refusal()
  if refusal then return nil, refusal end
  while true do
    local begun, failure = request:begin()
    if not begun then
      failure.sent = sent
      return nil, failure
    end
    local socket, timing = self:connect(where, request, ends, fresh)
    if not socket then
      timing.sent = sent
      request:broke(timing, true)
      return nil, timing
    end
    local it = exchange.new(request, socket, ends, where.tls)
    refusal = loop:refusal()
    if self.closed or refusal then
      it:cancel(refusal and refusal.note or CLOSED)
    end
    local answer = self:run(it, where)
    if answer then
      local response = respond(it, answer, timing, began, sent)
      settle(request, response)
      return response
    end
    sent = sent or it.sent_any or false
    if not may_replace(it, timing.reused, request) then
      return nil, describe(it, request, sent)
    end
    fresh = true
  end
end

Nginx.now = core.now

--- Lets others work meanwhile.
function Nginx.sleep(seconds)
  ngx.sleep(seconds)
end

--- Ends the transport: calls that wait end as cancelled, later ones raise. Kept
--- connections are nginx's and end when they are idle too long.
function Nginx:close()
  self.closed = true
  for it in pairs(self.running) do it:cancel(CLOSED) end
end

return {
  --- Makes a transport.
  ---@param given table? tls: cert, key, insecure; already checked
  new = function(given)
    return setmetatable({
      tls = given and given.tls or {}, pools = {}, idle = IDLE,
      -- What is under way; a thread that was killed left its own.
      running = setmetatable({}, { __mode = "k" }),
    }, Nginx)
  end,
}
