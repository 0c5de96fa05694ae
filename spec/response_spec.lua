-- response_spec.lua: what becomes of an answer, by any transport: results,
-- refusals, answers that cannot be true, and what they leave open. The hashes
-- of documents are for response_hash_spec.lua.

local core = require "signicat.core"
local helper = require "spec.helper"
local payloads = require "spec.support.payloads"
local signicat = require "signicat"

local document, session = helper.document, helper.session
local json = helper.json
local session_text = helper.session_text("READY", false)
local page_text = '{"data":[' .. session_text .. '],"count":1,"total":1}'

-- One call of each kind: what it does with a client.
local calls = {
  upload = function(client)
    return client.documents:upload { content = "hello", type = "text/plain" }
  end,
  download = function(client) return client.documents:download(document) end,
  metadata = function(client) return client.documents:metadata(document) end,
  update = function(client) return client.documents:update(document, {}) end,
  remove = function(client) return client.documents:delete(document) end,
  collect = function(client)
    return client.collections:create(payloads.collection())
  end,
  create = function(client)
    return client.sessions:create({ payloads.session() },
      { validate = "off" })
  end,
  get = function(client) return client.sessions:get(session) end,
  list = function(client) return client.sessions:list() end,
  raw_get = function(client) return client:request("GET", "/x") end,
  raw_post = function(client) return client:request("POST", "/x") end,
}

-- Calls by name, over a transport that answers `reply`.
local function run(name, reply)
  return calls[name]((helper.client(reply)))
end

-- The error of a call that has to fail.
local function failed(name, reply)
  local value, err, meta = run(name, reply)
  assert.is_nil(value)
  assert.is_true(signicat.is_error(err))
  assert.equal(reply.status, meta.status)
  return err
end

-- -- results ----------------------------------------------------------------

describe("a success", function()
  local objects = {
    { "upload", '{"documentId":"%s"}', "signicat.document" },
    { "metadata", '{"documentId":"%s"}', "signicat.document" },
    { "update", '{"documentId":"%s"}', "signicat.document" },
    { "collect", '{"id":"%s"}', "signicat.collection" },
    { "get", '{"id":"%s"}', "signicat.session" },
  }
  for _, case in ipairs(objects) do
    local name, text, kind = table.unpack(case)
    it("of " .. name .. " is a " .. kind, function()
      text = text:format(document)
      local value = assert(run(name, json(200, text)))
      assert.equal(kind .. " " .. document, tostring(value))
      assert.equal(text, value:json())
    end)
  end

  it("of create is a list of sessions", function()
    local list = assert(run("create", json(201, "[" .. session_text .. "]")))
    assert.equal("table", type(list))
    assert.equal(1, #list)
    assert.equal("signicat.session " .. session, tostring(list[1]))
  end)

  it("of list is a page", function()
    local page = assert(run("list", json(200, page_text)))
    assert.equal("signicat.page", tostring(page))
    assert.equal(session, page.data[1].id)
    assert.equal(1, page.total)
  end)

  it("of download is the bytes, whatever their type", function()
    local bytes = "\0\r\n\255{}"
    assert.equal(bytes, run("download", {
      status = 200, body = bytes,
      headers = { ["content-type"] = "application/json" } }))
    assert.equal("", run("download", { status = 200 }))
  end)

  it("of delete is true, but not a page of somebody on the way", function()
    assert.is_true(run("remove", { status = 204 }))
    assert.is_true(run("remove", { status = 200, body = "" }))
    local err = failed("remove", { status = 200, body = "<html>" })
    assert.same({ "protocol", false }, { err.kind, err.retryable })
  end)

  it("of download is not a part of the document", function()
    local value, err = run("download", { status = 206, body = "x" })
    assert.is_nil(value)
    assert.equal("protocol", err.kind)
  end)

  for _, status in ipairs { 200, 201, 202, 203, 204, 206, 226, 299 } do
    it("is any 2xx: " .. status, function()
      for name, reply in pairs {
        get = json(status, session_text), list = json(status, page_text),
        create = json(status, "[" .. session_text .. "]"),
        upload = json(status, '{"documentId":"' .. document .. '"}'),
        download = status ~= 206 and { status = status, body = "x" } or nil,
        remove = { status = status },
      } do
        local value, meta = run(name, reply)
        assert.is_truthy(value)
        assert.equal(status, meta.status)
      end
    end)
  end

  it("comes with a meta that has status, headers and attempts", function()
    local headers = { ["content-type"] = "application/json", ["x-a"] = "b" }
    local _, meta = run("get", json(200, session_text, headers))
    assert.same({ status = 200, headers = headers, attempts = 1 }, meta)
  end)
end)

describe("a raw answer", function()
  for media_type, is_json in pairs {
    ["application/json"] = true, ["application/json; charset=utf-8"] = true,
    ["Application/JSON;v=1"] = true, ["application/json-seq"] = false,
    ["application/jsonl"] = false, ["application/jso"] = false,
    ["text/plain"] = false, ["application/pdf"] = false, [""] = false,
  } do
    it(("of type %q is %s"):format(media_type,
      is_json and "JSON" or "its bytes"), function()
      local value = run("raw_get", json(200, '{"a":[1]}',
        { ["content-type"] = media_type }))
      if is_json then
        assert.same({ a = { 1 } }, value:totable())
      else
        assert.equal('{"a":[1]}', value)
      end
    end)
  end

  it("without a type is its bytes, without a body true", function()
    assert.equal("{}", run("raw_get", { status = 200, body = "{}" }))
    assert.is_true(run("raw_get", { status = 200 }))
    assert.is_true(run("raw_get", json(200, "")))
  end)

  for text, value in pairs { ["[1,[]]"] = { 1, {} }, ["3"] = 3,
                             ['"x"'] = "x", ["false"] = false,
                             ["null"] = core.null } do
    it("can be " .. text, function()
      assert.same(value, (run("raw_get", json(200, text))))
      assert.same(value, (run("raw_post", json(200, text))))
      assert.same(value, (helper.client(json(200, text))
        :request("POST", "/x", { content = "", type = "text/plain" })))
    end)
  end
end)

-- -- refusals ---------------------------------------------------------------

-- status, kind, and whether trying again can help
local statuses = {
  { 400, "invalid" }, { 401, "auth" }, { 402, "invalid" },
  { 403, "forbidden" }, { 404, "not_found" }, { 405, "unsupported" },
  { 406, "unsupported" }, { 408, "timeout", true }, { 409, "conflict" },
  { 410, "not_found" }, { 412, "conflict" }, { 413, "too_large" },
  { 415, "unsupported" }, { 418, "invalid" }, { 422, "invalid" },
  { 429, "rate_limit", true }, { 499, "invalid" }, { 500, "server", true },
  { 501, "unsupported" }, { 502, "server", true }, { 503, "server", true },
  { 504, "server", true }, { 599, "server", true },
  -- not followed, not used by the API, or no status at all
  { 301, "protocol" }, { 302, "protocol" }, { 303, "protocol" },
  { 304, "protocol" }, { 307, "protocol" }, { 308, "protocol" },
  { 100, "protocol" }, { 0, "protocol" }, { -1, "protocol" },
}

describe("a status", function()
  for _, case in ipairs(statuses) do
    local status, kind, retryable = table.unpack(case, 1, 3)
    it(status .. " is " .. kind, function()
      for _, name in ipairs { "get", "download", "remove", "raw_get" } do
        local err = failed(name, { status = status })
        assert.equal(kind, err.kind)
        assert.equal(status, err.status)
        assert.equal(retryable or false, err.retryable)
        assert.is_true(err.sent)
        assert.is_false(err.ambiguous)
      end
    end)
  end

  it("of a redirect says what to check, and follows nothing", function()
    local client, transport = helper.client { status = 302,
      headers = { location = "https://elsewhere.example/" } }
    local _, err = client.sessions:get(session)
    assert.matches("base_url", tostring(err))
    assert.equal(1, #transport.requests)
  end)
end)

describe("a refusal", function()
  local function refused(body, media_type)
    return failed("get", json(400, body,
      { ["content-type"] = media_type or "application/problem+json" }))
  end

  it("gives the fields of problem+json", function()
    local err = refused([[{
      "status": 400, "title": "Invalid request parameter",
      "code": "invalid_request_parameter", "detail": "about this one",
      "traceId": "0123456789abcdef0123456789abcdef",
      "invalidParams": [ {"name": "title", "reason": "too long"},
                         {"name": "dueDate", "reason": "too late"} ],
      "type": "https://docs.example/errors" }]])
    assert.equal("sessions:get", err.operation)
    assert.equal("invalid_request_parameter", err.code)
    assert.equal("Invalid request parameter", err.title)
    assert.equal("about this one", err.detail)
    assert.equal("0123456789abcdef0123456789abcdef", err.trace_id)
    assert.same({ { name = "title", reason = "too long" },
                  { name = "dueDate", reason = "too late" } }, err.fields)
    assert.is_nil(err.body)
  end)

  it("may come without any of them", function()
    local err = refused "{}"
    for _, name in ipairs { "code", "title", "detail", "trace_id",
                            "fields", "body" } do
      assert.is_nil(err[name], name)
    end
    assert.equal("sessions:get: invalid (400): correct what `fields` lists "
      .. "or `detail` says, and call again", err.message)
  end)

  it("may come with an empty list of parameters", function()
    assert.same({}, refused('{"invalidParams":[]}').fields)
  end)

  it("may come in the form of OAuth", function()
    local err = refused('{"error":"invalid_client",'
      .. '"error_description":"unknown client"}', "application/json")
    assert.equal("invalid_client", err.code)
    assert.equal("unknown client", err.detail)
  end)

  it("prefers the API's own form", function()
    local err = refused('{"error":"a","code":"b","error_description":"c",'
      .. '"detail":"d"}')
    assert.equal("b", err.code)
    assert.equal("d", err.detail)
  end)

  it("is read whatever its media type says", function()
    assert.equal("b", refused('{"code":"b"}', "text/html").code)
  end)

  for title, body in pairs {
    ["an empty one"] = "", ["HTML"] = "<html>Bad gateway</html>",
    ["JSON that is cut"] = '{"code":"x"', ["a list"] = "[1]",
    ["a string"] = '"code"', ["bytes"] = "\0\255" } do
    it("keeps a body that is no object as it came: " .. title, function()
      local err = refused(body)
      assert.equal(body, err.body)
      assert.is_nil(err.code)
      assert.equal("invalid", err.kind)
    end)
  end

  it("keeps no more of a body than one would look at", function()
    assert.equal(("x"):rep(4096), refused(("x"):rep(1e6)).body)
  end)

  it("has no place for fields of another type", function()
    local err = refused [[{"code":1,"title":{},"detail":[],"traceId":null,
      "error":false,"invalidParams":"a"}]]
    for _, name in ipairs { "code", "title", "detail", "trace_id",
                            "fields" } do
      assert.is_nil(err[name], name)
    end
  end)

  it("may have a single parameter in the place of the list", function()
    local err = refused [[{"invalidParams":{"name":"a","reason":"b"}}]]
    assert.same({ { name = "a", reason = "b" } }, err.fields)
  end)

  it("has no body in its line", function()
    local err = refused "<html>19010112345</html>"
    assert.is_nil(tostring(err):find("19010112345", 1, true))
  end)

  it("lists only parameters whose name and reason are text", function()
    local err = refused [[{"invalidParams":[1, "a", null, [], {"name":2},
      {"name":"b","reason":{}}, {"name":"c","reason":"d","more":[1]},
      {"reason":"e"}, {}]}]]
    assert.same({ { name = "c", reason = "d", more = { 1 } },
                  { reason = "e" }, {} }, err.fields)
  end)

  -- header's value, seconds
  for _, case in ipairs { { "0", 0 }, { "17", 17 }, { "999999999", 999999999 },
                          { 3, 3 }, { "", nil }, { "-1", nil },
                          { "1.5", nil }, { "soon", nil }, { "1 ", nil },
                          { "9999999999", nil }, { true, nil } } do
    local value, seconds = case[1], case[2]
    it("has the Retry-After " .. tostring(value) .. " as "
      .. tostring(seconds), function()
        local err = failed("get", { status = 429,
          headers = { ["retry-after"] = value } })
        assert.equal(seconds, err.retry_after)
      end)
  end

  -- header's value, seconds, and the answer's date if another than usual
  local SENT = "Sun, 31 Dec 2023 23:59:30 GMT"
  for _, case in ipairs {
    { "Mon, 01 Jan 2024 00:00:15 GMT", 45 },
    { "Sun, 31 Dec 2023 23:59:30 GMT", 0 },
    { "Sun, 31 Dec 2023 23:59:29 GMT", 0 }, -- past: at once
    { "Thu, 29 Feb 2024 23:59:30 GMT", 60 * 86400 },
    { "Sat, 31 Dec 2016 23:59:60 GMT", 1, "Sat, 31 Dec 2016 23:59:59 GMT" },
    { "Mon, 01 Jan 2024 00:00:15 GMT", nil, "" },
    { "Mon, 01 Jan 2024 00:00:15 GMT", nil, "2023-12-31T23:59:30Z" },
    { "Tue, 01 Jan 2024 00:00:15 GMT", nil },
    { "Thu, 29 Feb 2023 23:59:30 GMT", nil },
    { "Mon, 00 Jan 2024 00:00:15 GMT", nil },
    { "Mon, 01 jan 2024 00:00:15 GMT", nil },
    { "Mon, 01 Jan 2024 24:00:15 GMT", nil },
    { "Mon, 01 Jan 2024 00:60:15 GMT", nil },
    { "Mon, 01 Jan 2024 00:00:61 GMT", nil },
    { "Mon, 1 Jan 2024 00:00:15 GMT", nil },
    { "Mon, 01 Jan 2024 00:00:15 UTC", nil },
    { "Mon, 01 Jan 2024 00:00:15 GMT ", nil },
    { "Wed, 31 Dec 1969 23:59:59 GMT", nil },
    { "Monday, 01-Jan-24 00:00:15 GMT", nil },
    { "Mon Jan  1 00:00:15 2024", nil },
    { ("%"):rep(29), nil },
  } do
    local value, seconds, sent = case[1], case[2], case[3] or SENT
    it(("has %s as %s after %s"):format(value, tostring(seconds), sent),
      function()
      local err = failed("get", { status = 429,
        headers = { ["retry-after"] = value, date = sent } })
      assert.equal(seconds, err.retry_after)
    end)
  end

  it("has no date to wait for when the answer tells no date", function()
    local err = failed("get", { status = 429, headers = {
      ["retry-after"] = "Mon, 01 Jan 2024 00:00:15 GMT" } })
    assert.is_nil(err.retry_after)
  end)
end)

-- -- what may have happened ---------------------------------------------------

local creates = { "upload", "collect", "create", "raw_post" }
local harmless = { "download", "metadata", "update", "remove", "get", "list",
                   "raw_get" }

describe("a failed call", function()
  -- status, headers, and whether a create may have been carried out
  local cases = {
    { 500, {}, true }, { 502, {}, true }, { 503, {}, true },
    { 504, {}, true }, { 503, { ["retry-after"] = "3" }, false },
    { 503, { ["retry-after"] = "later" }, true }, { 501, {}, false },
    { 500, { ["retry-after"] = "3" }, true }, { 400, {}, false },
    { 401, {}, false }, { 409, {}, false }, { 429, {}, false },
    { 302, {}, false },
  }
  for _, case in ipairs(cases) do
    local status, headers, ambiguous = table.unpack(case)
    local after = headers["retry-after"]
    it(("with %d%s %s"):format(status,
      after and " and Retry-After " .. after or "",
      ambiguous and "leaves a create open" or "says it was not done"),
      function()
        for _, name in ipairs(creates) do
          local err = failed(name, { status = status, headers = headers })
          assert.equal(ambiguous, err.ambiguous, name)
          if ambiguous then assert.is_false(err.retryable) end
        end
        for _, name in ipairs(harmless) do
          local err = failed(name, { status = status, headers = headers })
          assert.is_false(err.ambiguous, name)
        end
      end)
  end
end)

describe("a success that cannot be read", function()
  -- a body, the calls it cannot be the answer of, and what the error says
  local bodies = {
    { "", { "upload", "metadata", "update", "collect", "create", "get",
            "list" }, "the answer is not JSON: the text ends too early" },
    { "<html>", { "get", "create", "list", "raw_post" },
      "the answer is not JSON: a value is expected at byte 1" },
    { session_text:sub(1, -2), { "get", "collect" },
      "the answer is not JSON: the text ends too early" },
    { "[" .. session_text .. ",", { "create" },
      "the answer is not JSON: the text ends too early" },
    { "[]", { "get", "upload", "collect", "list" },
      "the answer is not an object" },
    { "null", { "get", "upload" }, "the answer is not an object" },
    { '"x"', { "get", "upload" }, "the answer is not an object" },
    { "{}", { "create" }, "the answer is not a list" },
    { '[{"id":"x"},1]', { "create" }, "the answer is not a list of objects" },
    { '[{"id":"x"},{}]', { "create" }, "does not say the id" },
    { '{"id":1}', { "collect" }, "does not say the id" },
    { '{"message":"no"}', { "upload", "metadata", "update", "collect", "get" },
      "does not say the id" },
    { '{"id":"x"}', { "upload", "metadata", "update" },
      "does not say the id" },
    { '{"documentId":"x"}', { "get", "collect" }, "does not say the id" },
    { '{"data":[{"id":"x"},{}]}', { "list" }, "does not say the id" },
    { "[[]]", { "create" }, "the answer is not a list of objects" },
    { "{}", { "list" }, "the answer has no `data`" },
    { '{"data":null}', { "list" }, "the answer is not a list" },
    { '{"data":{}}', { "list" }, "the answer is not a list" },
    { '{"data":[{"id":"x"},null]}', { "list" },
      "the answer is not a list of objects" },
    { '{"data":[{}],"data":3}', { "list" }, "the answer is not a list" },
    { '{"id":"\255"}', { "get" }, "the answer is not JSON: text that is not" },
    { ("["):rep(1000), { "get", "create" }, "the answer is not JSON: " },
  }
  for _, case in ipairs(bodies) do
    local body, names, says = table.unpack(case)
    it(("is protocol, as with %q"):format(body:sub(1, 24)), function()
      for _, name in ipairs(names) do
        local err = failed(name, json(200, body))
        assert.equal("protocol", err.kind)
        assert.matches(says, err.detail, 1, true)
        assert.is_false(err.retryable)
        assert.is_true(err.sent)
      end
    end)

    it(("leaves a create open, as with %q"):format(body:sub(1, 24)),
      function()
        for _, name in ipairs(names) do
          local creating = false
          for _, one in ipairs(creates) do
            if one == name then creating = true end
          end
          assert.equal(creating, failed(name, json(200, body)).ambiguous)
        end
      end)
  end
end)
