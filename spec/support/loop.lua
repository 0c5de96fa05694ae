--- A program like its users write: starts a sandbox, uploads, collects,
--- opens a session and prints its state.

local sandbox = require "signicat.sandbox"

local service = assert(sandbox.start())
local sign = assert(service:client())
local document = assert(sign.documents:upload {
  content = "To be signed", type = "text/plain" })
local collection = assert(sign.collections:create {
  documents = { { documentId = document.documentId } } })
local sessions = assert(sign.sessions:create { {
  title = "Lease 17",
  documents = { { documentId = document.documentId,
                  documentCollectionId = collection.id, action = "SIGN" } },
  signingSetup = { { signingFlow = "AUTHENTICATION_BASED" } },
} })
print(assert(sign.sessions:get(sessions[1])).lifecycle.state)
sign:close()
service:stop()
