-- Runs on a local sandbox; on the real service only with SIGNICAT_LIVE=1 and
-- credentials. Creates a session once, even when the answer is lost.
--
--     lua examples/find.lua

local support = require "examples.support"
local must = support.must

local sign, service = support.client()
local documents = support.upload(sign, "examples/lease.pdf")
local wanted = {
  title = "Lease 17",
  documents = documents,
  signingSetup = { { signingFlow = "AUTHENTICATION_BASED" } },
  externalReference = "lease-17-" .. documents[1].documentId,
}

if service then -- the service carries it out and its answer is lost
  must(service:faults { { operation = "createSigningSession",
                          fault = "lost_answer" } })
end

local since = os.time() - 300 -- five minutes for a clock that is off
local created, err = sign.sessions:create { wanted }
local session = created and created[1]
if not created and err.ambiguous then
  -- It may be there: look, and create again only if it surely is not. A
  -- search that fails (any other kind) has not shown that.
  print("ambiguous", err.kind)
  session, err = sign.sessions:find {
    externalReference = wanted.externalReference, since = since }
  if not session and err.kind == "not_found" then
    session = must(sign.sessions:create { wanted })[1]
  end
end
session = must(session, err)
print("session", session.title, session.lifecycle.state)
print("in all", must(sign.sessions:list()).total)
sign:close()
