--- The access token: given, asked of a function, or fetched with client
--- credentials and kept until shortly before its end.
--
-- Secrets live in these closures only: no field of a client shows them.

local call = require "signicat.call"
local core = require "signicat.core"
local options = require "signicat.options"

local token = {}

--- A token of the caller's own.
local function ready(value)
  local authorization = "Bearer " .. value
  return { get = function() return authorization end }
end

--- Remembers what `fetch` gives until shortly before it ends. Only the
--- client's clock counts, which nobody sets.
---@param fetch fun(client, deadline, waiting): string?, number|table?
local function kept(fetch)
  local authorization, renew_at
  local source = {}

  function source.get(_, client, deadline, waiting)
    if authorization and (not renew_at or client.clock() < renew_at) then
      return authorization
    end
    local value, lifetime = fetch(client, deadline, waiting)
    if not value then return nil, lifetime end
    authorization = "Bearer " .. value
    -- A tenth of its life before the end, at least 30 s; never more than
    -- half, or a short-lived one would be fetched for every call.
    renew_at = lifetime and client.clock() + lifetime
      - math.min(math.max(30, lifetime / 10), lifetime / 2)
    return authorization
  end

  return source
end

--- A function, or an object with `get`, that returns a token and how many
--- seconds it lives (nil: as long as the client).
local function from_provider(auth)
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
  end)
end

local function form_encode(text)
  return (text:gsub("[^A-Za-z0-9%-%._~]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

--- Takes out of a refusal what repeats a secret: some endpoints answer with
--- what they were sent.
local function withhold(failure, secrets)
  local withheld = failure.fields ~= nil
  failure.body, failure.fields = nil, nil
  for _, name in ipairs { "code", "title", "detail", "trace_id" } do
    for _, secret in ipairs(secrets) do
      if failure[name] and failure[name]:find(secret, 1, true) then
        failure[name], withheld = "(withheld: it repeats a secret)", true
      end
    end
  end
  return withheld
end

--- The failure of the token's request as that of the call it was for.
local function refusal(failure, secrets)
  local anew = withhold(failure, secrets)
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
local function from_credentials(given, settings)
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

  return kept(function(client, deadline, waiting)
    local request, failure = core.raw_request(endpoint, "POST", path, {
      content = form,
      type = "application/x-www-form-urlencoded",
      repeatable = true,
    })
    if not request then return nil, failure end
    if basic then request.authorization = basic end
    -- A call's own limit goes for what it has to wait for, too.
    local timeout = waiting.timeout
    if timeout and timeout < (request.timeout or math.huge) then
      request.timeout = timeout
    end
    local answer, err = call.send(client, "token", request, deadline)
    if answer == nil then return nil, refusal(err, secrets) end
    return read_answer(answer)
  end)
end

--- The source of tokens that the options of a client name.
---@param given table options of signicat.new, already checked
---@param settings table of the client
---@return table source with get(client, deadline, waiting) -> header, or
--- nil, failure; `waiting` is the request that needs the token
function token.new(given, settings)
  if given.token then return ready(given.token) end
  if given.auth then return from_provider(given.auth) end
  return from_credentials(given, settings)
end

return token
