-- finding_spec.lua: the paths of findings, what they show of the user's
-- names, and how many are kept.

local core = require "signicat.core"
local payloads = require "spec.support.payloads"

local function names_of(findings)
  local names = {}
  for i, finding in ipairs(findings or {}) do names[i] = finding.name end
  return names
end

local function unknown(name)
  local payload = payloads.metadata()
  payload[name] = true
  return names_of(core.validate("updateDocumentMetadata", payload))[1]
end

-- a name the user chose, and how a path shows it
local shown = {
  { "colour", "colour" },
  { "_x1", "_x1" },
  { ("x"):rep(64), ("x"):rep(64) },
  { ("x"):rep(65), '["' .. ("x"):rep(64) .. '..."]' },
  { ("x y"):rep(1e5), '["' .. ("x y"):rep(22):sub(1, 64) .. '..."]' },
  { "", '[""]' },
  { "1st", '["1st"]' },
  { "a.b", '["a.b"]' },
  { "sbid-flow", '["sbid-flow"]' },
  { "a b", '["a b"]' },
  { 'a"]', '["a?]"]' },
  { "a\\n", '["a?n"]' },
  { "a\nb\r\t\0\27[31m\127", '["a?b????[31m?"]' },
  { "größe", '["gr??e"]' },
  { "\255\254", '["??"]' },
}

describe("a path", function()
  for _, case in ipairs(shown) do
    it("shows a name as " .. case[2], function()
      assert.equal(case[2], unknown(case[1]))
    end)
  end

  it("is empty at the top", function()
    assert.same({ "" }, names_of(core.validate("createSigningSession", {})))
  end)

  it("counts from one and joins names by dots", function()
    local session = payloads.session()
    session.documents[2].action = "READ"
    session.signingSetup[1].additionalParameters["sbid flow"] = 1
    local other = payloads.session()
    other.ui.language = "no"
    assert.same({
      "[1].documents[2].action",
      '[1].signingSetup[1].additionalParameters["sbid flow"]',
      "[2].ui.language",
    }, names_of(core.validate("createSigningSession", { session, other },
                              { now = 1743528748 })))
  end)

  it("fits with the longest name in the deepest place", function()
    local session = payloads.session()
    session.signingSetup[1].additionalParameters[("\27"):rep(99)] = 1
    assert.same({
      '[1].signingSetup[1].additionalParameters["' .. ("?"):rep(64) .. '..."]',
    }, names_of(core.validate("createSigningSession", { session },
                              { now = 1743528748 })))
  end)
end)

describe("the list of findings", function()
  local function check(wrong)
    local list = payloads.list(wrong, "PADES")
    return core.validate("createDocumentCollection",
      payloads.set(payloads.collection(), "documents", list))
  end

  it("keeps a hundred", function()
    local findings = check(100)
    assert.equal(100, #findings)
    assert.same({ name = "documents[100]", reason = "must be an object" },
                findings[100])
  end)

  it("ends by telling how many more there are", function()
    local findings = check(101) -- and the list is too long
    assert.equal(101, #findings)
    assert.equal("documents", findings[1].name)
    assert.equal("documents[99]", findings[100].name)
    assert.same({ name = "", reason = "has 2 more findings" }, findings[101])
    local one_more = check(100)
    one_more = #one_more == 100 and core.validate("createDocumentCollection", {
      documents = payloads.list(100, "PADES"), packageTo = "PADES_CONTAINER",
    })
    assert.same({ name = "", reason = "has 1 more finding" }, one_more[101])
  end)

  it("stays as short for a payload of any size", function()
    local findings = check(200000)
    assert.equal(101, #findings)
    assert.same({ name = "", reason = "has 199901 more findings" },
                findings[101])
  end)
end)
