-- What alloc_host does while memory ends, against a server on this machine:
-- every operation, streams, tasks, events, the making and the end of a client.
--
-- ALLOC_URL says where the server is (`server.lua api`), ALLOC_FOLDER where
-- files may be, ALLOC_TIMEOUT how long nothing may move: libcurl loses sight of
-- a socket for which it has no memory. Each case returns the function that is
-- called, which returns nil and the error of a call that failed, and one that
-- closes.

local signicat = require "signicat"

local folder = os.getenv "ALLOC_FOLDER"
local url = os.getenv "ALLOC_URL"
local patience = tonumber(os.getenv "ALLOC_TIMEOUT" or "20")

local DOCUMENT = "d1234567-89ab-cdef-0123-456789abcdef"
local SESSION = "f05d0dce-a7af-432b-b6b8-e455ab7c0858"
local UNKNOWN = "01234567-89ab-7def-8123-456789abcdef"
local SIZE = 640000 -- of the server's document
local TEXT = ("twelve bytes"):rep(2000)

local cases = {}

-- -- clients ----------------------------------------------------------------

local function client(more)
  local options = { base_url = url .. "/sign", retries = 0,
    connect_timeout = patience, first_byte_timeout = patience,
    stall_timeout = patience }
  for name, value in pairs(more or { token = "t" }) do options[name] = value end
  return assert(signicat.new(options))
end

-- Cases are listed by name, each a function of a client.
local function define(name, act, more)
  cases[name] = function()
    local sign = client(more)
    return function() return act(sign) end, function() sign:close() end
  end
end

-- Passes on what a call returned, after a look at it.
local function checked(check, value, meta)
  if value == nil then return nil, meta end
  assert(check(value, meta), "another result")
  return true
end

local function has_id(value)
  return value.id == SESSION
end

local function is_stored(value)
  return value.documentId == DOCUMENT
end

local function is_done(value)
  return value == true
end

-- -- the twelve operations ----------------------------------------------------

define("upload", function(sign)
  return checked(is_stored, sign.documents:upload { content = TEXT,
                                                    type = "text/plain" })
end)

define("download", function(sign)
  return checked(function(bytes) return #bytes == SIZE end,
    sign.documents:download(DOCUMENT))
end)

define("metadata", function(sign)
  return checked(is_stored, sign.documents:metadata(DOCUMENT))
end)

define("update", function(sign)
  return checked(is_stored, sign.documents:update(DOCUMENT,
    { title = "Lease 17", filename = "lease.pdf" }))
end)

define("delete", function(sign)
  return checked(is_done, sign.documents:delete(DOCUMENT))
end)

define("create_collection", function(sign)
  return checked(has_id, sign.collections:create {
    documents = { { documentId = DOCUMENT } },
    packageTo = { "PADES_CONTAINER" } })
end)

define("get_collection", function(sign)
  return checked(has_id, sign.collections:get(SESSION))
end)

define("delete_collection", function(sign)
  return checked(is_done, sign.collections:delete(SESSION))
end)

define("create_session", function(sign)
  return checked(function(list) return list[1].id == SESSION end,
    sign.sessions:create { { title = "Lease 17",
      documents = { { documentId = DOCUMENT, action = "SIGN",
                      documentCollectionId = SESSION } },
      signingSetup = { { signingFlow = "PKISIGNING", vendor = "NBID" } } } })
end)

define("get_session", function(sign)
  return checked(has_id, sign.sessions:get(SESSION))
end)

define("list_sessions", function(sign)
  return checked(function(page)
    return page.total == 150 and page.data[100].title == "Session 100"
  end, sign.sessions:list { state = { "READY" }, sort = "+createdAt" })
end)

define("delete_session", function(sign)
  return checked(is_done, sign.sessions:delete(SESSION))
end)

-- -- what is built of them ----------------------------------------------------

define("token", function(sign)
  return checked(has_id, sign.sessions:get(SESSION))
end, { client_id = "sandbox-round-apple-123", client_secret = "secret" })

define("request", function(sign)
  return checked(has_id, sign:request("GET", "/signing-sessions/" .. SESSION,
    { query = { limit = 1 }, headers = { ["x-more"] = "y" } }))
end)

define("by_name", function(sign)
  return checked(has_id, sign.sessions:get(SESSION))
end, { base_url = url:gsub("127.0.0.1", "localhost") .. "/sign", token = "t" })

define("resource", function(sign)
  local session, err = sign.sessions:get(SESSION)
  if not session then return nil, err end
  assert(session.title == "Leie 17, Troms\195\184")
  assert(session.lifecycle.stateIsFinal and session.nothing == nil)
  assert(session.documents == session.documents)
  assert(session:totable().documents[1].documentId == DOCUMENT)
  assert(session:json():sub(1, 6) == '{"id":')
  assert(tostring(session):find(SESSION, 1, true) and session == session)
end)

define("each", function(sign)
  local count = 0
  for session, err in sign.sessions:each() do
    if not session then return nil, err end
    count = count + 1
  end
  assert(count == 150)
end)

define("wait", function(sign)
  return checked(has_id, sign.sessions:wait(SESSION))
end)

define("sign", function(sign)
  return checked(has_id, sign:sign { title = "Lease 17",
    file = { content = TEXT, type = "text/plain" } })
end)

define("refused", function(sign)
  local session, err, meta = sign.sessions:get(UNKNOWN)
  assert(session == nil)
  if err.kind ~= "not_found" then return nil, err end
  assert(err.code == "signing_session_not_found" and meta.status == 404)
  assert(tostring(err):find("(404 signing_session_not_found)", 1, true))
end)

define("invalid", function(sign)
  local list, err = sign.sessions:create { { titel = "Lease" } }
  assert(list == nil and err.kind == "invalid" and #err.fields > 3)
end)

define("unreachable", function(sign)
  local session, err = sign.sessions:get(SESSION)
  assert(session == nil)
  if err.kind ~= "connect" then return nil, err end
  assert(err.sent == false)
end, { base_url = "http://127.0.0.1:1/sign", token = "t" })

define("strict", function(sign)
  local ok, raised = pcall(function()
    return sign:strict().sessions:get(SESSION)
  end)
  if ok then return checked(has_id, raised) end
  if signicat.is_error(raised) then return nil, raised end
  error(raised, 0)
end)

function cases.client()
  return function()
    local sign, err = signicat.new { base_url = url .. "/sign", token = "t",
      retries = 0, connect_timeout = patience, first_byte_timeout = patience }
    if not sign then return nil, err end
    local child = sign:with { timeout = 10 }
    local session, failure = child.sessions:get(SESSION)
    sign:close()
    if not session then return nil, failure end
    assert(has_id(session))
  end
end

-- -- streams ------------------------------------------------------------------

local function write(path, bytes)
  local file = assert(io.open(path, "wb"))
  assert(file:write(bytes))
  file:close()
end

local function size_of(path)
  local file = assert(io.open(path, "rb"))
  local size = file:seek "end"
  file:close()
  return size
end

-- Reads of io take Lua's memory, with a descriptor that only the collector
-- closes; so a file is looked at when there is memory again.
local function file_cases(name, act)
  cases[name] = function()
    local sign = client()
    local path = folder .. "/" .. name
    write(path, TEXT)
    return function() return act(sign, path) end, function()
      sign:close()
      assert(size_of(path) == #TEXT or size_of(path) == SIZE)
    end
  end
end

file_cases("upload_file", function(sign, path)
  return checked(is_stored, sign.documents:upload { path = path,
                                                    type = "text/plain" })
end)

file_cases("download_file", function(sign, path)
  return checked(function(value) return value == path end,
    sign.documents:download(DOCUMENT, { to = path, overwrite = true }))
end)

define("upload_reader", function(sign)
  local left, moved = #TEXT, 0
  return checked(function(value)
    return is_stored(value) and moved == #TEXT
  end, sign.documents:upload({ size = #TEXT, type = "text/plain",
    reader = function(max)
      if left == 0 then return nil end
      local piece = TEXT:sub(1, math.min(max, left, 7000))
      left = left - #piece
      return piece
    end }, { on_progress = function(done) moved = done end }))
end)

define("download_writer", function(sign)
  local size = 0
  return checked(function() return size == SIZE end,
    sign.documents:download(DOCUMENT, { to = function(bytes)
      size = size + #bytes
      return true
    end }))
end)

-- -- tasks --------------------------------------------------------------------

define("tasks", function(sign)
  local task = sign:async(function() return sign.sessions:get(SESSION) end)
  local other = sign:async(function() return sign.sessions:list() end)
  sign:run()
  local page, err = other:wait()
  if not page then return nil, err end
  assert(page.total == 150)
  return checked(has_id, task:wait())
end)

define("step", function(sign)
  local results = {}
  for i = 1, 3 do
    sign:async(function()
      sign.sleep(0)
      results[i] = { sign.sessions:get(SESSION) }
    end)
  end
  assert(sign:descriptor() >= 0)
  while sign:step(0.01) > 0 do
    assert(sign:timeout() ~= nil or sign:descriptor())
  end
  for i = 1, 3 do
    -- A task that raised has none; `run` tells what.
    if not results[i] then return sign:run() end
    if not results[i][1] then return nil, results[i][2] end
  end
end)

define("map", function(sign)
  local results, errors = sign:map({ SESSION, SESSION, SESSION },
    function(id) return sign.sessions:get(id) end, { limit = 2 })
  if errors then
    local _, err = next(errors)
    if type(err) == "string" then error(err, 0) end
    return nil, err
  end
  assert(#results == 3 and has_id(results[3]))
end)

define("cancel", function(sign)
  local task = sign:async(function() return sign.sessions:get(SESSION) end)
  sign:step(0)
  task:cancel()
  local session, err = task:wait()
  if session then return checked(has_id, session) end
  if err.kind ~= "cancelled" then return nil, err end
end)

define("tasks_token", function(sign)
  local function get() return sign.sessions:get(SESSION) end
  local first, second = sign:async(get), sign:async(get)
  local session, err = second:wait()
  local other, failure = first:wait() -- before another call is made
  if not session then return nil, err end
  return checked(has_id, other, failure)
end, { client_id = "sandbox-round-apple-123", client_secret = "secret" })

local function in_task(sign, act)
  local task = sign:async(act)
  return task:wait()
end

define("task_upload", function(sign)
  return checked(is_stored, in_task(sign, function()
    return sign.documents:upload { content = TEXT, type = "text/plain" }
  end))
end)

-- The bytes are hashed on a thread.
define("task_download", function(sign)
  return checked(function(bytes) return #bytes == SIZE end,
    in_task(sign, function() return sign.documents:download(DOCUMENT) end))
end)

-- The file gets its name there.
file_cases("task_download_file", function(sign, path)
  return checked(function(value) return value == path end,
    in_task(sign, function()
      return sign.documents:download(DOCUMENT, { to = path, overwrite = true })
    end))
end)

-- And what is long is read there.
define("task_each", function(sign)
  return checked(function(count) return count == 150 end,
    in_task(sign, function()
      local page, err = sign.sessions:list()
      local count = 0
      while page do
        count = count + #page.data
        page, err = page:next()
      end
      if err then return nil, err end
      return count
    end))
end)

-- -- events -------------------------------------------------------------------

function cases.events()
  local scheme = { scheme = "body-hmac-sha256" }
  return function()
    local raw, headers = signicat.events.sign({ id = "e1",
      title = "Troms\195\184", timestamp = "2026-01-02T03:04:05Z",
      data = { { 1, 2 }, {} } }, "secret", scheme)
    local event, info = signicat.events.verify(raw, headers, {
      scheme = "body-hmac-sha256", secrets = { "other", "secret" },
      now = 1767323045, seen = signicat.events.memory() })
    if not event then return nil, info end
    assert(event.id == "e1" and info.matched == 2)
  end
end

function cases.events_refused()
  return function()
    local event, err = signicat.events.verify("{}",
      { ["X-Signicat-Signature"] = ("0"):rep(64) },
      { scheme = "body-hmac-sha256", secrets = "secret" })
    assert(event == nil)
    if err.kind ~= "signature" then return nil, err end
    assert(tostring(err):find("no secret gives", 1, true))
  end
end

return cases
