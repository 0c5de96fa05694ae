-- The whole loop on a real PDF, its result judged by programs nobody here
-- wrote.

local judges = require "spec.support.judges"
local sandbox = require "signicat.sandbox"

local LEASE = "examples/lease.pdf"

describe("the signing loop", function()
  local judge, service, sign

  setup(function()
    judge = judges.new()
    service = assert(sandbox.start())
    sign = assert(service:client())
    local ca = assert(service:ca_certificate())
    judge:trust(judges.write(judge:path "ca.pem", ca))
  end)

  teardown(function()
    if sign then sign:close() end
    if service then service:stop() end
    if judge then judge:close() end
  end)

  --- One session over these documents, by default to be signed.
  local function begin(actions)
    local references, documents = {}, {}
    for i = 1, #actions do
      local document = assert(sign.documents:upload { path = LEASE })
      references[i] = { documentId = document.documentId }
      documents[i] = { documentId = document.documentId,
                       action = actions[i] }
    end
    local bundle = assert(sign.collections:create {
      documents = references })
    for i = 1, #actions do documents[i].documentCollectionId = bundle.id end
    return assert(sign.sessions:create { {
      title = "Lease 17", documents = documents,
      signingSetup = { { signingFlow = "PKISIGNING", vendor = "NBID" } },
    } })[1]
  end

  it("ends with a PDF that pdfsig and openssl accept", function()
    local session = begin { "SIGN" }
    assert(service:sign(session, { name = "Åse Nordmann" }))
    local done = assert(sign.sessions:wait(session, { timeout = 60 }))
    assert.equal("SIGNED", done.lifecycle.state)
    local signature = done.output.signatures[1]
    assert.equal("PADES", signature.signatureType)
    assert.equal(session.documents[1].documentId,
      signature.originalDocumentId)

    local target = judge:path "signed.pdf"
    local result = assert(sign.documents:metadata(
      signature.resultDocumentId))
    local path, meta = assert(sign.documents:download(result,
      { to = target }))
    assert.equal(target, path)
    assert.is_true(meta.verified)

    local found = judge:signatures(target)
    assert.equal(1, #found)
    assert.equal("Signature is Valid.", found[1]["Signature Validation"])
    assert.equal("Certificate is Trusted.",
      found[1]["Certificate Validation"])
    assert.equal("Åse Nordmann",
      found[1]["Signer Certificate Common Name"])
    assert.is_true(found[1]["Total document signed"])
    assert.is_true(judge:cades(target))

    local original, bytes = judges.read(LEASE), judges.read(target)
    assert.is_true(bytes:sub(1, #original) == original)
  end)

  it("is not fooled by a byte that was changed afterwards", function()
    local session = begin { "SIGN" }
    assert(service:sign(session))
    local done = assert(sign.sessions:get(session))
    local bytes = assert(sign.documents:download(
      done.output.signatures[1].resultDocumentId))
    local flipped = bytes:sub(1, 1000)
      .. string.char((bytes:byte(1001) + 1) % 256) .. bytes:sub(1002)
    local path = judges.write(judge:path "flipped.pdf", flipped)
    local found = judge:signatures(path)
    assert.equal("Digest Mismatch.", found[1]["Signature Validation"])
    assert.is_false(judge:cades(path))
  end)

  it("signs what is to be signed and leaves what is to be viewed",
    function()
      local session = begin { "SIGN", "VIEW", "SIGN" }
      assert(service:sign(session))
      local done = assert(sign.sessions:get(session))
      local signed = {}
      for i, signature in ipairs(done.output.signatures) do
        signed[i] = signature.originalDocumentId
      end
      assert.same({ session.documents[1].documentId,
                    session.documents[3].documentId }, signed)
    end)

  it("lets the next signer begin when the one before has signed", function()
    local first = begin { "SIGN" }
    local document = first.documents[1]
    local second = assert(sign.sessions:create { {
      title = "Lease 17, second", subsequentTo = { first.id },
      documents = { { documentId = document.documentId, action = "SIGN",
                      documentCollectionId =
                        document.documentCollectionId } },
      signingSetup = { { signingFlow = "PKISIGNING", vendor = "NBID" } },
    } })[1]
    assert.equal("BLOCKED", second.lifecycle.state)
    local refused, err = service:sign(second)
    assert.is_nil(refused)
    assert.equal("conflict", err.kind)
    assert(service:sign(first))
    assert.equal("READY",
      assert(sign.sessions:get(second)).lifecycle.state)
    assert(service:sign(second))
    assert(sign.sessions:wait(second, { timeout = 60 }))
  end)

  it("ends with XML that xmlsec1 accepts, for a text as well", function()
    local document = assert(sign.documents:upload {
      content = "Agreed on both sides.\n", type = "text/plain" })
    local bundle = assert(sign.collections:create {
      documents = { { documentId = document.documentId } } })
    local session = assert(sign.sessions:create { {
      title = "Lease 17, as text",
      documents = { { documentId = document.documentId, action = "SIGN",
                      documentCollectionId = bundle.id } },
      signingSetup = { { signingFlow = "AUTHENTICATION_BASED",
                         identityProviders = { { idpName = "nbid" } } } },
    } })[1]
    assert(service:sign(session, { name = "Åse Nordmann" }))
    local done = assert(sign.sessions:wait(session, { timeout = 60 }))
    local signature = done.output.signatures[1]
    assert.equal("XADES", signature.signatureType)
    local target = judge:path "signed.xml"
    local _, meta = assert(sign.documents:download(
      signature.resultDocumentId, { to = target }))
    assert.equal("application/xml", meta.headers["content-type"])
    local accepted, words = judge:xades(target)
    assert.is_true(accepted, words)
  end)

  it("packages a collection when all have signed", function()
    local document = assert(sign.documents:upload { path = LEASE })
    local bundle = assert(sign.collections:create {
      documents = { { documentId = document.documentId } },
      packageTo = { "PADES_CONTAINER" } })
    local session = assert(sign.sessions:create { {
      title = "A package",
      documents = { { documentId = document.documentId, action = "SIGN",
                      documentCollectionId = bundle.id } },
      signingSetup = { { signingFlow = "PKISIGNING", vendor = "NBID" } },
    } })[1]
    assert(service:sign(session))
    local done = assert(sign.collections:wait(bundle, { timeout = 60 }))
    local target = judge:path "package.pdf"
    assert(sign.documents:download(done.output.packages[1].resultDocumentId,
      { to = target }))
    assert.equal("Signature is Valid.",
      judge:signatures(target)[1]["Signature Validation"])
  end)
end)
