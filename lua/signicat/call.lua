--- The path of every call: encode, authorise, send, decode.
--
-- C prepares and C finishes; between the two, in Lua, the request is sent,
-- so that a transport may yield. Nothing of a call is kept on the client.

local core = require "signicat.core"
local observe = require "signicat.observe"
local options = require "signicat.options"
local retry = require "signicat.retry"
local settings = require "signicat.settings"
local withhold = require "signicat.withhold"

local call = {}

local NO_LIMIT = 1e9 -- seconds, the longest that an option can say

--- Whether a create may have been carried out although its call failed: not
--- when it is known that not all of it left, nor when the service refused it
--- (response.c judges which refusals say so).
local function may_have_happened(request, failure)
  if not (request and request.creates and failure.sent) then return false end
  if failure.phase == "send" then return false end
  local status = failure.status
  return not status or status < 300 and failure.kind ~= "integrity"
end

--- Makes an error object of a plain failure; with error.c the one place
--- that does.
---@param name string the call's name, "sessions:create"
---@param failure table kind, and what is known
---@param request userdata? what was sent, if it came so far
---@return table err
local function fail(name, failure, request)
  failure.operation = failure.operation or name
  if may_have_happened(request, failure) then failure.ambiguous = true end
  if failure.ambiguous then failure.retryable = false end
  failure.attempts = failure.attempts or (request and 1 or 0)
  return core.error(failure)
end

call.fail = fail

local CLOSED = "the client was closed"

--- What a closed client sends with: calls that were under way end with that.
call.closed = {
  send = function()
    return nil, { kind = "cancelled", sent = false, note = CLOSED }
  end,
}

--- Raises where a closed client is called.
function call.check_open(client)
  if client.transport == call.closed then
    core.misuse("this client is closed")
  end
end

--- What a call of many parts ends with when its client was closed meanwhile.
---@return table? failure
function call.was_closed(client)
  if client.transport ~= call.closed then return nil end
  return select(2, call.closed.send())
end

--- A transport of somebody else's may return anything for a failure, and the
--- same table again. Who does not say may have sent the request.
local function from_transport(failure)
  local copy = {}
  if type(failure) == "table" and failure.kind then
    for name, value in pairs(failure) do copy[name] = value end
  end
  if copy.sent == nil then copy.sent = true end
  if core.kinds[copy.kind] then return copy end
  if copy.kind == nil and failure ~= nil then
    copy.detail = tostring(failure)
  end
  copy.kind = "connect"
  copy.note = "the transport failed; see `detail`"
  copy.detail = copy.detail or "the transport did not say why"
  return copy
end

--- What is left of a deadline becomes the request's limit; a deadline may be
--- as far away as math.huge.
local function limit(client, request, deadline)
  local left = deadline - client.clock()
  if left <= 0 then return false end
  if left < (request.timeout or NO_LIMIT) then request.timeout = left end
  return true
end

--- An attempt's failure, without the token that it was sent with. Tokens are
--- long; what is short is a word that anybody may write.
local function fail_attempt(name, failure, request, policy)
  local bearer = request.headers.authorization
  local token = bearer and bearer:match "^Bearer (........+)$"
  if token then withhold.failure(failure, { token }) end
  if policy.withhold then policy.withhold(failure) end
  return fail(name, failure, request)
end

local out_of_time = "the deadline passed before the request was sent"

--- Sends a prepared request once and decodes its answer.
local function attempt(client, name, request, deadline, policy)
  if deadline and not limit(client, request, deadline) then
    return nil, fail(name, { kind = "timeout", note = out_of_time })
  end
  local response, failure = client.transport:send(request)
  if not response then
    return nil, fail_attempt(name, from_transport(failure), request, policy)
  end
  local value, meta, failed_meta = core.decode(request, response)
  if policy.withhold then policy.withhold(nil, failed_meta or meta) end
  if value == nil then
    return nil, fail_attempt(name, meta, request, policy), failed_meta
  end
  return value, meta
end

--- The same, told to the client's hook: the request, and the answer if there
--- is one.
local function attempt_told(client, name, request, deadline, policy, number)
  local about = { operation = name, method = request.method, attempt = number,
                  trace = request.headers.traceparent }
  observe.emit(client, "request", about)
  local began = client.clock()
  local value, meta, failed_meta = attempt(client, name, request, deadline,
    policy)
  local answer = value ~= nil and meta or failed_meta
  if answer then
    about.seconds = client.clock() - began
    about.status, about.reused = answer.status, answer.reused
    about.request_id = answer.request_id
    observe.emit(client, "response", about)
  end
  return value, meta, failed_meta
end

--- Whether a DELETE found nothing because an attempt before it, of which no
--- answer came, had deleted it. A transport may have made that one by itself.
local function was_deleted_before(request, err, arrived)
  return arrived and err.status == 404 and request.method == "DELETE"
end

--- Whether a failed attempt may have been carried out.
local function may_have_arrived(err)
  local status = err.status
  return err.sent and (not status or status < 300 or status >= 500)
end

--- Writes into an error and its meta how many attempts there were.
local function count(number, err, meta)
  -- The last one may have ended before it began.
  if err.attempts == 0 then number = number - 1 end
  err.attempts = number
  if meta then meta.attempts = number end
end

--- Sends a prepared request, and again what may be sent again.
---@param policy table retries, max_retry_after, should_retry, withhold
---@param spent number? attempts made before
---@param arrived boolean? whether one of those may have been carried out
---@return any value nil when it failed
---@return table meta or err
---@return table? meta when it failed
---@return boolean? arrived when it failed
function call.send(client, name, request, deadline, policy, spent, arrived)
  local patience = deadline and request.timeout
  local before = spent or 0
  local number = before
  retry.earn(client.budget)
  while true do
    number = number + 1
    local send = client.on_event and attempt_told or attempt
    local value, meta, failed_meta = send(client, name, request, deadline,
      policy, number)
    if value ~= nil then
      if number > 1 then meta.attempts = number end
      return value, meta
    end
    local err = meta
    if number > 1 then count(number, err, failed_meta) end
    arrived = arrived or failed_meta and failed_meta.resent
    if was_deleted_before(request, err, arrived) then
      failed_meta.repeated = true
      return true, failed_meta
    end
    local delay = retry.delay(policy, client.budget, request, err,
      number - before, client.random)
    if not delay or deadline and client.clock() + delay >= deadline then
      return nil, err, failed_meta, arrived
    end
    arrived = arrived or may_have_arrived(err)
    observe.emit(client, "retry", { error = err, attempt = number,
      delay = delay, trace = policy.trace })
    client.sleep(delay)
    if deadline then request.timeout = patience or 0 end
  end
end

--- Gives a request its token, then sends it. A token that is refused is
--- dropped and another one tried, once, by what can be sent again.
function call.authorised(client, name, request, deadline, policy)
  local spent, arrived = 0, false
  while true do
    local authorization, failure = client.token:get(client, deadline, request)
    if not authorization then
      -- That of the token's own request says so already.
      return nil, core.is_error(failure) and failure or fail(name, failure)
    end
    request.authorization = authorization
    local value, meta, failed_meta
    value, meta, failed_meta, arrived = call.send(client, name, request,
      deadline, policy, spent, arrived)
    if value ~= nil or spent > 0 or meta.status ~= 401
      or not client.token:drop(authorization) then
      return value, meta, failed_meta
    end
    observe.emit(client, "token", { operation = name, source = "drop" })
    if request.replayable == false then return value, meta, failed_meta end
    spent = meta.attempts
  end
end

--- Passes on what a call returns. An error gets the call's trace and is told
--- to the client's hook; what a download kept for another attempt goes.
local function finish(client, made, request, value, meta, failed_meta)
  if value == nil then
    if request then request:close() end
    meta.trace = made.headers.traceparent
    observe.emit(client, "error", { error = meta })
  end
  return value, meta, failed_meta
end

--- Calls one of the twelve operations.
---@param client table
---@param operation string the API's name for it
---@param id any an id, something that carries one, or nil
---@param payload any body, upload or query, as the operation has it
---@param opts table? checked against `known`
---@param known table? options.call if not given
function call.operation(client, operation, id, payload, opts, known)
  local name = core.operations[operation].name
  if client == nil then
    core.misuse(name .. " is a method: call it with a colon")
  end
  call.check_open(client)
  local made, deadline = client.settings, nil
  if opts ~= nil then
    options.check(opts, known or options.call, name)
    made, deadline = settings.with(made, opts), opts.deadline
  end
  local request, failure = core.request(made, operation, id, payload,
    client.wall_clock())
  if not request then
    return finish(client, made, nil, nil, fail(name, failure))
  end
  return finish(client, made, request,
    call.authorised(client, name, request, deadline, made))
end

--- Calls what has no method here.
function call.request(client, method, path, opts)
  call.check_open(client)
  opts = options.check(opts, options.request, "request")
  if opts.json ~= nil and (opts.content or opts.type) then
    core.misuse("request: give either `json`, or `content` with `type`")
  end
  local made = settings.with(client.settings, opts)
  local request, failure = core.raw_request(made, method, path, opts)
  if not request then
    return finish(client, made, nil, nil, fail("request", failure))
  end
  return finish(client, made, request,
    call.authorised(client, "request", request, opts.deadline, made))
end

return call
