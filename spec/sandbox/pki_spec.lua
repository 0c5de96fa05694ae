-- Looks at the authority's file and the certificates it issues, as openssl
-- reads them. sign_pdf stands in for the service.

local judges = require "spec.support.judges"
local pdf = require "spec.support.pdf"

local program = os.getenv "SIGN_PDF" or "build/sign_pdf"
local run, read, write = judges.run, judges.read, judges.write

local PAGE <const> = pdf.file {
  "<< /Type /Catalog /Pages 2 0 R >>",
  "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
  "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] >>",
}

describe("pki", function()
  local judge

  before_each(function()
    judge = judges.new()
    judge.ca = judge:path "ca.pem"
  end)

  after_each(function()
    judge:close()
  end)

  local function issue(name)
    local input = write(judge:path "in.pdf", PAGE)
    local result = judge:path "out.pdf"
    local text, code = run(program, judge.folder, input, result, name)
    if code ~= 0 then return nil, text, code end
    return judge:certificate(result)
  end

  local function common_name(name)
    return assert(issue(name)):match "Subject: [^\n]*CN=([^\n]*)"
  end

  local function authority()
    return (run("openssl", "x509", "-noout", "-text", "-in", judge.ca))
  end

  describe("keeps the authority", function()
    it("in one file that only its owner can read", function()
      assert(issue "Kari")
      local mode = run("stat", "-c", "%a", judge:path "authority.pem")
      assert.equal("600\n", mode)
      assert.equal("authority.pem\n",
        (run("sh", "-c", 'cd "$1" && ls -A | grep authority', "sh",
          judge.folder)))
    end)

    it("from one run to the next", function()
      assert(issue "Kari")
      local first = read(judge.ca)
      assert(issue "Ola")
      assert.equal(first, read(judge.ca))
    end)

    it("as it is when its file is damaged, and says so", function()
      local path = write(judge:path "authority.pem", "not a key")
      local made, text, code = issue "Kari"
      assert.is_nil(made)
      assert.equal(2, code)
      assert.matches("holds no usable key and certificate", text, 1, true)
      assert.equal("not a key", read(path))
    end)

    it("as it is when its key belongs to another certificate", function()
      assert(issue "Kari")
      local path = judge:path "authority.pem"
      local certificate = read(path):match "%-+BEGIN CERTIFICATE.*"
      os.remove(path)
      assert(issue "Kari")
      local key = read(path):match "^(.-)%-+BEGIN CERTIFICATE"
      write(path, key .. certificate)
      assert.is_nil((issue "Kari"))
    end)

    it("nowhere when the folder is missing", function()
      local text, code = run(program, judge:path "missing",
        write(judge:path "in.pdf", PAGE), judge:path "out.pdf")
      assert.equal(2, code)
      assert.matches("cannot write", text, 1, true)
    end)
  end)

  it("makes an authority that may sign certificates only", function()
    assert(issue "Kari")
    local text = authority()
    assert.matches("Basic Constraints: critical%s+CA:TRUE", text)
    assert.matches("Key Usage: critical%s+Certificate Sign, CRL Sign\n", text)
    assert.matches("Subject: O = \"Sandbox, no legal effect\"", text)
    assert.matches("Subject Key Identifier", text)
  end)

  it("issues signers that may sign documents only", function()
    local text = issue "Kari"
    assert.matches("Basic Constraints: critical%s+CA:FALSE", text)
    assert.matches(
      "Key Usage: critical%s+Digital Signature, Non Repudiation\n", text)
    assert.matches("NIST CURVE: P-256", text, 1, true)
    local issuer = authority():match "Subject Key Identifier:%s+([%x:]+)"
    assert.equal(issuer, text:match "Authority Key Identifier:%s+([%x:]+)")
    assert.matches("Subject Key Identifier", text)
  end)

  it("keeps who certifies times as it keeps itself", function()
    local function stamper()
      assert(issue "Kari")
      local token = write(judge:path "token.der",
        (judge:stamp_in(judge:path "out.pdf")))
      local text = run("sh", "-c", "openssl pkcs7 -inform DER -print_certs "
        .. '-in "$1" | openssl x509 -noout -text', "sh", token)
      return text
    end
    local text = stamper()
    assert.matches("Extended Key Usage: critical%s+Time Stamping\n", text)
    assert.matches("CN = Sandbox time stamps", text, 1, true)
    assert.equal(text, stamper())
  end)

  it("says in every certificate that it has no legal effect", function()
    assert.matches("Subject: O=Sandbox, no legal effect", issue "Kari", 1, true)
  end)

  it("names no address to ask about a certificate", function()
    local text = assert(issue "Kari") .. authority()
    assert.is_nil(text:find("URI:", 1, true))
    assert.is_nil(text:find("http", 1, true))
  end)

  it("gives every signer a serial number and a key of its own", function()
    local first, second = issue "Kari", issue "Kari"
    assert.not_equal(first:match "Serial Number:%s+([%x:]+)",
      second:match "Serial Number:%s+([%x:]+)")
    assert.not_equal(first:match "pub:%s+([%x:%s]+)",
      second:match "pub:%s+([%x:%s]+)")
  end)

  local letter, clef = "å", "\u{1D11E}"
  local names = {
    { "keeps letters of any script", "Åse Дарья 李", "Åse Дарья 李" },
    { "keeps 64 characters", letter:rep(64), letter:rep(64) },
    { "cuts longer names after 64 characters, not bytes",
      clef:rep(70), clef:rep(64) },
    { "drops control characters", "Ka\nri\t\127\u{85}!", "Kari!" },
    { "replaces bytes that are not UTF-8", "Ka\xFFri \xC0\xAF\xED\xA0\x80",
      "Ka\u{FFFD}ri " .. ("\u{FFFD}"):rep(5) },
  }
  for _, case in ipairs(names) do
    it(case[1] .. " of a name", function()
      assert.equal(case[3], common_name(case[2]))
    end)
  end

  it("issues a signer without a name when nothing is left of it", function()
    assert.is_nil(common_name "\n")
  end)
end)
