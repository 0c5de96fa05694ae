--- Documents: upload, download, metadata, update, delete.

local call = require "signicat.call"
local core = require "signicat.core"
local filename = require "signicat.filename"
local options = require "signicat.options"

---@class signicat.Documents
local Documents = {}
Documents.__index = Documents

--- The source of an upload, misuse of it raised at the caller's line.
local function check_source(source)
  if type(source) ~= "table" then
    core.misuse("documents:upload takes a table with `path`, `content` and "
      .. "`type`, or `reader`, `size` and `type`")
  end
  options.check(source, options.upload, "documents:upload")
  local ways = (source.path and 1 or 0) + (source.content and 1 or 0)
    + (source.reader and 1 or 0)
  if ways ~= 1 then
    core.misuse("documents:upload: give one of `path`, `content` and `reader`")
  end
  if not source.path and (source.offset or source.length) then
    core.misuse("documents:upload: `offset` and `length` go with `path`")
  end
  if source.reader and not source.size then
    core.misuse("documents:upload: `reader` needs `size`, in bytes")
  end
  if not source.reader and (source.size or source.rewind) then
    core.misuse("documents:upload: `size` and `rewind` go with `reader`")
  end
end

--- Uploads a document; its bytes are hashed on the way and compared with the
--- hash that the service answers. A reader runs in the caller's coroutine and
--- may yield; what it raises ends the transfer and comes through as it is.
---@param source signicat.UploadSource
---@param opts signicat.CallOptions?
---@return signicat.Document? document its id, type, hash and time
---@return signicat.Meta|signicat.Error meta or err; `integrity` when the
--- hashes differ, `io` when the file or the reader fails, `invalid` for a
--- reader of another size, `unsupported` for a type the service refuses
---@return signicat.Meta? meta when it failed
function Documents:upload(source, opts)
  check_source(source)
  return call.operation(self.client, "uploadDocument", nil, source, opts)
end

--- Transports that know no writer leave the bytes to us.
local function to_writer(writer, bytes, meta)
  local done, reason = writer(bytes)
  if done then return true, meta end
  return nil, call.fail("documents:download", { kind = "io", sent = true,
    attempts = meta.attempts, detail = reason and tostring(reason),
    note = "the writer failed; see `detail`" }), meta
end

local function download(self, document, opts)
  local to = opts and opts.to -- now: the table is the caller's
  local value, meta, more = call.operation(self.client, "getDocument",
    document, nil, opts, options.download)
  if type(to) == "function" and type(value) == "string" then
    return to_writer(to, value, meta)
  end
  return value, meta, more
end

--- The options of a download that its question for the name takes too.
local function without_target(opts)
  local rest = {}
  for name, value in pairs(opts) do
    if options.call[name] and name ~= "on_progress" then rest[name] = value end
  end
  return rest
end

--- Downloads into a folder, under the document's own name. By the time it is
--- known, the caller's table may name another folder.
local function into_folder(self, document, opts)
  local inner = {}
  for name, value in pairs(opts) do inner[name] = value end
  local known, err, meta = self:metadata(document, without_target(opts))
  if not known then return nil, err, meta end
  inner.to = inner.to:gsub("/*$", "/", 1)
    .. filename.of(known, core.resource_id(document))
  -- What the caller knows of the bytes goes before what was just told.
  return download(self, type(document) == "string" and known or document,
    inner)
end

--- Downloads a document's bytes. Given a document that carries its hash, the
--- bytes are compared with it before anything is kept (a writer has them by
--- then). What breaks off is continued, for files and writers, if the server
--- offers that; else a file begins again, and a writer that has a part gets
--- an error.
---@param document signicat.Id
---@param opts signicat.DownloadOptions?
---@return string|boolean|nil content, the path written to, or true (writer)
---@return signicat.Meta|signicat.Error meta or err; meta.sha256 is the hash
--- as the API writes it
---@return signicat.Meta? meta when it failed
function Documents:download(document, opts)
  options.check(opts, options.download, "documents:download")
  local to = opts and opts.to
  if self and type(to) == "string" and core.is_folder(to) then
    return into_folder(self, document, opts)
  end
  return download(self, document, opts)
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
---@param fields signicat.DocumentFields
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
