-- transport_run.lua: makes for a case of transport_cases.lua what it needs,
-- in whichever program it runs.

local cases = require "spec.support.transport_cases"
local signicat = require "signicat"

--- The sandbox's levers.
local function levers(url)
  local control = assert(signicat.new { base_url = url .. "/_sandbox",
                                        token = "unused" })
  local service = {}
  function service.faults(list)
    return control:request("POST", "/faults", { json = list })
  end
  function service.journal(operation)
    return assert(control:request("GET", "/journal",
      { query = { operation = operation } })).requests
  end
  function service.clear_journal()
    return control:request("DELETE", "/journal")
  end
  function service.close()
    assert(control:request("DELETE", "/faults"))
    control:close()
  end
  return service
end

--- A client whose every call is made in a task of its own.
local function in_tasks(client)
  local function front(object)
    return setmetatable({}, { __index = function(_, name)
      local member = object[name]
      if type(member) ~= "function" or name == "close" then return member end
      return function(_, ...)
        return client:async(member, object, ...):wait()
      end
    end })
  end
  local made = front(client)
  for _, name in ipairs { "documents", "collections", "sessions" } do
    rawset(made, name, front(client[name]))
  end
  rawset(made, "close", function() client:close() end)
  return made
end

--- Runs one case.
---@param number integer of the case
---@param where table port, of server.lua; url, client_id, client_secret, of
--- a sandbox; folder
---@param way string? "task": its calls are made in tasks
return function(number, where, way)
  local t, clients = { folder = where.folder }, {}
  local port = where.port

  function t.client(options)
    local all = { retries = 0, base_url = port
      and "http://127.0.0.1:" .. port .. "/sign" or where.url .. "/sign" }
    if port then
      all.token = "ready"
    else
      all.client_id = where.client_id
      all.client_secret = where.client_secret
    end
    for name, value in pairs(options or {}) do all[name] = value end
    if options and options.token then
      all.client_id, all.client_secret = nil, nil
    end
    local client = assert(signicat.new(all))
    clients[#clients + 1] = client
    return way == "task" and in_tasks(client) or client
  end

  --- A connection that is kept would stop a server that has but one ear.
  function t.count()
    for _, client in ipairs(clients) do client:close() end
    return assert(t.client():request("GET", "/count")):totable()
  end

  t.sign = t.client()
  if not port then t.service = levers(where.url) end
  cases[number].run(t)
  for _, client in ipairs(clients) do client:close() end
  if t.service then t.service.close() end
end
