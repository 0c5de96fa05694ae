-- event_spec.lua: HMAC-SHA256 as RFC 4231 has it, and its comparison.

local core = require "signicat.core"

-- key, bytes, digest: RFC 4231, cases 1 to 4, 6 and 7
local cases = {
  { ("\11"):rep(20), "Hi There",
    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
  { "Jefe", "what do ya want for nothing?",
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
  { ("\170"):rep(20), ("\221"):rep(50),
    "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
  { ("\170"):rep(131), "Test Using Larger Than Block-Size Key - Hash Key First",
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
  { ("\170"):rep(131), "This is a test using a larger than block-size key and "
    .. "a larger than block-size data. The key needs to be hashed before "
    .. "being used by the HMAC algorithm.",
    "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
}

describe("hmac_sha256", function()
  it("gives what RFC 4231 lists", function()
    for _, case in ipairs(cases) do
      assert.equal(case[3], core.hmac_sha256(case[1], case[2]))
    end
  end)

  it("takes nothing and NUL for bytes like others", function()
    assert.equal(
      "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad",
      core.hmac_sha256("", ""))
    assert.is_not.equal(core.hmac_sha256("k", "a"),
      core.hmac_sha256("k", "a\0"))
    assert.is_not.equal(core.hmac_sha256("k\0b", "a"),
      core.hmac_sha256("k\0c", "a"))
  end)
end)

describe("hmac_matches", function()
  it("knows each digest, in either case", function()
    for _, case in ipairs(cases) do
      assert.is_true(core.hmac_matches(case[1], case[2], case[3]))
      assert.is_true(core.hmac_matches(case[1], case[2], case[3]:upper()))
    end
  end)

  it("takes no digest with one digit changed", function()
    local key, bytes, digest = cases[1][1], cases[1][2], cases[1][3]
    for i = 1, #digest do
      local other = digest:sub(i, i) == "0" and "1" or "0"
      assert.is_false(core.hmac_matches(key, bytes,
        digest:sub(1, i - 1) .. other .. digest:sub(i + 1)))
    end
  end)

  it("takes nothing that is not 64 digits", function()
    local key, bytes, digest = cases[1][1], cases[1][2], cases[1][3]
    for _, bad in ipairs { "", digest:sub(1, 63), digest .. "0",
      digest:sub(1, 63) .. "g", digest:sub(1, 63) .. "\0", " " .. digest,
      digest:sub(1, 62), "sha256=" .. digest, ("\255"):rep(64) } do
      assert.is_false(core.hmac_matches(key, bytes, bad))
    end
  end)

  it("raises for what is no string", function()
    for _, bad in ipairs { {}, true, print } do
      assert.is_false((pcall(core.hmac_matches, bad, "", "")))
      assert.is_false((pcall(core.hmac_matches, "", bad, "")))
      assert.is_false((pcall(core.hmac_matches, "", "", bad)))
    end
  end)
end)
