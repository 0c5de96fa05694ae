-- What alloc_host does while memory ends. Each case prepares what it needs
-- and returns the function that is called, which checks its own result.

local core = require "signicat.core"
local lazy = require "lazy"

local cases = {}

local escaped = ("\\u00e9\\ud83d\\ude00"):rep(40)
local unescaped = ("\195\169\240\159\152\128"):rep(40)

-- Enough of everything to make every buffer grow several times.
local function text_of(items)
  local parts = {}
  for i = 1, items do
    parts[i] = string.format(
      '{"id":%d,"name\\n%d":"value %d","list":[%d.5,[],{}],"none":null}',
      i, i, i, i)
  end
  return '{"items":[' .. table.concat(parts, ",") .. '],"text":"' .. escaped
    .. '","\\"":true}'
end

function cases.decode()
  local text = text_of(40)
  return function()
    local value = core.json_decode(text)
    assert(#value.items == 40 and value.items[40].list[1] == 40.5)
    assert(value.text == unescaped and value['"'] == true)
  end
end

function cases.decode_refused()
  local text = text_of(40) .. "x"
  return function()
    local value, reason, offset = core.json_decode(text)
    assert(value == nil and reason == "something follows the value")
    assert(offset == #text)
  end
end

function cases.access()
  local text = text_of(40)
  return function()
    local value = lazy.open(text)
    assert(value.text == unescaped and value['"'] == true)
    assert(value.items[7]["name\n7"] == "value 7" and value.other == nil)
    assert(table.concat(lazy.names(value), " ") == 'items text "')
  end
end

function cases.encode()
  local value = { text = unescaped, items = {}, names = {} }
  for i = 1, 60 do
    value.items[i] = { id = i, name = "value " .. i, deep = { { { i } } } }
    value.names[("name %d"):format(i)] = { a = i + 0.5, b = core.null }
  end
  local size = #core.json_encode(value)
  return function()
    local text = core.json_encode(value)
    assert(#text == size)
    assert(text:find('"name 60":{"a":60.5,"b":null}', 1, true))
  end
end

function cases.encode_refused()
  local value = { { a = {}, ["a \195\169"] = { 1, { print } } } }
  for i = 1, 100 do value[1].a[i] = { name = ("x"):rep(i) } end
  return function()
    local text, reason, path = core.json_encode(value)
    assert(text == nil and reason == "a function is not JSON")
    assert(path == '[1]["a \195\169"][2][1]')
  end
end

return cases
