-- events_spec.lua: an event is genuine, in time and new, or is refused for
-- the first of these that it is not; and events can be made.

local core = require "signicat.core"
local helper = require "spec.helper"
local signicat = require "signicat"

local events = signicat.events
local SCHEME = "body-hmac-sha256"
local NOW = 1743528748 -- 2025-04-01T17:32:28Z
local SECRET = "whsec-one"

-- An event's body; `more` replaces fields, false takes them out.
local function body_of(more)
  local event = { id = "e-1", timestamp = "2025-04-01T17:32:28Z",
                  eventName = "signing-session.completed",
                  eventData = { id = helper.session },
                  expiresAt = "2025-04-02T17:32:28Z" }
  for name, value in pairs(more or {}) do event[name] = value or nil end
  return core.json_encode(event)
end

local function verify(raw, headers, more)
  local opts = { scheme = SCHEME, secrets = SECRET, now = NOW }
  for name, value in pairs(more or {}) do opts[name] = value end
  return events.verify(raw, headers, opts)
end

-- Signs a body and verifies it.
local function both(raw, opts, secret)
  local made, headers = events.sign(raw, secret or SECRET,
    { scheme = SCHEME })
  return verify(made, headers, opts)
end

local function refused(kind, event, err)
  assert.is_nil(event)
  assert.equal(kind, err.kind)
  assert.equal("events.verify", err.operation)
  assert.is_nil(tostring(err):find(SECRET, 1, true))
  return err
end

describe("an event", function()
  it("that is genuine, in time and new is given as a table", function()
    local event, info = both(body_of())
    assert.equal("signing-session.completed", event.eventName)
    assert.equal(helper.session, event.eventData.id)
    assert.same({ matched = 1, scheme = SCHEME, assumed = true }, info)
  end)

  it("may have been signed with any of several secrets", function()
    local secrets = { "whsec-two", SECRET, "whsec-three" }
    for i, secret in ipairs(secrets) do
      local _, info = both(body_of(), { secrets = secrets }, secret)
      assert.equal(i, info.matched)
    end
    refused("signature", both(body_of(), { secrets = secrets }, "whsec-four"))
  end)

  it("is verified by its raw bytes, whatever their layout", function()
    assert(both(" {\n\"timestamp\" : \"2025-04-01T17:32:28Z\" }\r\n"))
  end)

  it("is refused with a byte changed", function()
    local raw, headers = events.sign(body_of(), SECRET, { scheme = SCHEME })
    refused("signature", verify(raw .. " ", headers))
    refused("signature", verify(raw:gsub("completed", "Completed"), headers))
  end)

  for title, headers in pairs {
    ["without a signature"] = {},
    ["with an empty one"] = { ["X-Signicat-Signature"] = "" },
    ["with another's"] = { ["X-Signicat-Signature"] = ("0"):rep(64) },
    ["with half of one"] = { ["X-Signicat-Signature"] = ("0"):rep(32) },
    ["with one in a number"] = { ["X-Signicat-Signature"] = 7 },
    ["with two"] = { ["X-Signicat-Signature"] = { "a", "b" } },
    ["with one under another name"] = { ["X-Signature"] = ("0"):rep(64) },
  } do
    it("is refused " .. title, function()
      refused("signature", verify(body_of(), headers))
    end)
  end

  it("is refused with its signature under two names", function()
    local raw, headers = events.sign(body_of(), SECRET, { scheme = SCHEME })
    local value = headers["x-signicat-signature"]
    assert(verify(raw, headers))
    refused("signature", verify(raw, { ["x-signicat-signature"] = value,
                                       ["X-Signicat-Signature"] = value }))
  end)

  it("has its header in any case, and as servers list it", function()
    local raw, headers = events.sign(body_of(), SECRET, { scheme = SCHEME })
    local value = headers["x-signicat-signature"]
    assert(verify(raw, { ["X-SIGNICAT-Signature"] = value }))
    assert(verify(raw, { ["x-signicat-signature"] = { value } }))
    assert(verify(raw, { ["x-signicat-signature"] = " " .. value .. "\t",
                         [1] = "other" }))
  end)

  it("is not looked into before its signature holds", function()
    local _, headers = events.sign(body_of(), SECRET, { scheme = SCHEME })
    local asked = 0
    for _, raw in ipairs { "{", "[]", "7", body_of { expiresAt = "1999" },
                           body_of { timestamp = false } } do
      refused("signature", verify(raw, headers, {
        seen = function() asked = asked + 1 end }))
    end
    assert.equal(0, asked)
  end)

  for _, raw in ipairs { "", "{", "[]", "[{}]", "7", '"x"', "null",
                         "{}x" } do
    it(("that is signed but reads %q is none"):format(raw), function()
      refused("protocol", both(raw))
    end)
  end
end)

describe("the time of an event", function()
  -- how far the timestamp is away, the tolerance, and whether it is taken
  for _, case in ipairs {
    { 0, nil, true }, { -300, nil, true }, { 300, nil, true },
    { -301, nil, false }, { 301, nil, false }, { -10, 5, false },
    { 10, 5, false }, { 5, 5, true }, { -86400, "off", true },
    { 80000, "off", true },
  } do
    local offset, tolerance, taken = case[1], case[2], case[3]
    it(("%d s away is %s, tolerance %s"):format(offset,
      taken and "taken" or "refused", tostring(tolerance)), function()
      local raw = body_of { timestamp = core.format_time(NOW + offset) }
      if taken then
        assert(both(raw, { tolerance = tolerance }))
      else
        refused("expired", both(raw, { tolerance = tolerance }))
      end
    end)
  end

  it("may be that of its arrival in a queue", function()
    refused("expired", both(body_of(), { now = NOW + 3600 }))
    assert(both(body_of(), { now = NOW + 3 }))
  end)

  it("is the machine's unless given", function()
    local function now(raw)
      local _, headers = events.sign(raw, SECRET, { scheme = SCHEME })
      return events.verify(raw, headers, { scheme = SCHEME,
                                           secrets = SECRET })
    end
    refused("expired", now(body_of()))
    assert(now(body_of { expiresAt = false,
      timestamp = core.format_time(core.wall_clock()) }))
  end)

  it("is past its end, whatever the tolerance", function()
    local raw = body_of { expiresAt = "2025-04-01T17:32:27Z" }
    refused("expired", both(raw))
    refused("expired", both(raw, { tolerance = "off" }))
  end)

  it("has to be there, unless it is not looked at", function()
    for _, timestamp in ipairs { false, "soon", 7 } do
      local raw = body_of { timestamp = timestamp }
      refused("protocol", both(raw))
      assert(both(raw, { tolerance = "off" }))
    end
  end)
end)

describe("an event that comes again", function()
  it("is a duplicate", function()
    local seen = events.memory()
    assert(both(body_of(), { seen = seen }))
    refused("duplicate", both(body_of(), { seen = seen }))
    assert(both(body_of { id = "e-2" }, { seen = seen }))
  end)

  it("is asked for by id, with the time it could still come", function()
    local asked = {}
    local function seen(...) asked = { ... } end
    assert(both(body_of(), { seen = seen }))
    assert.same({ "e-1", 86400 }, asked)
    assert(both(body_of { expiresAt = false }, { seen = seen }))
    assert.same({ "e-1", 300 }, asked)
    assert(both(body_of { expiresAt = false },
      { seen = seen, tolerance = "off" }))
    assert.same({ "e-1", 86400 }, asked)
  end)

  it("is only asked for when all else is right", function()
    local function seen() error "was asked" end
    refused("expired", both(body_of(), { seen = seen, now = NOW + 9999 }))
  end)

  it("cannot be told without an id", function()
    for _, id in ipairs { false, "", 7 } do
      refused("protocol", both(body_of { id = id }, { seen = print }))
      assert(both(body_of { id = id }))
    end
  end)

  it("is not taken when nobody could look", function()
    local err = refused("io", both(body_of(), {
      seen = function() return nil, "no memory" end }))
    assert.equal("no memory", err.detail)
    assert.is_true(err.retryable)
  end)
end)

describe("who remembers events", function()
  it("forgets in time", function()
    local clock = helper.clock(0)
    local seen = events.memory(clock.now)
    assert.is_false(seen("a", 10))
    assert.is_true(seen("a", 10))
    clock.sleep(10)
    assert.is_false(seen("a", 100))
    clock.sleep(70)
    assert.is_false(seen("b", 10))
    assert.is_true(seen("a", 10))
  end)

  it("is made first: what makes it is no `seen`", function()
    for _, made_from in ipairs { events.memory, events.shared } do
      local ok, reason = pcall(both, body_of(), { seen = made_from })
      assert.is_false(ok)
      assert.matches("`seen` is what it returns", reason)
    end
  end)

  it("may be a shared dictionary of nginx", function()
    local kept, reason = {}, nil
    local dictionary = { add = function(_, key, _, ttl)
      if reason then return false, reason end
      if kept[key] then return false, "exists" end
      kept[key] = ttl
      return true
    end, delete = function(_, key) kept[key] = nil end }
    local seen, forget = events.shared(dictionary)
    assert(both(body_of(), { seen = seen }))
    assert.same({ ["signicat:e-1"] = 86400 }, kept)
    refused("duplicate", both(body_of(), { seen = seen }))
    forget "e-1"
    assert(both(body_of(), { seen = seen }))
    reason = "no memory"
    refused("io", both(body_of { id = "e-2" }, { seen = seen }))
  end)
end)

describe("a scheme", function()
  it("of one's own is as good", function()
    local scheme = {
      header = "x-other",
      matches = function(raw, secret, given)
        return given == #raw .. secret
      end,
    }
    local raw = body_of()
    local _, info = verify(raw, { ["X-Other"] = #raw .. SECRET },
      { scheme = scheme })
    assert.same({ 1, false }, { info.matched, info.assumed })
    refused("signature", verify(raw, { ["X-Other"] = "1" },
      { scheme = scheme }))
  end)

  it("that is shipped is marked as assumed", function()
    assert.is_true(events.schemes[SCHEME].assumed)
  end)
end)

describe("misuse of events", function()
  local raw, headers = events.sign("{}", SECRET, { scheme = SCHEME })

  -- what is wrong, and what is said of it
  local cases = {
    { function() verify({}, headers) end, "takes the body as it was received" },
    { function() verify(nil, headers) end, "takes the body as it was" },
    { function() verify(raw) end, "headers are a table" },
    { function() events.verify(raw, headers) end, "`scheme` is required" },
    { function() events.verify(raw, headers, { secrets = SECRET }) end,
      "`scheme` is required, there is no default" },
    { function() verify(raw, headers, { scheme = "body-hmac-sha265" }) end,
      "did you mean 'body-hmac-sha256'" },
    { function() verify(raw, headers, { scheme = {} }) end,
      "no such scheme" },
    { function() events.verify(raw, headers, { scheme = SCHEME }) end,
      "`secrets` is required" },
    { function() verify(raw, headers, { secrets = "" }) end, "'secrets' must" },
    { function() verify(raw, headers, { secrets = {} }) end, "'secrets' must" },
    { function() verify(raw, headers, { secrets = { "" } }) end,
      "'secrets' must" },
    { function() verify(raw, headers, { tolerance = 0 }) end,
      "above 0, or \"off\"" },
    { function() verify(raw, headers, { tolerance = -1 }) end,
      "'tolerance' must" },
    { function() verify(raw, headers, { now = "now" }) end, "'now' must" },
    { function() verify(raw, headers, { seen = {} }) end, "'seen' must" },
    { function() verify(raw, headers, { secret = SECRET }) end,
      "did you mean 'secrets'" },
    { function() events.sign("{}", SECRET) end, "`scheme` is required" },
    { function()
      events.sign("{}", SECRET, { scheme = { header = "x", matches = print } })
    end, "this scheme has no `sign`" },
    { function() events.sign("{}", "", { scheme = SCHEME }) end,
      "the secret is a string" },
    { function() events.sign(7, SECRET, { scheme = SCHEME }) end,
      "takes a string or a table" },
    { function() events.sign({ f = print }, SECRET, { scheme = SCHEME }) end,
      "events.sign: f" },
  }
  for _, case in ipairs(cases) do
    it("raises at the caller's line: " .. case[2], function()
      local is_fine, message = pcall(case[1])
      assert.is_false(is_fine)
      assert.matches("^spec/events_spec%.lua:%d+: events%.", message)
      assert.is_truthy(message:find(case[2], 1, true), message)
      assert.is_nil(message:find(SECRET, 1, true))
    end)
  end
end)
