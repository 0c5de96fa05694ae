--- Values built from bytes against the writer.
--
-- What JSON can say is written, and is judged here by other means; what was
-- written reads back as the same value and is written as the same text again.

local core = require "signicat.core"
local bytes = dofile "spec/fuzz/bytes.lua"

local DEPTH = 128
-- As OpenResty's build has them.
local cjson = { array_mt = {}, empty_array_mt = {} }
package.loaded.cjson = cjson
-- The last table made, to be put in other places as well; each may double what
-- is to be written.
local shared, takes

-- -- building -----------------------------------------------------------------

local build

local function list(from, open)
  local made = {}
  open[#open + 1] = made
  for i = 1, from:byte() % 8 do made[i] = build(from, open) end
  open[#open] = nil
  shared = made
  return made
end

local function object(from, open)
  local made = {}
  open[#open + 1] = made
  for _ = 1, from:byte() % 8 do made[from:text()] = build(from, open) end
  open[#open] = nil
  shared = made
  return made
end

--- With any names at all.
local function mixture(from, open)
  local made = {}
  open[#open + 1] = made
  for _ = 1, from:byte() % 4 do
    local name = build(from, open)
    if name ~= nil and name == name then made[name] = build(from, open) end
  end
  open[#open] = nil
  return made
end

local function nested(from, open)
  local made = build(from, open)
  for i = 1, from:byte() do made = i % 3 == 0 and { a = made } or { made } end
  return made
end

local makers = {
  function() return nil end,
  function() return true end,
  function() return false end,
  function() return core.null end,
  function(from) return from:number "<d" end,
  function(from) return from:number "<i8" end,
  function(from) return from:byte() - 128 end,
  function(from) return from:text() end,
  list,
  object,
  mixture,
  function(from, open)
    return setmetatable(list(from, open), core.array_mark)
  end,
  function(_, open) return open[#open] end,
  function() return print end,
  function()
    takes = takes + 1
    return takes < 6 and shared or nil
  end,
  nested,
  function() return io.stdout end,
  function(from, open)
    return setmetatable(list(from, open), cjson.array_mt)
  end,
  function(from, open)
    return setmetatable(list(from, open), cjson.empty_array_mt)
  end,
}

function build(from, open)
  return makers[from:byte() % #makers + 1](from, open)
end

-- -- judging ------------------------------------------------------------------

local sayable

--- Whether its names are 1 to n, and n; nil when there are others as well.
local function positions(value)
  local count, names, last = 0, 0, 0
  for name in pairs(value) do
    if type(name) == "string" then
      if not utf8.len(name) then return nil end
      names = names + 1
    elseif math.type(name) == "integer" and name >= 1 then
      count, last = count + 1, math.max(last, name)
    else
      return nil
    end
  end
  local mark = getmetatable(value)
  local marked = mark == core.array_mark or mark == cjson.array_mt
  if last ~= count or names > 0 and (count > 0 or marked) then return nil end
  return count
end

local function sayable_table(value, open, depth)
  if open[value] or depth == DEPTH or not positions(value) then return false end
  open[value] = true
  for _, member in pairs(value) do
    if not sayable(member, open, depth + 1) then return false end
  end
  open[value] = nil
  return true
end

function sayable(value, open, depth)
  local kind = type(value)
  if kind == "table" then return sayable_table(value, open, depth) end
  if kind == "number" then return value - value == 0 end
  if kind == "string" then return utf8.len(value) ~= nil end
  return kind == "boolean" or value == core.null
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for name, member in pairs(a) do
    if not same(member, b[name]) then return false end
  end
  for name in pairs(b) do
    if a[name] == nil then return false end
  end
  return true
end

-- -- one input ----------------------------------------------------------------

local id = "00000000-0000-4000-8000-000000000000"

--- Led by a schema, the same value is at most another empty table.
local function check_led(value)
  if type(value) ~= "table" then return end
  local request = assert(core.request({ base_url = "https://a.example",
    validate = "off" }, "createDocumentCollection", id, value, 0))
  assert(same(value, core.json_decode(request.body)), "led by a schema")
end

return function(input)
  shared, takes = nil, 0
  local value = build(bytes(input), {})
  local text, reason, path = core.json_encode(value)
  assert((text ~= nil) == sayable(value, {}, 0), reason or "written")
  if not text then
    assert(type(reason) == "string" and utf8.len(path), "a fault's path")
    return
  end
  local again = core.json_decode(text)
  assert(same(value, again), "reads as another value")
  assert(core.json_encode(again) == text, "is written as another text")
  check_led(value)
end
