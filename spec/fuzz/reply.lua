--- Answers of any status, headers and body to each operation, decoded as a
-- real one is.
--
-- What comes out is a value or an error of a known kind that says what the
-- answer was; a value reads the same in whole and field by field, and is what
-- its text says.

local core = require "signicat.core"
local bytes = dofile "spec/fuzz/bytes.lua"

local id = "00000000-0000-4000-8000-000000000000"
local names = {}
for name in pairs(core.operations) do names[#names + 1] = name end
table.sort(names)

-- -- the request --------------------------------------------------------------

local payloads = {
  file = { content = "bytes", type = "application/pdf" },
  json = {},
}

local SENT = "J3CJ2RwL308uaGK6fkoHYFEZQx9dE/cm3TUrBvGyBqk="

-- How a document may be named: its hash is known, or it is not.
local documents = {
  id,
  { documentId = id, documentHash = { hashAlgorithm = "SHA256",
    hash = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" } },
}

local target = os.tmpname()
os.remove(target)

local function read(path)
  local file = io.open(path, "rb")
  local bytes_read = file and file:read "a"
  if file then file:close() end
  return bytes_read
end

--- Where a document's bytes go: into memory, to a writer or into a file.
local function target_for(how)
  if how & 2 > 0 then return print end
  if how & 24 ~= 24 then return nil end
  return target
end

local function request_for(from)
  local settings = { base_url = "https://a.example", validate = "off" }
  local name = names[from:byte() % (#names + 1) + 1]
  local how = from:byte()
  if how & 1 > 0 then settings.max_body = 64 end
  if not name then
    return core.raw_request(settings, how & 4 > 0 and "POST" or "GET", "/x", {})
  end
  local row = core.operations[name]
  if row.result == "bytes" then settings.to = target_for(how) end
  local request = assert(core.request(settings, name,
    documents[(how >> 2 & 1) + 1], payloads[row.body], 0))
  assert(row.body ~= "file" or request.body == payloads.file.content)
  return request, row
end

-- -- the answer ---------------------------------------------------------------

--- Takes what is left: header lines, an empty line, the body.
local function answer_from(from)
  local status = from:byte() + 256 * (from:byte() & 3)
  local how = from:byte()
  local text = from:rest()
  local _, last = text:find("\n\r?\n")
  local lines = last and text:sub(1, last) or ""
  return status, lines, text:sub((last or 0) + 1), how
end

--- As the curl transport gives it, or as a transport of somebody else's; nil
-- when its headers say that it is not to be taken.
local function response_of(request, status, lines, body, how)
  local whole = core.response { status = status, lines = lines,
    body = { body:sub(1, 9), body:sub(10) }, timing = {} }
  if request.sink and how & 2 > 0 and status < 300 then
    assert(request:begin())
    if not request:receive(status, lines, #body) then return nil end
    request:write(body)
    while request:take() do end
    return core.response { status = status, lines = lines, body = {},
      timing = {} }
  end
  if how & 1 == 0 then return whole end
  return { status = status, headers = whole.headers, body = body }
end

-- -- what has to hold ---------------------------------------------------------

local by_status = { [401] = "auth", [403] = "forbidden", [404] = "not_found",
  [410] = "not_found", [405] = "unsupported", [406] = "unsupported",
  [415] = "unsupported", [501] = "unsupported", [408] = "timeout",
  [409] = "conflict", [412] = "conflict", [413] = "too_large",
  [429] = "rate_limit" }
local of_success = { protocol = true, integrity = true, too_large = true }

local function kind_of(status)
  return by_status[status] or status >= 500 and "server"
    or status >= 400 and "invalid" or "protocol"
end

local function check_fields(fields)
  for _, field in ipairs(fields or {}) do
    for _, name in ipairs { "name", "reason" } do
      assert(field[name] == nil or type(field[name]) == "string", name)
    end
  end
end

local function check_error(request, status, failure)
  assert(core.kinds[failure.kind] ~= nil, "an unknown kind")
  assert(failure.status == status and failure.sent == true)
  if status >= 200 and status <= 299 then
    assert(of_success[failure.kind], "a success that fails as it should not")
  else
    assert(failure.kind == kind_of(status), "the wrong kind")
  end
  assert(not failure.ambiguous or request.creates and status >= 500)
  check_fields(failure.fields)
  local wait = failure.retry_after
  assert(not wait or wait >= 0 and wait < math.huge)
  for _, name in ipairs { "title", "code", "detail", "trace_id", "body" } do
    assert(failure[name] == nil or type(failure[name]) == "string", name)
  end
  local line = tostring(core.error(failure))
  assert(not line:find "%c" and #line < 500, "an error is one line")
end

--- A resource against its own text.
local function check_resource(value)
  local text = value:json()
  local whole = assert(core.json_decode(text))
  assert(core.json_encode(value:totable()) == core.json_encode(whole),
    "totable differs from the text")
  for name, member in pairs(whole) do
    if value[name] ~= nil and type(value[name]) ~= "function" then
      assert(core.json_encode(value[name]) == core.json_encode(member)
        or name == "data", "a field differs from the text")
    end
  end
  assert(not tostring(value):find "%c", "tostring is one line")
end

local function check_value(request, value, body)
  if type(value) == "userdata" then
    if value == core.null then return end
    return check_resource(value)
  end
  if type(value) ~= "table" then
    assert(type(value) ~= "string" or value == body
      or core.json_decode(body) == value, "other bytes")
    return
  end
  for _, item in ipairs(value) do check_value(request, item, body) end
end

local function check_meta(meta, status)
  assert(meta.status == status and meta.attempts == 1)
  for name, value in pairs(meta.headers) do
    assert(type(value) == "string" and name == name:lower())
  end
end

--- Whether the service says a hash to compare with.
local function says_hash(said)
  if type(said) ~= "table" or type(said.hash) ~= "string" then return false end
  local algorithm = said.hashAlgorithm
  return #said.hash == 44 and not said.hash:find "^%z"
    and (type(algorithm) ~= "string" or algorithm:find "^SHA%-?256$" ~= nil)
end

--- An upload is what the service says it has.
local function check_upload(document, failure, meta)
  if failure and failure.kind ~= "integrity" then return end
  local said = (document or failure.result).documentHash
  local good = says_hash(said) and said.hash == SENT
  assert(meta.sha256 == SENT, "the hash of something else")
  assert(meta.verified == good, "verified or not")
  assert((failure ~= nil) == (says_hash(said) and not good), "another hash")
end

--- A file is there when all of it is, and else is not.
local function check_file(value, body)
  local content = read(target)
  os.remove(target)
  assert(content == (value and body or nil), "another file")
end

return function(input)
  local from = bytes(input)
  local request, row = request_for(from)
  local status, lines, body, how = answer_from(from)
  local response = response_of(request, status, lines, body, how)
  if response then
    local value, second, third = core.decode(request, response)
    local failure, meta = second, third
    if value ~= nil then failure, meta = nil, second end
    check_meta(meta, status)
    if failure then
      check_error(request, status, failure)
    else
      assert(status >= 200 and status <= 299, "a failure that succeeds")
      if value ~= target then check_value(request, value, body) end
    end
    if request.sink == target then check_file(value, body) end
    if row and row.body == "file" and status // 100 == 2 then
      check_upload(value, failure, meta)
    end
  end
  request:close()
end
