--- One request and its answer over a connected socket of nginx.
--
-- What may wait runs in light threads of its own, so that the call can be
-- ended from outside; readers, writers and `on_progress` run in the coroutine
-- of the call. A body of one piece leaves with the head. A longer one leaves
-- piece by piece while another thread listens, so that a refusal is heard
-- before all of the body is gone. The limits count as with curl: `timeout`
-- for all of it, `first_byte_timeout` from the last byte sent,
-- `stall_timeout` without a byte, and nobody is late while Lua supplies or
-- takes bytes.

local core = require "signicat.core"
local head = require "signicat.transport.head"
local streams = require "signicat.transport.streams"

local MAX_HEAD = 256 * 1024
local MAX_REFUSAL = 64 * 1024 -- of its body; the rest is not waited for
local PIECE = 64 * 1024
local TURN = 16 * PIECE -- bytes
local FOREVER = 1e6 -- seconds, what nginx can count in 32 bits
local FULL = 256 -- bytes, which any size of nginx's buffer is a multiple of

local Exchange = {}
Exchange.__index = Exchange

--- Ends it: notes the failure, unless there is one, and returns nil.
local function fail(self, kind, note, own)
  if not self.failure then
    self.failure, self.own = { kind = kind, note = note }, own
  end
end

-- -- light threads ----------------------------------------------------------

--- Starts one that ends the next wait. The one before of that name has ended;
--- nginx would keep what is left of it as long as ours lives.
function Exchange:spawn(name, act, ...)
  local before = self.threads[name]
  if before then ngx.thread.kill(before) end
  self.threads[name] = ngx.thread.spawn(function(...)
    local ok, raised = pcall(act, ...)
    if not ok then self.raised = raised end
    self.bell:post()
  end, ...)
end

--- Ends those that are left, and what is left of others.
function Exchange:reap()
  for _, thread in pairs(self.threads) do ngx.thread.kill(thread) end
end

--- Waits until `is_over` says so, or somebody ended the call.
function Exchange:await(is_over)
  while not (self.told or self.raised or is_over()) do
    self.bell:wait(FOREVER)
  end
  if self.raised then error(self.raised, 0) end
end

--- Has a thread do what may wait, and waits for it.
function Exchange:apart(act, ...)
  local result
  self:spawn("worker", function(...) result = { act(self, ...) } end, ...)
  self:await(function() return result end)
  return result and result[1]
end

--- Ends the call from outside.
function Exchange:cancel(note)
  if self:done() then return end
  self:fail { kind = "cancelled", note = note }
  self.bell:post()
end

-- -- time -------------------------------------------------------------------

--- Seconds in the form that nginx's sockets take.
local function milliseconds(seconds)
  return math.max(1, math.ceil(math.min(seconds, FOREVER) * 1000))
end

--- What is left of the call's time, and of another limit (0 is none).
---@return number seconds
function Exchange:left(limit, since)
  local now = core.now()
  local left = self.ends - now
  if limit > 0 then left = math.min(left, (since or now) + limit - now) end
  return left
end

--- Fails for the limit that was broken.
function Exchange:fail_late(limit)
  if core.now() >= self.ends then
    fail(self, "timeout", "the call did not end within its timeout")
  elseif limit == "first_byte" then
    fail(self, "timeout",
      "no byte of the answer came within first_byte_timeout")
  else
    fail(self, "timeout", "no byte moved within stall_timeout")
  end
end

-- -- the socket -------------------------------------------------------------

--- Lets the worker serve others now and then: a socket that is always ready
--- never waits. A pause of 0 is over before nginx looks at its sockets.
function Exchange:give_way(count)
  self.unbroken = self.unbroken + count
  if self.unbroken < TURN then return end
  self.unbroken = 0
  ngx.sleep(0.001)
end

--- Hands bytes to the socket; whether it took them.
function Exchange:push(data)
  local socket = self.socket
  local wait = self:left(self.stall)
  if wait <= 0 then return self:fail_late() end
  wait = milliseconds(wait)
  socket:settimeouts(wait, wait, wait)
  self.sent_any = true
  local sent, reason = socket:send(data)
  self:give_way(#data)
  self.moved_at = core.now()
  if sent then return true end
  if reason == "timeout" then return self:fail_late("stall") end
  fail(self, "connect", ("the connection broke (%s)"):format(reason))
end

--- How long the next byte may take, and which limit says so. While a body
--- leaves, the shorter one makes sure that nobody looks too late.
function Exchange:patience()
  local first, stall = self.first_byte, self.stall
  local awaiting = self.handed_over and not self.received
  if awaiting and first > 0 then return first, first, "first_byte" end
  local often = stall
  if not self.handed_over and first > 0 and (stall == 0 or first < stall) then
    often = first
  end
  return often, stall, "stall"
end

--- Waits for the next bytes of the answer; nil when there are none.
function Exchange:receive()
  while not self.failure do
    local often, limit, name = self:patience()
    -- Who sends looks after its own time, and Lua is never late.
    if self.busy or self.pushing then self.moved_at = core.now() end
    if self:left(limit, self.moved_at) <= 0 then
      return self:fail_late(name)
    end
    local wait = milliseconds(math.max(0, self:left(often,
      often == limit and self.moved_at or nil)))
    self.socket:settimeouts(wait, wait, wait)
    local bytes, reason = self.socket:receiveany(PIECE)
    if bytes then
      self:give_way(#bytes)
      self.moved_at, self.received = core.now(), true
      self.is_full = #bytes % FULL == 0
      return bytes
    end
    if reason ~= "timeout" then
      return fail(self, "connect", ("the connection broke (%s)"):format(reason))
    end
  end
end

--- The same, in whatever thread we are.
function Exchange:pull()
  if self.outside then return self:apart(self.receive) end
  return self:receive()
end

-- -- Lua's part -------------------------------------------------------------

-- What streams.lua wants of a transfer.

function Exchange:wanted()
  if self.hungry and not self.failure then return self.request:wanted() end
end

function Exchange:feed(piece)
  self.hungry = false
  self.request:feed(piece)
end

function Exchange:take()
  if not self.failure then return self.request:take() end
end

function Exchange:fail(failure)
  self.failure, self.own, self.told = failure, true, true
end

function Exchange:done()
  return self.over or self.failure ~= nil
end

function Exchange:progress()
  local size = self.request.size
  if size and size > 0 then return self.sent, size end
  if self.sink then return self.request:moved() end
  return self.got, self.announced
end

--- Lets Lua supply and take bytes.
function Exchange:serve()
  if not self.functions then return end
  self.busy = true
  streams.serve(self, self.functions, self.state)
  self.busy = false
  self.moved_at = core.now()
end

-- -- sending ----------------------------------------------------------------

--- The request's head as it leaves.
local function request_head(request, authority, path)
  local lines = { ("%s %s HTTP/1.1"):format(request.method, path),
                  "Host: " .. authority }
  for name, value in pairs(request.headers) do
    lines[#lines + 1] = name .. ": " .. value
  end
  if request.size or request.method == "POST" then
    lines[#lines + 1] = ("Content-Length: %.0f"):format(request.size or 0)
  end
  local from, etag = request:range()
  if from then
    lines[#lines + 1] = ("Range: bytes=%.0f-"):format(from)
    lines[#lines + 1] = "If-Range: " .. etag
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

--- The next piece of the body, and whether it is the last.
function Exchange:next_piece()
  if self.request:wanted() then
    self.hungry = true
    self:serve()
    if self.failure then return nil end
  end
  local piece, last = self.request:read()
  if not piece then
    self.failure, self.own = last, true
    return nil
  end
  return piece, last
end

--- All that is to leave has left.
function Exchange:hand_over()
  self.handed_over = true
  self:serve()
end

--- Has a thread send a piece, until it did or an answer is there; whether the
--- piece was taken.
function Exchange:push_or_hear(data)
  local took
  self.pushing = true
  self:spawn("sender", function()
    took = self:push(data)
    self.pushing = false
  end)
  self:await(function() return not self.pushing or self.answer ~= nil end)
  return took
end

--- The connection broke while the body left. What the server said before it
--- hung up counts more.
function Exchange:hear_last_words()
  local failure = self.failure
  self.failure = nil
  self:await(function() return self.answer ~= nil end)
  if not self.answer then self.failure = self.failure or failure end
end

--- Sends a body of several pieces while a thread listens.
function Exchange:send_pieces(lines, piece)
  self:spawn("listener", function()
    self.answer = self:read_head() or false
  end)
  local data, length, last = lines .. piece, #piece, false
  while true do
    local took = self:push_or_hear(data)
    if self.told or self.answer ~= nil then return end
    if not took then return self:hear_last_words() end
    self.sent = self.sent + length
    if last then break end
    self:serve()
    if self.failure then return end
    data, last = self:next_piece()
    if not data or self.answer ~= nil then return end
    length = #data
  end
  self:hand_over()
  self:await(function() return self.answer ~= nil end)
end

--- Sends a body that leaves with the head, and brings the answer; all of it,
--- when Lua has no part in it.
function Exchange:send_at_once(data, length)
  if not self:push(data) then return end
  self.sent = length
  if self.functions then return true end
  self:hand_over()
  self.answer = self:read_head()
  if self.answer then self.whole = self:read_body(self.answer) end
end

--- Sends the request; whether an answer may be read then.
function Exchange:send(authority, path)
  local piece, last = self:next_piece()
  if not piece then return end
  local lines = request_head(self.request, authority, path)
  if not last then
    self:send_pieces(lines, piece)
  elseif self:apart(self.send_at_once, lines .. piece, #piece) then
    self:hand_over()
    if not self.failure then self.answer = self:apart(self.read_head) end
  end
  if not self.answer or self.told then return false end
  if not self.handed_over then
    self.failure = nil -- of sending what nobody wanted any more
  end
  return true
end

-- -- receiving --------------------------------------------------------------

--- More bytes behind those that wait; whether some came.
function Exchange:more()
  local bytes = self:pull()
  if not bytes then return false end
  self.buffer = self.buffer .. bytes
  return true
end

--- The status of an answer whose head broke off.
local function early_status(text)
  local status = tonumber(text:match("^HTTP/1%.%d (%d%d%d)[^\n]*\n"))
  return status and status >= 200 and status or nil
end

local function is_http(text)
  return ("HTTP/"):sub(1, #text) == text:sub(1, 5)
end

--- The next head, taken out of the buffer; nil when it did not come.
function Exchange:next_head(room)
  local from = 1
  while true do
    local stop = head.ending(self.buffer, from)
    if not stop and not is_http(self.buffer) then stop = #self.buffer + 1 end
    if stop then
      local text = self.buffer:sub(1, stop - 1)
      self.buffer = self.buffer:sub(stop)
      return text
    end
    if #self.buffer > room then
      return fail(self, "too_large",
        "the answer is larger than max_body allows", true)
    end
    from = math.max(1, #self.buffer - 2)
    if not self:more() then
      self.status = early_status(self.buffer)
      return nil
    end
    self.first_byte_at = self.first_byte_at or core.now()
  end
end

--- The head of the final answer; interim ones are passed over.
function Exchange:read_head()
  local room = MAX_HEAD
  while true do
    local text = self:next_head(room)
    if not text then return nil end
    local it, reason = head.parse(text)
    if not it then
      return fail(self, "protocol", "the answer is not HTTP: " .. reason)
    end
    if it.status >= 200 then
      self.status = it.status
      self.success = it.status <= 299
      return it
    end
    room = room - #text
  end
end

--- Keeps bytes of the body where they belong; whether to go on.
function Exchange:keep(bytes)
  self.got = self.got + #bytes
  if not self.success then
    local room = MAX_REFUSAL - (self.got - #bytes)
    self.body[#self.body + 1] = bytes:sub(1, room)
    return self.got < MAX_REFUSAL
  end
  if self.sink then
    repeat
      local kept, failure = self.request:write(bytes)
      if kept == nil then
        self.failure, self.own = failure, true
        return false
      end
      self:serve()
    until kept or self.failure
  else
    if self.got > self.max_body then
      fail(self, "too_large", "the answer is larger than max_body allows",
        true)
      return false
    end
    self.body[#self.body + 1] = bytes
    self:serve()
  end
  return not self.failure
end

--- Keeps the next `count` bytes of the body; whether all came.
function Exchange:keep_bytes(count)
  while count > 0 do
    local bytes = self.buffer
    if bytes == "" then bytes = self:pull() end
    if not bytes then return false end
    self.buffer = bytes:sub(count + 1)
    if #bytes > count then bytes = bytes:sub(1, count) end
    count = count - #bytes
    if not self:keep(bytes) then return false end
  end
  return true
end

--- A line of the chunked coding, without its end.
function Exchange:read_line(most)
  while true do
    local stop = self.buffer:find("\n", 1, true)
    if stop and stop <= most then
      local line = self.buffer:sub(1, stop - 1):gsub("\r$", "")
      self.buffer = self.buffer:sub(stop + 1)
      return line
    end
    if stop or #self.buffer > most then
      return fail(self, "protocol", "the answer's chunks are malformed")
    end
    if not self:more() then return nil end
  end
end

--- The chunks, then the trailer, which the API does not use.
function Exchange:keep_chunks()
  while true do
    local line = self:read_line(1024)
    if not line then return false end
    local size = head.chunk_size(line)
    if not size then
      return fail(self, "protocol", "the answer's chunks are malformed")
    end
    if size == 0 then break end
    if not self:keep_bytes(size) then return false end
    local rest = self:read_line(2)
    if not rest then return false end
    if rest ~= "" then
      return fail(self, "protocol", "the answer's chunks are malformed")
    end
  end
  local room = MAX_HEAD
  repeat
    local line = self:read_line(room)
    if not line then return false end
    room = room - #line - 1
  until line == "" or room <= 0
  return room > 0
end

--- All there is until the server hangs up, which is this body's end.
function Exchange:keep_rest()
  local bytes = self.buffer
  self.buffer = ""
  while bytes do
    if bytes ~= "" and not self:keep(bytes) then return false end
    bytes = self:pull()
  end
  if self.failure.note ~= "the connection broke (closed)" then return false end
  self.failure = nil
  return true
end

--- Reads the body; whether it came whole.
function Exchange:read_body(it)
  local framing, length = head.framing(it, self.request.method)
  if not framing then
    return fail(self, "protocol", "the answer has no sure end: " .. length)
  end
  self.framing = framing
  self.announced = framing == "length" and length or nil
  if self.success then
    local taken, failure = self.request:receive(it.status, it.lines,
      self.announced)
    if not taken then
      self.failure, self.own = failure, true
      return false
    end
    if not self.sink and (self.announced or 0) > self.max_body then
      return fail(self, "too_large",
        "the answer is larger than max_body allows", true)
    end
  end
  if framing == "length" then return self:keep_bytes(length) end
  if framing == "chunked" then return self:keep_chunks() end
  if framing == "close" then return self:keep_rest() end
  return true
end

-- -- the whole --------------------------------------------------------------

--- Whether the connection may serve another request. Behind a read that filled
--- nginx's buffer TLS may hold more, which nginx does not look for.
function Exchange:is_clean(it)
  return self.whole and self.handed_over and self.buffer == ""
    and not (self.tls and self.is_full)
    and self.framing ~= "close" and head.keeps_alive(it)
end

--- The phase that was under way.
function Exchange:phase()
  if self.status then return "body" end
  return self.handed_over and "first_byte" or "send"
end

--- Carries the request over its socket.
---@return table? head of the answer; its body is in `body` or the sink
---@return boolean? clean whether the connection may be used again
function Exchange:run(authority, path)
  self.moved_at = core.now()
  if not self:send(authority, path) then return nil end
  local it = self.answer
  self.outside = true
  if self.whole == nil then self.whole = self:read_body(it) end
  if not self.success and not self.told then
    -- A refusal is one, however its body ended.
    self.failure = nil
  end
  if self.failure then return nil end
  self.over = true
  self:serve()
  if self.failure then return nil end
  return it, self:is_clean(it)
end

return {
  milliseconds = milliseconds,

  --- An exchange over a socket.
  ---@param request userdata
  ---@param ends number when the call's time is over
  ---@param tls boolean whether the socket speaks TLS
  new = function(request, socket, ends, tls)
    local _, first_byte, stall, max_body = request:limits()
    return setmetatable({
      request = request, socket = socket, ends = ends, tls = tls,
      bell = require "ngx.semaphore".new(), threads = {},
      first_byte = first_byte, stall = stall, max_body = max_body,
      functions = request:streams(), state = {}, sink = request.sink,
      buffer = "", body = {}, got = 0, sent = 0, unbroken = 0,
    }, Exchange)
  end,
}
