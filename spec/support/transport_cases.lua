-- transport_cases.lua: what every transport has to do, as a list of cases
-- that transports_spec.lua runs over each of them.
--
-- A case has a `plan` for spec/support/server.lua or lives on the sandbox. It
-- gets `t`: sign, a client of either, without retries; client(options), more
-- of them; count(), how often the server read each method; folder, an empty
-- one; service, the sandbox's levers. It knows no busted, because it runs in
-- nginx's workers too.

local core = require "signicat.core"

local ID = "f05d0dce-a7af-432b-b6b8-e455ab7c0858"
local SESSIONS = { {
  title = "Lease 17",
  documents = { { documentId = ID, documentCollectionId = ID,
                  action = "SIGN" } },
  signingSetup = { { signingFlow = "PKISIGNING", vendor = "NBID" } },
} }
local DOCUMENT = ("0123456789abcdef"):rep(40000) -- the server's own
local LARGE = 5000000

local function write(value)
  if type(value) == "number" then return ("%.14g"):format(value) end
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for name, member in pairs(value) do
    parts[#parts + 1] = tostring(name) .. "=" .. write(member)
  end
  table.sort(parts)
  return "{" .. table.concat(parts, ", ") .. "}"
end

local function same(wanted, seen)
  if write(wanted) ~= write(seen) then
    error(("wanted %s, saw %s"):format(write(wanted), write(seen)), 2)
  end
end

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local bytes = file:read "*a"
  file:close()
  return bytes
end

--- An error as a case writes it: kind, phase, sent, ambiguous.
local function told(err)
  return { err.kind, err.phase, err.sent, err.ambiguous }
end

--- The error of a call that breaks off at a limit, which was long enough for it
--- to come to that phase.
---@param act fun(limit: number): any, any
local function broken_off(phase, act)
  local err
  for _, limit in ipairs { 0.3, 3, 30 } do
    err = select(2, act(limit))
    if not err or err.phase == phase then break end
  end
  return err
end

--- A reader of so many bytes in pieces of its own, and what was asked of it.
local function reader(size)
  local at, rewinds = 0, 0
  return function(most)
    local count = math.min(most, size - at, 50000)
    if count == 0 then return nil end
    at = at + count
    return ("x"):rep(count)
  end, function()
    at, rewinds = 0, rewinds + 1
    return true
  end, function() return rewinds end
end

local cases = {}

local function case(name, plan, run)
  cases[#cases + 1] = { name = name, plan = plan, run = run }
end

-- -- answers ----------------------------------------------------------------

case("brings an answer, and says what it knows of it", { "ok" }, function(t)
  local session, meta = assert(t.sign.sessions:get(ID))
  same(ID, session.id)
  same({ 200, 1, false }, { meta.status, meta.attempts, meta.reused })
  same("application/json", meta.headers["content-type"])
  assert(meta.timing.total >= meta.timing.first_byte)
  assert(meta.timing.first_byte >= meta.timing.connect)
  local _, again = assert(t.sign.sessions:get(ID))
  same(true, again.reused)
end)

case("sends the lines of a request and nothing of the one before",
  { "echo" }, function(t)
  local function lines(...) return assert(t.sign:request(...)).lines end
  local get = lines("GET", "/x")
  local post = table.concat(lines("POST", "/x", { json = { a = 1 },
    headers = { ["X-Once"] = "1" } }), "\n"):lower()
  for _, words in ipairs { "post /sign/x http/1.1", "content-length: 7",
                           "content-type: application/json", "x-once: 1",
                           "authorization: bearer ready" } do
    assert(post:find("\n" .. words, 1, true) or post:find(words, 1, true) == 1,
      words)
  end
  assert(table.concat(lines("POST", "/x"), "\n"):lower()
    :find("\ncontent-length: 0", 1, true))
  same(get[1], lines("GET", "/x")[1])
  same(#get, #lines("GET", "/x"))
  same("DELETE /sign/x?a=%20b HTTP/1.1",
    lines("DELETE", "/x", { query = { a = " b" } })[1])
end)

case("passes over interim answers", { "interim" }, function(t)
  local session, meta = assert(t.sign.sessions:get(ID))
  same({ ID, "yes" }, { session.id, meta.headers["x-late"] })
  same(nil, meta.headers["x-early"])
end)

case("keeps trailers out of a chunked body, and the connection",
  { "chunked" }, function(t)
  same(ID, assert(t.sign.sessions:get(ID)).id)
  local _, meta = assert(t.sign.sessions:get(ID))
  same(true, meta.reused)
end)

case("takes nothing behind an answer for that to the next request",
  { "excess", "ok" }, function(t)
  same(ID, assert(t.sign.sessions:get(ID)).id)
  local session, meta = assert(t.sign.sessions:get(ID))
  same({ ID, false }, { session.id, meta.reused })
end)

case("does not follow a redirect", { "redirect" }, function(t)
  local _, err = t.sign.sessions:get(ID)
  same({ "protocol", 302 }, { err.kind, err.status })
  same({ GET = 1 }, t.count())
end)

case("ends a flood at max_body", { "flood" }, function(t)
  local _, err = t.sign.sessions:get(ID, { max_body = 100000 })
  same("too_large", err.kind)
end)

case("takes an answer of max_body, and of not one byte more", { "ok" },
  function(t)
  local session = assert(t.sign.sessions:get(ID))
  local size = #session:json()
  same(ID, assert(t.sign.sessions:get(ID, { max_body = size })).id)
  local _, err = t.sign.sessions:get(ID, { max_body = size - 1 })
  same("too_large", err.kind)
end)

case("ends a flood of headers", { "flood_headers" }, function(t)
  local _, err = t.sign.sessions:get(ID)
  same("too_large", err.kind)
end)

case("knows what is no HTTP", { "nonsense" }, function(t)
  local _, err = t.sign.sessions:get(ID)
  same("protocol", err.kind)
end)

case("keeps the status of a refusal, however its body ends",
  { "flood_refusal", "cut_refusal", "ok" }, function(t)
  local _, err = t.sign.sessions:get(ID, { max_body = 10 })
  same({ "server", 500 }, { err.kind, err.status })
  _, err = t.sign.sessions:create(SESSIONS)
  same({ "auth", 401, false }, { err.kind, err.status, err.ambiguous })
  same(ID, assert(t.sign.sessions:get(ID)).id)
end)

case("takes nothing for an answer of nothing", { "empty" }, function(t)
  same(true, (assert(t.sign:request("GET", "/x"))))
end)

-- -- failures ---------------------------------------------------------------

case("says that nobody listens", nil, function(t)
  local sign = t.client { base_url = "http://127.0.0.1:1", token = "t" }
  local _, err = sign.sessions:create(SESSIONS)
  same({ "connect", "connect", false, false }, told(err))
end)

case("breaks off at the limit for the first byte", { "stall" }, function(t)
  local _, err = t.sign.sessions:get(ID, { first_byte_timeout = 0.1 })
  same({ "timeout", "first_byte", true, false }, told(err))
  assert(tostring(err):find("first_byte_timeout", 1, true))
end)

case("waits for the first byte without that limit", { "late" }, function(t)
  assert(t.sign.sessions:get(ID))
end)

case("breaks off at the limit for standing still", { "document_stall" },
  function(t)
  local _, err = t.sign.documents:download(ID, { stall_timeout = 0.2,
                                               first_byte_timeout = 15 })
  same({ "timeout", "body", true, false }, told(err))
  same(200, err.status)
  assert(tostring(err):find("stall_timeout", 1, true))
end)

case("keeps both limits apart from slowness", { "trickle" }, function(t)
  assert(t.sign.sessions:get(ID, { stall_timeout = 5,
                                   first_byte_timeout = 5 }))
end)

case("does not count the time that Lua takes", { "document" }, function(t)
  -- The server may be stopped for as long, but never is each time.
  local function download()
    local first = true
    return t.sign.documents:download(ID, { stall_timeout = 1, to = function()
      if first then core.sleep(1.2) end
      first = false
      return true
    end })
  end
  assert(download() or download() or download())
end)

case("breaks off at the limit for all of it", { "stall" }, function(t)
  local err = broken_off("first_byte", function(limit)
    return t.sign.sessions:create(SESSIONS, { timeout = limit })
  end)
  same({ "timeout", "first_byte", true, true }, told(err))
end)

case("breaks off a trickle at the limit for all of it", { "trickle" },
  function(t)
  local err = broken_off("body", function(limit)
    return t.sign.sessions:get(ID, { timeout = limit })
  end)
  same({ "timeout", true }, { err.kind, err.sent })
end)

case("breaks off an upload that nobody reads", { "early_stall" }, function(t)
  for _, name in ipairs { "stall_timeout", "timeout" } do
    local err = broken_off("send", function(limit)
      return t.sign.documents:upload({ reader = reader(20 * LARGE),
        size = 20 * LARGE, type = "text/plain" }, { [name] = limit })
    end)
    same({ "timeout", "send", true, false }, told(err))
  end
end)

case("takes no part of a body for all of it", { "cut" }, function(t)
  local _, err = t.sign.sessions:create(SESSIONS)
  same({ "connect", "body", true, true }, told(err))
  same(200, err.status)
end)

case("takes no part of a head for an answer", { "cut_headers" }, function(t)
  local _, err = t.sign.sessions:create(SESSIONS)
  same({ "connect", "body", true, true }, told(err))
end)

case("says that the server hung up", { "close" }, function(t)
  local _, err = t.sign.sessions:create(SESSIONS)
  same({ "connect", "first_byte", true, true }, told(err))
end)

-- -- connections ------------------------------------------------------------

case("repeats what may be on a connection that closed unseen",
  { "ok", "close", "ok", "close", "empty" }, function(t)
  assert(t.sign.sessions:get(ID))
  local _, meta = assert(t.sign.sessions:get(ID))
  same({ 1, false, true }, { meta.attempts, meta.reused, meta.resent })
  same(true, (assert(t.sign.sessions:delete(ID))))
  same({ GET = 3, DELETE = 2 }, t.count())
end)

for name, create in pairs {
  ["a create"] = function(sign) return sign.sessions:create(SESSIONS) end,
  ["an upload from memory"] = function(sign)
    return sign.documents:upload { content = "Hello", type = "text/plain" }
  end,
  ["a large upload"] = function(sign)
    return sign.documents:upload { content = ("x"):rep(LARGE),
                                   type = "text/plain" }
  end,
  ["an upload of nothing"] = function(sign)
    return sign.documents:upload { content = "", type = "text/plain" }
  end,
  ["a POST without a method of its own"] = function(sign)
    return sign:request("POST", "/x", { json = { a = 1 } })
  end,
} do
  case("never sends " .. name .. " twice", { "ok", "close", "list" },
    function(t)
    assert(t.sign.sessions:get(ID))
    local value, err = create(t.sign)
    same(nil, value)
    same({ "connect", "first_byte", true, true }, told(err))
    same({ GET = 1, POST = 1 }, t.count())
  end)
end

-- -- documents --------------------------------------------------------------

case("uploads much, whatever it lies in", { "stored" }, function(t)
  local path = t.folder .. "/large"
  local file = assert(io.open(path, "wb"))
  file:write(("y"):rep(LARGE))
  file:close()
  local moved = {}
  local function note(done, total) moved = { done, total } end
  local read_on, rewind = reader(LARGE)
  for _, source in ipairs { { path = path }, { content = ("x"):rep(LARGE) },
                            { reader = read_on, rewind = rewind,
                              size = LARGE } } do
    source.type = "text/plain"
    local _, meta = assert(t.sign.documents:upload(source,
      { on_progress = note }))
    same({ LARGE, LARGE }, moved)
    same(44, #meta.sha256)
  end
  os.remove(path)
end)

case("downloads much, wherever it goes", { "large:" .. LARGE }, function(t)
  local hash
  local function check(meta)
    hash = hash or meta.sha256
    same(hash, meta.sha256)
    same(44, #hash)
  end
  local content, meta = assert(t.sign.documents:download(ID))
  same(LARGE, #content)
  check(meta)
  local path, about = assert(t.sign.documents:download(ID,
    { to = t.folder .. "/a" }))
  same(("x"):rep(LARGE), read(path))
  check(about)
  os.remove(path)
  local size, largest = 0, 0
  local _, more = assert(t.sign.documents:download(ID, { to = function(bytes)
    size, largest = size + #bytes, math.max(largest, #bytes)
    return true
  end }))
  check(more)
  same(LARGE, size)
  assert(largest <= 65536, largest)
end)

case("continues a file and a writer that broke off",
  { "document_cut", "document", "document_cut", "document" }, function(t)
  local sign = t.client { retries = 1, random = function() return 0 end }
  local path = assert(sign.documents:download(ID, { to = t.folder .. "/b" }))
  same(DOCUMENT, read(path))
  os.remove(path)
  local parts = {}
  assert(sign.documents:download(ID, { to = function(bytes)
    parts[#parts + 1] = bytes
    return true
  end }))
  same(DOCUMENT, table.concat(parts))
  same({ GET = 4, ranges = 2 }, t.count())
end)

case("leaves no file of what broke off", { "document_cut" }, function(t)
  local path = t.folder .. "/c"
  local written, err = t.sign.documents:download(ID, { to = path })
  same(nil, written)
  same({ "connect", "body", true, false }, told(err))
  same(nil, read(path))
end)

case("takes no part that was not asked for", { "part" }, function(t)
  for _, to in ipairs { t.folder .. "/d", function() return true end } do
    local _, err = t.sign.documents:download(ID, { to = to })
    same("protocol", err.kind)
  end
end)

case("hears a refusal while the body still leaves", { "early_refusal" },
  function(t)
  local read_on = reader(20 * LARGE)
  local _, err = t.sign.documents:upload { reader = read_on,
    size = 20 * LARGE, type = "text/plain" }
  same({ "too_large", 413, "big", false },
    { err.kind, err.status, err.code, err.ambiguous })
end)

case("tells of a reader that fails or has another size", { "stored" },
  function(t)
  local _, err = t.sign.documents:upload { size = 10, type = "text/plain",
    reader = function() return nil, "no disk" end }
  same({ "io", false, "no disk" }, { err.kind, err.ambiguous, err.detail })
  _, err = t.sign.documents:upload { size = 2 * LARGE, type = "text/plain",
    reader = reader(LARGE) }
  same({ "invalid", false }, { err.kind, err.ambiguous })
end)

case("lets through what a reader raises", { "stored", "ok" }, function(t)
  local ok, raised = pcall(t.sign.documents.upload, t.sign.documents, {
    size = 10, type = "text/plain", reader = function() error("mine", 0) end })
  same({ false, "mine" }, { ok, raised })
  assert(t.sign.documents:upload { content = "a", type = "text/plain" })
end)

-- -- ends -------------------------------------------------------------------

case("is cancelled by on_progress", { "document_stall" }, function(t)
  local _, err = t.sign.documents:download(ID,
    { on_progress = function() return false end })
  same({ "cancelled", false }, { err.kind, err.ambiguous })
end)

case("ends with its client, in the middle of a body", { "document_stall" },
  function(t)
  local _, err = t.sign.documents:download(ID, { to = function()
    t.sign:close()
    return true
  end })
  same("cancelled", err.kind)
  local ok, raised = pcall(t.sign.sessions.get, t.sign.sessions, ID)
  same(false, ok)
  assert(tostring(raised):find("closed", 1, true))
end)

-- -- on the sandbox ---------------------------------------------------------

case("tries again what may be, and counts", nil, function(t)
  local sign = t.client { retries = 2, random = function() return 0 end }
  assert(sign.sessions:list())
  assert(t.service.faults { { operation = "listSigningSessions",
    fault = "status", status = 503, times = 2 } })
  local _, meta = assert(sign.sessions:list())
  same(3, meta.attempts)
end)

case("renews a token that was refused", nil, function(t)
  assert(t.sign.sessions:list())
  assert(t.service.clear_journal())
  assert(t.service.faults { { operation = "listSigningSessions",
    fault = "status", status = 401 } })
  assert(t.sign.sessions:list())
  same({ 2, 1 }, { #t.service.journal "listSigningSessions",
                   #t.service.journal "token" })
end)

case("creates once, though its answer was lost", nil, function(t)
  assert(t.sign.sessions:list())
  assert(t.service.clear_journal())
  assert(t.service.faults { { operation = "uploadDocument",
    fault = "lost_answer", reused_only = true } })
  local _, err = t.sign.documents:upload { content = "Hello",
                                           type = "text/plain" }
  same({ "connect", true }, { err.kind, err.ambiguous })
  same(1, #t.service.journal "uploadDocument")
end)

case("stores and fetches the very bytes", nil, function(t)
  local text = ("Words, and enough of them.\n"):rep(20000)
  local document, meta = assert(t.sign.documents:upload {
    content = text, type = "text/plain" })
  same(true, meta.verified)
  local content, about = assert(t.sign.documents:download(document))
  same(text, content)
  same(true, about.verified)
  same(true, (assert(t.sign.documents:delete(document))))
end)

return cases
