-- What alloc_host does while memory ends. Each case prepares what it needs
-- and returns the function that is called, which checks its own result.

local core = require "signicat.core"

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
  return '{"id":"x","items":[' .. table.concat(parts, ",") .. '],"text":"'
    .. escaped .. '","\\"":true}'
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

-- What response.c makes of this text for that operation, through the path
-- that a reply takes.
local function decode(operation, text)
  local request = assert(core.request({ base_url = "http://127.0.0.1" },
    operation, "f05d0dce-a7af-432b-b6b8-e455ab7c0858"))
  return assert(core.decode(request, { status = 200, headers = {},
                                       body = text }))
end

function cases.access()
  local text = text_of(40)
  return function()
    local session = decode("getSigningSession", text)
    assert(session.text == unescaped and session['"'] == true)
    assert(session.items[7]["name\n7"] == "value 7")
    assert(session.items == session.items and session.other == nil)
    assert(session:json() == text and session:totable().items[40].id == 40)
  end
end

function cases.access_page()
  local text = ' {"limit":100,"data":[' .. (text_of(1) .. ","):rep(9)
    .. text_of(2) .. '],"total":10}'
  return function()
    local page = decode("listSigningSessions", text)
    assert(page.limit == 100 and page.total == 10 and #page.data == 10)
    assert(page.data[10].items[2].id == 2)
    assert(#page:totable().data == 10 and " " .. page:json() == text)
  end
end

function cases.access_refused()
  return function()
    local request = assert(core.request({ base_url = "http://127.0.0.1" },
      "getSigningSession", "f05d0dce-a7af-432b-b6b8-e455ab7c0858"))
    local value, failure = core.decode(request, { status = 400, headers = {},
      body = '{"code":"invalid_request_parameter","title":"' .. escaped
        .. '","invalidParams":[{"name":"[0].title","reason":"long"}]}' })
    local err = core.error(failure)
    assert(value == nil and err.kind == "invalid" and err.status == 400)
    assert(err.title == unescaped and err.fields[1].name == "[0].title")
    assert(tostring(err):find("400 invalid_request_parameter", 1, true))
  end
end

function cases.validate()
  local sessions = { { title = ("x"):rep(300), titel = 1, documents = {} } }
  return function()
    local request, failure = core.request({ base_url = "http://127.0.0.1" },
      "createSigningSession", nil, sessions, 0)
    assert(request == nil and failure.kind == "invalid")
    assert(#failure.fields == 4)
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
