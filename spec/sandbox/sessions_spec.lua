-- Creating, reading and deleting signing sessions.

local service = require "spec.sandbox.service"
local payloads = require "spec.support.payloads"

local PATH <const> = "/sign/signing-sessions"

describe("the sandbox's sessions", function()
  local sandbox, document, collection

  setup(function()
    sandbox = service.start()
    document = sandbox:upload().documentId
    collection = sandbox:collect({ document }).id
  end)
  teardown(function() sandbox:finish() end)

  -- Every field there is, on a document that exists.
  local function full()
    local session = payloads.session()
    for _, each in ipairs(session.documents) do
      each.documentId, each.documentCollectionId = document, collection
    end
    session.subsequentTo = nil
    return session
  end

  local function post(...)
    return sandbox:call("POST", PATH, { ... })
  end

  it("are answered as they were sent, with what the service adds", function()
    local sent = full()
    local status, answer = post(sent)
    assert.equal(201, status)
    assert.equal(1, #answer)
    local session = answer[1]
    for name, value in pairs(sent) do assert.same(value, session[name]) end
    assert.same({ state = "READY", stateIsFinal = false }, session.lifecycle)
    assert.same({ signatures = {}, packages = {} }, session.output)
    assert.matches("^%x+%-%x+%-7%x+%-%x+%-%x+$", session.id)

    local read
    status, read = sandbox:call("GET", PATH .. "/" .. session.id)
    assert.equal(200, status)
    assert.same(session, read)
  end)

  it("have a signature URL that does not tell their id", function()
    local session = sandbox:session { signatureUrlTTL = 5 }
    local url, id = session.signatureUrl:match "^(.*/sign/%?sessionId=)(.*)$"
    assert.equal(sandbox.url .. "/sign/?sessionId=", url)
    assert.not_equal(session.id, id)
    assert.equal(5, session.signatureUrlTTL)
    assert.matches("Z$", session.signatureUrlExpiresAt)
  end)

  it("have a signature URL that is nowhere in what is kept", function()
    local folder = service.folder()
    local kept = service.start("--data", folder)
    finally(function() service.remove(folder) end)
    local session = kept:session()
    local secret = session.signatureUrl:match "sessionId=(.*)"
    kept:finish()
    local function holds(text)
      return os.execute(("grep -rqF -- '%s' '%s'"):format(text, folder))
    end
    assert.is_true(holds(session.id))
    assert.is_nil(holds(secret))
    assert.is_nil(holds((secret:gsub("-", ""))))
  end)

  it("come back in the order they were sent", function()
    local list = {}
    for i = 1, 100 do
      list[i] = full()
      list[i].title = "Lease " .. i
    end
    local status, answer = sandbox:call("POST", PATH, list)
    assert.equal(201, status)
    for i = 1, 100 do assert.equal("Lease " .. i, answer[i].title) end
  end)

  it("keep null where it is allowed, and times in UTC", function()
    local sent = full()
    sent.externalReference = service.null
    sent.dueDate = "2025-04-01T19:32:28.5+02:00"
    local _, answer = post(sent)
    assert.equal(service.null, answer[1].externalReference)
    assert.equal("2025-04-01T17:32:28.500Z", answer[1].dueDate)
  end)

  local absent = payloads.absent
  local text = ("ø"):rep(300)
  -- The place, what to put there, and the finding's place if another.
  local refusals = {
    { "[1].title", absent }, { "[1].title", 1 },
    { "[1].title", text }, { "[1].title", service.null },
    { "[1].documents", absent }, { "[1].documents", {} },
    { "[1].documents[1]", "x" },
    { "[1].documents[1].documentId", absent },
    { "[1].documents[1].documentId", "17" },
    { "[1].documents[1].documentCollectionId", absent },
    { "[1].documents[2].action", absent },
    { "[1].documents[2].action", "sign" },
    { "[1].signingSetup", absent }, { "[1].signingSetup", {} },
    { "[1].signingSetup[2]", { signingFlow = "PKISIGNING", vendor = "NBID" },
      "[0].signingSetup" },
    { "[1].signingSetup[1].signingFlow", absent },
    { "[1].signingSetup[1].signingFlow", "OTHER" },
    { "[1].signingSetup[1].vendor", "OTHER" },
    { "[1].signingSetup[1]", { signingFlow = "PKISIGNING" },
      "[0].signingSetup[0].vendor" },
    { "[1].signingSetup[1].identityProviders[1].idpName", absent },
    { "[1].signingSetup[1].additionalParameters.sbid_flow", 1 },
    { "[1].signatureUrlTTL", 4 }, { "[1].signatureUrlTTL", 525601 },
    { "[1].signatureUrlTTL", 5.5 }, { "[1].signatureUrlTTL", "5" },
    { "[1].signText", ("x"):rep(2049) },
    { "[1].dueDate", "2025-04-01" }, { "[1].dueDate", "soon" },
    { "[1].dueDate", "2025-02-29T00:00:00Z" },
    { "[1].dueDate", "2025-04-01T24:00:00Z" },
    { "[1].dueDate", "2025-04-01T00:00:00" },
    { "[1].dueDate", "9999-12-31T23:59:59Z" },
    { "[1].externalReference", ("x"):rep(1025) },
    { "[1].subsequentTo", { "17" }, "[0].subsequentTo[0]" },
    { "[1].subsequentTo", payloads.list(51, service.unknown_id) },
    { "[1].packageTo", { "ZIP" }, "[0].packageTo[0]" },
    { "[1].packageTo", payloads.list(6, "PADES_CONTAINER") },
    { "[1].documents", payloads.list(51, payloads.session().documents[1]) },
    { "[1].signer", "x" },
    { "[1].signer.validations", { "AGE" }, "[0].signer.validations[0]" },
    { "[1].signer.restrictUse[1].parameter", "AGE" },
    { "[1].signer.restrictUse[1].restriction", absent },
    { "[1].archive.sendResultToArchive", "yes" },
    { "[1].preAuthentication.enabled", absent },
    { "[1].ui.language", "no" },
    { "[1].redirectSettings.success", absent },
    { "[1].redirectSettings.cancel", absent },
    { "[1].redirectSettings.error", "/err" },
    { "[1].redirectSettings.error", "https://shop.example/a b" },
    { "[1].senderDisplayName", "x" },
  }
  for _, refusal in ipairs(refusals) do
    local place, value, wanted = table.unpack(refusal)
    -- The API counts from 0.
    wanted = wanted or place:gsub("%[(%d+)%]", function(number)
      return ("[%d]"):format(number - 1)
    end)
    local shown = value == absent and "nothing"
      or type(value) == "table" and "a wrong table"
      or tostring(value):sub(1, 24)
    it(("are refused with %s at %s"):format(shown, place), function()
      local list = payloads.set({ full() }, place, value)
      local status, answer = sandbox:call("POST", PATH, list)
      assert.equal(400, status)
      assert.equal("invalid_request_parameter", answer.code)
      assert.equal(1, #answer.invalidParams)
      assert.equal(wanted, answer.invalidParams[1].name)
      assert.is_string(answer.invalidParams[1].reason)
    end)
  end

  it("are refused with every finding at once", function()
    local first, second = full(), full()
    first.title, second.ui.language = nil, "xx"
    local _, answer = post(first, second)
    assert.equal("[0].title", answer.invalidParams[1].name)
    assert.equal("[1].ui.language", answer.invalidParams[2].name)
    assert.matches("1 more", answer.detail)
  end)

  it("take fields of exactly the longest size", function()
    local sent = full()
    sent.title, sent.signText = ("ø"):rep(255), ("ø"):rep(2048)
    sent.externalReference = ("€"):rep(1024)
    sent.signatureUrlTTL = 525600
    assert.equal(201, (post(sent)))
    sent.signatureUrlTTL = 5
    assert.equal(201, (post(sent)))
  end)

  it("take a due date 44 days ahead, and none 46 days ahead", function()
    local sent = full()
    sent.dueDate = os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() + 44 * 86400)
    assert.equal(201, (post(sent)))
    sent.dueDate = os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() + 46 * 86400)
    assert.equal(400, (post(sent)))
  end)

  it("keep fields nobody knows where they are nested", function()
    local sent = full()
    sent.ui.theme = "dark"
    local status, answer = post(sent)
    assert.equal(201, status)
    assert.equal("dark", answer[1].ui.theme)
  end)

  it("are refused as an object, as nothing and as too many", function()
    assert.equal(400, (sandbox:call("POST", PATH, '{"title":"x"}',
      { ["Content-Type"] = "application/json" })))
    assert.equal(400, (sandbox:call("POST", PATH, "[]",
      { ["Content-Type"] = "application/json" })))
    local status, answer = sandbox:call("POST", PATH,
      payloads.list(101, full()))
    assert.equal(400, status)
    assert.equal("body", answer.invalidParams[1].name)
  end)

  local strangers = {
    { "document", "document_not_found", 404, function(sent, id)
      sent.documents[2].documentId = id
    end },
    { "collection", "document_collection_not_found", 404, function(sent, id)
      sent.documents[2].documentCollectionId = id
    end },
    { "session before them", "signing_session_not_found", 404,
      function(sent, id) sent.subsequentTo = { id } end },
  }
  for _, stranger in ipairs(strangers) do
    local name, code, wanted, change = table.unpack(stranger)
    it("are refused with an unknown " .. name .. ", all of them", function()
      local _, before = sandbox:call("GET", PATH)
      local sent = full()
      change(sent, service.unknown_id)
      local status, answer = post(full(), sent)
      assert.equal(wanted, status)
      assert.equal(code, answer.code)
      assert.matches("[1].", answer.detail, 1, true)
      local _, after = sandbox:call("GET", PATH)
      assert.equal(before.total, after.total)
    end)
  end

  it("are refused with a document of another collection", function()
    local sent = full()
    sent.documents[2].documentId = sandbox:upload().documentId
    local status, answer = post(sent)
    assert.equal(400, status)
    assert.equal("[0].documents[1].documentId", answer.invalidParams[1].name)
  end)

  it("can be deleted once", function()
    local path = PATH .. "/" .. sandbox:session().id
    assert.equal(204, (sandbox:call("DELETE", path)))
    assert.equal(404, (sandbox:call("DELETE", path)))
    assert.equal(404, (sandbox:call("GET", path)))
  end)

  for _, method in ipairs { "GET", "DELETE" } do
    it("answer " .. method .. " of an unknown id with 404", function()
      local status, answer = sandbox:call(method,
        PATH .. "/" .. service.unknown_id)
      assert.equal(404, status)
      assert.equal("signing_session_not_found", answer.code)
      assert.matches("^%x+$", answer.traceId)
      assert.equal(32, #answer.traceId)
    end)
    it("answer " .. method .. " of what is no id with 400", function()
      local status, answer = sandbox:call(method, PATH .. "/17")
      assert.equal(400, status)
      assert.equal("sessionId", answer.invalidParams[1].name)
    end)
  end
end)
