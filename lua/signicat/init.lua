--- lua-signicat: a client for the Signicat Sign API v2.
--
-- `new` puts together what a call needs: settings, a transport, a source of
-- tokens and the three families. It reads nothing from outside and sends
-- nothing.

local address = require "signicat.address"
local call = require "signicat.call"
local choose = require "signicat.transport.choose"
local collections = require "signicat.collections"
local connection = require "signicat.connection"
local core = require "signicat.core"
local documents = require "signicat.documents"
local environment = require "signicat.environment"
local events = require "signicat.events"
local methods = require "signicat.methods"
local options = require "signicat.options"
local retry = require "signicat.retry"
local sessions = require "signicat.sessions"
local settings = require "signicat.settings"
local sign = require "signicat.sign"
local strict = require "signicat.strict"
local tasks = require "signicat.tasks"
local map = require "signicat.tasks.map"
local token = require "signicat.token"

local signicat = {}

--- Semantic: what CHANGELOG.md says of a version is what changed in it.
---@type string
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

--- Verifying and making events.
---@type table
signicat.events = events

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
---@param opts signicat.RequestOptions?
---@return any value JSON as an object, other answers as a string, none: true
---@return signicat.Meta|signicat.Error meta or err
---@return signicat.Meta? meta when it failed
function Client:request(method, path, opts)
  if type(method) ~= "string" or type(path) ~= "string" then
    core.misuse("request takes a method and a path, both strings")
  end
  return call.request(self, method, path, opts)
end

--- Does ahead of time what a first call does besides: fetches the token, looks
--- up the name, reads the certificates, opens a connection; reads a list of
--- one session, so that a credential without permission shows, too.
---@param opts signicat.CallOptions?
---@return true? done
---@return signicat.Meta|signicat.Error meta or err
---@return signicat.Meta? meta when it failed
function Client:warm(opts)
  local page, meta, failed_meta = self.sessions:list({ limit = 1 }, opts)
  if not page then return nil, meta, failed_meta end
  return true, meta
end

--- The loop that a client's tasks run in.
local function loop_of(client)
  call.check_open(client)
  local loop = client.transport.loop
  if not loop then
    core.misuse("this client's transport has no tasks; that of libcurl has")
  end
  return loop
end

--- Starts a task: `fn(...)` runs in a coroutine, and calls in it suspend the
--- task where they would block. It begins with the next step.
---@param fn function
---@param ... any what it is called with
---@return signicat.Task
function Client:async(fn, ...)
  if type(fn) ~= "function" then
    core.misuse("async takes a function, not a " .. type(fn))
  end
  return loop_of(self):async(self, fn, ...)
end

--- Lets tasks go on until nothing can be done at once, or the time is over.
---@param budget number? seconds
---@return integer left tasks that are not done
function Client:step(budget)
  if budget ~= nil and type(budget) ~= "number" then
    core.misuse("step takes seconds, not a " .. type(budget))
  end
  return loop_of(self):step(budget)
end

--- Steps until no task is left. Raises what the function of a task raised that
--- nobody waited for.
function Client:run()
  loop_of(self):run()
end

--- Calls a function for each item of a list, in tasks, a few at a time.
---@param list any[]
---@param fn fun(item: any, index: integer): any, any returns a value, or nil
--- and an error
---@param opts { limit: integer? }? `limit`: how many at a time, 8
---@return table<integer, any> results each at its item's index
---@return table<integer, any>? errors likewise, what was raised included; nil
--- when there is none
function Client:map(list, fn, opts)
  if type(list) ~= "table" or type(fn) ~= "function" then
    core.misuse("map takes a list and a function")
  end
  opts = options.check(opts, options.map, "map")
  return map(self, loop_of(self), list, fn, opts.limit)
end

--- pcall for tasks: what it calls may wait, on Lua 5.1 too.
---@param fn function
---@param ... any
---@return boolean done
---@return any ... what it returned, or what it raised
function Client:try(fn, ...) -- luacheck: no self
  return tasks.try(fn, ...)
end

--- The same, for an event loop of the caller's to drive.
local function driven_loop(client, name)
  local loop = loop_of(client)
  if not loop.multi then
    core.misuse("client:" .. name .. " is for an event loop that drives the "
      .. "tasks; inside nginx they run by themselves")
  end
  return loop
end

--- For an event loop of yours: a descriptor that is readable while a step has
--- something to do. It stays the same as long as the client is open.
---@return integer descriptor
function Client:descriptor()
  return driven_loop(self, "descriptor").multi:descriptor()
end

--- For an event loop of yours: after how long a step has something to do, even
--- if the descriptor is quiet.
---@return number? seconds nil: not before the descriptor says so
function Client:timeout()
  return driven_loop(self, "timeout"):timeout()
end

--- Closes the connections; calls that wait, and tasks, end as `cancelled`.
--- Calls of a closed client raise.
function Client:close()
  local transport = self.transport
  self.transport = call.closed
  if transport.close then transport:close() end
end

Client.__close = Client.close

--- Uploads a file, collects it and creates a session to sign it:
--- `sign:sign{ file = "lease.pdf", title = "Lease 17" }`.
---@param fields signicat.SignFields
---@param opts signicat.CallOptions?
---@return signicat.Session? session with its signatureUrl
---@return signicat.Meta|signicat.Error meta or err; err.result has `step`
--- ("document", "collection" or "session"), where it failed, and the
--- documentId and documentCollectionId made until then
---@return signicat.Meta? meta when it failed
function Client:sign(fields, opts)
  return sign.sign(self, fields, opts)
end

--- The same client, raising the error objects that this one returns.
---@return signicat.Client
function Client:strict()
  return strict.client(self)
end

local function add_families(client)
  client.documents = documents.new(client)
  client.collections = collections.new(client)
  client.sessions = sessions.new(client)
  return client
end

--- Ends a child; what it shares stays open.
local function detach(child)
  child.transport = call.closed
end

--- A child: the same connections, token and clock, other defaults. Closing a
--- client closes its children, closing a child ends that one alone.
---@param given signicat.CallOptions? and on_event
---@return signicat.Client
function Client:with(given)
  given = options.check(given, options.with, "with")
  return add_families(setmetatable({
    settings = settings.with(self.settings, given),
    on_event = given.on_event,
    close = detach,
  }, {
    __index = self,
    __name = Client.__name,
    __tostring = Client.__tostring,
    __close = detach,
  }))
end

methods(Client, "client", "settings")

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
---@param given signicat.ClientOptions one of token, auth, and client_id with
--- client_secret; the options of calls are defaults for its calls
---@return signicat.Client? client
---@return signicat.Error? err `invalid` for an address that cannot be used,
--- `memory` or `io` where the system has none, or no descriptor, left
function signicat.new(given)
  given = options.check(given, options.client, "new")
  check_credentials(given)
  local made = settings.new(given, defaults)
  local findings = address.findings(made.base_url, given)
  connection.check(given)
  connection.add_findings(findings, made.base_url, given)
  if #findings > 0 then
    return nil, call.fail("new", { kind = "invalid", fields = findings,
                                   note = "no client was made" })
  end
  local transport, failure = choose.transport(given)
  if not transport then return nil, call.fail("new", failure) end
  local client = setmetatable({
    settings = made,
    transport = transport,
    clock = given.clock or transport.now or core.now,
    wall_clock = given.wall_clock or core.wall_clock,
    sleep = given.sleep or transport.sleep or core.sleep,
    random = given.random or core.random,
    on_event = given.on_event,
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
  return add_families(client)
end

--- Makes a client of what SIGNICAT_BASE_URL, SIGNICAT_TOKEN_URL,
--- SIGNICAT_CLIENT_ID and SIGNICAT_CLIENT_SECRET say.
---@param given signicat.ClientOptions? they go before those
---@return signicat.Client? client
---@return signicat.Error? err `invalid`, naming what is missing
function signicat.from_env(given)
  local all, err = environment.read(given)
  if not all then return nil, err end
  return signicat.new(all)
end

return signicat
