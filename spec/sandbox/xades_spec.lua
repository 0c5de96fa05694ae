-- XAdES signatures, asked for over HTTP and shown to the outside judges.

local judges = require "spec.support.judges"
local mime = require "mime"
local service = require "spec.sandbox.service"
local socket = require "socket"

local AUTHENTICATION <const> = { { signingFlow = "AUTHENTICATION_BASED" } }
local MARKDOWN <const> = "text/markdown; charset=\"utf-8\"; x=<&>"

-- What stands between the tags of an element, nth of its name.
local function content(xml, name, nth)
  local found = {}
  for text in xml:gmatch("<" .. name .. "[^>]*>(.-)</" .. name .. ">") do
    found[#found + 1] = text
  end
  return (assert(found[nth or 1], name))
end

-- The bytes that were signed.
local function document_in(xml)
  return (mime.unb64(assert(xml:match
    '<ds:Object Id="document"[^>]*>(.-)</ds:Object>')))
end

describe("the sandbox's XAdES", function()
  local sandbox, judge

  setup(function()
    sandbox = service.start()
    judge = judges.of(sandbox)
  end)
  teardown(function()
    judge:close()
    sandbox:finish()
  end)

  local function begin(bytes, type)
    return sandbox:session { signingSetup = AUTHENTICATION,
                             contents = { bytes }, mime = type }
  end

  local function result_of(session)
    local _, now = sandbox:call("GET", "/sign/signing-sessions/" .. session.id)
    local _, xml, headers = sandbox:call("GET", "/sign/documents/"
      .. now.output.signatures[1].resultDocumentId)
    assert.equal("application/xml", headers["content-type"])
    return xml
  end

  local function sign(bytes, type, name)
    local session = begin(bytes or "Agreed", type)
    assert.equal(200, (sandbox:sign(session, { name = name })))
    return result_of(session)
  end

  local function accepts(xml)
    return judge:xades(judges.write(judge:path "result.xml", xml))
  end

  -- The nth certificate in it, as openssl shows it.
  local function certificate(xml, nth, ...)
    local der = judges.write(judge:path "certificate.der",
      mime.unb64(content(xml, "ds:X509Certificate", nth)))
    local text = judges.run("openssl", "x509", "-inform", "DER", "-in", der,
      "-noout", ...)
    return (text:gsub("\n$", ""))
  end

  local every_byte = {}
  for byte = 0, 255 do every_byte[#every_byte + 1] = string.char(byte) end
  every_byte = table.concat(every_byte)

  local kinds = {
    { "text", "Agreed on both sides: æøå\r\n", "text/plain" },
    { "markdown", "# Agreed\n\n*on both sides*\n", MARKDOWN },
    { "a PDF", judges.read "examples/lease.pdf", "application/pdf" },
    { "one byte", "\n", "text/plain" },
    { "bytes of every value", every_byte, "text/plain" },
    { "just a line of Base64", ("x"):rep(48), "text/plain" },
    { "a piece and a byte more", ("x"):rep(256 * 48 + 1), "text/plain" },
  }
  for _, case in ipairs(kinds) do
    local name, bytes, type = table.unpack(case)
    it("holds " .. name .. " as it was sent, validly signed", function()
      local xml = sign(bytes, type)
      assert.is_true(document_in(xml) == bytes)
      local accepted, words = accepts(xml)
      assert.is_true(accepted, words)
    end)
  end

  it("is XML that says it is UTF-8, in the same order each time", function()
    local function form()
      local xml = sign()
      for _, name in ipairs { "ds:DigestValue", "ds:SignatureValue",
                              "ds:X509Certificate", "xades:SigningTime",
                              "xades:IssuerSerialV2",
                              "xades:EncapsulatedTimeStamp" } do
        xml = xml:gsub("(<" .. name .. ">).-(</" .. name .. ">)", "%1%2")
      end
      return xml
    end
    local first = form()
    assert.matches('^<%?xml version="1%.0" encoding="UTF%-8"%?>\n<ds:Sig',
      first)
    assert.equal(first, form())
  end)

  it("refers to the document and to what is said of it", function()
    local signed = content(sign(), "ds:SignedInfo")
    local algorithms, references = {}, {}
    for uri in signed:gmatch 'Algorithm="([^"]+)"' do
      algorithms[#algorithms + 1] = uri:match "[^/]+$"
    end
    assert.same({ "xml-exc-c14n#", "xmldsig-more#ecdsa-sha256",
                  "xmldsig#base64", "xmlenc#sha256",
                  "xml-exc-c14n#", "xmlenc#sha256" }, algorithms)
    for tag in signed:gmatch "<ds:Reference ([^>]+)>" do
      references[#references + 1] = tag
    end
    assert.same({
      'Id="document-reference" URI="#document"',
      'Type="http://uri.etsi.org/01903#SignedProperties" '
        .. 'URI="#signed-properties"',
    }, references)
  end)

  it("tells the time in UTC", function()
    local function now() -- os.time may be some milliseconds late
      return os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(socket.gettime()))
    end
    local before = now()
    local time = content(sign(), "xades:SigningTime")
    local after = now()
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", time)
    assert.is_true(before <= time and time <= after)
  end)

  -- The canonical form of the signature's value, which is stamped.
  local function stamped(xml)
    return '<ds:SignatureValue xmlns:ds="http://www.w3.org/2000/09/xmldsig#">'
      .. content(xml, "ds:SignatureValue") .. "</ds:SignatureValue>"
  end

  it("has the time certified by a stamp over the signature", function()
    local xml = sign()
    local token = mime.unb64(content(
      content(xml, "xades:SignatureTimeStamp"), "xades:EncapsulatedTimeStamp"))
    local accepted, words, time = judge:timestamp(token, stamped(xml))
    assert.is_true(accepted, words)
    assert.equal(content(xml, "xades:SigningTime"):match "T(.*)Z",
      time:match " (%d+:%d+:%d+) ")
    accepted = judge:timestamp(token, stamped(xml):gsub("</", " </"))
    assert.is_false(accepted)
  end)

  it("tells the document's media type", function()
    local text = content(sign("x", MARKDOWN), "xades:MimeType")
    assert.equal(MARKDOWN,
      (text:gsub("&(%w+);", { lt = "<", gt = ">", quot = '"', amp = "&" })))
  end)

  it("names the signer by a certificate of the authority", function()
    local xml = sign("Agreed", "text/plain", "Åse <Ørn> & \"Co\"")
    assert.equal("subject=O=Sandbox, no legal effect,CN=Åse <Ørn> & \"Co\"",
      certificate(xml, 1, "-subject", "-nameopt", "utf8,sep_comma_plus"))
    assert.equal(certificate(xml, 2, "-subject"):gsub("subject", "issuer"),
      certificate(xml, 1, "-issuer"))
    local ca = judges.run("openssl", "x509", "-in", judge.ca, "-noout",
      "-fingerprint")
    assert.equal(ca, certificate(xml, 2, "-fingerprint") .. "\n")
  end)

  it("signs which certificate it was", function()
    local xml = sign()
    local digest = mime.unb64(content(content(xml, "xades:CertDigest"),
      "ds:DigestValue"))
    local hex = digest:gsub(".", function(byte)
      return (":%02X"):format(byte:byte())
    end):sub(2)
    assert.equal("sha256 Fingerprint=" .. hex,
      certificate(xml, 1, "-fingerprint", "-sha256"))
    local der = judges.write(judge:path "issuer.der",
      mime.unb64(content(xml, "xades:IssuerSerialV2")))
    local text = judges.run("openssl", "asn1parse", "-inform", "DER",
      "-in", der)
    local serial = certificate(xml, 1, "-serial"):match "=(%x+)"
    assert.equal(serial, text:match "d=1 [^\n]*INTEGER +:(%x+)")
    local issuer = certificate(xml, 1, "-issuer", "-nameopt",
      "utf8,sep_multiline,sname"):match "CN=([^\n]+)"
    assert.matches(":" .. issuer, text, 1, true)
  end)

  describe("is refused by xmlsec1", function()
    local xml
    setup(function() xml = sign("Agreed on both sides", MARKDOWN) end)

    -- Another letter or digit in the place of one.
    local function other(text)
      return text == "A" and "B" or text == "1" and "2"
        or text:match "%d" and "1" or "A"
    end
    local twins = {
      { "another document", '(Id="document"[^>]*>\n)(.)' },
      { "a longer document", '(Id="document"[^>]*>\n%w+)()' },
      { "another time", "(<xades:SigningTime>%d%d%d)(.)" },
      { "another media type", "(<xades:MimeType>)(.)" },
      { "another certificate digest",
        "(<xades:CertDigest>.-<ds:DigestValue>)(.)" },
      { "another issuer", "(<xades:IssuerSerialV2>........)(.)" },
      { "another digest of the document", "(<ds:DigestValue>)(.)" },
      { "another signature", "(<ds:SignatureValue>)(.)" },
    }
    for _, case in ipairs(twins) do
      local name, pattern = table.unpack(case)
      it("with " .. name, function()
        local twin, count = xml:gsub(pattern, function(before, one)
          return before .. (math.type(one) and "QUJD" or other(one))
        end, 1)
        assert.equal(1, count)
        assert.not_equal(xml, twin)
        assert.is_true((accepts(xml)))
        local accepted, words = accepts(twin)
        assert.is_false(accepted, words)
      end)
    end

    it("when another authority is trusted", function()
      local trusted, stranger = judge.ca, judge:path "stranger.pem"
      judges.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=Stranger",
        "-keyout", "/dev/null", "-out", stranger)
      judge.ca = stranger
      finally(function() judge.ca = trusted end)
      assert.is_false((accepts(xml)))
      judge.ca = trusted
      assert.is_true((accepts(xml)))
    end)
  end)

  it("holds a large document once in memory, and in pieces", function()
    local function peak()
      local status = service.read(("/proc/%d/status"):format(sandbox.pid))
      return tonumber(status:match "VmHWM:%s+(%d+) kB") * 1024
    end
    local bytes = every_byte:rep(24 * 4096)
    local session = begin(bytes, "text/plain")
    local before = peak()
    assert.equal(200, (sandbox:sign(session)))
    -- Base64 takes 4/3 and its line ends, a sanitizer some; twice is more.
    assert.is_true(peak() - before < #bytes * 1.8)
    local xml = result_of(session)
    local accepted, words = accepts(xml)
    assert.is_true(accepted, words)
    assert.is_true(document_in(xml) == bytes)
  end)

  it("is made for many sessions at the same time", function()
    local sessions, connections = {}, {}
    local function text(i) return ("Agreed %d\n"):format(i):rep(9000) end
    for i = 1, 12 do sessions[i] = begin(text(i)) end
    for i, session in ipairs(sessions) do
      connections[i] = assert(socket.connect("127.0.0.1", sandbox.port))
      connections[i]:send(("POST /_sandbox/sessions/%s/sign HTTP/1.1\r\n"
        .. "Host: localhost\r\nConnection: close\r\n\r\n"):format(session.id))
    end
    for _, connection in ipairs(connections) do
      assert.matches("^HTTP/1.1 200", connection:receive "*a")
      connection:close()
    end
    for i, session in ipairs(sessions) do
      local xml = result_of(session)
      assert.is_true(document_in(xml) == text(i))
      local accepted, words = accepts(xml)
      assert.is_true(accepted, words)
    end
  end)
end)
