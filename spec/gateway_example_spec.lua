-- gateway_example_spec.lua: examples/openresty in a real nginx with two
-- workers, from the upload to the signed document, and events.

if not rawget(_G, "jit") then return end

local helper = require "spec.helper"
local http = require "socket.http"
local lfs = require "lfs"
local ltn12 = require "ltn12"
local nginx = require "spec.support.nginx"
local openresty = require "spec.support.openresty"
local sandbox = require "signicat.sandbox"
local signicat = require "signicat"
local socket = require "socket"

local SECRET = "whsec-gateway"

-- What the example's own nginx.conf says inside of `http { }`, at our places.
local function configuration()
  local text = helper.read "examples/openresty/nginx.conf"
    :match "\nhttp {\n(.*)\n}\n"
  for _, name in ipairs { "access_log", "lua_package_path",
                          "lua_package_cpath", "resolver",
                          "lua_ssl_trusted_certificate" } do
    local count
    text, count = text:gsub("\n%s*" .. name .. " [^\n]*", "")
    assert(count <= 1, name)
  end
  return (text:gsub("127.0.0.1:8080", "127.0.0.1:PORT reuseport"))
end

describe("the gateway in nginx", function()
  local service, sign, server, folder, remove

  setup(function()
    service = assert(sandbox.start())
    sign = assert(service:client())
    folder, remove = nginx.folder()
    server = openresty.start(folder, configuration(), { workers = 2,
      main = ("env SIGNICAT_BASE_URL=%s/sign;\nenv SIGNICAT_TOKEN_URL=%s"
        .. "/auth/open/connect/token;\nenv SIGNICAT_CLIENT_ID=%s;\n"
        .. "env SIGNICAT_CLIENT_SECRET=%s;\nenv SIGNICAT_EVENT_SECRET=%s;\n")
        :format(service.url, service.url, service.client_id,
        service.client_secret, SECRET) })
    assert(lfs.mkdir(folder .. "/results"))
  end)

  teardown(function()
    server:stop()
    sign:close()
    service:stop()
    remove()
  end)

  local function at(path)
    return "http://127.0.0.1:" .. server.port .. path
  end

  local function post(bytes, type)
    local said = {}
    local _, status, headers = http.request { method = "POST", redirect = false,
      url = at "/sign?title=Lease%2017", source = ltn12.source.string(bytes),
      sink = ltn12.sink.table(said),
      headers = { ["content-length"] = #bytes, ["content-type"] = type } }
    return status, headers, table.concat(said)
  end

  it("takes a document, sends the signer on and serves the result", function()
    assert(service:clear_journal())
    local lease = helper.read "examples/lease.pdf"
    local back = {}
    for i = 1, 8 do
      local status, headers = post(lease, "application/pdf")
      assert.equal(303, status)
      local session = assert(sign.sessions:list { limit = 1,
        sort = "-createdAt" }).data[1]
      assert.equal("Lease 17", session.title)
      local url = assert(sign.sessions:get(session.id)).signatureUrl
      assert.equal(url, headers.location)
      back[i] = { id = session.id, url = assert(sign.sessions:get(session.id))
        .redirectSettings.success }
    end
    for i, one in ipairs(back) do
      local said, status = http.request(one.url)
      assert.same({ "READY\n", 202 }, { said, status })
      assert(service:sign(one.id))
      local done = assert(sign.sessions:get(one.id))
      local signed = assert(sign.documents:download(
        done.output.signatures[1].resultDocumentId))
      local sent
      sent, status = http.request(one.url)
      assert.equal(200, status)
      assert.is_true(signed == sent, "the signed document " .. i)
      assert.is_true(#sent > #lease)
    end
    -- Its workers share one token; the other is ours.
    assert.is_true(#assert(service:journal { operation = "token" }) <= 2)
  end)

  it("passes a large document on in pieces", function()
    local bytes = ("A line of text, and many like it.\n"):rep(300000)
    local status = post(bytes, "text/plain")
    assert.equal(303, status)
    local session = assert(sign.sessions:list { limit = 1,
      sort = "-createdAt" }).data[1]
    local document = assert(sign.sessions:get(session.id)).documents[1]
    assert.is_true(bytes == assert(sign.documents:download(
      document.documentId)))
  end)

  it("tells no stranger anything", function()
    local said, status = http.request(at "/result/00000000")
    assert.equal(404, status)
    assert.falsy(said:find("session", 1, true))
    local _, _, words = post("", "application/pdf")
    assert.falsy(words:find("http://", 1, true))
    status, _, said = post("GIF89a", "image/gif")
    assert.equal(415, status)
    assert.equal("this cannot be done now\n", said)
  end)

  local function send(raw, headers)
    headers["content-length"] = #raw
    local _, status = http.request { method = "POST", url = at "/events",
      headers = headers, source = ltn12.source.string(raw) }
    return status
  end

  -- Until every event there is has that state.
  local function all_events(state)
    for _ = 1, 2000 do
      local left = 0
      for _, event in ipairs(assert(service:events())) do
        if event.state ~= state then left = left + 1 end
      end
      if left == 0 then return end
      socket.sleep(0.01)
    end
    error("not all events are " .. state)
  end

  local function result_of(session)
    local id = assert(sign.sessions:get(session.id)).output.signatures[1]
      .resultDocumentId
    return folder .. "/results/" .. id, id
  end

  local function new_session()
    return assert(sign:sign { file = { path = "examples/lease.pdf" },
      title = "Lease", signingSetup = { { signingFlow = "PKISIGNING",
                                          vendor = "NBID" } } })
  end

  it("fetches what was signed when an event says so, once each", function()
    assert(service:subscribe { url = at "/events", secret = SECRET })
    assert(service:clear_journal())
    local sessions = {}
    for i = 1, 8 do
      sessions[i] = new_session()
      assert(service:sign(sessions[i]))
    end
    all_events "DELIVERED"
    assert.equal(8, #assert(service:journal { operation = "getDocument" }))
    for _ = 1, 3 do
      for _, event in ipairs(assert(service:events())) do
        assert(service:deliver(event))
      end
      all_events "DELIVERED"
    end
    local events = assert(service:events())
    assert.equal(16, #events)
    for _, event in ipairs(events) do assert.equal("204", event.outcome) end
    assert.equal(8, #assert(service:journal { operation = "getDocument" }))
    for _, session in ipairs(sessions) do
      local path, id = result_of(session)
      assert.is_true(helper.read(path) == assert(sign.documents:download(id)))
    end
  end)

  it("takes an event again when what it tells of could not be had", function()
    assert(service:reset())
    sign:close()
    sign = assert(service:client())
    assert(service:subscribe { url = at "/events", secret = SECRET })
    -- Once for the worker's old token, then as often as it is asked again.
    assert(service:faults { { operation = "getDocument", fault = "status",
                              status = 500, times = 9 } })
    local session = new_session()
    assert(service:sign(session))
    local event
    for _ = 1, 2000 do
      event = assert(service:events())[2]
      if event.attempts > 0 then break end
      socket.sleep(0.01)
    end
    assert.same({ "PENDING", "503" }, { event.state, event.outcome })
    assert.is_nil(lfs.attributes((result_of(session))))
    assert(service:clear_faults())
    assert(service:deliver(event))
    all_events "DELIVERED"
    local path, id = result_of(session)
    assert.is_true(helper.read(path) == assert(sign.documents:download(id)))
  end)

  it("takes an event again that it could make nothing of", function()
    local raw, headers = signicat.events.sign({ id = "odd", eventData = {},
      eventName = "signing-session.completed" }, SECRET,
      { scheme = "body-hmac-sha256" })
    for _ = 1, 2 do assert.equal(503, send(raw, headers)) end
  end)

  it("believes no event that is not the service's", function()
    local session = new_session()
    assert(service:clear_journal())
    local body = { id = "forged", eventName = "signing-session.completed",
                   timestamp = "2025-04-01T17:32:28Z",
                   eventData = { id = session.id } }
    local scheme = { scheme = "body-hmac-sha256" }
    local raw, headers = signicat.events.sign(body, SECRET .. "?", scheme)
    assert.equal(400, send(raw, headers))
    assert.equal(400, send(raw, {}))
    raw, headers = signicat.events.sign(body, SECRET, scheme)
    assert.equal(400, send(raw .. " ", headers))
    body.expiresAt = "2025-04-01T18:32:28Z"
    raw, headers = signicat.events.sign(body, SECRET, scheme)
    assert.equal(400, send(raw, headers))
    assert.equal(413, send(("x"):rep(70000), {}))
    assert.same({}, assert(service:journal()))
  end)
end)
