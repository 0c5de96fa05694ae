-- What the examples share: a client, the signer, and a short way to fail.
--
-- They run against a local sandbox of their own. With SIGNICAT_LIVE=1 they use
-- the service that SIGNICAT_CLIENT_ID and SIGNICAT_CLIENT_SECRET belong to;
-- what they create there stays, and a person has to sign.
--
-- From the root of a checkout, after `make`:
--
--     LUA_PATH='lua/?.lua;lua/?/init.lua;;' LUA_CPATH='build/5.4/?.so;;' \
--       lua5.4 examples/upload.lua

local support = { live = os.getenv "SIGNICAT_LIVE" == "1" }

-- The value, or the end of the program with one line that is safe to log.
function support.must(value, err)
  if value then return value, err end
  io.stderr:write(tostring(err), "\n")
  os.exit(1, true)
end

-- A client, and the sandbox it speaks to: nil when that is the real service.
function support.client(options)
  if support.live then
    return support.must(require "signicat".from_env(options))
  end
  support.service = support.must(require "signicat.sandbox".start())
  return support.must(support.service:client(options)), support.service
end

-- The signer signs: played by the sandbox, or sent to the signing URL. That
-- URL lets anybody sign who has it, so it goes to the signer alone.
function support.let_sign(session, name)
  if support.service then
    return support.must(support.service:sign(session, { name = name }))
  end
  print(name .. " signs at " .. session.signatureUrl)
end

-- A document alone in a collection, and what a session says of it.
function support.upload(sign, path)
  local document = support.must(sign.documents:upload { path = path })
  local collection = support.must(sign.collections:create {
    documents = { { documentId = document.documentId } } })
  return { { documentId = document.documentId,
             documentCollectionId = collection.id, action = "SIGN" } }
end

return support
