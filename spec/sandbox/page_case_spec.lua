-- Whether a session may be signed, and by whom, as its signer's page says.

local person = require "spec.sandbox.person"
local service = require "spec.sandbox.service"

describe("the signer's page", function()
  local sandbox

  setup(function() sandbox = service.start() end)
  teardown(function() sandbox:finish() end)
  after_each(function() sandbox:reset() end)

  local function make(fields) return person.session(sandbox, fields) end

  -- Its view and status, for a look and for each thing that may be done.
  local function check(session, view, status, kari, token)
    kari = kari or person.new(sandbox)
    assert.equal(view, kari:open(session):view())
    assert.equal(status, kari.status)
    for _, step in ipairs { "document", "login", "reject" } do
      assert.equal(view, kari:ask(step, "&number=1"):view())
      assert.equal(status, kari.status)
    end
    for _, action in ipairs { "sign", "reject", "cancel", "identify" } do
      kari:send(action, { name = "Kari", agreed = "yes" }, token or "0")
      assert.equal(view, kari:view())
      assert.equal(status, kari.status)
    end
    return kari
  end

  it("tells a blocked session, and opens when it is its turn", function()
    local first = make()
    local second = make { subsequentTo = { first.id } }
    check(second, "blocked", 409)
    assert.equal("BLOCKED", sandbox:state(second).state)
    sandbox:sign(first)
    assert.equal("documents", person.new(sandbox):open(second):view())
  end)

  it("tells a signed session, and where to go on", function()
    local session = make { redirectSettings = person.REDIRECTS }
    local kari = person.new(sandbox):open(session)
    local token = kari:token()
    sandbox:sign(session)
    check(session, "signed", 409, kari, token)
    assert.matches('href="https://shop.example/ok?order=17&amp;sessionId=',
      kari.page, 1, true)
  end)

  it("tells a rejected session", function()
    local session = make()
    local kari = person.new(sandbox):open(session)
    local token = kari:token()
    sandbox:reject(session)
    check(session, "rejected", 409, kari, token)
    assert.equal("REJECTED", sandbox:state(session).state)
  end)

  it("tells a URL that has expired, and no more than that", function()
    local session = make { signatureUrlTTL = 5 }
    local kari = person.new(sandbox):open(session)
    local token = kari:token()
    sandbox:call("POST", "/_sandbox/clock", { advance = 301 })
    check(session, "expired", 410, kari, token)
    assert.is_nil(kari.page:find("Lease 17", 1, true))
    assert.equal("READY", sandbox:state(session).state)
  end)

  it("tells a due date that has passed", function()
    local session = make { dueDate = os.date("!%Y-%m-%dT%TZ",
      os.time() + 300) }
    local kari = person.new(sandbox):open(session)
    local token = kari:token()
    sandbox:call("POST", "/_sandbox/clock", { advance = 302 })
    check(session, "overdue", 410, kari, token)
    assert.equal("READY", sandbox:state(session).state)
  end)

  it("tells a URL that leads nowhere", function()
    local session = make()
    local id = session.signatureUrl:match "sessionId=(.*)"
    local last = id:sub(-1) == "0" and "1" or "0"
    for _, wrong in ipairs { "", "17", session.id, service.unknown_id,
                             id:sub(1, -2) .. last, id .. "0" } do
      check({ signatureUrl = "?sessionId=" .. wrong }, "unknown", 404)
    end
    sandbox:call("DELETE", "/sign/signing-sessions/" .. session.id)
    check(session, "unknown", 404)
  end)

  it("lets only the person sign whom the session names", function()
    local session = make { signer = {
      nationalIdentificationNumber = "010170 12345",
      validations = { "NATIONAL_IDENTIFICATION_NUMBER" } } }
    local kari = person.new(sandbox):open(session)
    for _, number in ipairs { "", "01017012346", "0101701234",
                              "010170123450" } do
      kari:sign("Kari", { number = number })
      assert.equal(400, kari.status)
      assert.matches("not the person", kari.page, 1, true)
    end
    assert.equal("READY", sandbox:state(session).state)
    assert.equal(200, kari:sign("Kari", { number = "010170-12345" }).status)
    assert.equal("SIGNED", sandbox:state(session).state)
  end)

  it("asks for the number only where it may", function()
    local signers = {
      { { nationalIdentificationNumber = "1" }, "%(optional%)" },
      { { validations = { "NATIONAL_IDENTIFICATION_NUMBER" } },
        'name="number"[^>]- required' },
      { { restrictUse = { { parameter = "NIN", restriction = "NO_USE" } } } },
    }
    for _, case in ipairs(signers) do
      local page = person.at(sandbox, { signer = case[1] }):ask("login")
        .page
      if case[2] then
        assert.matches(case[2], page)
      else
        assert.is_nil(page:find('name="number"', 1, true))
      end
    end
  end)

  it("lets only the person identify whom the session names", function()
    local session = make { preAuthentication = person.IDENTIFY_FIRST, signer = {
      nationalIdentificationNumber = "17",
      validations = { "NATIONAL_IDENTIFICATION_NUMBER" } } }
    local kari = person.new(sandbox):open(session)
    assert.equal(400, kari:send("identify", { name = "Kari", number = "18" })
      .status)
    assert.equal("identify", kari:open(session):view())
    kari:send("identify", { name = "Kari", number = "17" })
    assert.equal("documents", kari:open(session):view())
  end)
end)
