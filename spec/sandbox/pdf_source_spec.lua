-- PDFs that are meant to confuse who reads them, over HTTP.

local judges = require "spec.support.judges"
local packages = require "spec.support.packages"
local pdf = require "spec.support.pdf"
local service = require "spec.sandbox.service"

local AUTHENTICATION <const> = { { signingFlow = "AUTHENTICATION_BASED" } }

-- A PDF of these objects with a table of them, and a cross-reference stream
-- as their number 6: of a hybrid file, whose table knows only the others, and
-- of one that has it alone. Number 5 is in it as `row`, { type, a, b }.
local function with_stream(objects, is_hybrid, row)
  local parts, size, offsets = { "%PDF-1.7\n" }, 9, {}
  local function add(text)
    parts[#parts + 1] = text
    size = size + #text
  end
  for number, object in ipairs(objects) do
    offsets[number] = size
    add(("%d 0 obj\n%s\nendobj\n"):format(number, object))
  end
  local rows = { string.pack(">I1I4I2", 0, 0, 65535) }
  for number = 1, 4 do
    rows[#rows + 1] = string.pack(">I1I4I2", 1, offsets[number], 0)
  end
  rows[6] = string.pack(">I1I4I2", table.unpack(row or { 1, offsets[5], 0 }))
  rows[7] = string.pack(">I1I4I2", 1, size, 0)
  local stream = size
  add(("6 0 obj\n%s\nendobj\n"):format(pdf.stream(table.concat(rows),
    "/Type /XRef /Size 7 /Root 1 0 R /W [1 4 2]")))
  if is_hybrid then
    local table_at = size
    add "xref\n0 7\n0000000000 65535 f \n"
    for number = 1, 4 do add(("%010d 00000 n \n"):format(offsets[number])) end
    add(("0000000000 00000 f \n"):rep(2))
    add(("trailer\n<< /Size 7 /Root 1 0 R /XRefStm %d >>\n"):format(stream))
    stream = table_at
  end
  add(("startxref\n%d\n%%%%EOF\n"):format(stream))
  return table.concat(parts)
end

local CATALOG <const> = "<< /Type /Catalog /Pages 2 0 R >>"
local PAGES <const> = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
local LEAF <const> = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] "
  .. "/Contents 5 0 R /Resources << /Font << /F1 << /Type /Font "
  .. "/Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
local WORDS <const> = pdf.stream "BT /F1 12 Tf 20 100 Td (Agreed) Tj ET"

-- Deflated zeros, so many times 2064: matches of 258 bytes at distance 1 in
-- the fixed code, which are 13 bits each and begin anew after 13 bytes.
local function deflated(count)
  local bits = "110" .. "00110000" .. ("1100010100000"):rep(24)
  local bytes = {}
  for byte in bits:gmatch "%d%d%d%d%d%d%d%d" do
    bytes[#bytes + 1] = string.char(tonumber(byte:reverse(), 2))
  end
  return "\x78\x9c" .. table.concat(bytes, "", 1, 2)
    .. table.concat(bytes, "", 3, 15):rep(count)
end

describe("the sandbox, given a PDF", function()
  local sandbox, judge

  setup(function()
    sandbox = service.start()
    judge = judges.of(sandbox)
  end)
  teardown(function()
    judge:close()
    sandbox:finish()
  end)

  local function session_of(bytes, fields)
    local all = { contents = { bytes }, mime = "application/pdf" }
    for name, value in pairs(fields or {}) do all[name] = value end
    return sandbox:session(all)
  end

  -- The path of what was signed, and its bytes.
  local function signed(bytes)
    local status, answer = sandbox:sign(session_of(bytes))
    assert.equal(200, status, answer.detail)
    local result = packages.read(sandbox,
      answer.output.signatures[1].resultDocumentId)
    return judges.write(judge:path "signed.pdf", result), result
  end

  local function assert_valid(path)
    local signature = judge:signatures(path)[1]
    assert.equal("Signature is Valid.", signature["Signature Validation"])
    assert.is_true(signature["Total document signed"])
    assert.is_true((judge:cades(path)))
    assert.matches("Agreed", (judges.run("pdftotext", "-q", path, "-")))
    local said, code = judges.run("qpdf", "--check", path)
    assert.equal(0, code, said)
  end

  it("that speaks of signatures, takes it for unsigned", function()
    for _, words in ipairs { "/ByteRange", "/ByteRange [0 1 2 3]",
                             "/ByteRange[0", "/ByteRange [0 99999999999 9 9]",
                             "/ByteRange [0 -1 /A" } do
      local bytes = packages.page(("Agreed \\(%s\\)"):format(words))
      local status, answer = sandbox:sign(session_of(bytes,
        { signingSetup = AUTHENTICATION }))
      assert.equal(200, status, answer.detail)
      -- Written anew, which would end a signature.
      assert_valid((signed("junk\n" .. bytes)))
    end
  end)

  it("that is signed, sees that whatever it says and whatever is before it",
    function()
      local _, once = signed(packages.page "Agreed /ByteRange [0 1 2 3]")
      -- Whoever signs what has something before it counts that as well.
      local moved, count = once:gsub(
        "(/ByteRange %[0 )(%d+) (%d+) (%d+%])(%s*)>>",
        function(key, first, second, rest, room)
          local numbers = ("%d %d"):format(first + 5, second + 5)
          return key .. numbers .. " " .. rest
            .. room:sub(#numbers - #first - #second) .. ">>"
        end)
      assert.equal(1, count)
      assert.equal(#once, #moved)
      for _, bytes in ipairs { once, "junk\n" .. once, "junk\n" .. moved } do
        local status, answer = sandbox:sign(session_of(bytes,
          { signingSetup = AUTHENTICATION }))
        assert.equal(400, status)
        assert.matches("signed already", answer.detail, 1, true)
      end
    end)

  it("with two kinds of cross-references, signs what either finds", function()
    for _, is_hybrid in ipairs { true, false } do
      local bytes = with_stream({ CATALOG, PAGES, LEAF, "null", WORDS },
        is_hybrid)
      local path, result = signed(bytes)
      assert_valid(path)
      assert.is_true(result:sub(1, #bytes) == bytes)
      local status, answer = sandbox:sign(session_of(bytes, {
        packageTo = packages.CONTAINER, signingSetup = AUTHENTICATION }))
      assert.equal(200, status, answer.detail)
      assert.matches("Agreed", packages.pages((packages.await(sandbox, judge,
        answer, packages.of_session)))[1])
    end
  end)

  -- An address space in which a stream of 400 MB has no place.
  it("that is too large in memory, packages none of it", function()
    if service.program:find "asan" then return end -- which takes terabytes
    local kept = sandbox
    sandbox = service.start_in "prlimit --as=700000000"
    local one = sandbox
    finally(function()
      sandbox = kept
      if one.pipe then one:stop() end
    end)
    local fonts = "5 0   << /Font << /F1 << /Type /Font /Subtype /Type1 "
      .. "/BaseFont /Helvetica >> >> >>"
    local inside = "\x78\x9c\0" -- as it is, then deflated zeros
      .. string.pack("<I2I2", #fonts, ~#fonts & 0xFFFF) .. fonts
      .. deflated(200000):sub(3)
    local bytes = with_stream({ CATALOG, PAGES,
      LEAF:gsub("/Contents 5 0 R /Resources .*", "/Resources 5 0 R >>"),
      pdf.stream(inside, "/Type /ObjStm /N 1 /First 6 /Filter /FlateDecode"),
      "null" }, false, { 2, 4, 0 })
    local status, answer = sandbox:sign(session_of(bytes, {
      packageTo = packages.CONTAINER, signingSetup = AUTHENTICATION }))
    assert.equal(422, status)
    assert.matches("more memory than there is", answer.detail, 1, true)
    one:finish()
  end)

  local function peak()
    return tonumber(service.read(("/proc/%d/status"):format(sandbox.pid))
      :match "VmHWM:%s*(%d+)") * 1024
  end

  it("that swells, lets it do so in another process", function()
    local zeros = deflated(8000) -- 16 MB out of 100 kB
    local stream = pdf.stream(zeros, "/Filter /FlateDecode")
    local bombs = {
      with_stream({ CATALOG, PAGES, LEAF, "null", stream }),
      with_stream({ CATALOG, PAGES, LEAF, pdf.stream(zeros, "/Type /ObjStm "
        .. "/N 1 /First 6 /Filter /FlateDecode"), "null" }, false,
        { 2, 4, 0 }),
    }
    local before = peak()
    for _, bytes in ipairs(bombs) do
      local status = sandbox:sign(session_of(bytes, {
        packageTo = packages.CONTAINER })) -- read for both
      assert.is_true(status == 200 or status == 422, status)
    end
    assert.is_true(peak() - before < 8 * 1024 * 1024)
  end)
end)
