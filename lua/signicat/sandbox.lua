--- The local sandbox: starts the service that stands in for the real one, on
--- a free port of this machine, and acts as the signer.
--
-- The service ends with this process, however that ends.

local call = require "signicat.call"
local core = require "signicat.core"
local options = require "signicat.options"
local signicat = require "signicat"

local sandbox = {}

local START_TIMEOUT = 20 -- seconds, on a loaded machine

---@class signicat.Sandbox
---@field url string of the service; its API is below /sign
---@field client_id string
---@field client_secret string
local Sandbox = {}
Sandbox.__index = Sandbox

local start_options = {
  executable = function(value)
    if type(value) ~= "string" then return "must be a path" end
  end,
  data = function(value)
    if type(value) ~= "string" then return "must be a folder" end
  end,
  token_ttl = function(value)
    if type(value) ~= "number" then return "must be a number of seconds" end
  end,
}

--- In the build tree the executable lies beside the module's folder, once
--- installed it is found through PATH.
local function find_executable()
  local found = package.searchpath
    and package.searchpath("signicat.core", package.cpath)
  local built = found and found:gsub("[^/]*/signicat/core%.so$",
    "signicat-sandbox")
  local file = built and built ~= found and io.open(built, "rb")
  if not file then return "signicat-sandbox" end
  file:close()
  return built:find("/", 1, true) and built or "./" .. built
end

local function fail(note, detail)
  return nil, call.fail("sandbox.start", { kind = "io", note = note,
                                           detail = detail })
end

--- Starts a sandbox.
---@param given table? data: a folder to keep (default: a temporary one);
--- token_ttl: seconds; executable: its path
---@return signicat.Sandbox?
---@return table? err
function sandbox.start(given)
  given = options.check(given, start_options, "sandbox.start")
  local arguments = { "--parent-fd", "3" }
  for name, flag in pairs { data = "--data", token_ttl = "--token-ttl" } do
    if given[name] then
      arguments[#arguments + 1] = flag
      arguments[#arguments + 1] = ("%s"):format(given[name])
    end
  end
  local process, failure = core.spawn(given.executable or find_executable(),
    arguments)
  if not process then
    return nil, call.fail("sandbox.start", failure)
  end
  local line, why = process:read_line(START_TIMEOUT)
  local url, id, secret = (line or ""):match(
    "^signicat%-sandbox ready url=(%S+) client_id=(%S+) client_secret=(%S+)$")
  if not url then
    process:stop()
    return fail("the sandbox did not start; it says why on standard error",
      line or why)
  end
  return setmetatable({ url = url, client_id = id, client_secret = secret,
                        process = process }, Sandbox)
end

--- A client of this sandbox.
---@param given table? options of signicat.new
---@return signicat.Client? client
---@return table? err
function Sandbox:client(given)
  local all = { base_url = self.url .. "/sign" }
  for name, value in pairs(given or {}) do all[name] = value end
  if not (all.token or all.auth) then
    all.client_id = all.client_id or self.client_id
    all.client_secret = all.client_secret or self.client_secret
  end
  return signicat.new(all)
end

--- The levers of the sandbox take no token; they answer this machine only.
local function control(self, action, session, fields)
  self.levers = self.levers or assert(signicat.new {
    base_url = self.url .. "/_sandbox", token = "unused" })
  local id = core.resource_id(session)
  if not id then
    core.misuse("an id or a session expected")
  end
  return self.levers:request("POST", "/sessions/" .. id .. "/" .. action,
    { json = fields })
end

--- Signs a session as its signer would.
---@param session any an id or a session
---@param signer table? name: as it stands in the certificate
---@return any done
---@return table meta or err
function Sandbox:sign(session, signer)
  return control(self, "sign", session,
    { name = signer and signer.name or "Sandbox Signer" })
end

--- Declines a session as its signer would.
---@param session any an id or a session
---@param words table? reason
---@return any done
---@return table meta or err
function Sandbox:reject(session, words)
  return control(self, "reject", session, { reason = words and words.reason })
end

--- The certificate that signatures of this sandbox lead to.
---@return string? pem
---@return table meta or err
function Sandbox:ca_certificate()
  self.levers = self.levers or assert(signicat.new {
    base_url = self.url .. "/_sandbox", token = "unused" })
  return self.levers:request("GET", "/ca.pem")
end

--- Ends the service and waits for it. A temporary folder is removed.
function Sandbox:stop()
  if self.levers then self.levers:close() end
  self.process:stop()
end

Sandbox.__close = Sandbox.stop

return sandbox
