--- The access token: given, asked of a function, or fetched with client
--- credentials and kept until shortly before its end.
--
-- Secrets live in these closures only: no field of a client shows them.

local call = require "signicat.call"
local core = require "signicat.core"

local token = {}

--- A token of the caller's own.
local function ready(value)
  local authorization = "Bearer " .. value
  return { get = function() return authorization end }
end

--- Remembers what `fetch` gives until shortly before it ends. Only the
--- client's clock counts, which nobody sets.
---@param fetch fun(client, deadline): string?, number|table?
local function kept(fetch)
  local authorization, renew_at
  local source = {}

  function source.get(_, client, deadline)
    if authorization and (not renew_at or client.clock() < renew_at) then
      return authorization
    end
    local value, lifetime = fetch(client, deadline)
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
    if type(value) == "string" and (lifetime == nil
      or type(lifetime) == "number") then
      return value, lifetime
    end
    return nil, { kind = "auth", detail = tostring(lifetime),
      note = "`auth` gave no token; see `detail`" }
  end)
end

local function form_encode(text)
  return (text:gsub("[^%w%-%._~]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

local function read_answer(value, failure)
  if not value then
    -- The token endpoint speaks OAuth: what it refuses are credentials.
    if failure.status == 400 or failure.status == 403 then
      failure.kind = "auth"
    end
    return nil, failure
  end
  local lifetime = value.expires_in
  if type(value.access_token) ~= "string" or type(lifetime) ~= "number" then
    return nil, { kind = "protocol", sent = true,
      note = "the token endpoint's answer has no access_token and "
        .. "expires_in; check token_url" }
  end
  return value.access_token, lifetime
end

--- OAuth 2.0 client credentials (RFC 6749 section 4.4), in the form or as
--- HTTP Basic.
local function from_credentials(given, settings)
  local origin, path = given.token_url:match("^(%a+://[^/]+)(.*)$")
  if path == "" then path = "/" end
  local endpoint = {}
  for name, value in pairs(settings) do endpoint[name] = value end
  endpoint.base_url = origin
  local id = form_encode(given.client_id)
  local secret = form_encode(given.client_secret)
  local form = "grant_type=client_credentials&scope=signicat-api"
  local basic
  if given.auth_method == "client_secret_basic" then
    basic = "Basic " .. core.base64(id .. ":" .. secret)
  else
    form = form .. "&client_id=" .. id .. "&client_secret=" .. secret
  end

  return kept(function(client, deadline)
    local request, failure = core.raw_request(endpoint, "POST", path, {
      content = form,
      type = "application/x-www-form-urlencoded",
      repeatable = true,
    })
    if not request then return nil, failure end
    if basic then request.authorization = basic end
    local value, meta = call.send(client, "token", request, deadline)
    return read_answer(value, meta)
  end)
end

--- The source of tokens that the options of a client name.
---@param given table options of signicat.new, already checked
---@param settings table of the client
---@return table source with get(client, deadline) -> header, or nil, failure
function token.new(given, settings)
  if given.token then return ready(given.token) end
  if given.auth then return from_provider(given.auth) end
  return from_credentials(given, settings)
end

return token
