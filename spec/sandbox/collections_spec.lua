-- The three operations on document collections.

local service = require "spec.sandbox.service"

local PATH <const> = "/sign/document-collections"

describe("the sandbox's collections", function()
  local sandbox, document

  setup(function()
    sandbox = service.start()
    document = sandbox:upload().documentId
  end)
  teardown(function() sandbox:finish() end)

  it("are answered as they were sent, with an id and an output", function()
    local sent = {
      documents = { { documentId = document, description = "the lease" },
                    { documentId = sandbox:upload().documentId } },
      packageTo = { "PADES_CONTAINER" },
    }
    local status, collection = sandbox:call("POST", PATH, sent)
    assert.equal(201, status)
    assert.matches("^%x+%-%x+%-7%x+%-%x+%-%x+$", collection.id)
    assert.same(sent.documents, collection.documents)
    assert.same(sent.packageTo, collection.packageTo)
    assert.same({ packages = {} }, collection.output)

    local read
    status, read = sandbox:call("GET", PATH .. "/" .. collection.id)
    assert.equal(200, status)
    assert.same(collection, read)
  end)

  it("have no packageTo that was not sent", function()
    assert.is_nil(sandbox:collect({ document }).packageTo)
  end)

  it("take a hundred documents and five package types", function()
    local documents, types = {}, {}
    for i = 1, 100 do documents[i] = { documentId = document } end
    for i = 1, 5 do types[i] = "PADES_CONTAINER" end
    local status, collection = sandbox:call("POST", PATH,
      { documents = documents, packageTo = types })
    assert.equal(201, status)
    assert.same(documents, collection.documents)
  end)

  it("take an id in capitals and answer it in lower case", function()
    assert.equal(document,
      sandbox:collect({ document:upper() }).documents[1].documentId)
  end)

  local function items(count)
    local text = {}
    for i = 1, count do
      text[i] = ('{"documentId":"%s"}'):format(service.unknown_id)
    end
    return "[" .. table.concat(text, ",") .. "]"
  end
  local one = items(1)
  local refusals = {
    { "a list", "[]", { "body" } },
    { "no documents", "{}", { "documents" } },
    { "an empty list of documents", '{"documents":[]}', { "documents" } },
    { "a document too many", ('{"documents":%s}'):format(items(101)),
      { "documents" } },
    { "a document that is text", '{"documents":["x"]}', { "documents[0]" } },
    { "a document without an id", '{"documents":[{}]}',
      { "documents[0].documentId" } },
    { "an id that is none", '{"documents":[{"documentId":"17"}]}',
      { "documents[0].documentId" } },
    { "a package type that is none",
      ('{"documents":%s,"packageTo":["ZIP"]}'):format(one),
      { "packageTo[0]" } },
    { "six package types",
      ('{"documents":%s,"packageTo":[%s]}'):format(one,
        ('"PADES_CONTAINER",'):rep(5) .. '"PADES_CONTAINER"'),
      { "packageTo" } },
    { "an unknown field", ('{"documents":%s,"name":"x"}'):format(one),
      { "name" } },
    { "several faults, all at once",
      '{"documents":[{"documentId":1},{}],"packageTo":{},"x":1}',
      { "documents[0].documentId", "documents[1].documentId", "packageTo",
        "x" } },
  }
  for _, refusal in ipairs(refusals) do
    local name, body, fields = table.unpack(refusal)
    it("are refused with " .. name, function()
      local status, answer = sandbox:call("POST", PATH, body,
        { ["Content-Type"] = "application/json" })
      assert.equal(400, status)
      assert.equal("invalid_request_parameter", answer.code)
      local names = {}
      for i, param in ipairs(answer.invalidParams) do names[i] = param.name end
      assert.same(fields, names)
    end)
  end

  it("bound the findings of a body that is wrong everywhere", function()
    local body = { documents = { { documentId = document } } }
    for i = 1, 500 do body["field" .. i] = 1 end
    local _, answer = sandbox:call("POST", PATH, body)
    assert.equal(100, #answer.invalidParams)
  end)

  it("name an unknown field of any length in valid UTF-8", function()
    local name = "x" .. ("ø"):rep(5000)
    local _, answer = sandbox:call("POST", PATH, { [name] = 1 })
    local shown = answer.invalidParams[2].name
    assert.is_true(utf8.len(shown) ~= nil and #shown <= 64)
    assert.equal(shown, name:sub(1, #shown))
  end)

  it("are refused with a document nobody uploaded, and leave nothing",
    function()
      local status, answer = sandbox:call("POST", PATH, { documents = {
        { documentId = document }, { documentId = service.unknown_id } } })
      assert.equal(404, status)
      assert.equal("document_not_found", answer.code)
      assert.matches("documents[1].documentId", answer.detail, 1, true)
    end)

  it("are refused in another type", function()
    assert.equal(415, (sandbox:call("POST", PATH, "{}",
      { ["Content-Type"] = "text/plain" })))
    assert.equal(415, (sandbox:call("POST", PATH, "{}")))
  end)

  it("can be deleted once", function()
    local collection = sandbox:collect { document }
    local path = PATH .. "/" .. collection.id
    assert.equal(204, (sandbox:call("DELETE", path)))
    assert.equal(404, (sandbox:call("DELETE", path)))
    assert.equal(404, (sandbox:call("GET", path)))
  end)

  it("cannot be deleted while a session names them", function()
    local session = sandbox:session()
    local path = PATH .. "/" .. session.documents[1].documentCollectionId
    local status, answer = sandbox:call("DELETE", path)
    assert.equal(409, status)
    assert.equal("conflict", answer.code)
    sandbox:call("DELETE", "/sign/signing-sessions/" .. session.id)
    assert.equal(204, (sandbox:call("DELETE", path)))
  end)

  for _, method in ipairs { "GET", "DELETE" } do
    it("answer " .. method .. " of an unknown id with 404", function()
      local status, answer = sandbox:call(method,
        PATH .. "/" .. service.unknown_id)
      assert.equal(404, status)
      assert.equal("document_collection_not_found", answer.code)
    end)
    it("answer " .. method .. " of what is no id with 400", function()
      local status, answer = sandbox:call(method, PATH .. "/17")
      assert.equal(400, status)
      assert.equal("documentCollectionId", answer.invalidParams[1].name)
    end)
  end
end)
