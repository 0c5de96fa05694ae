-- reference_spec.lua: every example value the API reference prints, in the
-- order it prints them, and the whole flow of a signing. All of it passes.

local core = require "signicat.core"
local payloads = require "spec.support.payloads"

-- A clock from before the examples' dates, so that none of them passes only
-- by being long gone.
local march = 1740787200 -- 2025-03-01T00:00:00Z
local january = 1767225600 -- 2026-01-01T00:00:00Z

local document = "d1234567-89ab-cdef-0123-456789abcdef"
local collection = "f05d0dce-a7af-432b-b6b8-e455ab7c0858"
local session = "f05d0dce-a7af-432b-b6b8-e455ab7c0852"

local update, bundle = "updateDocumentMetadata", "createDocumentCollection"
local create, list = "createSigningSession", "listSigningSessions"

-- heading of the reference, operation, place, value; values that only occur
-- in answers stand where a request takes the same kind
local examples = {
  { "upload, documentId", bundle, "documents[1].documentId", document },
  { "upload, createdAt", create, "[1].dueDate", "2023-04-12T10:30:00Z" },
  { "metadata, filename", update, "filename", "invoice_001.pdf" },
  { "metadata, description", update, "description",
    "Invoice for order #001" },
  { "metadata, title", update, "title", "Invoice #001" },
  { "metadata, the sample", update, "", {
    filename = "invoice_001.pdf",
    description = "Invoice for order #001",
    title = "Invoice #001",
  } },
  { "collection, packageTo", bundle, "packageTo", { "PADES_CONTAINER" } },
  { "collection, id", create, "[1].documents[1].documentCollectionId",
    collection },
  -- printed as "5" beside the type integer, and as 5 in the sample
  { "session, signatureUrlTTL", create, "[1].signatureUrlTTL", 5 },
  { "session, title", create, "[1].title", "Rental agreement" },
  { "session, signText", create, "[1].signText",
    "Please sign this document" },
  { "session, dueDate", create, "[1].dueDate", "2025-04-01T17:32:28Z" },
  { "session, subsequentTo", create, "[1].subsequentTo", { collection } },
  { "session, packageTo", create, "[1].packageTo", { "PADES_CONTAINER" } },
  { "session, externalReference", create, "[1].externalReference",
    "string" },
  { "session, externalReference null", create, "[1].externalReference",
    core.null },
  { "session, id", create, "[1].subsequentTo[1]", session },
  { "session, signatureUrlExpiresAt", create, "[1].dueDate",
    "2026-01-15T14:05:00Z", now = january },
  -- the page leaves out whatever is a URL; client libraries know all three
  { "session, redirectSettings", create, "[1].redirectSettings", {},
    level = "reference" },
  { "list, offset's default", list, "offset", 0 },
  { "list, limit's default", list, "limit", 100 },
  { "list, sort's default", list, "sort", { "-createdAt" } },
  { "list, sort", list, "sort", "+dueDate" },
  { "list, createdDateFrom", list, "createdDateFrom",
    "2024-01-01T00:00:00Z" },
  { "list, createdDateTo", list, "createdDateTo", "2024-12-31T23:59:59Z" },
  { "list, state", list, "state", { "READY", "BLOCKED" } },
  { "list, state in the text", list, "state", { "BLOCKED", "READY" } },
  { "list, dueDateFrom", list, "dueDateFrom", "2024-06-01T00:00:00Z" },
  { "list, dueDateTo", list, "dueDateTo", "2024-06-30T23:59:59Z" },
  { "page, limit and offset", list, "", { limit = 100, offset = 0 } },
  { "list, sessionTitleLike", list, "sessionTitleLike", "Contract" },
}

describe("the reference's example passes:", function()
  for _, example in ipairs(examples) do
    local name, operation, path, value = table.unpack(example)
    it(name, function()
      local payload = payloads.set(payloads.of[operation](), path, value)
      assert.is_nil(core.validate(operation, payload, {
        now = example.now or march, level = example.level,
      }))
    end)
  end
end)

describe("the whole flow passes:", function()
  it("a collection of one document, packaged", function()
    assert.is_nil(core.validate(bundle, {
      documents = { { documentId = document } },
      packageTo = { "PADES_CONTAINER" },
    }))
  end)

  it("a session with one document to sign", function()
    assert.is_nil(core.validate(create, { {
      title = "Lease 17",
      documents = { {
        documentId = document,
        documentCollectionId = collection,
        action = "SIGN",
      } },
      signingSetup = { {
        signingFlow = "AUTHENTICATION_BASED",
        identityProviders = { { idpName = "nbid" } },
      } },
      redirectSettings = {
        success = "https://shop.example/ok",
        cancel = "https://shop.example/no",
        error = "https://shop.example/err",
      },
    } }))
  end)

  it("every provider, vendor and parameter the guides name", function()
    local setups = {}
    for _, name in ipairs {
      "nbid", "sbid", "mitid", "ftn", "idin", "digid", "eherkenning",
    } do
      setups[#setups + 1] = {
        signingFlow = "AUTHENTICATION_BASED",
        identityProviders = { { idpName = name } },
        additionalParameters = {
          sbid_flow = "QR",
          sbid_end_user_ip = "192.0.2.1",
          sbid_sign_type = "PHONE",
        },
      }
    end
    for _, vendor in ipairs {
      "AUDKENNI", "BUYPASS", "MOBILEID", "NBID", "SBID", "SMARTID",
    } do
      setups[#setups + 1] = { signingFlow = "PKISIGNING", vendor = vendor }
    end
    for _, setup in ipairs(setups) do
      local payload = payloads.session()
      payload.signingSetup = { setup }
      assert.is_nil(core.validate(create, { payload }, { now = march }))
    end
  end)

  it("every field at once", function()
    for operation, payload in pairs(payloads.of) do
      assert.is_nil(core.validate(operation, payload(), { now = march }))
    end
  end)
end)
