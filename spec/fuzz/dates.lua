--- Dates, and Retry-After, against what the system's calendar says.

local core = require "signicat.core"
local bytes = dofile "spec/fuzz/bytes.lua"

local EPOCH = "Thu, 01 Jan 1970 00:00:00 GMT"
local HTTP = "!%a, %d %b %Y %H:%M:%S GMT"

local function failure_of(lines)
  local request = assert(core.request({ base_url = "https://a.example" },
    "getSigningSession", "00000000-0000-4000-8000-000000000000", nil, 0))
  local _, failure = core.decode(request, core.response { status = 503,
    lines = lines, body = {}, timing = {} })
  return failure
end

--- What is read means what it says: written again, it is the same text. A
--- leap second is the first of the next minute.
local function check_http_date(text)
  text = text:gsub("[\r\n]", "")
  local seconds = failure_of(("Date: %s\r\nRetry-After: %s\r\n")
    :format(EPOCH, text)).retry_after
  local value = text:match "^[ \t]*(.-)[ \t]*$"
  if #value <= 9 then
    assert(seconds == (value:find "^%d+$" and tonumber(value) or nil))
  elseif seconds then
    local plain = value:gsub(":60 GMT$", ":59 GMT")
    assert(os.date(HTTP, math.tointeger(seconds)
      - (plain == value and 0 or 1)) == plain, "another date")
  else
    local good = value:find "^%a%a%a, %d%d %a%a%a (%d%d%d%d)"
    assert(not good or value ~= EPOCH, "a date that is not read")
  end
end

--- Any second that HTTP can write is read.
local function check_second(seconds)
  local text = os.date(HTTP, seconds)
  assert(failure_of(("Retry-After: %s\r\nDate: %s\r\n"):format(text, EPOCH))
    .retry_after == seconds, text)
  local iso = os.date("!%Y-%m-%dT%H:%M:%SZ", seconds)
  assert(core.parse_time(iso) == seconds, iso)
  assert(core.parse_time(core.format_time(seconds)) == seconds, iso)
end

--- RFC 3339: what is read is the calendar's day at that time.
local function check_time(text)
  local seconds = core.parse_time(text)
  if not seconds then return end
  local year, month, day, hour, minute, second, rest =
    text:match "^(%d%d%d%d)-(%d%d)-(%d%d)[Tt](%d%d):(%d%d):(%d%d)(.*)$"
  local sign, hours, minutes = rest:match "([+-])(%d%d):(%d%d)$"
  local zone = sign and (hours * 60 + minutes) * (sign == "-" and -60 or 60)
    or 0
  assert(rest:find "^%.?%d*[Zz]$" or sign, "no zone")
  local plain = os.time { year = year, month = month, day = day, hour = hour,
    min = minute, sec = second }
  assert(seconds == plain - zone, "another time")
  assert(tonumber(os.date("!%d", plain - second)) == tonumber(day),
    "no such day")
end

return function(input)
  local from = bytes(input)
  local kind = from:byte() % 3
  if kind == 0 then
    check_http_date(from:rest())
  elseif kind == 1 then
    check_second(from:number "<I8" % 253402300800)
  else
    check_time(from:rest())
  end
end
