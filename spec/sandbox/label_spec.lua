-- Names that would not look like what they are.

local judges = require "spec.support.judges"
local packages = require "spec.support.packages"
local service = require "spec.sandbox.service"

describe("a signer's name", function()
  it("keeps its letters and loses what turns or breaks a line", function()
    local sandbox = service.start()
    local judge = judges.of(sandbox)
    finally(function()
      judge:close()
      sandbox:finish()
    end)
    local name = "Kari \u{202E}\u{202A}\u{2066}\u{2069}\u{2028}\u{2029}\t"
      .. "\u{85}Ørn\u{200D} \u{5D0}\u{200F}x"
    local clean = "Kari Ørn\u{200D} \u{5D0}\u{200F}x"
    local session = sandbox:session { mime = "application/pdf",
      contents = { packages.page "Agreed" }, packageTo = packages.CONTAINER }
    local answer = packages.sign(sandbox, session, { name = name })
    local signed = judges.write(judge:path "signed.pdf", (packages.read(
      sandbox, answer.output.signatures[1].resultDocumentId)))
    assert.equal(clean,
      judge:signatures(signed)[1]["Signer Certificate Common Name"])
    local path = packages.await(sandbox, judge, session, packages.of_session)
    local shown = packages.pages(path)[2]
    assert.matches("Signer +Kari Ørn", shown)
    assert.is_nil(shown:find("\u{202E}", 1, true))
  end)
end)
