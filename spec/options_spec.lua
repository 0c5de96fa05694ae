-- options_spec.lua: what a client and its calls may be told: every name with
-- what it takes and what it does not, refused at the caller's line.

local helper = require "spec.helper"
local signicat = require "signicat"

local client = helper.client { status = 200 }
local session, document = helper.session, helper.document
local huge, nan = math.huge, 0 / 0

-- The message of what has to raise, without the place, which has to be here.
local function raised(mistake, ...)
  local ok, message = pcall(mistake, ...)
  assert.is_false(ok)
  local rest = message:match "^spec/options_spec%.lua:%d+: (.*)$"
  assert.is_truthy(rest, message)
  return rest
end

local function new(options)
  local made, err = signicat.new(options)
  return made, err
end

local function get(options)
  local value, err = client.sessions:get(session, options)
  return value, err
end

local seconds = {
  good = { 0, 1, 0.001, 1e9 },
  bad = { -1, nan, huge, 1e9 + 1, "1", true, {} },
  reason = "must be a number of seconds, 0 for no limit",
}
local bytes = {
  good = { 1, 2 ^ 53, 10.0 },
  bad = { 0, -1, 1.5, nan, huge, 2 ^ 54, "1", false },
  reason = "must be a number of bytes",
}

-- What every call takes, and a client as its defaults.
local common = {
  timeout = seconds, connect_timeout = seconds, stall_timeout = seconds,
  max_body = bytes,
  headers = { good = { {}, { ["X-One"] = "1" } }, bad = { "X: y", 1, true },
              reason = "must be a table" },
  validate = { good = { "full", "reference", "off" },
               bad = { "", "none", "Full", true, 1 },
               reason = 'must be one of "full", "reference", "off"' },
  allow_unknown = { good = { true, false }, bad = { 1, "yes", {} },
                    reason = "must be a boolean" },
}

for name, option in pairs(common) do
  describe("the option " .. name, function()
    it("is taken by a client and by a call", function()
      for _, value in ipairs(option.good) do
        assert(new { token = "t", [name] = value })
        assert.has_no_error(function() get { [name] = value } end)
      end
    end)

    it("is refused in another form by both", function()
      for _, value in ipairs(option.bad) do
        local wrong = ("option '%s' %s"):format(name, option.reason)
        assert.equal("new: " .. wrong, raised(function()
          new { token = "t", [name] = value }
        end))
        assert.equal("sessions:get: " .. wrong,
          raised(function() get { [name] = value } end))
      end
    end)
  end)
end

-- a client's option, wrong values, and why not
local of_client = {
  { "base_url", { 1, {}, true }, "must be a string" },
  { "token_url", { 1, {} }, "must be a string" },
  { "insecure_http", { 1, "yes" }, "must be a boolean" },
  { "client_id", { 1, {}, "" }, "must be a string that is not empty" },
  { "client_secret", { 1, print, "" }, "must be a string that is not empty" },
  { "auth_method", { "", "basic", true },
    'must be one of "client_secret_post", "client_secret_basic"' },
  { "token", { 1, print, "", "a b", "t\n", "t\0", "\tt", "t\r\nX: y" },
    "must be a string that is not empty, without spaces and line ends" },
  { "auth", { 1, "x", {}, { get = "x" } },
    "must be a function, or a table with a function `get`" },
  { "transport", { print, {}, { send = 1 }, "socket" },
    "must be a table with a function `send(self, request)`, or \"curl\" or "
    .. "\"nginx\"" },
  { "clock", { 1, {} }, "must be a function" },
  { "wall_clock", { 1, {} }, "must be a function" },
  { "sleep", { 1, {} }, "must be a function" },
  { "random", { 1, {} }, "must be a function" },
}

describe("a client's option", function()
  for _, case in ipairs(of_client) do
    local name, values, reason = table.unpack(case)
    it(name .. " is refused in another form", function()
      for _, value in ipairs(values) do
        assert.equal(("new: option '%s' %s"):format(name, reason),
          raised(function() new { [name] = value } end))
      end
    end)
  end

  it("is not a call's", function()
    for _, case in ipairs(of_client) do
      local name = case[1]
      assert.matches("^sessions:get: no option '" .. name .. "'",
        raised(function() get { [name] = true } end))
    end
  end)
end)

-- an unknown name, the nearest known one, and who is asked
local misspelt = {
  { "timout", "timeout", get }, { "Timeout", "timeout", get },
  { "header", "headers", get }, { "allow_unkown", "allow_unknown", get },
  { "time_out", "timeout", get }, { "clientid", "client_id", new },
  { "base-url", "base_url", new }, { "secret", nil, new },
  { "xyzzy", nil, get }, { "", nil, get }, { 1, nil, get },
  { "too", "to", function(options)
    client.documents:download(document, options)
  end },
  { "first_deley", "first_delay", function(options)
    client.sessions:wait(session, options)
  end },
  { "ofset", "offset", function(options)
    client.documents:upload(options)
  end },
  { "quer", "query", function(options)
    client:request("GET", "/x", options)
  end },
}

describe("an unknown option", function()
  for _, case in ipairs(misspelt) do
    local name, near, ask = case[1], case[2], case[3]
    it(("'%s' raises%s"):format(name, near and " and names " .. near or ""),
      function()
        local message = raised(function() ask { [name] = 1 } end)
        local expected = ("no option '%s'"):format(name)
        if near then
          expected = ("%s; did you mean '%s'?"):format(expected, near)
        end
        assert.equal(expected, message:match "no option.*")
      end)
  end

  it("of another call is none of this one", function()
    for _, name in ipairs { "to", "overwrite", "json", "query", "first_delay",
                            "base_url" } do
      raised(function() get { [name] = "x" } end)
    end
    raised(function() new { token = "t", deadline = 1 } end)
  end)
end)

describe("a deadline", function()
  it("is a number, and one that can pass", function()
    for _, value in ipairs { nan, "1", {}, true } do
      assert.equal("sessions:get: option 'deadline' must be a number, a "
        .. "moment on client:now()",
        raised(function() get { deadline = value } end))
    end
    for _, value in ipairs { huge, -huge, 0 } do
      assert.has_no_error(function() get { deadline = value } end)
    end
  end)
end)

describe("options", function()
  it("are a table or nothing", function()
    for _, value in ipairs { "x", 1, true, print } do
      assert.equal("sessions:get: its options are a table, not a "
        .. type(value), raised(function() get(value) end))
      assert.equal("new: its options are a table, not a " .. type(value),
        raised(function() new(value) end))
    end
  end)

  it("are not changed by a call", function()
    local given = { timeout = 3, headers = { ["X-One"] = "1" } }
    get(given)
    assert.same({ timeout = 3, headers = { ["X-One"] = "1" } }, given)
  end)

  it("of a call stand before those of the client, for that call", function()
    local patient, transport = helper.client(
      helper.json(200, { id = session }), { timeout = 7 })
    assert(patient.sessions:get(session, { timeout = 3 }))
    assert(patient.sessions:get(session))
    assert(patient.sessions:get(session, { timeout = 0 }))
    assert.equal(3, transport.requests[1].timeout)
    assert.equal(7, transport.requests[2].timeout)
    assert.is_nil(transport.requests[3].timeout)
  end)
end)

-- an upload's source, and what is said of it
local sources = {
  { { path = "a", content = "b" },
    "give one of `path`, `content` and `reader`" },
  { {}, "give one of `path`, `content` and `reader`" },
  { { type = "a/b" }, "give one of `path`, `content` and `reader`" },
  { { content = "a", offset = 1 }, "`offset` and `length` go with `path`" },
  { { content = "a", length = 1 }, "`offset` and `length` go with `path`" },
  { { reader = print, offset = 1, size = 1 },
    "`offset` and `length` go with `path`" },
  { { reader = print }, "`reader` needs `size`, in bytes" },
  { { reader = print, size = 1, path = "a" },
    "give one of `path`, `content` and `reader`" },
  { { path = "a", size = 1 }, "`size` and `rewind` go with `reader`" },
  { { content = "a", rewind = print }, "`size` and `rewind` go with `reader`" },
  { { reader = "a", size = 1 }, "option 'reader' must be a function" },
  { { reader = print, size = -1 }, "option 'size' must be a number of bytes" },
  { { path = 1 }, "option 'path' must be a string that is not empty" },
  { { path = "" }, "option 'path' must be a string that is not empty" },
  { setmetatable({}, { __index = { content = {}, type = "text/plain" } }),
    "its options are a plain table, without metatable" },
  { { content = {} }, "option 'content' must be a string" },
  { { path = "a", type = 1 }, "option 'type' must be a string" },
  { { path = "a", offset = -1 }, "option 'offset' must be a number of bytes" },
  { { path = "a", offset = 0.5 },
    "option 'offset' must be a number of bytes" },
  { { path = "a", length = 0 }, "option 'length' must be a number of bytes" },
  { { path = "a", length = "1" },
    "option 'length' must be a number of bytes" },
}

describe("the source of an upload", function()
  for _, case in ipairs(sources) do
    local source, reason = case[1], case[2]
    it("raises: " .. reason, function()
      local message = raised(function() client.documents:upload(source) end)
      assert.equal("documents:upload: " .. reason, message)
    end)
  end

  it("is a table", function()
    for _, source in ipairs { "lease.pdf", 1, io.stdout } do
      assert.equal("documents:upload takes a table with `path`, `content` "
        .. "and `type`, or `reader`, `size` and `type`",
        raised(function() client.documents:upload(source) end))
    end
  end)
end)
