-- resource_spec.lua: what an answer is once it is held: fields on demand, the
-- exact text, pages that give their sessions away, and hostile names.

local core = require "signicat.core"
local helper = require "spec.helper"

local null = core.null
local document, session = helper.document, helper.session

-- What a call gets for a JSON text.
local function got(text)
  local client = helper.client(helper.json(200, text))
  return assert(client.sessions:get(session))
end

-- What has no id, or not of its own, comes by the way out.
local function got_any(text)
  local client = helper.client(helper.json(200, text))
  return assert(client:request("GET", "/x"))
end

local function got_page(text)
  local client = helper.client(helper.json(200, text))
  return assert(client.sessions:list())
end

describe("a resource", function()
  local text = '{ "id": "' .. session .. '",\n "title": "Lease \\u0031\\n",'
    .. ' "count":12345678901234567, "share":1.50, "open":false, '
    .. '"externalReference":null, "documents":[{"documentId":"a"}, {}],'
    .. ' "packageTo":[],"lifecycle":{"state":"READY","deep":[[[null]]]},'
    .. '"newField":{"x":1e2}, "a b.c\\"":7 }'
  local resource

  before_each(function() resource = got(text) end)

  it("reads each field as JSON means it", function()
    assert.equal(session, resource.id)
    assert.equal("Lease 1\n", resource.title)
    assert.equal(12345678901234567, resource.count)
    assert.equal(1.5, resource.share)
    assert.equal(false, resource.open)
    assert.equal(null, resource.externalReference)
    assert.same({ { documentId = "a" }, {} }, resource.documents)
    assert.same({ state = "READY", deep = { { { null } } } },
      resource.lifecycle)
    assert.equal(7, resource['a b.c"'])
  end)

  it("has nil for what is absent, and for keys that are no names", function()
    for _, key in ipairs { "none", "", "i", "idd", "id\0", "state" } do
      assert.is_nil(resource[key])
    end
    for _, key in ipairs { 1, 0, 1.5, true, {} } do
      assert.is_nil(resource[key])
    end
  end)

  it("keeps fields that nobody knew", function()
    assert.same({ x = 100 }, resource.newField)
  end)

  it("gives the same table each time", function()
    assert.equal(resource.lifecycle, resource.lifecycle)
    assert.equal(resource.documents[1], resource.documents[1])
    resource.lifecycle.state = "mine"
    assert.equal("mine", resource.lifecycle.state)
    assert.equal("READY", resource:totable().lifecycle.state)
  end)

  it("gives plain lists that count and iterate", function()
    assert.equal(2, #resource.documents)
    assert.equal(0, #resource.packageTo)
    local seen = 0
    for i, item in ipairs(resource.documents) do
      assert.equal(item, resource.documents[i])
      seen = seen + 1
    end
    assert.equal(2, seen)
  end)

  it("gives lists that are written as lists again", function()
    assert.equal("[]", core.json_encode(resource.packageTo))
    assert.equal('[{"documentId":"a"},{}]',
      core.json_encode(resource.documents))
  end)

  it("makes a table of everything, a fresh one each time", function()
    local all = resource:totable()
    assert.equal("table", type(all))
    assert.same(core.json_decode(text), all)
    assert.not_equal(all, resource:totable())
    assert.not_equal(all.lifecycle, resource.lifecycle)
    all.id = "mine"
    assert.equal(session, resource.id)
  end)

  it("has its exact text", function()
    assert.equal(text, resource:json())
    assert.equal(text, got("\r\n " .. text .. "\t"):json())
  end)

  -- Lua 5.1 knows no __pairs; there it takes pairs(resource:totable()).
  if pcall(pairs, resource) then
    it("can be walked by pairs", function()
      local seen = {}
      for name, value in pairs(resource) do seen[name] = value end
      assert.same(resource:totable(), seen)
    end)
  end

  it("cannot be changed", function()
    for _, name in ipairs { "title", "none", "json", 1 } do
      assert.has_error(function() resource[name] = 1 end)
    end
    assert.equal("Lease 1\n", resource.title)
  end)

  it("hides its metatable", function()
    assert.is_false(getmetatable(resource))
    assert.has_error(function() setmetatable(resource, {}) end)
  end)

  it("refuses its methods to anything else", function()
    for _, method in ipairs { resource.json, resource.totable } do
      for _, value in ipairs { {}, io.stdout, "x", 1, null } do
        assert.has_error(function() method(value) end)
      end
      assert.has_error(function() method() end)
    end
  end)
end)

describe("two resources", function()
  local function text(id, more)
    return ('{"id":"%s"%s}'):format(id, more or "")
  end

  it("of one object are equal, however old", function()
    assert.is_true(got(text(session)) == got(text(session, ',"a":1')))
  end)

  it("of two objects are not", function()
    assert.is_false(got(text(session)) == got(text(document)))
  end)

  it("of two types are not, whatever their ids", function()
    local client = helper.client(helper.json(200, text(session)))
    assert.is_false(client.collections:get(session)
      == client.sessions:get(session))
  end)

  it("without an id are not, but each is itself", function()
    local one, other = got_any "{}", got_any "{}"
    assert.is_false(one == other)
    assert.is_true(one == one) -- luacheck: ignore
    assert.is_false(got_page '{"data":[]}' == got_page '{"data":[]}')
  end)

  it("are not equal to a table or a string", function()
    local one = got(text(session))
    assert.is_false(one == one:totable())
    assert.is_false(one == session)
  end)
end)

describe("tostring", function()
  it("is the type and the id", function()
    assert.equal("signicat.session " .. session,
      tostring(got('{"id":"' .. session .. '"}')))
  end)

  it("shows no id that is none", function()
    for _, id in ipairs { "", "x", "19010112345", session .. "\\n",
                          session .. "\\u0000" } do
      assert.equal("signicat.session", tostring(got('{"id":"' .. id .. '"}')))
    end
  end)

  it("is the type alone without an id", function()
    assert.equal("signicat.object", tostring(got_any "{}"))
    assert.equal("signicat.object", tostring(got_any '{"id":null}'))
    assert.equal("signicat.page", tostring(got_page '{"data":[]}'))
  end)
end)

-- Names that mean something to Lua or to the resource itself.
describe("a hostile name", function()
  for _, name in ipairs { "__index", "__gc", "__metatable", "__name",
                          "methods", "1", "nil", "", "\0", "a\0b",
                          "\240\159\152\128",
                          ("x"):rep(70000) } do
    it(("%q is but a name"):format(name:sub(1, 12)), function()
      local text = core.json_encode { [name] = "value" }
      local resource = got_any(text)
      assert.equal("value", resource[name])
      assert.equal("value", resource[name])
      assert.same({ [name] = "value" }, resource:totable())
      assert.equal(text, resource:json())
      assert.equal("signicat.object", tostring(resource))
    end)
  end

  for _, name in ipairs { "json", "totable" } do
    it(name .. " does not hide the method, and is in the table", function()
      local text = core.json_encode { [name] = 7 }
      local resource = got_any(text)
      assert.equal("function", type(resource[name]))
      assert.equal(7, resource:totable()[name])
      assert.equal(text, resource:json())
    end)
  end

  it("with escapes is found by what it means", function()
    local resource = got_any [[{"\u0069\u0064":1,"a\tb":2,"\ud83d\ude00":3}]]
    assert.equal(1, resource.id)
    assert.equal(2, resource["a\tb"])
    assert.equal(3, resource["\240\159\152\128"])
    assert.is_nil(resource["\\u0069\\u0064"])
  end)

  it("that comes twice has the last value", function()
    local resource = got_any '{"a":1,"b":2,"a":{"c":3,"c":4}}'
    assert.same({ c = 4 }, resource.a)
    assert.same({ a = { c = 4 }, b = 2 }, resource:totable())
  end)
end)

describe("a long value", function()
  it("comes whole", function()
    local long = ("0123456789abcdef"):rep(2 ^ 16)
    local resource = got_any('{"a":"' .. long .. '","b":[' .. ("1,"):rep(1e5)
      .. '2]}')
    assert.equal(long, resource.a)
    assert.equal(1e5 + 1, #resource.b)
    assert.equal(2, resource.b[1e5 + 1])
  end)

  it("may have very many names", function()
    local parts = {}
    for i = 1, 5000 do parts[i] = ('"n%d":%d'):format(i, i) end
    local resource = got_any("{" .. table.concat(parts, ",") .. "}")
    for i = 1, 5000, 7 do assert.equal(i, resource["n" .. i]) end
    assert.is_nil(resource.n5001)
  end)
end)

-- -- pages ------------------------------------------------------------------

local one = '{"id":"' .. session .. '","title":"\\u00e6","n":[1,[2]]}'
local other = '{"id":"' .. document .. '"}'

-- Texts with sessions, and how many; the second spelling is what json() has
-- for them, where it differs: white space between the sessions is not kept.
local pages = {
  { "alone", '{"data":[' .. one .. "]}", 1 },
  { "first", '{"data":[' .. one .. "," .. other .. '],"a":{"b":[1]},"c":2}',
    2 },
  { "in between", '{"a":{"b":[{}]},"data":[' .. one .. "," .. other
    .. '],"c":"x","d":null}', 2 },
  { "last", '{"a":[[],{}],"b":1.50,"data":[' .. other .. "]}", 1 },
  { "among white space", ' { "a" : 1 , "data" : [ ' .. one .. ' ,\n' .. other
    .. '\t] , "c" : [ 2 ] } ', 2,
    '{ "a" : 1 , "data" : [' .. one .. "," .. other .. '] , "c" : [ 2 ] }' },
  { "after a line end", '\r\n{"data":[' .. one .. '],"c":2}', 1,
    '{"data":[' .. one .. '],"c":2}' },
  { "under an escaped name", '{"\\u0064ata":[' .. one .. '],"c":2}', 1 },
  { "twice, the last counts", '{"data":[' .. other .. "," .. other
    .. '],"a":1,"data":[' .. one .. '],"c":2}', 1 },
  { "twice, the first of no use", '{"data":"x","data":[' .. one .. "]}", 1 },
  { "none", '{"data":[],"a":1}', 0 },
  { "none but white space", '{"data":[ \n ],"a":1}', 0 },
  { "none, once some", '{"data":[' .. one .. '],"data":[]}', 0 },
  { "without more fields", '{"data":[' .. other .. "," .. other .. '],"a":"b"}',
    2 },
}

describe("a page", function()
  for _, case in ipairs(pages) do
    local title, text, count, again = table.unpack(case, 1, 4)
    local value = core.json_decode(text)

    it("has its sessions " .. title, function()
      local page = got_page(text)
      assert.equal(count, #page.data)
      assert.equal(page.data, page.data)
      for i, item in ipairs(page.data) do
        assert.equal("function", type(item.json))
        assert.same(value.data[i], item:totable())
      end
    end)

    it("has its other fields, sessions " .. title, function()
      local page = got_page(text)
      for name, field in pairs(value) do
        if name ~= "data" then assert.same(field, page[name]) end
      end
      assert.is_nil(page.none)
    end)

    it("makes a plain table, sessions " .. title, function()
      local page = got_page(text)
      assert.same(value, page:totable())
      assert.equal(core.json_encode(value), core.json_encode(page:totable()))
      assert.not_equal(page:totable().data, page:totable().data)
    end)

    it("has its text, sessions " .. title, function()
      local page = got_page(text)
      assert.equal(again or text, page:json())
      assert.same(value, core.json_decode(page:json()))
    end)
  end

  it("gives sessions that are written as a list when there are none",
    function()
      assert.equal("[]", core.json_encode(got_page('{"data":[]}').data))
    end)

  it("gives sessions with their exact text", function()
    local page = got_page('{"data":[' .. one .. " , " .. other .. "]}")
    assert.equal(one, page.data[1]:json())
    assert.equal(other, page.data[2]:json())
    assert.equal("\195\166", page.data[1].title)
    assert.same({ 1, { 2 } }, page.data[1].n)
  end)

  it("stays whole, whatever becomes of the list it gave", function()
    local text = '{"data":[' .. one .. "," .. other .. "]}"
    local page = got_page(text)
    table.remove(page.data)
    page.data[1] = "mine"
    assert.same({ "mine" }, page.data)
    assert.equal(text, page:json())
    assert.same(core.json_decode(text), page:totable())
  end)

  it("can be outlived by its sessions", function()
    local kept = {}
    for i = 1, 50 do
      local page = got_page('{"data":[' .. one .. "," .. other .. "]}")
      kept[i] = page.data[i % 2 + 1]
      if i % 10 == 0 then collectgarbage() end
    end
    collectgarbage()
    collectgarbage()
    for i, item in ipairs(kept) do
      assert.equal(i % 2 == 0 and one or other, item:json())
      assert.equal(i % 2 == 0 and session or document, item.id)
    end
  end)

  it("is let go when only a session is kept", function()
    local page = got_page('{"data":[' .. one .. '],"long":"'
      .. ("x"):rep(1e6) .. '"}')
    local kept = page.data[1]
    local weak = setmetatable({ page }, { __mode = "v" })
    page = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.is_nil(weak[1])
    assert.equal(session, kept.id)
  end)
end)
