--- Documents: upload, download, metadata, update, delete.

local call = require "signicat.call"
local core = require "signicat.core"
local options = require "signicat.options"

---@class signicat.Documents
local Documents = {}
Documents.__index = Documents

--- The source of an upload, misuse of it raised at the caller's line.
local function check_source(source)
  if type(source) ~= "table" then
    core.misuse("documents:upload takes a table with `path`, or `content` "
      .. "and `type`")
  end
  options.check(source, options.upload, "documents:upload")
  if (source.path == nil) == (source.content == nil) then
    core.misuse("documents:upload: give either `path` or `content`")
  end
  if source.content and (source.offset or source.length) then
    core.misuse("documents:upload: `offset` and `length` go with `path`")
  end
end

--- Uploads a document; its bytes are hashed on the way and compared with the
--- hash that the service answers.
---@param source signicat.UploadSource
---@param opts signicat.CallOptions?
---@return signicat.Document? document its id, type, hash and time
---@return signicat.Meta|signicat.Error meta or err; `integrity` when the
--- hashes differ, `io` when the file cannot be read, `unsupported` for a type
--- the service refuses
---@return signicat.Meta? meta when it failed
function Documents:upload(source, opts)
  check_source(source)
  return call.operation(self.client, "uploadDocument", nil, source, opts)
end

--- Downloads a document's bytes. Given a document that carries its hash, the
--- bytes are compared with it before anything is kept.
---@param document signicat.Id
---@param opts signicat.DownloadOptions?
---@return string? content, or the path written to
---@return signicat.Meta|signicat.Error meta or err; meta.sha256 is the hash
--- as the API writes it
---@return signicat.Meta? meta when it failed
function Documents:download(document, opts)
  return call.operation(self.client, "getDocument", document, nil, opts,
    options.download)
end

--- Reads all that is stored about a document.
---@param document signicat.Id
---@param opts signicat.CallOptions?
---@return signicat.Document? document
---@return signicat.Meta|signicat.Error meta or err
---@return signicat.Meta? meta when it failed
function Documents:metadata(document, opts)
  return call.operation(self.client, "getDocumentInfo", document, nil, opts)
end

--- Stores descriptive data; a field that is absent keeps its value.
---@param document signicat.Id
---@param fields table filename, title (255 characters), description (1000)
---@param opts signicat.CallOptions?
---@return signicat.Document? document
---@return signicat.Meta|signicat.Error meta or err
---@return signicat.Meta? meta when it failed
function Documents:update(document, fields, opts)
  return call.operation(self.client, "updateDocumentMetadata", document,
    fields, opts)
end

--- Deletes a document and its metadata for good.
---@param document signicat.Id
---@param opts signicat.CallOptions?
---@return true? done
---@return signicat.Meta|signicat.Error meta or err
---@return signicat.Meta? meta when it failed
function Documents:delete(document, opts)
  return call.operation(self.client, "deleteDocument", document, nil, opts)
end

return {
  new = function(client)
    return setmetatable({ client = client }, Documents)
  end,
}
