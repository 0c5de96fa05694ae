-- Documents in the signer's page, and as files.

local person = require "spec.sandbox.person"
local service = require "spec.sandbox.service"

describe("the signer's page", function()
  local sandbox

  setup(function() sandbox = service.start() end)
  teardown(function() sandbox:finish() end)

  local function open(fields) return person.at(sandbox, fields) end

  it("shows the documents in order, to be signed or to be read", function()
    local session = person.session(sandbox, {
      contents = { "First", "Second", "Third" } })
    for i, each in ipairs(session.documents) do
      sandbox:call("PATCH", "/sign/documents/" .. each.documentId
        .. "/metadata", { title = "Part " .. i })
    end
    session = sandbox:create_session {
      title = "Three", signingSetup = person.SETUP,
      documents = {
        { documentId = session.documents[2].documentId, action = "VIEW",
          documentCollectionId = session.documents[1].documentCollectionId },
        { documentId = session.documents[1].documentId, action = "SIGN",
          documentCollectionId = session.documents[1].documentCollectionId },
      } }
    local kari = person.new(sandbox):open(session)
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

  it("does not show text that is none, or is very long", function()
    for _, bytes in ipairs { "\xff\xfe\0x", ("x"):rep(300000) } do
      local kari = open { contents = { bytes } }
      assert.equal(200, kari.status)
      assert.matches("cannot be shown here", kari.page, 1, true)
      assert.equal(bytes, kari:ask("document", "&number=1").page)
    end
  end)
end)
