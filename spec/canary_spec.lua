-- canary_spec.lua: secrets and people's data in every call, a service that
-- repeats all it is sent, and every output searched for them.

local core = require "signicat.core"
local helper = require "spec.helper"
local nginx = require "spec.support.nginx"
local sandbox = require "signicat.sandbox"
local signicat = require "signicat"
local socket = require "socket"

-- No canary is part of another, and none is a word of ours.
local secrets = { token = "CANARYbearer4f9a", secret = "CANARYclient8d1c",
                  hook = "CANARYwebhook2b7e", proxy = "CANARYproxy5b21",
                  key = "CANARYkey6e0d" }
secrets.basic = core.base64("id:" .. secrets.secret)
secrets.proxy_basic = core.base64("m:" .. secrets.proxy)
local personal = { nin = "CANARY01010112345", name = "CANARY Nordmann",
                   title = "CANARYtitle", content = "CANARYcontent",
                   reference = "CANARYreference", url = "CANARYsigningurl",
                   file = "CANARYfile", email = "CANARYmail@shop.example",
                   mobile = "+47CANARYmobile", agreed = "CANARYagreed",
                   back = "https://shop.example/CANARYback",
                   parameter = "CANARYparameter",
                   description = "CANARYdescription" }

-- Fields of an error that may repeat what the service wrote, people's data
-- included: they are for programs. Secrets are in none of them.
local from_service = { title = true, detail = true, fields = true,
                       body = true, result = true }

local outputs

local function note(where, text)
  outputs[#outputs + 1] = { where = where, text = tostring(text) }
end

-- All strings that can be reached from a value.
local function note_all(where, value, skip, seen)
  seen = seen or {}
  if type(value) == "string" then note(where, value) end
  if type(value) ~= "table" or seen[value] then return end
  seen[value] = true
  for key, item in next, value do
    if not (skip and skip[key]) then
      note_all(where, key, nil, seen)
      note_all(where .. "." .. tostring(key), item, nil, seen)
    end
  end
end

local function search(list)
  for kind, canary in pairs(list) do
    for _, output in ipairs(outputs) do
      assert.is_nil(output.text:find(canary, 1, true),
        ("%s in %s: %s"):format(kind, output.where, output.text))
    end
  end
end

-- What is in the fields of an error must be free of secrets only.
local function search_fields(err)
  local before = outputs
  outputs = {}
  note_all("err", err)
  search(secrets)
  outputs = before
end

local session_fields = {
  title = personal.title, externalReference = personal.reference,
  documents = { { documentId = helper.document, action = "SIGN",
                  documentCollectionId = helper.collection } },
  signingSetup = { { signingFlow = "AUTHENTICATION_BASED",
    additionalParameters = { [personal.parameter] = personal.parameter } } },
  signer = { nationalIdentificationNumber = personal.nin,
             email = personal.email, mobile = personal.mobile },
  redirectSettings = { success = personal.back, cancel = personal.back,
                       error = personal.back },
  signText = personal.agreed,
}

-- Everything that takes data, with data that is right and that is wrong.
local calls = {
  create = function(sign) return sign.sessions:create { session_fields } end,
  create_wrong = function(sign)
    return sign.sessions:create { { title = personal.title:rep(99),
      [personal.name] = personal.nin, documents = personal.content,
      dueDate = personal.nin, signatureUrlTTL = personal.name,
      signer = { email = { personal.email }, mobile = { personal.mobile },
                 validations = { personal.nin } },
      redirectSettings = { success = personal.back .. "\n",
                           [personal.back] = personal.back },
      signingSetup = { { signingFlow = personal.parameter,
        additionalParameters = { personal.parameter } } } } }
  end,
  get = function(sign) return sign.sessions:get(helper.session) end,
  get_wrong = function(sign) return sign.sessions:get(personal.nin) end,
  list = function(sign)
    return sign.sessions:list { sessionTitleLike = personal.name }
  end,
  each = function(sign)
    return sign.sessions:each({ sessionTitleLike = personal.name })()
  end,
  find = function(sign)
    return sign.sessions:find { externalReference = personal.reference }
  end,
  wait = function(sign)
    return sign.sessions:wait(helper.session, { timeout = 2 })
  end,
  upload = function(sign)
    return sign.documents:upload { content = personal.content,
                                   type = "text/plain" }
  end,
  upload_wrong = function(sign)
    return sign.documents:upload { content = personal.content,
                                   type = personal.name }
  end,
  update = function(sign)
    return sign.documents:update(helper.document,
      { filename = personal.file, title = personal.name,
        description = personal.description })
  end,
  download = function(sign)
    return sign.documents:download(helper.document)
  end,
  collect = function(sign)
    return sign.collections:create { documents = {
      { documentId = helper.document, description = personal.description } } }
  end,
  package = function(sign)
    return sign.collections:wait(helper.collection, { timeout = 2 })
  end,
  sign = function(sign)
    return sign:sign { file = { content = personal.content,
      type = "text/plain" }, title = personal.title,
      signer = session_fields.signer }
  end,
  request = function(sign)
    return sign:request("POST", "/x", { json = { name = personal.name },
      query = { name = personal.name } })
  end,
}

-- All that a service could repeat of a request.
local function repeated(request)
  local parts = { request.url, request.authorization or "",
                  type(request.body) == "string" and request.body or "" }
  for name, value in pairs(request.headers) do
    parts[#parts + 1] = name .. ": " .. value
  end
  return table.concat(parts, "\n") .. personal.content .. personal.url
end

-- The token or the secret that a request brings, as it was sent, alone.
local function credential(request)
  local form = type(request.body) == "string" and request.body
    :match "client_secret=(.*)"
  return form or (request.authorization or request.headers.authorization)
    :match "%S+$"
end

-- An answer as libcurl's transport makes it.
local function received(status, id, body)
  local lines = ("content-type: application/json\r\nx-request-id: %s\r\n")
    :format(id)
  return core.response { status = status, lines = lines, timing = {},
                         body = { core.json_encode(body) } }
end

local function object()
  return { id = helper.session, documentId = helper.document,
           title = personal.title, signatureUrl = personal.url,
           externalReference = personal.reference,
           data = signicat.array(), total = 0,
           signer = session_fields.signer,
           lifecycle = { state = "READY", stateIsFinal = false } }
end

local replies = {
  ["what it should"] = function(request)
    local answer = object()
    local is_list = request.method == "POST"
      and request.url:find("signing-sessions", 1, true)
    return helper.json(200, is_list and { answer } or answer)
  end,
  ["a refusal that repeats the request"] = function(request)
    local words = repeated(request)
    return helper.json(400, { title = words, detail = words, code = words,
      traceId = words, invalidParams = { { name = words, reason = words } } })
  end,
  ["a page of HTML that repeats the request"] = function(request)
    return { status = 502, headers = { ["content-type"] = "text/html" },
             body = "<p>" .. repeated(request) .. "</p>" }
  end,
  ["broken JSON that repeats the request"] = function(request)
    return { status = 200, headers = { ["content-type"] =
      "application/json" }, body = '{"' .. repeated(request) }
  end,
  ["a redirect that repeats the request"] = function(request)
    return { status = 302, body = "",
             headers = { location = "/x?" .. repeated(request) } }
  end,
  ["headers that repeat the request"] = function(request)
    local words = repeated(request)
    return helper.json(429, {}, { ["x-request-id"] = words, etag = words,
      ["retry-after"] = words, ["www-authenticate"] = words,
      ["content-disposition"] = words, ["set-cookie"] = words })
  end,
  ["the token alone, as an id"] = function(request)
    return received(200, credential(request), object())
  end,
  ["a refusal with the token alone, as ids"] = function(request)
    local word = credential(request)
    return received(503, "id-" .. word, { code = word, traceId = word })
  end,
  ["nothing, with words of the transport's"] = function(request)
    return nil, { kind = "connect", detail = repeated(request), sent = true }
  end,
}

-- Calls everything and notes all that comes out on the way.
local function gather(reply, options)
  local clock = helper.clock()
  local all = { clock = clock.now, sleep = clock.sleep, retries = 1,
    on_event = function(event) note_all("event " .. event.name, event) end }
  for name, value in pairs(options) do all[name] = value end
  local sign = helper.client(reply, all)
  local strict = sign:with {}:strict()
  note("client", sign)
  note("strict", strict)
  for name, call in pairs(calls) do
    local value, meta, failed_meta = call(sign)
    note(name .. " value", type(value) ~= "string" and value or "")
    if not value and meta then
      note(name .. " error", meta)
      note_all(name .. " error", meta, from_service)
      search_fields(meta)
    end
    for _, about in ipairs { value and meta or false, failed_meta } do
      if about then
        note(name .. " meta", about)
        note_all(name .. " status", { about.status, about.attempts,
                                      about.request_id })
      end
    end
    xpcall(function() call(strict) end, function(err)
      note(name .. " raised", err)
      note(name .. " traceback", debug.traceback(tostring(err)))
    end)
  end
  sign:close()
end

describe("no output repeats a secret or a person's data", function()
  before_each(function() outputs = {} end)

  for title, reply in pairs(replies) do
    it("when the service answers " .. title, function()
      gather(reply, { token = secrets.token })
      assert.is_true(#outputs > 100)
      search(secrets)
      search(personal)
    end)
  end

  for _, method in ipairs { "client_secret_post", "client_secret_basic" } do
    it("when the token endpoint repeats what it is sent: " .. method,
      function()
        for _, status in ipairs { 400, 401, 403, 500, 200 } do
          gather(function(request)
            local words = repeated(request)
            return helper.json(status, { error = words, title = words,
              error_description = words, detail = words, code = words })
          end, { client_id = "id", client_secret = secrets.secret,
                 auth_method = method })
        end
        search(secrets)
        search(personal)
      end)

    it("when the token endpoint's ids are what it is sent: " .. method,
      function()
        for _, status in ipairs { 400, 503, 200 } do
          gather(function(request)
            local word = credential(request)
            return received(status, word, { code = word, error = word,
              traceId = word, access_token = secrets.token, expires_in = 99 })
          end, { client_id = "id", client_secret = secrets.secret,
                 auth_method = method })
        end
        search(secrets)
      end)
  end

  it("when a proxy answers with what it is sent", function()
    local folder, remove = nginx.folder()
    local server = nginx.start(folder, [[
      map $http_proxy_authorization $word { ~^Basic\s(.*)$ $1; }
      server {
        listen 127.0.0.1:PORT;
        default_type application/json;
        add_header x-request-id $word always;
        location /words { return 502 "<p>$http_proxy_authorization</p>"; }
        location /fields { return 503 '{"code":"$word","traceId":"$word",
          "title":"$http_proxy_authorization",
          "invalidParams":[{"name":"$word","reason":"]] .. secrets.proxy
      .. [["}]}'; }
        location / { return 200 '{"id":"x"}'; }
      }
    ]])
    local ids = 0
    for _, path in ipairs { "words", "fields", "good" } do
      local sign = assert(signicat.new { token = secrets.token, retries = 1,
        base_url = "http://127.0.0.1:1/" .. path, sleep = function() end,
        proxy = ("http://m:%s@127.0.0.1:%d"):format(secrets.proxy,
          server.port),
        on_event = function(event) note_all("event " .. event.name, event) end,
      })
      local value, err, meta = sign:request("GET", "/x")
      meta = meta or err
      if not value then
        assert.is_true(err.status > 500)
        note("err", err)
        note_all("err", err)
      end
      note(path .. " id", meta.request_id)
      if meta.headers["x-request-id"] == secrets.proxy_basic then
        ids = ids + 1
      end
      sign:close()
    end
    server:stop()
    remove()
    assert.equal(3, ids)
    search(secrets)
  end)

  it("when an option, a credential or a method is wrong", function()
    local client = helper.client { status = 500 }
    local mistakes = {
      function() signicat.new { token = secrets.token .. "\n" } end,
      function() signicat.new { client_id = 7,
                                client_secret = secrets.secret } end,
      function() signicat.new { client_secret = secrets.secret } end,
      function() client.sessions:get(helper.session,
        { headers = { ["X-A"] = secrets.token .. "\r\n" } }) end,
      function() client.sessions:find { externalReference =
        personal.reference, since = personal.name } end,
      function() client:sign { title = personal.title, file = {
        content = personal.content, typ = "x" } } end,
      function() client.documents:upload(personal.content) end,
      function() signicat.new { token = "t", proxy = secrets.proxy } end,
      function() signicat.new { token = "t", no_proxy = secrets.proxy .. "\n",
        proxy = "http://m:" .. secrets.proxy .. "@127.0.0.1:1" } end,
      function() signicat.new { token = "t",
        tls = { key = secrets.key, ca_pem = secrets.key } } end,
    }
    for i, mistake in ipairs(mistakes) do
      local is_fine = xpcall(mistake, function(message)
        note("mistake " .. i, debug.traceback(tostring(message)))
      end)
      assert.is_false(is_fine, "mistake " .. i)
    end
    search(secrets)
    search(personal)
  end)

  it("when a proxy, a certificate or an `auth` is of no use", function()
    -- Certificates are looked at when there is a connection.
    local silent = assert(socket.bind("127.0.0.1", 0))
    local _, port = silent:getsockname()
    local pem = "-----BEGIN %s-----\n" .. secrets.key .. "\n-----END %s-----\n"
    local cert, key = pem:gsub("%%s", "CERTIFICATE"),
      pem:gsub("%%s", "PRIVATE KEY")
    local kinds = {}
    for _, given in ipairs {
      { proxy = "http://m:" .. secrets.proxy .. "@127.0.0.1:1" },
      { proxy = "http://m:" .. secrets.proxy .. "@127.0.0.1:" .. port,
        timeout = 0.3 }, -- it never answers
      { proxy = "socks5h://m:" .. secrets.proxy .. "@127.0.0.1:1" },
      { proxy = "http://m:" .. secrets.proxy .. "@127.0.0.1:99999" },
      { tls = { cert = cert, key = key } },
      { tls = { cert = "no-file", key = key } },
      { tls = { ca_pem = cert .. key } },
      { auth = function() return secrets.token .. "\n", 60 end },
      { auth = function() return { secrets.token }, secrets.token end },
    } do
      given.base_url = ("https://127.0.0.1:%d/sign"):format(port)
      given.retries = 0
      given.token = not given.auth and secrets.token or nil
      given.on_event = function(event)
        note_all("event " .. event.name, event)
      end
      local sign = assert(signicat.new(given))
      local value, err = sign.sessions:create { session_fields }
      assert.is_nil(value)
      note("err", err)
      note("client", sign)
      note_all("err", err)
      kinds[#kinds + 1] = err.kind
      sign:close()
    end
    silent:close()
    assert.same({ "connect", "timeout", "connect", "connect", "tls", "tls",
                  "tls", "auth", "auth" }, kinds)
    search(secrets)
    search(personal)
  end)

  it("when a base_url carries credentials", function()
    local _, err = signicat.new { token = "t",
      base_url = "https://u:" .. secrets.secret .. "@sign.example" }
    note_all("err", err)
    note("err", err)
    search(secrets)
  end)

  it("when an event is refused", function()
    local scheme = { scheme = "body-hmac-sha256" }
    local raw, headers = signicat.events.sign({ id = personal.nin,
      timestamp = "2025-04-01T17:32:28Z", name = personal.name },
      secrets.hook, scheme)
    for _, case in ipairs {
      { raw .. " ", headers }, { raw, {} }, { raw, headers },
      { raw, headers, function() return true end },
    } do
      local event, err = signicat.events.verify(case[1], case[2], {
        scheme = scheme.scheme, secrets = secrets.hook, seen = case[3],
        tolerance = case[3] and "off" or nil })
      assert.is_nil(event)
      note("event", err)
      note_all("event", err)
    end
    search(secrets)
    search(personal)
  end)

  it("when a resource is printed", function()
    for _, operation in ipairs { "getSigningSession", "getDocumentInfo",
      "getDocumentCollection", "listSigningSessions" } do
      local request = assert(core.request({ base_url = helper.base_url },
        operation, operation ~= "listSigningSessions" and helper.session
        or nil))
      note(operation, assert(core.decode(request,
        helper.json(200, object()))))
    end
    search(personal)
  end)

  it("when all goes well over the sandbox", function()
    local service = assert(sandbox.start())
    local sign = assert(service:client { on_event = function(event)
      note_all("event " .. event.name, event)
    end })
    finally(function() sign:close() service:stop() end)
    local session = assert(calls.sign(sign))
    note("session", session)
    assert(sign.sessions:wait(session, { timeout = 0.1 }) == nil)
    for item in sign.sessions:each() do note("item", item) end
    assert.is_true(#outputs > 30)
    search(personal)
    search { secret = service.client_secret, url = session.signatureUrl,
             token = sign.token:get(sign, nil, {}):match "^Bearer (.+)$",
             id = session.signatureUrl:match "sessionId=(.*)" }
  end)
end)
