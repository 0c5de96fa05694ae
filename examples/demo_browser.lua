-- Lets a person sign a PDF in a browser, on this machine alone; never calls
-- the real service.
--
--     lua examples/demo_browser.lua FILE.pdf FOLDER     or: make demo-browser
--
-- Prints the page's address, waits an hour for the signature, and leaves
-- FOLDER/signed.pdf and the certificate it leads to, FOLDER/ca.pem.

local sandbox = require "signicat.sandbox"
local support = require "examples.support"

local must = support.must
local path, folder = assert(arg[1], "which PDF?"), arg[2] or "."
io.stdout:setvbuf "line"

local service = must(sandbox.start())
local sign = must(service:client())

local session = must(sign.sessions:create { {
  title = "Lease 17",
  documents = support.upload(sign, path),
  signText = "I have read the document and agree to it.",
  signingSetup = { { signingFlow = "PKISIGNING", vendor = "NBID" } },
} })[1]

print("\nOpen this page in a browser and sign, or reject:\n")
print("  " .. session.signatureUrl .. "\n")

local done = must(sign.sessions:wait(session, {
  timeout = 3600, max_delay = 1 }))
local signed = folder .. "/signed.pdf"
must(sign.documents:download(done.output.signatures[1].resultDocumentId,
  { to = signed, overwrite = true }))
local pem = must(service:ca_certificate())
local certificate = must(io.open(folder .. "/ca.pem", "w"))
certificate:write(pem)
certificate:close()
print("The session is SIGNED; the result is in " .. signed .. ".")

sign:close()
service:stop()
