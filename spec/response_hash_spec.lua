-- response_hash_spec.lua: whether a document's bytes are those of its hash,
-- as response.c finds it when they were sent or came.

local core = require "signicat.core"
local helper = require "spec.helper"

local document, json = helper.document, helper.json
local hello = { content = "hello", type = "text/plain" }

describe("an upload", function()
  local function answer(hash)
    return json(200, { documentId = document,
      documentHash = { hash = hash, hashAlgorithm = "SHA256" } })
  end

  -- A transport that reads the body, as every real one does.
  local function upload(reply)
    local client = helper.client(function(request)
      assert.equal("hello", request.body)
      return reply
    end)
    return client.documents:upload(hello)
  end

  it("whose hash comes back is verified", function()
    local value, meta = upload(answer(helper.hello_hash))
    assert.equal(document, value.documentId)
    assert.equal(helper.hello_hash, meta.sha256)
    assert.is_true(meta.verified)
  end)

  it("whose hash is of another kind is not verified, and no error",
    function()
      local sha512 = ("B"):rep(86) .. "=="
      for _, hash in ipairs {
        { hash = sha512, hashAlgorithm = "SHA512" }, { hash = sha512 },
        { hash = ("A"):rep(43) .. "=", hashAlgorithm = "SHA3-256" },
      } do
        local value, meta = upload(json(200, { documentId = document,
          documentHash = hash }))
        assert.equal(document, value.documentId)
        assert.is_false(meta.verified)
      end
    end)

  it("may call SHA-256 by its older name", function()
    local _, meta = upload(json(200, { documentId = document,
      documentHash = { hash = helper.hello_hash,
                       hashAlgorithm = "SHA-256" } }))
    assert.is_true(meta.verified)
  end)

  it("whose hash differs is an integrity error with the document", function()
    local other = ("A"):rep(43) .. "="
    local value, err, meta = upload(answer(other))
    assert.is_nil(value)
    assert.equal("integrity", err.kind)
    assert.equal(document, err.result.documentId)
    assert.is_false(err.retryable)
    assert.is_false(err.ambiguous)
    assert.is_false(meta.verified)
    assert.equal(helper.hello_hash, meta.sha256)
  end)

  for title, text in pairs {
    ["no hash"] = '{"documentId":"x"}',
    ["a hash that is null"] = '{"documentId":"x","documentHash":null}',
    ["a hash of another form"] = '{"documentId":"x","documentHash":"x"}',
    ["a hash that is a number"] =
      '{"documentId":"x","documentHash":{"hash":1}}',
    ["a list for a hash"] = '{"documentId":"x","documentHash":[1]}' } do
    it("that gets " .. title .. " is not verified", function()
      local value, meta = upload(json(200, text))
      assert.is_truthy(value)
      assert.is_false(meta.verified)
      assert.equal(helper.hello_hash, meta.sha256)
    end)
  end

  it("is hashed once, however often it is read", function()
    local client = helper.client()
    client.transport = { send = function(_, request)
      for _ = 1, 3 do assert.equal("hello", request.body) end
      return answer(helper.hello_hash)
    end }
    local _, meta = client.documents:upload(hello)
    assert.is_true(meta.verified)
  end)
end)

describe("a download", function()
  local function holder(hash)
    return { documentId = document, documentHash = { hash = hash } }
  end

  local function download(given, opts, body)
    local client = helper.client { status = 200, body = body or "hello" }
    return client.documents:download(given, opts)
  end

  it("of a document with its hash is verified", function()
    local value, meta = download(holder(helper.hello_hash))
    assert.equal("hello", value)
    assert.is_true(meta.verified)
    assert.equal(helper.hello_hash, meta.sha256)
  end)

  it("of a document that was answered is verified", function()
    local client = helper.client(json(200, holder(helper.hello_hash)))
    local known = assert(client.documents:metadata(document))
    local _, meta = download(known)
    assert.is_true(meta.verified)
  end)

  it("of an id is not verified, and its hash is told", function()
    local value, meta = download(document)
    assert.equal("hello", value)
    assert.is_false(meta.verified)
    assert.equal(helper.hello_hash, meta.sha256)
  end)

  it("of other bytes is an integrity error, and nothing is kept", function()
    for _, body in ipairs { "Hello", "hell", "" } do
      local value, err, meta = download(holder(helper.hello_hash), nil, body)
      assert.is_nil(value)
      assert.equal("integrity", err.kind)
      assert.is_false(meta.verified)
      assert.is_nil(err.body)
    end
  end)

  for title, hash in pairs {
    ["of another length"] = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ",
    ["that is empty"] = "", ["that is a number"] = 7,
    ["that is null"] = core.null } do
    it("with a hash " .. title .. " is not verified", function()
      local value, meta = download(holder(hash))
      assert.equal("hello", value)
      assert.is_false(meta.verified)
    end)
  end

  it("to a file is compared before it has its name", function()
    local folder, remove = helper.folder()
    local path = folder .. "/a"
    assert.equal(path, download(holder(helper.hello_hash), { to = path }))
    assert.equal("hello", helper.read(path))
    assert(os.remove(path))
    for _, body in ipairs { "Hello", "" } do
      local value, err = download(holder(helper.hello_hash), { to = path },
        body)
      assert.is_nil(value)
      assert.equal("integrity", err.kind)
      assert.same({}, helper.names_in(folder))
    end
    remove()
  end)
end)
