-- payloads.lua: valid payloads to start from, and a way to change one place.
--
-- Every function makes new tables, so a spec may do with them what it likes.

local payloads = {}

-- Removes the value: set(payload, path, payloads.absent).
payloads.absent = {}

payloads.uuid = "d1234567-89ab-cdef-0123-456789abcdef"

-- A list of `count` times the same item.
function payloads.list(count, item)
  local list = {}
  for i = 1, count do list[i] = item end
  return list
end

function payloads.metadata()
  return {
    filename = "lease.pdf",
    description = "The lease of flat 17",
    title = "Lease 17",
  }
end

function payloads.collection()
  return {
    documents = { { documentId = payloads.uuid, description = "the lease" } },
    packageTo = { "PADES_CONTAINER" },
  }
end

-- One session with every field there is.
function payloads.session()
  local uuid = payloads.uuid
  return {
    title = "Lease 17",
    documents = {
      { documentId = uuid, documentCollectionId = uuid, action = "SIGN" },
      { documentId = uuid, documentCollectionId = uuid, action = "VIEW" },
    },
    signingSetup = { {
      signingFlow = "AUTHENTICATION_BASED",
      identityProviders = { { idpName = "nbid" }, { idpName = "sbid" } },
      vendor = "NBID",
      additionalParameters = { sbid_flow = "QR" },
    } },
    signatureUrlTTL = 60,
    signText = "I have read it",
    dueDate = "2025-04-01T17:32:28Z",
    externalReference = "flat 17",
    subsequentTo = { uuid },
    packageTo = { "PADES_CONTAINER" },
    signer = {
      nationalIdentificationNumber = "19010112345",
      validations = { "NATIONAL_IDENTIFICATION_NUMBER" },
      restrictUse = { { parameter = "NIN", restriction = "NO_USE" } },
      email = "signer@shop.example",
      mobile = "+4790000000",
    },
    archive = { sendOriginalToArchive = true, sendResultToArchive = false },
    preAuthentication = {
      enabled = true,
      identityProviders = { { idpName = "nbid" } },
    },
    ui = { language = "nb" },
    redirectSettings = {
      success = "https://shop.example/ok",
      cancel = "https://shop.example/no",
      error = "https://shop.example/err",
    },
  }
end

function payloads.query()
  return {
    offset = 0,
    limit = 100,
    sort = { "-createdAt" },
    createdDateFrom = "2024-01-01T00:00:00Z",
    createdDateTo = "2024-12-31T23:59:59Z",
    state = { "READY", "BLOCKED" },
    dueDateFrom = "2024-06-01T00:00:00Z",
    dueDateTo = "2024-06-30T23:59:59Z",
    sessionTitleLike = "Lease",
  }
end

-- The valid value of an operation, by the API's name.
payloads.of = {
  updateDocumentMetadata = payloads.metadata,
  createDocumentCollection = payloads.collection,
  createSigningSession = function() return { payloads.session() } end,
  listSigningSessions = payloads.query,
}

-- Puts `value` where a path like `[1].documents[2].action` points; the empty
-- path is the whole. Returns the payload.
function payloads.set(payload, path, value)
  if value == payloads.absent then value = nil end
  local keys = {}
  for position, name in path:gmatch "%[?(%d*)%]?%.?([%a_]*)" do
    if position ~= "" then keys[#keys + 1] = tonumber(position) end
    if name ~= "" then keys[#keys + 1] = name end
  end
  if #keys == 0 then return value end
  local place = payload
  for i = 1, #keys - 1 do place = place[keys[i]] end
  place[keys[#keys]] = value
  return payload
end

return payloads
