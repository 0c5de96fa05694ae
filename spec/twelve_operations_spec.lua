-- Each of the twelve operations against the sandbox, through the client; and
-- that there are these twelve and no more.

local core = require "signicat.core"
local sandbox = require "signicat.sandbox"

local PDF_TEXT = "%PDF-1.4\nnot a real one, only bytes to keep\n"
local UNKNOWN = "01234567-89ab-7def-8123-456789abcdef"

describe("the sandbox, through the client", function()
  local service, sign

  setup(function()
    service = assert(sandbox.start())
    sign = assert(service:client())
  end)

  teardown(function()
    if sign then sign:close() end
    if service then service:stop() end
  end)

  local function upload()
    return assert(sign.documents:upload { content = PDF_TEXT,
                                          type = "application/pdf" })
  end

  local function collect(document)
    return assert(sign.collections:create {
      documents = { { documentId = document.documentId } } })
  end

  local function begin(more)
    local document = upload()
    local collection = collect(document)
    local session = {
      title = "Lease 17",
      documents = { { documentId = document.documentId,
                      documentCollectionId = collection.id,
                      action = "SIGN" } },
      signingSetup = { { signingFlow = "PKISIGNING", vendor = "NBID" } },
    }
    for name, value in pairs(more or {}) do session[name] = value end
    local sessions, meta = sign.sessions:create { session }
    return assert(sessions, meta)[1], meta
  end

  --- The API's name for each operation, and what happens when it is called.
  local twelve = {
    uploadDocument = function()
      local document, meta = sign.documents:upload {
        content = PDF_TEXT, type = "application/pdf" }
      assert.equal(200, meta.status)
      assert.is_true(meta.verified)
      assert.equal("application/pdf", document.mimeType)
      assert.equal(meta.sha256, document.documentHash.hash)
    end,

    getDocument = function()
      local document = upload()
      local bytes, meta = sign.documents:download(document)
      assert.equal(PDF_TEXT, bytes)
      assert.is_true(meta.verified)
      assert.equal("application/pdf", meta.headers["content-type"])
    end,

    deleteDocument = function()
      local document = upload()
      local done, meta = sign.documents:delete(document)
      assert.is_true(done)
      assert.equal(204, meta.status)
      local gone, err = sign.documents:metadata(document)
      assert.is_nil(gone)
      assert.equal("not_found", err.kind)
      assert.equal("document_not_found", err.code)
    end,

    updateDocumentMetadata = function()
      local document = upload()
      local updated, meta = sign.documents:update(document,
        { title = "Leie 17, Tromsø", filename = "lease.pdf" })
      assert.equal(200, meta.status)
      assert.equal("Leie 17, Tromsø", updated.title)
      updated = assert(sign.documents:update(document,
        { description = "kept" }))
      assert.equal("Leie 17, Tromsø", updated.title)
      assert.equal("kept", updated.description)
    end,

    getDocumentInfo = function()
      local document = upload()
      local read, meta = sign.documents:metadata(document.documentId)
      assert.equal(200, meta.status)
      assert.equal(document, read)
      assert.same(document.documentHash, read.documentHash)
      assert.is_nil(read.title)
    end,

    createDocumentCollection = function()
      local document = upload()
      local collection, meta = sign.collections:create {
        documents = { { documentId = document.documentId,
                        description = "the lease" } },
        packageTo = { "PADES_CONTAINER" } }
      assert.equal(201, meta.status)
      assert.equal("the lease", collection.documents[1].description)
      assert.same({ "PADES_CONTAINER" }, collection.packageTo)
    end,

    getDocumentCollection = function()
      local collection = collect(upload())
      local read, meta = sign.collections:get(collection)
      assert.equal(200, meta.status)
      assert.equal(collection, read)
      assert.same(collection.documents, read.documents)
    end,

    deleteDocumentCollection = function()
      local collection = collect(upload())
      local done, meta = sign.collections:delete(collection)
      assert.is_true(done)
      assert.equal(204, meta.status)
      local _, err = sign.collections:get(collection)
      assert.equal("document_collection_not_found", err.code)
    end,

    createSigningSession = function()
      local session, meta = begin { externalReference = core.null,
                                    packageTo = {}, signatureUrlTTL = 60 }
      assert.equal(201, meta.status)
      assert.equal("READY", session.lifecycle.state)
      assert.is_false(session.lifecycle.stateIsFinal)
      assert.equal(60, session.signatureUrlTTL)
      assert.matches("^http://127%.0%.0%.1:%d+/sign/%?sessionId=",
        session.signatureUrl)
      assert.is_nil(session.signatureUrl:find(session.id, 1, true))
    end,

    listSigningSessions = function()
      local title = "Only here " .. core.random()
      local session = begin { title = title }
      local page, meta = sign.sessions:list {
        sessionTitleLike = title:upper(), state = { "READY", "BLOCKED" },
        sort = { "+dueDate", "-createdAt" }, limit = 10, offset = 0,
        createdDateFrom = "2024-01-01T00:00:00Z" }
      assert.equal(200, meta.status)
      assert.same({ 1, 1, 10, 0 },
        { page.count, page.total, page.limit, page.offset })
      assert.equal(session, page.data[1])
    end,

    getSigningSession = function()
      local session = begin { externalReference = "order-17" }
      local read, meta = sign.sessions:get(session)
      assert.equal(200, meta.status)
      assert.equal(session, read)
      assert.equal("order-17", read.externalReference)
      assert.equal(session.signatureUrl, read.signatureUrl)
    end,

    deleteSigningSession = function()
      local session = begin()
      local done, meta = sign.sessions:delete(session)
      assert.is_true(done)
      assert.equal(204, meta.status)
      local _, err = sign.sessions:get(session)
      assert.equal("signing_session_not_found", err.code)
    end,
  }

  for id, check in pairs(twelve) do
    it("does " .. id, check)
  end

  it("has no operation besides these twelve", function()
    local rows, here = {}, {}
    for id in pairs(core.operations) do rows[#rows + 1] = id end
    for id in pairs(twelve) do here[#here + 1] = id end
    table.sort(rows)
    table.sort(here)
    assert.equal(12, #here)
    assert.same(here, rows)
  end)

  it("answers an unknown id with not_found, whatever is asked", function()
    local calls = {
      { sign.documents, "download" }, { sign.documents, "metadata" },
      { sign.documents, "delete" }, { sign.collections, "get" },
      { sign.collections, "delete" }, { sign.sessions, "get" },
      { sign.sessions, "delete" },
    }
    for _, pair in ipairs(calls) do
      local value, err = pair[1][pair[2]](pair[1], UNKNOWN)
      assert.is_nil(value)
      assert.equal("not_found", err.kind)
      assert.equal(404, err.status)
      assert.matches("^%x+$", err.trace_id)
    end
  end)

  it("refuses a media type in the service's own words", function()
    local document, err = sign.documents:upload { content = "GIF89a",
                                                  type = "image/gif" }
    assert.is_nil(document)
    assert.equal("unsupported", err.kind)
    assert.equal("unsupported_media_type", err.code)
    assert.is_false(err.ambiguous)
  end)

  it("says which parameter the service refused when we did not check",
    function()
      local document = upload()
      local _, err = sign.documents:update(document,
        { title = ("x"):rep(256) }, { validate = "off" })
      assert.equal("invalid", err.kind)
      assert.equal("invalid_request_parameter", err.code)
      assert.equal("title", err.fields[1].name)
    end)

  it("says that the secret is wrong", function()
    local stranger = assert(service:client { client_secret = "wrong" })
    local session, err = stranger.sessions:get(UNKNOWN)
    assert.is_nil(session)
    assert.equal("auth", err.kind)
    assert.equal("token", err.operation)
    assert.equal("invalid_client", err.code)
    stranger:close()
  end)

  it("accepts credentials as HTTP Basic, a ready token and a function",
    function()
      local basic = assert(service:client {
        auth_method = "client_secret_basic" })
      assert(basic.sessions:list())
      local answer = assert(basic:request("GET", "/signing-sessions",
        { query = { limit = 1 } }))
      assert.equal(1, answer.limit)
      basic:close()
      local refused = assert(service:client { token = "no-such-token" })
      local _, err = refused.sessions:list()
      assert.same({ "auth", 401, "invalid_token" },
        { err.kind, err.status, err.code })
      refused:close()
    end)

  it("signs, waits and gives a PDF only to who may have it", function()
    local session = begin()
    local refused, err = service:sign(session)
    -- The bytes are no PDF: the sandbox says so and signs nothing.
    assert.is_nil(refused)
    assert.is_true(err.status >= 400 and err.status < 500)
    assert.equal("READY", assert(sign.sessions:get(session)).lifecycle.state)
  end)

  it("tells who waits that the signer declined", function()
    local session = begin()
    assert(service:reject(session, { reason = "not my lease" }))
    local done, err = sign.sessions:wait(session)
    assert.is_nil(done)
    assert.equal("rejected", err.kind)
    assert.equal(session, err.result)
  end)

  it("tells who waits that a session before was declined", function()
    local first = begin()
    local second = begin { subsequentTo = { first.id } }
    assert.equal("BLOCKED", second.lifecycle.state)
    assert(service:reject(first))
    local _, err = sign.sessions:wait(second)
    assert.equal("rejected", err.kind)
    assert.equal(second, err.result)
  end)
end)
