-- Hosts, paths, methods, sizes: what is decided before a handler is asked.

local service = require "spec.sandbox.service"
local socket = require "socket"

local LIST <const> = "/sign/signing-sessions"

describe("the sandbox's server", function()
  local sandbox

  setup(function() sandbox = service.start("--max-upload", "1000") end)
  teardown(function() sandbox:finish() end)

  local function status_of(text)
    return tonumber((text or ""):match "^HTTP/1.1 (%d+)")
  end

  for _, host in ipairs { "127.0.0.1", "localhost:8080", "LOCALHOST",
                          "[::1]:1" } do
    it("answers as " .. host, function()
      assert.equal(200, (sandbox:call("GET", LIST, nil, { Host = host })))
    end)
  end

  for _, host in ipairs { "evil.example", "127.0.0.1.evil.example",
                          "localhost.evil.example:80", "127.0.0.1:80x", "::1",
                          "127.0.0.2", "0.0.0.0", "[::1", "" } do
    it(("refuses the host %q everywhere"):format(host), function()
      for _, path in ipairs { LIST, "/_sandbox/ca.pem", "/sign/", "/x" } do
        local status, answer = sandbox:call("GET", path, nil, { Host = host })
        assert.equal(421, status)
        assert.equal("misdirected_request", answer.code)
      end
    end)
  end

  it("lets no page from the web at a lever", function()
    local document = sandbox:upload()
    for _, path in ipairs { "/_sandbox/reset", "/%5Fsandbox/reset" } do
      for _, origin in ipairs { "https://evil.example", "null", "",
                                "http://localhost.evil.example" } do
        local status, answer = sandbox:call("POST", path, nil,
          { Origin = origin })
        assert.equal(421, status)
        assert.equal("misdirected_request", answer.code)
      end
    end
    assert.equal(200, (sandbox:call("GET",
      "/sign/documents/" .. document.documentId)))
    assert.equal(200, (sandbox:call("GET", "/_sandbox/clock", nil,
      { Origin = sandbox.url })))
  end)

  it("refuses a request of two hosts, or of none", function()
    assert.equal(421, status_of(sandbox:raw("GET /_sandbox/ca.pem HTTP/1.1\r\n"
      .. "Host: localhost\r\nHost: evil.example\r\n"
      .. "Connection: close\r\n\r\n")))
    assert.equal(421, status_of(
      sandbox:raw "GET /_sandbox/ca.pem HTTP/1.0\r\n\r\n"))
  end)

  it("answers 404 where there is nothing", function()
    for _, path in ipairs { "/", "/sign", "/sign/documentx", "//",
                            "/sign/documents/", "/sign/documents/a/b",
                            "/sign/documents%2Fa", "/a/b/c/d/e/f/g/h/i/j",
                            "/" .. ("x"):rep(2000) } do
      local status, answer, headers = sandbox:call("GET", path)
      assert.equal(404, status)
      assert.equal("not_found", answer.code)
      assert.equal("application/problem+json", headers["content-type"])
    end
  end)

  it("answers 400 to a path that cannot be read", function()
    for _, path in ipairs { "/sign/%", "/sign/%g0", "/%00", "/%ff" } do
      assert.equal(400, (sandbox:call("GET", path)))
    end
  end)

  it("reads a path's letters however they are written", function()
    assert.equal(200, (sandbox:call("GET", "/%73ign/signing%2Dsessions")))
  end)

  local methods = {
    { "PUT", "/sign/documents", "POST" },
    { "GET", "/sign/documents", "POST" },
    { "POST", "/sign/documents/" .. service.unknown_id, "GET, DELETE" },
    { "PUT", "/sign/documents/17/metadata", "GET, PATCH" },
    { "PATCH", LIST, "POST, GET" },
    { "GET", "/auth/open/connect/token", "POST" },
    { "POST", "/_sandbox/ca.pem", "GET" },
    { "OPTIONS", LIST, "POST, GET" },
  }
  for _, case in ipairs(methods) do
    it(("answers 405 to %s %s"):format(case[1], case[2]), function()
      local status, answer, headers = sandbox:call(case[1], case[2])
      assert.equal(405, status)
      assert.equal("method_not_allowed", answer.code)
      assert.equal(case[3], headers.allow)
    end)
  end

  it("writes problems with all their parts", function()
    local _, first = sandbox:call("GET", "/x")
    local _, second = sandbox:call("GET", "/x")
    assert.equal(404, first.status)
    assert.equal("Not found", first.title)
    assert.is_string(first.detail)
    assert.matches("^" .. ("%x"):rep(32) .. "$", first.traceId)
    assert.not_equal(first.traceId, second.traceId)
  end)

  local text = { ["Content-Type"] = "text/plain" }

  it("takes a document of the largest size and none larger", function()
    assert.equal(200, (sandbox:call("POST", "/sign/documents",
      ("x"):rep(1000), text)))
    local status, answer = sandbox:call("POST", "/sign/documents",
      ("x"):rep(1001), text)
    assert.equal(413, status)
    assert.equal("payload_too_large", answer.code)
  end)

  it("answers before the body to a client that waits with it", function()
    local answer = sandbox:raw(sandbox:head("POST", "/sign/documents",
      "Content-Type: text/plain\r\nContent-Length: 1001\r\n"
      .. "Expect: 100-continue\r\n"))
    assert.equal(413, status_of(answer))
  end)

  it("counts a document that comes in chunks", function()
    local answer = sandbox:raw(sandbox:head("POST", "/sign/documents",
      "Content-Type: text/plain\r\nConnection: close\r\n"
      .. "Transfer-Encoding: chunked\r\n")
      .. ("80\r\n" .. ("x"):rep(128) .. "\r\n"):rep(10), "0\r\n\r\n")
    assert.equal(413, status_of(answer))
  end)

  it("delivers a refusal to a client that sends megabytes anyway", function()
    local body = ("x"):rep(8 * 1024 * 1024)
    for _ = 1, 5 do
      assert.equal(413, (sandbox:call("POST", "/sign/documents", body, text)))
      assert.equal(401, (sandbox:call("POST", "/sign/documents", body,
        { Authorization = false })))
    end
  end)

  it("takes a mebibyte of JSON and no more", function()
    local json = { ["Content-Type"] = "application/json" }
    local most = 1024 * 1024
    assert.equal(400, (sandbox:call("POST", LIST, (" "):rep(most), json)))
    assert.equal(413, (sandbox:call("POST", LIST, (" "):rep(most + 1), json)))
  end)

  it("keeps a connection open over several requests", function()
    local request = sandbox:head("GET", LIST)
    local answer = sandbox:raw(request, request,
      sandbox:head("GET", LIST, "Connection: close\r\n"))
    assert.equal(3, select(2, answer:gsub("HTTP/1.1 200", "")))
  end)

  it("answers others while clients dawdle", function()
    local slow = {}
    for i = 1, 40 do
      slow[i] = assert(socket.connect("127.0.0.1", sandbox.port))
      slow[i]:send(sandbox:head("POST", "/sign/documents",
        "Content-Type: text/plain\r\nContent-Length: 100\r\n") .. "x")
    end
    for _ = 1, 20 do assert.equal(200, (sandbox:call("GET", LIST))) end
    for _, connection in ipairs(slow) do connection:close() end
  end)

  it("has room again when hundreds have gone in the middle", function()
    local begun = { "GET /sign/sig", sandbox:head("POST", "/sign/documents",
      "Content-Type: text/plain\r\nContent-Length: 900\r\n") .. "x" }
    for i = 1, 1200 do
      local connection = assert(socket.connect("127.0.0.1", sandbox.port))
      connection:send(begun[i % 2 + 1])
      connection:close()
    end
    assert.equal(200, status_of(sandbox:raw(sandbox:head("GET", LIST,
      "Connection: close\r\n"))))
  end)

  it("lives through what is not HTTP", function()
    for _, bytes in ipairs {
      "\0\1\2\3\r\n\r\n", "GET\r\n\r\n", ("x"):rep(100000),
      "GET / HTTP/1.1\r\nHost\r\n\r\n", "GET " .. ("/a"):rep(40000),
      "POST /sign/documents HTTP/1.1\r\nHost: localhost\r\n"
        .. "Content-Length: -1\r\n\r\n",
      "POST /sign/documents HTTP/1.1\r\nHost: localhost\r\n"
        .. "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
      "GET http://localhost/sign/ HTTP/1.1\r\nHost: localhost\r\n"
        .. "Connection: close\r\n\r\n",
    } do
      local connection = assert(socket.connect("127.0.0.1", sandbox.port))
      connection:send(bytes)
      connection:close()
    end
    assert.equal(200, (sandbox:call("GET", LIST)))
  end)
end)
