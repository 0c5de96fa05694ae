-- The languages of the signer's page.

local person = require "spec.sandbox.person"
local service = require "spec.sandbox.service"

describe("the signer's page", function()
  local sandbox

  setup(function() sandbox = service.start() end)
  teardown(function() sandbox:finish() end)

  local words = { da = "Underskriv", de = "Unterschreiben", en = "Sign",
                  fi = "Allekirjoita", nb = "Signer", nn = "Signer",
                  sv = "Underteckna" }
  for language, word in pairs(words) do
    it("speaks " .. language, function()
      local kari = person.at(sandbox, { ui = { language = language },
        dueDate = os.date("!%Y-%m-%dT%TZ", os.time() + 86400) })
      assert.matches('<html lang="' .. language .. '">', kari.page, 1, true)
      assert.matches('<button class="main">' .. word .. "<", kari.page, 1,
        true)
      assert.is_nil(kari.page:find("(null)", 1, true))
    end)
  end

  it("asks the browser for its language where there is no session", function()
    local kari = person.new(sandbox):request("GET", "/sign/", nil,
      { ["Accept-Language"] = "fr-FR, sv-SE;q=0.9, en;q=0.8" })
    assert.matches('<html lang="sv">', kari.page, 1, true)
    kari:request("GET", "/sign/", nil, { ["Accept-Language"] = "fr" })
    assert.matches('<html lang="en">', kari.page, 1, true)
  end)
end)
