-- tls_spec.lua: whom a client trusts, with what it shows itself, through what
-- it goes and which HTTP it speaks: the sandbox over TLS, an nginx in front of
-- one, and a proxy.

local core = require "signicat.core"
local helper = require "spec.helper"
local nginx = require "spec.support.nginx"
local sandbox = require "signicat.sandbox"
local signicat = require "signicat"

local function started(how)
  return assert(sandbox.start { tls = how })
end

describe("a sandbox over TLS", function()
  local service

  after_each(function() service:stop() end)

  local function client(tls, more)
    local given = { tls = tls }
    for name, value in pairs(more or {}) do given[name] = value end
    return assert(service:client(given))
  end

  local function refused(tls)
    local sign = client(tls)
    local value, err = sign.sessions:list()
    sign:close()
    assert.is_nil(value)
    assert.same({ "tls", "tls", false, false },
      { err.kind, err.phase, err.sent, err.retryable })
    return err
  end

  it("is trusted with its authority, as a file or as text", function()
    service = started "good"
    for _, tls in ipairs { { ca_file = service.ca_file },
                           { ca_pem = helper.read(service.ca_file) } } do
      local sign = client(tls)
      assert(sign.sessions:list())
      sign:close()
    end
  end)

  it("is not trusted without", function()
    service = started "good"
    refused(nil)
    refused { ca_file = "/etc/ssl/certs/ca-certificates.crt" }
  end)

  for _, how in ipairs { "wrong-name", "expired", "untrusted" } do
    it("is refused when it is " .. how .. ", but for who trusts anybody",
      function()
        service = started(how)
        refused { ca_file = service.ca_file }
        local sign = client { insecure = true }
        assert(sign.sessions:list())
        sign:close()
        -- Nor does it get in by what that one began.
        refused { ca_file = service.ca_file }
      end)
  end

  it("keeps a path that is wrong out of the line", function()
    service = started "good"
    local err = refused { ca_file = "/nowhere/of/mine.pem" }
    assert.is_nil(tostring(err):find("mine.pem", 1, true))
    assert.is_truthy(err.detail:find("mine.pem", 1, true))
    err = refused { ca_file = service.ca_file, cert = "/nowhere/of/mine.pem" }
    assert.is_nil(tostring(err):find("mine.pem", 1, true))
  end)
end)

describe("an nginx in front of a sandbox", function()
  local service, front, folder, remove
  local document, big

  setup(function()
    service = assert(sandbox.start())
    folder, remove = nginx.folder()
    nginx.certificates(folder)
    big = ("0123456789abcdef"):rep(200000)
    assert(nginx.run("mkdir " .. folder .. "/slow"))
    helper.write(folder .. "/slow/" .. helper.document, big)
    front = nginx.start(folder, (([[
      server {
        listen 127.0.0.1:PORT ssl http2;
        ssl_certificate server.pem;
        ssl_certificate_key server.key;
        ssl_client_certificate ca.pem;
        ssl_verify_client optional;
        ssl_session_cache shared:sessions:1m;
        add_header X-Resumed $ssl_session_reused always;
        location /sign/ {
          proxy_pass SERVICE;
          proxy_request_buffering off;
          proxy_buffering off;
        }
        location /auth/ { proxy_pass SERVICE; }
        location /closed/signing-sessions {
          if ($ssl_client_verify != SUCCESS) { return 403; }
          proxy_pass SERVICE/sign/signing-sessions;
        }
        location /slow/documents/ {
          alias FOLDER/slow/;
          limit_rate 1700k; # so much at once, the rest a second later
        }
      }
]]):gsub("SERVICE", service.url):gsub("FOLDER", folder)))
    local sign = assert(service:client())
    document = assert(sign.documents:upload {
      content = big, type = "text/plain" })
    sign:close()
  end)
  teardown(function()
    front:stop()
    service:stop()
    remove()
  end)

  local clients = {}
  after_each(function()
    for i, client in ipairs(clients) do
      client:close()
      clients[i] = nil
    end
  end)

  local function client(given, path)
    local all = {
      base_url = "https://127.0.0.1:" .. front.port .. (path or "/sign"),
      tls = { ca_file = folder .. "/ca.pem" },
    }
    if not (given and given.token) then
      all.client_id = service.client_id
      all.client_secret = service.client_secret
    end
    for name, value in pairs(given or {}) do all[name] = value end
    clients[#clients + 1] = assert(signicat.new(all))
    return clients[#clients]
  end

  local mark
  before_each(function() mark = #front:log() end)

  -- Which HTTP a request of this test spoke; its line in the log may come
  -- after its answer.
  local function spoken(request)
    for _ = 1, 6000 do
      local lines = front:log()
      for i = #lines, mark + 1, -1 do
        if lines[i]:sub(1, #request) == request then
          return lines[i]:match "HTTP/%S+"
        end
      end
      core.sleep(0.01)
    end
  end

  describe("that asks for a certificate", function()
    local function pem(name)
      return helper.read(folder .. "/" .. name)
    end

    it("is shown the client's own, as files or as text", function()
      for _, tls in ipairs {
        { cert = folder .. "/client.pem", key = folder .. "/client.key" },
        { cert = pem "client.pem", key = pem "client.key" },
        { cert = pem "client.pem" .. pem "client.key" },
      } do
        tls.ca_file = folder .. "/ca.pem"
        assert(client({ tls = tls }, "/closed").sessions:list())
      end
    end)

    it("refuses who shows none", function()
      local _, err = client({}, "/closed").sessions:list()
      assert.equal("forbidden", err.kind)
    end)

    it("is shown nothing with another's key", function()
      local _, err = client({ tls = { ca_file = folder .. "/ca.pem",
        cert = pem "client.pem", key = pem "server.key" } }, "/closed")
        .sessions:list()
      assert.equal("tls", err.kind)
      assert.is_nil(tostring(err):find("PRIVATE", 1, true))
    end)
  end)

  describe("has its sessions resumed", function()
    local text = 0

    -- Of a client with such a `tls`.
    local function resumed(tls, host)
      local sign = client { tls = tls, token = "t",
        base_url = ("https://%s:%d/sign"):format(host or "127.0.0.1",
                                                 front.port) }
      local _, err, meta = sign.sessions:list()
      assert.equal("auth", err.kind) -- of the service: the token is no token
      return meta.headers["x-resumed"]
    end

    -- A trust that no session has been begun with.
    local function trust()
      text = text + 1
      return helper.read(folder .. "/ca.pem") .. ("\n"):rep(text)
    end

    it("by other clients that trust the same", function()
      local one, other = trust(), trust()
      assert.same({ ".", "r", "." }, { resumed { ca_pem = one },
        resumed { ca_pem = one }, resumed { ca_pem = other } })
    end)

    it("by none that trusts less than who began it", function()
      local one = trust()
      local function of(insecure)
        return resumed { ca_pem = one, insecure = insecure }
      end
      assert.same({ ".", "r", ".", "r" },
        { of(true), of(true), of(nil), of(nil) })
    end)

    it("by none that shows another certificate, or none", function()
      local one = trust()
      local function of(name)
        return resumed { ca_pem = one, cert = name and folder .. "/client.pem",
                         key = name and folder .. "/client.key" }
      end
      assert.same({ ".", ".", "r" },
        { of "client", of(nil), of "client" })
    end)

    it("by none that knows it by another name", function()
      local one = trust()
      assert.same({ ".", ".", "r" }, { resumed({ ca_pem = one }),
        resumed({ ca_pem = one }, "localhost"), resumed({ ca_pem = one }) })
    end)
  end)

  describe("speaks", function()
    it("HTTP/2 where nothing is said", function()
      assert(client().sessions:list())
      assert.equal("HTTP/2.0", spoken "GET /sign")
    end)

    it("HTTP/1.1 where that is said", function()
      assert(client({ http_version = "1.1" }).sessions:list())
      assert.equal("HTTP/1.1", spoken "GET /sign")
    end)

    it("HTTP/1.1 for a long body, also after HTTP/2", function()
      local sign = client()
      assert(sign.sessions:list())
      local _, meta = assert(sign.documents:upload {
        content = big, type = "text/plain" })
      assert.is_true(meta.verified)
      assert.equal("HTTP/2.0", spoken "GET /sign")
      assert.equal("HTTP/1.1", spoken "POST /sign")
    end)

    it("HTTP/2 for it where that is said", function()
      local sign = client { http_version = "2" }
      local _, meta = assert(sign.documents:upload {
        content = big, type = "text/plain" })
      assert.is_true(meta.verified)
      assert.equal("HTTP/2.0", spoken "POST /sign")
    end)
  end)

  describe("over HTTP/2 lets", function()
    local sign

    before_each(function() sign = client { http_version = "2" } end)

    it("a reader supply, slowly and by small pieces", function()
      local at = 1
      local _, meta = assert(sign.documents:upload { type = "text/plain",
        size = 300000, reader = function()
          if at > 300000 then return nil end
          local piece = big:sub(at, math.min(at + 9999, 300000))
          at = at + #piece
          sign.sleep(0.002)
          return piece
        end })
      assert.is_true(meta.verified)
      assert.equal("HTTP/2.0", spoken "POST /sign")
    end)

    it("a reader stop in the middle, and the connection go on", function()
      local turn = 0
      local _, err = sign.documents:upload { type = "text/plain", size = 10^6,
        reader = function()
          turn = turn + 1
          if turn == 3 then return nil, "torn" end
          return big:sub(1, 50000)
        end }
      assert.same({ "io", "torn" }, { err.kind, err.detail })
      local _, meta = assert(sign.sessions:list())
      assert.equal(200, meta.status)
    end)

    it("a writer take, slowly", function()
      local parts = {}
      local _, meta = assert(sign.documents:download(document,
        { to = function(bytes)
          parts[#parts + 1] = bytes
          sign.sleep(0.002)
          return true
        end }))
      assert.is_true(meta.verified)
      assert.is_true(big == table.concat(parts))
      assert.equal("HTTP/2.0", spoken "GET /sign/documents")
    end)

    it("a writer call the client", function()
      local turn = 0
      assert(sign.documents:download(document, { to = function()
        turn = turn + 1
        if turn == 2 then assert(sign.sessions:list()) end
        return true
      end }))
      assert.is_true(turn > 2)
    end)
  end)

  it("continues what a timeout broke off", function()
    local target = folder .. "/got"
    local sign = client({ token = "t" }, "/slow")
    local path, meta = assert(sign.documents:download(helper.document,
      { to = target, timeout = 0.8, retries = 9 }))
    assert.equal(target, path)
    assert.is_true(big == helper.read(target))
    assert.equal(206, meta.status)
    assert.is_true(meta.attempts > 1)
    -- Which attempts nginx knows of is up to how far each came.
    local whole, parts
    for _ = 1, 6000 do
      whole, parts = 0, 0
      local log = front:log()
      for i = mark + 1, #log do
        if log[i]:find " 206 bytes=[1-9]%d*%-$" then
          parts = parts + 1
        else
          assert.matches(" 200 %-$", log[i])
          whole = whole + 1
        end
      end
      if whole > 0 and parts > 0 then break end
      core.sleep(0.01)
    end
    assert.is_true(whole > 0 and parts > 0)
    assert.is_true(whole + parts <= meta.attempts)
  end)
end)

describe("a stream that is refused before its body left", function()
  local folder, remove, process, sign, url

  setup(function()
    folder, remove = nginx.folder()
    nginx.certificates(folder)
  end)
  teardown(function() remove() end)

  before_each(function()
    process = assert(core.spawn("node", { "spec/support/refusing.mjs",
      folder .. "/server.key", folder .. "/server.pem" }))
    url = "https://127.0.0.1:" .. assert(process:read_line(60))
    sign = assert(signicat.new { base_url = url, token = "t", retries = 0,
                                 tls = { ca_file = folder .. "/ca.pem" } })
    assert(sign:request("GET", "/"))
  end)
  after_each(function()
    sign:close()
    process:kill()
  end)

  it("is begun again with all of it", function()
    local content = ("x"):rep(300000)
    local document, meta = assert(sign.documents:upload { content = content,
                                                          type = "text/plain" })
    assert.same({ 2, #content }, { document.seen, document.length })
    assert.is_true(meta.resent)
  end)

  it("is begun again, however short it was, if that is said to be safe",
    function()
      local request = assert(core.raw_request({ base_url = url }, "POST",
        "/token", { content = "a=b", type = "text/plain", repeatable = true }))
      local answer = assert(sign.transport:send(request))
      assert.same({ seen = 2, length = 3,
        documentId = helper.document }, core.json_decode(answer.body))
    end)
end)

describe("a proxy", function()
  local proxy, port, service
  local PASSWORD = "bTpwZW5jaWw6L0A=" -- m:pencil:/@

  local function start(password)
    proxy = assert(core.spawn(helper.lua,
      { "spec/support/proxy.lua", password }))
    port = assert(proxy:read_line(20))
  end

  after_each(function()
    proxy:kill()
    if service then service:stop() end
    service = nil
  end)

  local function client(userinfo, more)
    local given = { proxy = "http://" .. userinfo .. "127.0.0.1:" .. port,
                    token = "t" }
    for name, value in pairs(more or {}) do given[name] = value end
    return assert(service:client(given))
  end

  it("is asked for a tunnel to a service over TLS", function()
    start()
    service = started "good"
    local sign = client("", { tls = { ca_file = service.ca_file } })
    local _, err = sign.sessions:list()
    assert.equal("auth", err.kind) -- of the service: the token is no token
    assert.equal("CONNECT " .. service.url:match("//(.*)$") .. " HTTP/1.1",
      proxy:read_line(20))
    sign:close()
  end)

  it("is told the whole address of a service without", function()
    start()
    service = assert(sandbox.start())
    local sign = client ""
    local _, err = sign.sessions:list()
    assert.equal("auth", err.kind)
    assert.equal("GET " .. service.url .. "/sign/signing-sessions HTTP/1.1",
      proxy:read_line(20))
    sign:close()
  end)

  it("gets the password, which nobody else does", function()
    start(PASSWORD)
    service = started "good"
    local tls = { ca_file = service.ca_file }
    local sign = client("m:pencil%3A%2F%40@", { tls = tls })
    local _, err = sign.sessions:list()
    assert.equal("auth", err.kind)
    sign:close()

    sign = client("m:pencil2@", { tls = tls })
    _, err = sign.sessions:list()
    assert.same({ "connect", "connect", false },
      { err.kind, err.phase, err.sent })
    for _, text in ipairs { tostring(err), err.detail or "", err.note or "",
                            tostring(sign) } do
      assert.is_nil(text:find("pencil", 1, true))
    end
    sign:close()
  end)

  it("that nobody is leaves the password out of the failure", function()
    start()
    service = assert(sandbox.start())
    for _, address in ipairs { "http://m:pencil@127.0.0.1:1",
      "https://m:pencil@127.0.0.1:" .. port,
      "socks5h://m:pencil@127.0.0.1:1" } do
      local sign = assert(service:client { proxy = address, token = "t" })
      local value, err = sign.sessions:list({}, { retries = 0, timeout = 5 })
      assert.is_nil(value)
      for _, text in pairs(err) do
        assert.is_nil(tostring(text):find("pencil", 1, true))
      end
      sign:close()
    end
  end)

  it("is passed by for the hosts of no_proxy", function()
    start()
    service = assert(sandbox.start())
    proxy:kill()
    local sign = client("", { no_proxy = "other.example,127.0.0.1" })
    local _, err = sign.sessions:list()
    assert.equal("auth", err.kind)
    sign:close()
  end)

  it("of the environment is not asked", function()
    start()
    service = assert(sandbox.start())
    local output = helper.run(([[
      local sign = require "signicat".new { base_url = %q, token = "t" }
      print(select(2, sign.sessions:list()).kind)
      sign = require "signicat".new { base_url = %q, token = "t",
        proxy = "http://127.0.0.1:1" }
      print(select(2, sign.sessions:list({}, { retries = 0 })).kind)]])
      :format(service.url .. "/sign", service.url .. "/sign"),
      "http_proxy=http://127.0.0.1:1 all_proxy=http://127.0.0.1:1 "
      .. "no_proxy='*'")
    assert.equal("auth\nconnect\n", output)
  end)
end)
