-- The five operations on documents.

local service = require "spec.sandbox.service"

local PDF <const> = "application/pdf"

describe("the sandbox's documents", function()
  local sandbox

  setup(function() sandbox = service.start() end)
  teardown(function() sandbox:finish() end)

  local function path(document, rest)
    return "/sign/documents/" .. document.documentId .. (rest or "")
  end

  local function post(bytes, mime, headers)
    headers = headers or {}
    headers["Content-Type"] = mime
    return sandbox:call("POST", "/sign/documents", bytes, headers)
  end

  it("are answered with their facts when they are stored", function()
    local status, document, headers = post("abc", PDF)
    assert.equal(200, status)
    assert.equal("application/json", headers["content-type"])
    assert.equal(PDF, document.mimeType)
    assert.matches("^%x+%-%x+%-7%x+%-[89ab]%x+%-%x+$", document.documentId)
    assert.matches("^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%d%.?%d*Z$",
      document.createdAt)
    assert.same({
      hash = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
      hashAlgorithm = "SHA256",
    }, document.documentHash)
  end)

  it("come back byte for byte, with the type they had", function()
    local every_byte = {}
    for byte = 0, 255 do every_byte[#every_byte + 1] = string.char(byte) end
    local bytes = table.concat(every_byte):rep(8000)
    local document = sandbox:upload(bytes, "text/markdown")
    local status, answer, headers = sandbox:call("GET", path(document))
    assert.equal(200, status)
    assert.is_true(answer == bytes)
    assert.equal("text/markdown", headers["content-type"])
    assert.equal(tostring(#bytes), headers["content-length"])
  end)

  it("come in chunks as well", function()
    local answer = sandbox:raw(sandbox:head("POST", "/sign/documents",
      "Content-Type: text/plain\r\nConnection: close\r\n"
      .. "Transfer-Encoding: chunked\r\n"),
      "3\r\nabc\r\n", "5\r\ndefgh\r\n0\r\n\r\n")
    local id = answer:match '"documentId":"([^"]+)"'
    local _, bytes = sandbox:call("GET", path { documentId = id })
    assert.equal("abcdefgh", bytes)
  end)

  it("keep the parameters of their type", function()
    local document = sandbox:upload("x", "Text/Plain; charset=utf-8")
    assert.equal("Text/Plain; charset=utf-8", document.mimeType)
    local _, _, headers = sandbox:call("GET", path(document))
    assert.equal("Text/Plain; charset=utf-8", headers["content-type"])
  end)

  it("are refused with another type, or none", function()
    for _, mime in ipairs { "image/png", "application/pdfx", "text", "",
                            "application/pdf, text/plain",
                            "text/plain; x=\xff",
                            "text/plain; x=" .. ("x"):rep(300) } do
      local status, answer, headers = post("x", mime)
      assert.equal(415, status)
      assert.equal("unsupported_media_type", answer.code)
      assert.equal("application/problem+json", headers["content-type"])
    end
    assert.equal(415, (post("x", false)))
  end)

  it("are refused without a byte", function()
    local status, answer = post("", PDF)
    assert.equal(400, status)
    assert.equal("bad_request", answer.code)
  end)

  it("have metadata that is only theirs once it is set", function()
    local document = sandbox:upload()
    local status, answer = sandbox:call("GET", path(document, "/metadata"))
    assert.equal(200, status)
    assert.same(document, answer)

    status, answer = sandbox:call("PATCH", path(document, "/metadata"),
      { title = "Leie «17»", filename = "lease.txt" })
    assert.equal(200, status)
    assert.equal("Leie «17»", answer.title)
    assert.is_nil(answer.description)

    status, answer = sandbox:call("PATCH", path(document, "/metadata"),
      { description = "for flat 17", title = "Lease" })
    assert.equal(200, status)
    document.filename, document.title = "lease.txt", "Lease"
    document.description = "for flat 17"
    assert.same(document, answer)
    status, answer = sandbox:call("GET", path(document, "/metadata"))
    assert.equal(200, status)
    assert.same(document, answer)
  end)

  it("take metadata of exactly the longest size", function()
    local document = sandbox:upload()
    for field, most in pairs { filename = 255, title = 255,
                               description = 1000 } do
      local status = sandbox:call("PATCH", path(document, "/metadata"),
        { [field] = ("ø"):rep(most) })
      assert.equal(200, status)
      local answer
      status, answer = sandbox:call("PATCH", path(document, "/metadata"),
        { [field] = ("ø"):rep(most + 1) })
      assert.equal(400, status)
      assert.equal("invalid_request_parameter", answer.code)
      assert.equal(field, answer.invalidParams[1].name)
    end
  end)

  local bad_metadata = {
    { "an unknown field", '{"mimeType":"text/plain"}', "mimeType" },
    { "a number", '{"title":1}', "title" },
    { "null", '{"title":null}', "title" },
    { "a list", '["title"]', "body" },
    { "no JSON", "title=x" }, { "nothing", "" }, { "half a text", '{"title"' },
    { "a name twice", '{"title":"a","title":"b"}' },
    { "a NUL", '{"title":"\\u0000"}' }, { "no UTF-8", '{"title":"\xff"}' },
    { "depth", ("["):rep(100000) },
    { "a zero byte behind a number", '{"title":1\0}' },
  }
  for _, case in ipairs(bad_metadata) do
    local name, body, field = table.unpack(case)
    it("refuse metadata with " .. name, function()
      local status, answer = sandbox:call("PATCH",
        path(sandbox:upload(), "/metadata"), body,
        { ["Content-Type"] = "application/json" })
      assert.equal(400, status)
      assert.equal(field and "invalid_request_parameter" or "bad_request",
        answer.code)
      assert.equal(field, answer.invalidParams and
        answer.invalidParams[1].name)
    end)
  end

  it("are gone for good once they are deleted", function()
    local document = sandbox:upload()
    local status, answer = sandbox:call("DELETE", path(document))
    assert.equal(204, status)
    assert.equal("", answer)
    for _, call in ipairs { { "GET" }, { "DELETE" }, { "GET", "/metadata" } } do
      assert.equal(404, (sandbox:call(call[1], path(document, call[2]))))
    end
  end)

  it("cannot be deleted while a collection holds them", function()
    local document = sandbox:upload()
    local collection = sandbox:collect { document.documentId }
    local status, answer = sandbox:call("DELETE", path(document))
    assert.equal(409, status)
    assert.equal("conflict", answer.code)
    assert.equal(200, (sandbox:call("GET", path(document))))
    sandbox:call("DELETE", "/sign/document-collections/" .. collection.id)
    assert.equal(204, (sandbox:call("DELETE", path(document))))
  end)

  local calls = { { "GET" }, { "DELETE" }, { "GET", "/metadata" },
                  { "PATCH", "/metadata", {} } }
  for _, call in ipairs(calls) do
    local method, rest, body = table.unpack(call, 1, 3)
    local name = method .. (rest or "")
    it("answer 404 to " .. name .. " of an unknown id", function()
      local status, answer = sandbox:call(method,
        path({ documentId = service.unknown_id }, rest), body)
      assert.equal(404, status)
      assert.equal("document_not_found", answer.code)
      assert.equal("Could not find document", answer.title)
    end)
    it("answer 400 to " .. name .. " of what is no id", function()
      local status, answer = sandbox:call(method,
        path({ documentId = "17" }, rest), body)
      assert.equal(400, status)
      assert.equal("documentId", answer.invalidParams[1].name)
    end)
  end

  it("are found by an id in capitals", function()
    local document = sandbox:upload "abc"
    document.documentId = document.documentId:upper()
    local _, bytes = sandbox:call("GET", path(document))
    assert.equal("abc", bytes)
  end)
end)
