-- What both ways do with a contract: `show` is told how far it is, `let_sign`
-- gets the session to be signed.

return function(sign, show, let_sign)
  local session, err = sign:sign {
    file = "examples/lease.pdf",
    title = "Lease 17",
    signingSetup = { { signingFlow = "PKISIGNING", vendor = "NBID" } },
  }
  if not session then return show("failed: " .. tostring(err)) end
  show "uploaded"
  let_sign(session)
  session, err = sign.sessions:wait(session, { timeout = 3600 })
  if not session then return show("failed: " .. tostring(err)) end
  show "signed"
  local bytes
  bytes, err = sign.documents:download(
    session.output.signatures[1].resultDocumentId)
  if not bytes then return show("failed: " .. tostring(err)) end
  show("fetched " .. #bytes .. " bytes")
  return true
end
