--- The three steps to a signing URL in one: upload, collection, session.
--
-- The session's fields are checked before anything is sent, so that a slip in
-- them leaves no document behind. When a step fails, what the steps before it
-- made is in the error: nothing of it is deleted, the caller may go on.

local call = require "signicat.call"
local core = require "signicat.core"
local options = require "signicat.options"
local settings = require "signicat.settings"

local sign = {}

local NAME = "sign"

-- Stands for ids that are not known yet.
local ID = "00000000-0000-0000-0000-000000000000"

local function source_of(fields)
  if type(fields) ~= "table" then
    core.misuse("sign takes a table with `file` and a session's fields")
  end
  if fields.documents ~= nil then
    core.misuse("sign makes `documents` itself, from `file`; for documents "
      .. "of your own use sessions:create")
  end
  local file = fields.file
  if type(file) ~= "string" and type(file) ~= "table" then
    core.misuse("sign: `file` is a path, or a table as documents:upload "
      .. "takes it")
  end
  return type(file) == "string" and { path = file } or file
end

--- The session to create, without `documents`.
function sign.session_of(fields)
  local session = {}
  for name, value in pairs(fields) do session[name] = value end
  session.file = nil
  if session.signingSetup == nil then
    -- Any identity provider that the account has.
    session.signingSetup = { { signingFlow = "AUTHENTICATION_BASED" } }
  end
  return session
end

--- Gives a session its one document.
function sign.set_documents(session, document, collection)
  session.documents = { { documentId = document, action = "SIGN",
                          documentCollectionId = collection } }
end

--- What is wrong with a session, as findings about sign's own fields.
function sign.findings_of(session, made, now)
  sign.set_documents(session, ID, ID)
  local list = core.validate("createSigningSession", { session }, {
    level = made.validate, allow_unknown = made.allow_unknown, now = now,
  })
  if not list then return nil end
  for _, finding in ipairs(list) do
    finding.name = finding.name:gsub("^%[1%]%.?", "")
  end
  return list
end

--- Uploads a file, makes a collection of it and a session to sign it.
---@param client signicat.Client
---@param fields table
---@param opts table?
function sign.sign(client, fields, opts)
  local source, session = source_of(fields), sign.session_of(fields)
  opts = options.check(opts, options.call, NAME)
  local findings = sign.findings_of(session,
    settings.with(client.settings, opts), client.wall_clock())
  if findings then
    return nil, call.fail(NAME, { kind = "invalid", fields = findings,
      note = "nothing was sent", result = { step = "check" } })
  end

  local made = {}
  --- The error of a step, with all that there is by now.
  local function failed(step, err, meta)
    made.step = step
    if err.result ~= nil then
      made[step] = err.result
      if step == "document" then
        made.documentId = core.resource_id(err.result)
      end
    end
    err.result = made
    return nil, err, meta
  end

  local document, meta, failed_meta = client.documents:upload(source, opts)
  if not document then return failed("document", meta, failed_meta) end
  made.documentId = document.documentId

  local collection
  collection, meta, failed_meta = client.collections:create({
    documents = { { documentId = document.documentId } } }, opts)
  if not collection then return failed("collection", meta, failed_meta) end
  made.documentCollectionId = collection.id

  sign.set_documents(session, document.documentId, collection.id)
  local sessions
  sessions, meta, failed_meta = client.sessions:create({ session }, opts)
  if not sessions then return failed("session", meta, failed_meta) end
  return sessions[1], meta
end

return sign
