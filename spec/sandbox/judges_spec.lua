-- What the sandbox signs, before all judges at once: PDFs written here and
-- the manuals of other projects, each with a twin in which a byte differs.

local judges = require "spec.support.judges"
local packages = require "spec.support.packages"
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
    return judges.write(judge:path("twin-" .. path:match "[^/]+$"
      .. words:gsub("%W", "")), bytes:sub(1, at - 1)
      .. string.char(bytes:byte(at) ~ 1) .. bytes:sub(at + 1))
  end

  -- Each judge accepts, or refuses, the last signatures of these PDFs, which
  -- are { path, what it is }.
  local function assert_all(accepted, list)
    local paths = {}
    for i, each in ipairs(list) do
      local signatures = judge:signatures(each[1])
      local last = signatures[#signatures]
      local pdfsig = last["Signature Validation"] == "Signature is Valid."
        and last["Certificate Validation"] == "Certificate is Trusted."
        and last["Total document signed"] == true
      assert.equal(accepted, pdfsig, each[2])
      assert.equal(accepted, (judge:cades(each[1])), each[2])
      paths[i] = each[1]
    end
    for i, said in ipairs(judge:pkijs(paths)) do
      assert.equal(accepted, said[1], list[i][2] .. ": " .. said[2])
    end
  end

  -- The same, of the twins.
  local function assert_no_twin(list)
    local twins = {}
    for i, each in ipairs(list) do
      twins[i] = { twin_of(each[1], "stream\r?\n"), each[2] .. ", changed" }
    end
    assert_all(false, twins)
  end

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

  -- Signs a PDF; where the result is, and the session.
  local function sign(bytes, name)
    local session = sandbox:session { mime = PDF, contents = { bytes } }
    local status, answer = sandbox:sign(session)
    assert.equal(200, status, name)
    return fetch(answer.output.signatures[1].resultDocumentId,
      name:gsub("%W", "") .. ".pdf"), session
  end

  local PLAIN <const> = packages.page "Agreed"

  -- What qpdf makes of a page.
  local function made(...)
    local path = judge:path "made.pdf"
    local said, code = judges.run("qpdf",
      judges.write(judge:path "plain.pdf", PLAIN), path, ...)
    assert.equal(0, code, said)
    return judges.read(path)
  end

  it("PDF signatures accepts what is signed here of any kind, and no twin",
    function()
      local kinds = {
        { "ours", judges.read "examples/lease.pdf" },
        { "linearised", made "--linearize" },
        { "with object streams", made "--object-streams=generate" },
        { "encrypted", made("--encrypt", "", "owner", "256", "--") },
        { "damaged", (PLAIN:gsub("0000000%d%d%d 00000 n",
          "0000000007 00000 n")) },
        { "a form", packages.page("Agreed", "/AcroForm << /Fields [6 0 R] >>",
          { "<< /Type /Annot /Subtype /Widget /FT /Tx /T (A) /V (Rent) "
            .. "/DA (/F1 9 Tf 0 g) /F 4 /Rect [20 20 120 40] /P 3 0 R >>" }) },
        { "signed already", judges.read((sign(PLAIN, "once"))) },
      }
      local list = {}
      for i, kind in ipairs(kinds) do
        local name, bytes = table.unpack(kind)
        local path = sign(bytes, name)
        local said, code = judges.run("qpdf", "--check", path)
        assert.equal(0, code, name .. ": " .. said)
        list[i] = { path, name }
      end
      assert_all(true, list)
      assert_no_twin(list)
    end)

  it("XML signatures accepts what is signed here, and no twin", function()
    local good, twins = {}, {}
    for i, mime in ipairs { "text/plain", "text/markdown", PDF } do
      local session = sandbox:session { mime = mime,
        signingSetup = AUTHENTICATION,
        contents = { judges.read "examples/lease.pdf" } }
      local _, answer = sandbox:sign(session, { name = "Åse <Ørn>" })
      good[i] = fetch(answer.output.signatures[1].resultDocumentId,
        i .. ".xml")
      assert.is_true((judge:xades(good[i])))
      for _, place in ipairs { 'Id="document"[^>]*>\n', "<xades:SigningTime>",
                               "<ds:SignatureValue>\n?" } do
        local twin = twin_of(good[i], place)
        assert.is_false((judge:xades(twin)))
        twins[#twins + 1] = twin
      end
    end
    for _, said in ipairs(judge:xadesjs(good)) do
      assert.is_true(said[1], said[2])
      assert.matches("signed at %d%d%d%d%-", said[2])
    end
    for _, said in ipairs(judge:xadesjs(twins)) do
      assert.is_false(said[1], said[2])
    end
  end)

  it("signatures accepts none by another authority", function()
    local kept = sandbox
    sandbox = service.start()
    local stranger = sandbox
    local path = sign(judges.read "examples/lease.pdf", "another's")
    sandbox = kept
    stranger:finish()
    assert_all(false, { { path, "another's" } })
  end)

  it("PDF signatures accepts the manuals that others have made", function()
    local list = manuals()
    assert.is_true(#list >= 20)
    for i, manual in ipairs(list) do
      local bytes = read_manual(manual)
      local path, session = sign(bytes, manual)
      list[i] = { path, manual }
      local _, after = judges.run("qpdf", "--check", path)
      -- One has a fault of its own, which stays.
      if after ~= 0 then
        local words = judges.run("qpdf", "--check",
          judges.write(judge:path "m.pdf", bytes))
        assert.is_falsy(words:find "No syntax or stream", manual)
      end
      sandbox:call("DELETE", "/sign/signing-sessions/" .. session.id)
    end
    assert_all(true, list)
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
    local sealed = { { path, "sealed" } }
    assert_all(true, sealed)
    assert.equal(1, #judge:signatures(path))
    local accepted, words = judge:timestamp(judge:stamp_in(path))
    assert.is_true(accepted, words)
    local files = judges.run("pdfdetach", "-list", path)
    assert.equal(2 * #ids, tonumber(files:match "(%d+) embedded files"))
    assert_no_twin(sealed)
  end)
end)
