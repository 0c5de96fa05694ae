-- crashing.lua: a sandbox that is killed while many clients use it, again
-- and again; and that nothing it has acknowledged is lost.

local cjson = require "cjson"
local crowd = require "spec.support.crowd"
local judges = require "spec.support.judges"
local luassert = require "luassert"
local service = require "spec.sandbox.service"

local crashing = {}

local CLIENTS <const> = 8
local SETUP <const> = { { signingFlow = "AUTHENTICATION_BASED" } }

-- What is known of the account: documents by their bytes; sessions by the
-- states they may be in, which are two while a change is not acknowledged.
local function new_ledger()
  return { documents = {}, collections = {}, sessions = {}, signed = {},
           acknowledged = 0 }
end

-- One client, which makes and changes things until the service is gone.
-- `acknowledge` is called for each answer.
local function work(client, number, ledger, acknowledge)
  local turn = 0
  -- A change that was answered as it has to be: the answer.
  local function done(wanted, status, answer)
    if not status then return nil end
    luassert.equal(wanted, status, type(answer) == "table" and answer.detail)
    acknowledge()
    return answer
  end
  local function change(id, from, to, wanted, ...)
    ledger.sessions[id] = { [from] = true, [to] = true }
    local answer = done(wanted, client:call(...))
    if answer then ledger.sessions[id] = { [to] = true } end
    return answer
  end
  while true do
    turn = turn + 1
    local bytes = ("client %d, turn %d. "):format(number, turn)
      :rep(1 + turn * 37 % 400)
    local document = done(200, client:call("POST", "/sign/documents", bytes,
      "text/plain"))
    if not document then return end
    ledger.documents[document.documentId] = bytes
    local collection = done(201, client:call("POST",
      "/sign/document-collections",
      { documents = { { documentId = document.documentId } } }))
    if not collection then return end
    ledger.collections[collection.id] = document.documentId
    local sessions = done(201, client:call("POST", "/sign/signing-sessions",
      { { title = "Crash", signingSetup = SETUP, documents = { {
        documentId = document.documentId, action = "SIGN",
        documentCollectionId = collection.id } } } }))
    if not sessions then return end
    local id = sessions[1].id
    local what = turn % 3 == 0 and "reject" or "sign"
    local to = what == "sign" and "SIGNED" or "REJECTED"
    ledger.sessions[id] = { READY = true }
    if not change(id, "READY", to, 200, "POST",
      "/_sandbox/sessions/" .. id .. "/" .. what) then return end
    if to == "SIGNED" then ledger.signed[id] = true end
    if turn % 4 == 0 and not change(id, to, "deleted", 204, "DELETE",
      "/sign/signing-sessions/" .. id) then return end
  end
end

-- Whether all of the ledger is there, as it was acknowledged.
local function verify(sandbox, ledger)
  for id, bytes in pairs(ledger.documents) do
    local status, found = sandbox:call("GET", "/sign/documents/" .. id)
    luassert.equal(200, status, "a document is lost")
    luassert.is_true(bytes == found, "a document has other bytes")
  end
  for id, document in pairs(ledger.collections) do
    local status, found = sandbox:call("GET",
      "/sign/document-collections/" .. id)
    luassert.equal(200, status, "a collection is lost")
    luassert.equal(document, found.documents[1].documentId)
  end
  for id, states in pairs(ledger.sessions) do
    local status, found = sandbox:call("GET", "/sign/signing-sessions/" .. id)
    local state = status == 404 and "deleted" or found.lifecycle.state
    luassert.is_true(states[state], "a session is " .. state)
    if state == "SIGNED" then
      luassert.equal(200, (sandbox:call("GET", "/sign/documents/"
        .. found.output.signatures[1].resultDocumentId)), "a result is lost")
    end
  end
end

-- One event for each session that was signed, and for no other.
local function verify_events(sandbox, ledger)
  local _, answer = sandbox:call("GET", "/_sandbox/events")
  local told = {}
  for _, event in ipairs(answer.events) do
    local id = cjson.decode(event.body).eventData.id
    luassert.is_nil(told[id], "an event is there twice")
    told[id] = true
    local states = ledger.sessions[id] or { SIGNED = true } -- made unseen
    luassert.is_true(states.SIGNED or states.deleted,
      "an event tells of what did not happen")
  end
  for id in pairs(ledger.signed) do
    luassert.is_true(told[id], "an event is lost")
  end
end

local function integrity(folder)
  return (judges.run("sqlite3", folder .. "/sandbox.db",
    "pragma integrity_check"))
end

-- As many files of documents as rows: none lost, none left behind.
local function verify_files(folder)
  local rows = tonumber((judges.run("sqlite3", folder .. "/sandbox.db",
    "select count(*) from document")))
  local _, files = judges.run("ls", folder .. "/documents"):gsub("\n", "")
  luassert.equal(rows, files)
end

-- Starts, looks after what was there at the last end, lets the crowd work,
-- and kills after so many answers; what was then acknowledged.
local function round(folder, last, all, after)
  local sandbox = service.start("--data", folder)
  if last then
    verify(sandbox, last)
    verify_events(sandbox, all)
    verify_files(folder)
  else
    -- Nobody takes these events, so they stay.
    sandbox:call("POST", "/_sandbox/webhooks", { url = "http://127.0.0.1:9/",
      secret = "s", events = { "signing-session.completed" } })
  end
  local ledger = new_ledger()
  crowd.run(sandbox, CLIENTS, function(client, number)
    work(client, number, ledger, function()
      ledger.acknowledged = ledger.acknowledged + 1
      if ledger.acknowledged == after then sandbox:signal "KILL" end
    end)
  end)
  local code, how = sandbox:stop()
  luassert.same({ 9, "signal" }, { code, how })
  luassert.equal("ok\n", integrity(folder))
  return ledger
end

-- So many rounds in this folder, each with what was acknowledged before.
function crashing.run(folder, count)
  local all = new_ledger()
  local last
  for i = 1, count do
    last = round(folder, last, all, 20 + i * 29 % 60)
    luassert.is_true(last.acknowledged >= 20)
    for _, kind in ipairs { "documents", "collections", "sessions",
                            "signed" } do
      for id, value in pairs(last[kind]) do all[kind][id] = value end
    end
  end
  local sandbox = service.start("--data", folder)
  verify(sandbox, all)
  verify_events(sandbox, all)
  verify_files(folder)
  sandbox:finish()
end

return crashing
