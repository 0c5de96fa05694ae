--- The three steps of a job: upload, collection, session; and reading what a
-- job asks for, all of which may come from another program.

local call = require "signicat.call"
local core = require "signicat.core"
local sign = require "signicat.sign"

local steps = {}

local CLOCKS = 300 -- seconds that Redis's clock and the service's may differ

steps.order = { "document", "collection", "session" }

-- Where a job has what a step made.
steps.fields = { document = "documentId", collection = "documentCollectionId",
                 session = "sessionId" }

--- What is wrong with a job's file.
local function file_fault(file, folder)
  if type(file) ~= "table" or file == core.null then return "is no object" end
  if file.type ~= nil and type(file.type) ~= "string" then
    return "has a type that is no string"
  end
  local path = file.path
  if path == nil then return nil end
  if not folder then return "has a path, and this worker no `folder`" end
  if type(path) ~= "string" or path:find "^/" or path:find "%z"
    or ("/" .. path .. "/"):find("/../", 1, true) then
    return "has a path that leads out of the folder"
  end
end

--- Reads a job's payload into its `source` and `session`.
function steps.read(self, job)
  local fields = core.json_decode(job.payload or "")
  local findings
  if type(fields) ~= "table" or fields == core.null then
    findings = { { name = "", reason = "the payload is no JSON object" } }
  else
    local fault = file_fault(fields.file, self.folder)
    if not fault and not (fields.file.path or job.content) then
      fault = "has neither path nor content"
    end
    if fault then findings = { { name = "file", reason = fault } } end
  end
  if not findings then
    job.session = sign.session_of(fields)
    local reference = job.session.externalReference
    -- By it a session is looked for, which an empty one is not.
    if reference == nil or reference == core.null or reference == "" then
      job.session.externalReference = job.reference
    elseif type(reference) ~= "string" then
      findings = { { name = "externalReference", reason = "is no string" } }
    end
  end
  if not findings then
    -- Before anything is sent, so that a slip leaves no document behind.
    findings = not job.begun and sign.findings_of(job.session,
      self.client.settings, self.client.wall_clock())
  end
  if findings then
    return nil, call.fail("worker", { kind = "invalid", fields = findings,
      note = "the job cannot be done" })
  end
  local file = fields.file
  job.source = { path = file.path and self.folder .. "/" .. file.path,
                 content = not file.path and job.content or nil,
                 type = file.type }
  return true
end

--- Each step returns the id of what it made; or nil, an error, and whether it
-- is not certain that nothing was made.
function steps.document(self, job, opts)
  local document, err = self.client.documents:upload(job.source, opts)
  if not document then return nil, err, err.ambiguous end
  return document.documentId
end

function steps.collection(self, job, opts)
  local collection, err = self.client.collections:create({
    documents = { { documentId = job.documentId } } }, opts)
  if not collection then return nil, err, err.ambiguous end
  return collection.id
end

--- Whether a session that was found is this job's: its document shows it.
local function is_of(found, job)
  local documents = found.documents
  local first = type(documents) == "table" and documents[1]
  return not first or first.documentId == job.documentId
end

--- A session that may have been created is looked for, and created only if it
-- surely was not.
function steps.session(self, job, opts, since)
  local sessions, wanted = self.client.sessions, job.session
  if since then
    local found, err = sessions:find({ since = since - CLOCKS,
      externalReference = wanted.externalReference }, opts)
    if found and is_of(found, job) then return found.id end
    if found then
      return nil, call.fail("worker", { kind = "conflict", sent = true,
        note = "another session has this externalReference; each job needs "
          .. "its own" }), true
    end
    if err.kind ~= "not_found" then return nil, err, true end
  end
  sign.set_documents(wanted, job.documentId, job.documentCollectionId)
  local made, err = sessions:create({ wanted }, opts)
  if not made then return nil, err, err.ambiguous end
  return made[1].id
end

return steps
