--- What a client tells its `on_event` hook: a table for each thing that
--- happens, made of safe words and numbers alone.
--
-- The list of fields below is the whole of it. Addresses with a query, bodies,
-- headers, tokens, signing URLs and names of people have no field, so nobody
-- can hand them out by mistake.

local core = require "signicat.core"

local observe = {}

---@class signicat.Event
---@field name "request"|"response"|"retry"|"token"|"wait"|"error"
---@field operation string? "sessions:get"
---@field method string?
---@field status integer? of the answer
---@field attempt integer? from 1
---@field attempts integer?
---@field delay number? seconds until the next attempt or question
---@field seconds number? how long it took or has taken
---@field bytes integer?
---@field reused boolean? whether the connection was
---@field request_id string?
---@field kind string? of an error
---@field code string? the API's, of an error
---@field phase string? of an error
---@field retryable boolean?
---@field ambiguous boolean?
---@field trace string? the W3C traceparent of the call
---@field trace_id string? the service's, of an error
---@field message string? of an error: one line, safe to log
---@field reason string? our own words
---@field state string? of what is waited for
---@field source string? of a token: "fetch", "store" or "drop"
---@field lifetime number? of a token, in seconds

-- name -> the type its value has
local fields = {
  operation = "string", method = "string", status = "number",
  attempt = "number", attempts = "number", delay = "number",
  seconds = "number", bytes = "number", reused = "boolean",
  request_id = "string", kind = "string", code = "string", phase = "string",
  retryable = "boolean", ambiguous = "boolean", trace = "string",
  trace_id = "string", message = "string", reason = "string",
  state = "string", source = "string", lifetime = "number",
}

-- What the service writes freely is passed on if it is a plain word.
local foreign = { code = true, trace_id = true, request_id = true,
                  state = true }

local function is_word(text)
  return #text <= 64 and text:find "^[%w_.%-]+$" ~= nil
end

local function copy(event, from)
  for name, wanted in pairs(fields) do
    local value = from[name]
    if type(value) == wanted
      and (not foreign[name] or is_word(value)) then
      event[name] = value
    end
  end
end

-- The coroutines that run a hook. What it calls is told to none: it would be
-- told of that, too, and call again, without end.
local telling = setmetatable({}, { __mode = "k" })
local MAIN = {}

local function here()
  return coroutine.running() or MAIN
end

local function tell(hook, event)
  telling[here()] = true
  hook(event)
end

--- What runs in a coroutine for the one that runs now is a part of it.
function observe.follow(thread)
  if telling[here()] then telling[thread] = true end
end

--- Tells the client's hook of an event, if it has one. Whatever the hook
--- does, the call goes on.
---@param client table
---@param name string
---@param about table? fields of the event; `error`, an error object, stands
--- for its own fields
function observe.emit(client, name, about)
  local hook = client.on_event
  if not hook or telling[here()] then return end
  local event = { name = name }
  if about then
    if core.is_error(about.error) then copy(event, about.error) end
    copy(event, about)
  end
  client:try(tell, hook, event) -- in a task it may call
  telling[here()] = nil
end

return observe
