--- Connections: whom a client trusts, with which certificate and through
--- which proxy it goes, and which HTTP it speaks.
--
-- Judges these options and brings them into the flat form that the core
-- reads. The environment has no say: what is not given here is libcurl's
-- default, and no proxy.

local address = require "signicat.address"
local core = require "signicat.core"

local connection = {}

local function text(value)
  if type(value) ~= "string" or value == "" or value:find("%z") then
    return "must be a string that is not empty"
  end
end

local function boolean(value)
  if type(value) ~= "boolean" then return "must be a boolean" end
end

local function is_pem(value)
  return value:find("-----BEGIN ", 1, true) ~= nil
end

local function pem(value)
  return text(value)
    or not is_pem(value) and "must be the text of certificates, in PEM" or nil
end

local tls_options = {
  ca_file = text,
  ca_pem = pem,
  cert = text,
  key = text,
  insecure = boolean,
  insecure_anywhere = boolean,
}

--- What is wrong with the option `tls`; values are never part of the words.
function connection.tls_fault(value)
  if type(value) ~= "table" then return "must be a table" end
  for name, setting in pairs(value) do
    local check = tls_options[name]
    if not check then
      local names = {}
      for known in pairs(tls_options) do names[#names + 1] = known end
      table.sort(names)
      local near = core.nearest(tostring(name), names)
      return ("has no '%s'%s"):format(tostring(name):gsub("%c", "?"),
        near and ("; did you mean '" .. near .. "'?") or "")
    end
    local wrong = check(setting)
    if wrong then return ("has a '%s' that %s"):format(name, wrong) end
  end
  if value.ca_file and value.ca_pem then
    return "takes either `ca_file` or `ca_pem`"
  end
  if value.insecure_anywhere and not value.insecure then
    return "has `insecure_anywhere` without `insecure`"
  end
  if value.key and not value.cert then return "has a `key` without `cert`" end
end

local function decode(part)
  return (part:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

--- Splits `scheme://user:password@host:port`, so that the password goes
--- nowhere but to the proxy: libcurl repeats an address in its messages.
local function split_proxy(url)
  local scheme, rest = url:match("^(%a[%w]*)://([^/%s%c?#]+)/?$")
  if not scheme then return nil end
  local user_part, host = rest:match("^(.*)@([^@]+)$")
  local user, password
  if user_part then
    user, password = user_part:match("^([^:]*):?(.*)$")
    user, password = decode(user), decode(password)
  end
  return scheme:lower(), host or rest, user, password
end

local schemes = { http = true, https = true, socks5 = true, socks5h = true }

--- What is wrong with the option `proxy`.
function connection.proxy_fault(value)
  local scheme = type(value) == "string" and split_proxy(value)
  if not schemes[scheme] then
    return "must be a URL such as http://user:password@proxy.example:3128 "
      .. "(http, https, socks5, socks5h; without a path)"
  end
end

--- What is wrong with the option `no_proxy`.
function connection.no_proxy_fault(value)
  if type(value) ~= "string" or value:find("[%c]") then
    return "must be host names, separated by commas"
  end
end

--- What a proxy alone is sent, and may answer with. A short password is a
--- word that anybody may write.
---@param given table options of signicat.new, already checked
---@return string[]? secrets nil when there are none
function connection.secrets(given)
  if not given.proxy then return nil end
  local _, _, user, password = split_proxy(given.proxy)
  if not user then return nil end
  return { core.base64(user .. ":" .. password),
           #password >= 8 and password or nil }
end

--- The first option that is for libcurl's transport alone, or nil.
local function first(given)
  for _, name in ipairs { "tls", "proxy", "no_proxy", "http_version" } do
    if given[name] ~= nil then return name end
  end
end

--- Raises for options that a transport of the caller's own would not hear of.
---@param given table options of signicat.new
function connection.check(given)
  local name = type(given.transport) == "table" and first(given)
  if name then
    core.misuse(("new: option '%s' does not go with `transport`, which has "
      .. "connections of its own"):format(name))
  end
end

--- What is wrong with trusting anybody, to be listed with the addresses.
---@param findings table[] the list to add to
---@param base_url string
---@param given table options of signicat.new
function connection.add_findings(findings, base_url, given)
  local tls = given.tls
  if not tls or not tls.insecure or tls.insecure_anywhere then return end
  if address.is_local(base_url)
    and address.is_local(given.token_url or base_url) then
    return
  end
  findings[#findings + 1] = { name = "tls.insecure", reason =
    "must not be set for another machine: anybody on the way could read the "
    .. "token (tls.insecure_anywhere = true if you accept that)" }
end

local function set_either(flat, name, value)
  if value then flat[name .. (is_pem(value) and "_pem" or "_file")] = value end
end

--- The settings in the form that core.multi takes; nil when there are none.
---@param given table options of signicat.new, already checked
---@return table?
function connection.settings(given)
  if not first(given) then return nil end
  local tls = given.tls or {}
  local flat = {
    ca_file = tls.ca_file,
    ca_pem = tls.ca_pem,
    insecure = tls.insecure,
    no_proxy = given.no_proxy,
    http_version = given.http_version,
  }
  set_either(flat, "cert", tls.cert)
  set_either(flat, "key", tls.key or tls.cert)
  if given.proxy then
    local scheme, host, user, password = split_proxy(given.proxy)
    flat.proxy = scheme .. "://" .. host
    flat.proxy_user, flat.proxy_password = user, password
  end
  return flat
end

return connection
