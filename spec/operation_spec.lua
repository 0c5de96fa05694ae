-- operation_spec.lua: the twelve operations, written out.

local core = require "signicat.core"

local D, C, S = "/documents", "/document-collections", "/signing-sessions"

-- id, call, method, path, body, result; "creates" where no second may be made
local twelve = {
  { "uploadDocument", "documents:upload", "POST", D,
    "file", "document", "creates" },
  { "getDocument", "documents:download", "GET", D .. "/{documentId}",
    "none", "bytes" },
  { "deleteDocument", "documents:delete", "DELETE", D .. "/{documentId}",
    "none", "nothing" },
  { "updateDocumentMetadata", "documents:update", "PATCH",
    D .. "/{documentId}/metadata", "json", "document" },
  { "getDocumentInfo", "documents:metadata", "GET",
    D .. "/{documentId}/metadata", "none", "document" },
  { "createDocumentCollection", "collections:create", "POST", C,
    "json", "collection", "creates" },
  { "getDocumentCollection", "collections:get", "GET",
    C .. "/{documentCollectionId}", "none", "collection" },
  { "deleteDocumentCollection", "collections:delete", "DELETE",
    C .. "/{documentCollectionId}", "none", "nothing" },
  { "createSigningSession", "sessions:create", "POST", S,
    "json", "sessions", "creates" },
  { "listSigningSessions", "sessions:list", "GET", S, "none", "page" },
  { "getSigningSession", "sessions:get", "GET", S .. "/{sessionId}",
    "none", "session" },
  { "deleteSigningSession", "sessions:delete", "DELETE", S .. "/{sessionId}",
    "none", "nothing" },
}

describe("the rows", function()
  for _, row in ipairs(twelve) do
    local id, name, method, path, body, result, creates = table.unpack(row)
    it(("say %s is %s %s"):format(name, method, path), function()
      assert.same({
        id = id,
        name = name,
        method = method,
        path = path,
        body = body,
        result = result,
        query = id == "listSigningSessions",
        creates = creates == "creates",
      }, core.operations[id])
    end)
  end

  it("are these twelve and no other", function()
    local count = 0
    for id, row in pairs(core.operations) do
      assert.equal(id, row.id)
      count = count + 1
    end
    assert.equal(12, #twelve)
    assert.equal(12, count)
  end)
end)
