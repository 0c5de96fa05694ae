-- wait_spec.lua: how waiting for a signature ends, how often it asks until
-- then, and what it makes of answers nobody promised.

local helper = require "spec.helper"

local session, before = helper.session, helper.collection
local text = helper.session_text
local ID = '{"id":"' .. helper.session .. '"'
local NOW = 1743528748 -- 2025-04-01T17:32:28Z

-- A client whose n-th read of the session is answered by `replies[n]`, the
-- last one serving all that follow; `others` answer for other ids. A reply is
-- a JSON text, or a response, or a function that returns one.
local function waiting(replies, others, options)
  local clock = helper.clock()
  local reads = 0
  local client, transport = helper.client(function(request)
    local id = request.url:match "[^/]*$"
    local reply
    if id == session then
      reads = reads + 1
      reply = replies[math.min(reads, #replies)]
    else
      reply = (others or {})[id]
    end
    if type(reply) == "function" then return reply(clock) end
    return type(reply) == "string" and helper.json(200, reply) or reply
  end, {
    clock = clock.now, sleep = clock.sleep,
    random = options and options.random or function() return 0 end,
    wall_clock = function() return NOW + clock.time - 1000 end,
  })
  return client, clock, transport
end

-- The error of a wait that has to fail.
local function failed(client, opts)
  local value, err, meta = client.sessions:wait(session, opts)
  assert.is_nil(value)
  assert.equal("sessions:wait", err.operation)
  return err, meta
end

local ready, signed = text("READY", false), text("SIGNED", true)

describe("waiting", function()
  it("ends at once when the session is signed", function()
    local client, clock, transport = waiting { signed }
    local value, meta = client.sessions:wait(session)
    assert.equal("SIGNED", value.lifecycle.state)
    assert.equal(200, meta.status)
    assert.same({}, clock.sleeps)
    assert.equal(1, #transport.requests)
  end)

  it("goes on until it is", function()
    local client, clock = waiting { text("BLOCKED", false), ready, ready,
                                    signed }
    assert.equal("SIGNED", client.sessions:wait(session).lifecycle.state)
    assert.equal(3, #clock.sleeps)
  end)

  it("takes a session, and reads it anew", function()
    local client = waiting { ready, signed }
    local given = assert(client.sessions:get(session))
    assert.equal("SIGNED", client.sessions:wait(given).lifecycle.state)
  end)

  -- final states other than SIGNED, those nobody knows included
  for state, kind in pairs { REJECTED = "rejected", EXPIRED = "expired",
                             CANCELLED = "rejected",
                             SOMETHING_NEW = "rejected" } do
    it(("ends with %s when the session is %s for good"):format(kind, state),
      function()
        local client, clock = waiting { ready, text(state, true) }
        local err, meta = failed(client)
        assert.equal(kind, err.kind)
        assert.equal(state, err.result.lifecycle.state)
        assert.is_false(err.retryable)
        assert.equal(200, meta.status)
        assert.equal(1, #clock.sleeps)
      end)
  end

  for _, state in ipairs { "SIGNED", "REJECTED", "EXPIRED", "NEW" } do
    it("goes on in the state " .. state .. " that is not final", function()
      local client, clock = waiting { text(state, false), signed }
      assert(client.sessions:wait(session))
      assert.equal(1, #clock.sleeps)
    end)
  end

  for title, odd in pairs {
    ["no lifecycle"] = "", ["a lifecycle that is null"] =
      ',"lifecycle":null',
    ["a lifecycle that is a number"] = ',"lifecycle":7',
    ["a finality that is null"] =
      ',"lifecycle":{"state":"READY","stateIsFinal":null}',
    ["a finality in words"] =
      ',"lifecycle":{"state":"READY","stateIsFinal":"false"}',
    ["a due date that is null"] = ',"dueDate":null',
    ["a due date that is a number"] = ',"dueDate":1',
    ["a due date that is a list"] = ',"dueDate":[]',
    ["a due date that is none"] = ',"dueDate":"soon"',
    ["predecessors that are null"] = ',"lifecycle":{"state":"BLOCKED",'
      .. '"stateIsFinal":false},"subsequentTo":null',
    ["predecessors that are no ids"] = ',"lifecycle":{"state":"BLOCKED",'
      .. '"stateIsFinal":false},"subsequentTo":[null,1,{},"x"]',
  } do
    it("goes on over an answer with " .. title, function()
      local client, clock = waiting { ID .. odd .. "}", signed }
      assert(client.sessions:wait(session))
      assert.equal(1, #clock.sleeps)
    end)
  end
end)

describe("a session before it", function()
  local blocked = text("BLOCKED", false, ',"subsequentTo":["' .. before
    .. '"]')

  for title, other in pairs {
    ["was rejected"] = text("REJECTED", true),
    ["ran out"] = text("EXPIRED", true),
    ["was deleted"] = { status = 404 } } do
    it("that " .. title .. " ends the wait", function()
      local client, clock = waiting({ blocked }, { [before] = other })
      local err = failed(client)
      assert.equal("rejected", err.kind)
      assert.equal("a session before it was declined or deleted", err.detail)
      assert.equal("BLOCKED", err.result.lifecycle.state)
      assert.same({}, clock.sleeps)
    end)
  end

  for title, other in pairs {
    ["is ready"] = ready, ["is signed"] = signed,
    ["cannot be read now"] = { status = 503 },
    ["may not be read"] = { status = 403 } } do
    it("that " .. title .. " does not", function()
      local client, clock = waiting({ blocked, signed }, { [before] = other })
      assert(client.sessions:wait(session))
      assert.equal(1, #clock.sleeps)
    end)
  end

  it("is asked for only while it blocks", function()
    local client, _, transport = waiting {
      text("READY", false, ',"subsequentTo":["' .. before .. '"]'), signed }
    assert(client.sessions:wait(session))
    assert.equal(2, #transport.requests)
  end)
end)

describe("a session before one that comes before it", function()
  local middle = helper.document
  local function blocked_by(id)
    return text("BLOCKED", false, ',"subsequentTo":["' .. id .. '"]')
  end

  for title, other in pairs {
    ["was rejected"] = text("REJECTED", true),
    ["was deleted"] = { status = 404 } } do
    it("that " .. title .. " ends the wait", function()
      local client, clock = waiting({ blocked_by(middle) },
        { [middle] = blocked_by(before), [before] = other })
      local err = failed(client)
      assert.equal("rejected", err.kind)
      assert.equal(session, err.result.id)
      assert.same({}, clock.sleeps)
    end)
  end

  it("is asked for once, even when all wait for each other", function()
    local client, _, transport = waiting({ blocked_by(middle), signed },
      { [middle] = blocked_by(before), [before] = blocked_by(middle) })
    assert(client.sessions:wait(session))
    assert.equal(4, #transport.requests)
  end)

  it("is not asked for again once it is signed", function()
    local client, _, transport = waiting({ blocked_by(before),
      blocked_by(before), signed }, { [before] = signed })
    assert(client.sessions:wait(session))
    assert.equal(4, #transport.requests)
  end)
end)

describe("a wait", function()
  local trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

  it("tells of every pause and of its end", function()
    local client = waiting { ready, signed }
    local events = {}
    client.on_event = function(event) events[#events + 1] = event end
    assert(client.sessions:wait(session, { trace = trace }))
    local pauses = {}
    for _, event in ipairs(events) do
      if event.name == "wait" then pauses[#pauses + 1] = event end
    end
    assert.same({ { name = "wait", operation = "sessions:wait", seconds = 0,
                    delay = 1, state = "READY", trace = trace } }, pauses)
    client = waiting { text("REJECTED", true) }
    client.on_event = function(event) events[#events + 1] = event end
    failed(client, { trace = trace })
    local last = events[#events]
    assert.same({ "error", "rejected", trace },
      { last.name, last.kind, last.trace })
  end)

  it("carries its trace in its error", function()
    assert.equal(trace, failed(waiting { text("REJECTED", true) },
      { trace = trace }).trace)
    assert.equal(trace, failed((waiting { ready }):with { trace = trace })
      .trace)
  end)
end)

describe("waiting for a package", function()
  local function collection(rest)
    return helper.json(200, ('{"id":"%s"%s}'):format(helper.collection,
      rest or ""))
  end
  local open = ',"packageTo":["PADES_CONTAINER"]'
  local packed = open .. ',"output":{"packages":[{"packageType":'
    .. '"PADES_CONTAINER","resultDocumentId":"' .. helper.document .. '"}]}'

  -- The collection's n-th read is answered by `replies[n]`.
  local function begin(replies)
    local clock = helper.clock()
    local client, transport = helper.client(function(_, n)
      return replies[math.min(n, #replies)]
    end, { clock = clock.now, sleep = clock.sleep })
    return client, clock, transport
  end

  it("ends when there is one", function()
    local client, clock = begin { collection(open),
      collection(open .. ',"output":{}'),
      collection(open .. ',"output":{"packages":[]}'),
      collection(open .. ',"output":null'), collection(packed) }
    local done, meta = client.collections:wait(helper.collection)
    assert.equal(helper.document, done.output.packages[1].resultDocumentId)
    assert.equal(200, meta.status)
    assert.same({ 1, 1.5, 2.25, 3.375 }, clock.sleeps)
  end)

  for title, rest in pairs { ["no packageTo"] = "",
                             ["an empty packageTo"] = ',"packageTo":[]',
                             ["a packageTo of null"] = ',"packageTo":null' } do
    it("is invalid at once with " .. title, function()
      local client, clock, transport = begin { collection(rest) }
      local none, err = client.collections:wait(helper.collection)
      assert.is_nil(none)
      assert.equal("invalid", err.kind)
      assert.equal("packageTo", err.fields[1].name)
      assert.equal("collections:wait", err.operation)
      assert.equal(helper.collection, err.result.id)
      assert.same({}, clock.sleeps)
      assert.equal(1, #transport.requests)
    end)
  end

  for status, kind in pairs { [401] = "auth", [403] = "forbidden",
                              [404] = "not_found" } do
    it("ends with " .. status .. " at once", function()
      local client, clock = begin { { status = status } }
      local none, err = client.collections:wait(helper.collection)
      assert.is_nil(none)
      assert.equal(kind, err.kind)
      assert.same({}, clock.sleeps)
    end)
  end

  it("outlives what may pass, and has one limit", function()
    local client = begin { { status = 503 }, { status = 500 },
                           collection(packed) }
    assert(client.collections:wait(helper.collection))
    local patient, clock = begin { collection(open) }
    local none, err = patient.collections:wait(helper.collection,
      { timeout = 20 })
    assert.is_nil(none)
    assert.equal("timeout", err.kind)
    assert.matches("not packaged within %d+ s", err.message)
    assert.equal(helper.collection, err.result.id)
    assert.is_true(clock.time <= 1020)
  end)
end)

describe("a due date", function()
  local function due(date, state, final)
    return text(state or "READY", final or false,
      ',"dueDate":"' .. date .. '"')
  end

  it("that has passed ends the wait", function()
    local client, clock = waiting { due "2025-04-01T17:32:27Z" }
    local err = failed(client)
    assert.equal("expired", err.kind)
    assert.equal("its due date passed", err.detail)
    assert.equal("READY", err.result.lifecycle.state)
    assert.same({}, clock.sleeps)
  end)

  it("ends it when it passes", function()
    local client, clock = waiting { due "2025-04-01T17:32:38Z" }
    assert.equal("expired", failed(client).kind)
    assert.is_true(clock.time > 1010 and clock.time < 1020)
  end)

  it("that has passed does not undo a signature", function()
    local client = waiting { due("2025-01-01T00:00:00Z", "SIGNED", true) }
    assert(client.sessions:wait(session))
  end)

  it("that has passed leaves a rejection one", function()
    local client = waiting { due("2025-01-01T00:00:00Z", "REJECTED", true) }
    assert.equal("rejected", failed(client).kind)
  end)
end)

describe("a read that fails", function()
  -- status, kind
  local hopeless = { [400] = "invalid", [401] = "auth", [403] = "forbidden",
                     [404] = "not_found", [410] = "not_found",
                     [501] = "unsupported" }
  for status, kind in pairs(hopeless) do
    it("with " .. status .. " ends the wait at once", function()
      local client, clock = waiting { ready, { status = status } }
      local value, err, meta = client.sessions:wait(session)
      assert.is_nil(value)
      assert.equal(kind, err.kind)
      assert.equal(status, err.status)
      assert.equal("sessions:get", err.operation)
      assert.equal("READY", err.result.lifecycle.state)
      assert.equal(status, meta.status)
      assert.equal(1, #clock.sleeps)
    end)
  end

  it("at first leaves no result", function()
    local client = waiting { { status = 404 } }
    local _, err = client.sessions:wait(session)
    assert.is_nil(err.result)
  end)

  for title, reply in pairs {
    ["500"] = { status = 500 }, ["502"] = { status = 502 },
    ["503"] = { status = 503 }, ["408"] = { status = 408 },
    ["429"] = { status = 429 },
    ["no connection"] = function() return nil, "refused" end,
    ["a timeout"] = function() return nil, { kind = "timeout" } end } do
    it("with " .. title .. " does not end it", function()
      local client, clock = waiting { reply, reply, signed }
      assert(client.sessions:wait(session))
      assert.same({ 1, 1.5 }, clock.sleeps)
    end)
  end

  it("is tried again after Retry-After, if that is later", function()
    local client, clock = waiting {
      { status = 429, headers = { ["retry-after"] = "20" } },
      { status = 503, headers = { ["retry-after"] = "0" } }, signed }
    assert(client.sessions:wait(session))
    assert.same({ 20, 1.5 }, clock.sleeps)
  end)

  it("is told of when it was the last", function()
    local client = waiting { ready, { status = 500 } }
    local err = failed(client)
    assert.equal("timeout", err.kind)
    assert.equal("READY", err.result.lifecycle.state)
    assert.equal("sessions:get: server (500): "
      .. "the service failed; try again later", err.detail)
  end)
end)

describe("the pauses", function()
  local function sleeps(opts, random)
    local client, clock = waiting({ ready }, nil, { random = random })
    failed(client, opts)
    return clock.sleeps, clock
  end

  it("grow by half from one second to fifteen", function()
    local seen, clock = sleeps {}
    assert.same({ 1, 1.5, 2.25, 3.375 }, { table.unpack(seen, 1, 4) })
    for i = 8, #seen - 1 do assert.equal(15, seen[i]) end
    assert.is_true(#seen > 20 and #seen < 30)
    assert.is_true(clock.time <= 1300)
  end)

  it("are up to a quarter shorter, by chance", function()
    local seen = sleeps({}, function() return 0.999999 end)
    local whole = sleeps {}
    for i = 1, 10 do
      assert.is_true(seen[i] < whole[i] * 0.7501)
      assert.is_true(seen[i] > whole[i] * 0.7499)
    end
  end)

  it("are what the caller says", function()
    assert.same({ 4, 5, 5, 5, 0.75 },
      (sleeps { first_delay = 4, max_delay = 5, timeout = 20 }))
  end)

  it("are never longer than max_delay", function()
    assert.same({ 2, 2, 2, 0.75 },
      (sleeps { first_delay = 60, max_delay = 2, timeout = 7 }))
  end)

  it("leave time for a last question shortly before the end", function()
    local seen = sleeps { first_delay = 10, max_delay = 10, timeout = 25 }
    assert.same({ 10, 10, 4 }, seen)
    assert.same({ 0.75 }, (sleeps { timeout = 1 }))
  end)

  it("cannot be nothing: that would be a flood", function()
    local client = waiting { ready }
    for _, name in ipairs { "first_delay", "max_delay" } do
      for _, value in ipairs { 0, -1, 0 / 0, math.huge, "1" } do
        local ok, message = pcall(function()
          client.sessions:wait(session, { [name] = value })
        end)
        assert.is_false(ok)
        assert.matches("^spec/wait_spec%.lua:%d+: sessions:wait: option '"
          .. name .. "' must be a number of seconds above 0$", message)
      end
    end
  end)
end)

describe("the time", function()
  it("runs out after five minutes, with the session as last seen", function()
    local client, clock, transport = waiting { ready }
    local err = failed(client)
    assert.equal("timeout", err.kind)
    assert.equal("READY", err.result.lifecycle.state)
    assert.equal("sessions:wait: timeout: not signed within 299 s; it may "
      .. "still be, wait again", err.message)
    assert.is_true(err.retryable)
    assert.is_true(clock.time > 1280 and clock.time <= 1300)
    assert.equal(#clock.sleeps + 1, #transport.requests)
  end)

  it("is the caller's to say", function()
    local client, clock = waiting { ready }
    assert.equal("timeout", failed(client, { timeout = 10 }).kind)
    assert.is_true(clock.time <= 1010)
  end)

  it("ends at the deadline, if that comes before", function()
    local client, clock = waiting { ready }
    local err = failed(client, { timeout = 100, deadline = 1010 })
    assert.equal("timeout", err.kind)
    assert.is_true(clock.time <= 1010)
    client, clock = waiting { ready }
    failed(client, { timeout = 10, deadline = 2000 })
    assert.is_true(clock.time <= 1010)
  end)

  it("that is over before it began is not waited out", function()
    local client, clock, transport = waiting { signed }
    assert.equal("timeout", failed(client, { deadline = 999 }).kind)
    assert.same({}, clock.sleeps)
    assert.equal(0, #transport.requests)
  end)

  it("has no limit when it is 0", function()
    local replies = {}
    for i = 1, 3000 do replies[i] = ready end
    replies[3001] = signed
    local client, clock = waiting(replies)
    assert(client.sessions:wait(session, { timeout = 0 }))
    assert.equal(3000, #clock.sleeps)
    assert.is_true(clock.time > 40000)
  end)

  it("has no limit on how often is asked", function()
    local client, clock = waiting { ready }
    failed(client, { timeout = 1e5, max_delay = 10 })
    assert.is_true(#clock.sleeps > 9990)
  end)

  it("that is left is the limit of each read", function()
    local client, _, transport = waiting { ready }
    failed(client, { timeout = 90 })
    local requests = transport.requests
    assert.equal(60, requests[1].timeout)
    assert.is_true(requests[#requests].timeout < 20)
    for _, request in ipairs(requests) do
      assert.is_true(request.timeout > 0 and request.timeout <= 60)
    end
  end)

  it("is not needed for a wrong id", function()
    local client, clock, transport = waiting { ready }
    local _, err = client.sessions:wait "x"
    assert.equal("invalid", err.kind)
    assert.equal(0, #transport.requests + #clock.sleeps)
    assert.has_error(function() client.sessions:wait() end)
  end)

  it("passes the options of a call on to its reads", function()
    local client, _, transport = waiting { ready, signed }
    assert(client.sessions:wait(session, { headers = { ["X-One"] = "1" } }))
    assert.equal("1", transport.requests[2].headers["x-one"])
  end)
end)
