-- Browsers that have the signer's page open: who has identified in one, and
-- which forms are its own.

local person = require "spec.sandbox.person"
local service = require "spec.sandbox.service"

describe("the signer's page", function()
  local sandbox

  setup(function() sandbox = service.start() end)
  teardown(function() sandbox:finish() end)
  after_each(function() sandbox:reset() end)

  local function make(fields) return person.session(sandbox, fields) end

  it("shows no document before who is to identify first has", function()
    local session = make { preAuthentication = person.IDENTIFY_FIRST,
                           contents = { "Hidden words" } }
    local kari = person.new(sandbox):open(session)
    assert.equal("identify", kari:view())
    assert.matches("Log in with BankID (SE)", kari.page, 1, true)
    for _, step in ipairs { "document", "login", "reject" } do
      local page = kari:ask(step, "&number=1").page
      assert.is_nil(page:find("Hidden words", 1, true))
      assert.equal("identify", kari:view())
    end
    local token = kari:token()
    for _, action in ipairs { "sign", "reject" } do
      assert.equal("identify", kari:send(action, { name = "Kari" }, token)
        :view())
    end
    assert.equal("READY", sandbox:state(session).state)

    assert.equal(303, kari:open(session)
      :send("identify", { name = "Kari" }).status)
    assert.equal("/sign/?sessionId=" .. kari.id, kari.location)
    assert.matches("Hidden words", kari:open(session).page, 1, true)
    assert.matches('name="name" value="Kari"', kari:ask("login").page, 1,
      true)
    assert.equal(200, kari:sign().status)
    assert.equal("SIGNED", sandbox:state(session).state)
  end)

  it("knows who has identified in that browser, session and time", function()
    local session = make { preAuthentication = person.IDENTIFY_FIRST }
    local other = make { preAuthentication = person.IDENTIFY_FIRST }
    local kari = person.new(sandbox):open(session)
    kari:send("identify", { name = "Kari" })
    assert.equal("documents", kari:open(session):view())
    assert.equal("identify", kari:open(other):view())
    assert.equal("identify", person.new(sandbox):open(session):view())
    sandbox:call("POST", "/_sandbox/clock", { advance = 1801 })
    assert.equal("identify", kari:open(session):view())
  end)

  it("signs nothing when an identification is sent twice", function()
    local session = make { preAuthentication = person.IDENTIFY_FIRST }
    local kari = person.new(sandbox):open(session)
    local token = kari:token()
    for _ = 1, 2 do
      assert.equal(303, kari:send("identify", { name = "Kari" }, token).status)
    end
    assert.equal("READY", sandbox:state(session).state)
  end)

  it("takes a form only with the token of its browser and session", function()
    local session, other = make(), make()
    local kari = person.new(sandbox):open(session)
    local ola = person.new(sandbox):open(session)
    local token, of_ola = kari:token(), ola:token()
    local of_other = person.new(sandbox):open(other):token()
    local same = person.new(sandbox)
    same.cookie = kari.cookie
    local elsewhere = same:open(other):token()
    for _, wrong in ipairs { "", "0", of_ola, of_other, elsewhere,
                             token:sub(2), token .. "0" } do
      for _, action in ipairs { "sign", "reject", "cancel", "identify" } do
        kari:send(action, { name = "Kari" }, wrong)
        assert.equal(403, kari.status)
        assert.equal("stale", kari:view())
      end
    end
    kari:request("POST", "/sign/sign", "sessionId=" .. kari.id .. "&name=x")
    assert.equal(403, kari.status)
    local stranger = person.new(sandbox)
    stranger.id = kari.id
    assert.equal(403, stranger:send("sign", { name = "x" }, token).status)
    assert.equal("READY", sandbox:state(session).state)
    assert.equal(200, ola:sign().status)
    assert.equal("SIGNED", sandbox:state(session).state)
  end)

  it("keeps no cookie, no number and no token at rest", function()
    local folder = service.folder()
    finally(function() service.remove(folder) end)
    local kept = service.start("--data", folder)
    local kari = person.at(kept, { preAuthentication = person.IDENTIFY_FIRST })
    local token = kari:token()
    kari:send("identify", { name = "Kari", number = "01017012345" })
    assert.equal(303, kari.status)
    kept:finish()
    for _, secret in ipairs { kari.cookie:match "=(.*)", token, kari.id,
                              "01017012345" } do
      assert.is_nil(os.execute(("grep -rqF -- '%s' '%s'"):format(secret,
        folder)))
    end
  end)

  it("keeps its browsers known and its URLs over a restart", function()
    local folder = service.folder()
    finally(function() service.remove(folder) end)
    local kept = service.start("--data", folder)
    local session = person.session(kept,
      { preAuthentication = person.IDENTIFY_FIRST })
    local kari = person.new(kept):open(session)
    local token = kari:token()
    kari:send("identify", { name = "Kari" }, token)
    kept:kill()
    kept = service.start("--data", folder)
    kari.sandbox = kept
    assert.equal("documents", kari:open(session):view())
    assert.equal(200, kari:send("sign", { name = "Kari" }, token).status)
    assert.equal("SIGNED", kept:state(session).state)
    kept:finish()
  end)
end)
