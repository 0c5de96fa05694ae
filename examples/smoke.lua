-- Runs on a local sandbox; on the real service only with SIGNICAT_LIVE=1 and
-- credentials. Shows whether an account works, and deletes what it made.
--
--     lua examples/smoke.lua [--session]
--
-- With --session a signing session is created too; nobody is told of it.

local support = require "examples.support"
local sign = support.client { retries = 0 }

local function step(name, value, err)
  print(value and "ok" or "FAILED", name)
  if value then return value end
  io.stderr:write(tostring(err), "\n")
  os.exit(1, true)
end

local list = step("list", sign.sessions:list { limit = 1 })
print("seen", "sessions in all", list.total)

local note = step("upload", sign.documents:upload { content = "A smoke test",
                                                    type = "text/plain" })
print("seen", "hash", note.documentHash and note.documentHash.hashAlgorithm)
step("metadata", sign.documents:metadata(note))
step("same bytes", sign.documents:download(note) == "A smoke test")
local bundle = step("collection", sign.collections:create {
  documents = { { documentId = note.documentId } } })
if arg[1] == "--session" then
  local made = step("session", sign.sessions:create { { title = "Smoke test",
    documents = { { documentId = note.documentId, action = "SIGN",
                    documentCollectionId = bundle.id } },
    signingSetup = { { signingFlow = "AUTHENTICATION_BASED" } } } })[1]
  print("seen", "state", made.lifecycle.state)
  step("delete session", sign.sessions:delete(made))
end
step("delete collection", sign.collections:delete(bundle))
step("delete document", sign.documents:delete(note))
local _, err = sign.documents:metadata(note)
step("it is gone", err.kind == "not_found", err)
