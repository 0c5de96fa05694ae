-- Signs a PDF in a sandbox of its own; never calls the real service.
--
--     lua examples/demo.lua FILE.pdf FOLDER
--
-- Leaves FOLDER/signed.pdf, FOLDER/package.pdf, sealed around it, and the
-- certificate that both lead to, FOLDER/ca.pem.

local sandbox = require "signicat.sandbox"

local path, folder = assert(arg[1], "which PDF?"), arg[2] or "."

local function say(step, ...)
  print(("  %-10s %s"):format(step, string.format(...)))
end

-- The value, or the end of the program with what is wrong.
local function must(value, err)
  if value then return value end
  io.stderr:write("\n", tostring(err), "\n")
  for _, field in ipairs(type(err) == "table" and err.fields or {}) do
    io.stderr:write(("  %s: %s\n"):format(field.name, field.reason))
  end
  os.exit(1, true)
end

print("\nThe signing loop, on this machine alone:\n")

local service = must(sandbox.start())
local sign = must(service:client())
say("sandbox", "%s answers as the Sign API", service.url)

local document = must(sign.documents:upload {
  path = path, type = "application/pdf" })
say("upload", "%s is document %s", path, document.documentId)

local collection = must(sign.collections:create {
  documents = { { documentId = document.documentId } },
  packageTo = { "PADES_CONTAINER" },
})
say("collect", "it is alone in collection %s", collection.id)

local session = must(sign.sessions:create { {
  title = "Lease 17",
  documents = { { documentId = document.documentId,
                  documentCollectionId = collection.id, action = "SIGN" } },
  signingSetup = { { signingFlow = "PKISIGNING", vendor = "NBID" } },
} })[1]
say("session", "%s is %s", session.id, session.lifecycle.state)

must(service:sign(session, { name = "Kari Nordmann" }))
say("sign", "Kari Nordmann does, played by the sandbox")

local done = must(sign.sessions:wait(session))
local result = done.output.signatures[1].resultDocumentId
say("wait", "the session is %s, its result document %s",
  done.lifecycle.state, result)

local signed = folder .. "/signed.pdf"
must(sign.documents:download(result, { to = signed, overwrite = true }))
say("download", "%s", signed)

local packaged = must(sign.collections:wait(collection, { first_delay = 0.2 }))
local package = folder .. "/package.pdf"
must(sign.documents:download(packaged.output.packages[1].resultDocumentId,
  { to = package, overwrite = true }))
say("package", "%s holds it all, with a page of evidence", package)

local certificate = must(io.open(folder .. "/ca.pem", "w"))
certificate:write(must(service:ca_certificate()))
certificate:close()
say("trust", "%s/ca.pem is the sandbox's authority", folder)

sign:close()
service:stop()
