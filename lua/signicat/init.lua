--- lua-signicat: a client for the Signicat Sign API v2.
--
-- `new` puts together what a call needs: settings, a transport, a source of
-- tokens and the three families. It reads nothing from outside and sends
-- nothing.

local call = require "signicat.call"
local collections = require "signicat.collections"
local core = require "signicat.core"
local documents = require "signicat.documents"
local options = require "signicat.options"
local retry = require "signicat.retry"
local sessions = require "signicat.sessions"
local settings = require "signicat.settings"
local token = require "signicat.token"

local signicat = {}

signicat._VERSION = "0.1.0"

--- JSON's null, the same value as cjson.null. An absent field is nil.
---@type lightuserdata
signicat.null = core.null

--- Marks a table as a JSON array, so that it is `[]` when empty.
---@param list table? a new one if not given
---@return table list the same table
function signicat.array(list)
  if list ~= nil and type(list) ~= "table" then
    core.misuse("signicat.array takes a table, not a " .. type(list))
  end
  return setmetatable(list or {}, core.array_mark)
end

--- Whether a value is an error object of this library.
---@param value any
---@return boolean
signicat.is_error = core.is_error

local TOKEN_PATH = "/auth/open/connect/token"

local defaults = {
  base_url = "https://api.signicat.com/sign",
  headers = {
    ["user-agent"] = "lua-signicat/" .. signicat._VERSION,
    accept = "application/json, */*;q=0.5",
  },
}

---@class signicat.Client
---@field documents signicat.Documents
---@field collections signicat.Collections
---@field sessions signicat.Sessions
local Client = {}
Client.__index = Client
Client.__name = "signicat.client"

function Client.__tostring(client)
  return "signicat.client " .. client.settings.base_url
end

--- The client's own clock, in seconds; `deadline` is a moment on it.
---@return number
function Client:now()
  return self.clock()
end

--- Calls an endpoint that has no method of its own, with the same token,
--- checks of the address and errors as every other call.
---@param method string in capitals
---@param path string from the base URL on, beginning with a slash
---@param opts table? query, json, content and type, to, and call options
---@return any value JSON as an object, other answers as a string, none: true
---@return table meta or err
function Client:request(method, path, opts)
  if type(method) ~= "string" or type(path) ~= "string" then
    core.misuse("request takes a method and a path, both strings")
  end
  return call.request(self, method, path, opts)
end

--- What a closed client sends with.
local closed = {
  send = function() core.misuse("this client is closed") end,
}

--- Closes the connections. Calls of a closed client raise.
function Client:close()
  local transport = self.transport
  self.transport = closed
  if transport.close then transport:close() end
end

Client.__close = Client.close

local function is_loopback(host)
  return host == "localhost" or host == "[::1]"
    or host:match("^127%.%d+%.%d+%.%d+$") ~= nil
end

--- What is wrong with an address, or nil.
local function address_fault(url, insecure_http)
  local scheme, authority = url:match("^(https?)://([^/%s?#]+)")
  if not scheme or url:find("[%s%c?#]") then
    return "must be an http or https URL without query and fragment"
  end
  if authority:find("@", 1, true) then
    return "must not carry a user name or a password"
  end
  local host = authority:gsub(":%d+$", "")
  if scheme == "http" and not insecure_http and not is_loopback(host) then
    return "must be https: over plain http anybody on the way can read the "
      .. "token (insecure_http = true if you accept that)"
  end
end

--- What is wrong with the addresses, all of it. A token_url that is not
--- given lies at the base_url's host, so it is as good as that.
local function address_findings(base_url, given)
  local findings = {}
  for _, name in ipairs { "base_url", "token_url" } do
    local url = name == "base_url" and base_url or given[name]
    local reason = url and address_fault(url, given.insecure_http)
    if reason then
      findings[#findings + 1] = { name = name, reason = reason }
    end
  end
  return findings
end

--- One credential: a token, a function, or id and secret.
local function check_credentials(given)
  local pair = given.client_id ~= nil or given.client_secret ~= nil
  local count = (given.token and 1 or 0) + (given.auth and 1 or 0)
    + (pair and 1 or 0)
  if count ~= 1 then
    core.misuse("new: give one of `token`, `auth`, or `client_id` with "
      .. "`client_secret`")
  end
  if pair and not (given.client_id and given.client_secret) then
    core.misuse("new: `client_id` and `client_secret` go together")
  end
end

--- Makes a client.
---@param given table base_url, token_url; one of token, auth, client_id with
--- client_secret; transport, clock, wall_clock, sleep, random; and defaults
--- for the options of its calls (seconds and bytes)
---@return signicat.Client? client
---@return table? err `invalid` for an address that cannot be used
function signicat.new(given)
  given = options.check(given, options.client, "new")
  check_credentials(given)
  local made = settings.new(given, defaults)
  local findings = address_findings(made.base_url, given)
  if #findings > 0 then
    return nil, call.fail("new", { kind = "invalid", fields = findings,
                                   note = "no client was made" })
  end
  local transport = given.transport
    or require("signicat.transport.curl").new()
  local client = setmetatable({
    settings = made,
    transport = transport,
    clock = given.clock or transport.now or core.now,
    wall_clock = given.wall_clock or core.wall_clock,
    sleep = given.sleep or transport.sleep or core.sleep,
    random = given.random or core.random,
    budget = retry.budget(),
    token = token.new({
      token = given.token,
      auth = given.auth,
      client_id = given.client_id,
      client_secret = given.client_secret,
      auth_method = given.auth_method,
      token_store = given.token_store,
      token_url = given.token_url
        or made.base_url:match("^%a+://[^/]+") .. TOKEN_PATH,
    }, made),
  }, Client)
  client.documents = documents.new(client)
  client.collections = collections.new(client)
  client.sessions = sessions.new(client)
  return client
end

return signicat
