--- Document collections: create, get, delete.

local call = require "signicat.call"

---@class signicat.Collections
local Collections = {}
Collections.__index = Collections

--- Creates a collection of documents that will be signed together.
---@param fields table documents: 1 to 100 of { documentId = }; packageTo
---@param opts table? call options
---@return userdata? collection id, documents, packageTo, output
---@return table meta or err
function Collections:create(fields, opts)
  return call.operation(self.client, "createDocumentCollection", nil, fields,
    opts)
end

--- Reads a collection.
---@param collection any an id or an object that carries one
---@param opts table? call options
---@return userdata? collection
---@return table meta or err
function Collections:get(collection, opts)
  return call.operation(self.client, "getDocumentCollection", collection, nil,
    opts)
end

--- Deletes a collection; its documents stay.
---@param collection any an id or an object that carries one
---@param opts table? call options
---@return true? done
---@return table meta or err
function Collections:delete(collection, opts)
  return call.operation(self.client, "deleteDocumentCollection", collection,
    nil, opts)
end

return {
  new = function(client)
    return setmetatable({ client = client }, Collections)
  end,
}
