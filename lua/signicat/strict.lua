--- A client that raises what other clients return: the same error objects.
--
-- It stands in front of a client and passes everything on, so inside of a
-- call nothing is raised. Pages and iterators that come out raise as well.

local core = require "signicat.core"

local strict = {}

-- The strict clients that there are.
local twins = setmetatable({}, { __mode = "k" })

local families = { documents = true, collections = true, sessions = true }

--- Passes on what a call returned; an error is raised as it is.
local function check(value, err, ...)
  if not value and core.is_error(err) then error(err, 0) end
  return value, err, ...
end

local function is_page(value)
  return type(value) == "userdata" and value ~= core.null
    and type(value.next) == "function"
end

--- What comes out of a call, made strict where it can fail later.
local function harden(value, ...)
  if type(value) == "function" then -- the iterator of each
    local step = value
    return function() return check(step()) end, ...
  end
  if is_page(value) then
    local step = value.next
    core.attach(value, "next", function(page, opts)
      return harden(check(step(page, opts)))
    end)
  end
  return value, ...
end

--- Stands in front of an object; what is not a method is as it is there.
local function front(object, meta)
  local proxy = {}
  function meta.__index(_, name)
    local method = object[name]
    if type(method) ~= "function" then return method end
    local function checked(self, ...)
      if self ~= proxy then
        core.misuse(tostring(name) .. " is a method: call it with a colon")
      end
      return harden(check(method(object, ...)))
    end
    rawset(proxy, name, checked)
    return checked
  end
  return setmetatable(proxy, meta)
end

--- The strict twin of a client.
---@param client signicat.Client
---@return signicat.Client
function strict.client(client)
  local twin = front(client, {
    __name = "signicat.client",
    __tostring = function() return tostring(client) .. " (strict)" end,
    __close = function() client:close() end,
  })
  twins[twin] = true
  for name in pairs(families) do
    rawset(twin, name, front(client[name], {}))
  end
  rawset(twin, "with", function(_, given)
    return strict.client(client:with(given))
  end)
  rawset(twin, "strict", function() return twin end)
  -- It hands out what was raised, as pcall does.
  rawset(twin, "try", function(_, ...) return client:try(...) end)
  rawset(twin, "sleep", client.sleep)
  return twin
end

--- Whether a value is one.
function strict.is_strict(value)
  return twins[value] == true
end

return strict
