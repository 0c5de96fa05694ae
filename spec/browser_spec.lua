-- The signer's page in Chromium, with a person who is played by its driver.

local browser = require "spec.support.browser"
local own_sandbox = require "signicat.sandbox"
local service = require "spec.sandbox.service"

describe("in a browser, the signer's page", function()
  local sandbox, shop, secure, person

  setup(function()
    sandbox, shop = service.start(), service.start()
    secure = assert(own_sandbox.start { tls = "good" })
    person = browser.open(secure.ca_file)
  end)
  teardown(function()
    person:close()
    secure:stop()
    sandbox:finish()
    shop:finish()
  end)

  -- -- the sender's side ----------------------------------------------------

  local based = { { signingFlow = "AUTHENTICATION_BASED",
                    identityProviders = { { idpName = "nbid" },
                                          { idpName = "mitid" } } } }

  -- A lease to sign and house rules to read. A PDF takes a while to be shown:
  -- the lease is one where that matters.
  local function make(fields, is_pdf)
    local lease = is_pdf and sandbox:upload(service.read "examples/lease.pdf",
      "application/pdf") or sandbox:upload "The flat is yours."
    lease = lease.documentId
    local rules = sandbox:upload "Quiet after ten <o'clock> & no pets."
      .documentId
    local collection = sandbox:collect({ lease, rules }).id
    local session = {
      title = "Lease 17", signingSetup = based,
      documents = {
        { documentId = lease, documentCollectionId = collection,
          action = "SIGN" },
        { documentId = rules, documentCollectionId = collection,
          action = "VIEW" } },
      signText = "I rent the flat on these terms.",
    }
    for name, value in pairs(fields or {}) do session[name] = value end
    return sandbox:create_session(session)
  end

  local function state(session) return sandbox:state(session).state end

  -- Where people are sent back to: another service of this machine.
  local function targets()
    local settings = {}
    for name, path in pairs { success = "ok?order=17", cancel = "no",
                              error = "err" } do
      settings[name] = shop.url .. "/" .. path
    end
    return settings
  end

  -- The path they have come to there.
  local function arrival()
    return service.await("the way back", function()
      local address = person:address()
      return address:sub(1, #shop.url) == shop.url
        and address:sub(#shop.url + 1)
    end)
  end

  -- -- the person's side ----------------------------------------------------

  local function agree()
    person:click "#agreed"
    person:click "#signature button.main"
  end

  local function log_in(name)
    person:click "button[value=nbid]"
    person:type("#name", name or "Kari Nordmann")
    person:click "#login button.main"
  end

  it("lets sign, and sends back with the reference", function()
    local session = make({ redirectSettings = targets(),
                           externalReference = "17/ø" }, true)
    person:get(session.signatureUrl)
    assert.equal("Lease 17", person:text "h1")
    agree()
    log_in()
    assert.equal("/ok?order=17&externalReference=17%2F%C3%B8&sessionId="
      .. session.id, arrival())
    assert.equal("SIGNED", state(session))
    local _, done = sandbox:call("GET", "/sign/signing-sessions/"
      .. session.id)
    assert.equal(1, #done.output.signatures)
  end)

  it("shows the PDF with the browser's own viewer", function()
    local session = make({}, true)
    person:get(session.signatureUrl)
    person:find "object[type='application/pdf']"
    -- The viewer is a frame of its own; what has none shows its inside.
    service.await("the viewer", function()
      local found = person:command "Target.getTargets".targetInfos
      for _, target in ipairs(found) do
        if target.url:find("/sign/document?sessionId=", 1, true)
          or target.url:find("chrome-extension://", 1, true) then
          return true
        end
      end
    end)
    assert.matches("Quiet after ten <o'clock> & no pets.", person:text "pre",
      1, true)
  end)

  it("can be cancelled, come back to, and signed", function()
    local session = make { redirectSettings = targets() }
    person:get(session.signatureUrl)
    person:click "form[action='/sign/cancel'] button"
    assert.equal("/no?sessionId=" .. session.id, arrival())
    assert.equal("READY", state(session))
    person:back()
    agree()
    log_in()
    assert.matches("^/ok", arrival())
    assert.equal("SIGNED", state(session))
  end)

  it("can be rejected with a reason, for good", function()
    local session = make()
    person:get(session.signatureUrl)
    person:click "form[action='/sign/reject'] button"
    person:type("#reason", "The rent is <too> dear.")
    person:click "#reject button.main"
    assert.equal("Rejected", person:text "#rejected h1")
    assert.equal("REJECTED", state(session))
    person:get(session.signatureUrl)
    person:find "#rejected"
    assert.equal(0, person:count "button")
  end)

  it("takes two signers in their order", function()
    local first = make()
    local second = make { subsequentTo = { first.id } }
    person:get(second.signatureUrl)
    assert.equal("It is not your turn yet", person:text "#blocked h1")
    person:get(first.signatureUrl)
    agree()
    log_in "Kari Nordmann"
    person:find "#done"
    person:get(second.signatureUrl)
    agree()
    log_in "Ola Nordmann"
    person:find "#done"
    assert.equal("SIGNED", state(second))
  end)

  it("asks who it is before the documents where it has to", function()
    local session = make { preAuthentication = { enabled = true,
      identityProviders = { { idpName = "sbid" } } } }
    person:get(session.signatureUrl)
    assert.equal(0, person:count "object, pre")
    person:type("#name", "Kari Nordmann")
    person:click "#identify button.main"
    person:find "pre"
    agree()
    person:click "button[value=mitid]"
    person:find "#name"
    assert.equal("Kari Nordmann", person:look
      "document.getElementById('name').value")
    person:click "#login button.main"
    person:find "#done"
    assert.equal("SIGNED", state(session))
  end)

  it("keeps a person from signing without agreement", function()
    local session = make()
    person:get(session.signatureUrl)
    person:click "#signature button.main"
    assert.equal(1, person:count "#agreed:invalid")
    assert.equal("Lease 17", person:title())
    agree()
    person:find "#login"
  end)

  it("signs once for one who goes back and signs again", function()
    local session = make()
    person:get(session.signatureUrl)
    agree()
    log_in()
    person:find "#done"
    person:back()
    service.await("the end of the way", function()
      return person:count "#login button.main" > 0
        or person:count "#signed" > 0
    end)
    if person:count "#login button.main" > 0 then
      person:type("#name", "Again")
      person:click "#login button.main"
    end
    person:find "#signed"
    local _, done = sandbox:call("GET", "/sign/signing-sessions/"
      .. session.id)
    assert.equal(1, #done.output.signatures)
  end)

  it("tells a second tab that the first has signed", function()
    local session = make()
    person:get(session.signatureUrl)
    agree()
    person:click "button[value=nbid]"
    person:type("#name", "Kari Nordmann")
    sandbox:sign(session) -- as another tab, or another person, would
    person:click "#login button.main"
    assert.equal("Already signed", person:text "#signed h1")
  end)

  it("can be done with the keyboard alone", function()
    local tab, enter = browser.keys.tab, browser.keys.enter
    local session = make { signingSetup = { {
      signingFlow = "AUTHENTICATION_BASED",
      identityProviders = { { idpName = "nbid" } } } } }
    person:get(session.signatureUrl)
    person:press(tab) -- the first stop leads past the documents
    assert.equal("skip", person:look "document.activeElement.className")
    person:press(enter, tab)
    assert.equal("agreed", person:look "document.activeElement.id")
    person:press(browser.keys.space, tab, enter)
    person:find "#name"
    -- From the top of the page the first stop is the first field.
    person:press(tab)
    assert.equal("name", person:look "document.activeElement.id")
    for letter in ("Kari"):gmatch "." do person:press(letter) end
    person:press(tab, tab, enter)
    person:find "#done"
    assert.equal("SIGNED", state(session))
  end)

  -- What a screen reader would say of a page's controls; raises at one that
  -- has no name.
  local function controls()
    local roles = { button = true, link = true, checkbox = true,
                    textbox = true, region = true, heading = true,
                    PluginObject = true, EmbeddedObject = true }
    local said = {}
    for _, node in ipairs(person:accessible()) do
      if roles[node.role] then
        assert(node.name ~= "", node.role .. " without a name")
        said[#said + 1] = node.role .. " " .. node.name
      end
    end
    return "\n" .. table.concat(said, "\n") .. "\n"
  end

  it("has a name for each control, for those who hear it", function()
    local session = make({}, true)
    person:get(session.signatureUrl)
    person:find "object"
    local said = controls()
    assert.matches("Object Document 1\n", said, 1, true)
    for _, line in ipairs { "heading Lease 17", "heading Documents",
      "heading Your signature", "link Skip to the signature",
      "region Document 2", "link Open in a new tab: Document 2",
      "checkbox I have read this and agree.", "button Sign", "button Cancel",
      "button Reject" } do
      assert.matches("\n" .. line .. "\n", said, 1, true)
    end
    agree()
    person:find "button[value=nbid]"
    assert.matches("\nbutton BankID (NO)\n", controls(), 1, true)
    person:click "button[value=nbid]"
    person:find "#name"
    said = controls()
    assert.matches("\ntextbox Name\n", said, 1, true)
    assert.matches("\ntextbox National identification number (optional)\n",
      said, 1, true)
    person:get((session.signatureUrl:gsub("/sign/", "/sign/reject")))
    person:find "#reason"
    assert.matches("\ntextbox Reason (optional)\n", controls(), 1, true)
  end)

  it("fits a phone, whatever the language and the words", function()
    finally(function() person:phone() end)
    person:phone(320)
    local function fits(what)
      local wide = person:look "document.documentElement.scrollWidth"
      assert(wide <= 320, ("%s is %d wide"):format(what, wide))
      assert.equal(320, person:look "window.innerWidth")
    end
    -- A PDF takes a while to be shown, in one language as in the others.
    local contents, mime = { service.read "examples/lease.pdf" },
      "application/pdf"
    for _, language in ipairs { "da", "de", "en", "fi", "nb", "nn", "sv" } do
      local session = sandbox:session { ui = { language = language },
        title = ("Mietvertrag"):rep(10), signText = ("Terms"):rep(20),
        contents = contents, mime = mime, signingSetup = based }
      contents, mime = nil, nil
      person:get(session.signatureUrl)
      person:find "object, pre"
      fits(language .. " documents")
      local function step(path, element)
        person:get((session.signatureUrl:gsub("/sign/", "/sign/" .. path)))
        person:find(element)
        fits(language .. " " .. element)
      end
      step("login", "#error")
      person:get(session.signatureUrl:gsub("/sign/", "/sign/login")
        .. "&agreed=yes")
      person:find "button[value=nbid]"
      fits(language .. " choice")
      person:click "button[value=nbid]"
      person:find "#name"
      fits(language .. " login")
      step("reject", "#reason")
      sandbox:sign(session)
      step("", "#signed")
    end
  end)

  -- What a page has asked others for than whom it is from.
  local function elsewhere()
    return person:look [[performance.getEntriesByType("resource")
      .map(e => e.name).filter(n => !n.startsWith(location.origin)
        && !n.startsWith("data:") && !n.startsWith("chrome-extension:"))]]
  end

  -- What the browser says of its pages, once it says something.
  local function complaints()
    return service.await("a complaint", function()
      local said = person:complaints()
      return said[1] and said
    end)
  end

  it("loads nothing from elsewhere and breaks no rule of its own", function()
    local session = make({}, true)
    person:complaints()
    for _, step in ipairs { "", "login", "reject" } do
      person:get((session.signatureUrl:gsub("/sign/", "/sign/" .. step)))
      person:find(step == "" and "object" or "#" .. (step == "reject"
        and step or "documents"))
      assert.same({}, elsewhere())
      assert.equal("rgb(255, 223, 126)", person:look
        "getComputedStyle(document.querySelector('header')).backgroundColor")
    end
    -- One that does both is found out.
    assert.equal(1, #complaints()) -- the login without agreement
    local picture = shop.url .. "/picture.png"
    person:get("data:text/html,<img src='" .. picture .. "'>")
    service.await("the picture", function()
      return elsewhere()[1] == picture
    end)
    complaints()
  end)

  it("is the same over https", function()
    local sign = assert(secure:client { tls = { ca_file = secure.ca_file } })
    finally(function() sign:close() end)
    local lease = assert(sign.documents:upload { path = "examples/lease.pdf" })
    local collection = assert(sign.collections:create {
      documents = { { documentId = lease.documentId } } })
    local session = assert(sign.sessions:create { {
      title = "Lease 17", signingSetup = based, signText = "I agree.",
      documents = { { documentId = lease.documentId, action = "SIGN",
                      documentCollectionId = collection.id } } } })[1]
    person:complaints()
    person:command "Network.clearBrowserCookies" -- ports share them
    assert.matches("^https://", session.signatureUrl)
    person:get(session.signatureUrl)
    person:find "object[type='application/pdf']"
    assert.equal(true, person:look "isSecureContext")
    agree()
    log_in()
    person:find "#done"
    assert.equal("SIGNED", assert(sign.sessions:get(session)).lifecycle.state)
    assert.same({}, person:complaints())
    local cookies = person:command "Network.getAllCookies".cookies
    assert.equal(1, #cookies)
    assert.is_true(cookies[1].secure and cookies[1].httpOnly)
  end)

  it("finds no host but this machine", function()
    assert.has_error(function() person:get "http://localhost.example/" end)
    assert.has_error(function() person:get "http://sign.example/" end)
  end)
end)
