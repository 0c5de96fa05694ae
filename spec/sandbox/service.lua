-- service.lua: runs the sandbox's executable and speaks plain HTTP to it.
--
-- No code of ours takes part: LuaSocket speaks, lua-cjson reads. The service
-- holds the reading end of a pipe from this process (--parent-fd 0), so it
-- ends with the specs however they end. Every service that was started has
-- to be stopped; `stop` and `kill` return its exit code or signal.

local cjson = require "cjson"
local http = require "socket.http"
local ltn12 = require "ltn12"
local quoted = require "spec.support.quoted"
local socket = require "socket"

local service = {}
service.__index = service

service.program = os.getenv "SIGNICAT_SANDBOX" or "build/signicat-sandbox"
service.null = cjson.null
service.unknown_id = "d1234567-89ab-7def-8123-456789abcdef"

function service.read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local bytes = file:read "a"
  file:close()
  return bytes
end

-- A folder of this process's own, made by mktemp.
function service.folder()
  local pipe = assert(io.popen "mktemp -d")
  local path = pipe:read "l"
  pipe:close()
  return path
end

function service.remove(path)
  assert(path:find "^/." and os.execute("rm -r " .. quoted(path)))
end

-- Until `done` answers something true: that, or an error after a while, which
-- is longer than what the service takes to see that a client has gone.
function service.await(what, done)
  for _ = 1, 6000 do
    local result = done()
    if result then return result end
    socket.sleep(0.01)
  end
  error("waited too long for " .. what, 2)
end

-- Seconds since 1970 of a time as the sandbox writes it.
function service.seconds_of(text)
  local year, month, day, hour, min, sec = text:match
    "^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)[%d.]*Z$"
  local as_local = os.time { year = year, month = month, day = day,
                             hour = hour, min = min, sec = sec,
                             isdst = false }
  local utc = os.date("!*t", as_local)
  utc.isdst = false
  return as_local + (as_local - os.time(utc))
end

-- Starts the executable with these words. `env` goes in front of it.
function service.launch(words, env)
  local self = setmetatable({ scratch = service.folder() }, service)
  local line = { "echo $$ >" .. quoted(self.scratch .. "/pid") .. ";",
                 "exec env", env or "", quoted(service.program) }
  for _, word in ipairs(words) do line[#line + 1] = quoted(word) end
  line[#line + 1] = ">" .. quoted(self.scratch .. "/out")
  line[#line + 1] = "2>" .. quoted(self.scratch .. "/err")
  self.pipe = assert(io.popen(table.concat(line, " "), "w"))
  self.pid = service.await("the shell", function()
    return tonumber(service.read(self.scratch .. "/pid") or "")
  end)
  return self
end

function service:out() return service.read(self.scratch .. "/out") end
-- What it complained of; what --beyond-the-service says is no complaint.
function service:err()
  return (service.read(self.scratch .. "/err") or "")
    :gsub("^signicat%-sandbox: %-%-beyond%-the%-service: [^\n]*\n", "")
    .. ""
end

-- Closes the pipe, which ends the service; its exit code or signal.
function service:stop()
  if not self.pipe then return nil end
  local _, how, code = self.pipe:close()
  self.pipe = nil
  self.said, self.complained = self:out(), self:err()
  service.remove(self.scratch)
  return code, how
end

-- The same for one that must have had nothing to complain of, a sanitizer
-- included.
function service:finish()
  local code, how = self:stop()
  if code ~= 0 or self.complained ~= "" then
    error(("%s %s: %s"):format(how, code, self.complained), 2)
  end
end

function service:signal(name)
  assert(os.execute(("kill -%s %d"):format(name, self.pid)))
end

function service:kill()
  self:signal "KILL"
  return self:stop()
end

-- A service that is ready: url, client_id, client_secret, and a token.
function service.start(...)
  return service.start_in(nil, ...)
end

-- The same with `env`, assignments for the shell, in front of it.
function service.start_in(env, ...)
  local self = service.launch({ "--parent-fd", "0", ... }, env)
  local line = service.await("the ready line", function()
    local text = self:out() or ""
    if self:err() ~= "" then return self:err() end
    return text:match "^[^\n]*\n"
  end)
  local more
  self.url, self.client_id, self.client_secret, more = line:match(
    "^signicat%-sandbox ready url=(%S+) client_id=(%S+) "
    .. "client_secret=(%S+)(.*)\n$")
  self.port = tonumber((self.url or line):match ":(%d+)$")
  assert(self.port, line)
  self.control, self.ca_file = more:match "^ control=(%S+) ca=(.+)$"
  -- What speaks here speaks no TLS.
  if not self.ca_file then self:renew() end
  return self
end

-- For start_in: has processes that read a PDF (press.h) stand still before they
-- begin, while the file of that name holds the name of a member of the order
-- they are given (spec/sandbox/hold.c).
function service.holding(path)
  return ("LD_PRELOAD=%s HOLD=%s"):format(
    os.getenv "PRESS_HOLD" or "build/hold.so", quoted(path))
end

-- A service that has been told to end and takes as long for it as any does, for
-- a client leaves an answer unread: one that is told later and ends sooner has
-- not waited so long.
function service.ending()
  local self = service.start()
  local document = self:upload(("x"):rep(32 * 1024 * 1024))
  self.reader = assert(socket.connect("127.0.0.1", self.port))
  self.reader:send(self:head("GET",
    "/sign/documents/" .. document.documentId))
  assert(self.reader:receive(1))
  self:signal "TERM"
  return self
end

function service:is_alive()
  local stat = service.read(("/proc/%d/stat"):format(self.pid))
  return stat ~= nil and not stat:find "%) Z "
end

-- Faults onto the script; the answer is the whole of it.
function service:script(list)
  local status, answer = self:call("POST", "/_sandbox/faults", list)
  if status ~= 200 then
    error(("%s: %s"):format(status, cjson.encode(answer)), 2)
  end
  return answer
end

-- The journal's entries; `query` begins with "?" or is nil.
function service:journal(query)
  local status, answer = self:call("GET",
    "/_sandbox/journal" .. (query or ""))
  assert(status == 200, answer.detail)
  return answer.requests, answer.dropped
end

local function form(values)
  local pairs_of = {}
  for name, value in pairs(values) do
    pairs_of[#pairs_of + 1] = name .. "=" .. value
  end
  return table.concat(pairs_of, "&")
end

function service:ask_token(values, headers)
  headers = headers or {}
  headers["Content-Type"] = "application/x-www-form-urlencoded"
  headers.Authorization = headers.Authorization or false
  return self:call("POST", "/auth/open/connect/token", form(values), headers)
end

function service:renew()
  local status, answer = self:ask_token {
    grant_type = "client_credentials", scope = "signicat-api",
    client_id = self.client_id, client_secret = self.client_secret,
  }
  assert(status == 200, answer.error_description)
  self.token = answer.access_token
end

-- Forgets everything it was given, and its tokens.
function service:reset()
  assert(self:call("POST", "/_sandbox/reset") == 204)
  self:renew()
end

-- One request. A table is sent as JSON; a header of false is left out.
-- Returns the status, the body (decoded if it is JSON) and the headers.
function service:call(method, path, body, headers)
  local sent = { Authorization = self.token and "Bearer " .. self.token,
                 Connection = "close" }
  if type(body) == "table" then
    body, sent["Content-Type"] = cjson.encode(body), "application/json"
  end
  if body then sent["Content-Length"] = #body end
  for name, value in pairs(headers or {}) do sent[name] = value or nil end
  local pieces = {}
  local done, status, answered = http.request {
    method = method, url = self.url .. path, headers = sent,
    source = body and ltn12.source.string(body),
    sink = ltn12.sink.table(pieces), redirect = false,
  }
  assert(done, status)
  local text = table.concat(pieces)
  if (answered["content-type"] or ""):find "json" then
    text = cjson.decode(text)
  end
  return status, text, answered
end

-- The head of a request, with the token; `more` are further lines of it.
function service:head(method, path, more)
  return ("%s %s HTTP/1.1\r\nHost: localhost\r\n"
    .. "Authorization: Bearer %s\r\n%s\r\n"):format(method, path, self.token,
    more or "")
end

-- Bytes as they are over one connection; everything that comes back.
function service:raw(...)
  local connection = assert(socket.connect("127.0.0.1", self.port))
  connection:settimeout(30)
  for _, bytes in ipairs { ... } do connection:send(bytes) end
  local text, _, part = connection:receive "*a"
  connection:close()
  return text or part
end

local function expect(wanted, status, answer, headers)
  if status ~= wanted then
    error(("%s instead of %s: %s"):format(status, wanted,
      type(answer) == "table" and cjson.encode(answer) or answer), 3)
  end
  return answer, headers
end

-- The calls specs need on their way; they raise when refused.

function service:upload(bytes, mime)
  return expect(200, self:call("POST", "/sign/documents", bytes or "Agreed",
    { ["Content-Type"] = mime or "text/plain" }))
end

function service:collect(ids, package_to)
  local documents = {}
  for i, id in ipairs(ids) do documents[i] = { documentId = id } end
  return expect(201, self:call("POST", "/sign/document-collections",
    { documents = documents, packageTo = package_to }))
end

-- One session on new documents; `fields` replace what it would have.
-- `fields.contents` are the documents' bytes, `fields.mime` their type.
function service:session(fields)
  fields = fields or {}
  local ids, documents = {}, {}
  for i, bytes in ipairs(fields.contents or { "Agreed" }) do
    ids[i] = self:upload(bytes, fields.mime).documentId
  end
  local collection = self:collect(ids, fields.package_collection).id
  for i, id in ipairs(ids) do
    documents[i] = { documentId = id, documentCollectionId = collection,
                     action = "SIGN" }
  end
  local session = {
    title = "Lease 17", documents = documents,
    signingSetup = { { signingFlow = "PKISIGNING", vendor = "NBID" } },
  }
  for name, value in pairs(fields) do session[name] = value end
  session.contents, session.mime = nil, nil
  session.package_collection = nil
  return self:create_session(session)
end

function service:create_session(session)
  return expect(201, self:call("POST", "/sign/signing-sessions",
    { session }))[1]
end

function service:state(session)
  return expect(200, self:call("GET", "/sign/signing-sessions/" .. session.id))
    .lifecycle
end

function service:sign(session, body)
  return self:call("POST", "/_sandbox/sessions/" .. session.id .. "/sign", body)
end

function service:reject(session, body)
  return self:call("POST", "/_sandbox/sessions/" .. session.id .. "/reject",
    body)
end

return service
