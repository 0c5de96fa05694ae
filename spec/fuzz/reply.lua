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

-- What a document has that is asked for: bytes, "" and none known.
local documents = {
  id,
  { documentId = id, documentHash = { hashAlgorithm = "SHA256",
    hash = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" } },
}

local function request_for(from)
  local settings = { base_url = "https://a.example", validate = "off" }
  local name = names[from:byte() % (#names + 1) + 1]
  local how = from:byte()
  if how & 1 > 0 then settings.max_body = 64 end
  if not name then
    return core.raw_request(settings, how & 4 > 0 and "POST" or "GET", "/x", {})
  end
  if how & 2 > 0 and core.operations[name].result == "bytes" then
    settings.writer = print
  end
  return core.request(settings, name, documents[(how >> 2 & 1) + 1],
    payloads[core.operations[name].body], 0)
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

--- As the curl transport gives it, or as a transport of somebody else's.
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

return function(input)
  local from = bytes(input)
  local request = assert(request_for(from))
  local status, lines, body, how = answer_from(from)
  local response = response_of(request, status, lines, body, how)
  if response then
    local value, second, third = core.decode(request, response)
    if value == nil then
      check_error(request, status, second)
      check_meta(third, status)
    else
      assert(status >= 200 and status <= 299, "a failure that succeeds")
      check_value(request, value, body)
      check_meta(second, status)
    end
  end
  request:close()
end
