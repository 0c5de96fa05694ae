-- The script of faults: each seen byte by byte, on a real socket.

local cjson = require "cjson"
local judges = require "spec.support.judges"
local service = require "spec.sandbox.service"
local socket = require "socket"

local LIST <const> = "/sign/signing-sessions"
local FAULTS <const> = "/_sandbox/faults"
local TOKEN <const> = "/auth/open/connect/token"

describe("the sandbox's faults", function()
  local sandbox

  setup(function() sandbox = service.start() end)
  before_each(function()
    sandbox:call("DELETE", FAULTS)
    sandbox:call("DELETE", "/_sandbox/journal")
  end)
  teardown(function() sandbox:finish() end)

  local function script(...) return sandbox:script { ... } end

  local function head(method, target, more)
    return ("%s %s HTTP/1.1\r\nHost: localhost\r\n"
      .. "Authorization: Bearer %s\r\n%s\r\n"):format(method, target,
      sandbox.token, more or "")
  end

  local function post(target, mime, body)
    return head("POST", target, ("Content-Type: %s\r\nContent-Length: %d\r\n")
      :format(mime, #body)) .. body
  end

  -- One connection, on which requests are sent and answers read.
  local Client = {}
  Client.__index = Client

  local function connect()
    local one = assert(socket.connect("127.0.0.1", sandbox.port))
    one:settimeout(30)
    return setmetatable({ socket = one }, Client)
  end

  function Client:send(bytes) assert(self.socket:send(bytes)) end

  -- Status, headers and the announced body of the next answer; nil when
  -- there is no byte of it. `size` is how much body to wait for instead.
  function Client:answer(size)
    local line = self.socket:receive "*l"
    if not line then return nil end
    local status, headers = tonumber(line:match "^HTTP/1.1 (%d+)"), {}
    for field in function() return self.socket:receive "*l" end do
      if field == "" then break end
      local name, value = field:match "^([^:]+): (.*)$"
      assert(not headers[name:lower()], name .. " came twice")
      headers[name:lower()] = value
    end
    size = size or tonumber(headers["content-length"])
    if size == 0 then return status, headers, "" end
    return status, headers, size and assert(self.socket:receive(size))
  end

  -- What else comes, and whether it ends with "closed" or not at all.
  function Client:rest(seconds)
    self.socket:settimeout(seconds or 10)
    local text, why, part = self.socket:receive "*a"
    if text then return text, "closed" end
    return part, why
  end

  function Client:close() self.socket:close() end

  -- Everything that answers one request, and how it ends.
  local function ask(bytes, seconds)
    local client = connect()
    client:send(bytes)
    local text, why = client:rest(seconds)
    client:close()
    return text, why
  end

  local function get(target) return head("GET", target) end

  local function last() return sandbox:journal()[1] end

  local function total()
    local _, page = sandbox:call("GET", LIST)
    return page.total
  end

  local new_session -- a request that makes one

  setup(function()
    local session = sandbox:session()
    new_session = post(LIST, "application/json", cjson.encode { {
      title = "Lost", documents = session.documents,
      signingSetup = session.signingSetup } })
  end)

  describe("of the connection", function()
    it("end it without a byte, and without the operation", function()
      for _, name in ipairs { "close", "reset" } do
        local before = total()
        script { operation = "createSigningSession", fault = name }
        assert.same({ "", "closed" }, { ask(new_session) })
        assert.equal(before, total())
        local entry = sandbox:journal "?operation=createSigningSession"
        entry = entry[#entry]
        assert.equal(service.null, entry.status)
        assert.equal(name, entry.fault)
        assert.is_true(entry.bodySize > 0)
      end
    end)

    it("end it by a FIN or by an RST, as curl tells them apart", function()
      local words = { close = { 52, "Empty reply from server" },
                      lost_answer = { 52, "Empty reply from server" },
                      reset = { 56, "Connection reset by peer" } }
      for name, expected in pairs(words) do
        script { operation = "*", fault = name }
        local said, code = judges.run("curl", "-sS", "--noproxy", "*",
          sandbox.url .. LIST)
        assert.equal(expected[1], code)
        assert.matches(expected[2], said, 1, true)
      end
    end)

    it("lose the answer after the operation was carried out", function()
      local before = total()
      script { operation = "createSigningSession", fault = "lost_answer" }
      assert.same({ "", "closed" }, { ask(new_session) })
      assert.equal(before + 1, total())
      local entry = sandbox:journal "?operation=createSigningSession"
      assert.equal(service.null, entry[1].status)
    end)

    it("strike only a connection that was used before, if asked", function()
      script { operation = "*", fault = "close", reused_only = true }
      assert.equal(200, (sandbox:call("GET", LIST)))
      local client = connect()
      client:send(get(LIST))
      assert.equal(200, (client:answer()))
      client:send(new_session)
      assert.same({ "", "closed" }, { client:rest() })
      client:close()
      local entries = sandbox:journal()
      assert.same({ 1, 2 }, { entries[2].turn, entries[3].turn })
      assert.equal(entries[2].connection, entries[3].connection)
      assert.equal(200, (sandbox:call("GET", LIST)))
    end)

    it("read the whole request first, however large", function()
      script { operation = "uploadDocument", fault = "close" }
      local size = 80 * 1024 * 1024
      local client = connect()
      client:send(head("POST", "/sign/documents",
        "Content-Type: text/plain\r\nContent-Length: " .. size .. "\r\n"))
      local piece = ("x"):rep(1024 * 1024)
      for _ = 1, 80 do client:send(piece) end
      assert.same({ "", "closed" }, { client:rest() })
      client:close()
      assert.equal(size, last().bodySize)
    end)

    it("refuse it until they are cleared, by another port", function()
      local control = script({ fault = "refuse" }).control
      for _ = 1, 3 do
        local none, why = socket.connect("127.0.0.1", sandbox.port)
        assert.is_nil(none)
        assert.equal("connection refused", why)
      end
      local plain = sandbox.url
      sandbox.url = control
      finally(function() sandbox.url = plain end)
      local _, left = sandbox:call("GET", FAULTS)
      assert.same({ { fault = "refuse" } }, left.faults)
      assert.equal(404, (sandbox:call("GET", LIST)))
      assert.equal(204, (sandbox:call("DELETE", FAULTS)))
      sandbox.url = plain
      connect():close()
      assert.equal(200, (sandbox:call("GET", LIST)))
      assert.equal(1, #sandbox:journal())
    end)

    it("let a connection live that was there before the refusal", function()
      local client = connect()
      client:send(get(LIST))
      assert.equal(200, (client:answer()))
      script { fault = "refuse" }
      client:send(get(LIST))
      assert.equal(200, (client:answer()))
      client:send(head("DELETE", FAULTS))
      assert.equal(204, (client:answer()))
      client:close()
      connect():close()
    end)
  end)

  describe("in the operation's place", function()
    it("answer with a status and a problem", function()
      for _, status in ipairs { 400, 401, 403, 404, 409, 429, 500, 502, 503,
                                504 } do
        script { operation = "createSigningSession", fault = "status",
                 status = status }
        local before = total()
        local client = connect()
        client:send(new_session)
        local got, headers, body = client:answer()
        client:close()
        assert.equal(status, got)
        assert.equal("application/problem+json", headers["content-type"])
        assert.equal(status, cjson.decode(body).status)
        assert.is_nil(headers["retry-after"])
        assert.equal(before, total())
      end
    end)

    it("answer to a token request, too", function()
      script { operation = "token", fault = "status", status = 503 }
      local status = sandbox:ask_token {}
      assert.equal(503, status)
      assert.equal(400, (sandbox:ask_token {
        client_id = sandbox.client_id,
        client_secret = sandbox.client_secret }))
      assert.equal("token", sandbox:journal()[1].operation)
      assert.equal(TOKEN, sandbox:journal()[1].path)
    end)

    local bodies = {
      { "html", "text/html", "^<!DOCTYPE html>.*</html>\n$" },
      { "empty", nil, "^$" },
      { "object", "application/json", "^{\"message\":\"no\"}$" },
      { "nonsense", "application/json", "^}no JSON" },
    }
    for _, case in ipairs(bodies) do
      it("answer with " .. case[1] .. " for a body", function()
        script { operation = "listSigningSessions", fault = "status",
                 status = 502, body = case[1] }
        local client = connect()
        client:send(get(LIST))
        local status, headers, body = client:answer()
        client:close()
        assert.equal(502, status)
        assert.equal(case[2], headers["content-type"])
        assert.matches(case[3], body)
        assert.equal(502, last().status)
      end)
    end

    it("say when to come again, in seconds or as a date", function()
      for _, status in ipairs { 429, 503 } do
        script({ operation = "*", fault = "status", status = status,
                 retry_after = 7 },
               { operation = "*", fault = "status", status = status,
                 retry_after = "date:+90", body = "empty" })
        local _, _, headers = sandbox:call("GET", LIST)
        assert.equal("7", headers["retry-after"])
        _, _, headers = sandbox:call("GET", LIST)
        local first, second = headers.date, headers["retry-after"]
        local shape = "^(%a+, %d%d %a+ %d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$"
        local day, hour, minute, second_of = first:match(shape)
        local later_day, h, m, s = second:match(shape)
        local passed = (h - hour) * 3600 + (m - minute) * 60 + s - second_of
        assert.equal(day == later_day and 90 or 90 - 86400, passed)
      end
    end)

    it("answer 200 with what is not the answer", function()
      script({ operation = "listSigningSessions", fault = "html" },
             { operation = "listSigningSessions", fault = "not_json" })
      local status, body, headers = sandbox:call("GET", LIST)
      assert.equal(200, status)
      assert.equal("text/html", headers["content-type"])
      assert.matches("^<!DOCTYPE html>", body)
      local text = ask(get(LIST), 0.2)
      assert.matches("^HTTP/1.1 200 OK\r\n", text)
      assert.matches("Content%-Type: application/json\r\n", text)
      assert.is_false((pcall(cjson.decode, text:match "\r\n\r\n(.*)$")))
    end)

    it("send the client elsewhere", function()
      for _, status in ipairs { false, 301, 302, 307, 308 } do
        script { operation = "*", fault = "redirect",
                 status = status or nil, location = "http://localhost:1/x" }
        local got, body, headers = sandbox:call("GET", LIST)
        assert.equal(status or 307, got)
        assert.equal("http://localhost:1/x", headers.location)
        assert.equal("", body)
      end
    end)

    it("let a client that waits with its body go on first", function()
      script { operation = "uploadDocument", fault = "status", status = 503 }
      local client = connect()
      client:send(head("POST", "/sign/documents", "Content-Type: text/plain"
        .. "\r\nContent-Length: 4\r\nExpect: 100-continue\r\n"))
      assert.equal(100, (client:answer()))
      client:send "four"
      assert.equal(503, (client:answer()))
      client:close()
    end)
  end)

  describe("of the answer's bytes", function()
    -- The answer as it should be, without its date.
    local function whole(bytes)
      local client = connect()
      client:send(bytes)
      local status, headers, body = client:answer()
      client:close()
      return status, headers, body
    end

    it("delay the first one", function()
      script { operation = "*", fault = "slow", milliseconds = 300 }
      local client = connect()
      local start = socket.gettime()
      client:send(get(LIST))
      assert.equal("H", client.socket:receive(1))
      assert.is_true(socket.gettime() - start >= 0.3)
      assert.equal("TTP/1.1 200 OK", client.socket:receive "*l")
      client:close()
    end)

    it("delay many at the same time, and nobody else", function()
      script { operation = "getDocument", fault = "slow", times = 20,
               milliseconds = 500 }
      local path = "/sign/documents/" .. sandbox:upload().documentId
      local clients, start = {}, socket.gettime()
      for i = 1, 20 do
        clients[i] = connect()
        clients[i]:send(get(path))
      end
      service.await("all of them", function()
        return #sandbox:journal "?operation=getDocument" == 20
      end)
      assert.equal(200, (sandbox:call("GET", LIST)))
      for _, client in ipairs(clients) do
        assert.equal(200, (client:answer()))
        client:close()
      end
      assert.is_true(socket.gettime() - start < 9) -- in turn it were ten
    end)

    it("stall in the middle until the client goes", function()
      local _, _, body = whole(get(LIST))
      script { operation = "listSigningSessions", fault = "stall" }
      local client = connect()
      client:send(get(LIST))
      local status, headers, half = client:answer(#body // 2)
      assert.equal(200, status)
      assert.equal(#body, tonumber(headers["content-length"]))
      assert.equal(body:sub(1, #body // 2), half)
      assert.same({ "", "timeout" }, { client:rest(0.2) })
      client:close()
      assert.equal("stall", sandbox:journal()[2].fault)
    end)

    it("cut it in the middle", function()
      local _, _, body = whole(get(LIST))
      script { operation = "listSigningSessions", fault = "cut" }
      local client = connect()
      client:send(get(LIST))
      local _, headers, half = client:answer(#body // 2)
      assert.equal(#body, tonumber(headers["content-length"]))
      assert.equal(body:sub(1, #body // 2), half)
      assert.same({ "", "closed" }, { client:rest() })
      client:close()
    end)

    it("cut and stall a large download, too", function()
      local bytes = ("0123456789"):rep(300000)
      local path = "/sign/documents/" .. sandbox:upload(bytes).documentId
      for name, ending in pairs { cut = "closed", stall = "timeout" } do
        script { operation = "getDocument", fault = name }
        local client = connect()
        client:send(get(path))
        local _, headers, half = client:answer(#bytes // 2)
        assert.equal(#bytes, tonumber(headers["content-length"]))
        assert.is_true(half == bytes:sub(1, #bytes // 2))
        assert.same({ "", ending }, { client:rest(0.2) })
        client:close()
      end
    end)

    it("begin no answer that has no body to break", function()
      for name, ending in pairs { cut = "closed", stall = "timeout" } do
        local path = "/sign/documents/" .. sandbox:upload().documentId
        script { operation = "deleteDocument", fault = name }
        local client = connect()
        client:send(head("DELETE", path))
        assert.same({ "", ending }, { client:rest(0.2) })
        client:close()
        assert.equal(404, (sandbox:call("GET", path)))
      end
    end)

    it("follow without end", function()
      script { operation = "listSigningSessions", fault = "flood" }
      local client = connect()
      client:send(get(LIST))
      local status, headers = client:answer()
      assert.equal(200, status)
      assert.equal("chunked", headers["transfer-encoding"])
      local size = 64 * 1024 * 1024
      assert.equal(size, #client.socket:receive(size))
      client:close()
      assert.equal(200, (sandbox:call("GET", LIST)))
    end)

    it("are announced as more than they are", function()
      local _, _, body = whole(get(LIST))
      script { operation = "*", fault = "wrong_length", by = 5 }
      local client = connect()
      client:send(get(LIST))
      local _, headers, got = client:answer(#body)
      assert.equal(#body + 5, tonumber(headers["content-length"]))
      assert.equal(body, got)
      assert.same({ "", "closed" }, { client:rest() })
      client:close()
    end)

    it("are announced as fewer, and the others come all the same", function()
      local _, _, body = whole(get(LIST))
      for _, by in ipairs { -1, -5, -#body, -999999 } do
        script { operation = "listSigningSessions", fault = "wrong_length",
                 by = by }
        local client = connect()
        client:send(get(LIST))
        local _, headers, got = client:answer(#body)
        assert.equal(math.max(#body + by, 1),
          tonumber(headers["content-length"]))
        assert.equal(body, got)
        client:send(get(LIST))
        assert.equal(200, (client:answer()))
        client:close()
      end
    end)
  end)

  describe("of the list", function()
    local paged

    setup(function()
      paged = service.start()
      paged:call("POST", "/_sandbox/seed", { sessions = 10 })
    end)
    teardown(function() paged:finish() end)

    local function page(query, name)
      if name then
        paged:script { { operation = "listSigningSessions", fault = name } }
      end
      local _, answer = paged:call("GET",
        LIST .. "?sort=%2BcreatedAt" .. query)
      assert.equal(answer.count, #answer.data)
      assert.equal(10, answer.total)
      return answer
    end

    it("empty a page", function()
      local answer = page("&limit=4&offset=4", "empty_page")
      assert.same({}, answer.data)
      assert.equal(4, answer.offset)
    end)

    it("shorten a page by its second half", function()
      local answer = page("&limit=4&offset=4", "short_page")
      local full = page "&limit=4&offset=4"
      assert.same({ full.data[1], full.data[2] }, answer.data)
    end)

    it("repeat the page before, as if it were the one asked for", function()
      local again = page("&limit=4&offset=4", "duplicate_page")
      assert.same(page("&limit=4&offset=0").data, again.data)
      assert.equal(4, again.offset)
      again = page("&limit=4&offset=2", "duplicate_page")
      assert.same(page("&limit=4&offset=0").data, again.data)
      assert.equal(2, again.offset)
    end)
  end)

  describe("of a document", function()
    it("change the hash that an upload and its facts are answered with",
      function()
        script({ operation = "uploadDocument", fault = "wrong_hash" },
               { operation = "getDocumentInfo", fault = "wrong_hash" })
        local wrong = sandbox:upload()
        local right = sandbox:upload()
        local hash = wrong.documentHash.hash
        assert.equal(#right.documentHash.hash, #hash)
        assert.not_equal(right.documentHash.hash, hash)
        local path = "/sign/documents/" .. wrong.documentId .. "/metadata"
        local _, facts = sandbox:call("GET", path)
        assert.equal(hash, facts.documentHash.hash)
        _, facts = sandbox:call("GET", path)
        assert.equal(right.documentHash.hash, facts.documentHash.hash)
      end)

    it("change the bytes of a download, not their number", function()
      local path = "/sign/documents/" .. sandbox:upload("Agreed").documentId
      script { operation = "getDocument", fault = "wrong_hash" }
      local _, bytes = sandbox:call("GET", path)
      assert.equal("@greed", bytes)
      _, bytes = sandbox:call("GET", path)
      assert.equal("Agreed", bytes)
    end)
  end)

  describe("as a script", function()
    it("strike in order, as often as they say, and are shown", function()
      script({ operation = "listSigningSessions", fault = "status",
               status = 503, times = 2, skip = 1 },
             { operation = "*", fault = "status", status = 418 })
      local got = {}
      for i = 1, 5 do got[i] = (sandbox:call("GET", LIST)) end
      assert.same({ 418, 503, 503, 200, 200 }, got)
      local _, left = sandbox:call("GET", FAULTS)
      assert.same({}, left.faults)
    end)

    it("show what is left of them", function()
      local answer = script { operation = "token", fault = "slow", times = 3,
                              milliseconds = 1 }
      assert.same({ { operation = "token", fault = "slow", times = 3,
                      skip = 0, milliseconds = 1 } }, answer.faults)
      sandbox:ask_token {}
      sandbox:call("GET", LIST)
      local _, left = sandbox:call("GET", FAULTS)
      assert.equal(2, left.faults[1].times)
      assert.equal(204, (sandbox:call("DELETE", FAULTS)))
      assert.equal(400, (sandbox:ask_token {
        client_id = sandbox.client_id,
        client_secret = sandbox.client_secret }))
    end)

    it("leave the levers themselves alone", function()
      script { operation = "*", fault = "close", times = 9 }
      assert.equal(200, (sandbox:call("GET", "/_sandbox/clock")))
      local _, left = sandbox:call("GET", FAULTS)
      assert.equal(9, left.faults[1].times)
    end)

    local refused = {
      { "[0].fault", { fault = "close2", operation = "*" } },
      { "[0].fault", { operation = "*" } },
      { "[0].operation", { fault = "close" } },
      { "[0].operation", { fault = "close", operation = "sessions:create" } },
      { "[0].operation", { fault = "empty_page", operation = "*" } },
      { "[0].operation", { fault = "wrong_hash", operation = "token" } },
      { "[0].operation", { fault = "refuse", operation = "*" } },
      { "[0].times", { fault = "close", operation = "*", times = 0 } },
      { "[0].skip", { fault = "close", operation = "*", skip = -1 } },
      { "[0].status", { fault = "status", operation = "*" } },
      { "[0].status", { fault = "status", operation = "*", status = 199 } },
      { "[0].status", { fault = "close", operation = "*", status = 500 } },
      { "[0].body", { fault = "status", operation = "*", status = 500,
                      body = "xml" } },
      { "[0].retry_after", { fault = "status", operation = "*", status = 503,
                             retry_after = "date:5" } },
      { "[0].retry_after", { fault = "status", operation = "*", status = 503,
                             retry_after = -1 } },
      { "[0].location", { fault = "redirect", operation = "*" } },
      { "[0].location", { fault = "redirect", operation = "*",
                          location = "/a\r\nb" } },
      { "[0].milliseconds", { fault = "slow", operation = "*" } },
      { "[0].by", { fault = "wrong_length", operation = "*", by = 0 } },
      { "[0].reused_only", { fault = "close", operation = "*",
                             reused_only = 1 } },
    }
    for i, case in ipairs(refused) do
      it(("are refused for %s (%d)"):format(case[1], i), function()
        local status, answer = sandbox:call("POST", FAULTS, { case[2] })
        assert.equal(400, status)
        assert.equal(case[1], answer.invalidParams[1].name)
        local _, left = sandbox:call("GET", FAULTS)
        assert.same({}, left.faults)
      end)
    end

    it("are refused when they are no list, or none at all", function()
      assert.equal(400, (sandbox:call("POST", FAULTS,
        { fault = "close", operation = "*" })))
      assert.equal(400, (sandbox:call("POST", FAULTS, "[]",
        { ["Content-Type"] = "application/json" })))
    end)
  end)

  it("leave no connection open that has ended", function()
    local function sockets()
      local said = judges.run("sh", "-c",
        "ls -l /proc/" .. sandbox.pid .. "/fd | grep -c socket:")
      return tonumber(said)
    end
    local before = sockets()
    for _, fault in ipairs { { fault = "cut" }, { fault = "stall" },
                             { fault = "close" }, { fault = "reset" },
                             { fault = "flood" },
                             { fault = "wrong_length", by = 5 } } do
      fault.operation, fault.times = "listSigningSessions", 10
      script(fault)
      for _ = 1, 10 do
        local client = connect()
        client:send(get(LIST))
        client.socket:settimeout(0.01)
        client.socket:receive(1)
        client:close()
      end
    end
    service.await("their end", function() return sockets() <= before end)
  end)

  it("do not hold up the end of the service", function()
    local one = service.start()
    one:script { { operation = "*", fault = "stall", times = 20 },
                 { operation = "*", fault = "slow", times = 20,
                   milliseconds = 600000 },
                 { operation = "*", fault = "flood", times = 5 } }
    local request = get(LIST):gsub(sandbox.token, one.token)
    local clients = {}
    for i = 1, 45 do
      clients[i] = assert(socket.connect("127.0.0.1", one.port))
      clients[i]:send(request)
    end
    service.await("all requests", function()
      return #one:journal "?operation=listSigningSessions" == 45
    end)
    local start = socket.gettime()
    one:finish()
    assert.is_true(socket.gettime() - start < 9) -- not the service's ten
    for _, client in ipairs(clients) do client:close() end
  end)
end)
