-- in_nginx.lua: runs a spec's own blocks inside a worker of nginx, so that
-- the very same expectations hold for its sockets. It knows describe, it,
-- setup, teardown and after_each, which is what such a spec may use.

local sandbox = require "signicat.sandbox"

local in_nginx = {}

-- A local of the file that a function of it uses.
local function upvalue(fn, wanted)
  for i = 1, 200 do
    local name, value = debug.getupvalue(fn, i)
    if name == wanted then return value end
  end
end

local Sandbox = upvalue(sandbox.start, "Sandbox")

local clients = 0

--- Connections that no other client has, and that do not last: such specs
--- count on both.
local function set_apart(client)
  clients = clients + 1
  local transport, pool = client.transport.nginx, "client " .. clients
  transport.idle = 0.5
  transport.pools = setmetatable({}, { __index = function() return pool end })
  return client
end

--- The sandbox that runs outside, in the place of one of our own.
local function handle(where)
  local inherited = Sandbox.client
  local own = setmetatable({ client = function(...)
    local client, err = inherited(...)
    return client and set_apart(client), err
  end }, { __index = Sandbox })
  return setmetatable({ url = where.url, client_id = where.client_id,
    client_secret = where.client_secret,
    process = { stop = function() end } }, { __index = own })
end

--- Runs the block of a spec that has this title.
---@param path string of the spec
---@param wanted string
---@param where table url, client_id, client_secret of a sandbox
---@return string report what failed, and a last line that counts
function in_nginx.run(path, wanted, where)
  local passed, failures = 0, {}
  local tests, before, after = {}, {}, {}
  local environment = setmetatable({ assert = require "luassert" },
    { __index = _G })
  local active = false

  function environment.describe(title, body)
    if title ~= wanted then return end
    active = true
    body()
    active = false
  end

  local function collect(list)
    return function(first, second)
      if active then list[#list + 1] = { first, second } end
    end
  end

  environment.it, environment.setup = collect(tests), collect(before)
  environment.teardown, environment.after_each = collect(after), collect({})

  local start = sandbox.start
  sandbox.start = function() return handle(where) end
  local chunk = assert(loadfile(path))
  _G.setfenv(chunk, environment)
  chunk()
  for _, one in ipairs(before) do one[1]() end
  for _, test in ipairs(tests) do
    local ok, raised = pcall(test[2])
    if ok then
      passed = passed + 1
    else
      failures[#failures + 1] = test[1] .. "\n" .. tostring(raised)
    end
  end
  for _, one in ipairs(after) do one[1]() end
  sandbox.start = start
  failures[#failures + 1] = ("%d passed, %d failed"):format(passed,
    #failures)
  return table.concat(failures, "\n")
end

return in_nginx
