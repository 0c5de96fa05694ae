-- Packages of collections and of sessions: when they come, what they hold,
-- and what programs that nobody here wrote say of them.

local judges = require "spec.support.judges"
local packages = require "spec.support.packages"
local pdf = require "spec.support.pdf"
local service = require "spec.sandbox.service"

local page, pages, body_of = packages.page, packages.pages, packages.body_of
local CONTAINER <const> = packages.CONTAINER
local PKISIGNING <const> = { { signingFlow = "PKISIGNING", vendor = "NBID" } }
local PDF <const> = "application/pdf"
local TEXT <const> = "Blåbærsyltetøy\r\nΕλληνικά\n\tКириллица €\n"

describe("the sandbox's packages", function()
  local sandbox, judge

  setup(function()
    sandbox = service.start "--beyond-the-service"
    judge = judges.of(sandbox)
  end)
  teardown(function()
    judge:close()
    sandbox:finish()
  end)

  local function upload(contents, mime)
    local ids = {}
    for i, bytes in ipairs(contents) do
      ids[i] = sandbox:upload(bytes, mime or PDF).documentId
    end
    return ids
  end

  -- A collection of these bytes: it, and the ids of its documents.
  local function collect(contents, mime)
    local ids = upload(contents, mime)
    return sandbox:collect(ids, CONTAINER), ids
  end

  local function begin(...)
    return sandbox:create_session(body_of(...))
  end

  local function sign(session, name)
    return packages.sign(sandbox, session, name and { name = name })
  end

  local function packages_of(collection)
    return packages.of_collection(sandbox, collection)
  end

  local function read_document(id)
    return (packages.read(sandbox, id))
  end

  local function await(thing, show)
    return packages.await(sandbox, judge, thing, show)
  end

  local function attachments(path)
    return packages.attachments(judge, path)
  end

  local function assert_sealed(path)
    local signatures = judge:signatures(path)
    assert.equal(1, #signatures)
    local seal = signatures[1]
    assert.equal("Signature is Valid.", seal["Signature Validation"])
    assert.equal("Certificate is Trusted.", seal["Certificate Validation"])
    assert.equal("Sandbox merchant", seal["Signer Certificate Common Name"])
    assert.is_true(seal["Total document signed"])
    assert.is_true(judge:cades(path))
    local accepted, words = judge:timestamp(judge:stamp_in(path))
    assert.is_true(accepted, words)
    local said, code = judges.run("qpdf", "--check", path)
    assert.equal(0, code, said)
  end

  it("hold pages, evidence, originals and signatures, sealed", function()
    local first, second = page "Once", page "Twice"
    local collection, ids = collect { first, second }
    sandbox:call("PATCH", "/sign/documents/" .. ids[1] .. "/metadata",
      { filename = "a/lease.pdf", title = "Øvre gate 17" })
    local session = begin(collection, ids, { title = "Leie <17>" })
    local signed = sign(session, "Åse Ørn")
    local path = await(collection)
    assert_sealed(path)

    local shown = pages(path)
    assert.equal(4, #shown)
    assert.matches("Once", shown[1], 1, true)
    assert.matches("Twice", shown[2], 1, true)
    local digest = judges.run("sha256sum",
      judges.write(judge:path "first.pdf", first)):match "^%x+"
    local said = shown[3]
    for _, words in ipairs { "Sandbox, no legal effect", "Leie <17>",
                             "Øvre gate 17", "Åse Ørn",
                             "AUTHENTICATION_BASED, nbid" } do
      assert.matches(words, said, 1, true)
    end
    assert.matches("Time +%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ", said)
    local hex = said:match "SHA%-256 +(%x+)" .. said:match "\n +(%x+)\n"
    assert.equal(digest, hex)
    -- The second document has no title, so it has no line for one.
    assert.truthy(said:find "Document +%w")
    assert.falsy(shown[4]:find "Document *\n")

    local files = attachments(path)
    assert.same({ "1-a_lease.pdf", "2-document.pdf", "signature-1.xml",
                  "signature-2.xml" },
      { files[1][1], files[2][1], files[3][1], files[4][1] })
    assert.is_true(files[1][2] == first and files[2][2] == second)
    for i = 1, 2 do
      local bytes = files[i + 2][2]
      assert.is_true(bytes
        == read_document(signed.output.signatures[i].resultDocumentId))
      assert.is_true((judge:xades(judges.write(judge:path "x.xml", bytes))))
    end
  end)

  it("tell of a provider with a long name, too", function()
    local collection, ids = collect { page "Agreed" }
    local name = ("ж"):rep(300)
    local session = begin(collection, ids, { signingSetup = { {
      signingFlow = "AUTHENTICATION_BASED",
      identityProviders = { { idpName = name } } } } })
    sign(session, "Åse Ørn")
    local shown = pages((await(collection)))
    assert.equal(2, #shown)
    local _, letters = shown[2]:gsub("ж", "")
    assert.equal(300, letters)
  end)

  it("come when the last session of the collection is signed", function()
    local collection, ids = collect { page "Agreed" }
    local first, second = begin(collection, ids), begin(collection, ids)
    sign(first, "First")
    assert.same({}, packages_of(collection))
    local asked = sandbox:call("GET", "/_sandbox/clock")
    assert.equal(200, asked)
    sign(second, "Second")
    local shown = pages((await(collection)))
    assert.equal(3, #shown)
    assert.matches("First", shown[2], 1, true)
    assert.matches("Second", shown[3], 1, true)
    assert.equal(1, #packages_of(collection))
  end)

  it("hold no other collection's documents or signatures", function()
    local mine, my_ids = collect { page "Mine" }
    local other, other_ids = collect { page "Other" }
    local body = body_of(mine, my_ids)
    body.documents[2] = body_of(other, other_ids).documents[1]
    sign(sandbox:create_session(body))
    -- The same document through another collection does not count.
    begin(sandbox:collect(my_ids, CONTAINER), my_ids)
    local path = await(mine)
    local shown, files = pages(path), attachments(path)
    assert.same({ 2, 2 }, { #shown, #files })
    assert.matches("Mine", shown[1], 1, true)
    assert.is_true(files[1][2] == page "Mine")
    assert.matches("Other", pages((await(other)))[1], 1, true)
  end)

  it("hold a document that was only for reading, too", function()
    local collection, ids = collect { page "Signed", page "Read" }
    local body = body_of(collection, ids)
    body.documents[2].action = "VIEW"
    sign(sandbox:create_session(body))
    local path = await(collection)
    assert.equal(3, #pages(path))
    assert.equal(3, #attachments(path))
  end)

  it("of a session hold what it signed, and say so there", function()
    local ids = upload { page "Signed", page "Read" }
    local collection = sandbox:collect(ids)
    local body = body_of(collection, ids, { packageTo = CONTAINER,
                                            signingSetup = PKISIGNING })
    body.documents[2].action = "VIEW"
    local session = sandbox:create_session(body)
    local path = await(sign(session), packages.of_session)
    assert_sealed(path)
    assert.equal(2, #pages(path))
    local files = attachments(path)
    assert.same({ "1-document.pdf", "signature-1.pdf" },
      { files[1][1], files[2][1] })
    local signed = judges.write(judge:path "signed.pdf", files[2][2])
    assert.equal("Signature is Valid.",
      judge:signatures(signed)[1]["Signature Validation"])
    assert.same({}, packages_of(collection))
  end)

  it("never come while a session is rejected", function()
    local collection, ids = collect { page "Agreed" }
    local first, second = begin(collection, ids), begin(collection, ids)
    sandbox:reject(first)
    sign(second)
    local later, later_ids = collect { page "Later" }
    sign(begin(later, later_ids))
    await(later) -- they are made one after another
    assert.same({}, packages_of(collection))
  end)

  it("come when the session they waited for is deleted", function()
    local collection, ids = collect { page "Agreed" }
    local first, second = begin(collection, ids), begin(collection, ids)
    sign(first)
    sandbox:call("DELETE", "/sign/signing-sessions/" .. second.id)
    assert.equal(2, #pages((await(collection))))
  end)

  it("do not come of a collection whose only session is deleted", function()
    local collection, ids = collect { page "Agreed" }
    local only = begin(collection, ids)
    sandbox:call("DELETE", "/sign/signing-sessions/" .. only.id)
    sign(begin(collection, ids)) -- it is still open
    await(collection)
  end)

  it("close the collection", function()
    local collection, ids = collect { page "Agreed" }
    sign(begin(collection, ids))
    for _ = 1, 2 do -- while it is due, and when it is made
      local status, answer = sandbox:call("POST", "/sign/signing-sessions",
        { body_of(collection, ids) })
      assert.equal(409, status)
      assert.equal("conflict", answer.code)
      assert.matches(collection.id, answer.detail, 1, true)
      await(collection)
    end
    begin(sandbox:collect(ids), ids)
  end)

  it("keep their result from being deleted", function()
    local collection, ids = collect { page "Agreed" }
    local session = begin(collection, ids)
    sign(session)
    local _, one = await(collection)
    local path = "/sign/documents/" .. one.resultDocumentId
    assert.equal(409, (sandbox:call("DELETE", path)))
    sandbox:call("DELETE", "/sign/signing-sessions/" .. session.id)
    assert.equal(204, (sandbox:call("DELETE",
      "/sign/document-collections/" .. collection.id)))
    assert.equal(204, (sandbox:call("DELETE", path)))
  end)

  describe("of hard PDFs:", function()
    local function made(...)
      local path = judge:path "made.pdf"
      local words = { "qpdf", ... }
      words[#words + 1] = judges.write(judge:path "page.pdf", page "Agreed")
      words[#words + 1] = path
      local said, code = judges.run(table.unpack(words))
      assert.equal(0, code, said)
      return judges.read(path)
    end

    local field = "<< /Type /Annot /Subtype /Widget /FT /%s /T (A) %s /F 4 "
      .. "/Rect [20 20 120 40] /P 3 0 R %s >>"
    local kinds = {
      { "linearised", function() return made "--linearize" end },
      { "object streams", function()
        return made "--object-streams=generate"
      end },
      { "encrypted, without a password", function()
        return made("--encrypt", "", "owner", "256", "--")
      end },
      { "a wrong table", function()
        return (page "Agreed":gsub("0000000%d%d%d 00000 n",
          "0000000007 00000 n"))
      end },
      { "a form", function()
        return page("Agreed", "/AcroForm << /Fields [6 0 R] >>", {
          field:format("Tx", "/V (Rent)", "/AP << /N 7 0 R >>"),
          pdf.stream("BT /F1 9 Tf 2 4 Td (Rent) Tj ET", "/Type /XObject "
            .. "/Subtype /Form /BBox [0 0 100 20] "
            .. "/Resources << /Font << /F1 5 0 R >> >>") })
      end, "Rent" },
      { "a field that somebody else has signed", function()
        return page("Agreed", "/AcroForm << /Fields [7 0 R] /SigFlags 3 >>", {
          "<< /Type /Annot /Subtype /Widget /Parent 7 0 R /F 4 "
            .. "/Rect [0 0 0 0] /P 3 0 R >>",
          "<< /FT /Sig /T (A) /Kids [6 0 R] /V << /Type /Sig /Filter "
            .. "/Adobe.PPKLite /SubFilter /adbe.pkcs7.detached "
            .. "/Contents <30> >> >>" })
      end },
      { "certified against all changes", function()
        return page("Agreed", "/Perms << /DocMDP << /Type /Sig /Reference [ "
          .. "<< /TransformMethod /DocMDP /TransformParams << /P 1 >> >> ] "
          .. ">> >>")
      end },
    }
    for _, case in ipairs(kinds) do
      local name, make, more = table.unpack(case)
      it(name, function()
        local bytes = make()
        local collection, ids = collect { bytes }
        sign(begin(collection, ids))
        local path = await(collection)
        assert_sealed(path)
        local shown = pages(path)
        assert.equal(2, #shown)
        assert.matches("Agreed", shown[1], 1, true)
        if more then assert.matches(more, shown[1], 1, true) end
        assert.is_true(attachments(path)[1][2] == bytes)
      end)
    end

    it("signed here, in whose package only the seal counts", function()
      local ids = upload { page "Agreed" }
      local signed = sign(begin(sandbox:collect(ids), ids,
        { signingSetup = PKISIGNING }))
      local result = signed.output.signatures[1].resultDocumentId
      local collection = sandbox:collect({ result }, CONTAINER)
      sign(begin(collection, { result }, { signingSetup = PKISIGNING }))
      local path = await(collection)
      assert_sealed(path)
      local files = attachments(path)
      assert.is_true(files[1][2] == read_document(result))
      assert.equal(2, #judge:signatures(
        judges.write(judge:path "twice.pdf", files[2][2])))
    end)

    local refused = {
      { "with a password", function()
        return made("--encrypt", "user", "owner", "256", "--")
      end, "without a password" },
      { "cut off", function() return page "Agreed":sub(1, -60) end,
        "cut off" },
      { "none at all", function() return "Agreed" end, "not a PDF" },
    }
    for _, case in ipairs(refused) do
      local name, make, words = table.unpack(case)
      it(name .. ", which are refused before they are signed", function()
        local good, bad = page "Agreed", make()
        local collection, ids = collect { good, bad }
        local session = begin(collection, { ids[1] })
        local status, answer = sandbox:sign(session)
        assert.equal(422, status)
        assert.equal("unprocessable_document", answer.code)
        assert.matches("Document " .. ids[2] .. ": ", answer.detail, 1, true)
        assert.matches(words, answer.detail, 1, true)
        assert.equal("READY", sandbox:state(session).state)
      end)
    end
  end)

  describe("of text", function()
    it("show its letters and hold it as it is, beyond the service", function()
      local long = TEXT .. ("words "):rep(40) .. ("\nline"):rep(90)
      for _, mime in ipairs { "text/plain", "text/markdown; charset=utf-8" } do
        local ids = upload({ long }, mime)
        ids[2] = upload({ page "Agreed" })[1]
        local collection = sandbox:collect(ids, CONTAINER)
        sign(begin(collection, ids))
        local path = await(collection)
        assert_sealed(path)
        local shown = pages(path)
        for _, words in ipairs { "Blåbærsyltetøy", "Ελληνικά", "Кириллица €" }
        do
          assert.matches(words, shown[1], 1, true)
        end
        assert.matches("line", shown[2], 1, true)
        assert.equal(90, select(2, table.concat(shown):gsub("line\n", "")))
        assert.is_true(attachments(path)[1][2] == long)
        for words in judges.run("pdffonts", path):gmatch "DejaVu[^\n]+" do
          assert.matches("yes yes yes", words)
        end
      end
    end)

    it("show every line, whatever ends it", function()
      local ids = upload({ "one\rtwo\r\nthree\nfour" }, "text/plain")
      local collection = sandbox:collect(ids, CONTAINER)
      sign(begin(collection, ids))
      local shown = pages((await(collection)))
      assert.same({ "one", "two", "three", "four" },
        { shown[1]:match "(%a+)\n *(%a+)\n *(%a+)\n *(%a+)" })
    end)

    it("do not come otherwise, which is said on stderr", function()
      local kept = sandbox
      sandbox = service.start()
      local collection, ids = collect({ TEXT }, "text/plain")
      sign(begin(collection, ids))
      local one = sandbox
      service.await("the refusal", function() return one:err() ~= "" end)
      local made = packages_of(collection)
      sandbox = kept
      one:stop()
      assert.same({}, made)
      assert.equal(("signicat-sandbox: no package of collection %s: Document "
        .. "%s is text/plain, and text is packaged with --beyond-the-service "
        .. "only.\n"):format(collection.id, ids[1]), one.complained)
    end)
  end)

  it("are refused by their judges when a byte changes", function()
    local collection, ids = collect { page "Agreed" }
    sign(begin(collection, ids))
    local path = await(collection)
    local token, value = judge:stamp_in(path)
    local bytes = judges.read(path)
    local at = bytes:find "stream\n" + 20
    local twin = judges.write(judge:path "twin.pdf", bytes:sub(1, at - 1)
      .. string.char(bytes:byte(at) ~ 1) .. bytes:sub(at + 1))
    assert.is_true((judge:cades(path)))
    assert.is_false((judge:cades(twin)))
    assert.equal("Digest Mismatch.",
      judge:signatures(twin)[1]["Signature Validation"])
    value = value:sub(1, -2) .. string.char(value:byte(-1) ~ 1)
    assert.is_false((judge:timestamp(token, value)))
  end)

  it("come after a restart when kill -9 came first", function()
    local folder = service.folder()
    local kept = sandbox
    finally(function()
      sandbox = kept
      service.remove(folder)
    end)
    local function files()
      return select(2, judges.run("ls", folder .. "/documents")
        :gsub("%-%x+\n", ""))
    end
    local hold = folder .. "/hold"
    sandbox = service.start_in(service.holding(hold), "--data", folder)
    local contents = {}
    for i = 1, 20 do contents[i] = page("Page " .. i) end
    local collection, ids = collect(contents)
    local session = begin(collection, ids)
    local before = files()
    judges.write(hold, "reason") -- which the order of a package has
    sign(session)
    sandbox:kill()
    assert(os.remove(hold))
    assert.equal(before + #ids, files())
    sandbox = service.start("--data", folder)
    local one = sandbox
    local path = await(collection)
    assert.equal(40, #pages(path))
    assert.equal(1, #packages_of(collection))
    one:finish()
  end)

  it("are forgotten with everything else", function()
    local one = service.start()
    local kept = sandbox
    sandbox = one
    finally(function() sandbox = kept end)
    local collection, ids = collect { page "Agreed" }
    sign(begin(collection, ids))
    one:reset()
    assert.equal(404, (one:call("GET",
      "/sign/document-collections/" .. collection.id)))
    collection, ids = collect { page "Agreed" }
    sign(begin(collection, ids))
    await(collection)
    one:finish()
  end)
end)
