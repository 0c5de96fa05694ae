-- The signer's page, as its requests and answers: signing, cancelling and
-- rejecting. What a browser makes of it is in browser_spec.lua.

local person = require "spec.sandbox.person"
local service = require "spec.sandbox.service"

describe("the signer's page", function()
  local sandbox

  setup(function() sandbox = service.start() end)
  teardown(function() sandbox:finish() end)

  local function make(fields) return person.session(sandbox, fields) end

  local function open(fields) return person.at(sandbox, fields) end

  local function is_signed(session)
    return sandbox:state(session).state == "SIGNED"
  end

  local function count(text, pattern)
    return select(2, text:gsub(pattern, ""))
  end

  -- -- signing --------------------------------------------------------------

  it("signs as the name that was given, and goes back", function()
    local session = make { redirectSettings = person.REDIRECTS,
                           externalReference = "ø 17&x=1" }
    local kari = person.new(sandbox):open(session):sign "Kari Nordmann"
    assert.equal(303, kari.status)
    assert.equal("https://shop.example/ok?order=17"
      .. "&externalReference=%C3%B8%2017%26x%3D1&sessionId=" .. session.id
      .. "#top", kari.location)
    local _, done = sandbox:call("GET", "/sign/signing-sessions/"
      .. session.id)
    assert.equal("SIGNED", done.lifecycle.state)
    local _, xml = sandbox:call("GET", "/sign/documents/"
      .. done.output.signatures[1].resultDocumentId)
    local pem = service.folder()
    finally(function() service.remove(pem) end)
    local file = assert(io.open(pem .. "/one.pem", "w"))
    file:write("-----BEGIN CERTIFICATE-----\n", (xml:match
      "X509Certificate>%s*(.-)%s*</"), "\n-----END CERTIFICATE-----\n")
    file:close()
    local pipe = io.popen("openssl x509 -noout -subject -in " .. pem
      .. "/one.pem")
    assert.matches("Kari Nordmann", pipe:read "a", 1, true)
    pipe:close()
  end)

  it("thanks where there is nowhere to go back to", function()
    local session = make()
    local kari = person.new(sandbox):open(session):sign()
    assert.equal(200, kari.status)
    assert.equal("done", kari:view())
    assert.is_true(is_signed(session))
  end)

  it("goes to no target that is code", function()
    local session = make { redirectSettings = {
      success = "javascript://x/%0aalert(1)", cancel = "data://x",
      error = "vbscript://x" } }
    local kari = person.new(sandbox):open(session):sign()
    assert.equal(200, kari.status)
    assert.is_nil(kari:open(session).page:find("script:", 1, true))
  end)

  it("asks for agreement to the text, and again when signing", function()
    local session = make { signText = "I owe you\n17 crowns" }
    local kari = person.new(sandbox):open(session)
    assert.matches(">I owe you\n17 crowns<", kari.page, 1, true)
    assert.equal(1, count(kari.page, 'type="checkbox" name="agreed"'))
    kari:ask("login")
    assert.equal(400, kari.status)
    assert.equal("documents", kari:view())
    assert.matches('role="alert"', kari.page, 1, true)
    kari:sign("Kari", {})
    assert.equal(400, kari.status)
    assert.is_false(is_signed(session))
    assert.equal(200, kari:sign().status)
    assert.is_true(is_signed(session))
  end)

  it("asks for no agreement where there is no text", function()
    assert.equal(0, count(open().page, "checkbox"))
  end)

  it("lets choose among the session's providers, and no other", function()
    local session = make { signingSetup = { {
      signingFlow = "AUTHENTICATION_BASED",
      identityProviders = { { idpName = "mitid" }, { idpName = "own" } } } } }
    local kari = person.new(sandbox):open(session):ask("login")
    assert.equal(2, count(kari.page, '<button name="idpName"'))
    assert.matches(">MitID<", kari.page, 1, true)
    assert.matches('value="own">own<', kari.page, 1, true)
    kari:ask("login", "&idpName=sbid")
    assert.equal(2, count(kari.page, '<button name="idpName"'))
    kari:ask("login", "&idpName=mitid")
    assert.matches("Log in with MitID", kari.page, 1, true)
    local token = kari:token()
    kari:send("sign", { name = "Kari", idpName = "sbid" }, token)
    assert.is_false(is_signed(session))
    kari:send("sign", { name = "Kari", idpName = "mitid" }, token)
    assert.is_true(is_signed(session))
  end)

  it("asks again for a name of which nothing would be seen", function()
    for _, name in ipairs { "", "  ", "\u{202E}", " \u{200B}\u{FEFF}\u{A0}" } do
      local session = make()
      local kari = person.new(sandbox):open(session)
      assert.equal("login", kari:sign(name):view())
      assert.is_false(is_signed(session))
    end
  end)

  it("offers every provider where the session names none", function()
    local kari = open { signingSetup = { {
      signingFlow = "AUTHENTICATION_BASED" } } }
    assert.equal(7, count(kari:ask("login").page, '<button name="idpName"'))
  end)

  it("has the vendor for PKISIGNING", function()
    local kari = open { signingSetup = { { signingFlow = "PKISIGNING",
                                           vendor = "SMARTID" } } }
    assert.matches("Log in with Smart-ID", kari:ask("login").page, 1, true)
  end)

  it("wants a name of 1 to 64 characters", function()
    local session = make()
    local kari = person.new(sandbox):open(session)
    for _, name in ipairs { "", "   ", ("ø"):rep(65) } do
      kari:sign(name)
      assert.equal(400, kari.status)
      assert.equal("login", kari:view())
      assert.matches("aria-invalid=true", kari.page, 1, true)
    end
    assert.equal(200, kari:sign(("ø"):rep(64)).status)
    assert.is_true(is_signed(session))
  end)

  it("says what is wrong with a document that cannot be signed", function()
    local pki = { { signingFlow = "PKISIGNING", vendor = "NBID" } }
    local session = make { signingSetup = pki }
    local kari = person.new(sandbox):open(session):sign()
    assert.equal(400, kari.status)
    assert.equal("failed", kari:view())
    assert.matches("is no PDF", kari.page, 1, true)
    session = make { signingSetup = pki, redirectSettings = person.REDIRECTS }
    kari:open(session):sign()
    assert.equal(303, kari.status)
    assert.equal("https://shop.example/err?sessionId=" .. session.id,
      kari.location)
    assert.equal("READY", sandbox:state(session).state)
  end)

  -- -- cancelling and rejecting ---------------------------------------------

  it("can be cancelled and come back to", function()
    local session = make { redirectSettings = person.REDIRECTS }
    local kari = person.new(sandbox):open(session):send "cancel"
    assert.equal(303, kari.status)
    assert.equal("https://shop.example/no?sessionId=" .. session.id,
      kari.location)
    assert.equal("READY", sandbox:state(session).state)
    assert.equal(303, kari:open(session):sign().status)
    assert.is_true(is_signed(session))
    kari = open():send "cancel"
    assert.equal("cancelled", kari:view())
    assert.matches('href="/sign/?sessionId=', kari.page, 1, true)
  end)

  it("can be rejected, with a reason or without", function()
    for _, reason in ipairs { "", "Too dear", ("ø"):rep(2048) } do
      local session = make { redirectSettings = person.REDIRECTS }
      local kari = person.new(sandbox):open(session):ask("reject")
      kari:send("reject", { reason = reason })
      assert.equal(200, kari.status)
      assert.equal("rejected", kari:view())
      assert.matches('href="https://shop.example/no?sessionId=', kari.page, 1,
        true)
      assert.same({ state = "REJECTED", stateIsFinal = true },
        sandbox:state(session))
    end
    local session = make()
    local kari = person.new(sandbox):open(session):ask("reject")
    kari:send("reject", { reason = ("ø"):rep(2049) })
    assert.equal(400, kari.status)
    assert.equal("READY", sandbox:state(session).state)
  end)

  it("is an event when its documents are seen for the first time", function()
    local socket = require "socket"
    local sink = assert(socket.bind("127.0.0.1", 0)) -- answers nobody
    local _, port = sink:getsockname()
    local status, webhook = sandbox:call("POST", "/_sandbox/webhooks", {
      url = "http://127.0.0.1:" .. port, secret = "s",
      events = { "signing-session.opened" } })
    assert.equal(201, status)
    finally(function()
      sandbox:call("DELETE", "/_sandbox/webhooks/" .. webhook.id)
      sink:close()
    end)
    local function count_events()
      local _, answer = sandbox:call("GET", "/_sandbox/events")
      return #answer.events
    end
    local session = make { preAuthentication = person.IDENTIFY_FIRST }
    local kari = person.new(sandbox):open(session)
    assert.equal(0, count_events())
    kari:send("identify", { name = "Kari" })
    for _ = 1, 2 do kari:open(session) end
    assert.equal(1, count_events())
  end)

  -- -- forms ----------------------------------------------------------------

  it("changes nothing by GET, and takes nothing but forms", function()
    local session = make()
    local kari = person.new(sandbox):open(session)
    local token = kari:token()
    for _, action in ipairs { "sign", "identify", "cancel" } do
      assert.equal(405, kari:ask(action, "&name=Kari&token=" .. token).status)
    end
    kari:ask("reject", "&token=" .. token .. "&reason=x")
    local status = sandbox:call("POST", "/sign/sign",
      { sessionId = kari.id, token = token, name = "Kari" },
      { Cookie = kari.cookie, Authorization = false })
    assert.equal(415, status)
    kari:request("POST", "/sign/sign", "sessionId=" .. kari.id .. "&a=%zz")
    assert.equal(404, kari.status)
    assert.equal("READY", sandbox:state(session).state)
  end)

  it("signs once when a form is sent twice", function()
    local session = make()
    local kari = person.new(sandbox):open(session)
    local token = kari:token()
    assert.equal("done", kari:send("sign", { name = "Kari" }, token):view())
    assert.equal("signed", kari:send("sign", { name = "Kari" }, token):view())
    assert.equal(409, kari.status)
    local _, done = sandbox:call("GET", "/sign/signing-sessions/"
      .. session.id)
    assert.equal(1, #done.output.signatures)
  end)

  it("signs once when two forms come at the same time", function()
    local socket = require "socket"
    for _ = 1, 5 do
      local session = make()
      local kari = person.new(sandbox):open(session)
      local token = kari:token()
      local body = ("sessionId=%s&token=%s&name=Kari"):format(kari.id, token)
      local sockets, answers = {}, {}
      for i = 1, 4 do
        sockets[i] = assert(socket.connect("127.0.0.1", sandbox.port))
        sockets[i]:settimeout(20)
      end
      for _, each in ipairs(sockets) do
        each:send(("POST /sign/sign HTTP/1.1\r\nHost: 127.0.0.1\r\n"
          .. "Cookie: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n"
          .. "Connection: close\r\n\r\n%s"):format(kari.cookie, person.FORM,
          #body, body))
      end
      for i, each in ipairs(sockets) do
        answers[i] = each:receive("*a"):match "^HTTP/1.1 (%d+)"
        each:close()
      end
      table.sort(answers)
      assert.same({ "200", "409", "409", "409" }, answers)
      local _, done = sandbox:call("GET", "/sign/signing-sessions/"
        .. session.id)
      assert.equal(1, #done.output.signatures)
    end
  end)
end)
