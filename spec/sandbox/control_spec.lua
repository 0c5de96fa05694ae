-- States, and acting as the signer under /_sandbox/.

local judges = require "spec.support.judges"
local pdf = require "spec.support.pdf"
local service = require "spec.sandbox.service"

local function page(text)
  return pdf.file {
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R "
      .. "/Resources << /Font << /F1 5 0 R >> >> >>",
    pdf.stream(("BT /F1 12 Tf 20 100 Td (%s) Tj ET"):format(text)),
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  }
end

describe("the sandbox's control", function()
  local sandbox

  setup(function() sandbox = service.start() end)
  teardown(function() sandbox:finish() end)

  local function agreement(fields)
    fields = fields or {}
    fields.mime = fields.mime or "application/pdf"
    fields.contents = fields.contents or { page "Agreed" }
    return sandbox:session(fields)
  end

  local function read(session)
    local _, answer = sandbox:call("GET",
      "/sign/signing-sessions/" .. session.id)
    return answer
  end

  local function conflict(words, status, answer)
    assert.equal(409, status)
    assert.equal("conflict", answer.code)
    assert.matches(words, answer.detail, 1, true)
  end

  it("signs each document that is to be signed", function()
    local session = agreement { contents = { page "One", page "Two" } }
    local status, signed = sandbox:sign(session, { name = "Kari Nordmann" })
    assert.equal(200, status)
    assert.same({ state = "SIGNED", stateIsFinal = true }, signed.lifecycle)
    assert.same(signed, read(session))
    assert.equal(2, #signed.output.signatures)
    for i, signature in ipairs(signed.output.signatures) do
      assert.equal("PADES", signature.signatureType)
      assert.equal(session.documents[i].documentId,
        signature.originalDocumentId)
      assert.equal(session.documents[i].documentCollectionId,
        signature.documentCollectionId)
      local _, original = sandbox:call("GET",
        "/sign/documents/" .. signature.originalDocumentId)
      local _, result, headers = sandbox:call("GET",
        "/sign/documents/" .. signature.resultDocumentId)
      assert.equal("application/pdf", headers["content-type"])
      assert.is_true(#result > #original)
      assert.is_true(result:sub(1, #original) == original)
    end
  end)

  it("makes signatures that other programs call valid", function()
    local session = agreement()
    local _, signed = sandbox:sign(session, { name = "Kari Nordmann" })
    local _, result = sandbox:call("GET", "/sign/documents/"
      .. signed.output.signatures[1].resultDocumentId)
    local status, ca, headers = sandbox:call("GET", "/_sandbox/ca.pem", nil,
      { Authorization = false })
    assert.equal(200, status)
    assert.equal("application/x-pem-file", headers["content-type"])

    local jury = judges.new()
    finally(function() jury:close() end)
    jury:trust(judges.write(jury:path "ca.pem", ca))
    local file = judges.write(jury:path "signed.pdf", result)
    local found = jury:signatures(file)
    assert.equal(1, #found)
    assert.equal("Kari Nordmann", found[1]["Signer Certificate Common Name"])
    assert.equal("Signature is Valid.", found[1]["Signature Validation"])
    assert.equal("Certificate is Trusted.",
      found[1]["Certificate Validation"])
    assert.is_true(found[1]["Total document signed"])
    assert.is_true((jury:cades(file)))
  end)

  it("needs no body, no token and no name", function()
    local status = sandbox:call("POST",
      "/_sandbox/sessions/" .. agreement().id .. "/sign", nil,
      { Authorization = false })
    assert.equal(200, status)
  end)

  it("only looks at what is for viewing", function()
    local session = agreement { contents = { page "One" } }
    local documents = session.documents
    documents[1].action = "VIEW"
    session = sandbox:create_session {
      title = "View", documents = documents,
      signingSetup = { { signingFlow = "PKISIGNING", vendor = "NBID" } },
    }
    local status, signed = sandbox:sign(session)
    assert.equal(200, status)
    assert.same({}, signed.output.signatures)
    assert.equal("SIGNED", signed.lifecycle.state)
  end)

  it("keeps results while their session stands", function()
    local session = agreement()
    local _, signed = sandbox:sign(session)
    local path = "/sign/documents/"
      .. signed.output.signatures[1].resultDocumentId
    assert.equal(409, (sandbox:call("DELETE", path)))
    sandbox:call("DELETE", "/sign/signing-sessions/" .. session.id)
    assert.equal(200, (sandbox:call("GET", path)))
    assert.equal(204, (sandbox:call("DELETE", path)))
  end)

  it("rejects with a reason or without", function()
    for _, body in ipairs { { reason = ("ø"):rep(2048) }, false } do
      local session = agreement()
      local status, answer = sandbox:reject(session, body or nil)
      assert.equal(200, status)
      assert.same({ state = "REJECTED", stateIsFinal = true },
        answer.lifecycle)
      assert.same(answer, read(session))
    end
  end)

  it("changes nothing that is final", function()
    local signed, rejected = agreement(), agreement()
    sandbox:sign(signed)
    sandbox:reject(rejected)
    for _, session in ipairs { signed, rejected } do
      local before = read(session)
      conflict("final", sandbox:sign(session))
      conflict("final", sandbox:reject(session))
      assert.same(before, read(session))
    end
  end)

  it("blocks a session until all before it are signed", function()
    local first, second = agreement(), agreement()
    local third = agreement { subsequentTo = { first.id, second.id } }
    local fourth = agreement { subsequentTo = { third.id } }
    assert.same({ state = "BLOCKED", stateIsFinal = false }, third.lifecycle)
    conflict("BLOCKED", sandbox:sign(third))
    conflict("BLOCKED", sandbox:reject(third))
    sandbox:sign(first)
    assert.equal("BLOCKED", sandbox:state(third).state)
    sandbox:sign(second)
    assert.equal("READY", sandbox:state(third).state)
    assert.equal("BLOCKED", sandbox:state(fourth).state)
    assert.equal(200, (sandbox:sign(third)))
    assert.equal("READY", sandbox:state(fourth).state)
  end)

  it("does not block a session behind one that is signed", function()
    local first = agreement()
    sandbox:sign(first)
    local second = agreement { subsequentTo = { first.id:upper(), first.id } }
    assert.equal("READY", second.lifecycle.state)
    assert.same({ first.id, first.id }, second.subsequentTo)
  end)

  it("leaves a session blocked behind one rejected or deleted", function()
    for _, how in ipairs { "reject", "delete" } do
      local first = agreement()
      local second = agreement { subsequentTo = { first.id } }
      if how == "reject" then
        sandbox:reject(first)
      else
        sandbox:call("DELETE", "/sign/signing-sessions/" .. first.id)
      end
      assert.same({ state = "BLOCKED", stateIsFinal = false },
        sandbox:state(second))
    end
  end)

  it("counts one before that was signed, then deleted", function()
    local first, second = agreement(), agreement()
    local third = agreement { subsequentTo = { first.id, second.id } }
    sandbox:sign(first)
    sandbox:call("DELETE", "/sign/signing-sessions/" .. first.id)
    sandbox:sign(second)
    assert.equal("READY", sandbox:state(third).state)
  end)

  it("refuses to sign when the due date has passed", function()
    local session = agreement { dueDate = "2025-04-01T17:32:28Z" }
    conflict("due date", sandbox:sign(session))
    assert.equal("READY", sandbox:state(session).state)
    assert.equal(200, (sandbox:reject(session)))
  end)

  local AUTHENTICATION <const> = { { signingFlow = "AUTHENTICATION_BASED",
                                     vendor = "NBID" } }
  local SBID <const> = { { signingFlow = "PKISIGNING", vendor = "SBID" } }
  local in_xml = {
    { "what is signed by authentication", AUTHENTICATION, "application/pdf" },
    { "text signed by authentication", AUTHENTICATION, "text/markdown" },
    { "what is signed with SBID", SBID, "application/pdf" },
    { "text signed with SBID", SBID, "text/plain; charset=utf-8" },
  }
  for _, case in ipairs(in_xml) do
    local name, setup, mime = table.unpack(case)
    it("gives each document an XML signature: " .. name, function()
      local session = agreement { signingSetup = setup, mime = mime,
                                  contents = { page "One", page "Two" } }
      local status, signed = sandbox:sign(session)
      assert.equal(200, status)
      assert.equal("SIGNED", signed.lifecycle.state)
      assert.same(signed, read(session))
      assert.equal(2, #signed.output.signatures)
      for i, signature in ipairs(signed.output.signatures) do
        assert.equal("XADES", signature.signatureType)
        assert.equal(session.documents[i].documentId,
          signature.originalDocumentId)
        local _, document = sandbox:call("GET", "/sign/documents/"
          .. signature.resultDocumentId .. "/metadata")
        assert.equal("application/xml", document.mimeType)
      end
    end)
  end

  -- A session over a document that is there already.
  local function session_over(id, setup)
    local collection = sandbox:collect({ id }).id
    return sandbox:create_session {
      title = "Again", signingSetup = setup,
      documents = { { documentId = id, documentCollectionId = collection,
                      action = "SIGN" } },
    }
  end

  it("takes nothing signed already for signing by authentication", function()
    for _, setup in ipairs { AUTHENTICATION, SBID,
                             { { signingFlow = "PKISIGNING",
                                 vendor = "NBID" } } } do
      local _, signed = sandbox:sign(agreement { signingSetup = setup })
      local id = signed.output.signatures[1].resultDocumentId
      local session = session_over(id, AUTHENTICATION)
      local status, answer = sandbox:sign(session)
      assert.equal(400, status)
      assert.matches(id .. " is signed already", answer.detail, 1, true)
      assert.same(session, read(session))
      assert.equal(200, (sandbox:sign(session_over(id, SBID))))
    end
  end)

  it("refuses text where a PDF signature is asked for", function()
    local session = agreement { mime = "text/plain; charset=utf-8",
                                contents = { "Agreed" } }
    local status, answer = sandbox:sign(session)
    assert.equal(400, status)
    assert.equal("bad_request", answer.code)
    assert.matches(session.documents[1].documentId, answer.detail, 1, true)
    assert.same(session, read(session))
  end)

  it("refuses what is called a PDF and is none", function()
    local session = agreement { contents = { page "One", "Agreed" } }
    local status, answer = sandbox:sign(session)
    assert.equal(422, status)
    assert.equal("unprocessable_document", answer.code)
    assert.matches(session.documents[2].documentId, answer.detail, 1, true)
    assert.same(session, read(session))
  end)

  it("refuses bodies it does not know", function()
    local session = agreement()
    local cases = {
      { "sign", { name = "" } }, { "sign", { name = ("x"):rep(65) } },
      { "sign", { name = " \u{202E}\u{200B}" } },
      { "sign", { name = "\u{AD}\u{2060}\u{3000}\u{E0041}" } },
      { "sign", { nom = "x" } }, { "sign", { name = 1 } },
      { "reject", { reason = ("x"):rep(2049) } }, { "reject", { why = "x" } },
    }
    for _, case in ipairs(cases) do
      local status, answer = sandbox[case[1]](sandbox, session, case[2])
      assert.equal(400, status)
      assert.equal(next(case[2]), answer.invalidParams[1].name)
    end
    assert.equal("READY", sandbox:state(session).state)
  end)

  it("takes names in any script, as long as a certificate may", function()
    for _, name in ipairs { ("Ø"):rep(64), "Γιώργος", "山田太郎",
                            "a/b, CN=c \"(d)\\" } do
      assert.equal(200, (sandbox:sign(agreement(), { name = name })))
    end
  end)

  it("signs once when asked several times at the same moment", function()
    local session = agreement()
    local socket = require "socket"
    local request = ("POST /_sandbox/sessions/%s/sign HTTP/1.1\r\n"
      .. "Host: localhost\r\nConnection: close\r\n\r\n"):format(session.id)
    local connections, statuses = {}, {}
    for i = 1, 8 do
      connections[i] = assert(socket.connect("127.0.0.1", sandbox.port))
      connections[i]:send(request)
    end
    for i, connection in ipairs(connections) do
      statuses[i] = tonumber(connection:receive("*a"):match "^HTTP/1.1 (%d+)")
      connection:close()
    end
    table.sort(statuses)
    assert.same({ 200, 409, 409, 409, 409, 409, 409, 409 }, statuses)
    assert.equal(1, #read(session).output.signatures)
  end)

  for _, what in ipairs { "sign", "reject" } do
    it("answers 404 to " .. what .. " of an unknown session", function()
      local status, answer = sandbox[what](sandbox,
        { id = service.unknown_id })
      assert.equal(404, status)
      assert.equal("signing_session_not_found", answer.code)
    end)
  end
end)
