-- Runs on a local sandbox; on the real service only with SIGNICAT_LIVE=1 and
-- credentials. One document, one signer, from the file to the signed file.
--
--     lua examples/sign_one.lua [FILE.pdf [SIGNED.pdf]]

local support = require "examples.support"
local must = support.must

local sign = support.client()

-- Uploads the file, makes a collection of it and a session to sign it. When a
-- step fails, `err.result` has the ids of what the steps before it made.
local session = must(sign:sign {
  file = arg[1] or "examples/lease.pdf",
  title = "Lease 17",
  externalReference = "lease-17",
  signingSetup = { { signingFlow = "PKISIGNING", vendor = "NBID" } },
})
print("session", session.lifecycle.state)

support.let_sign(session, "Kari Nordmann")
local done = must(sign.sessions:wait(session, { timeout = 3600 }))
print("session", done.lifecycle.state)

local result = done.output.signatures[1].resultDocumentId
local path = must(sign.documents:download(result, {
  to = arg[2] or "lease-signed.pdf", overwrite = true }))
print("signed file", path)
sign:close()
