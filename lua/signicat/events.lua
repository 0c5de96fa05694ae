--- Events (webhooks): whether one is from the service, is new and in time.
--
-- The signature is of the raw bytes, so these come in; nothing inside of them
-- is looked at before the signature holds. How the service signs is not
-- published, so there is no default: whoever verifies names the scheme.

local call = require "signicat.call"
local core = require "signicat.core"
local options = require "signicat.options"

local events = {}

local NAME = "events.verify"
local TOLERANCE = 300 -- seconds, either way
local REMEMBERED = 86400 -- seconds, for an event that does not say its end

-- -- schemes ------------------------------------------------------------------

---@class signicat.Scheme one of `events.schemes` by name, or your own
---@field header string in lower case
---@field sign (fun(raw: string, secret: string): string)? for events.sign
---@field matches fun(raw: string, secret: string, given: string): boolean
---@field assumed boolean? not confirmed by the service's documentation

--- The schemes that `scheme` can name.
---@type table<string, signicat.Scheme>
events.schemes = {
  -- Programs in use go by this; the service's documentation does not say.
  ["body-hmac-sha256"] = {
    header = "x-signicat-signature",
    assumed = true,
    sign = function(raw, secret) return core.hmac_sha256(secret, raw) end,
    matches = function(raw, secret, given)
      return core.hmac_matches(secret, raw, given)
    end,
  },
}

local function scheme_of(name, what)
  if name == nil then
    core.misuse(what .. ": `scheme` is required, there is no default; "
      .. "\"body-hmac-sha256\" is what programs assume of the service")
  end
  local scheme = type(name) == "table" and name or events.schemes[name]
  if scheme and type(scheme.header) == "string" and scheme.matches then
    return scheme
  end
  local names = {}
  for known in pairs(events.schemes) do names[#names + 1] = known end
  table.sort(names)
  local near = core.nearest(tostring(name), names)
  core.misuse(what .. ": no such scheme" .. (near and "; did you mean '"
    .. near .. "'?" or ""))
end

-- -- options ------------------------------------------------------------------

local function is_secret(value)
  return type(value) == "string" and value ~= ""
end

local function secrets(value)
  if is_secret(value) then return nil end
  local good = type(value) == "table" and #value > 0
  for _, secret in ipairs(good and value or {}) do
    good = good and is_secret(secret)
  end
  if not good then
    return "must be a secret or a list of secrets, none of them empty"
  end
end

local function tolerance(value)
  if value == "off" then return nil end
  if type(value) ~= "number" or not (value > 0 and value <= 1e9) then
    return "must be a number of seconds above 0, or \"off\""
  end
end

local function moment(value)
  if type(value) ~= "number" or value ~= value then
    return "must be seconds since 1970"
  end
end

local function callable(value)
  if type(value) ~= "function" then return "must be a function" end
end

local function any() end

local known = { scheme = any, secrets = secrets, tolerance = tolerance,
                now = moment, seen = callable }
local known_to_sign = { scheme = any }

-- -- verifying ----------------------------------------------------------------

local function fail(kind, note, more)
  local failure = { kind = kind, note = note, attempts = 0 }
  for name, value in pairs(more or {}) do failure[name] = value end
  return call.fail(NAME, failure)
end

--- The one value of a header, whatever the case of its name; servers give
--- repeated ones as a list.
local function header_of(headers, wanted)
  local found
  for name, value in pairs(headers) do
    if type(name) == "string" and name:lower() == wanted then
      if type(value) == "table" and #value == 1 then value = value[1] end
      if found or type(value) ~= "string" then
        return nil, "the signature's header came more than once"
      end
      found = value:match "^%s*(.-)%s*$"
    end
  end
  if found then return found end
  return nil, "there is no header " .. wanted
end

--- Which secret a signature was made with; all are tried, so that the time
--- taken tells nothing.
local function matching(scheme, raw, given, list)
  local matched
  for i, secret in ipairs(list) do
    if scheme.matches(raw, secret, given) and not matched then matched = i end
  end
  return matched
end

--- A time in an event that can be trusted by now, in seconds.
local function time_in(event, name)
  local text = event[name]
  return type(text) == "string" and core.parse_time(text) or nil
end

--- Why the time is not right for an event; nil when it is.
local function time_fault(event, now, allowed)
  local ends = time_in(event, "expiresAt")
  if ends and now > ends then
    return fail("expired", "its expiresAt has passed")
  end
  if allowed == "off" then return nil end
  local at = time_in(event, "timestamp")
  if not at then
    return fail("protocol", "a genuine event without a timestamp; "
      .. "tolerance = \"off\" takes such")
  end
  if now - at > allowed then
    return fail("expired", "its timestamp is too long ago")
  end
  if at - now > allowed then
    return fail("expired", "its timestamp is in the future; check the clock")
  end
end

--- How long an event could come again and still be taken.
local function lifetime(event, now, allowed)
  local ends = time_in(event, "expiresAt")
  local at = time_in(event, "timestamp")
  local left = REMEMBERED
  if ends then
    left = ends - now
  elseif at and allowed ~= "off" then
    left = at + allowed - now
  end
  return math.max(1, math.ceil(left))
end

--- Why an event is not handled for its id; nil when it is new.
local function replay_fault(seen, event, now, allowed)
  if not seen then return nil end
  local id = event.id
  if type(id) ~= "string" or id == "" then
    return fail("protocol", "a genuine event without an id, by which repeats "
      .. "are told; leave `seen` out to take such")
  end
  local known_already, reason = seen(id, lifetime(event, now, allowed))
  if known_already then
    return fail("duplicate", "this event was seen before")
  end
  if known_already == nil and reason ~= nil then
    return fail("io", "`seen` could not look; see `detail`",
      { detail = tostring(reason), retryable = true })
  end
end

local function check_raw(raw)
  if type(raw) == "string" then return end
  core.misuse(NAME .. " takes the body as it was received, a string, not a "
    .. type(raw) .. ": what was parsed and written again is not what was "
    .. "signed; read the raw body before anything parses it")
end

--- Verifies an event: its signature, then its time, then whether it is new.
---@param raw string the body, byte for byte as it was received
---@param headers table<string, string|string[]> of the request
---@param opts signicat.VerifyOptions
---@return table? event the body as a table
---@return table|signicat.Error info or err: `matched`, which of the secrets
--- it was; kinds `signature`, `expired`, `duplicate`, `protocol` (signed, but
--- no event), `io` (`seen` could not look)
function events.verify(raw, headers, opts)
  check_raw(raw)
  if type(headers) ~= "table" then
    core.misuse(NAME .. ": headers are a table, not a " .. type(headers))
  end
  opts = options.check(opts, known, NAME)
  local scheme = scheme_of(opts.scheme, NAME)
  if not opts.secrets then core.misuse(NAME .. ": `secrets` is required") end
  local list = type(opts.secrets) == "table" and opts.secrets
    or { opts.secrets }

  local given, reason = header_of(headers, scheme.header)
  if not given then return nil, fail("signature", reason) end
  local matched = matching(scheme, raw, given, list)
  if not matched then
    return nil, fail("signature", "no secret gives this signature")
  end

  local event = core.json_decode(raw)
  if type(event) ~= "table" or getmetatable(event) == core.array_mark then
    return nil, fail("protocol", "signed, but not a JSON object")
  end
  local now = opts.now or core.wall_clock()
  local allowed = opts.tolerance or TOLERANCE
  local err = time_fault(event, now, allowed)
    or replay_fault(opts.seen, event, now, allowed)
  if err then return nil, err end
  return event, { matched = matched, scheme = opts.scheme,
                  assumed = scheme.assumed or false }
end

-- -- making -------------------------------------------------------------------

--- Makes a signed event, to test what handles them.
---@param payload string|table the body, or what it is to be made of
---@param secret string
---@param opts { scheme: string }
---@return string raw the body
---@return table<string, string> headers
function events.sign(payload, secret, opts)
  opts = options.check(opts, known_to_sign, "events.sign")
  local scheme = scheme_of(opts.scheme, "events.sign")
  if not scheme.sign then
    core.misuse "events.sign: this scheme has no `sign`"
  end
  if not is_secret(secret) then
    core.misuse "events.sign: the secret is a string that is not empty"
  end
  local raw = payload
  if type(payload) == "table" then
    local reason, path
    raw, reason, path = core.json_encode(payload)
    if not raw then
      core.misuse(("events.sign: %s %s"):format(path or "it", reason))
    end
  elseif type(payload) ~= "string" then
    core.misuse("events.sign takes a string or a table, not a "
      .. type(payload))
  end
  return raw, { ["Content-Type"] = "application/json",
                [scheme.header] = scheme.sign(raw, secret) }
end

-- -- who remembers ------------------------------------------------------------

--- A `seen` for one process, and a function that forgets an id: what could
--- not be handled is then taken when it comes again.
---@param now (fun(): number)? seconds on a clock that nobody sets
---@return fun(id: string, ttl: number): boolean seen
---@return fun(id: string) forget
function events.memory(now)
  if now ~= nil and type(now) ~= "function" then
    core.misuse("events.memory takes a clock, a function, not a " .. type(now)
      .. "; `seen` is what it returns")
  end
  now = now or core.now
  local ends, sweep_at = {}, 0
  local function seen(id, ttl)
    local time = now()
    if time >= sweep_at then
      for other, moment_of in pairs(ends) do
        if moment_of <= time then ends[other] = nil end
      end
      sweep_at = time + 60
    end
    if ends[id] and ends[id] > time then return true end
    ends[id] = time + ttl
    return false
  end
  return seen, function(id) ends[id] = nil end
end

--- The same for all workers of an nginx: one of its shared dictionaries.
---@param dictionary table ngx.shared.<name>
---@return fun(id: string, ttl: number): boolean?, string? seen
---@return fun(id: string) forget
function events.shared(dictionary)
  if not dictionary or not dictionary.add then
    core.misuse("events.shared takes a dictionary such as ngx.shared.events, "
      .. "which a line lua_shared_dict makes; `seen` is what it returns")
  end
  local function seen(id, ttl)
    local added, reason = dictionary:add("signicat:" .. id, true, ttl)
    if added then return false end
    if reason == "exists" then return true end
    return nil, reason or "the dictionary took nothing"
  end
  return seen, function(id) dictionary:delete("signicat:" .. id) end
end

return events
