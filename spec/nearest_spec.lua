-- nearest_spec.lua: what a misspelt name was probably meant to be.

local core = require "signicat.core"

local names = { "title", "documents", "signingSetup", "signer", "ui", "url" }

local near = {
  { "titel", "title" }, -- swapped
  { "tittle", "title" }, -- added
  { "documnts", "documents" }, -- dropped
  { "sigmer", "signer" }, -- changed
  { "signing_setup", "signingSetup" },
  { "singingSetup", "signingSetup" },
  { "SIGNER", "signer" },
  { "title", "title" },
  { "urls", "url" },
}

local far = {
  { "headline", "too many edits" },
  { "titleist", "more than a third" },
  { "no", "a short name has no third to spare" },
  { "", "there is nothing to go by" },
  { ("signer"):rep(40), "it is longer than any name" },
  { "title\0\0\0\0", "bytes behind a NUL count" },
}

describe("nearest", function()
  for _, case in ipairs(near) do
    it(("takes %s for %s"):format(case[1], case[2]), function()
      assert.equal(case[2], core.nearest(case[1], names))
    end)
  end

  for _, case in ipairs(far) do
    it("finds nothing when " .. case[2], function()
      assert.is_nil(core.nearest(case[1], names))
    end)
  end

  it("takes the first of two that are as near", function()
    assert.equal("cat", core.nearest("bat", { "cat", "hat" }))
    assert.equal("hat", core.nearest("bat", { "hat", "cat" }))
  end)

  it("prefers the nearer one wherever it stands", function()
    assert.equal("signer", core.nearest("signr", { "signed", "signer" }))
    assert.equal("signer", core.nearest("signr", { "signer", "signed" }))
  end)

  it("finds nothing in an empty list", function()
    assert.is_nil(core.nearest("title", {}))
  end)

  it("refuses what is not a string or a list", function()
    assert.has_error(function() core.nearest({}, names) end)
    assert.has_error(function() core.nearest("title", "title") end)
  end)
end)
