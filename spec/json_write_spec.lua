-- The writer: what it writes for every kind of value, that it reads back as
-- the same value, and what it refuses, with the path of the place.

local core = require "signicat.core"
local null, mark = core.null, core.array_mark
local encode, decode = core.json_encode, core.json_decode

-- Lua 5.1 takes the constants 0.0 and -0.0 for one.
local minus_zero = -1 / math.huge
local unpack = table.unpack or unpack -- luacheck: ignore

local function array(list)
  return setmetatable(list, mark)
end

local function shown(text)
  if #text > 40 then text = text:sub(1, 37) .. "..." end
  return (string.format("%q", text):gsub("\n", "n"))
end

local function writes(cases)
  for _, case in ipairs(cases) do
    local value, expected = case[1], case[2]
    it("writes " .. shown(expected), function()
      assert.same({ expected }, { encode(value) })
    end)
  end
end

local function refuses(cases)
  for _, case in ipairs(cases) do
    local what, value, reason, path = unpack(case, 1, 4)
    it("refuses " .. what, function()
      assert.same({ n = 3, nil, reason, path },
        { n = select("#", encode(value)), encode(value) })
    end)
  end
end

describe("json_write", function()
  describe("for words and null", function()
    writes {
      { true, "true" }, { false, "false" }, { null, "null" },
      { { true, false, null }, "[true,false,null]" },
      { { a = null }, '{"a":null}' },
    }
  end)

  describe("for numbers", function()
    writes {
      { 0, "0" }, { -1, "-1" }, { 3.0, "3" }, { -20.0, "-20" },
      { minus_zero, "-0" }, { 0.5, "0.5" }, { -1.25, "-1.25" }, { 0.1, "0.1" },
      { 100, "100" }, { 1e15, "1000000000000000" },
      { 2 ^ 53, "9007199254740992" }, { -2 ^ 53, "-9007199254740992" },
      { 1e22, "1e+22" }, { 1e-7, "1e-07" },
      { 0.1 + 0.2, "0.30000000000000004" }, { 1 / 3, "0.3333333333333333" },
      { 2 / 3, "0.6666666666666666" }, { 123456.789, "123456.789" },
      { 1.7976931348623157e308, "1.7976931348623157e+308" },
      { 2 ^ -1022, "2.2250738585072014e-308" },
    }
    if math.type then
      writes {
        { math.maxinteger, "9223372036854775807" },
        { math.mininteger, "-9223372036854775808" },
        { 9007199254740993, "9007199254740993" },
      }
    end
    refuses {
      { "NaN", 0 / 0, "NaN and infinity are not JSON", "" },
      { "infinity", { 1 / 0 }, "NaN and infinity are not JSON", "[1]" },
      { "the other infinity", { a = -1 / 0 },
        "NaN and infinity are not JSON", "a" },
    }

    it("writes every double so that it reads back as itself", function()
      local exponents, fractions = {}, { 1, 1.5, 4 / 3, 1 + 2 ^ -52 }
      for exponent = -1074, 1023 do
        exponents[#exponents + 1] = exponent
      end
      for _, exponent in ipairs(exponents) do
        for _, fraction in ipairs(fractions) do
          local value = fraction * 2.0 ^ exponent
          assert(decode(encode(value)) == value, value)
          assert(decode(encode(-value)) == -value, value)
        end
      end
    end)
  end)

  describe("for strings", function()
    writes {
      { "", '""' }, { "a", '"a"' }, { "a b/c", '"a b/c"' },
      { '"', [["\""]] }, { "\\", [["\\"]] }, { "\127", '"\127"' },
      { "\b\f\n\r\t", [["\b\f\n\r\t"]] },
      { "\0\1\31", [["\u0000\u0001\u001f"]] },
      { "a\0b", [["a\u0000b"]] },
      { "\195\169\226\130\172\240\159\152\128",
        '"\195\169\226\130\172\240\159\152\128"' },
      { ("x"):rep(20) .. '"' .. ("y"):rep(20),
        '"' .. ("x"):rep(20) .. [[\"]] .. ("y"):rep(20) .. '"' },
    }
    refuses {
      { "a byte that is no UTF-8", "\255", "text that is not UTF-8", "" },
      { "a cut character", { "a", "\195" }, "text that is not UTF-8", "[2]" },
      { "a surrogate", { a = "\237\160\128" },
        "text that is not UTF-8", "a" },
      { "an overlong character", "\192\175", "text that is not UTF-8", "" },
      { "a name that is not UTF-8", { a = { ["\255"] = 1 } },
        "text that is not UTF-8", "a" },
    }

    it("reads back every character", function()
      local wrong = {}
      local function check(text)
        if decode(encode(text)) ~= text then wrong[#wrong + 1] = text end
      end
      for code = 0, 127 do
        check(string.char(code))
        check("abc" .. string.char(code) .. "defghijkl")
      end
      for lead = 0xc2, 0xdf do
        for second = 0x80, 0xbf do check(string.char(lead, second)) end
      end
      assert.same({}, wrong)
    end)

    it("takes 64 MiB of plain text and of escapes", function()
      local plain = ("0123456789abcdef"):rep(4 * 1024 * 1024)
      assert.is_true(encode(plain) == '"' .. plain .. '"')
      local lines = ("01234567890abcd\n"):rep(4 * 1024 * 1024)
      assert.equal(17 * 4 * 1024 * 1024 + 2, #encode(lines))
    end)

    it("refuses what the reader would refuse for its size", function()
      local piece = ("x"):rep(64 * 1024 * 1024)
      local list = { piece, piece, piece, piece, "x" }
      assert.same({ n = 3, nil, "larger than 256 MiB", "[5]" },
        { n = 3, encode(list) })
    end)
  end)

  describe("for tables", function()
    local deep = { a = { { b = { c = { "d" } } } } }
    writes {
      { {}, "{}" }, { array {}, "[]" }, { { 1 }, "[1]" },
      { { 1, "a", true, {} }, '[1,"a",true,{}]' },
      { array { 1, 2 }, "[1,2]" }, { { { { array {} } } }, "[[[[]]]]" },
      { { a = 1 }, '{"a":1}' }, { { [""] = 1 }, '{"":1}' },
      { { ["1"] = 1 }, '{"1":1}' }, { { ['"\n'] = 1 }, [[{"\"\n":1}]] },
      { { [1.0] = "a", [2] = "b" }, '["a","b"]' },
      { deep, '{"a":[{"b":{"c":["d"]}}]}' },
      { { deep.a, deep.a }, '[[{"b":{"c":["d"]}}],[{"b":{"c":["d"]}}]]' },
    }

    it("puts names in the order of their bytes", function()
      local names = { "", "A", "B", "Z", "a", "aa", "ab", "b", "z",
        "\195\169", "a\0", "a\0b", "10", "9" }
      local object = {}
      for i, name in ipairs(names) do object[name] = i end
      table.sort(names)
      local expected = {}
      for i, name in ipairs(names) do
        expected[i] = encode(name) .. ":" .. object[name]
      end
      assert.equal("{" .. table.concat(expected, ",") .. "}", encode(object))
    end)

    it("puts any number of names in order", function()
      for count = 0, 70 do
        local object, expected = {}, {}
        for i = 1, count do
          local name = string.format("%03d", i * 37 % 71)
          object[name] = { inner = i, also = i }
        end
        for i = 1, 71 do
          local name = string.format("%03d", i)
          if object[name] then
            expected[#expected + 1] = string.format(
              '"%s":{"also":%d,"inner":%d}', name,
              object[name].inner, object[name].inner)
          end
        end
        assert.equal("{" .. table.concat(expected, ",") .. "}",
          encode(object))
      end
    end)

    local hole, mixed, odd = "a list with a hole",
      "a table that mixes list and names",
      "a name that is neither string nor position"
    refuses {
      { "a hole", { 1, nil, 3 }, hole, "" },
      { "a list that starts late", { [2] = 1 }, hole, "" },
      { "a list with one far position", { a = { 1, [2 ^ 40] = 2 } },
        hole, "a" },
      { "a mixed table", { 1, a = 2 }, mixed, "" },
      { "a mixed table inside", { x = { y = { { 1, a = 2 } } } },
        mixed, "x.y[1]" },
      { "a marked array with a name", { array { a = 1 } }, mixed, "[1]" },
      { "position 0", { [0] = 1 }, odd, "" },
      { "a negative position", { [-1] = 1 }, odd, "" },
      { "a position with a fraction", { [1.5] = 1 }, odd, "" },
      { "a position that is infinite", { [1 / 0] = 1 }, hole, "" },
      { "a boolean name", { a = { [true] = 1 } }, odd, "a" },
      { "a table as a name", { [{}] = 1 }, odd, "" },
    }

    it("refuses a cycle where it closes", function()
      local cycle = { a = { {} } }
      cycle.a[1].b = cycle
      assert.same({ n = 3, nil, "a cycle", "a[1].b" },
        { n = 3, encode(cycle) })
      local loop = {}
      loop[1] = loop
      assert.same({ n = 3, nil, "a cycle", "[1]" }, { n = 3, encode(loop) })
    end)

    it("writes 128 levels and refuses the 129th", function()
      local value = 1
      for _ = 1, 128 do value = { value } end
      assert.equal(("["):rep(128) .. "1" .. ("]"):rep(128), encode(value))
      assert.same(
        { n = 3, nil, "nested deeper than 128", ("[1]"):rep(128) },
        { n = 3, encode { value } })
    end)

    it("ends cleanly at a depth of 10 000", function()
      local list, object = {}, {}
      for _ = 1, 10000 do list, object = { list }, { a = object } end
      local _, reason, path = encode(list)
      assert.same({ "nested deeper than 128", ("[1]"):rep(128) },
        { reason, path })
      _, reason, path = encode(object)
      assert.same({ "nested deeper than 128", "a" .. (".a"):rep(127) },
        { reason, path })
    end)

    it("asks no metamethod", function()
      local function never() error "asked" end
      local value = setmetatable({ a = 1 }, {
        __index = never, __len = never, __pairs = never, __eq = never,
        __tostring = never, __call = never, __name = "mine",
      })
      assert.equal('{"a":1}', encode(value))
      assert.equal("[1,2]", encode(setmetatable({ 1, 2 }, {
        __index = never, __len = never, __ipairs = never })))
    end)
  end)

  describe("for what is no JSON", function()
    local file = io.stdout
    refuses {
      { "nil", nil, "nil is not JSON", "" },
      { "a function", { f = print }, "a function is not JSON", "f" },
      { "a userdata", { file }, "a userdata is not JSON", "[1]" },
      { "a coroutine", { coroutine.create(function() end) },
        "a coroutine is not JSON", "[1]" },
    }

    it("raises when there is no value at all", function()
      assert.has_error(function() encode() end)
    end)
  end)

  describe("paths", function()
    local not_json = "a function is not JSON"
    refuses {
      { "and shows the place",
        { { documents = { {}, { action = print } } } },
        not_json, "[1].documents[2].action" },
      { "and shows a place below names", { a = { b_1 = { _c = print } } },
        not_json, "a.b_1._c" },
      { "and quotes what is no identifier",
        { ["a b"] = { ["1x"] = { [""] = { ["\n\""] = print } } } },
        not_json, [=[["a b"]["1x"][""]["\n\""]]=] },
      { "and leaves behind what it has written",
        { a = { { b = 1 }, {} }, b = { c = { d = {} } }, z = print },
        not_json, "z" },
    }
  end)

  describe("with lua-cjson's marks", function()
    local loaded = { cjson = package.loaded.cjson,
      ["cjson.safe"] = package.loaded["cjson.safe"] }

    after_each(function()
      package.loaded.cjson = loaded.cjson
      package.loaded["cjson.safe"] = loaded["cjson.safe"]
    end)

    -- Debian's lua-cjson has no marks; these stand where OpenResty's are.
    local array_mt, empty_array_mt = {}, {}
    for _, module in ipairs { "cjson", "cjson.safe" } do
      it("takes those of " .. module, function()
        package.loaded.cjson, package.loaded["cjson.safe"] = nil, nil
        local marked = setmetatable({}, array_mt)
        local empty = setmetatable({}, empty_array_mt)
        assert.equal("[{},{}]", encode { marked, empty })
        package.loaded[module] =
          { array_mt = array_mt, empty_array_mt = empty_array_mt }
        assert.equal("[[],[]]", encode { marked, empty })
        assert.equal("[1]", encode(setmetatable({ 1 }, array_mt)))
        assert.equal('{"a":1}',
          encode(setmetatable({ a = 1 }, empty_array_mt)))
        assert.equal("a table that mixes list and names",
          select(2, encode(setmetatable({ a = 1 }, array_mt))))
      end)
    end

    it("takes cjson's empty array, which is no table", function()
      -- A light userdata that is not null; plain Lua 5.1 can make none.
      local function own() return encode end
      local empty = debug.upvalueid and debug.upvalueid(own, 1)
      if not empty then return end
      package.loaded.cjson, package.loaded["cjson.safe"] = nil, nil
      assert.equal("a userdata is not JSON", select(2, encode { empty }))
      package.loaded.cjson = { empty_array = empty }
      assert.equal("[[]]", encode { empty })
    end)

    it("does not trip over a module that is no table", function()
      package.loaded.cjson, package.loaded["cjson.safe"] = true, 7
      assert.equal("{}", encode(setmetatable({}, array_mt)))
    end)
  end)

  describe("led by the schema of an operation", function()
    local settings =
      { base_url = "https://sign.example", validate = "off" }

    local function body(payload)
      return assert(core.request(settings, "createSigningSession", nil,
        payload, 0)).body
    end

    it("writes an empty table as what it stands for", function()
      assert.equal("[]", body {})
      assert.equal("[{}]", body { {} })
      assert.equal('[{"documents":[],"signer":{},"ui":{}}]',
        body { { documents = {}, signer = {}, ui = {} } })
      assert.equal('[{"signingSetup":[{"identityProviders":[]}]}]',
        body { { signingSetup = { { identityProviders = {} } } } })
    end)

    it("lets a mark say more than the schema", function()
      assert.equal('[{"signer":[],"what":[]}]',
        body { { signer = array {}, what = array {} } })
    end)

    it("writes what the schema does not know by its own shape", function()
      assert.equal('[{"documents":{"a":[1]},"what":[{"b":{}}]}]',
        body { { documents = { a = { 1 } }, what = { { b = {} } } } })
    end)
  end)

  it("reads back what it writes, through every rule", function()
    local value = {
      list = { 1, 2.5, -3, "four", true, false, null, { { {} } } },
      empty = array {}, object = { a = { b = { c = "d" } } },
      ["\0\n\"\\"] = "\0\n\"\\", ["\195\169"] = "\240\159\152\128",
    }
    assert.same(value, decode(encode(value)))
    assert.equal(encode(value), encode(decode(encode(value))))
  end)
end)

-- A host may have set a locale whose decimal point is a comma. A child
-- process does so here: first with what the machine has, else with a locale
-- that localedef makes; where neither is to be had there is nothing to test.
local script = [[
  local names, core = { ... }, require "signicat.core"
  local set
  for _, name in ipairs(names) do set = set or os.setlocale(name) end
  if not set or string.format("%.1f", 1.5) ~= "1,5" then
    os.exit(3)
  end
  local read = core.json_decode "[1.5,-0.25e1,1e-7,123456789012345678901.5]"
  assert(read[1] == 3 / 2 and read[2] == -5 / 2 and read[3] == 1 / 10 ^ 7)
  assert(read[4] == 123456789012345678901)
  assert(core.json_encode(read)
    == "[1.5,-2.5,1e-07,1.2345678901234568e+20]")
  assert(not core.json_decode "1,5" and not core.json_decode "[1,5e]")
]]

describe("json in a locale with a decimal comma", function()
  local folder = os.tmpname()
  local file = folder .. ".lua"
  local made = folder .. ".locale"
  os.remove(folder)
  -- The interpreter is the lowest of the arguments.
  local lowest = 0
  while arg[lowest - 1] do lowest = lowest - 1 end

  local function run(prefix)
    local names = "de_DE.UTF-8 de_DE.utf8 fr_FR.UTF-8 nb_NO.UTF-8 sv_SE.UTF-8"
    local ok, _, code = os.execute(string.format(
      "%s '%s' '%s' %s", prefix, arg[lowest], file, names))
    if type(ok) == "number" then return ok / 256 end -- Lua 5.1
    return code
  end

  local handle = assert(io.open(file, "w"))
  handle:write(script)
  handle:close()
  local code = run ""
  if code == 3 then
    os.execute(string.format("mkdir '%s' && localedef -i de_DE -f UTF-8 "
      .. "'%s/de_DE.UTF-8' >'%s/log' 2>&1", made, made, made))
    code = run("LOCPATH='" .. made .. "'")
    os.execute("rm -rf '" .. made .. "'")
  end
  os.remove(file)

  if code ~= 3 then
    it("reads and writes numbers as anywhere", function()
      assert.equal(0, code)
    end)
  end
end)
