--- Events, signed well or not, against the verifier.
--
-- What is verified is what was signed with one of the secrets, and is new and
-- in time; what is all that is verified; every other one is refused with the
-- kind that says why.

local core = require "signicat.core"
local events = require "signicat.events"
local bytes = dofile "spec/fuzz/bytes.lua"

local NOW = 1764230400 -- 2025-11-27T08:00:00Z
local SCHEME, HEADER = "body-hmac-sha256", "x-signicat-signature"
local secrets = { "first", "second" }

--- What the sender puts in the header, and under which name.
local function headers_from(from, raw)
  local how = from:byte()
  local right = core.hmac_sha256(secrets[how % 3 + 1] or "other", raw)
  local given = right
  if how & 4 > 0 then given = right:upper() end
  if how & 8 > 0 then given = given .. from:text() end
  if how & 16 > 0 then
    local at = from:byte() % #right
    given = given:sub(1, at) .. from:text() .. given:sub(at + 2)
  end
  if how & 24 == 24 then given = from:text() end
  local headers = { [how & 32 > 0 and "X-Signicat-Signature" or HEADER] =
    how & 64 > 0 and { given } or given }
  if how & 128 > 0 then headers["X-SIGNICAT-Signature"] = from:text() end
  return headers
end

--- The one signature that the headers have, if it is one.
local function given_in(headers)
  local found
  for _, value in pairs(headers) do
    if found then return nil end
    found = type(value) == "table" and value[1] or value
  end
  return found:match "^%s*(.-)%s*$":lower()
end

local function matching(headers, raw)
  local given = given_in(headers)
  for i, secret in ipairs(secrets) do
    if given == core.hmac_sha256(secret, raw) then return i end
  end
end

local function time_of(event, name)
  local text = event[name]
  return type(text) == "string" and core.parse_time(text) or nil
end

--- The kind of error that a genuine body deserves; nil: none.
local function verdict(event, tolerance, seen)
  if type(event) ~= "table" or getmetatable(event) == core.array_mark then
    return "protocol"
  end
  local at, ends = time_of(event, "timestamp"), time_of(event, "expiresAt")
  if ends and NOW > ends then return "expired" end
  if tolerance ~= "off" then
    if not at then return "protocol" end
    if math.abs(NOW - at) > tolerance then return "expired" end
  end
  if seen and (type(event.id) ~= "string" or event.id == "") then
    return "protocol"
  end
end

return function(input)
  local from = bytes(input)
  local how = from:byte()
  local tolerance = how & 1 > 0 and "off" or 300
  local remember = how & 2 > 0 and events.memory(function() return 0 end)
  local taken = from:byte()
  local extra = from.input:sub(from.at, from.at + taken - 1)
  from.at = from.at + taken
  local raw = from:rest()
  local headers = headers_from(bytes(extra), raw)
  local options = { scheme = SCHEME, secrets = secrets, now = NOW,
    tolerance = tolerance, seen = remember or nil }

  local event, info = events.verify(raw, headers, options)
  local matched = matching(headers, raw)
  local body = core.json_decode(raw)
  local wanted = not matched and "signature"
    or verdict(body, tolerance, remember)
  if not event then
    assert(info.kind == wanted, ("%s, not %s"):format(info.kind, wanted))
    assert(core.is_error(info) and not tostring(info):find "%c")
    return
  end
  assert(not wanted, wanted)
  assert(info.matched == matched and info.scheme == SCHEME)
  assert(core.json_encode(event) == core.json_encode(body))
  local again, err = events.verify(raw, headers, options)
  assert(not remember == (again ~= nil), "taken twice")
  assert(again or err.kind == "duplicate")
  local made, signed = events.sign(raw, secrets[matched], { scheme = SCHEME })
  assert(made == raw and signed[HEADER]:lower() == given_in(headers))
end, true
