--- The access token: given, asked of a function, or fetched with client
--- credentials and kept until shortly before its end.
--
-- Secrets live in these closures only: no field of a client shows them.

local call = require "signicat.call"
local core = require "signicat.core"
local observe = require "signicat.observe"
local options = require "signicat.options"
local tasks = require "signicat.tasks"
local withhold = require "signicat.withhold"

local token = {}

local FAILURE_KEPT = 1 -- seconds that all who ask share a failure
local LONGEST_FETCH = 90 -- after which a fetch under way is given up for lost
local POLL = 0.01 -- seconds between two looks at what another one fetches

--- A token of the caller's own; when it is refused there is no other.
local function ready(value)
  local authorization = "Bearer " .. value
  return {
    get = function() return authorization end,
    drop = function() return false end,
  }
end

--- A tenth of its life before the end, at least 30 s, and a little earlier by
--- chance; never more than half, or a short-lived one would be fetched for
--- every call.
local function margin(lifetime, random)
  local usual = math.max(30, lifetime / 10) * (1 + random() / 10)
  return math.min(usual, lifetime / 2)
end

--- Whether a failure says something of the token, not of who asked for it.
---@param failure table
---@param was_cut boolean? whether who asked gave it less time than usual
local function is_shared(failure, was_cut)
  return not (failure.kind == "timeout" and was_cut)
    and failure.kind ~= "cancelled" and failure.kind ~= "unsupported"
    and failure.kind ~= "memory"
end

local function copy(failure)
  local new = {}
  for name, value in pairs(failure) do new[name] = value end
  return setmetatable(new, getmetatable(failure))
end

--- A failure for a store, which has room for words and numbers, not for a
--- page of somebody's.
local function write(failure)
  local short = {}
  for name, value in pairs(failure) do
    if type(value) ~= "table" and #tostring(value) <= 1000 then
      short[name] = value
    end
  end
  return core.json_encode(short)
end

--- The same read again; nil for what others have written there.
local function read(text)
  local failure = type(text) == "string" and core.json_decode(text)
  if type(failure) ~= "table" or not core.kinds[failure.kind] then
    return nil
  end
  local message = failure.message
  if type(message) ~= "string" then return failure end
  failure = core.error(failure)
  failure.message = message
  return failure
end

--- The task that runs now, if it is one of this client's.
local function running_task(client)
  local loop = client.transport.loop
  return loop and loop.task and loop:task()
end

--- Who asks: a task, a coroutine, or nil for the main program.
local function asker(client)
  local task = running_task(client)
  return tasks.is_task(task) and task or tasks.this_coroutine()
end

local function is_cancelled(client)
  local task = running_task(client)
  return task and task.is_cancelled
end

-- Not in plain Lua 5.1.
local can_yield_in_pcall = _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil

--- pcall where what is called can still wait; elsewhere, in a coroutine that
--- is no task, none.
local function try(client, fn, ...)
  if can_yield_in_pcall or type(asker(client)) ~= "thread" then
    return tasks.try(fn, ...)
  end
  return true, fn(...)
end

--- Until when a call waits for its token: it may take no longer itself.
local function patience(client, deadline, waiting)
  return math.min(deadline or math.huge,
    client.clock() + (waiting.timeout or math.huge))
end

--- What a store has. While it says that somebody else fetches, waits for what
--- that one gets, or for why it gets none; if neither comes the turn is ours.
---@param ends number the deadline of whoever asks
---@return string? value
---@return number? lifetime
---@return table? failure of another one's fetch
local function look(store, client, ends)
  ends = math.min(ends, client.clock() + LONGEST_FETCH)
  local value, lifetime = store:get()
  if value or not store.lock then return value, lifetime end
  while true do
    local is_ours = store:lock()
    -- It may have come between the look and the lock.
    value, lifetime = store:get()
    local failure = not value and read(store:failure()) or nil
    if value or failure then
      if is_ours then store:unlock() end
      return value, lifetime, failure
    end
    if is_ours or client.clock() >= ends or is_cancelled(client) then
      return nil
    end
    client.sleep(POLL)
  end
end

--- Remembers what `fetch` gives until shortly before it ends. Only the
--- client's clock counts, which nobody sets. Tasks that ask while one of them
--- fetches wait for what that one gets; so do coroutines where waiting can
--- yield: with a sleep of the client's own.
--- A transport that can fetch apart from the caller, whose end then does not
--- end the fetch, does so unless the fetch is the caller's own function.
---@param fetch fun(client, deadline, waiting): string?, number|table?,
--- boolean? whether who asked gave it less time than usual
---@param store table? as `bind` makes it
---@param is_own boolean?
local function kept(fetch, store, is_own)
  local authorization, renew_at
  local failure, failed_until
  -- While one is under way: by, gate, apart, ends, locked.
  local fetching
  local source = {}

  local function keep(value, lifetime, client)
    authorization = "Bearer " .. value
    renew_at = lifetime
      and client.clock() + lifetime - margin(lifetime, client.random)
  end

  local function is_fresh(client)
    return authorization and (not renew_at or client.clock() < renew_at)
  end

  --- Whether another one fetches and can be waited for: where waiting lets
  --- that one go on.
  local function must_wait(client)
    if not fetching or client.clock() >= fetching.ends then return false end
    local transport = client.transport
    local leader, asks = fetching.by, asker(client)
    if fetching.apart then
      return leader ~= asks and transport.can_wait and transport.can_wait()
    end
    if leader == asks then return false end
    if fetching.gate then
      return tasks.is_open(leader) or tasks.is_open(asks)
        and not tasks.is_task(leader)
    end
    return leader and asks and client.sleep ~= core.sleep
      and coroutine.status(leader) ~= "dead"
  end

  --- Waits a moment for who fetches; what is wrong if there is no more time.
  local function wait(client, ends)
    local gate, left = fetching.gate, ends - client.clock()
    if left <= 0 then
      return { kind = "timeout", operation = "token", sent = false,
               note = "the call's time was over before there was a token" }
    end
    if gate and tasks.is_task(asker(client)) then
      gate:wait(math.min(1, left))
    else
      client.sleep(math.min(POLL, left))
    end
    if is_cancelled(client) then
      return { kind = "cancelled", sent = false,
               note = "the task was cancelled" }
    end
  end

  local function begin(client, apart)
    local loop = client.transport.loop
    fetching = { ends = client.clock() + LONGEST_FETCH, apart = apart,
                 by = not apart and asker(client),
                 gate = not apart and loop and loop.gate and loop:gate() }
  end

  local function finish()
    local ended = fetching
    fetching = nil
    if not ended then return end
    if ended.gate then ended.gate:open() end
    if ended.locked then store:unlock() end
  end

  local function fail(reason, client)
    failure = copy(reason)
    failed_until = client.clock() + FAILURE_KEPT
  end

  local function fetch_now(client, deadline, waiting)
    local value, lifetime, failed, was_cut
    local origin = "store"
    -- A hook that asks while it is told of the fetch would wait for itself.
    if store and not (fetching and fetching.locked) then
      value, lifetime, failed = look(store, client, deadline or math.huge)
    end
    if failed then
      fail(failed, client)
      finish()
      return nil, failed
    end
    if not value then
      origin = "fetch"
      if not fetching then begin(client) end
      fetching.locked = store and store.unlock
      value, lifetime, was_cut = fetch(client, deadline, waiting)
      if not value then
        if is_shared(lifetime, was_cut) then
          fail(lifetime, client)
          if store and store.lock then store:fail(write(lifetime)) end
        end
        finish()
        return nil, lifetime
      end
      if store then store:set(value, lifetime) end
    end
    keep(value, lifetime, client)
    finish()
    observe.emit(client, "token", { operation = "token", source = origin,
                                    lifetime = lifetime })
    return authorization
  end

  --- The same, over also for those who wait when what it calls raises.
  local function fetch_for_all(client, ...)
    if fetching and fetching.apart then fetching.by = asker(client) end
    local ok, value, reason = try(client, fetch_now, client, ...)
    if not ok then
      finish()
      error(value, 0)
    end
    return value, reason
  end

  --- The same, where the end of who asked does not end it.
  local function fetch_apart(client, ...)
    begin(client, true)
    return client.transport.apart(LONGEST_FETCH, fetch_for_all, client, ...)
  end

  function source.get(_, client, deadline, waiting)
    if is_fresh(client) then return authorization end
    local transport = client.transport
    local refused = transport.refusal and transport:refusal()
    if refused then return nil, refused end
    local ends = patience(client, deadline, waiting)
    while must_wait(client) do
      local failed = wait(client, ends)
      if failed then return nil, failed end
      if is_fresh(client) then return authorization end
    end
    if failure and client.clock() < failed_until then
      return nil, copy(failure)
    end
    local is_within = fetching and fetching.by == asker(client)
    if is_own and is_within then
      core.misuse("`auth` calls the client that waits for its token; it has to "
        .. "get one without")
    end
    if client.transport.apart and not is_own and not is_within then
      return fetch_apart(client, deadline, waiting)
    end
    return fetch_for_all(client, deadline, waiting)
  end

  --- A token was refused: forgets it, unless there is a newer one already.
  --- Returns whether asking again may give another.
  function source.drop(_, refused)
    if authorization == refused then
      authorization = nil
      if store then store:drop((refused:gsub("^Bearer ", ""))) end
    end
    return true
  end

  return source
end

--- A function, or an object with `get`, that returns a token and how many
--- seconds it lives (nil: as long as the client).
local function from_provider(auth, store)
  return kept(function()
    local value, lifetime
    if type(auth) == "function" then
      value, lifetime = auth()
    else
      value, lifetime = auth:get()
    end
    if not options.bearer(value) and (lifetime == nil
      or type(lifetime) == "number") then
      return value, lifetime
    end
    local reason = value == nil and lifetime ~= nil and tostring(lifetime)
      or ("it gave a %s and a %s, not a token without spaces and line ends "
        .. "and a number or nil"):format(type(value), type(lifetime))
    return nil, { kind = "auth", detail = reason,
      note = "`auth` gave no token; see `detail`" }
  end, store, true)
end

local function form_encode(text)
  return (text:gsub("[^A-Za-z0-9%-%._~]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

--- The failure of the token's request as that of the call it was for.
local function refusal(failure)
  local anew = failure.fields ~= nil
  failure.body, failure.fields = nil, nil
  -- The endpoint speaks OAuth: what it refuses are credentials.
  if failure.status == 400 or failure.status == 403 then
    failure.kind, anew = "auth", true
  end
  return anew and call.fail("token", failure) or failure
end

--- The token and its lifetime in an answer, whatever that is.
local function read_answer(answer)
  local is_object = type(answer) == "userdata" and answer ~= core.null
  local fields = is_object and answer or {}
  local lifetime = fields.expires_in
  if not options.bearer(fields.access_token)
    and type(lifetime) == "number" then
    return fields.access_token, lifetime
  end
  return nil, call.fail("token", { kind = "protocol", sent = true,
    attempts = 1,
    note = "the token endpoint's answer has no access_token and "
      .. "expires_in; check token_url" })
end

--- OAuth 2.0 client credentials (RFC 6749 section 4.4), in the form or as
--- HTTP Basic.
local function from_credentials(given, settings, store)
  local origin, path = given.token_url:match("^(%a+://[^/]+)(.*)$")
  if path == "" then path = "/" end
  local endpoint = {}
  for name, value in pairs(settings) do endpoint[name] = value end
  endpoint.base_url = origin
  endpoint.header_lines = settings.own_header_lines
  local id = form_encode(given.client_id)
  local secret = form_encode(given.client_secret)
  local form = "grant_type=client_credentials&scope=signicat-api"
  local secrets, basic = { given.client_secret, secret }, nil
  if given.auth_method == "client_secret_basic" then
    secrets[3] = core.base64(id .. ":" .. secret)
    basic = "Basic " .. secrets[3]
  else
    form = form .. "&client_id=" .. id .. "&client_secret=" .. secret
  end
  endpoint.withhold = withhold.of(secrets, settings.withhold)

  return kept(function(client, deadline, waiting)
    local request, failure = core.raw_request(endpoint, "POST", path, {
      content = form,
      type = "application/x-www-form-urlencoded",
      repeatable = true,
    })
    if not request then return nil, failure end
    if basic then request.authorization = basic end
    -- A call's own limit goes for what it has to wait for, too.
    local timeout, was_cut = waiting.timeout, deadline ~= nil
    if timeout and timeout < (request.timeout or math.huge) then
      request.timeout, was_cut = timeout, true
    end
    local answer, err = call.send(client, "token", request, deadline,
      endpoint)
    if answer == nil then return nil, refusal(err), was_cut end
    return read_answer(answer)
  end, store)
end

--- What a store has. Others write there, too: what is no token, or has no
--- time left that can be told, is none.
---@return string? value
---@return number? lifetime
local function token_in(store, key)
  local value, lifetime = store:get(key)
  if options.bearer(value) then return nil end
  if lifetime == nil then return value end
  lifetime = tonumber(lifetime)
  if lifetime and lifetime > 0 then return value, lifetime end
end

--- A caller's store, under this account's key.
local function bind(store, key)
  return store and {
    get = function() return token_in(store, key) end,
    set = function(_, value, lifetime) store:set(key, value, lifetime) end,
    drop = function(_, value) store:drop(key, value) end,
    lock = store.lock and function() return store:lock(key) end,
    unlock = store.lock and function() store:unlock(key) end,
    fail = function(_, text)
      if text and store.fail then store:fail(key, text, FAILURE_KEPT) end
    end,
    failure = function() return store.failure and store:failure(key) end,
  }
end

--- The source of tokens that the options of a client name.
---@param given table options of signicat.new, already checked
---@param settings table of the client
---@return table source with get(client, deadline, waiting) -> header, or
--- nil, failure; `waiting` is the request that needs the token
function token.new(given, settings)
  if given.token then return ready(given.token) end
  local store = bind(given.token_store, "signicat " .. given.token_url .. " "
    .. (given.client_id or ""))
  if given.auth then return from_provider(given.auth, store) end
  return from_credentials(given, settings, store)
end

return token
