-- in_nginx.lua: the bench of faults.lua inside a worker of nginx, asked over
-- HTTP, so that the very same table holds for its sockets.

local faults = require "spec.support.faults"
local sandbox = require "signicat.sandbox"

local in_nginx = {}

--- A local of the file that a function of it uses.
local function upvalue(fn, wanted)
  for i = 1, 200 do
    local name, value = debug.getupvalue(fn, i)
    if name == wanted then return value end
  end
end

local Sandbox = upvalue(sandbox.start, "Sandbox")

local MOMENT = 0.001 -- seconds that a connection lasts unused

local clients = 0

--- Connections that no other client has, and that do not last but where the
--- fault needs one that does: the bench counts on both.
local function set_apart(client)
  clients = clients + 1
  local transport, pool = client.transport.nginx, "client " .. clients
  transport.idle = MOMENT
  transport.pools = setmetatable({}, { __index = function() return pool end })
  return client
end

--- The sandbox that runs outside.
local function handle(where)
  return setmetatable({ url = where.url, client_id = where.client_id,
    client_secret = where.client_secret,
    client = function(...)
      local client, err = Sandbox.client(...)
      return client and set_apart(client), err
    end }, Sandbox)
end

local bench
local acts = {}

function acts.start(given)
  -- What all clients of a worker share is there before the bench counts.
  local first, path = assert(handle(given):client()), os.tmpname()
  local note = assert(first.documents:upload { content = "x",
                                               type = "text/plain" })
  assert(first.documents:download(note, { to = path, overwrite = true }))
  assert(first.documents:delete(note))
  os.remove(path)
  first:close()
  ngx.sleep(0.05) -- until its connection, too, has gone
  bench = faults.bench(handle(given), { waits = "blocking", reach = "any",
    options = {}, folder = given.folder, untrusted = given.untrusted,
    settle = function() ngx.sleep(0.002) end,
    keep = function(client, lasts)
      client.transport.nginx.idle = lasts and 60 or MOMENT
    end })
  return "started"
end

function acts.see(given) return bench:see(given.fault, given.operation) end

function acts.rest()
  return bench:rest(function() ngx.sleep(0.01) end)
end

--- What a location answers.
---@param uri string /start, /see or /rest
---@param given table its arguments
---@return string
function in_nginx.answer(uri, given)
  local ok, said = xpcall(function() return acts[uri:sub(2)](given) end,
    debug.traceback)
  return ok and said or tostring(said)
end

return in_nginx
