--- Options: what a client and a call may be told, and in what form.
--
-- A name that is not known and a value of the wrong form are mistakes in the
-- program, so both raise, at the caller's line, with the nearest name.

local connection = require "signicat.connection"
local core = require "signicat.core"

local options = {}

local function is(...)
  local wanted = { ... }
  return function(value)
    for i = 1, #wanted do
      if type(value) == wanted[i] then return nil end
    end
    return "must be a " .. table.concat(wanted, " or a ")
  end
end

local function seconds(value)
  if type(value) ~= "number" or value ~= value or value < 0
    or value > 1e9 then
    return "must be a number of seconds, 0 for no limit"
  end
end

--- NaN is before no moment and behind none: a limit that never comes.
local function moment(value)
  if type(value) ~= "number" or value ~= value then
    return "must be a number, a moment on client:now()"
  end
end

--- Between two questions some time has to pass.
local function pause(value)
  if seconds(value) or value == 0 then
    return "must be a number of seconds above 0"
  end
end

local function bytes(value)
  if type(value) ~= "number" or not (value >= 1 and value <= 2^53)
    or value % 1 ~= 0 then
    return "must be a number of bytes"
  end
end

--- As bytes, and there may be none.
local function size(value)
  return value ~= 0 and bytes(value) or nil
end

local function one_of(...)
  local names = { ... }
  return function(value)
    for i = 1, #names do
      if value == names[i] then return nil end
    end
    return "must be one of \"" .. table.concat(names, "\", \"") .. "\""
  end
end

local function word(value)
  if type(value) ~= "string" or value == "" then
    return "must be a string that is not empty"
  end
end

--- What a header can carry: a line end, left over from a file, cannot be.
function options.bearer(value)
  if word(value) or value:find("[%s%c]") then
    return "must be a string that is not empty, without spaces and line ends"
  end
end

local function provider(value)
  local get = type(value) == "table" and value.get or value
  if type(get) ~= "function" then
    return "must be a function, or a table with a function `get`"
  end
end

local function transport(value)
  if value == "curl" or value == "nginx" then return nil end
  if type(value) ~= "table" or type(value.send) ~= "function" then
    return "must be a table with a function `send(self, request)`, or "
      .. "\"curl\" or \"nginx\""
  end
end

local function count(value)
  if type(value) ~= "number" or value % 1 ~= 0 or value < 0 or value > 100 then
    return "must be a whole number from 0 to 100"
  end
end

local function token_store(value)
  if type(value) ~= "table" or type(value.get) ~= "function"
    or type(value.set) ~= "function" or type(value.drop) ~= "function" then
    return "must be a table with functions `get`, `set` and `drop`"
  end
  if value.lock and not value.unlock then
    return "has `lock` and needs `unlock`, too"
  end
end

--- Where a document goes: a path, a folder or a writer.
local function target(value)
  if type(value) ~= "function" and word(value) then
    return "must be a path, a folder or a function"
  end
end

--- W3C Trace Context: version, trace id, parent id, flags.
local function traceparent(value)
  local version, trace, parent, flags
  if type(value) == "string" then
    version, trace, parent, flags =
      value:match "^(%x%x)%-(%x+)%-(%x+)%-(%x%x)$"
  end
  if not flags or #trace ~= 32 or #parent ~= 16 or version == "ff"
    or value:find "%u" or not trace:find "[^0]"
    or not parent:find "[^0]" then
    return "must be a W3C traceparent, "
      .. "\"00-<32 digits>-<16 digits>-<2 digits>\" in lower case"
  end
end

--- What every call takes; a client takes them too, as its own defaults.
options.call = {
  timeout = seconds,
  connect_timeout = seconds,
  first_byte_timeout = seconds,
  stall_timeout = seconds,
  max_body = bytes,
  retries = count,
  max_retry_after = seconds,
  should_retry = is "function",
  headers = is "table",
  validate = one_of("full", "reference", "off"),
  allow_unknown = is "boolean",
  trace = traceparent,
  on_progress = is "function",
}

local function extend(base, more)
  local all = {}
  for name, check in pairs(base) do all[name] = check end
  for name, check in pairs(more) do all[name] = check end
  return all
end

--- What client:with takes.
options.with = extend(options.call, { on_event = is "function" })

--- What signicat.new takes.
options.client = extend(options.with, {
  base_url = is "string",
  token_url = is "string",
  insecure_http = is "boolean",
  client_id = word,
  client_secret = word,
  auth_method = one_of("client_secret_post", "client_secret_basic"),
  token = options.bearer,
  auth = provider,
  token_store = token_store,
  transport = transport,
  block_nginx = is "boolean",
  tls = connection.tls_fault,
  proxy = connection.proxy_fault,
  no_proxy = connection.no_proxy_fault,
  http_version = one_of("1.1", "2"),
  clock = is "function",
  wall_clock = is "function",
  sleep = is "function",
  random = is "function",
})

-- `deadline` is a moment, so it has no sense as a client's default.
options.call.deadline = moment

options.download = extend(options.call, {
  to = target,
  overwrite = is "boolean",
})

options.wait = extend(options.call, {
  first_delay = pause,
  max_delay = pause,
})

options.map = {
  limit = function(value)
    if type(value) ~= "number" or value ~= value or value < 1 then
      return "must be a number of tasks, at least 1"
    end
  end,
}

options.request = extend(options.download, {
  query = is "table",
  json = is("table", "string", "number", "boolean", "userdata"),
  content = is "string",
  type = is "string",
})

--- The source of an upload.
options.upload = {
  path = word,
  content = is "string",
  type = is "string",
  offset = size,
  length = bytes,
  reader = is "function",
  size = size,
  rewind = is "function",
}

local function names_of(known)
  local names = {}
  for name in pairs(known) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- One for all calls without options; nobody writes into options.
local none = {}

--- Checks a table of options against what is known.
---@param given table? nil is no options
---@param known table name -> function(value) -> what is wrong with it
---@param what string whose options, for the message
---@return table given, or an empty table, not to be changed
function options.check(given, known, what)
  if given == nil then return none end
  if type(given) ~= "table" then
    core.misuse(what .. ": its options are a table, not a " .. type(given))
  end
  -- What a metatable adds would be seen by some of what follows, not by all.
  if getmetatable(given) ~= nil then
    core.misuse(what .. ": its options are a plain table, without metatable")
  end
  for name, value in pairs(given) do
    local check = known[name]
    if not check then
      local near = core.nearest(tostring(name), names_of(known))
      core.misuse(("%s: no option '%s'%s"):format(what, tostring(name),
        near and ("; did you mean '" .. near .. "'?") or ""))
    end
    local wrong = check(value)
    if wrong then
      core.misuse(("%s: option '%s' %s"):format(what, name, wrong))
    end
  end
  return given
end

return options
