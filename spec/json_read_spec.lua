-- The reader against the grammar of RFC 8259, rule by rule, and what it
-- decides beyond the grammar. Sections are those of the RFC.

local core = require "signicat.core"
local null, decode = core.null, core.json_decode

-- Lua 5.1, 5.2 and LuaJIT know one kind of number only.
local kind_of = math.type or type

-- Lua 5.1 takes the constants 0.0 and -0.0 for one.
local minus_zero = -1 / math.huge

-- The same value, the same kind of number, the same sign of zero.
local function same(expected, actual)
  if type(expected) == "table" and type(actual) == "table" then
    for name, value in pairs(expected) do
      if not same(value, actual[name]) then return false end
    end
    for name in pairs(actual) do
      if expected[name] == nil then return false end
    end
    return true
  end
  if kind_of(expected) ~= kind_of(actual) then return false end
  return expected == actual
    and (expected ~= 0 or 1 / expected == 1 / actual)
end

local function shown(text)
  if #text > 40 then text = text:sub(1, 37) .. "..." end
  return (string.format("%q", text):gsub("\n", "n"))
end

local function reads(cases)
  for _, case in ipairs(cases) do
    local text, expected = case[1], case[2]
    it("reads " .. shown(text), function()
      local value, reason = decode(text)
      assert.is_nil(reason)
      assert.is_true(same(expected, value))
    end)
  end
end

local function refuses(cases)
  for _, case in ipairs(cases) do
    local text, reason, offset = case[1], case[2], case[3]
    it("refuses " .. shown(text), function()
      assert.same({ n = 3, nil, reason, offset },
        { n = select("#", decode(text)), decode(text) })
    end)
  end
end

local value_expected = "a value is expected"
local too_early = "the text ends too early"
local escape_unknown = "an unknown escape"
local escape_short = "an escape is not complete"
local half_pair = "half a surrogate pair"
local not_utf8 = "text that is not UTF-8"
local raw_control = "a control character must be escaped"
local digit_expected = "a digit is expected"
local leading_zero = "a number with a leading zero"
local too_large = "a number too large for a double"
local comma_or_bracket = "a comma or ] is expected"
local comma_or_brace = "a comma or } is expected"
local name_expected = "a name in quotes is expected"
local colon_expected = "a colon is expected"
local follows = "something follows the value"

describe("json_read", function()
  describe("section 2, texts and white space,", function()
    reads {
      { " \t\n\r[ \t\n\r1 \t\n\r, \t\n\r2 \t\n\r] \t\n\r", { 1, 2 } },
      { " { \"a\" \n:\t1\r, \"b\" : 2 } ", { a = 1, b = 2 } },
      { "1", 1 }, { "\"a\"", "a" }, { " null ", null },
    }
    refuses {
      { "", too_early, 1 }, { " \n", too_early, 3 },
      { "\v1", value_expected, 1 }, { "\f1", value_expected, 1 },
      { "\0", value_expected, 1 }, { "1\0", follows, 2 },
      { "[1]\0]", follows, 4 }, { "\194\1601", value_expected, 1 },
      { "1 2", follows, 3 }, { "[] []", follows, 4 },
      { "{}}", follows, 3 }, { "[],", follows, 3 },
      { "\239\187\191{}", value_expected, 1 },
      { "// a\n1", value_expected, 1 }, { "[1/**/]", comma_or_bracket, 3 },
      { "'a'", value_expected, 1 },
    }
  end)

  describe("section 3, values,", function()
    reads {
      { "true", true }, { "false", false }, { "null", null },
      { "[true,false,null]", { true, false, null } },
    }
    refuses {
      { "True", value_expected, 1 }, { "NULL", value_expected, 1 },
      { "tru", value_expected, 1 }, { "nul", value_expected, 1 },
      { "fals", value_expected, 1 }, { "t", value_expected, 1 },
      { "truex", follows, 5 }, { "[nulls]", comma_or_bracket, 6 },
      { "undefined", value_expected, 1 }, { "nil", value_expected, 1 },
    }
  end)

  describe("section 4, objects,", function()
    reads {
      { "{}", {} }, { "{ }", {} }, { "{\"\":0}", { [""] = 0 } },
      { "{\"a\":{\"b\":{}}}", { a = { b = {} } } },
      { "{\"a b\":1,\"\\u0061\":2}", { ["a b"] = 1, a = 2 } },
      { "{\"\\\"\":1,\"\\n\":2}", { ["\""] = 1, ["\n"] = 2 } },
      { "{\"a\":1,\"b\":2,\"a\":3}", { a = 3, b = 2 } },
      { "{\"a\":1,\"\\u0061\":3}", { a = 3 } },
      { "{\"a\":1,\"a\":null}", { a = null } },
      { "{\"1\":true}", { ["1"] = true } },
    }
    refuses {
      { "{", too_early, 2 }, { "{\"a\"", too_early, 5 },
      { "{\"a\":", too_early, 6 }, { "{\"a\":1", too_early, 7 },
      { "{\"a\":1,", too_early, 8 }, { "{\"a", "a string without an end", 4 },
      { "{,}", name_expected, 2 }, { "{a:1}", name_expected, 2 },
      { "{1:1}", name_expected, 2 }, { "{null:1}", name_expected, 2 },
      { "{\"a\"}", colon_expected, 5 }, { "{\"a\",1}", colon_expected, 5 },
      { "{\"a\"::1}", value_expected, 6 }, { "{\"a\":}", value_expected, 6 },
      { "{\"a\":1,}", name_expected, 8 },
      { "{\"a\":1 \"b\":2}", comma_or_brace, 8 },
      { "{\"a\":1]", comma_or_brace, 7 }, { "{\"a\":1;", comma_or_brace, 7 },
      { "{\"a\n\":1}", raw_control, 4 }, { "{\"\255\":1}", not_utf8, 3 },
      { "}", value_expected, 1 },
    }
  end)

  describe("section 5, arrays,", function()
    reads {
      { "[]", {} }, { "[ ]", {} }, { "[[]]", { {} } },
      { "[1,\"a\",true,{}]", { 1, "a", true, {} } },
      { "[[],[[]],[[],[]]]", { {}, { {} }, { {}, {} } } },
    }
    refuses {
      { "[", too_early, 2 }, { "[1", too_early, 3 }, { "[1,", too_early, 4 },
      { "[,1]", value_expected, 2 }, { "[1,]", value_expected, 4 },
      { "[1,,2]", value_expected, 4 }, { "[1 2]", comma_or_bracket, 4 },
      { "[1}", comma_or_bracket, 3 }, { "[1:2]", comma_or_bracket, 3 },
      { "]", value_expected, 1 }, { "[\"a\":1]", comma_or_bracket, 5 },
    }
  end)

  describe("section 6, numbers,", function()
    local integers = {
      { "0", 0 }, { "7", 7 }, { "-1", -1 }, { "100", 100 },
      { "1234567890", 1234567890 }, { "-20", -20 },
    }
    reads(integers)
    reads {
      { "-0", minus_zero }, { "-0.0", minus_zero }, { "-0e-5", minus_zero },
      { "0.0", 0.0 }, { "1.0", 1.0 },
      { "0.5", 0.5 }, { "-1.25", -1.25 }, { "1e2", 100.0 }, { "1E2", 100.0 },
      { "1e+2", 100.0 }, { "1e-2", 0.01 }, { "1.5e003", 1500.0 },
      { "0e5", 0.0 }, { "0.1", 0.1 }, { "1e-400", 0.0 },
      { "5e-324", 5e-324 }, { "2.2250738585072014e-308", 2 ^ -1022 },
      { "1.7976931348623157e308", 1.7976931348623157e308 },
      { "9007199254740993.0", 2 ^ 53 }, { "1e22", 1e22 }, { "1e23", 1e23 },
      { "0." .. ("0"):rep(400) .. "1e401", 1.0 },
      { "1" .. ("0"):rep(400) .. "e-400", 1.0 },
      { "1" .. ("0"):rep(308), 1e308 },
      { "0e9999999999999999999999", 0.0 },
      { "1e-9999999999999999999999", 0.0 },
    }
    -- Between 1 and the next double, exactly in the middle, and one digit,
    -- far behind, more than that: to even, and up.
    local middle = "1.00000000000000011102230246251565404236316680908203125"
    reads {
      { middle, 1.0 }, { middle .. ("0"):rep(900), 1.0 },
      { middle .. ("0"):rep(900) .. "1", 1 + 2 ^ -52 },
    }
    refuses {
      { "-", digit_expected, 2 }, { "- 1", digit_expected, 2 },
      { "-a", digit_expected, 2 }, { "--1", digit_expected, 2 },
      { "+1", value_expected, 1 }, { ".5", value_expected, 1 },
      { "-.5", digit_expected, 2 }, { "1.", digit_expected, 3 },
      { "1.e1", digit_expected, 3 }, { "1e", digit_expected, 3 },
      { "1e+", digit_expected, 4 }, { "1e-x", digit_expected, 4 },
      { "1.5.5", follows, 4 }, { "1e5.5", follows, 4 },
      { "01", leading_zero, 1 }, { "-01", leading_zero, 2 },
      { "00", leading_zero, 1 }, { "-00.1", leading_zero, 2 },
      { "0x10", follows, 2 }, { "1a", follows, 2 }, { "1_000", follows, 2 },
      { "1,5", follows, 2 }, { "[1 000]", comma_or_bracket, 4 },
      { "NaN", value_expected, 1 }, { "Infinity", value_expected, 1 },
      { "-Infinity", digit_expected, 2 }, { "inf", value_expected, 1 },
      { "1e400", too_large, 1 }, { "-1e309", too_large, 1 },
      { "[1.8e308]", too_large, 2 }, { ("9"):rep(309), too_large, 1 },
      { "1e9999999999999999999999", too_large, 1 },
      { "\239\188\145", value_expected, 1 },
    }

    it("keeps integers of 64 bits exact where Lua has integers", function()
      local at_the_edges = {
        "9007199254740993", "9223372036854775807", "-9223372036854775807",
        "-9223372036854775808",
      }
      for _, text in ipairs(at_the_edges) do
        if math.type then
          assert.equal(text, string.format("%d", decode(text)))
        else
          assert.equal(tonumber(text), decode(text))
        end
      end
    end)

    it("makes the nearest double of an integer beyond 64 bits", function()
      local beyond = {
        ["9223372036854775808"] = 2 ^ 63, ["-9223372036854775809"] = -2 ^ 63,
        ["18446744073709551616"] = 2 ^ 64,
        ["100000000000000000000"] = 1e20,
        ["99999999999999999999999999999999"] = 1e32,
      }
      for text, expected in pairs(beyond) do
        assert.is_true(same(expected, decode(text)))
      end
    end)
  end)

  describe("section 7, strings,", function()
    reads {
      { "\"\"", "" }, { "\"a\"", "a" }, { "\"\\\"\\\\\\/\"", "\"\\/" },
      { "\"\\b\\f\\n\\r\\t\"", "\b\f\n\r\t" }, { "\"/\127\"", "/\127" },
      { "\"\\u0041\\u00e9\\u20AC\"", "A\195\169\226\130\172" },
      { "\"\\u0000\"", "\0" }, { "\"a\\u0000b\"", "a\0b" },
      { "\"\\u007f\\u0080\\u07ff\\u0800\"",
        "\127\194\128\223\191\224\160\128" },
      { "\"\\ud7ff\\ue000\\uffff\"",
        "\237\159\191\238\128\128\239\191\191" },
      { "\"\\ud800\\udc00\\uDBFF\\uDFFF\"",
        "\240\144\128\128\244\143\191\191" },
      { "\"\195\169\226\130\172\240\159\152\128\"",
        "\195\169\226\130\172\240\159\152\128" },
      { "\"\194\128\223\191\224\160\128\237\159\191\238\128\128\"",
        "\194\128\223\191\224\160\128\237\159\191\238\128\128" },
      { "\"\240\144\128\128\244\143\191\191\"",
        "\240\144\128\128\244\143\191\191" },
    }
    refuses {
      { "\"", "a string without an end", 2 },
      { "\"abc", "a string without an end", 5 },
      { "\"abcdefghi", "a string without an end", 11 },
      { "\"\\\"", "a string without an end", 4 },
      { "\"\\", escape_short, 2 }, { "\"\\u\"", escape_short, 2 },
      { "\"\\u12\"", escape_short, 2 }, { "\"\\u12", escape_short, 2 },
      { "\"\\u00g0\"", escape_short, 2 }, { "\"\\u+123\"", escape_short, 2 },
      { "\"\\u 123\"", escape_short, 2 }, { "\"\\U0041\"", escape_unknown, 2 },
      { "\"\\x41\"", escape_unknown, 2 }, { "\"\\'\"", escape_unknown, 2 },
      { "\"\\a\"", escape_unknown, 2 }, { "\"\\0\"", escape_unknown, 2 },
      { "\"\\\0\"", escape_unknown, 2 }, { "\"\\\n\"", escape_unknown, 2 },
      { "\"\\ud800\"", half_pair, 2 }, { "\"\\udc00\"", half_pair, 2 },
      { "\"\\ud800a\"", half_pair, 2 }, { "\"\\ud800\\n\"", half_pair, 2 },
      { "\"\\ud800\\ud800\"", half_pair, 2 },
      { "\"\\udc00\\ud800\"", half_pair, 2 },
      { "\"\\ud800\\u0041\"", half_pair, 2 },
      { "\"\\ud800\\u00\"", half_pair, 2 },
    }

    it("refuses every control character wherever it stands", function()
      for code = 0, 0x1f do
        for before = 0, 17 do
          local text = '"' .. ("x"):rep(before) .. string.char(code)
            .. ("y"):rep(9) .. '"'
          local value, reason, offset = decode(text)
          assert.same({ n = 3, nil, raw_control, before + 2 },
            { n = 3, value, reason, offset })
        end
      end
    end)

    it("finds the end of a string wherever it is", function()
      for size = 0, 40 do
        local inside = ("x"):rep(size)
        assert.equal(inside, decode('"' .. inside .. '"'))
        assert.same({ inside, "!" }, decode('["' .. inside .. '","!"]'))
        assert.equal(inside .. "\n!", decode('"' .. inside .. '\\n!"'))
        assert.equal(inside .. "\195\169!",
          decode('"' .. inside .. '\195\169!"'))
      end
    end)

    it("takes every plain byte as it is", function()
      for code = 0x20, 0x7f do
        local char = string.char(code)
        if char ~= '"' and char ~= "\\" then
          for before = 0, 8 do
            local inside = ("x"):rep(before) .. char .. ("y"):rep(8)
            assert.equal(inside, decode('"' .. inside .. '"'))
          end
        end
      end
    end)

    it("unescapes a string of many thousand escapes", function()
      local text = '"' .. ("\\u00e9\\ud83d\\ude00x"):rep(5000) .. '"'
      assert.equal(("\195\169\240\159\152\128x"):rep(5000), decode(text))
    end)
  end)

  describe("section 8, the character encoding,", function()
    -- Every first byte with every second byte, followed by two that would
    -- suit: exactly what Unicode's table of well-formed sequences allows.
    local function well_formed(lead, second)
      if lead >= 0xc2 and lead <= 0xdf then
        return second >= 0x80 and second <= 0xbf, 2
      elseif lead >= 0xe0 and lead <= 0xef then
        local low = lead == 0xe0 and 0xa0 or 0x80
        local high = lead == 0xed and 0x9f or 0xbf
        return second >= low and second <= high, 3
      elseif lead >= 0xf0 and lead <= 0xf4 then
        local low = lead == 0xf0 and 0x90 or 0x80
        local high = lead == 0xf4 and 0x8f or 0xbf
        return second >= low and second <= high, 4
      end
      return false, 2
    end

    it("accepts exactly the well-formed sequences", function()
      local wrong = {}
      for lead = 0x80, 0xff do
        for second = 0, 0xff do
          local right, size = well_formed(lead, second)
          local sequence = string.char(lead, second)
            .. ("\128"):rep(size - 2)
          local value, reason, offset = decode('"ab' .. sequence .. '"')
          local judged
          if right then
            judged = value == "ab" .. sequence
          else
            judged = value == nil and reason == not_utf8 and offset == 4
          end
          if not judged then
            wrong[#wrong + 1] = string.format("%02x %02x", lead, second)
          end
        end
      end
      assert.same({}, wrong)
    end)

    it("refuses a sequence that is cut, by another byte or the end", function()
      local whole = { "\195\169", "\226\130\172", "\240\159\152\128" }
      for _, sequence in ipairs(whole) do
        for size = 1, #sequence - 1 do
          local cut = sequence:sub(1, size)
          for _, rest in ipairs { "", '"', 'x"', cut .. '"', '\195"' } do
            local value, reason, offset = decode('"' .. cut .. rest)
            assert.same({ n = 3, nil, not_utf8, 2 },
              { n = 3, value, reason, offset })
          end
        end
      end
    end)
  end)

  describe("section 9, limits,", function()
    it("reads 128 levels and refuses the 129th", function()
      assert.is_table(decode(("["):rep(128) .. ("]"):rep(128)))
      assert.is_table(decode(('{"a":'):rep(128) .. "1" .. ("}"):rep(128)))
      assert.same({ n = 3, nil, "nested deeper than 128", 129 },
        { n = 3, decode(("["):rep(129) .. ("]"):rep(129)) })
    end)

    it("ends cleanly at a depth of 10 000", function()
      local deep = ("["):rep(10000) .. ("]"):rep(10000)
      assert.same({ n = 3, nil, "nested deeper than 128", 129 },
        { n = 3, decode(deep) })
      local _, reason = decode(('{"a":['):rep(5000) .. ("]}"):rep(5000))
      assert.equal("nested deeper than 128", reason)
    end)

    it("does not count as depth what lies side by side", function()
      local text = "[" .. ("[[]],"):rep(10000) .. "0]"
      assert.equal(10001, #decode(text))
    end)

    it("reads a string of 64 MiB", function()
      local text = '"' .. ("0123456789abcdef"):rep(4 * 1024 * 1024) .. '"'
      local value = decode(text)
      assert.is_true(value == text:sub(2, -2))
    end)

    it("reads a string of 64 MiB that is escaped", function()
      local text = '"' .. ("01234567890abc\\n"):rep(4 * 1024 * 1024) .. '"'
      assert.equal(15 * 4 * 1024 * 1024, #decode(text))
    end)

    it("refuses what is larger than 256 MiB", function()
      local value, reason = decode((" "):rep(65536):rep(4096))
      assert.is_nil(value)
      assert.equal("larger than 256 MiB", reason)
    end)
  end)

  describe("values", function()
    it("are of the kinds the notation says", function()
      if not math.type then return end
      assert.equal("integer", math.type(decode "3"))
      assert.equal("float", math.type(decode "3.0"))
      assert.equal("float", math.type(decode "3e0"))
      assert.equal("float", math.type(decode "-0"))
    end)

    it("that are arrays carry the array mark, objects nothing", function()
      local value = decode '[[],{"a":[1]},{}]'
      assert.equal(core.array_mark, getmetatable(value))
      assert.equal(core.array_mark, getmetatable(value[1]))
      assert.equal(core.array_mark, getmetatable(value[2].a))
      assert.is_nil(getmetatable(value[2]))
      assert.is_nil(getmetatable(value[3]))
    end)

    it("that are null are lua-cjson's null", function()
      assert.equal(null, decode "null")
      assert.equal("userdata", type(null))
      local found, cjson = pcall(require, "cjson")
      if found then assert.equal(cjson.null, null) end
    end)

    it("that are false are not taken for a failure", function()
      assert.equal(1, select("#", decode "false"))
      assert.is_false((decode "false"))
    end)
  end)

  it("raises for what is no text", function()
    assert.has_error(function() decode() end)
    assert.has_error(function() decode {} end)
    assert.has_error(function() decode(null) end)
  end)

  it("stops at every cut of a text without reading on", function()
    local text = '{"a\\n":[1.5e-3,-2,true,null,'
      .. '"\195\169\\ud83d\\ude00"],"b":{}}'
    assert.is_table(decode(text))
    for size = 0, #text - 1 do
      local value, reason, offset = decode(text:sub(1, size))
      assert.is_nil(value)
      assert.is_string(reason)
      assert.is_true(offset >= 1 and offset <= size + 1)
    end
  end)
end)
