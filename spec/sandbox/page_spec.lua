-- The signer's page, as its requests and answers. What a browser makes of it
-- is in browser_spec.lua.

local service = require "spec.sandbox.service"

local FORM <const> = "application/x-www-form-urlencoded"

local function encode(text)
  return (text:gsub("[^%w]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

describe("the signer's page", function()
  local sandbox

  setup(function() sandbox = service.start() end)
  teardown(function() sandbox:finish() end)
  after_each(function()
    assert.equal(204, (sandbox:call("POST", "/_sandbox/reset")))
    sandbox:renew()
  end)

  -- -- a browser ------------------------------------------------------------

  -- A browser's cookie, its page and what it may send from there.
  local person = {}
  person.__index = person

  local function new_person() return setmetatable({}, person) end

  function person:request(method, path, body, headers)
    headers = headers or {}
    headers.Authorization, headers.Cookie = false, self.cookie
    if body then headers["Content-Type"] = FORM end
    local status, page, answered = sandbox:call(method, path, body, headers)
    local set = answered["set-cookie"]
    if set then self.cookie = set:match "^[^;]+" end
    self.status, self.page, self.headers = status, page, answered
    self.location = answered.location
    return self
  end

  function person:open(session, headers)
    self.id = session.signatureUrl:match "sessionId=(.*)"
    return self:request("GET", "/sign/?sessionId=" .. self.id, nil, headers)
  end

  function person:ask(step, query)
    return self:request("GET", ("/sign/%s?sessionId=%s%s"):format(step,
      self.id, query or ""))
  end

  -- Sends the form of that action that the page holds, or held at `token`.
  function person:send(action, fields, token)
    token = token or self.page:match('action="/sign/' .. action
      .. '".-name="token" value="(%x+)"')
    local body = { "sessionId=" .. self.id, token and "token=" .. token }
    for name, value in pairs(fields or {}) do
      body[#body + 1] = name .. "=" .. encode(value)
    end
    return self:request("POST", "/sign/" .. action, table.concat(body, "&"))
  end

  function person:view() return self.page:match '<main id="(%w+)">' end

  function person:sign(name, fields)
    self:ask("login", "&agreed=yes")
    fields = fields or { agreed = "yes" }
    fields.name = name or "Kari Nordmann"
    return self:send("sign", fields)
  end

  local redirects = {
    success = "https://shop.example/ok?order=17#top",
    cancel = "https://shop.example/no", error = "https://shop.example/err",
  }
  local based = { { signingFlow = "AUTHENTICATION_BASED",
                    identityProviders = { { idpName = "nbid" } } } }

  local function make(fields)
    local all = { signingSetup = based }
    for name, value in pairs(fields or {}) do all[name] = value end
    return sandbox:session(all)
  end

  local function open(fields, headers)
    return new_person():open(make(fields), headers)
  end

  local function is_signed(session)
    return sandbox:state(session).state == "SIGNED"
  end

  local function count(text, pattern)
    return select(2, text:gsub(pattern, ""))
  end

  -- -- what it shows --------------------------------------------------------

  it("shows the documents in order, to be signed or to be read", function()
    local session = make { contents = { "First", "Second", "Third" } }
    for i, each in ipairs(session.documents) do
      sandbox:call("PATCH", "/sign/documents/" .. each.documentId
        .. "/metadata", { title = "Part " .. i })
    end
    session = sandbox:create_session {
      title = "Three", signingSetup = based,
      documents = {
        { documentId = session.documents[2].documentId, action = "VIEW",
          documentCollectionId = session.documents[1].documentCollectionId },
        { documentId = session.documents[1].documentId, action = "SIGN",
          documentCollectionId = session.documents[1].documentCollectionId },
      } }
    local kari = new_person():open(session)
    assert.equal(200, kari.status)
    assert.equal("text/html; charset=utf-8", kari.headers["content-type"])
    assert.matches("<h1[^>]*>Three</h1>", kari.page)
    assert.matches('class="view">.-Part 2.-For reading only.-Second.-'
      .. 'class="sign">.-Part 1.-To be signed.-First', kari.page)
    assert.is_nil(kari.page:find("Third", 1, true))
  end)

  it("hands out its own documents only, PDFs as PDFs", function()
    local lease = service.read "examples/lease.pdf"
    local kari = open { contents = { lease }, mime = "application/pdf" }
    assert.matches('<object type="application/pdf"', kari.page, 1, true)
    kari:ask("document", "&number=1")
    assert.equal(200, kari.status)
    assert.equal("application/pdf", kari.headers["content-type"])
    assert.equal("nosniff", kari.headers["x-content-type-options"])
    assert.is_true(kari.page == lease)
    for _, number in ipairs { "", "&number=0", "&number=2", "&number=x" } do
      assert.equal(404, kari:ask("document", number).status)
    end
  end)

  it("serves what is no PDF as plain text", function()
    local kari = open { contents = { "# <script>alert(1)</script>" },
                        mime = "text/markdown" }
    assert.equal("text/plain; charset=utf-8",
      kari:ask("document", "&number=1").headers["content-type"])
  end)

  -- What is shown of a text in Markdown, and what it has to be in HTML.
  local markdown = {
    { "# One\n## Two\n####### Seven", "<h4>One</h4>\n<h5>Two</h5>\n"
      .. "<p>####### Seven</p>" },
    { "One\ntwo\n\nthree", "<p>One<br>\ntwo</p>\n<p>three</p>" },
    { "- one\n- two\n  more", "<ul>\n<li>one<li>two<br>\nmore</ul>" },
    { "7. Seven\n9) Nine", '<ol>\n<li value="7">Seven<li value="9">Nine</ol>' },
    { "> said\n> so", "<blockquote>said<br>\nso</blockquote>" },
    { "above\n***\nbelow", "<p>above</p>\n<hr>\n<p>below</p>" },
    { "```hidden?\n# <b>\n``` no\n```\nend",
      "<pre>\nhidden?\n# &lt;b&gt;\n``` no\n</pre>\n<p>end</p>" },
    { "**bold *and* more** `a*b*`", "<p><strong>bold <em>and</em> more"
      .. "</strong> <code>a*b*</code></p>" },
    { "2 * 3 * 4, a_b_c, **no, \\*as is\\*", "<p>2 * 3 * 4, a_b_c, **no, "
      .. "*as is*</p>" },
    { "[text](javascript:alert(1)) ![x](http://y)",
      "<p>[text](javascript:alert(1)) ![x](http://y)</p>" },
    { "<i onclick='x'>*<b>*", "<p>&lt;i onclick=&#39;x&#39;&gt;"
      .. "<em>&lt;b&gt;</em></p>" },
    { "one\r\ntwo\rthree\r\n", "<p>one<br>\ntwo\rthree</p>" },
    { "open ```\n```", "<p>open ```</p>\n<pre>\n</pre>" },
  }
  it("renders Markdown, and hides nothing of it", function()
    local kari = new_person()
    for _, case in ipairs(markdown) do
      kari:open(make { contents = { case[1] },
                       mime = "text/markdown; charset=utf-8" })
      assert.equal(case[2], kari.page:match
        '<div class="prose"[^>]*>\n(.-)\n</div>')
    end
  end)

  it("survives Markdown that is nothing but signs", function()
    local kari = new_person()
    for _, signs in ipairs { "*", "**", "* ", "`", "\\", "> ", "- ", "1. ",
                             "```\n", "# ", "*a", "**a ", "_" } do
      kari:open(make { mime = "text/markdown",
        contents = { signs:rep(200000 // #signs) } })
      assert.equal(200, kari.status)
      assert.equal("documents", kari:view())
    end
  end)

  it("does not show text that is none, or is very long", function()
    for _, bytes in ipairs { "\xff\xfe\0x", ("x"):rep(300000) } do
      local kari = open { contents = { bytes } }
      assert.equal(200, kari.status)
      assert.matches("cannot be shown here", kari.page, 1, true)
      assert.equal(bytes, kari:ask("document", "&number=1").page)
    end
  end)

  it("escapes every text that is not its own", function()
    local evil = [[<script>alert("1")</script>&'"><b>]]
    local session = make {
      title = evil, signText = evil, contents = { evil },
      externalReference = evil,
      signingSetup = { { signingFlow = "AUTHENTICATION_BASED",
        identityProviders = { { idpName = evil }, { idpName = "nbid" } } } },
      redirectSettings = { success = "https://shop.example/'\"><b>",
                           cancel = "https://shop.example/",
                           error = "https://shop.example/" },
    }
    sandbox:call("PATCH", "/sign/documents/"
      .. session.documents[1].documentId .. "/metadata", { title = evil })
    local kari = new_person():open(session)
    local pages = { kari.page, kari:ask("login", "&agreed=yes").page,
                    kari:ask("login", "&agreed=yes&idpName=" .. encode(evil))
                      .page, kari:ask("reject").page }
    pages[#pages + 1] = kari:send("reject", {
      reason = evil .. ("x"):rep(2048) }).page
    kari:ask("login", "&agreed=yes&idpName=nbid")
    pages[#pages + 1] = kari:send("sign", { name = evil .. ("x"):rep(64),
      number = evil, agreed = "yes", idpName = "nbid" }).page
    sandbox:sign(session)
    pages[#pages + 1] = new_person():open(session).page
    for _, page in ipairs(pages) do
      assert.is_nil(page:find("<script", 1, true))
      assert.is_nil(page:find("<b>", 1, true))
      assert.matches("&lt;script&gt;alert(&quot;1&quot;)", page, 1, true)
    end
    assert.equal(7, #pages)
  end)

  it("says on every page that it is a sandbox, and loads nothing", function()
    local session = make()
    local kari = new_person():open(session)
    local pages = { kari.page, kari:ask("login").page, kari:ask("reject").page,
                    kari:send("sign", {}, "0").page }
    sandbox:sign(session)
    pages[#pages + 1] = kari:open(session).page
    pages[#pages + 1] = kari:request("GET", "/sign/").page
    for _, page in ipairs(pages) do
      assert.matches("Sandbox, no legal effect", page, 1, true)
      assert.is_nil(page:find("<script", 1, true))
      assert.is_nil(page:find("style=", 1, true))
      assert.is_nil(page:find("://", 1, true))
    end
  end)

  it("has a policy that lets it load and send next to nothing", function()
    local kari = open { redirectSettings = redirects }
    local policy = kari.headers["content-security-policy"]
    assert.matches("default-src 'none'; style-src 'self';", policy, 1, true)
    assert.matches("frame-ancestors 'none'", policy, 1, true)
    assert.matches("form-action 'self' https://shop.example", policy, 1, true)
    assert.is_nil(policy:find("unsafe", 1, true))
    assert.is_nil(policy:find("/ok", 1, true))
    assert.equal("no-store", kari.headers["cache-control"])
    assert.equal("no-referrer", kari.headers["referrer-policy"])
    local cookie = kari.headers["set-cookie"]
    assert.matches("; Path=/sign/; HttpOnly; SameSite=Lax", cookie, 1, true)
    assert.equal("text/css; charset=utf-8",
      kari:request("GET", "/sign/page.css").headers["content-type"])
  end)

  it("cannot have its policy widened by a redirect target", function()
    local policy = open { redirectSettings = {
      success = "https://a.example;script-src", cancel = "my-app://back",
      error = "https://u:p@b.example/" } }.headers["content-security-policy"]
    assert.matches("form%-action 'self' https: my%-app: https:$", policy)
  end)

  local words = { da = "Underskriv", de = "Unterschreiben", en = "Sign",
                  fi = "Allekirjoita", nb = "Signer", nn = "Signer",
                  sv = "Underteckna" }
  for language, word in pairs(words) do
    it("speaks " .. language, function()
      local kari = open { ui = { language = language },
                          dueDate = os.date("!%Y-%m-%dT%TZ",
                            os.time() + 86400) }
      assert.matches('<html lang="' .. language .. '">', kari.page, 1, true)
      assert.matches('<button class="main">' .. word .. "<", kari.page, 1,
        true)
      assert.is_nil(kari.page:find("(null)", 1, true))
    end)
  end

  it("asks the browser for its language where there is no session", function()
    local kari = new_person():request("GET", "/sign/", nil,
      { ["Accept-Language"] = "fr-FR, sv-SE;q=0.9, en;q=0.8" })
    assert.matches('<html lang="sv">', kari.page, 1, true)
    assert.matches('<html lang="en">', new_person():request("GET", "/sign/",
      nil, { ["Accept-Language"] = "fr" }).page, 1, true)
  end)

  -- -- signing --------------------------------------------------------------

  it("signs as the name that was given, and goes back", function()
    local session = make { redirectSettings = redirects,
                           externalReference = "ø 17&x=1" }
    local kari = new_person():open(session):sign "Kari Nordmann"
    assert.equal(303, kari.status)
    assert.equal("https://shop.example/ok?order=17"
      .. "&externalReference=%C3%B8%2017%26x%3D1&sessionId=" .. session.id
      .. "#top", kari.location)
    local _, done = sandbox:call("GET", "/sign/signing-sessions/"
      .. session.id)
    assert.equal("SIGNED", done.lifecycle.state)
    local _, xml = sandbox:call("GET", "/sign/documents/"
      .. done.output.signatures[1].resultDocumentId)
    local pem = service.folder()
    finally(function() service.remove(pem) end)
    local file = assert(io.open(pem .. "/one.pem", "w"))
    file:write("-----BEGIN CERTIFICATE-----\n", (xml:match
      "X509Certificate>%s*(.-)%s*</"), "\n-----END CERTIFICATE-----\n")
    file:close()
    local pipe = io.popen("openssl x509 -noout -subject -in " .. pem
      .. "/one.pem")
    assert.matches("Kari Nordmann", pipe:read "a", 1, true)
    pipe:close()
  end)

  it("thanks where there is nowhere to go back to", function()
    local session = make()
    local kari = new_person():open(session):sign()
    assert.equal(200, kari.status)
    assert.equal("done", kari:view())
    assert.is_true(is_signed(session))
  end)

  it("goes to no target that is code", function()
    local session = make { redirectSettings = {
      success = "javascript://x/%0aalert(1)", cancel = "data://x",
      error = "vbscript://x" } }
    local kari = new_person():open(session):sign()
    assert.equal(200, kari.status)
    assert.is_nil(kari:open(session).page:find("script:", 1, true))
  end)

  it("asks for agreement to the text, and again when signing", function()
    local session = make { signText = "I owe you\n17 crowns" }
    local kari = new_person():open(session)
    assert.matches(">I owe you\n17 crowns<", kari.page, 1, true)
    assert.equal(1, count(kari.page, 'type="checkbox" name="agreed"'))
    kari:ask("login")
    assert.equal(400, kari.status)
    assert.equal("documents", kari:view())
    assert.matches('role="alert"', kari.page, 1, true)
    kari:sign("Kari", {})
    assert.equal(400, kari.status)
    assert.is_false(is_signed(session))
    assert.equal(200, kari:sign().status)
    assert.is_true(is_signed(session))
  end)

  it("asks for no agreement where there is no text", function()
    assert.equal(0, count(open().page, "checkbox"))
  end)

  it("lets choose among the session's providers, and no other", function()
    local session = make { signingSetup = { {
      signingFlow = "AUTHENTICATION_BASED",
      identityProviders = { { idpName = "mitid" }, { idpName = "own" } } } } }
    local kari = new_person():open(session):ask("login")
    assert.equal(2, count(kari.page, '<button name="idpName"'))
    assert.matches(">MitID<", kari.page, 1, true)
    assert.matches('value="own">own<', kari.page, 1, true)
    kari:ask("login", "&idpName=sbid")
    assert.equal(2, count(kari.page, '<button name="idpName"'))
    kari:ask("login", "&idpName=mitid")
    assert.matches("Log in with MitID", kari.page, 1, true)
    local token = kari.page:match 'name="token" value="(%x+)"'
    kari:send("sign", { name = "Kari", idpName = "sbid" }, token)
    assert.is_false(is_signed(session))
    kari:send("sign", { name = "Kari", idpName = "mitid" }, token)
    assert.is_true(is_signed(session))
  end)

  it("asks again for a name of which nothing would be seen", function()
    for _, name in ipairs { "", "  ", "\u{202E}", " \u{200B}\u{FEFF}\u{A0}" } do
      local session = make()
      local kari = new_person():open(session)
      assert.equal("login", kari:sign(name):view())
      assert.is_false(is_signed(session))
    end
  end)

  it("offers every provider where the session names none", function()
    local kari = open { signingSetup = { {
      signingFlow = "AUTHENTICATION_BASED" } } }
    assert.equal(7, count(kari:ask("login").page, '<button name="idpName"'))
  end)

  it("has the vendor for PKISIGNING", function()
    local kari = open { signingSetup = { { signingFlow = "PKISIGNING",
                                           vendor = "SMARTID" } } }
    assert.matches("Log in with Smart-ID", kari:ask("login").page, 1, true)
  end)

  it("wants a name of 1 to 64 characters", function()
    local session = make()
    local kari = new_person():open(session)
    for _, name in ipairs { "", "   ", ("ø"):rep(65) } do
      kari:sign(name)
      assert.equal(400, kari.status)
      assert.equal("login", kari:view())
      assert.matches("aria-invalid=true", kari.page, 1, true)
    end
    assert.equal(200, kari:sign(("ø"):rep(64)).status)
    assert.is_true(is_signed(session))
  end)

  it("lets only the person sign whom the session names", function()
    local session = make { signer = {
      nationalIdentificationNumber = "010170 12345",
      validations = { "NATIONAL_IDENTIFICATION_NUMBER" } } }
    local kari = new_person():open(session)
    for _, number in ipairs { "", "01017012346", "0101701234",
                              "010170123450" } do
      kari:sign("Kari", { number = number })
      assert.equal(400, kari.status)
      assert.matches("not the person", kari.page, 1, true)
    end
    assert.is_false(is_signed(session))
    assert.equal(200, kari:sign("Kari", { number = "010170-12345" }).status)
    assert.is_true(is_signed(session))
  end)

  it("asks for the number only where it may", function()
    local signers = {
      { { nationalIdentificationNumber = "1" }, "%(optional%)" },
      { { validations = { "NATIONAL_IDENTIFICATION_NUMBER" } },
        'name="number"[^>]- required' },
      { { restrictUse = { { parameter = "NIN", restriction = "NO_USE" } } } },
    }
    for _, case in ipairs(signers) do
      local page = open { signer = case[1] }:ask("login").page
      if case[2] then
        assert.matches(case[2], page)
      else
        assert.is_nil(page:find('name="number"', 1, true))
      end
    end
  end)

  it("says what is wrong with a document that cannot be signed", function()
    local pki = { { signingFlow = "PKISIGNING", vendor = "NBID" } }
    local session = make { signingSetup = pki }
    local kari = new_person():open(session):sign()
    assert.equal(400, kari.status)
    assert.equal("failed", kari:view())
    assert.matches("is no PDF", kari.page, 1, true)
    session = make { signingSetup = pki, redirectSettings = redirects }
    kari:open(session):sign()
    assert.equal(303, kari.status)
    assert.equal("https://shop.example/err?sessionId=" .. session.id,
      kari.location)
    assert.equal("READY", sandbox:state(session).state)
  end)

  -- -- cancelling and rejecting ---------------------------------------------

  it("can be cancelled and come back to", function()
    local session = make { redirectSettings = redirects }
    local kari = new_person():open(session):send "cancel"
    assert.equal(303, kari.status)
    assert.equal("https://shop.example/no?sessionId=" .. session.id,
      kari.location)
    assert.equal("READY", sandbox:state(session).state)
    assert.equal(303, kari:open(session):sign().status)
    assert.is_true(is_signed(session))
    kari = open():send "cancel"
    assert.equal("cancelled", kari:view())
    assert.matches('href="/sign/?sessionId=', kari.page, 1, true)
  end)

  it("can be rejected, with a reason or without", function()
    for _, reason in ipairs { "", "Too dear", ("ø"):rep(2048) } do
      local session = make { redirectSettings = redirects }
      local kari = new_person():open(session):ask("reject")
      kari:send("reject", { reason = reason })
      assert.equal(200, kari.status)
      assert.equal("rejected", kari:view())
      assert.matches('href="https://shop.example/no?sessionId=', kari.page, 1,
        true)
      assert.same({ state = "REJECTED", stateIsFinal = true },
        sandbox:state(session))
    end
    local session = make()
    local kari = new_person():open(session):ask("reject")
    kari:send("reject", { reason = ("ø"):rep(2049) })
    assert.equal(400, kari.status)
    assert.equal("READY", sandbox:state(session).state)
  end)

  -- -- identification first -------------------------------------------------

  local before = { enabled = true,
                   identityProviders = { { idpName = "sbid" } } }

  it("shows no document before who is to identify first has", function()
    local session = make { preAuthentication = before,
                           contents = { "Hidden words" } }
    local kari = new_person():open(session)
    assert.equal("identify", kari:view())
    assert.matches("Log in with BankID (SE)", kari.page, 1, true)
    for _, step in ipairs { "document", "login", "reject" } do
      local page = kari:ask(step, "&number=1").page
      assert.is_nil(page:find("Hidden words", 1, true))
      assert.equal("identify", kari:view())
    end
    local token = kari.page:match 'name="token" value="(%x+)"'
    for _, action in ipairs { "sign", "reject" } do
      assert.equal("identify", kari:send(action, { name = "Kari" }, token)
        :view())
    end
    assert.equal("READY", sandbox:state(session).state)

    assert.equal(303, kari:open(session)
      :send("identify", { name = "Kari" }).status)
    assert.equal("/sign/?sessionId=" .. kari.id, kari.location)
    assert.matches("Hidden words", kari:open(session).page, 1, true)
    assert.matches('name="name" value="Kari"', kari:ask("login").page, 1,
      true)
    assert.equal(200, kari:sign().status)
    assert.is_true(is_signed(session))
  end)

  it("knows who has identified in that browser, session and time", function()
    local session = make { preAuthentication = before }
    local other = make { preAuthentication = before }
    local kari = new_person():open(session)
    kari:send("identify", { name = "Kari" })
    assert.equal("documents", kari:open(session):view())
    assert.equal("identify", kari:open(other):view())
    assert.equal("identify", new_person():open(session):view())
    sandbox:call("POST", "/_sandbox/clock", { advance = 1801 })
    assert.equal("identify", kari:open(session):view())
  end)

  it("lets only the person identify whom the session names", function()
    local session = make { preAuthentication = before, signer = {
      nationalIdentificationNumber = "17",
      validations = { "NATIONAL_IDENTIFICATION_NUMBER" } } }
    local kari = new_person():open(session)
    assert.equal(400, kari:send("identify", { name = "Kari", number = "18" })
      .status)
    assert.equal("identify", kari:open(session):view())
    kari:send("identify", { name = "Kari", number = "17" })
    assert.equal("documents", kari:open(session):view())
  end)

  it("signs nothing when an identification is sent twice", function()
    local session = make { preAuthentication = before }
    local kari = new_person():open(session)
    local token = kari.page:match 'name="token" value="(%x+)"'
    for _ = 1, 2 do
      assert.equal(303, kari:send("identify", { name = "Kari" }, token).status)
    end
    assert.equal("READY", sandbox:state(session).state)
  end)

  -- -- what cannot be signed ------------------------------------------------

  -- Its view and status, for a look and for each thing that may be done.
  local function check(session, view, status, kari, token)
    kari = kari or new_person()
    assert.equal(view, kari:open(session):view())
    assert.equal(status, kari.status)
    for _, step in ipairs { "document", "login", "reject" } do
      assert.equal(view, kari:ask(step, "&number=1"):view())
      assert.equal(status, kari.status)
    end
    for _, action in ipairs { "sign", "reject", "cancel", "identify" } do
      kari:send(action, { name = "Kari", agreed = "yes" }, token or "0")
      assert.equal(view, kari:view())
      assert.equal(status, kari.status)
    end
    return kari
  end

  -- A person with the page open, and the token in it.
  local function visitor(session)
    local kari = new_person():open(session)
    return kari, kari.page:match 'name="token" value="(%x+)"'
  end

  it("tells a blocked session, and opens when it is its turn", function()
    local first = make()
    local second = make { subsequentTo = { first.id } }
    check(second, "blocked", 409)
    assert.equal("BLOCKED", sandbox:state(second).state)
    sandbox:sign(first)
    assert.equal("documents", new_person():open(second):view())
  end)

  it("tells a signed session, and where to go on", function()
    local session = make { redirectSettings = redirects }
    local kari, token = visitor(session)
    sandbox:sign(session)
    check(session, "signed", 409, kari, token)
    assert.matches('href="https://shop.example/ok?order=17&amp;sessionId=',
      kari.page, 1, true)
  end)

  it("tells a rejected session", function()
    local session = make()
    local kari, token = visitor(session)
    sandbox:reject(session)
    check(session, "rejected", 409, kari, token)
    assert.equal("REJECTED", sandbox:state(session).state)
  end)

  it("tells a URL that has expired, and no more than that", function()
    local session = make { signatureUrlTTL = 5 }
    local kari, token = visitor(session)
    sandbox:call("POST", "/_sandbox/clock", { advance = 301 })
    check(session, "expired", 410, kari, token)
    assert.is_nil(kari.page:find("Lease 17", 1, true))
    assert.equal("READY", sandbox:state(session).state)
  end)

  it("tells a due date that has passed", function()
    local session = make { dueDate = os.date("!%Y-%m-%dT%TZ",
      os.time() + 300) }
    local kari, token = visitor(session)
    sandbox:call("POST", "/_sandbox/clock", { advance = 302 })
    check(session, "overdue", 410, kari, token)
    assert.equal("READY", sandbox:state(session).state)
  end)

  it("tells a URL that leads nowhere", function()
    local session = make()
    local id = session.signatureUrl:match "sessionId=(.*)"
    local last = id:sub(-1) == "0" and "1" or "0"
    for _, wrong in ipairs { "", "17", session.id, service.unknown_id,
                             id:sub(1, -2) .. last, id .. "0" } do
      check({ signatureUrl = "?sessionId=" .. wrong }, "unknown", 404)
    end
    sandbox:call("DELETE", "/sign/signing-sessions/" .. session.id)
    check(session, "unknown", 404)
  end)

  it("is an event when its documents are seen for the first time", function()
    local socket = require "socket"
    local sink = assert(socket.bind("127.0.0.1", 0)) -- answers nobody
    local _, port = sink:getsockname()
    local status, webhook = sandbox:call("POST", "/_sandbox/webhooks", {
      url = "http://127.0.0.1:" .. port, secret = "s",
      events = { "signing-session.opened" } })
    assert.equal(201, status)
    finally(function()
      sandbox:call("DELETE", "/_sandbox/webhooks/" .. webhook.id)
      sink:close()
    end)
    local function count_events()
      local _, answer = sandbox:call("GET", "/_sandbox/events")
      return #answer.events
    end
    local session = make { preAuthentication = before }
    local kari = new_person():open(session)
    assert.equal(0, count_events())
    kari:send("identify", { name = "Kari" })
    for _ = 1, 2 do kari:open(session) end
    assert.equal(1, count_events())
  end)

  -- -- forms ----------------------------------------------------------------

  it("takes a form only with the token of its browser and session", function()
    local session, other = make(), make()
    local kari, token = visitor(session)
    local ola, of_ola = visitor(session)
    local _, of_other = visitor(other)
    local same = new_person()
    same.cookie = kari.cookie
    same:open(other)
    local elsewhere = same.page:match 'name="token" value="(%x+)"'
    for _, wrong in ipairs { "", "0", of_ola, of_other, elsewhere,
                             token:sub(2), token .. "0" } do
      for _, action in ipairs { "sign", "reject", "cancel", "identify" } do
        kari:send(action, { name = "Kari" }, wrong)
        assert.equal(403, kari.status)
        assert.equal("stale", kari:view())
      end
    end
    kari:request("POST", "/sign/sign", "sessionId=" .. kari.id .. "&name=x")
    assert.equal(403, kari.status)
    local stranger = new_person()
    stranger.id = kari.id
    assert.equal(403, stranger:send("sign", { name = "x" }, token).status)
    assert.equal("READY", sandbox:state(session).state)
    assert.equal(200, ola:sign().status)
    assert.is_true(is_signed(session))
  end)

  it("changes nothing by GET, and takes nothing but forms", function()
    local session = make()
    local kari, token = visitor(session)
    for _, action in ipairs { "sign", "identify", "cancel" } do
      assert.equal(405, kari:ask(action, "&name=Kari&token=" .. token).status)
    end
    kari:ask("reject", "&token=" .. token .. "&reason=x")
    local status = sandbox:call("POST", "/sign/sign",
      { sessionId = kari.id, token = token, name = "Kari" },
      { Cookie = kari.cookie, Authorization = false })
    assert.equal(415, status)
    kari:request("POST", "/sign/sign", "sessionId=" .. kari.id .. "&a=%zz")
    assert.equal(404, kari.status)
    assert.equal("READY", sandbox:state(session).state)
  end)

  it("signs once when a form is sent twice", function()
    local session = make()
    local kari = new_person():open(session)
    local token = kari.page:match 'name="token" value="(%x+)"'
    assert.equal("done", kari:send("sign", { name = "Kari" }, token):view())
    assert.equal("signed", kari:send("sign", { name = "Kari" }, token):view())
    assert.equal(409, kari.status)
    local _, done = sandbox:call("GET", "/sign/signing-sessions/"
      .. session.id)
    assert.equal(1, #done.output.signatures)
  end)

  it("signs once when two forms come at the same time", function()
    local socket = require "socket"
    for _ = 1, 5 do
      local session = make()
      local kari, token = visitor(session)
      local body = ("sessionId=%s&token=%s&name=Kari"):format(kari.id, token)
      local sockets, answers = {}, {}
      for i = 1, 4 do
        sockets[i] = assert(socket.connect("127.0.0.1", sandbox.port))
        sockets[i]:settimeout(20)
      end
      for _, each in ipairs(sockets) do
        each:send(("POST /sign/sign HTTP/1.1\r\nHost: 127.0.0.1\r\n"
          .. "Cookie: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n"
          .. "Connection: close\r\n\r\n%s"):format(kari.cookie, FORM, #body,
          body))
      end
      for i, each in ipairs(sockets) do
        answers[i] = each:receive("*a"):match "^HTTP/1.1 (%d+)"
        each:close()
      end
      table.sort(answers)
      assert.same({ "200", "409", "409", "409" }, answers)
      local _, done = sandbox:call("GET", "/sign/signing-sessions/"
        .. session.id)
      assert.equal(1, #done.output.signatures)
    end
  end)

  it("keeps no cookie, no number and no token at rest", function()
    local folder = service.folder()
    local kept = service.start("--data", folder)
    local outer = sandbox
    sandbox = kept
    finally(function()
      sandbox = outer
      service.remove(folder)
    end)
    local session = make { preAuthentication = before }
    local kari, token = visitor(session)
    kari:send("identify", { name = "Kari", number = "01017012345" })
    assert.equal(303, kari.status)
    kept:finish()
    for _, secret in ipairs { kari.cookie:match "=(.*)", token, kari.id,
                              "01017012345" } do
      assert.is_nil(os.execute(("grep -rqF -- '%s' '%s'"):format(secret,
        folder)))
    end
  end)

  it("keeps its browsers known and its URLs over a restart", function()
    local folder = service.folder()
    local outer = sandbox
    finally(function()
      sandbox = outer
      service.remove(folder)
    end)
    sandbox = service.start("--data", folder)
    local session = make { preAuthentication = before }
    local kari, token = visitor(session)
    kari:send("identify", { name = "Kari" }, token)
    sandbox:kill()
    sandbox = service.start("--data", folder)
    assert.equal("documents", kari:open(session):view())
    assert.equal(200, kari:send("sign", { name = "Kari" }, token).status)
    assert.is_true(is_signed(session))
    sandbox:finish()
  end)
end)
