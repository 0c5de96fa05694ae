-- Events: who gets which, as what, how often; and that none is lost.

local cjson = require "cjson"
local judges = require "spec.support.judges"
local receiver = require "spec.support.receiver"
local service = require "spec.sandbox.service"

local SECRET <const> = "whsec-Ünïcode one"
local DAY <const> = 86400

describe("the sandbox's events", function()
  local sandbox, inbox

  before_each(function()
    sandbox = service.start()
    inbox = receiver.open()
  end)
  after_each(function()
    inbox:close()
    if sandbox then sandbox:finish() end
    sandbox = nil
  end)

  local function subscribe(events)
    local status, answer = sandbox:call("POST", "/_sandbox/webhooks",
      { url = inbox.url, secret = SECRET, events = events })
    assert.equal(201, status, answer.detail)
    return answer
  end

  local function advance(seconds)
    assert.equal(200, (sandbox:call("POST", "/_sandbox/clock",
      { advance = seconds })))
  end

  local function outbox()
    local status, answer = sandbox:call("GET", "/_sandbox/events")
    assert.equal(200, status)
    return answer.events
  end

  -- The n-th row, once it is as wanted: courier and spec are two.
  local function row(n, wanted)
    return service.await("an event to be " .. cjson.encode(wanted), function()
      local one = outbox()[n]
      for name, value in pairs(wanted) do
        if not one or one[name] ~= value then return nil end
      end
      return one
    end)
  end

  local function open(session)
    return sandbox:call("POST", "/_sandbox/sessions/" .. session.id .. "/open")
  end

  local function text_session(fields)
    fields = fields or {}
    fields.signingSetup = { { signingFlow = "AUTHENTICATION_BASED" } }
    return sandbox:session(fields)
  end

  it("have the nine fields of their envelope", function()
    subscribe { "signing-session.completed" }
    local session = text_session()
    assert.equal(200, (sandbox:sign(session)))
    local request = inbox:take()
    assert.equal("POST /events?from=sandbox HTTP/1.1", request.line)
    assert.equal("application/json", request.headers["content-type"])
    local event = cjson.decode(request.raw)
    local names = {}
    for name in pairs(event) do names[#names + 1] = name end
    table.sort(names)
    assert.same({ "accountId", "eventData", "eventName", "expiresAt", "id",
                  "organizationId", "sender", "tags", "timestamp" }, names)
    assert.matches("^%x+%-%x+%-7%x+%-%x+%-%x+$", event.id)
    assert.equal("signing-session.completed", event.eventName)
    assert.same({ id = session.id }, event.eventData)
    assert.equal(service.null, event.organizationId)
    assert.same({}, event.tags)
    assert.matches("^%d+%-%d+%-%d+T%d+:%d+:[%d.]+Z$", event.timestamp)
    assert.is_true(event.expiresAt > event.timestamp)
    assert.equal("DELIVERED", row(1, { state = "DELIVERED" }).state)
  end)

  it("are signed by HMAC-SHA256 over their bytes, as openssl has it", function()
    subscribe()
    open(text_session())
    local request = inbox:take()
    local file = os.tmpname()
    finally(function() os.remove(file) end)
    judges.write(file, request.raw)
    local said = judges.run("openssl", "dgst", "-sha256", "-hmac", SECRET, file)
    assert.equal(said:match "(%x+)%s*$",
      request.headers["x-signicat-signature"])
  end)

  it("tell of a session's first opening and of its end, in order", function()
    subscribe()
    local session = text_session()
    for _ = 1, 3 do assert.equal(200, (open(session))) end
    sandbox:sign(session)
    local other = text_session()
    sandbox:sign(other) -- whoever signs has opened
    local told = {}
    for i = 1, 4 do
      local event = cjson.decode(inbox:take().raw)
      told[i] = { event.eventName, event.eventData.id }
    end
    assert.same({ { "signing-session.opened", session.id },
                  { "signing-session.completed", session.id },
                  { "signing-session.opened", other.id },
                  { "signing-session.completed", other.id } }, told)
    row(4, { state = "DELIVERED" })
    assert.equal(4, #outbox())
  end)

  it("tell of packages, of none of a text, and of what cannot be made",
    function()
      subscribe { "package.completed", "package.failed" }
      local function signed(mime, bytes)
        local session = sandbox:session { mime = mime, contents = { bytes },
          packageTo = { "PADES_CONTAINER" },
          signingSetup = { { signingFlow = "AUTHENTICATION_BASED" } } }
        assert.equal(200, (sandbox:sign(session)))
        return session
      end
      signed("text/plain", "Agreed")
      local session = signed("application/pdf",
        service.read "examples/lease.pdf")
      local event = cjson.decode(inbox:take().raw)
      assert.equal("package.completed", event.eventName)
      local _, now = sandbox:call("GET", "/sign/signing-sessions/"
        .. session.id)
      assert.same({ id = now.output.packages[1].packageId }, event.eventData)
      row(1, { state = "DELIVERED" })
      assert.equal(1, #outbox())
      sandbox:stop() -- it has complained of the text
      sandbox = nil
    end)

  it("tell of nothing that did not happen", function()
    subscribe()
    local first = text_session()
    local blocked = text_session { subsequentTo = { first.id } }
    assert.equal(409, (open(blocked)))
    assert.equal(409, (sandbox:sign(blocked)))
    assert.equal(404, (open { id = service.unknown_id }))
    local refused = sandbox:session { mime = "text/plain" } -- needs a PDF
    assert.equal(400, (sandbox:sign(refused)))
    assert.same({}, outbox())
  end)

  it("are kept for nobody", function()
    sandbox:sign(text_session())
    subscribe()
    assert.same({}, outbox())
  end)

  it("go to each webhook that wants them, with one id", function()
    local second = receiver.open()
    finally(function() second:close() end)
    subscribe()
    local status, hook = sandbox:call("POST", "/_sandbox/webhooks",
      { url = second.url, secret = "another",
        events = { "signing-session.completed", "package.failed" } })
    assert.equal(201, status)
    assert.same({ "signing-session.completed", "package.failed" }, hook.events)
    sandbox:sign(text_session())
    assert.matches("opened", inbox:take().raw, 1, true)
    local one, two = inbox:take(), second:take()
    assert.equal(one.raw, two.raw)
    assert.not_equal(one.headers["x-signicat-signature"],
      two.headers["x-signicat-signature"])
    row(3, { state = "DELIVERED" })
    assert.equal(3, #outbox())
    assert.equal(204, (sandbox:call("DELETE",
      "/_sandbox/webhooks/" .. hook.id)))
    assert.equal(404, (sandbox:call("DELETE",
      "/_sandbox/webhooks/" .. hook.id)))
    assert.equal(2, #outbox()) -- its own go with it
  end)

  it("wait for no other webhook, and for those before them to the same",
    function()
      local stalled, other = receiver.open(), receiver.open()
      finally(function()
        stalled:close()
        other:close()
      end)
      subscribe()
      local function subscribe_other(one)
        return select(2, sandbox:call("POST", "/_sandbox/webhooks",
          { url = one.url, secret = SECRET }))
      end
      local slow = subscribe_other(stalled)
      subscribe_other(other)
      local sessions, wanted = {}, {}
      for i = 1, 3 do
        sessions[i] = text_session()
        sandbox:sign(sessions[i])
        for _, name in ipairs { "opened", "completed" } do
          wanted[#wanted + 1] = { "signing-session." .. name, sessions[i].id }
        end
      end
      local connection = stalled.listener:accept() -- and no answer
      for _, one in ipairs { inbox, other } do
        local told = {}
        for i = 1, 6 do
          local event = cjson.decode(one:take().raw)
          told[i] = { event.eventName, event.eventData.id }
        end
        assert.same(wanted, told)
      end
      -- One after the other they would have had to wait until it is given up.
      local tries = 0
      for _, one in ipairs(outbox()) do
        if one.webhookId == slow.id then tries = tries + one.attempts end
      end
      connection:close()
      assert.equal(0, tries)
    end)

  it("keep their secret", function()
    local hook = subscribe()
    open(text_session())
    inbox:take()
    assert.is_nil(hook.secret)
    for _, path in ipairs { "webhooks", "events", "journal" } do
      local _, answer = sandbox:call("GET", "/_sandbox/" .. path)
      assert.is_nil(cjson.encode(answer):find("whsec", 1, true))
    end
  end)

  it("are not sent of a rejection, which the service is not known to",
    function()
      local status, answer = sandbox:call("POST", "/_sandbox/webhooks",
        { url = inbox.url, secret = SECRET,
          events = { "signing-session.rejected" } })
      assert.equal(400, status)
      assert.matches("--beyond-the-service", answer.detail, 1, true)
      subscribe()
      sandbox:reject(text_session(), { reason = "No" })
      assert.matches("signing-session.opened", inbox:take().raw, 1, true)
      row(1, { state = "DELIVERED" })
      assert.equal(1, #outbox())
    end)

  it("are sent of a rejection beyond the service, and only there", function()
    sandbox:finish()
    local folder = service.folder()
    finally(function() service.remove(folder) end)
    sandbox = service.start("--data", folder, "--beyond-the-service")
    subscribe { "signing-session.rejected", "signing-session.completed" }
    local session = text_session()
    sandbox:reject(session)
    local event = cjson.decode(inbox:take().raw)
    assert.equal("signing-session.rejected", event.eventName)
    assert.same({ id = session.id }, event.eventData)
    row(1, { state = "DELIVERED" })
    sandbox:stop()
    sandbox = service.start("--data", folder)
    local _, answer = sandbox:call("GET", "/_sandbox/webhooks")
    assert.same({ "signing-session.completed" }, answer.webhooks[1].events)
  end)

  local bad = {
    { url = "http://127.0.0.1/" }, { secret = "s" },
    { url = "ftp://127.0.0.1/", secret = "s" }, { url = "x", secret = "s" },
    { url = "file:///etc/passwd", secret = "s" },
    { url = "http://user:word@127.0.0.1/", secret = "s" },
    { url = "http://127.0.0.1/", secret = "" },
    { url = "http://127.0.0.1/", secret = "s", events = { "session.signed" } },
    { url = "http://127.0.0.1/", secret = "s", events = {} },
    { url = "http://127.0.0.1/", secret = "s", more = 1 },
  }
  for i, body in ipairs(bad) do
    it("have no webhook that is not one: " .. i, function()
      local status, answer = sandbox:call("POST", "/_sandbox/webhooks", body)
      assert.equal(400, status)
      assert.equal("invalid_request_parameter", answer.code)
    end)
  end

  it("are delivered by any 2xx and by nothing else", function()
    -- Each to a webhook of its own, so that no other try comes in between.
    local function outcome(answer, wanted)
      local hook = subscribe { "signing-session.opened" }
      open(text_session())
      inbox:take(answer)
      local one = row(1, wanted)
      assert.equal(204, (sandbox:call("DELETE",
        "/_sandbox/webhooks/" .. hook.id)))
      return one
    end
    for _, status in ipairs { 200, 202, 204, 299 } do
      assert.equal(tostring(status),
        outcome(status, { state = "DELIVERED" }).outcome)
    end
    for _, status in ipairs { 199, 400, 404, 410, 500, 503 } do
      -- 1xx is no answer: the real one follows.
      local one = outcome(status == 199 and "HTTP/1.1 304 No\r\n\r\n" or status,
        { attempts = 1 })
      assert.equal("PENDING", one.state)
      assert.equal(tostring(status == 199 and 304 or status), one.outcome)
    end
  end)

  it("follow no redirect", function()
    subscribe { "signing-session.opened" }
    open(text_session())
    inbox:take(("HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:%d/else\r\n"
      .. "Content-Length: 0\r\nConnection: close\r\n\r\n"):format(inbox.port))
    assert.equal("307", row(1, { attempts = 1 }).outcome)
    assert.is_nil(inbox:take(204, 0.2))
  end)

  it("are tried again, later each time, until they expire", function()
    local function now()
      local _, clock = sandbox:call("GET", "/_sandbox/clock")
      return service.seconds_of(clock.now)
    end
    subscribe { "signing-session.opened" }
    open(text_session())
    local before = now()
    local first = inbox:take(503)
    for attempts, delay in ipairs { 10, 20, 40, 80, 160, 320, 640, 1280, 2560,
                                    3600, 3600 } do
      local one = row(1, { attempts = attempts })
      assert.equal("PENDING", one.state)
      local from = service.seconds_of(one.nextTry) - delay
      assert.is_true(before <= from and from <= now(), one.nextTry)
      -- Long ones are let pass in two steps, the first a minute too short.
      if delay > 60 then
        advance(delay - 60)
        assert.is_nil(inbox:take(503, 0.05), "tried too early")
      end
      advance(math.min(delay, 60))
      before = now()
      assert.equal(first.raw, inbox:take(503).raw)
    end
    row(1, { attempts = 12 })
    advance(DAY)
    local one = row(1, { state = "EXPIRED" })
    assert.equal(12, one.attempts)
    assert.equal(service.null, one.nextTry)
    assert.is_nil(inbox:take(204, 0.1))
  end)

  it("are given up when the next try would come after their end", function()
    subscribe { "signing-session.opened" }
    open(text_session())
    inbox:take(500)
    row(1, { attempts = 1 })
    advance(DAY - 15) -- the third try would be 20 seconds later
    inbox:take(500)
    assert.equal(2, row(1, { state = "EXPIRED" }).attempts)
  end)

  it("are delivered again on request, whatever has become of them", function()
    subscribe { "signing-session.opened" }
    open(text_session())
    local first = inbox:take()
    local id = row(1, { state = "DELIVERED" }).id
    local function again()
      local status, answer = sandbox:call("POST",
        "/_sandbox/events/" .. id .. "/deliver")
      assert.equal(200, status)
      assert.equal(id, answer.events[1].id)
    end
    again()
    assert.equal(first.raw, inbox:take(500).raw)
    row(1, { state = "PENDING", attempts = 1 })
    advance(DAY + 1)
    row(1, { state = "EXPIRED" })
    again()
    assert.equal(first.raw, inbox:take().raw)
    row(1, { state = "DELIVERED" })
    assert.equal(404, (sandbox:call("POST",
      "/_sandbox/events/" .. service.unknown_id .. "/deliver")))
  end)

  it("are delivered again when asked for in the middle of a try", function()
    subscribe { "signing-session.opened" }
    open(text_session())
    local id = outbox()[1].id
    -- The first and the second try meet the same wish.
    for _ = 1, 2 do
      local connection = inbox.listener:accept()
      connection:receive "*l"
      assert.equal(200, (sandbox:call("POST",
        "/_sandbox/events/" .. id .. "/deliver")))
      connection:send "HTTP/1.1 204 Taken\r\nConnection: close\r\n\r\n"
      connection:close()
    end
    assert.matches(id, inbox:take().raw, 1, true)
    row(1, { state = "DELIVERED", attempts = 1 })
  end)

  it("wait for a receiver that is not there", function()
    subscribe { "signing-session.opened" }
    inbox:shut()
    open(text_session())
    local one = row(1, { attempts = 1, state = "PENDING" })
    assert.matches("connect", one.outcome:lower(), 1, true)
    inbox:listen()
    advance(11)
    assert.matches(one.id, inbox:take().raw, 1, true)
    row(1, { state = "DELIVERED" })
  end)

  it("survive kill -9, and come as they were", function()
    sandbox:finish()
    local folder = service.folder()
    finally(function() service.remove(folder) end)
    sandbox = service.start("--data", folder)
    subscribe()
    inbox:shut()
    local sessions = {}
    for i = 1, 3 do
      sessions[i] = text_session().id
      assert.equal(200, (sandbox:sign { id = sessions[i] }))
    end
    local before = outbox()
    assert.equal(6, #before)
    assert.equal(9, (sandbox:kill()))

    inbox:listen()
    sandbox = service.start("--data", folder)
    local got = {}
    for _ = 1, 6 do got[#got + 1] = inbox:take().raw end
    local wanted = {}
    for i, one in ipairs(before) do wanted[i] = one.body end
    table.sort(got)
    table.sort(wanted)
    assert.same(wanted, got)
    for i = 1, 6 do row(i, { state = "DELIVERED" }) end
  end)

  it("come a second time when the end came before the note of it", function()
    sandbox:finish()
    local folder = service.folder()
    finally(function() service.remove(folder) end)
    sandbox = service.start("--data", folder)
    subscribe { "signing-session.opened" }
    open(text_session())
    local connection = inbox.listener:accept() -- and no answer
    connection:receive(10)
    assert.equal(9, (sandbox:kill()))
    connection:close()
    sandbox = service.start("--data", folder)
    local id = outbox()[1].id
    assert.matches(id, inbox:take().raw, 1, true)
    row(1, { state = "DELIVERED" })
  end)

  it("come a second time when the disk was full for the note of it", function()
    subscribe { "signing-session.opened" }
    open(text_session())
    local connection = inbox.listener:accept()
    connection:receive(10)
    local function limit(bytes)
      local said, code = judges.run("prlimit", "--pid", tostring(sandbox.pid),
        "--fsize=" .. bytes .. ":")
      assert.equal(0, code, said)
    end
    limit "2000" -- enough for a complaint
    connection:send "HTTP/1.1 204 Taken\r\nConnection: close\r\n\r\n"
    connection:close()
    service.await("its complaint", function()
      return sandbox:err():find("store:", 1, true)
    end)
    assert.equal(0, outbox()[1].attempts)
    limit "unlimited"
    local id = outbox()[1].id
    advance(1) -- wakes who has given up for a while
    assert.matches(id, inbox:take().raw, 1, true)
    row(1, { state = "DELIVERED", attempts = 1 })
    assert.equal(0, (sandbox:stop()))
    sandbox = nil
  end)

  it("do not hold up the end of the service", function()
    local folder = service.folder()
    finally(function() service.remove(folder) end)
    sandbox:finish()
    sandbox = service.start("--data", folder)
    subscribe { "signing-session.opened" }
    open(text_session())
    local connection = inbox.listener:accept() -- and no answer
    sandbox:finish()
    connection:close()
    sandbox = service.start("--data", folder)
    assert.equal(0, outbox()[1].attempts) -- nobody waited for its timeout
    inbox:take()
    row(1, { state = "DELIVERED" })
  end)

  it("and webhooks go with a reset", function()
    subscribe()
    open(text_session())
    inbox:take()
    assert.equal(204, (sandbox:call("POST", "/_sandbox/reset")))
    assert.same({}, outbox())
    assert.same({}, select(2, sandbox:call("GET",
      "/_sandbox/webhooks")).webhooks)
  end)
end)
