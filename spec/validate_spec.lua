-- validate_spec.lua: how payloads are checked: levels, unknown names, every
-- finding at once, and nothing but findings from whatever is given.

local core = require "signicat.core"
local payloads = require "spec.support.payloads"

local null, uuid = core.null, payloads.uuid
local now = 1743528748 -- 2025-04-01T17:32:28Z

local function check(operation, path, value, options)
  options = options or {}
  options.now = now
  local payload = payloads.set(payloads.of[operation](), path, value)
  return core.validate(operation, payload, options)
end

local is_string = "must be a string"
local is_object = "must be an object"
local mixed = "must not mix a list and names"
local required = "is required"

-- What is only a guess about the service is not the client's to check.
describe("a guess is not checked:", function()
  local function session(change)
    local payload = payloads.session()
    change(payload)
    return core.validate("createSigningSession", { payload }, { now = now })
  end

  it("PKISIGNING without a vendor passes", function()
    assert.is_nil(session(function(it)
      it.signingSetup = { { signingFlow = "PKISIGNING" } }
    end))
  end)

  it("a vendor with AUTHENTICATION_BASED passes", function()
    assert.is_nil(session(function(it)
      it.signingSetup[1].vendor = "A_VENDOR_OF_TOMORROW"
    end))
  end)

  it("a document twice and a session after itself pass", function()
    assert.is_nil(session(function(it)
      it.documents[2] = it.documents[1]
      it.subsequentTo = { uuid, uuid }
    end))
  end)

  it("a list's dates in any form pass", function()
    assert.is_nil(core.validate("listSigningSessions", {
      createdDateFrom = "2024-01-01", dueDateTo = "tomorrow",
    }))
  end)
end)

-- where an unknown name is put, the nearest known one, at "reference"
local unknown = {
  { "updateDocumentMetadata", "", "fileName", "filename", "ref" },
  { "updateDocumentMetadata", "", "mimeType", nil, "ref" },
  { "createDocumentCollection", "", "document", "documents", "ref" },
  { "createDocumentCollection", "", "output", nil, "ref" },
  { "createDocumentCollection", "documents[1]", "docId", nil },
  { "createDocumentCollection", "documents[1]", "documentID", "documentId" },
  { "createSigningSession", "[1]", "singingSetup", "signingSetup", "ref" },
  { "createSigningSession", "[1]", "senderDisplayName", nil, "ref" },
  { "createSigningSession", "[1].documents[1]", "Action", "action" },
  { "createSigningSession", "[1].signingSetup[1]", "vendors", "vendor" },
  { "createSigningSession", "[1].signingSetup[1].identityProviders[1]",
    "idp_name", "idpName" },
  { "createSigningSession", "[1].signer", "phone", nil },
  { "createSigningSession", "[1].signer", "restrict_use", "restrictUse" },
  { "createSigningSession", "[1].signer.restrictUse[1]", "param", nil },
  { "createSigningSession", "[1].archive", "sendToArchive",
    "sendResultToArchive" },
  { "createSigningSession", "[1].archive", "archived", nil },
  { "createSigningSession", "[1].preAuthentication", "enable", "enabled" },
  { "createSigningSession", "[1].ui", "lang", nil },
  { "createSigningSession", "[1].redirectSettings", "errors", "error" },
  { "listSigningSessions", "", "states", "state", "ref" },
  { "listSigningSessions", "", "page", nil, "ref" },
}

describe("an unknown field", function()
  for _, case in ipairs(unknown) do
    local operation, object_path, name, meant, ref =
      table.unpack(case, 1, 5)
    local path = object_path .. (object_path ~= "" and "." or "") .. name
    local function look(options)
      return check(operation, path, 1, options)
    end
    it(("%s.%s is a finding"):format(operation, path), function()
      local reason = "unknown field"
        .. (meant and (", did you mean `%s`?"):format(meant) or "")
      local findings = { { name = path, reason = reason } }
      assert.same(findings, look())
      assert.same(ref and findings, look { level = "reference" } or nil)
      assert.is_nil(look { level = "off" })
      assert.is_nil(look { allow_unknown = true })
      assert.is_nil(look { allow_unknown = true, level = "reference" })
    end)
  end
end)

describe("allow_unknown", function()
  it("lets closed values grow", function()
    for path, value in pairs {
      ["[1].documents[1].action"] = "INITIAL",
      ["[1].packageTo[1]"] = "XADES_CONTAINER",
      ["[1].ui.language"] = "is",
      ["[1].signer.validations[1]"] = "AGE",
    } do
      assert.is_table(check("createSigningSession", path, value))
      assert.is_nil(check("createSigningSession", path, value,
                          { allow_unknown = true }))
    end
  end)

  it("lets nothing else pass", function()
    local findings = core.validate("createSigningSession", { {
      documents = {}, signingSetup = { { signingFlow = 1 } }, brand = {},
    } }, { allow_unknown = true })
    assert.same({
      { name = "[1].title", reason = required },
      { name = "[1].documents", reason = "must be a list of 1 to 50 items" },
      { name = "[1].signingSetup[1].signingFlow", reason = is_string },
    }, findings)
  end)
end)

describe("validate", function()
  it("collects every finding, known fields first and in order", function()
    local good = payloads.session()
    local bad = payloads.session()
    bad.colour = "red"
    bad.ui = { language = "xx" }
    bad.redirectSettings.cancel = nil
    bad.signatureUrlTTL = 4
    bad.documents[1].documentId = nil
    bad.documents[2].action = "VEIW"
    bad.title = nil
    assert.same({
      { name = "[2].title", reason = required },
      { name = "[2].documents[1].documentId", reason = required },
      { name = "[2].documents[2].action",
        reason = "must be one of SIGN, VIEW; did you mean VIEW?" },
      { name = "[2].signatureUrlTTL",
        reason = "must be a whole number from 5 to 525600" },
      { name = "[2].ui.language",
        reason = "must be one of da, de, en, fi, nb, nn, sv" },
      { name = "[2].redirectSettings.cancel", reason = required },
      { name = "[2].colour", reason = "unknown field" },
      { name = "[3]", reason = is_object },
    }, core.validate("createSigningSession", { good, bad, "good" },
                     { now = now }))
  end)

  it("reads on behind a hole's edge and in a mixed object", function()
    local bad = payloads.session()
    bad.documents = { { action = "SIGN" }, nil, {} }
    bad.signer[1] = "a stray item"
    bad.signer.email = 1
    assert.same({
      { name = "[1].documents",
        reason = "must be a list without holes; item 2 is missing" },
      { name = "[1].documents[1].documentCollectionId", reason = required },
      { name = "[1].documents[1].documentId", reason = required },
      { name = "[1].signer", reason = mixed },
      { name = "[1].signer.email", reason = is_string },
    }, core.validate("createSigningSession", { bad }, { now = now }))
  end)

  it("runs no metamethod of the payload", function()
    local function never() error "a metamethod ran" end
    local guard = { __index = never, __len = never, __pairs = never,
                    __eq = never, __tostring = never, __name = 1 }
    local payload = payloads.session()
    setmetatable(payload, guard)
    setmetatable(payload.documents, guard)
    setmetatable(payload.ui, guard)
    assert.is_nil(core.validate("createSigningSession",
                                setmetatable({ payload }, guard),
                                { now = now }))
  end)

  it("leaves the payload as it was", function()
    local payload = { payloads.session() }
    core.validate("createSigningSession", payload, { now = now })
    assert.same({ payloads.session() }, payload)
  end)

  it("takes the marks of arrays for what they say", function()
    local mark = setmetatable({}, core.array_mark)
    -- A light userdata that is not null; plain Lua 5.1 can make none.
    local empty = debug.upvalueid and debug.upvalueid(check, 1)
    local loaded = package.loaded.cjson
    finally(function() package.loaded.cjson = loaded end)
    package.loaded.cjson = { empty_array = empty }
    for _, value in ipairs { mark, empty } do
      assert.is_nil(check("createSigningSession", "[1].packageTo", value))
      assert.same({ {
        name = "[1].documents", reason = "must be a list of 1 to 50 items",
      } }, check("createSigningSession", "[1].documents", value))
    end
    assert.same({ {
      name = "[1].ui", reason = "must be an object, not a list",
    } }, check("createSigningSession", "[1].ui", mark))
    package.loaded.cjson = nil
    assert.same(empty and { {
      name = "[1].packageTo", reason = "must be a list of at most 5 items",
    } }, empty and check("createSigningSession", "[1].packageTo", empty))
  end)

  it("follows the schema, not a cycle", function()
    local payload = payloads.session()
    payload.ui.self = payload
    payload.signer = payload
    local findings = core.validate("createSigningSession", { payload },
                                   { now = now })
    assert.is_true(#findings > 10)
  end)

  it("makes no garbage for a good payload", function()
    local payload, options = { payloads.session() }, { now = now }
    core.validate("createSigningSession", payload, options)
    collectgarbage()
    collectgarbage "stop"
    local before = collectgarbage "count"
    for _ = 1, 100 do
      core.validate("createSigningSession", payload, options)
    end
    local grown = collectgarbage "count" - before
    collectgarbage "restart"
    assert.is_true(grown < 1, grown)
  end)

  it("refuses an operation without payload and a level it has not", function()
    for _, id in ipairs { "getDocument", "uploadDocument", "signAll" } do
      assert.error_matches(function() core.validate(id, {}) end,
                           "no operation with a payload or query")
    end
    assert.error_matches(function()
      core.validate("listSigningSessions", {}, { level = "strict" })
    end, "invalid option 'strict'")
  end)
end)

describe("garbage", function()
  local seed = tonumber(os.getenv "SEED") or os.time()
  local atoms = {
    function() return nil end,
    function() return math.random() < 0.5 end,
    function() return math.random(-3, 3) end,
    function() return (math.random() - 0.5) * 2.0 ^ math.random(-9, 70) end,
    function() return 0 / 0 end,
    function() return 1 / 0 end,
    function() return null end,
    function() return print end,
    function() return io.stdout end,
    function() return coroutine.create(function() end) end,
    function() return uuid end,
    function() return "SIGN" end,
    function()
      local bytes = {}
      for i = 1, math.random(0, 80) do bytes[i] = math.random(0, 255) end
      return string.char(table.unpack(bytes))
    end,
  }
  local names = { "title", "documents", "signingSetup", "signer", "ui",
                  "packageTo", "documentId", "action", "state", "sort" }

  local function atom()
    return atoms[math.random(#atoms)]()
  end

  local function value(depth, above)
    if depth == 0 or math.random() < 0.3 then return atom() end
    if math.random() < 0.1 then return above[math.random(#above)] end
    local made = {}
    above[#above + 1] = made
    for i = 1, math.random(0, 5) do
      local kind, key = math.random(4), atom()
      if kind == 1 then key = i end
      if kind == 2 then key = names[math.random(#names)] end
      if key ~= nil and key == key then made[key] = value(depth - 1, above) end
    end
    return made
  end

  -- Any place of a good payload, chosen by walking down at random.
  local function spoil(payload)
    local place = payload
    while true do
      local keys = {}
      for key in pairs(place) do keys[#keys + 1] = key end
      if #keys == 0 then return end
      table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
      local key = keys[math.random(#keys)]
      if type(place[key]) ~= "table" or math.random() < 0.2 then
        place[key] = value(3, { payload })
        return
      end
      place = place[key]
    end
  end

  local function judge(operation, payload)
    for _, level in ipairs { "full", "reference", "off" } do
      local findings = core.validate(operation, payload, {
        level = level, allow_unknown = math.random() < 0.5, now = now,
      })
      assert(findings == nil or #findings > 0 and #findings <= 101)
      for _, finding in ipairs(findings or {}) do
        local said = finding.name .. finding.reason
        assert(#said < 640 and not said:find "[^ -~]", said)
      end
    end
  end

  it("is survived, and told in printable words", function()
    print(("validate_spec: SEED=%d"):format(seed))
    math.randomseed(seed)
    for _ = 1, 1000 do
      for operation, good in pairs(payloads.of) do
        judge(operation, value(5, { {} }))
        local payload = good()
        spoil(payload)
        judge(operation, payload)
      end
    end
  end)
end)
