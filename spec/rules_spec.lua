-- rules_spec.lua: every rule of every field, its last passing value and the
-- first that fails, at all three levels.

local core = require "signicat.core"
local payloads = require "spec.support.payloads"

local null, absent, uuid = core.null, payloads.absent, payloads.uuid
local list, set = payloads.list, payloads.set
local now = 1743528748 -- 2025-04-01T17:32:28Z

local function check(operation, path, value, options)
  options = options or {}
  options.now = now
  local payload = set(payloads.of[operation](), path, value)
  return core.validate(operation, payload, options)
end

-- n characters of two bytes each: limits count characters
local function text(n)
  return ("ü"):rep(n)
end

local function upto(n)
  return ("must be at most %d characters"):format(n)
end

local is_string = "must be a string"
local is_boolean = "must be true or false"
local is_object = "must be an object"
local is_id = "must be an id of the form 8-4-4-4-12 hexadecimal digits"
local is_date = "must be a date and time like 2025-04-01T17:32:28Z"
local is_url = "must be an absolute URL without spaces"
local no_null = "must not be null; leave it out"
local required = "is required"
local mixed = "must not mix a list and names"
local not_list = "must be an object, not a list"

-- A rule: where, what passes, and what does not with its reason. `ref` marks
-- the rules that hold at "reference", too.
local rules = {}

local function rule(operation, path, good, bad, ref)
  rules[#rules + 1] =
    { operation = operation, path = path, good = good, bad = bad, ref = ref }
end

local function plain_text(operation, path, ref)
  rule(operation, path,
    { absent, "", text(5000), "a\0b" },
    { { 17, is_string }, { false, is_string }, { {}, is_string },
      { print, is_string }, { null, no_null },
      { "caf\233", "must be valid UTF-8" } }, ref)
end

local function limited_text(operation, path, limit)
  rule(operation, path,
    { "", text(limit) },
    { { text(limit + 1), upto(limit) }, { limit, is_string },
      { "\237\160\128", "must be valid UTF-8" } }, "ref")
end

local function object(operation, path)
  rule(operation, path, {}, {
    { "text", is_object }, { 1, is_object }, { true, is_object },
    { { "text" }, not_list }, { null, no_null },
  }, "ref")
end

local function whole(operation, path, low, high)
  local reason = ("must be a whole number from %d to %d"):format(low, high)
  rule(operation, path, { absent, low, high, low + 0.0 }, {
    { low - 1, reason }, { high + 1, reason }, { low + 0.5, reason },
    { tostring(low), reason }, { 0 / 0, reason }, { 1 / 0, reason },
    { -1 / 0, reason }, { 2 ^ 63, reason }, { -2 ^ 63, reason },
    { true, reason }, { {}, reason }, { null, no_null },
  }, "ref")
end

local function identity_providers(operation, path)
  local reason = "must be a list"
  rule(operation, path,
    { absent, {}, { { idpName = "nbid" } },
      list(200, { idpName = "a provider of tomorrow" }) },
    { { "nbid", reason }, { { idpName = "nbid" }, reason }, { null, no_null } })
  rule(operation, path .. "[1]", {}, { { "nbid", is_object } })
  rule(operation, path .. "[1].idpName", { "", "ftn" },
    { { absent, required }, { 1, is_string }, { null, no_null } })
end

local function package_to(operation, path)
  local reason = "must be a list of at most 5 items"
  rule(operation, path, { absent, {}, list(5, "PADES_CONTAINER") }, {
    { list(6, "PADES_CONTAINER"), reason }, { "PADES_CONTAINER", reason },
    { { packageTo = "PADES_CONTAINER" }, reason }, { null, no_null },
    { { [2] = "PADES_CONTAINER" },
      "must be a list without holes; item 1 is missing" },
    { { "PADES_CONTAINER", type = "PADES" }, mixed },
  }, "ref")
  rule(operation, path .. "[1]", {}, {
    { "PADES", "must be PADES_CONTAINER" },
    { "pades_container", "must be PADES_CONTAINER" },
    { 1, is_string }, { null, no_null },
  }, "ref")
end

local function closed(operation, path, values, bad, ref)
  local reason = "must be one of " .. table.concat(values, ", ")
  local with_reason = { { 1, is_string } }
  for wrong, meant in pairs(bad) do
    local hint = meant and ("; did you mean %s?"):format(meant) or ""
    with_reason[#with_reason + 1] = { wrong, reason .. hint }
  end
  rule(operation, path, values, with_reason, ref)
end

do -- updateDocumentMetadata
  local operation = "updateDocumentMetadata"
  rule(operation, "", { {} }, { { absent, required } }, "ref")
  object(operation, "")
  rule(operation, "filename", { absent }, { { null, no_null } }, "ref")
  limited_text(operation, "filename", 255)
  limited_text(operation, "description", 1000)
  limited_text(operation, "title", 255)
end

do -- createDocumentCollection
  local operation = "createDocumentCollection"
  local reason = "must be a list of 1 to 100 items"
  local reference = { documentId = uuid }
  object(operation, "")
  rule(operation, "documents", { { reference }, list(100, reference) }, {
    { absent, required }, { {}, reason }, { list(101, reference), reason },
    { reference, reason }, { uuid, reason }, { null, no_null },
    { { reference, nil, reference },
      "must be a list without holes; item 2 is missing" },
    { { reference, documentId = uuid }, mixed },
    { { [0] = reference, reference }, reason },
    { { reference, [1.5] = reference }, reason },
    { { reference, [2 ^ 60] = reference }, reason },
  }, "ref")
  object(operation, "documents[1]")
  rule(operation, "documents[1].documentId", { uuid:upper() },
    { { absent, required }, { "lease", is_id }, { null, no_null } })
  plain_text(operation, "documents[1].description")
  package_to(operation, "packageTo")
end

do -- createSigningSession
  local operation = "createSigningSession"
  local session = payloads.session()
  local reason = "must be a list of 1 to 100 items"
  rule(operation, "", { { session }, list(100, session) }, {
    { absent, required }, { {}, reason }, { session, reason },
    { list(101, session), reason },
  }, "ref")
  object(operation, "[1]")

  limited_text(operation, "[1].title", 255)
  rule(operation, "[1].title", {},
    { { absent, required }, { null, no_null } }, "ref")

  local document = session.documents[1]
  reason = "must be a list of 1 to 50 items"
  rule(operation, "[1].documents", { { document }, list(50, document) }, {
    { absent, required }, { {}, reason }, { list(51, document), reason },
    { document, reason }, { null, no_null },
  }, "ref")
  object(operation, "[1].documents[2]")
  for _, name in ipairs { "documentId", "documentCollectionId" } do
    rule(operation, "[1].documents[2]." .. name, { uuid:upper() },
      { { absent, required }, { "lease", is_id }, { null, no_null } })
  end
  closed(operation, "[1].documents[2].action", { "SIGN", "VIEW" },
    { SING = "SIGN", sign = "SIGN", VEW = "VIEW", READ = false, [""] = false })
  rule(operation, "[1].documents[2].action", {},
    { { absent, required }, { null, no_null } })

  local setup = session.signingSetup[1]
  reason = "must be a list of exactly 1 item"
  rule(operation, "[1].signingSetup", { { setup } }, {
    { absent, required }, { {}, reason }, { { setup, setup }, reason },
    { setup, reason }, { "PKISIGNING", reason }, { null, no_null },
  }, "ref")
  object(operation, "[1].signingSetup[1]")
  local at = "[1].signingSetup[1]."
  closed(operation, at .. "signingFlow",
    { "AUTHENTICATION_BASED", "PKISIGNING" },
    { PKI_SIGNING = "PKISIGNING", AUTHENTICATION = "AUTHENTICATION_BASED" })
  rule(operation, at .. "signingFlow", {}, { { absent, required } })
  identity_providers(operation, at .. "identityProviders")
  plain_text(operation, at .. "vendor")
  rule(operation, at .. "additionalParameters",
    { absent, {}, { ["any name"] = "any value", [""] = "" } },
    { { "sbid_flow=QR", is_object }, { { "QR" }, not_list },
      { null, no_null }, { { "QR", sbid_flow = "QR" }, mixed },
      { { [true] = "QR" }, "must have only strings as names" },
      { { ["\255"] = "QR" }, "must have names of valid UTF-8" } })
  rule(operation, at .. "additionalParameters.sbid_flow", { "" },
    { { 1, is_string }, { true, is_string }, { null, no_null } })

  whole(operation, "[1].signatureUrlTTL", 5, 525600)
  rule(operation, "[1].signText", { absent }, { { null, no_null } }, "ref")
  limited_text(operation, "[1].signText", 2048)
  rule(operation, "[1].dueDate",
    { absent, "2025-05-17T17:32:28Z", "1999-12-31T00:00:00Z" },
    { { "2025-05-17T17:32:29Z", "must be at most 45 days ahead" },
      { "tomorrow", is_date }, { now, is_date }, { null, no_null } }, "ref")
  rule(operation, "[1].externalReference", { absent, null }, {}, "ref")
  limited_text(operation, "[1].externalReference", 1024)
  reason = "must be a list of at most 50 items"
  rule(operation, "[1].subsequentTo", { absent, {}, list(50, uuid) }, {
    { list(51, uuid), reason }, { uuid, reason }, { null, no_null },
  }, "ref")
  rule(operation, "[1].subsequentTo[1]", { uuid:upper() },
    { { "first", is_id }, { session, is_id }, { null, no_null } }, "ref")
  package_to(operation, "[1].packageTo")

  object(operation, "[1].signer")
  rule(operation, "[1].signer", { absent, {} }, {})
  for _, name in ipairs { "nationalIdentificationNumber", "email", "mobile" } do
    plain_text(operation, "[1].signer." .. name)
  end
  rule(operation, "[1].signer.validations", { absent, {} }, {
    { "NATIONAL_IDENTIFICATION_NUMBER", "must be a list" }, { null, no_null },
  })
  rule(operation, "[1].signer.validations[1]", {}, {
    { "NIN", "must be NATIONAL_IDENTIFICATION_NUMBER" }, { 1, is_string },
  })
  rule(operation, "[1].signer.restrictUse", { absent, {}, { {} } }, {
    { { parameter = "NIN" }, "must be a list" }, { null, no_null },
  })
  rule(operation, "[1].signer.restrictUse[1]", {}, { { "NIN", is_object } })
  rule(operation, "[1].signer.restrictUse[1].parameter", { absent, "NIN" },
    { { "NAME", "must be NIN" }, { null, no_null } })
  rule(operation, "[1].signer.restrictUse[1].restriction",
    { absent, "NO_USE" }, { { "USE", "must be NO_USE" }, { 1, is_string } })

  object(operation, "[1].archive")
  rule(operation, "[1].archive", { absent, {} }, {})
  for _, name in ipairs { "sendOriginalToArchive", "sendResultToArchive" } do
    rule(operation, "[1].archive." .. name, { absent, true, false },
      { { "true", is_boolean }, { 1, is_boolean }, { null, no_null } })
  end

  object(operation, "[1].preAuthentication")
  rule(operation, "[1].preAuthentication", { absent, { enabled = true } }, {})
  rule(operation, "[1].preAuthentication.enabled", { true, false },
    { { absent, required }, { "yes", is_boolean }, { null, no_null } })
  identity_providers(operation, "[1].preAuthentication.identityProviders")

  object(operation, "[1].ui")
  rule(operation, "[1].ui", { absent, {} }, {})
  closed(operation, "[1].ui.language",
    { "da", "de", "en", "fi", "nb", "nn", "sv" },
    { no = false, english = false, SV = "sv" })
  rule(operation, "[1].ui.language", { absent }, { { null, no_null } })

  object(operation, "[1].redirectSettings")
  rule(operation, "[1].redirectSettings", { absent }, {})
  for _, name in ipairs { "success", "cancel", "error" } do
    rule(operation, "[1].redirectSettings." .. name,
      { "https://shop.example/back?order=17", "shopapp://signed" },
      { { absent, required }, { "/back", is_url }, { null, no_null } })
  end
end

do -- listSigningSessions
  local operation = "listSigningSessions"
  rule(operation, "", { {} }, { { absent, required } }, "ref")
  object(operation, "")
  whole(operation, "offset", 0, 100000)
  whole(operation, "limit", 1, 1000)
  local reason = "must be a list or a single string"
  for _, name in ipairs { "sort", "state" } do
    rule(operation, name, { absent, {} }, {
      { 1, reason }, { { name = "READY" }, reason }, { null, no_null },
    }, "ref")
  end
  rule(operation, "sort",
    { "+dueDate", { "-createdAt", "+title" }, "whatever" },
    { { "\255", "must be valid UTF-8" } }, "ref")
  rule(operation, "sort[1]", { "+dueDate" }, { { 1, is_string } }, "ref")
  local states = { "BLOCKED", "READY", "SIGNED", "REJECTED" }
  rule(operation, "state", { "READY", states }, {
    { "DONE", "must be one of BLOCKED, READY, SIGNED, REJECTED" },
    { "SINGED", "must be one of BLOCKED, READY, SIGNED, REJECTED; "
      .. "did you mean SIGNED?" },
  })
  rule(operation, "state[2]", states, {
    { "EXPIRED", "must be one of BLOCKED, READY, SIGNED, REJECTED" },
  })
  rule(operation, "state[2]", {}, { { 1, is_string } }, "ref")
  for _, name in ipairs {
    "createdDateFrom", "createdDateTo", "dueDateFrom", "dueDateTo",
    "sessionTitleLike",
  } do
    plain_text(operation, name, "ref")
  end
end

-- a value in a title: short, and nothing a terminal would act on
local function show(value)
  if value == absent then return "absent" end
  if value == null then return "null" end
  if type(value) ~= "string" then return (tostring(value):gsub(": .*", "")) end
  return ('"%s"'):format(value:sub(1, 24):gsub("[^ -~]", "?"))
end

local function title(one, verb, value)
  return ("%s.%s %s %s"):format(one.operation, one.path, verb, show(value))
end

describe("a field's rule:", function()
  for _, one in ipairs(rules) do
    for _, value in ipairs(one.good) do
      it(title(one, "may be", value), function()
        assert.is_nil(check(one.operation, one.path, value))
        assert.is_nil(check(one.operation, one.path, value,
                            { level = "reference" }))
      end)
    end

    for _, case in ipairs(one.bad) do
      local value, reason = case[1], case[2]
      local findings = { { name = one.path, reason = reason } }
      it(title(one, "cannot be", value), function()
        assert.same(findings, check(one.operation, one.path, value))
        assert.is_nil(check(one.operation, one.path, value, { level = "off" }))
        assert.same(one.ref and findings,
                    check(one.operation, one.path, value,
                          { level = "reference" }) or nil)
      end)
    end
  end
end)

describe("a finding", function()
  it("never repeats a value", function()
    local secret = "19010112345"
    for _, one in ipairs(rules) do
      for _, value in ipairs { secret, { secret }, { { secret } } } do
        local findings = check(one.operation, one.path, value)
        for _, finding in ipairs(findings or {}) do
          assert.is_nil((finding.name .. finding.reason):find(secret, 1, true))
        end
      end
    end
  end)
end)
