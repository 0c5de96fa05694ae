-- Signs PDFs of every build through sign_pdf and asks the outside judges.

local cjson = require "cjson"
local judges = require "spec.support.judges"
local pdf = require "spec.support.pdf"

local program = os.getenv "SIGN_PDF" or "build/sign_pdf"
local run, read, write = judges.run, judges.read, judges.write

local CATALOG <const>, PAGE <const> = 1, 3

-- A page that says "Agreed"; the options add to, or replace, its objects.
local function document(options)
  options = options or {}
  local objects = {
    ("<< /Type /Catalog /Pages 2 0 R %s >>"):format(options.catalog or ""),
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R "
      .. "/Resources << /Font << /F1 5 0 R >> >> "
      .. (options.page or "") .. " >>",
    pdf.stream "BT /F1 12 Tf 20 100 Td (Agreed) Tj ET",
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  }
  for _, object in ipairs(options.objects or {}) do
    objects[#objects + 1] = object
  end
  for number, object in pairs(options.replace or {}) do
    objects[number] = object
  end
  return pdf.file(objects, options)
end

local TEXT_FIELD <const> = "<< /Type /Annot /Subtype /Widget /FT /Tx "
  .. "/T (%s) /V (kept) /DA (/F1 9 Tf 0 g) /F 4 "
  .. "/Rect [20 20 120 40] /P 3 0 R >>"

-- name -> the bytes of a PDF and which of its fields are to stay.
local shapes = {
  { "with a cross-reference table", document() },
  { "with an /ID and an /Info",
    document { objects = { "<< /Title (Lease) >>" },
               trailer = "/Info 6 0 R /ID [<01> <02>]" } },
  { "without a line end at its end", (document():gsub("\n$", "")) },
  { "with zeros after its end", document() .. ("\0"):rep(3000) },
  { "with a form of its own object and direct fields",
    document { catalog = "/AcroForm 7 0 R", page = "/Annots [6 0 R]",
               objects = { TEXT_FIELD:format "Rent",
                           "<< /Fields [6 0 R] /NeedAppearances true >>" } },
    "Rent" },
  { "with a form inside its catalog",
    document { catalog = "/AcroForm << /Fields [6 0 R] /SigFlags 0 >>",
               page = "/Annots [6 0 R]",
               objects = { TEXT_FIELD:format "Rent" } },
    "Rent" },
  { "with fields and annotations in objects of their own",
    document { catalog = "/AcroForm << /Fields 7 0 R >>",
               page = "/Annots 8 0 R",
               objects = { TEXT_FIELD:format "Rent", "[6 0 R]", "[6 0 R]" } },
    "Rent" },
  { "whose own field has the name of a signature",
    document { catalog = "/AcroForm << /Fields [6 0 R] >>",
               page = "/Annots [6 0 R]",
               objects = { TEXT_FIELD:format "Signature9" } },
    "Signature9" },
  { "whose form and annotations are null",
    document { catalog = "/AcroForm 6 0 R", page = "/Annots null",
               objects = { "null" } } },
  { "with generations other than 0",
    document { generations = { [CATALOG] = 3, [PAGE] = 2 },
               replace = {
                 [2] = "<< /Type /Pages /Kids [3 2 R] /Count 1 >>" } } },
}

-- What qpdf makes of the first shape, with its arguments.
local variants = {
  { "with object streams", "--object-streams=generate" },
  { "with a linearised table", "--linearize", "--object-streams=disable" },
  { "with linearised object streams", "--linearize",
    "--object-streams=generate" },
}

describe("pades_sign", function()
  local judge

  setup(function()
    judge = judges.new()
    local text, code = run(program, judge.folder,
      write(judge:path "first.pdf", document()), judge:path "signed.pdf")
    assert(code == 0, text)
    judge:trust(judge:path "ca.pem")
  end)

  teardown(function()
    judge:close()
  end)

  -- The result's path, or nil, what the program said and its exit code.
  local function sign(input, name, folder)
    local result = os.tmpname()
    os.remove(result)
    result = judge:path(result:match "[^/]+$" .. ".pdf")
    local text, code = run(program, folder or judge.folder, input, result,
      name or "Kari Nordmann")
    if code ~= 0 then return nil, text, code end
    return result
  end

  local function sign_bytes(bytes, name)
    return sign(write(judge:path "in.pdf", bytes), name)
  end

  local function assert_valid(path, count)
    local signatures = judge:signatures(path)
    assert.equal(count or 1, #signatures)
    for i, signature in ipairs(signatures) do
      local where = ("signature %d"):format(i)
      assert.equal("Signature is Valid.", signature["Signature Validation"],
        where)
      assert.equal("Certificate is Trusted.",
        signature["Certificate Validation"], where)
      assert.equal("ETSI.CAdES.detached", signature["Signature Type"], where)
    end
    assert.is_true(signatures[#signatures]["Total document signed"])
    assert.is_true(judge:cades(path))
  end

  local function assert_prefix(bytes, path)
    assert.is_true(read(path):sub(1, #bytes) == bytes,
      "the original's bytes are not the result's first")
  end

  local function page_text(path)
    return (run("pdftotext", "-q", path, "-"))
  end

  local function fields(path)
    local text = run("qpdf", "--json", "--json-key=acroform", path)
    local values = {}
    for _, field in ipairs(cjson.decode(text).acroform.fields) do
      values[field.fullname] = field.value
    end
    return values
  end

  local function signature_dictionary(path)
    local text = run("qpdf", "--json", "--json-key=qpdf", path)
    for _, object in pairs(cjson.decode(text).qpdf[2]) do
      local value = object.value
      if type(value) == "table" and value["/Type"] == "/Sig" then
        return value
      end
    end
  end

  describe("appends to a PDF", function()
    for _, shape in ipairs(shapes) do
      local name, bytes, kept = table.unpack(shape)
      it(name, function()
        local path = assert(sign_bytes(bytes))
        assert_valid(path)
        assert_prefix(bytes, path)
        assert.equal("Agreed", page_text(path):match "%a+")
        local text, code = run("qpdf", "--check", path)
        assert.equal(0, code, text)
        local count = 0
        for _ in pairs(fields(path)) do count = count + 1 end
        assert.equal(kept and 2 or 1, count)
        if kept then assert.equal("u:kept", fields(path)[kept]) end
      end)
    end

    for _, variant in ipairs(variants) do
      it(variant[1], function()
        local made = judge:path "variant.pdf"
        local text, code = run("qpdf", judge:path "first.pdf", made,
          table.unpack(variant, 2))
        assert.equal(0, code, text)
        local path = assert(sign(made))
        assert_valid(path)
        assert_prefix(read(made), path)
        text, code = run("qpdf", "--check", path)
        assert.equal(0, code, text)
      end)
    end
  end)

  describe("writes anew before it signs", function()
    it("a PDF that is encrypted without a user password", function()
      local made = judge:path "encrypted.pdf"
      run("qpdf", "--encrypt", "", "owner", "256", "--",
        judge:path "first.pdf", made)
      local path = assert(sign(made))
      assert_valid(path)
      assert.equal("Agreed", page_text(path):match "%a+")
    end)

    local broken = {
      { "a PDF with other bytes before it", "junk\n" .. document() },
      { "a PDF whose startxref leads elsewhere",
        (document():gsub("startxref\n%d", "startxref\n9")) },
      { "a PDF without a table, whose trailer says no size",
        (document():gsub("xref\n.-trailer", "trailer")
          :gsub("/Size %d+", "")) },
      { "a PDF whose table is wrong",
        (document():gsub("0000000%d%d%d 00000 n", "0000000007 00000 n")) },
    }
    for _, case in ipairs(broken) do
      it(case[1], function()
        local path = assert(sign_bytes(case[2]))
        assert_valid(path)
        assert.equal("Agreed", page_text(path):match "%a+")
      end)
    end
  end)

  describe("adds a second signature", function()
    for _, how in ipairs { "disable", "generate" } do
      it("and leaves the first one valid, object streams: " .. how, function()
        local made = judge:path "variant.pdf"
        run("qpdf", "--object-streams=" .. how, judge:path "first.pdf", made)
        local once = assert(sign(made, "First"))
        local twice = assert(sign(once, "Second"))
        assert_valid(twice, 2)
        assert_prefix(read(once), twice)
        local signatures = judge:signatures(twice)
        assert.equal("First", signatures[1]["Signer Certificate Common Name"])
        assert.equal("Second", signatures[2]["Signer Certificate Common Name"])
      end)
    end
  end)

  describe("refuses with a sentence", function()
    local reference = "/Reference [ << /Type /SigRef /TransformMethod /DocMDP "
      .. "/TransformParams << /Type /TransformParams /P %d /V /1.2 >> >> ]"
    local certified = function(permission)
      return document {
        catalog = "/Perms << /DocMDP 6 0 R >>",
        objects = { "<< /Type /Sig " .. reference:format(permission) .. " >>" },
      }
    end

    local refused = {
      { "what is not a PDF", "hello", "not a PDF" },
      { "an empty file", "", "not a PDF" },
      { "a PDF that was cut off", document():sub(1, -60), "cut off" },
      { "a PDF whose update was cut off",
        document() .. "9 0 obj\n<< /Type /Catalog", "cut off" },
      { "a PDF without pages",
        document { replace = {
          [2] = "<< /Type /Pages /Kids [] /Count 0 >>" } }, "no pages" },
      { "a certified PDF that allows no changes", certified(1), "certified" },
    }
    for _, case in ipairs(refused) do
      local name, bytes, words = table.unpack(case)
      it(name, function()
        local path, text, code = sign_bytes(bytes)
        assert.is_nil(path)
        assert.equal(1, code)
        assert.matches("^The .*%.\n$", text)
        assert.matches(words, text, 1, true)
      end)
    end

    it("but not one that is certified and may be signed", function()
      assert.truthy(sign_bytes(certified(2)))
    end)

    it("a PDF that asks for a password", function()
      local made = judge:path "locked.pdf"
      run("qpdf", "--encrypt", "user", "owner", "256", "--",
        judge:path "first.pdf", made)
      local _, text, code = sign(made)
      assert.equal(1, code)
      assert.equal("The PDF cannot be opened without a password.\n", text)
    end)

    it("a signed PDF that would have to be written anew", function()
      local bytes = read(assert(sign(judge:path "first.pdf")))
      local _, text, code = sign_bytes("junk\n" .. bytes)
      assert.equal(1, code)
      assert.matches("signed already", text, 1, true)
    end)

    it("the first part of a linearised PDF", function()
      local made = judge:path "variant.pdf"
      run("qpdf", "--linearize", judge:path "first.pdf", made)
      local bytes = read(made)
      local _, last = bytes:find("%%EOF\n", 1, true)
      local path, _, code = sign_bytes(bytes:sub(1, last))
      assert.is_nil(path)
      assert.equal(1, code)
    end)
  end)

  describe("makes a signature", function()
    local path

    setup(function()
      path = assert(sign(judge:path "first.pdf", "Åse (the \\ tenant) Ørn"))
    end)

    it("that covers every byte but itself", function()
      local parts = judge:take_apart(path)
      local start, length, rest, tail = table.unpack(parts.ranges)
      assert.equal(0, start)
      assert.equal(parts.size, rest + tail)
      local bytes = read(path)
      assert.equal("<", bytes:sub(length + 1, length + 1))
      assert.equal(">", bytes:sub(rest, rest))
    end)

    it("with the attributes of CAdES and no signing time", function()
      local parts = judge:take_apart(path)
      local text = run("openssl", "cms", "-cmsout", "-print", "-noout",
        "-inform", "DER", "-in", parts.cms)
      local attributes = text:match "signedAttrs:(.-)signatureAlgorithm:"
      local names = {}
      for name in attributes:gmatch "object: ([%w%-]+)" do
        names[#names + 1] = name
      end
      table.sort(names)
      assert.same({ "contentType", "id-smime-aa-signingCertificateV2",
                    "messageDigest" }, names)
    end)

    it("with a time stamp over its value", function()
      local token, value = judge:stamp_in(path)
      local accepted, words, time = judge:timestamp(token, value)
      assert.is_true(accepted, words)
      local date = signature_dictionary(path)["/M"]:match "D:(%d+)Z"
      local hour, minute, second, year = time:match
        "^%a+ +%d+ (%d+):(%d+):(%d+) (%d+) GMT$"
      assert.equal(date:sub(1, 4) .. date:sub(9),
        year .. hour .. minute .. second)
      accepted = judge:timestamp(token, value .. "x")
      assert.is_false(accepted)
    end)

    it("whose dictionary holds name, reason and time as text", function()
      local signature = signature_dictionary(path)
      assert.equal("u:Åse (the \\ tenant) Ørn", signature["/Name"])
      assert.equal("u:I agree", signature["/Reason"])
      assert.matches("^u:D:%d%d%d%d%d%d%d%d%d%d%d%d%d%dZ$", signature["/M"])
    end)

    it("that breaks when a byte of the document changes", function()
      local bytes = read(path)
      local changed = bytes:gsub("%(Agreed%)", "(Agreee)", 1)
      assert.not_equal(bytes, changed)
      local broken = write(judge:path "broken.pdf", changed)
      local signature = judge:signatures(broken)[1]
      assert.equal("Digest Mismatch.", signature["Signature Validation"])
      assert.is_false((judge:cades(broken)))
    end)
  end)

  -- Damage may be refused or survived; what is signed must be valid.
  it("never hands out an invalid signature for a damaged file", function()
    local seed = os.time()
    math.randomseed(seed)
    local original = document {
      catalog = "/AcroForm << /Fields 7 0 R >>", page = "/Annots 8 0 R",
      objects = { TEXT_FIELD:format "Rent", "[6 0 R]", "[6 0 R]" },
      trailer = "/ID [<01> <02>]",
    }
    local signed = 0
    for _ = 1, 40 do
      local at = math.random(#original)
      local damaged = original:sub(1, at - 1)
        .. string.char(math.random(0, 255)) .. original:sub(at + 1)
      local path, text, code = sign_bytes(damaged)
      local where = ("seed %d, byte %d: %s"):format(seed, at, text)
      if path then
        signed = signed + 1
        local signatures = judge:signatures(path)
        local last = signatures[#signatures]
        assert.is_table(last, where)
        assert.equal("Signature is Valid.", last["Signature Validation"], where)
        assert.is_true(last["Total document signed"], where)
        assert.is_true(judge:cades(path), where)
      else
        assert.equal(1, code, where)
      end
    end
    assert.is_true(signed > 0)
  end)
end)
