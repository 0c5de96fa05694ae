-- error_spec.lua: the one shape of every failure: its kinds, what it says of
-- itself, and what it keeps to itself.

local core = require "signicat.core"
local helper = require "spec.helper"
local signicat = require "signicat"

-- The frozen list: kind, and whether the same call may succeed later.
local kinds = {
  invalid = false, auth = false, forbidden = false, not_found = false,
  conflict = false, too_large = false, unsupported = false,
  rate_limit = true, server = true, timeout = true, connect = true,
  tls = false, protocol = false, integrity = false, cancelled = false,
  io = false, memory = false, rejected = false, expired = false,
  signature = false, duplicate = false, busy = true,
}

describe("the list of kinds", function()
  it("is frozen", function()
    local names, listed = {}, {}
    for name in pairs(kinds) do names[#names + 1] = name end
    for name in pairs(core.kinds) do listed[#listed + 1] = name end
    table.sort(names)
    table.sort(listed)
    assert.same(names, listed)
    assert.equal(22, #names)
  end)

  for kind, retryable in pairs(kinds) do
    it("says of " .. kind .. " what to do, and whether to try again",
      function()
        local err = core.error { kind = kind }
        assert.equal(retryable, err.retryable)
        assert.equal(kind .. ": " .. core.kinds[kind], err.message)
        assert.is_true(#core.kinds[kind] > 10)
      end)
  end

  for _, kind in ipairs { "", "Invalid", "invalid ", "error", 7, true } do
    it(("has no kind %q: only a bug makes one up"):format(tostring(kind)),
      function()
      assert.has_error(function() core.error { kind = kind } end)
    end)
  end

  it("has to be chosen from", function()
    assert.has_error(function() core.error {} end)
    assert.has_error(function() core.error "invalid" end)
    assert.has_error(function() core.error() end)
  end)
end)

describe("an error", function()
  it("is known by is_error, and nothing else is", function()
    assert.is_true(signicat.is_error(core.error { kind = "io" }))
    for _, value in ipairs { {}, { kind = "io" }, "io", 1, true, print,
                             core.null, setmetatable({}, {}), io.stdout } do
      assert.is_false(signicat.is_error(value))
    end
    assert.is_false(signicat.is_error(nil))
    assert.is_false(signicat.is_error())
  end)

  it("is the table that it was made of", function()
    local plain = { kind = "io" }
    assert.equal(plain, core.error(plain))
  end)

  it("has defaults for what decides", function()
    local err = core.error { kind = "conflict" }
    assert.is_false(err.retryable)
    assert.is_false(err.sent)
    assert.is_false(err.ambiguous)
  end)

  it("keeps what is known better", function()
    local err = core.error { kind = "server", retryable = false, sent = true,
                             ambiguous = true }
    assert.is_false(err.retryable)
    assert.is_true(err.sent)
    assert.is_true(err.ambiguous)
  end)

  it("keeps every field that it was given", function()
    local result = {}
    local given = { kind = "server", operation = "sessions:get", status = 500,
                    code = "c", title = "t", detail = "d", trace_id = "i",
                    retry_after = 3, phase = "body", attempts = 2,
                    result = result, fields = {} }
    local copy = {}
    for name, value in pairs(given) do copy[name] = value end
    local err = core.error(given)
    for name, value in pairs(copy) do assert.equal(value, err[name]) end
  end)

  it("shows our own words in detail, unless the server had some", function()
    assert.equal("ours", core.error { kind = "io", note = "ours" }.detail)
    local err = core.error { kind = "io", note = "ours", detail = "theirs" }
    assert.equal("theirs", err.detail)
    assert.is_nil(err.note)
  end)
end)

-- failure, and its line after "signicat: "
local lines = {
  { { kind = "io" }, "io: a local file could not be read or written" },
  { { kind = "io", note = "no room" }, "io: no room" },
  { { kind = "io", operation = "documents:upload", note = "no room" },
    "documents:upload: io: no room" },
  { { kind = "not_found", status = 404, note = "n",
      code = "document_not_found" },
    "not_found (404 document_not_found): n" },
  { { kind = "server", status = 500, note = "n", trace_id = "0123abcd" },
    "server (500): n [trace 0123abcd]" },
  { { kind = "server", code = "c", note = "n" }, "server (c): n" },
  { { kind = "invalid", note = "n",
      fields = { { name = "[1].title", reason = "is required" } } },
    "invalid: n; [1].title is required" },
  { { kind = "invalid", note = "n",
      fields = { { name = "", reason = "must be a list" },
                 { name = "b", reason = "c" }, { name = "d" } } },
    "invalid: n; it must be a list (and 2 more)" },
  { { kind = "invalid", note = "n", fields = {} }, "invalid: n" },
  -- of the server's findings the place alone, and only if it is a word
  { { kind = "invalid", status = 400, note = "n",
      fields = { { name = "[0].title", reason = "19010112345" } } },
    "invalid (400): n; [0].title" },
  { { kind = "invalid", status = 400, note = "n",
      fields = { { name = "a b", reason = "c" }, {} } },
    "invalid (400): n; see `fields` (and 1 more)" },
  { { kind = "invalid", status = 400, note = "n", fields = { "a", 1 } },
    "invalid (400): n (and 1 more)" },
  { { kind = "invalid", status = 400, note = "n", fields = "a" },
    "invalid (400): n" },
  -- which may say a status that is none
  { { kind = "protocol", status = 0, note = "n",
      fields = { { name = "Kari Nordmann", reason = "19010112345" } } },
    "protocol: n; see `fields`" },
}

describe("the line", function()
  for _, case in ipairs(lines) do
    local failure, line = table.unpack(case)
    it("can be: " .. line, function()
      local err = core.error(failure)
      assert.equal(line, err.message)
      assert.equal("signicat: " .. line, tostring(err))
    end)
  end

  it("has nothing of the server's free text", function()
    local canary = "Kari Nordmann"
    local err = core.error { kind = "invalid", status = 400,
      title = canary, detail = canary, body = canary, code = canary,
      trace_id = canary, phase = canary, result = canary,
      fields = { { name = canary, reason = canary } } }
    assert.equal("signicat: invalid (400): correct what `fields` lists or "
      .. "`detail` says, and call again; see `fields`", tostring(err))
  end)

  for title, word in pairs {
    ["a line end"] = "a\nb", ["an escape"] = "a\27[31m", ["a NUL"] = "a\0b",
    ["65 bytes"] = ("a"):rep(65), ["UTF-8"] = "æ", ["nothing"] = "",
    ["another type"] = { "a" } } do
    it("takes no code with " .. title, function()
      local err = core.error { kind = "server", status = 500, note = "n",
                               code = word, trace_id = word }
      assert.equal("server (500): n", err.message)
    end)
  end

  it("is one line, however the failure came to be", function()
    local client = helper.client()
    local failures = {
      select(2, client.sessions:list({ ["a\nb"] = {} },
        { allow_unknown = true })),
      select(2, client.documents:update(helper.document, { ["a\r\n"] = 1 })),
      select(2, client.documents:upload { path = "/none\n/a.pdf" }),
      core.error { kind = "io", note = "a\nb\r\n\0\27[31mc\127" },
      core.error { kind = "io", operation = "a\nb" },
      core.error { kind = "invalid", fields = { { name = "a\nb",
                                                  reason = "c\rd" } } },
    }
    assert.equal(6, #failures)
    for _, err in ipairs(failures) do
      assert.is_nil(tostring(err):find("%c"), err.message)
    end
  end)

  it("survives an error whose message was taken away", function()
    local err = core.error { kind = "io" }
    err.message = nil
    assert.equal("signicat: error", tostring(err))
  end)
end)

describe("misuse", function()
  -- Each has to raise, and to name this file and the line of the call.
  local client = helper.client()
  local mistakes = {
    { "no function of a name", function() client.sessions:get() end },
    { "no id", function() client.documents:delete {} end },
    { "no list", function() signicat.array "x" end },
    { "no source", function() client.documents:upload() end },
    { "no method", function() client:request() end },
    { "no options", function() client.sessions:get("x", 7) end },
    { "an unknown option",
      function() client.sessions:list(nil, { timout = 1 }) end },
    { "a wait's option", function()
      client.sessions:wait(helper.session, { delay = 1 })
    end },
  }
  for _, case in ipairs(mistakes) do
    local title, mistake = table.unpack(case)
    local line = debug.getinfo(mistake, "S").linedefined
    local last = debug.getinfo(mistake, "S").lastlinedefined
    it("raises at the caller's line for " .. title, function()
      local ok, message = pcall(mistake)
      assert.is_false(ok)
      local at = tonumber(message:match "^spec/error_spec%.lua:(%d+): ")
      assert.is_truthy(at, message)
      assert.is_true(line <= at and at <= last)
    end)
  end

  it("raises also where only the library is left on the stack", function()
    local ok, message = pcall(coroutine.wrap(client.sessions.get),
      client.sessions, nil)
    assert.is_false(ok)
    assert.matches("an id, or an object that carries one, expected", message)
  end)
end)
