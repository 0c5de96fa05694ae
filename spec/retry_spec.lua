-- retry_spec.lua: what is tried again, when, and what never.

local helper = require "spec.helper"

local session = helper.session
local SESSIONS = { {
  title = "Lease",
  documents = { { documentId = session, documentCollectionId = session,
                  action = "SIGN" } },
  signingSetup = { { signingFlow = "AUTHENTICATION_BASED" } },
} }

-- A client whose service gives these answers in turn, the last one for ever.
local function service(answers, options)
  local clock = helper.clock()
  local all = { clock = clock.now, sleep = clock.sleep, retries = 2,
                random = function() return 1 end }
  for name, value in pairs(options or {}) do all[name] = value end
  local client, transport = helper.client(function(_, number)
    local answer = answers[math.min(number, #answers)]
    if answer.kind then return nil, answer end
    return answer
  end, all)
  return client, clock, transport
end

local good = helper.json(200, helper.session_text("READY", false))
local refused = { kind = "connect", sent = false, phase = "connect" }
local lost = { kind = "connect", sent = true, phase = "first_byte" }
local slow = { kind = "timeout", sent = true, phase = "first_byte" }
local cut = { kind = "connect", sent = true, phase = "body", status = 200 }
local function status(code, headers)
  return { status = code, headers = headers or {} }
end

describe("a read", function()
  for title, answer in pairs { ["refused"] = refused, ["lost"] = lost,
    ["timed out"] = slow, ["500"] = status(500), ["502"] = status(502),
    ["503"] = status(503), ["504"] = status(504), ["429"] = status(429) } do
    it("is made again when it was " .. title, function()
      local client, _, transport = service { answer, answer, good }
      local read, meta = client.sessions:get(session)
      assert.equal(session, read.id)
      assert.equal(3, meta.attempts)
      assert.equal(3, #transport.requests)
    end)
  end

  for _, code in ipairs { 400, 401, 403, 404, 409, 415, 501 } do
    it(("is not made again after %d"):format(code), function()
      local client, clock, transport = service { status(code) }
      local _, err = client.sessions:get(session)
      assert.equal(1, err.attempts)
      assert.equal(1, #transport.requests)
      assert.same({}, clock.sleeps)
    end)
  end

  it("ends with the last failure and the number of attempts", function()
    local client, clock, transport = service { status(500), status(502) }
    local value, err, meta = client.sessions:get(session)
    assert.is_nil(value)
    assert.equal(502, err.status)
    assert.equal(3, err.attempts)
    assert.equal(3, meta.attempts)
    assert.equal(3, #transport.requests)
    assert.same({ 0.5, 1 }, clock.sleeps)
  end)

  it("is made as often as its options say", function()
    local client, _, transport = service({ status(500) }, { retries = 4 })
    client.sessions:get(session)
    assert.equal(5, #transport.requests)
    client.sessions:get(session, { retries = 0 })
    assert.equal(6, #transport.requests)
  end)
end)

describe("a create", function()
  for title, answer in pairs { ["lost"] = lost, ["timed out"] = slow,
    ["500"] = status(500), ["502"] = status(502), ["503"] = status(503),
    ["504"] = status(504), ["429"] = status(429) } do
    it("is not made again when it was " .. title, function()
      local client, clock, transport = service { answer }
      assert.is_nil(client.sessions:create(SESSIONS))
      assert.equal(1, #transport.requests)
      assert.is_nil(client.documents:upload { content = "a",
                                              type = "text/plain" })
      assert.equal(2, #transport.requests)
      assert.same({}, clock.sleeps)
    end)
  end

  local created = helper.json(201, "[" .. helper.session_text("READY", false)
    .. "]")

  it("is made again when nothing of it was sent", function()
    local client, _, transport = service { refused, created }
    local list, meta = client.sessions:create(SESSIONS)
    assert.equal(session, list[1].id)
    assert.equal(2, meta.attempts)
    assert.equal(2, #transport.requests)
  end)

  for _, code in ipairs { 429, 503 } do
    it(("is made again after %d with Retry-After"):format(code), function()
      local client, clock = service {
        status(code, { ["retry-after"] = "7" }), created }
      assert(client.sessions:create(SESSIONS))
      assert.same({ 7 }, clock.sleeps)
    end)
  end

  it("that is ambiguous is not made again for any hook", function()
    local client, _, transport = service({ lost, created },
      { should_retry = function() return true end })
    local _, err = client.sessions:create(SESSIONS)
    assert.is_true(err.ambiguous)
    assert.equal(1, #transport.requests)
  end)
end)

describe("a delete", function()
  it("that finds nothing after its answer was lost has succeeded", function()
    for _, before in ipairs { lost, slow, cut, status(502) } do
      local client = service { before, status(404) }
      local done, meta = client.sessions:delete(session)
      assert.is_true(done)
      assert.is_true(meta.repeated)
      assert.equal(2, meta.attempts)
    end
  end)

  it("remembers that over a token that ran out meanwhile", function()
    local client = service({ lost, status(401), status(404) },
      { auth = function() return "t" end })
    local done, meta = client.sessions:delete(session)
    assert.is_true(done)
    assert.is_true(meta.repeated)
    assert.equal(3, meta.attempts)
    client = service({ refused, status(401), status(404) },
      { auth = function() return "t" end })
    assert.equal("not_found",
      select(2, client.sessions:delete(session)).kind)
  end)

  it("that finds nothing has failed when nothing went before", function()
    for _, before in ipairs { refused, status(429) } do
      local client = service { before, status(404) }
      local done, err = client.sessions:delete(session)
      assert.is_nil(done)
      assert.equal("not_found", err.kind)
    end
  end)
end)

describe("the pause", function()
  it("doubles up to eight seconds, and is cut by chance", function()
    local client, clock = service({ status(500) }, { retries = 7 })
    client.sessions:get(session)
    assert.same({ 0.5, 1, 2, 4, 8, 8, 8 }, clock.sleeps)
    client, clock = service({ status(500) }, { retries = 3,
      random = function() return 0.25 end })
    client.sessions:get(session)
    assert.same({ 0.125, 0.25, 0.5 }, clock.sleeps)
  end)

  it("is never shorter than Retry-After", function()
    local client, clock = service { status(503, { ["retry-after"] = "5" }) }
    client.sessions:get(session)
    assert.same({ 5, 5 }, clock.sleeps)
  end)

  it("is the caller's when Retry-After is longer than it may be", function()
    local client, clock = service({ status(429, { ["retry-after"] = "61" }) })
    local _, err = client.sessions:get(session)
    assert.same({ 61, 1 }, { err.retry_after, err.attempts })
    assert.same({}, clock.sleeps)
    client, clock = service({ status(429, { ["retry-after"] = "61" }), good },
      { max_retry_after = 100 })
    assert(client.sessions:get(session))
    assert.same({ 61 }, clock.sleeps)
  end)

  it("does not go beyond the deadline", function()
    local client, clock = service { status(503, { ["retry-after"] = "5" }) }
    local _, err = client.sessions:get(session,
      { deadline = clock.time + 5 })
    assert.same({ "server", 1 }, { err.kind, err.attempts })
    assert.same({}, clock.sleeps)
  end)

  it("is what the hook says", function()
    local seen = {}
    local client, clock = service({ status(404), status(500), good }, {
      should_retry = function(err, attempt)
        seen[#seen + 1] = { err.status, attempt }
        return 3
      end })
    assert(client.sessions:get(session))
    assert.same({ 3, 3 }, clock.sleeps)
    assert.same({ { 404, 1 }, { 500, 2 } }, seen)
  end)

  it("does not come when the hook says no", function()
    local client, _, transport = service({ status(500) },
      { should_retry = function() return false end })
    client.sessions:get(session)
    assert.equal(1, #transport.requests)
  end)
end)

describe("the budget", function()
  it("lets a service that is down be asked a tenth more, not thrice", function()
    local client, _, transport = service { status(503) }
    for _ = 1, 1000 do client.sessions:get(session) end
    assert.is_true(#transport.requests <= 1000 + 10 + 100)
    assert.is_true(#transport.requests >= 1000 + 100)
  end)
end)

describe("an attempt", function()
  it("has what is left of the deadline, and no more than its own", function()
    local client, clock, transport = service { status(500) }
    client.sessions:get(session, { deadline = clock.time + 61 })
    local limits = {}
    for i, request in ipairs(transport.requests) do
      limits[i] = request.timeout
    end
    assert.same({ 60, 60, 59.5 }, limits)
  end)

  it("sends the same body and the same headers as the one before", function()
    local client, _, transport = service { refused, refused, good }
    client.documents:upload({ content = "hello", type = "text/plain" },
      { headers = { ["X-Reference"] = "17" } })
    assert.equal(3, #transport.requests)
    for _, request in ipairs(transport.requests) do
      assert.equal("hello", request.body)
      assert.equal("17", request.headers["x-reference"])
    end
  end)
end)
