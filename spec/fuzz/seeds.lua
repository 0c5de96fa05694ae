--- Writes the corpus that the fuzzers begin with: FOLDER/FUZZER/N.
--
--     lua5.4 spec/fuzz/seeds.lua FOLDER FUZZER...
--
-- What a fuzzer has found and was mended stays here as one of its inputs.

local seeds = {}

-- Texts that take the reader through every line: each kind of value, and each
-- way to be none.
seeds.json_read = {
  "", " ", "null", "true", "false", "tru", "nul", "falsy", "x", "[", "{", "]",
  '{"a":[1,-2,3.5,1e3,-0],"b":{"c":null},"a":true}',
  '[ ]', '{ }', '[[],{},[[]],{"a":{}}]', ' [ 1 , 2 ] ', '{ "a" : 1 , "b" : 2 }',
  '[1 2]', '[1,]', '{"a" 1}', '{"a":}', '{"a":1,}', '{"a":1 "b":2}', '{1:2}',
  '{"a', '{"a"', '[1]2', '[1}', '{"a":1]',
  '""', '"a', '"plain text that is longer than a register of sixteen bytes"',
  [["\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00"]], [["\x"]], [["\]], [["\u12"]],
  [["\u12g4"]], [["\ud83d"]], [["\ude00"]], [["\ud83d\u0041"]],
  [["\ud83d\ue000"]],
  [["\ud83d\]], '"\1"', '"\200"', '"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"',
  '"\xed\xa0\x80"', '"\xc0\x80"', '"\xf4\x90\x80\x80"', '"\xe2\x82',
  [[{"\u0061":1,"a":2,"":3,"\u0000":4,"\n":[5]}]],
  '{"a":1,"ab":2,"abc":[],"":3}', '0', '-0', '-', '01', '1.', '.5', '1.5e',
  '1e+', '1E-2', '1e+5', '-1.25e-3',
  '9223372036854775807', '-9223372036854775808', '9223372036854775808',
  '18446744073709551616', '1e400', '-1e400', '1e-400', '1e308',
  '1.7976931348623157e308', '4.9e-324', '0.1', '123456789012345678',
  ("9"):rep(310), "0." .. ("3"):rep(310), "0." .. ("3"):rep(800),
  ("["):rep(128) .. ("]"):rep(128), ("["):rep(129) .. ("]"):rep(129),
  ('{"a":'):rep(128) .. "1" .. ("}"):rep(128),
  "[" .. ("1,"):rep(300) .. "1]", "\xef\xbb\xbf[]", "123\0", "[1\0]", "{}\0x",
  '{"' .. ("\\u00e9"):rep(80) .. '":"' .. ("\\u20ac"):rep(80) .. '"}',
}

-- Programs for json_write.lua's makers.
seeds.json_write = {
  "\0", "\1", "\2", "\3", "\4\0\0\0\0\0\0\xf8\x3f", "\4\0\0\0\0\0\0\xf0\x7f",
  "\4\1\0\0\0\0\0\xf8\x7f", "\5\xff\xff\xff\xff\xff\xff\xff\x7f",
  "\5\0\0\0\0\0\0\0\x80", "\6\x90", "\7\5hello", "\7\3\"\\\n", "\7\2\xc3\xa9",
  "\7\1\xff", "\8\3\1\2\3", "\8\0", "\9\2\1a\6\x81\2bc\8\1\1", "\9\1\1\xff\1",
  "\10\2\7\1a\1\6\x81\1", "\10\1\6\x90\1", "\10\1\1\1", "\11\0", "\11\2\1\2",
  "\8\1\12", "\9\1\1a\12", "\13",
  "\7\8\b\f\r\t\1\2\3\4", "\9\1\3\"\\\n\13", "\9\3\2aa\1\3aab\1\2ab\1",
  "\9\1\80" .. ("a\xc3\xa9"):rep(26) .. "xx\13", "\8\3\8\1\1\14\14",
  "\9\4\1b\1\1a\1\1d\1\1c\1", "\16", "\17\0", "\17\1\1", "\18\0", "\18\1\1",
  "\8\2\8\1\1\14", "\15\1\x7f", "\15\1\x80", "\15\1\x81",
  "\9\3\5other\1\4more\2\9documents\8\0",
}

-- The operation (in the order of their names), how it is asked for, the status
-- in two bytes, how it is answered; headers, an empty line, the body.
local id = "00000000-0000-4000-8000-000000000000"
local document = '{"documentId":"' .. id .. '","documentHash":{"hash":'
  .. '"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","hashAlgorithm":'
  .. '"SHA256"},"title":"\\u00e9"}'
local object = '{"id":"' .. id .. '","state":"READY","documents":[{"a":1}]}'
local problem = '{"title":"Bad","code":"x.y","traceId":"abc-1","detail":"d",'
  .. '"invalidParams":[{"name":"a[0].b","reason":"no"},{"name":1},3]}'

local function reply(operation, how, status, answered, lines, body)
  return string.pack("<BBI2B", operation, how, status, answered) .. lines
    .. "\r\n\r\n" .. (body or "")
end

seeds.reply = {
  "", reply(8, 0, 503, 0, "Retry-After: 7", problem),
  reply(0, 0, 500, 0, "retry-after:x\r\nX-Request-Id: 1", "<html>"),
  reply(1, 0, 429, 1, "Retry-After: Thu, 01 Jan 1970 00:01:00 GMT\r\n"
    .. "Date: Thu, 01 Jan 1970 00:00:00 GMT",
    '{"error":"invalid_client","error_description":"no"}'),
  reply(5, 0, 302, 0, "Location: /", '{"invalidParams":{"name":"a"}}'),
  reply(4, 3, 206, 2, "ETag: \"a\"\r\nAccept-Ranges: bytes", "abc"),
  reply(12, 0, 200, 0, "Content-Type: application/json; a=b", "[1,{}]"),
  reply(12, 4, 200, 1, "content-type: text/plain", "hello"),
  reply(12, 1, 200, 0, "a: b", ("x"):rep(80)),
}
table.insert(seeds.reply, reply(1, 0, 0, 0, "a: b",
  '{"invalidParams":[{"name":"a","reason":"' .. ("no "):rep(200) .. '"}]}'))
for _, status in ipairs { 401, 403, 405, 408, 409, 413, 501, 503 } do
  table.insert(seeds.reply, reply(1, 0, status, 0, "a: b", problem))
end
for how = 24, 28, 4 do -- a file
  for answered = 0, 2 do
    table.insert(seeds.reply, reply(5, how, 200, answered, "a: b", "abc"))
    table.insert(seeds.reply, reply(5, how, 200, answered, "a: b"))
  end
end
for _, hash in ipairs { "J3CJ2RwL308uaGK6fkoHYFEZQx9dE/cm3TUrBvGyBqk=", "x" } do
  table.insert(seeds.reply, reply(11, 0, 200, 0, "a: b", '{"documentId":"' .. id
    .. '","documentHash":{"hash":"' .. hash .. '","hashAlgorithm":"SHA256"}}'))
end
for operation = 0, 12 do
  for _, body in ipairs { "", document, object, "[" .. object .. "]",
    '{"data":[' .. object .. '],"total":1}', "[[" } do
    for how = 0, 6, 2 do
      table.insert(seeds.reply, reply(operation, how, 200, how // 2,
        "Date: x\r\nA: b\r\na: c", body))
    end
  end
  table.insert(seeds.reply, reply(operation, 0, 204, 0, "A: b"))
  table.insert(seeds.reply, reply(operation, 0, 404, 0, "A: b", problem))
end

seeds.dates = {
  "\0" .. "7", "\0" .. "999999999", "\0Thu, 01 Jan 1970 00:00:00 GMT",
  "\0Sat, 29 Feb 2020 23:59:60 GMT", "\0Sun, 31 Dec 9999 23:59:59 GMT",
  "\0Sunday, 06-Nov-94 08:49:37 GMT", "\0Sun Nov  6 08:49:37 1994",
  "\1\0\0\0\0\0\0\0\0", "\1\xff\xff\xff\xff\xff\xff\xff\xff",
  "\2" .. "2025-11-27T08:00:00Z", "\2" .. "2024-02-29t23:59:60.5z",
  "\2" .. "0000-01-01T00:00:00+23:59", "\2" .. "9999-12-31T23:59:59.999-00:30",
}

local function heads(lines)
  return "HTTP/1.1 200 OK\r\n" .. lines .. "\r\n\r\n"
end

seeds.head = {
  "1f", "a0 ;x=y", "HTTP/1.1 204\r\n\r\n", "HTTP/1.0 302 Found\n\n",
  heads "Content-Length: 12", heads "Content-Length: 1, 1\r\nConnection: close",
  heads "content-length: 1\r\nContent-Length: 2", heads "Content-Length: -1",
  heads "Transfer-Encoding: Chunked", heads "Transfer-Encoding: gzip, chunked",
  heads "Transfer-Encoding: chunked\r\nContent-Length: 3", heads "A:\t b \t",
  heads "bad name: x", heads "no colon", heads "Set-Cookie: a\r\nset-cookie: b",
  heads "Connection: keep-alive , Close", "HTTP/2 200\r\n\r\n",
}

-- How it is verified, then as many bytes as the second says on the signature.
local fresh = '{"id":"1","timestamp":"2025-11-27T08:00:00Z","expiresAt":'
  .. '"2025-11-27T09:00:00Z","eventType":"x"}'
seeds.event = {
  "\0\1\0" .. fresh, "\2\1\1" .. fresh, "\3\1\4" .. fresh, "\0\1\2" .. fresh,
  "\1\1\96[]", "\1\1\64{}", "\0\1\0{}", "\2\1\0{\"id\":\"\"}", "\1\1\0nope",
  "\0\4\16\3\1x" .. fresh, "\0\3\24\2ab" .. fresh,
  "\0\3\8\1x" .. fresh, "\0\3\128\1x" .. fresh,
  "\0\1\0" .. fresh:gsub("27T08", "26T08"), "\0\1\0" .. fresh:gsub("27T09",
    "26T09"), "\0\1\0" .. fresh:gsub("27T08", "28T08"),
  "\2\1\0" .. fresh:gsub('"1"', "1"), "\3\1\32" .. '{"id":"a"}',
}

local function request(first, kind, body)
  return first .. "\nHost: 127.0.0.1:80\nAuthorization: Bearer $T\n"
    .. "Cookie: a=b; $K\nContent-Type: " .. kind .. "\n\n" .. body
end
local function json(first, body)
  return request(first, "application/json", body)
end
local function form(first, body)
  return request(first, "application/x-www-form-urlencoded", body)
end
local function get(target) return request("GET " .. target, "a/b", "") end

local session = [=[[{"title":"\u00e9 <b>","externalReference":"r\u0001",
"dueDate":"2025-12-01T00:00:00+01:00","signatureUrlTTL":60,"redirectSettings":{
"success":"https://a.example/?x=1#f","cancel":"app://b","error":"http://[::1]"},
"documents":[{"documentId":"$D","documentCollectionId":"$C","action":"SIGN"}],
"signingSetup":[{"signingFlow":"AUTHENTICATION_BASED","identityProviders":[
{"idpName":"nbid"}],"additionalParameters":{"a":"b"}}],"ui":{"language":"nb"},
"signText":"I agree","signer":{"email":"a@b","restrictUse":[{"parameter":"NIN",
"restriction":"NO_USE"}]},"archive":{"sendResultToArchive":true}}]]=]
local page = "/sign/?sessionId=$U"

seeds.request = {
  get "/sign/documents/$D", get "/sign/documents/$D/metadata",
  get "/sign/document-collections/$C", get "/sign/signing-sessions/$S",
  get "/sign/signing-sessions?limit=2&offset=0&sort=%2BcreatedAt&title=l%C3%A9",
  get "/sign/signing-sessions?createdAfter=2025-01-01T00:00:00Z&state=READY",
  get "/sign/documents/nope", get "/nowhere", get "/sign/%zz",
  get "/sign/documents/$D?a=%ff", get "/sign/documents/$D?a%00=1",
  get "/_sandbox/journal?after=1",
  "DELETE /sign/document-collections/$C\nHost: other\n\n",
  "POST /sign/documents/$D\nHost: localhost\n\n",
  request("POST /sign/documents", "text/plain; charset=utf-8", "Agreed"),
  request("POST /sign/documents", "application/pdf", "%PDF-1.4"),
  request("POST /sign/documents", "image/png", "x"),
  json("PATCH /sign/documents/$D/metadata",
    '{"filename":"a.md","title":"\\u0000","description":null,"x":1}'),
  json("PATCH /sign/documents/$D/metadata", '{"filename":"a.md"}'),
  json("PATCH /sign/documents/$D/metadata", '{"title":1'),
  json("POST /sign/document-collections",
    '{"documents":[{"documentId":"$D"}],"packageTo":["PADES_CONTAINER"]}'),
  json("POST /sign/signing-sessions", session),
  json("POST /sign/signing-sessions", '[{"title":1,"dueDate":"x"},3]'),
  json("DELETE /sign/signing-sessions/$S", ""),
  json("DELETE /sign/documents/$D", ""),
  form("POST /auth/open/connect/token",
    "grant_type=client_credentials&client_id=a%26b&client_secret=+&scope="),
  "POST /auth/open/connect/token\nHost: [::1]\nAuthorization: Basic YTpi\n"
    .. "Content-Type: application/x-www-form-urlencoded\n\n"
    .. "grant_type=client_credentials",
  get(page) .. "\30" .. get "/sign/login?sessionId=$U" .. "\30"
    .. get "/sign/document?sessionId=$U&number=1" .. "\30"
    .. get "/sign/reject?sessionId=$U",
  form("POST /sign/identify", "sessionId=$U&token=0&idpName=nbid&name=N"),
  get(page) .. "\30" .. form("POST /sign/identify",
    "sessionId=$U&token=$F&idpName=nbid&name=N+%C3%A9"),
  get(page) .. "\30" .. form("POST /sign/sign",
    "sessionId=$U&token=$F&agreed=yes&idpName=nbid&name=N&number=1"),
  get(page) .. "\30" .. form("POST /sign/sign",
    "sessionId=$U&token=$F&idpName=nbid&name=%0A%3Cb%3E%7F"),
  get(page) .. "\30" .. form("POST /sign/reject",
    "sessionId=$U&token=$F&reason=no%0A%3Cscript%3E"),
  get(page) .. "\30" .. form("POST /sign/cancel", "sessionId=$U&token=$F"),
  json("POST /_sandbox/sessions/$S/open", ""),
  json("POST /_sandbox/sessions/$S/sign", '{"name":"A \\u00e9"}'),
  json("POST /_sandbox/sessions/$S/reject", '{"reason":"no"}'),
  json("POST /_sandbox/webhooks",
    '{"url":"http://127.0.0.1:1/","secret":"s","events":[]}'),
  get "/_sandbox/webhooks", get "/_sandbox/events", get "/_sandbox/clock",
  json("POST /_sandbox/clock", '{"advance":60}'), get "/_sandbox/faults",
  json("POST /_sandbox/faults",
    '[{"operation":"getDocument","fault":"status","status":503,"times":1,'
    .. '"skip":2,"body":"html","retry_after":"date:+7"},{"operation":"*",'
    .. '"fault":"redirect","location":"/x"},{"operation":"token","fault":'
    .. '"slow","milliseconds":1},{"operation":"getDocument","fault":'
    .. '"wrong_length","by":-1}]'),
  json("POST /_sandbox/faults", '[{"fault":"x"},{"fault":"wrong_length","by":0,'
    .. '"operation":"x"},{"fault":"redirect","location":"a b"},3,{"fault":'
    .. '"status","operation":"*","status":99,"retry_after":"date:+"}]'),
  json("POST /_sandbox/clock", '{"advance":60\0}'),
  get("/_sandbox/journal?" .. ("%C3%A9"):rep(600) .. "=1"),
}

seeds.markdown = {
  "# Lease\n\n## of *a* **flat**\n\n- one\n- two `code`\n\n1. A\n2) B\n",
  "> quoted\n> more\n\n***\n\n```lua\n<b>&\n```\n", "\\* \\\\ \\<",
  "a *b **c** d* `e*f`\r\n---\n####### x\n###### y\n```\nno end",
  "***a** b*", "- x\n1. y\n> z\ntext", "*a*b*`*`**",
}

local folder = arg[1]

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
end

for i = 2, #arg do
  local into = folder .. "/" .. arg[i]
  assert(os.execute("mkdir -p '" .. into .. "'"))
  for n, text in ipairs(seeds[arg[i]] or {}) do
    write(("%s/%d"):format(into, n), text)
  end
end
