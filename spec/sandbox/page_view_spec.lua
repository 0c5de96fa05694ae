-- What holds for every view of the signer's page.

local person = require "spec.sandbox.person"
local service = require "spec.sandbox.service"

describe("the signer's page", function()
  local sandbox

  setup(function() sandbox = service.start() end)
  teardown(function() sandbox:finish() end)

  local function make(fields) return person.session(sandbox, fields) end

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
    local kari = person.new(sandbox):open(session)
    local pages = { kari.page, kari:ask("login", "&agreed=yes").page,
                    kari:ask("login", "&agreed=yes&idpName="
                      .. person.encode(evil)).page,
                    kari:ask("reject").page }
    pages[#pages + 1] = kari:send("reject", {
      reason = evil .. ("x"):rep(2048) }).page
    kari:ask("login", "&agreed=yes&idpName=nbid")
    pages[#pages + 1] = kari:send("sign", { name = evil .. ("x"):rep(64),
      number = evil, agreed = "yes", idpName = "nbid" }).page
    sandbox:sign(session)
    pages[#pages + 1] = person.new(sandbox):open(session).page
    for _, page in ipairs(pages) do
      assert.is_nil(page:find("<script", 1, true))
      assert.is_nil(page:find("<b>", 1, true))
      assert.matches("&lt;script&gt;alert(&quot;1&quot;)", page, 1, true)
    end
    assert.equal(7, #pages)
  end)

  it("says on every page that it is a sandbox, and loads nothing", function()
    local session = make()
    local kari = person.new(sandbox):open(session)
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
    local kari = person.at(sandbox, {
      redirectSettings = person.REDIRECTS })
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
    local kari = person.at(sandbox, { redirectSettings = {
      success = "https://a.example;script-src", cancel = "my-app://back",
      error = "https://u:p@b.example/" } })
    assert.matches("form%-action 'self' https: my%-app: https:$",
      kari.headers["content-security-policy"])
  end)
end)
