-- Runs on a local sandbox; on the real service only with SIGNICAT_LIVE=1 and
-- credentials. Uploads a document, names it and reads what is stored of it.
--
--     lua examples/upload.lua [FILE.pdf]

local support = require "examples.support"
local must = support.must

local sign = support.client()

-- The type follows from the ending; others need `type = "application/pdf"`.
-- The file is hashed on its way and the service's hash compared with that.
local document, meta = must(sign.documents:upload {
  path = arg[1] or "examples/lease.pdf" })
print("document", document.documentId)
print("hash", document.documentHash.hash, meta.verified and "verified")

-- There is no list of documents: whoever loses the id has lost the document.
must(sign.documents:update(document, {
  filename = "lease-17.pdf", title = "Lease 17" }))
local stored = must(sign.documents:metadata(document))
print("stored", stored.filename, stored.mimeType)

must(sign.documents:delete(document))
print("deleted")
sign:close()
