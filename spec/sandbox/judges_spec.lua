-- What the sandbox signs, before all judges at once: PDFs written here and
-- the manuals of other projects, each with a twin in which a byte differs.

local judges = require "spec.support.judges"
local service = require "spec.sandbox.service"

local PDF <const> = "application/pdf"
local AUTHENTICATION <const> = { { signingFlow = "AUTHENTICATION_BASED" } }

describe("a judge of", function()
  local sandbox, judge

  setup(function()
    sandbox = service.start()
    judge = judges.of(sandbox)
  end)
  teardown(function()
    judge:close()
    sandbox:finish()
  end)

  local function fetch(id, name)
    local _, bytes = sandbox:call("GET", "/sign/documents/" .. id)
    return judges.write(judge:path(name), bytes)
  end

  -- A copy in which the byte behind these words has another lowest bit.
  local function twin_of(path, words)
    local bytes = judges.read(path)
    local _, at = bytes:find(words)
    at = assert(at, words) + 1
    return judges.write(judge:path "twin", bytes:sub(1, at - 1)
      .. string.char(bytes:byte(at) ~ 1) .. bytes:sub(at + 1))
  end

  -- What each judge says of a PDF's last signature.
  local function verdicts(path)
    local signatures = judge:signatures(path)
    local last = signatures[#signatures]
    return {
      pdfsig = last["Signature Validation"] == "Signature is Valid."
        and last["Certificate Validation"] == "Certificate is Trusted."
        and last["Total document signed"] == true,
      openssl = (judge:cades(path)), pkijs = (judge:pkijs(path)),
    }
  end

  local ALL <const> = { pdfsig = true, openssl = true, pkijs = true }
  local NONE <const> = { pdfsig = false, openssl = false, pkijs = false }

  -- Those of a size that all judges are quick with.
  local function manuals()
    local list = {}
    for path in judges.run("find", "build/servers/usr/share", "-type", "f",
      "-size", "-1000k", "(", "-name", "*.pdf", "-o", "-name", "*.pdf.gz", ")")
      :gmatch "[^\n]+" do
      list[#list + 1] = path
    end
    table.sort(list)
    return list
  end

  local function read_manual(path)
    if not path:find "%.gz$" then return judges.read(path) end
    local pipe = assert(io.popen("gzip -dc '" .. path .. "'"))
    local bytes = pipe:read "a"
    pipe:close()
    return bytes
  end

  it("PDF signatures accepts what is signed here, and no twin", function()
    local session = sandbox:session { mime = PDF,
      contents = { judges.read "examples/lease.pdf" } }
    local _, answer = sandbox:sign(session)
    local path = fetch(answer.output.signatures[1].resultDocumentId, "s.pdf")
    assert.same(ALL, verdicts(path))
    assert.same(NONE, verdicts(twin_of(path, "stream\r?\n")))
  end)

  it("XML signatures accepts what is signed here, and no twin", function()
    for _, mime in ipairs { "text/plain", "text/markdown", PDF } do
      local session = sandbox:session { mime = mime,
        signingSetup = AUTHENTICATION,
        contents = { judges.read "examples/lease.pdf" } }
      local _, answer = sandbox:sign(session, { name = "Åse <Ørn>" })
      local path = fetch(answer.output.signatures[1].resultDocumentId,
        "signed.xml")
      local said, words = judge:xadesjs(path)
      assert.is_true(said, words)
      assert.matches("signed at %d%d%d%d%-", words)
      assert.is_true((judge:xades(path)))
      for _, place in ipairs { 'Id="document"[^>]*>\n', "<xades:SigningTime>",
                               "<ds:SignatureValue>\n?" } do
        local twin = twin_of(path, place)
        assert.is_false((judge:xadesjs(twin)))
        assert.is_false((judge:xades(twin)))
      end
    end
  end)

  it("signatures accepts none by another authority", function()
    local stranger = service.start()
    local session = stranger:session { mime = PDF,
      contents = { judges.read "examples/lease.pdf" } }
    local _, answer = stranger:sign(session)
    local _, other = stranger:call("GET", "/sign/documents/"
      .. answer.output.signatures[1].resultDocumentId)
    stranger:finish()
    assert.same(NONE, verdicts(judges.write(judge:path "other.pdf", other)))
  end)

  it("PDF signatures accepts the manuals that others have made", function()
    local list = manuals()
    assert.is_true(#list >= 20)
    for _, manual in ipairs(list) do
      local bytes = read_manual(manual)
      local session = sandbox:session { mime = PDF, contents = { bytes } }
      local status, answer = sandbox:sign(session)
      assert.equal(200, status, manual)
      local path = fetch(answer.output.signatures[1].resultDocumentId, "m.pdf")
      assert.same(ALL, verdicts(path), manual)
      local _, after = judges.run("qpdf", "--check", path)
      -- One has a fault of its own, which stays.
      if after ~= 0 then
        local words = judges.run("qpdf", "--check",
          judges.write(judge:path "m.pdf", bytes))
        assert.is_falsy(words:find "No syntax or stream", manual)
      end
      sandbox:call("DELETE", "/sign/signing-sessions/" .. session.id)
    end
  end)

  it("seals accepts a package of all those manuals, and no twin", function()
    local ids, documents = {}, {}
    for i, manual in ipairs(manuals()) do
      ids[i] = sandbox:upload(read_manual(manual), PDF).documentId
    end
    local collection = sandbox:collect(ids, { "PADES_CONTAINER" })
    for i, id in ipairs(ids) do
      documents[i] = { documentId = id, action = "SIGN",
                       documentCollectionId = collection.id }
    end
    local session = sandbox:create_session { title = "All", documents =
      documents, signingSetup = AUTHENTICATION }
    assert.equal(200, (sandbox:sign(session)))
    local package = service.await("the package", function()
      local _, now = sandbox:call("GET",
        "/sign/document-collections/" .. collection.id)
      return now.output.packages[1]
    end)
    local path = fetch(package.resultDocumentId, "package.pdf")
    assert.same(ALL, verdicts(path))
    assert.equal(1, #judge:signatures(path))
    local accepted, words = judge:timestamp(judge:stamp_in(path))
    assert.is_true(accepted, words)
    local files = judges.run("pdfdetach", "-list", path)
    assert.equal(2 * #ids, tonumber(files:match "(%d+) embedded files"))
    assert.same(NONE, verdicts(twin_of(path, "stream\r?\n")))
  end)
end)
