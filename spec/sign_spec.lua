-- sign_spec.lua: the three steps to a signing URL in one, and what its error
-- says when one of them fails.

local helper = require "spec.helper"
local sandbox = require "signicat.sandbox"

local session_text = ('[{"id":"%s","title":"Lease 17","signatureUrl":'
  .. '"https://sign.example/sign/?sessionId=x"}]'):format(helper.session)

-- Answers each step as it should be, but for those in `instead`.
local function service(instead)
  local replies = {
    documents = helper.json(200, ('{"documentId":"%s"}')
      :format(helper.document)),
    ["document-collections"] = helper.json(201, ('{"id":"%s"}')
      :format(helper.collection)),
    ["signing-sessions"] = helper.json(201, session_text),
  }
  for step, reply in pairs(instead or {}) do replies[step] = reply end
  return helper.client(function(request)
    return replies[request.url:match "[^/]*$"]
  end)
end

local text = { content = "Agreed", type = "text/plain" }

local function fields(more)
  local all = { file = text, title = "Lease 17" }
  for name, value in pairs(more or {}) do all[name] = value end
  return all
end

describe("client:sign", function()
  it("uploads, collects and creates, and gives the session", function()
    local client, transport = service()
    local session, meta = client:sign(fields {
      signer = { nationalIdentificationNumber = "01010112345" } })
    assert.equal(helper.session, session.id)
    assert.equal("https://sign.example/sign/?sessionId=x",
      session.signatureUrl)
    assert.equal(201, meta.status)
    local paths, body = {}, nil
    for i, request in ipairs(transport.requests) do
      paths[i] = request.url:match "[^/]*$"
      body = request.body
    end
    assert.same({ "documents", "document-collections", "signing-sessions" },
      paths)
    assert.matches('"signingFlow":"AUTHENTICATION_BASED"', body, 1, true)
    assert.matches('"documentId":"' .. helper.document, body, 1, true)
    assert.matches('"documentCollectionId":"' .. helper.collection, body, 1,
      true)
    assert.is_nil(body:find("file", 1, true))
  end)

  it("leaves the caller's table as it was", function()
    local given = fields()
    assert(service():sign(given))
    assert.same(fields(), given)
  end)

  it("checks the session before it sends anything", function()
    for _, case in ipairs {
      { { title = 7 }, "title" }, { { dueDate = "soon" }, "dueDate" },
      { { signatureUrlTTL = 1 }, "signatureUrlTTL" },
      { { signer = { validations = { "X" } } }, "signer.validations[1]" },
      { { tittle = "x" }, "tittle" },
    } do
      local client, transport = service()
      local none, err = client:sign(fields(case[1]))
      assert.is_nil(none)
      assert.equal("invalid", err.kind)
      assert.equal("sign", err.operation)
      assert.equal(case[2], err.fields[1].name)
      assert.same({ step = "check" }, err.result)
      assert.equal(0, #transport.requests)
    end
    assert(service():sign(fields { tittle = "x" }, { allow_unknown = true }))
    assert(service():sign(fields { dueDate = "x" }, { validate = "off" }))
  end)

  -- the step that fails, and what there is by then
  local cases = {
    { "documents", "document", {} },
    { "document-collections", "collection",
      { documentId = helper.document } },
    { "signing-sessions", "session",
      { documentId = helper.document,
        documentCollectionId = helper.collection } },
  }
  for _, case in ipairs(cases) do
    it("says how far it came when its " .. case[2] .. " fails", function()
      local client = service { [case[1]] = { status = 403 } }
      local none, err, meta = client:sign(fields())
      assert.is_nil(none)
      assert.equal("forbidden", err.kind)
      assert.equal(403, meta.status)
      case[3].step = case[2]
      assert.same(case[3], err.result)
    end)
  end

  it("has what a failed step has, too", function()
    local client = service { ["signing-sessions"] =
      helper.json(201, "[]") }
    local _, err = client:sign(fields())
    assert.is_true(err.ambiguous)
    assert.same({}, err.result.session)
    client = service { documents = helper.json(200, ('{"documentId":"%s",'
      .. '"documentHash":{"hash":"%s","hashAlgorithm":"SHA256"}}')
      :format(helper.document, helper.hello_hash)) }
    _, err = client:sign(fields())
    assert.equal("integrity", err.kind)
    assert.equal(helper.document, err.result.documentId)
    assert.equal(helper.document, err.result.document.documentId)
  end)

  it("has a failed file as it is", function()
    local _, err = service():sign(fields { file = "/no/such.pdf" })
    assert.equal("io", err.kind)
    assert.same({ step = "document" }, err.result)
  end)

  it("raises for what can only be a mistake", function()
    local client = service()
    for _, mistake in ipairs {
      function() client:sign() end, function() client:sign {} end,
      function() client:sign { file = 7 } end,
      function() client:sign(fields { documents = {} }) end,
      function() client:sign(fields(), { timeuot = 7 }) end,
      function() client:sign(fields { file = { pth = "x" } }) end,
    } do
      local is_fine, message = pcall(mistake)
      assert.is_false(is_fine)
      assert.matches("^spec/sign_spec%.lua:%d+: ", message)
    end
  end)

  it("is one call from a file to a signature", function()
    local sandbox_service = assert(sandbox.start())
    local client = assert(sandbox_service:client())
    finally(function() client:close() sandbox_service:stop() end)
    local session = assert(client:sign { file = "examples/lease.pdf",
                                         title = "Lease 17" })
    assert.equal("READY", session.lifecycle.state)
    assert(sandbox_service:sign(session))
    assert(client.sessions:wait(session))
  end)
end)
