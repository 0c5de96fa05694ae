-- request_spec.lua: what a call's arguments become before anything is sent:
-- the twelve rows written out, ids, queries, checks, limits, and the requests
-- that have no row. Files are for request_file_spec.lua.

local core = require "signicat.core"
local helper = require "spec.helper"
local payloads = require "spec.support.payloads"

local base_url = helper.base_url
local document, collection = helper.document, helper.collection
local session = helper.session
local now = 1743528748 -- 2025-04-01T17:32:28Z

local function encode(operation, id, payload, settings)
  settings = settings or {}
  settings.base_url = base_url
  return core.request(settings, operation, id, payload, now)
end

-- The finding of a request that was not made.
local function refused(request, failure)
  assert.is_nil(request)
  assert.equal("invalid", failure.kind)
  assert.equal(1, #failure.fields)
  return failure.fields[1].name, failure.fields[1].reason
end

local function url_of(operation, id, payload, settings)
  return assert(encode(operation, id, payload, settings)).url
end

-- -- the twelve -------------------------------------------------------------

local json = { ["content-type"] = "application/json" }

-- operation, id, payload, and the request that it has to be
local twelve = {
  { "uploadDocument", nil, { content = "hello", type = "application/pdf" }, {
    method = "POST", url = "/documents", body = "hello",
    headers = { ["content-type"] = "application/pdf" },
  } },
  { "getDocument", document, nil, {
    method = "GET", url = "/documents/" .. document, headers = {},
  } },
  { "deleteDocument", document, nil, {
    method = "DELETE", url = "/documents/" .. document, headers = {},
    timeout = 60,
  } },
  { "updateDocumentMetadata", document, payloads.metadata(), {
    method = "PATCH", url = "/documents/" .. document .. "/metadata",
    headers = json, timeout = 60,
    body = '{"description":"The lease of flat 17","filename":"lease.pdf",'
      .. '"title":"Lease 17"}',
  } },
  { "getDocumentInfo", document, nil, {
    method = "GET", url = "/documents/" .. document .. "/metadata",
    headers = {}, timeout = 60,
  } },
  { "createDocumentCollection", nil,
    { documents = { { documentId = document } }, packageTo = {} }, {
      method = "POST", url = "/document-collections", headers = json,
      timeout = 60,
      body = '{"documents":[{"documentId":"' .. document
        .. '"}],"packageTo":[]}',
    } },
  { "getDocumentCollection", collection, nil, {
    method = "GET", url = "/document-collections/" .. collection,
    headers = {}, timeout = 60,
  } },
  { "deleteDocumentCollection", collection, nil, {
    method = "DELETE", url = "/document-collections/" .. collection,
    headers = {}, timeout = 60,
  } },
  { "createSigningSession", nil, { {
    title = "Lease 17",
    documents = { { documentId = document, action = "SIGN",
                    documentCollectionId = collection } },
    signingSetup = { { signingFlow = "AUTHENTICATION_BASED" } },
    externalReference = core.null,
  } }, {
    method = "POST", url = "/signing-sessions", headers = json, timeout = 60,
    body = '[{"documents":[{"action":"SIGN","documentCollectionId":"'
      .. collection .. '","documentId":"' .. document .. '"}],'
      .. '"externalReference":null,"signingSetup":[{"signingFlow":'
      .. '"AUTHENTICATION_BASED"}],"title":"Lease 17"}]',
  } },
  { "listSigningSessions", nil, payloads.query(), {
    method = "GET", headers = {}, timeout = 60,
    url = "/signing-sessions?offset=0&limit=100&sort=-createdAt"
      .. "&createdDateFrom=2024-01-01T00:00:00Z"
      .. "&createdDateTo=2024-12-31T23:59:59Z&state=READY&state=BLOCKED"
      .. "&dueDateFrom=2024-06-01T00:00:00Z&dueDateTo=2024-06-30T23:59:59Z"
      .. "&sessionTitleLike=Lease",
  } },
  { "getSigningSession", session, nil, {
    method = "GET", url = "/signing-sessions/" .. session, headers = {},
    timeout = 60,
  } },
  { "deleteSigningSession", session, nil, {
    method = "DELETE", url = "/signing-sessions/" .. session, headers = {},
    timeout = 60,
  } },
}

describe("encoding", function()
  for _, row in ipairs(twelve) do
    local operation, id, payload, expected = table.unpack(row, 1, 4)
    it("makes of " .. operation .. " the request of the reference", function()
      expected.url = base_url .. expected.url
      assert.same(expected, encode(operation, id, payload):totable())
    end)
  end

  it("has a case for each of the twelve", function()
    local seen = {}
    for _, row in ipairs(twelve) do seen[row[1]] = true end
    for operation in pairs(core.operations) do
      assert.is_true(seen[operation], operation)
    end
  end)

  it("says what may not be sent twice", function()
    for operation, row in pairs(core.operations) do
      for _, case in ipairs(twelve) do
        if case[1] == operation then
          assert.equal(row.creates,
            encode(operation, case[2], case[3]).creates, operation)
        end
      end
    end
  end)
end)

-- -- ids --------------------------------------------------------------------

local not_an_id = "must be an id of the form 8-4-4-4-12 hexadecimal digits"

describe("an id", function()
  -- Another id in place of what carries two; never both.
  local carriers = {
    ["a string"] = session,
    ["a table with id"] = { id = session, documentId = document },
    ["a table with documentId"] = { documentId = session },
    ["a table whose id is a number"] = { id = 7, documentId = session },
  }
  for name, carrier in pairs(carriers) do
    it("is taken from " .. name, function()
      assert.equal(base_url .. "/signing-sessions/" .. session,
        url_of("getSigningSession", carrier))
    end)
  end

  it("is taken from what a call gave", function()
    local client = helper.client(
      helper.json(200, helper.session_text("READY", false)))
    assert.equal(base_url .. "/signing-sessions/" .. session,
      url_of("getSigningSession", client.sessions:get(session)))
    client = helper.client(
      helper.json(200, { documentId = document }))
    assert.equal(base_url .. "/documents/" .. document,
      url_of("getDocument", client.documents:metadata(document)))
  end)

  it("keeps the letter case it has", function()
    assert.equal(base_url .. "/documents/" .. document:upper(),
      url_of("getDocument", document:upper()))
  end)

  local forms = {
    "", "x", "..", "../documents", document:sub(2), document .. "0",
    document .. "/metadata", document .. "?x=1", document .. "#",
    document .. "%00", document .. "\0", document .. "\n",
    "{" .. document .. "}", (document:gsub("%-", "/")),
    (document:gsub("d", "g")),
  }
  for _, form in ipairs(forms) do
    it(("is refused in the form %q"):format(form), function()
      local name, reason = refused(encode("getDocument", form))
      assert.equal("documentId", name)
      assert.equal(not_an_id, reason)
    end)
  end

  it("is named as its row names it", function()
    assert.equal("sessionId", (refused(encode("getSigningSession", "x"))))
    assert.equal("documentCollectionId",
      (refused(encode("getDocumentCollection", "x"))))
    assert.equal("documentId",
      (refused(encode("updateDocumentMetadata", "x", {}))))
  end)

  it("that is wrong is found along with a wrong payload", function()
    local request, failure = encode("updateDocumentMetadata", "x",
      { title = 1, colour = "red" })
    assert.is_nil(request)
    local names = {}
    for i, field in ipairs(failure.fields) do names[i] = field.name end
    table.sort(names)
    assert.same({ "colour", "documentId", "title" }, names)
  end)

  it("that is missing raises, whatever the payload", function()
    assert.has_error(function()
      encode("updateDocumentMetadata", nil, { title = 1 })
    end)
  end)

  it("never comes from a metamethod", function()
    local sly = setmetatable({}, { __index = { id = session } })
    assert.has_error(function() encode("getSigningSession", sly) end)
  end)

  for name, value in pairs { ["nil"] = "none", ["true"] = true,
                             ["a number"] = 17, ["an empty table"] = {},
                             null = core.null } do
    it("is missed at the caller's line in " .. name, function()
      local client = helper.client({ status = 200 })
      if value == "none" then value = nil end
      local ok, message = pcall(function()
        client.sessions:get(value)
      end)
      assert.is_false(ok)
      assert.matches("^spec/request_spec%.lua:%d+: an id, or an object that "
        .. "carries one, expected; got %a+$", message)
    end)
  end
end)

-- -- queries ----------------------------------------------------------------

local queries = {
  { "is absent without a table", nil, "" },
  { "is absent when empty", {}, "" },
  { "is absent for empty lists", { state = {}, sort = {} }, "" },
  { "writes + as %2B", { sort = "+dueDate" }, "?sort=%2BdueDate" },
  { "leaves colons alone", { dueDateTo = "2024-06-30T23:59:59Z" },
    "?dueDateTo=2024-06-30T23:59:59Z" },
  { "repeats the key of a list", { state = { "READY", "SIGNED" },
    sort = { "+dueDate", "-createdAt" } },
    "?sort=%2BdueDate&sort=-createdAt&state=READY&state=SIGNED" },
  { "keeps the order of the reference",
    { sessionTitleLike = "a", limit = 1, offset = 2, state = "READY" },
    "?offset=2&limit=1&state=READY&sessionTitleLike=a" },
  { "writes whole floats as integers", { limit = 100.0 }, "?limit=100" },
  { "escapes all that has a meaning",
    { sessionTitleLike = "a b&c=d?e#f/g%h+i;j,k\"\\" },
    "?sessionTitleLike=a%20b%26c%3Dd%3Fe%23f%2Fg%25h%2Bi%3Bj%2Ck%22%5C" },
  { "escapes UTF-8 byte by byte", { sessionTitleLike = "blåbær" },
    "?sessionTitleLike=bl%C3%A5b%C3%A6r" },
  { "escapes control characters and NUL",
    { sessionTitleLike = "a\0b\r\nc" }, "?sessionTitleLike=a%00b%0D%0Ac" },
  { "passes an unknown name with allow_unknown",
    { ["new name"] = true, limit = 1 }, "?limit=1&new%20name=true",
    { allow_unknown = true } },
  { "passes anything with validate off", { limit = "many" }, "?limit=many",
    { validate = "off" } },
}

describe("a query", function()
  for _, case in ipairs(queries) do
    local title, query, expected, settings = table.unpack(case, 1, 4)
    it(title, function()
      assert.equal(base_url .. "/signing-sessions" .. expected,
        url_of("listSigningSessions", nil, query, settings))
    end)
  end

  for name, value in pairs { ["a function"] = print, ["a table"] = { {} },
                             null = core.null, ["not a number"] = 0 / 0 } do
    it("refuses " .. name .. " even unchecked", function()
      local field = refused(encode("listSigningSessions", nil,
        { limit = value }, { validate = "off" }))
      assert.equal("limit", field)
    end)
  end

  it("refuses an unknown name and says the nearest", function()
    local name, reason = refused(encode("listSigningSessions", nil,
      { sessionTitle = "a" }))
    assert.equal("sessionTitle", name)
    assert.matches("sessionTitleLike", reason)
  end)
end)

-- -- checks -----------------------------------------------------------------

describe("a payload", function()
  local wrong = { packageTo = { "PADES_CONTAINER", "ZIP" },
                  documents = { { documentId = "x" } }, colour = "red" }
  local function findings(settings)
    local _, failure = encode("createDocumentCollection", nil, wrong,
      settings)
    local names = {}
    for i, field in ipairs(failure and failure.fields or {}) do
      names[i] = field.name
    end
    table.sort(names)
    return names
  end

  it("is checked in full unless told otherwise", function()
    assert.same({ "colour", "documents[1].documentId", "packageTo[2]" },
      findings {})
    assert.same(findings {}, findings { validate = "full" })
  end)

  it("is held to the reference alone", function()
    assert.same({ "colour", "packageTo[2]" },
      findings { validate = "reference" })
  end)

  it("is let pass", function()
    assert.same({}, findings { validate = "off" })
  end)

  it("may have unknown names and values, if so told", function()
    assert.same({ "documents[1].documentId" },
      findings { allow_unknown = true })
  end)

  it("is measured against the clock of the client", function()
    local list = { payloads.session() }
    list[1].dueDate = "2030-01-01T00:00:00Z"
    assert.equal("[1].dueDate",
      (refused(encode("createSigningSession", nil, list))))
    assert(core.request({ base_url = base_url }, "createSigningSession", nil,
      list, 1893456000))
  end)

  it("that JSON cannot say is refused even unchecked", function()
    local cycle = {}
    cycle.title = cycle
    local name = refused(encode("updateDocumentMetadata", document, cycle,
      { validate = "off" }))
    assert.equal("title", name)
  end)
end)

-- -- limits -----------------------------------------------------------------

describe("a limit", function()
  local function timeout(operation, id, payload, settings)
    return encode(operation, id, payload, settings).timeout
  end

  it("of JSON calls is a minute in all", function()
    assert.equal(60, timeout("getSigningSession", session))
    assert.equal(60, core.raw_request({ base_url = base_url }, "GET", "/x",
      {}).timeout)
  end)

  it("of documents' bytes is none in all", function()
    assert.is_nil(timeout("getDocument", document))
    assert.is_nil(timeout("uploadDocument", nil,
      { content = "x", type = "text/plain" }))
  end)

  it("is what the caller says", function()
    assert.equal(2.5, timeout("getDocument", document, nil,
      { timeout = 2.5 }))
    assert.is_nil(timeout("getSigningSession", session, nil,
      { timeout = 0 }))
  end)
end)

-- -- requests without a row -------------------------------------------------

describe("a raw request", function()
  local function raw(method, path, options)
    return core.raw_request({ base_url = base_url }, method, path,
      options or {})
  end

  it("is not HEAD with a body", function()
    assert.equal("method", (refused(raw("HEAD", "/x", { json = {} }))))
  end)

  for _, path in ipairs { "/a/%2e%2e/b", "/%2E./b", "/.%2e", "/a/%2e?b" } do
    it("has no dots in disguise: " .. path, function()
      assert.equal("path", (refused(raw("GET", path))))
    end)
  end

  it("shows no more of a long name than one would look at", function()
    local name = refused(raw("POST", "/x", { json = {
      [("k"):rep(3000)] = { print } } }))
    assert.is_true(#name < 100)
    name = refused(raw("GET", "/x", { query = {
      [("q"):rep(3000)] = { {} } } }))
    assert.is_true(#name < 100)
  end)

  it("is sent to the base URL and the path as it stands", function()
    assert.same({
      method = "GET", url = base_url .. "/x/y%20z?a=b", headers = {},
      timeout = 60,
    }, raw("GET", "/x/y%20z?a=b"):totable())
  end)

  it("has JSON, content or a query", function()
    local request = raw("PUT", "/x", { json = { b = { 1.0 }, a = "x" } })
    assert.equal('{"a":"x","b":[1]}', request.body)
    assert.equal("application/json", request.headers["content-type"])
    request = raw("POST", "/x", { content = "", type = "text/plain" })
    assert.equal("", request.body)
    assert.equal("text/plain", request.headers["content-type"])
    request = raw("GET", "/x", { query = { name = { "a+b", 2, false } } })
    assert.equal(base_url .. "/x?name=a%2Bb&name=2&name=false", request.url)
    assert.is_nil(request.body)
  end)

  it("goes on with the query that its path has", function()
    assert.equal(base_url .. "/x?a=b&c=d&e=f",
      raw("GET", "/x?a=b&c=d", { query = { e = "f" } }).url)
    assert.equal(base_url .. "/x?a=b",
      raw("GET", "/x?a=b", { query = {} }).url)
  end)

  for json_text, value in pairs { ["false"] = false, null = core.null,
                                  ['"x"'] = "x", ["3"] = 3.0 } do
    it("can send " .. json_text .. " alone", function()
      assert.equal(json_text, raw("POST", "/x", { json = value }).body)
    end)
  end

  for method, creates in pairs { GET = false, HEAD = false, DELETE = false,
                                 POST = true, PUT = true, PATCH = true,
                                 PURGE = true } do
    it(method .. (creates and " is not sent twice" or " can be repeated"),
      function() assert.equal(creates, raw(method, "/x").creates) end)
  end

  for _, method in ipairs { "", "get", "Get", "G T", "GET ", "GET\r\nX: y",
                            "GET/" } do
    it(("refuses the method %q"):format(method), function()
      assert.equal("method", (refused(raw(method, "/x"))))
    end)
  end

  for _, path in ipairs {
    "", "x", "x/", "https://elsewhere.example/", "@elsewhere.example/",
    "/x y", "/x\r\nHost: y", "/x\t", "/x\127", "/x\0", "/x#y", "/..", "/../x",
    "/x/..", "/x/../y", "/./x", "/x/.", "/x/..?y", "/x/.?y" } do
    it(("refuses the path %q"):format(path), function()
      local name, reason = refused(raw("GET", path))
      assert.equal("path", name)
      assert.equal("must begin with / and have no spaces or dot segments",
        reason)
    end)
  end

  for _, path in ipairs { "/", "//", "/.x", "/..x", "/x./y", "/x.../y",
                          "/x?y=/..x" } do
    it("takes the path " .. path, function()
      assert.equal(base_url .. path, raw("GET", path).url)
    end)
  end

  it("needs a type with content", function()
    assert.equal("type", (refused(raw("POST", "/x", { content = "x" }))))
  end)

  it("refuses what JSON cannot say", function()
    assert.equal("a[2]",
      (refused(raw("POST", "/x", { json = { a = { 1, print } } }))))
  end)
end)

describe("a request's field", function()
  it("reads like that of a plain table", function()
    local request = encode("createDocumentCollection", nil,
      { documents = { { documentId = document } } }, { timeout = 5 })
    local read = {}
    for _, name in ipairs { "method", "timeout", "creates", "size", "sink",
                            "on_progress", "replayable", "colour", 7 } do
      read[name] = request[name]
    end
    assert.same({ method = "POST", timeout = 5, creates = true,
                  size = #request.body, replayable = true }, read)
    local get = encode("getSigningSession", session)
    assert.same({ "GET", false }, { get.method, get.creates })
    assert.is_nil(get.size)
    assert.is_nil(get.body)
  end)

  it("is written only where a call has something to say", function()
    local request = encode("getSigningSession", session)
    request.timeout = 2
    request.authorization = "Bearer t"
    assert.equal(2, request.timeout)
    assert.equal("Bearer t", request.headers.authorization
      or request.headers.Authorization)
    assert.has_error(function() request.method = "PUT" end,
      "a request has no writable field 'method'")
    assert.is_false(pcall(function() request.authorization = "a\nb" end))
  end)
end)
