--- A server that misbehaves as told: lua server.lua BEHAVIOUR...
--
-- Prints its port, then serves one request after the other, of any number of
-- connections. The n-th request it reads in full is answered by the n-th
-- behaviour, the last one serves all that follow. `GET /count` is outside of
-- the plan: it answers how often each method was read.

local socket = require "socket"

local plan = arg
local counts, seen = {}, 0

local listener = assert(socket.bind("127.0.0.1", 0))
local open = { listener }

local function accept()
  local new = assert(listener:accept())
  new:setoption("tcp-nodelay", true)
  open[#open + 1] = new
end

--- Waits until there are so many connections.
local function gather(count)
  while #open - 1 < count do accept() end
end

local SESSION = '{"id":"f05d0dce-a7af-432b-b6b8-e455ab7c0858"}'

local function reply(body, head)
  return ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%s"
    .. "Content-Length: %d\r\n\r\n%s"):format(head or "", #body, body)
end

-- Each gets the connection and returns whether to keep it.
local behave = {}

function behave.ok(connection)
  return connection:send(reply(SESSION))
end

--- Answers when there are so many connections: `held:2`.
function behave.held(connection, _, count)
  gather(count)
  return behave.ok(connection)
end

function behave.list(connection)
  return connection:send(reply("[" .. SESSION .. "]"))
end

function behave.empty(connection)
  return connection:send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
end

--- Tells what it read, the request line first.
function behave.echo(connection, lines)
  return connection:send(reply('{"lines":["' .. table.concat(lines, '","')
    .. '"]}'))
end

--- Reads everything, says nothing, hangs up.
function behave.close()
  return false
end

--- Reads everything and never answers.
function behave.stall(connection)
  connection:settimeout(20)
  connection:receive(1)
  return false
end

function behave.cut(connection)
  connection:send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    .. "Content-Length: 500\r\n\r\n{\"id\":")
  return false
end

function behave.cut_headers(connection)
  connection:send("HTTP/1.1 200 OK\r\nContent-Ty")
  return false
end

function behave.flood(connection)
  local piece = ("x"):rep(65536)
  connection:send("HTTP/1.1 200 OK\r\n\r\n")
  while connection:send(piece) do end
  return false
end

function behave.flood_headers(connection)
  local line = "X-Flood: " .. ("x"):rep(8000) .. "\r\n"
  connection:send("HTTP/1.1 200 OK\r\n")
  while connection:send(line) do end
  return false
end

function behave.cut_refusal(connection)
  connection:send("HTTP/1.1 401 No\r\nContent-Length: 500\r\n\r\n{\"code\":")
  return false
end

function behave.flood_refusal(connection)
  connection:send("HTTP/1.1 500 Oh\r\nContent-Length: 1000000\r\n\r\n"
    .. ("x"):rep(1000000))
  return true
end

function behave.nonsense(connection)
  connection:send("Good morning!\r\n\r\n")
  return false
end

function behave.interim(connection)
  connection:send("HTTP/1.1 103 Early Hints\r\nX-Early: yes\r\n\r\n")
  return connection:send(reply(SESSION, "X-Late: yes\r\n"))
end

function behave.chunked(connection)
  connection:send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    .. "Transfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n")
  for piece in SESSION:gmatch("..?.?.?.?.?.?") do
    connection:send(("%x\r\n%s\r\n"):format(#piece, piece))
  end
  return connection:send("0\r\nX-End: now\r\n\r\n")
end

--- Ends with a line that looks like the beginning of another answer.
function behave.trailing_status(connection)
  return connection:send(("HTTP/1.1 200 OK\r\n"
    .. "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    .. "%x\r\n%s\r\n0\r\nHTTP/1.1 404 No: way\r\n\r\n"):format(#SESSION,
      SESSION))
end

--- Says that it goes on, and hangs up.
function behave.interim_close(connection)
  connection:send("HTTP/1.1 103 Early Hints\r\nX-Early: yes\r\n\r\n")
  return false
end

--- Says that it goes on, and no more.
function behave.interim_stall(connection)
  connection:send("HTTP/1.1 103 Early Hints\r\nX-Early: yes\r\n\r\n")
  connection:settimeout(20)
  connection:receive(1)
  return false
end

--- More than it announces: what could be the answer to the next request.
function behave.excess(connection)
  local head, body = reply(SESSION):match("^(.-\r\n\r\n)(.*)$")
  connection:send(head)
  socket.sleep(0.05)
  return connection:send(body .. reply('{"id":"of nobody"}'))
end

function behave.redirect(connection)
  connection:send("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n"
    .. "Location: /elsewhere\r\n\r\n")
  return true
end

-- -- documents --------------------------------------------------------------

local DOCUMENT = ("0123456789abcdef"):rep(40000)

--- The value of a request's header, nil without it.
local function header(lines, name)
  for i = 2, #lines do
    local found, value = lines[i]:match("^([^:]+):%s*(.*)$")
    if found and found:lower() == name then return value end
  end
end

--- Answers with a document, or the part of it that is asked for; of what it
--- announces it sends `share`.
local function send_document(connection, lines, etag, share)
  local from = 0
  local range = header(lines, "range")
  local status, more = "200 OK", ""
  if range and header(lines, "if-range") == etag then
    from = tonumber(range:match("^bytes=(%d+)%-$"))
    status = "206 Partial Content"
    more = ("Content-Range: bytes %d-%d/%d\r\n"):format(from, #DOCUMENT - 1,
      #DOCUMENT)
  end
  local part = DOCUMENT:sub(from + 1)
  -- At once, so that a head never comes without bytes of the body.
  return connection:send(("HTTP/1.1 %s\r\nContent-Type: text/plain\r\n%s%s"
    .. "Content-Length: %d\r\n\r\n%s"):format(status, more,
      etag and "Accept-Ranges: bytes\r\nETag: " .. etag .. "\r\n" or "", #part,
      part:sub(1, math.floor(#part * share))))
end

function behave.document(connection, lines)
  return send_document(connection, lines, '"one"', 1)
end

function behave.document_cut(connection, lines)
  send_document(connection, lines, '"one"', 0.5)
  return false
end

function behave.another_document(connection, lines)
  return send_document(connection, lines, '"two"', 1)
end

function behave.weak_document_cut(connection, lines)
  send_document(connection, lines, 'W/"one"', 0.5)
  return false
end

function behave.plain_document_cut(connection, lines)
  send_document(connection, lines, nil, 0.5)
  return false
end

--- Half of it, then nothing more, on an open connection.
function behave.document_stall(connection, lines)
  send_document(connection, lines, '"one"', 0.5)
  connection:settimeout(20)
  connection:receive(1)
  return false
end

--- Says that the rest comes, and sends what it makes of it.
local function send_rest(connection, lines, etag, make)
  local from = tonumber(header(lines, "range"):match("^bytes=(%d+)%-$"))
  local rest = make(DOCUMENT:sub(from + 1))
  return connection:send(("HTTP/1.1 206 Partial Content\r\nETag: %s\r\n"
    .. "Content-Range: bytes %d-%d/%d\r\nContent-Length: %d\r\n\r\n%s"):format(
      etag, from, #DOCUMENT - 1, #DOCUMENT, #rest, rest))
end

function behave.short_rest(connection, lines)
  return send_rest(connection, lines, '"one"', function(rest)
    return rest:sub(1, -2)
  end)
end

function behave.long_rest(connection, lines)
  return send_rest(connection, lines, '"one"', function(rest)
    return rest .. "x"
  end)
end

function behave.rest_of_another(connection, lines)
  return send_rest(connection, lines, '"two"', string.upper)
end

--- So many bytes: `large:1000`.
function behave.large(connection, _, size)
  local piece = ("x"):rep(65536)
  connection:send(("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n")
    :format(size))
  for _ = 1, math.floor(size / #piece) do
    if not connection:send(piece) then return false end
  end
  return connection:send(piece:sub(1, size % #piece))
end

--- Half of so many bytes, and the rest when there is another connection.
function behave.halves(connection, _, size)
  local half = ("x"):rep(size / 2)
  connection:send(("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s")
    :format(2 * #half, half))
  gather(#open)
  return connection:send(half)
end

--- A page of so many sessions: `page:1000`.
function behave.page(connection, _, count)
  return connection:send(reply('{"data":[' .. (SESSION .. ","):rep(count - 1)
    .. SESSION .. "]}"))
end

function behave.stored(connection)
  return connection:send(reply('{"documentId":"'
    .. "d1234567-89ab-cdef-0123-456789abcdef" .. '"}'))
end

--- A refusal that never ends.
function behave.refusal_stall(connection)
  connection:send("HTTP/1.1 404 No\r\nContent-Length: 500\r\n\r\n{\"code\":")
  connection:settimeout(20)
  connection:receive(1)
  return false
end

local TOKEN = '{"access_token":"a-token-for-all","token_type":"Bearer",'
  .. '"expires_in":3600}'
local SIGNED = SESSION:sub(1, -2) .. ',"title":"Leie 17, Troms\\u00f8",'
  .. '"lifecycle":{"state":"SIGNED","stateIsFinal":true},'
  .. '"documents":[{"documentId":"d1234567-89ab-cdef-0123-456789abcdef"}]}'

--- A list of 150 sessions, at most 100 of them in a page.
local function send_page(connection, lines)
  local offset = tonumber(lines[1]:match("[?&]offset=(%d+)")) or 0
  local rows = {}
  for i = offset + 1, math.min(offset + 100, 150) do
    rows[#rows + 1] = ('{"id":"0197e3d2-0c6e-7b0a-9b7e-%012d",'
      .. '"title":"Session %d","lifecycle":{"state":"READY"}}'):format(i, i)
  end
  return connection:send(reply(('{"count":%d,"total":150,"limit":100,'
    .. '"offset":%d,"data":[%s]}'):format(#rows, offset,
      table.concat(rows, ","))))
end

local function send(body)
  return function(connection) return connection:send(reply(body)) end
end

-- What each method and path of the API is answered with; the first that fits.
local API = {
  { "^POST .*/connect/token$", send(TOKEN) },
  { "^DELETE ", function(connection)
    return connection:send("HTTP/1.1 204 Done\r\n\r\n")
  end },
  { "^GET .*/documents/[%x-]+$", behave.document },
  { " .*/documents", behave.stored },
  { "^POST .*/signing%-sessions$", behave.list },
  { "^GET .*/signing%-sessions%?", send_page },
  { "^GET .*/signing%-sessions$", send_page },
  { "^GET .*/signing%-sessions/f05", send(SIGNED) },
  { " .*/document%-collections", behave.ok },
}

--- Whether a request has all the headers that ours have.
local function is_whole(lines)
  for _, name in ipairs { "host", "accept", "user-agent" } do
    if not header(lines, name) then return false end
  end
  local is_token = lines[1]:find("/connect/token", 1, true)
  local length = header(lines, "content-length")
  return (is_token or header(lines, "authorization") == "Bearer t"
      or header(lines, "authorization") == "Bearer a-token-for-all")
    and (not length or length == "0" or header(lines, "content-type") ~= nil)
end

--- Each operation as the API does it, without remembering anything; a session
--- of another id is not found, and a request that lacks a header is forbidden.
function behave.api(connection, lines)
  if not is_whole(lines) then
    return connection:send("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
  end
  local asked = lines[1]:match("^%S+ %S+")
  for _, rule in ipairs(API) do
    if asked:find(rule[1]) then return rule[2](connection, lines) end
  end
  local body = '{"code":"signing_session_not_found","title":"Not found",'
    .. '"traceId":"0af7651916cd43dd8448eb211c80319c"}'
  return connection:send(("HTTP/1.1 404 No\r\nContent-Type: "
    .. "application/problem+json\r\nContent-Length: %d\r\n\r\n%s")
    :format(#body, body))
end

--- A part nobody asked for, or not this one.
function behave.part(connection)
  return connection:send("HTTP/1.1 206 Partial Content\r\n"
    .. "Content-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\nhello")
end

--- Answers after a while.
function behave.late(connection)
  socket.sleep(0.6)
  return connection:send(reply(SESSION))
end

--- Never still for long, and slow in all: longer than a second.
function behave.trickle(connection)
  local text = reply(SESSION)
  for i = 1, #text, 8 do
    if not connection:send(text:sub(i, i + 7)) then return false end
    socket.sleep(0.08)
  end
  return true
end

local function report(connection)
  local parts = {}
  for method, count in pairs(counts) do
    parts[#parts + 1] = ('"%s":%d'):format(method, count)
  end
  return connection:send(reply("{" .. table.concat(parts, ",") .. "}"))
end

--- Refuses before the body has come, and reads little of it until the client
--- has heard.
function behave.early_refusal(connection)
  connection:send("HTTP/1.1 413 Too much\r\nContent-Length: 14\r\n\r\n"
    .. '{"code":"big"}')
  connection:settimeout(10)
  repeat
    socket.sleep(0.02)
  until not connection:receive(64)
  return false
end

--- Reads none of the body and says nothing.
function behave.early_stall()
  socket.sleep(20)
  return false
end

--- Reads one request; its lines up to the body, or nil at the end.
local function read_request(connection, early)
  local lines = { connection:receive("*l") }
  if not lines[1] then return nil end
  local length = 0
  for line in function() return connection:receive("*l") end do
    if line == "" then break end
    lines[#lines + 1] = line
    length = tonumber(line:lower():match("^content%-length:%s*(%d+)"))
      or length
  end
  while length > 0 and not early do
    local piece = connection:receive(math.min(length, 65536))
    if not piece then return nil end
    length = length - #piece
  end
  return lines
end

--- Serves one request of a connection; whether to keep the connection.
local function serve(connection)
  local early = plan[math.min(seen + 1, #plan)]:find("^early_")
  local lines = read_request(connection, early)
  if not lines then return false end
  local method, path = lines[1]:match("^(%S+) (%S+)")
  if path:find("/count$") then return report(connection) end
  seen = seen + 1
  counts[method] = (counts[method] or 0) + 1
  if header(lines, "range") then counts.ranges = (counts.ranges or 0) + 1 end
  local name, number = plan[math.min(seen, #plan)]:match("^([%a_]+):?(%d*)$")
  return behave[name](connection, lines, tonumber(number))
end

local _, port = listener:getsockname()
print(port)
io.stdout:flush()
while true do
  local ready = socket.select(open)
  for _, connection in ipairs(ready) do
    if connection == listener then
      accept()
    elseif not serve(connection) then
      connection:close()
      for i = #open, 2, -1 do
        if open[i] == connection then table.remove(open, i) end
      end
    end
  end
end
