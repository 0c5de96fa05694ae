-- Reader and writer against lua-cjson, on values made at random.
--
-- lua-cjson makes a float of every number and writes 14 digits, so each
-- direction is compared as far as it is able: what it reads of our text, or
-- of a text made here, must be the nearest double of each number; what it
-- writes must be, read by us, the number to 14 digits. Ours is held to the
-- exact value and, where Lua has integers, to the exact kind.
--
-- SIGNICAT_SEED repeats a run.

local busted = require "busted"
local cjson = require "cjson"
local core = require "signicat.core"

local VALUES = 10000
local null = core.null
local kind_of = math.type or type
local random = math.random

local seed = tonumber(os.getenv "SIGNICAT_SEED")
  or os.time() * 1000 % 2 ^ 31 + math.floor(os.clock() * 1e6) % 1000
seed = math.floor(seed)

busted.subscribe({ "suite", "end" }, function()
  print(string.format("json_cjson: %d values, SIGNICAT_SEED=%d",
    VALUES, seed))
  return nil, true
end)

-- -- values at random -------------------------------------------------------

local make

local function utf8_char(code)
  local char = string.char
  local function tail(shift)
    return 0x80 + math.floor(code / 2 ^ shift) % 64
  end
  if code < 0x80 then return char(code) end
  if code < 0x800 then
    return char(0xc0 + math.floor(code / 64), tail(0))
  elseif code < 0x10000 then
    return char(0xe0 + math.floor(code / 4096), tail(6), tail(0))
  end
  return char(0xf0 + math.floor(code / 2 ^ 18), tail(12), tail(6), tail(0))
end

local function make_code()
  local kind = random(10)
  if kind <= 5 then return random(0x20, 0x7e) end
  if kind == 6 then return random(0, 0x1f) end
  if kind == 7 then return ('"\\/\127'):byte(random(4)) end
  if kind == 8 then return random(0x80, 0x7ff) end
  if kind == 9 then
    return random(2) == 1 and random(0x800, 0xd7ff) or random(0xe000, 0xffff)
  end
  return random(0x10000, 0x10ffff)
end

local function make_string()
  local parts = {}
  for i = 1, random(0, random(20)) do parts[i] = utf8_char(make_code()) end
  return table.concat(parts)
end

local function make_integer()
  local kind = random(4)
  if kind == 1 then return random(-10, 10) end
  if kind == 2 then return random(-2 ^ 31, 2 ^ 31 - 1) end
  if math.type then
    if kind == 3 then -- any 64 bits, the product wraps around
      return random(0, 2 ^ 31 - 1) * 8589934592 + random(0, 2 ^ 31 - 1)
    end
    local edges = { math.maxinteger, math.mininteger, 9007199254740993 }
    return edges[random(3)] - random(0, 1)
  end
  return random(-2 ^ 30, 2 ^ 30) * random(0, 2 ^ 22)
end

local function make_float()
  local kind, sign = random(5), random(2) * 2 - 3
  if kind == 1 then return sign * random() end
  if kind == 2 then return sign * random(0, 10000) / 100 end
  if kind == 3 then return sign * random(0, 1000) / 1.0 end
  if kind == 4 then return sign * random() * 10.0 ^ random(-30, 30) end
  -- Any exponent at all; cjson writes no number that rounds to infinity.
  return sign * (random() + 0.5) * 2.0 ^ random(-1074, 1022)
end

local function make_list(depth)
  local list = setmetatable({}, core.array_mark)
  for i = 1, random(0, 5) do list[i] = make(depth + 1) end
  return list
end

local function make_object(depth)
  local object = {}
  for _ = 1, random(0, 5) do object[make_string()] = make(depth + 1) end
  return object
end

local scalars = {
  make_string, make_string, make_integer, make_float,
  function() return random(2) == 1 end,
  function() return null end,
}

function make(depth)
  local kind = random(depth < 4 and 9 or 6)
  if depth == 0 and kind <= 6 and random(3) > 1 then kind = random(7, 9) end
  if kind <= 6 then return scalars[kind]() end
  return (kind == 7 and make_list or make_object)(depth)
end

-- -- their text, not by our writer ------------------------------------------

local function space()
  if random(6) > 1 then return "" end
  return (" \t\n\r"):rep(3):sub(random(12), random(12))
end

local function spell_unit(unit)
  return string.format(random(2) == 1 and "\\u%04x" or "\\u%04X", unit)
end

local short = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f",
  ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["/"] = "\\/",
}

-- Each character as it is, with its short escape or as \u, as may be.
local function spell_string(value)
  local parts = { '"' }
  for char in value:gmatch "[%z\1-\127\194-\244][\128-\191]*" do
    local a, b, c, d = char:byte(1, -1)
    local must = a < 0x20 or char == '"' or char == "\\"
    if short[char] and (random(2) == 1 or must and random(3) > 1) then
      parts[#parts + 1] = short[char]
    elseif must or random(8) == 1 then
      if d then
        local code = (a % 8 * 64 + b % 64) * 4096 + c % 64 * 64 + d % 64
          - 0x10000
        parts[#parts + 1] = spell_unit(0xd800 + math.floor(code / 1024))
          .. spell_unit(0xdc00 + code % 1024)
      else
        local code = c and (a % 16 * 64 + b % 64) * 64 + c % 64
          or b and a % 32 * 64 + b % 64 or a
        parts[#parts + 1] = spell_unit(code)
      end
    else
      parts[#parts + 1] = char
    end
  end
  parts[#parts + 1] = '"'
  return table.concat(parts)
end

local function spell_number(value)
  if kind_of(value) == "integer" then return string.format("%d", value) end
  if kind_of(value) == "number" and value == math.floor(value)
      and math.abs(value) < 2 ^ 53 then
    return string.format("%d", value)
  end
  local text = string.format(random(2) == 1 and "%.17g" or "%.16e", value)
  if not text:find "[.e]" then text = text .. ".0" end
  return random(2) == 1 and text or text:upper()
end

local function spell(value)
  if value == null then return "null" end
  if type(value) == "boolean" then return tostring(value) end
  if type(value) == "number" then return spell_number(value) end
  if type(value) == "string" then return spell_string(value) end
  local parts = {}
  if getmetatable(value) == core.array_mark then
    for i, item in ipairs(value) do
      parts[i] = space() .. spell(item) .. space()
    end
    return "[" .. table.concat(parts, ",") .. space() .. "]"
  end
  for name, item in pairs(value) do
    parts[#parts + 1] = space() .. spell_string(name) .. space() .. ":"
      .. space() .. spell(item) .. space()
  end
  return "{" .. table.concat(parts, ",") .. space() .. "}"
end

-- -- comparing ---------------------------------------------------------------

-- The path of the first difference, or nil. `number` judges two numbers.
local function difference(a, b, number, path)
  path = path or "value"
  if type(a) ~= type(b) then return path .. ": types" end
  if type(a) == "number" then
    return not number(a, b)
      and string.format("%s: %s %s, %s %s", path, kind_of(a), a, kind_of(b), b)
      or nil
  elseif type(a) ~= "table" then
    return a ~= b and path .. ": values" or nil
  end
  for name, value in pairs(a) do
    local found = difference(value, b[name], number,
      path .. "." .. tostring(name))
    if found then return found end
  end
  for name in pairs(b) do
    if a[name] == nil then return path .. ": one more " .. tostring(name) end
  end
end

local function exactly(a, b)
  return kind_of(a) == kind_of(b) and a == b
end

-- Our writer says 3.0 as 3, which is an integer when it comes back.
local function as_written(a, b)
  return a == b and (kind_of(a) == kind_of(b) or a == math.floor(a))
end

local function as_float(a, b)
  return a + 0.0 == b
end

-- LuaJIT's own %g and the C library's may part where the 15th digit is a 5.
local function to_14_digits(a, b)
  return tonumber(string.format("%.14g", a)) == b
    or rawget(_G, "jit") and math.abs(a - b) <= math.abs(a) * 5.1e-14
end

-- Only we tell an empty array from an empty object, and only of our reader
-- can the mark be asked.
local function same_marks(a, b)
  if type(a) ~= "table" then return true end
  if getmetatable(a) ~= getmetatable(b) then return false end
  for name, value in pairs(a) do
    if not same_marks(value, b[name]) then return false end
  end
  return true
end

describe("json and lua-cjson", function()
  -- Stops at the first value that differs, with its number and its text.
  local function for_each_value(check)
    math.randomseed(seed)
    for i = 1, VALUES do
      local value = make(0)
      local found, text = check(value)
      if found then
        error(string.format("value %d of seed %d: %s\n%s", i, seed, found,
          text), 0)
      end
    end
  end

  it("read the same value from the same text", function()
    for_each_value(function(value)
      local text = spell(value)
      local ours, reason = core.json_decode(text)
      if ours == nil then return reason, text end
      local found = difference(value, ours, exactly)
        or not same_marks(value, ours) and "marks"
        or difference(ours, cjson.decode(text), as_float)
      return found, text
    end)
  end)

  it("read the same value from our writer's text", function()
    for_each_value(function(value)
      local text, reason, path = core.json_encode(value)
      if not text then return path .. ": " .. reason, "" end
      local ours = core.json_decode(text)
      local found = difference(value, ours, as_written)
        or not same_marks(value, ours) and "marks"
        or difference(value, cjson.decode(text), as_float)
      return found, text
    end)
  end)

  it("write texts that our reader finds the same value in", function()
    for_each_value(function(value)
      local text = cjson.encode(value)
      local ours, reason = core.json_decode(text)
      if ours == nil then return reason, text end
      return difference(value, ours, to_14_digits), text
    end)
  end)
end)
