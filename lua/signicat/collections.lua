--- Document collections: create, get, wait, delete.

local call = require "signicat.call"
local wait = require "signicat.wait"

---@class signicat.Collections
local Collections = {}
Collections.__index = Collections

--- Creates a collection of documents that will be signed together.
---@param fields signicat.NewCollection
---@param opts signicat.CallOptions?
---@return signicat.Collection? collection id, documents, packageTo, output
---@return signicat.Meta|signicat.Error meta or err
---@return signicat.Meta? meta when it failed
function Collections:create(fields, opts)
  return call.operation(self.client, "createDocumentCollection", nil, fields,
    opts)
end

--- Reads a collection.
---@param collection signicat.Id
---@param opts signicat.CallOptions?
---@return signicat.Collection? collection
---@return signicat.Meta|signicat.Error meta or err
---@return signicat.Meta? meta when it failed
function Collections:get(collection, opts)
  return call.operation(self.client, "getDocumentCollection", collection, nil,
    opts)
end

--- Waits until a collection has its package: it is made when all sessions on
--- the collection are signed.
---@param collection signicat.Id
---@param opts signicat.WaitOptions?
---@return signicat.Collection? collection output.packages[1].resultDocumentId
--- is the package
---@return signicat.Meta|signicat.Error meta or err; `invalid` at once for a
--- collection without packageTo; `timeout`: err.result is the collection
---@return signicat.Meta? meta when it failed
function Collections:wait(collection, opts)
  return wait.for_package(self, collection, opts)
end

--- Deletes a collection; its documents stay.
---@param collection signicat.Id
---@param opts signicat.CallOptions?
---@return true? done
---@return signicat.Meta|signicat.Error meta or err
---@return signicat.Meta? meta when it failed
function Collections:delete(collection, opts)
  return call.operation(self.client, "deleteDocumentCollection", collection,
    nil, opts)
end

return {
  new = function(client)
    return setmetatable({ client = client }, Collections)
  end,
}
