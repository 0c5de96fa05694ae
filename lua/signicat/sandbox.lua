--- The local sandbox: starts the service that stands in for the real one, on
--- a free port of this machine, acts as the signer, and pulls the levers that
--- tests need: webhooks, clock, journal, faults, seed and reset.
--
-- The service ends with this process, however that ends.

local call = require "signicat.call"
local core = require "signicat.core"
local methods = require "signicat.methods"
local options = require "signicat.options"
local signicat = require "signicat"

local sandbox = {}

local START_TIMEOUT = 20 -- seconds, on a loaded machine

---@class signicat.Sandbox
---@field url string of the service; its API is below /sign
---@field client_id string
---@field client_secret string
---@field ca_file string? with tls: the authority's certificate, a PEM file
---@field control string? another address of the levers, once it is known
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
  beyond_the_service = function(value)
    if type(value) ~= "boolean" then return "must be true or false" end
  end,
  tls = function(value)
    if value ~= "good" and value ~= "wrong-name" and value ~= "expired"
      and value ~= "untrusted" then
      return "must be \"good\", \"wrong-name\", \"expired\" or \"untrusted\""
    end
  end,
}

local function text(value)
  if type(value) ~= "string" then return "must be a string" end
end

local signer_options = { name = text, idpName = text }
local reject_options = { reason = text }

local flags = { data = "--data", token_ttl = "--token-ttl", tls = "--tls" }

--- Where the executable lies as seen from the module: in the build tree, and
--- where both are installed below one folder.
local PLACES = {
  { "[^/]*/signicat/core%.so$", "signicat-sandbox" },
  { "lib/lua/[^/]*/signicat/core%.so$", "bin/signicat-sandbox" },
}

--- Where require finds the module; Lua 5.1 has no package.searchpath.
local function find_module()
  for template in package.cpath:gmatch "[^;]+" do
    local path = template:gsub("%?", "signicat/core")
    local file = io.open(path, "rb")
    if file then
      file:close()
      return path
    end
  end
  return ""
end

--- A path, or the bare name to look for along PATH.
local function find_executable()
  local module = find_module()
  for _, place in ipairs(PLACES) do
    local path, count = module:gsub(place[1], place[2])
    local file = count > 0 and io.open(path, "rb")
    if file then
      file:close()
      return path:find("/", 1, true) and path or "./" .. path
    end
  end
  return "signicat-sandbox"
end

local function fail(note, detail)
  return nil, call.fail("sandbox.start", { kind = "io", note = note,
                                           detail = detail })
end

--- Starts a sandbox.
---@param given signicat.SandboxOptions?
---@return signicat.Sandbox?
---@return signicat.Error? err
function sandbox.start(given)
  given = options.check(given, start_options, "sandbox.start")
  local arguments = { "--parent-fd", "3" }
  for name, flag in pairs(flags) do
    if given[name] then
      arguments[#arguments + 1] = flag
      arguments[#arguments + 1] = ("%s"):format(given[name])
    end
  end
  if given.beyond_the_service then
    arguments[#arguments + 1] = "--beyond-the-service"
  end
  local process, failure = core.spawn(given.executable or find_executable(),
    arguments)
  if not process then
    return nil, call.fail("sandbox.start", failure)
  end
  local line, why = process:read_line(START_TIMEOUT)
  local url, id, secret, more = (line or ""):match(
    "^signicat%-sandbox ready url=(%S+) client_id=(%S+) "
    .. "client_secret=(%S+)(.*)$")
  if not url then
    process:stop()
    return fail("the sandbox did not start; it says why on standard error",
      line or why)
  end
  local control, ca_file = more:match "^ control=(%S+) ca=(.+)$"
  return setmetatable({ url = url, client_id = id, client_secret = secret,
                        control = control, ca_file = ca_file,
                        process = process }, Sandbox)
end

--- A client of this sandbox.
---@param given signicat.ClientOptions?
---@return signicat.Client? client
---@return signicat.Error? err
function Sandbox:client(given)
  given = options.check(given, options.client, "sandbox:client")
  local all = { base_url = self.url .. "/sign" }
  for name, value in pairs(given) do all[name] = value end
  if not (all.token or all.auth) then
    all.client_id = all.client_id or self.client_id
    all.client_secret = all.client_secret or self.client_secret
  end
  return signicat.new(all)
end

--- The levers of the sandbox take no token; they answer this machine only.
--- Where they have an address of their own, that one is used: it is open
--- while the service's refuses connections, and plain when that is https.
local function levers(self)
  local base = (self.control or self.url) .. "/_sandbox"
  local client = self.levers
  if client and client.settings.base_url == base then return client end
  if client then client:close() end
  self.levers = assert(signicat.new { base_url = base, token = "unused" })
  return self.levers
end

local function pull(self, method, path, opts)
  return levers(self):request(method, path, opts)
end

local function act(self, action, session, fields)
  local id = core.resource_id(session)
  if not id then
    core.misuse("an id or a session expected")
  end
  return pull(self, "POST", "/sessions/" .. id .. "/" .. action,
    { json = fields })
end

--- Signs a session as its signer would.
---@param session signicat.Id
---@param signer table? name: as it stands in the certificate; idpName: the
--- identity provider, the session's first unless told
---@return any done
---@return signicat.Meta|signicat.Error meta or err
function Sandbox:sign(session, signer)
  signer = options.check(signer, signer_options, "sandbox:sign")
  return act(self, "sign", session,
    { name = signer.name or "Sandbox Signer", idpName = signer.idpName })
end

--- Declines a session as its signer would.
---@param session signicat.Id
---@param words table? reason
---@return any done
---@return signicat.Meta|signicat.Error meta or err
function Sandbox:reject(session, words)
  words = options.check(words, reject_options, "sandbox:reject")
  return act(self, "reject", session, { reason = words.reason })
end

--- Opens a session as its signer would, without a browser.
---@param session signicat.Id
---@return any done
---@return signicat.Meta|signicat.Error meta or err
function Sandbox:open(session)
  return act(self, "open", session)
end

--- Has events sent to a URL, as the service's dashboard does: an object with
--- its `id`, `url` and `events`.
---@param hook table url, secret, events: names, all that there are if absent
---@return any webhook
---@return signicat.Meta|signicat.Error meta or err
function Sandbox:subscribe(hook)
  return pull(self, "POST", "/webhooks", { json = hook })
end

--- The events there were for somebody, oldest first, one entry for each
--- webhook: id, webhookId, eventName, state (PENDING, DELIVERED, EXPIRED),
--- attempts, nextTry, outcome of the last try, body as it is sent.
---@return table[]? events
---@return signicat.Meta|signicat.Error meta or err
function Sandbox:events()
  local answer, more = pull(self, "GET", "/events")
  return answer and answer.events, more
end

--- Delivers an event once more, whatever has become of it.
---@param event signicat.Id
---@return any done
---@return signicat.Meta|signicat.Error meta or err
function Sandbox:deliver(event)
  local id = core.resource_id(event)
  if not id then core.misuse("an id or an event expected") end
  return pull(self, "POST", "/events/" .. id .. "/deliver")
end

--- The certificate that signatures of this sandbox lead to.
---@return string? pem
---@return signicat.Meta|signicat.Error meta or err
function Sandbox:ca_certificate()
  return pull(self, "GET", "/ca.pem")
end

--- The service's clock: `now` as text, and how far it is `advanced`.
---@return any clock
---@return signicat.Meta|signicat.Error meta or err
function Sandbox:clock()
  return pull(self, "GET", "/clock")
end

--- Moves the service's clock on: tokens and signing URLs end, due dates pass.
---@param seconds integer
---@return any clock
---@return signicat.Meta|signicat.Error meta or err
function Sandbox:advance(seconds)
  return pull(self, "POST", "/clock", { json = { advance = seconds } })
end

--- The requests of the API and for tokens that the service has seen, oldest
--- first: number, method, path, query, operation, status (signicat.null when
--- no answer was begun), fault, bodySize, connection, turn (the request's
--- number on its connection), at.
---@param filter table? operation: its id, or "token"; after: a number
---@return table[]? requests
---@return signicat.Meta|signicat.Error meta or err
function Sandbox:journal(filter)
  local answer, more = pull(self, "GET", "/journal", { query = filter })
  return answer and answer.requests, more
end

--- Empties the journal. Numbers go on.
---@return any done
---@return signicat.Meta|signicat.Error meta or err
function Sandbox:clear_journal()
  return pull(self, "DELETE", "/journal")
end

--- Adds faults to the script: a list of { operation =, fault =, times =,
--- skip =, reused_only =, ... }, as docs/sandbox.md has them.
---@param list table[]
---@return table[]? faults all there are now
---@return signicat.Meta|signicat.Error meta or err
function Sandbox:faults(list)
  local answer, more = pull(self, "POST", "/faults", { json = list })
  if not answer then return nil, more end
  self.control = answer.control
  return answer.faults, more
end

--- What is left of the script of faults.
---@return table[]? faults
---@return signicat.Meta|signicat.Error meta or err
function Sandbox:faults_left()
  local answer, more = pull(self, "GET", "/faults")
  return answer and answer.faults, more
end

--- Drops what is left of the script, and takes connections again.
---@return any done
---@return signicat.Meta|signicat.Error meta or err
function Sandbox:clear_faults()
  return pull(self, "DELETE", "/faults")
end

--- Makes sessions, titled "Seeded 1" and on, as many as 200 000 at once.
---@param fields table sessions: how many; state: READY, SIGNED or REJECTED
---@return any seeded sessions, documentId, documentCollectionId
---@return signicat.Meta|signicat.Error meta or err
function Sandbox:seed(fields)
  return pull(self, "POST", "/seed", { json = fields, timeout = 300 })
end

--- Empties the account: documents, collections, sessions, tokens, webhooks,
--- events, journal, faults; the clock is right again. Credentials and authority
--- stay.
---@return any done
---@return signicat.Meta|signicat.Error meta or err
function Sandbox:reset()
  return pull(self, "POST", "/reset", { timeout = 300 })
end

--- Ends the service and waits for it. A temporary folder is removed.
function Sandbox:stop()
  if self.levers then self.levers:close() end
  self.process:stop()
end

Sandbox.__close = Sandbox.stop

methods(Sandbox, "sandbox", "url")

return sandbox
