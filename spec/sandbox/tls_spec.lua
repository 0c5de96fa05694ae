-- https with the certificates that tests need, as curl and openssl see it.

local cjson = require "cjson"
local judges = require "spec.support.judges"
local service = require "spec.sandbox.service"

describe("the sandbox over TLS", function()
  local sandbox

  after_each(function()
    if sandbox then sandbox:finish() end
    sandbox = nil
  end)

  local function start(kind, ...)
    sandbox = service.start("--tls", kind, ...)
  end

  -- curl's words and exit code; trusts what the sandbox tells to trust.
  local function curl(...)
    return judges.run("curl", "-sS", "--noproxy", "*", "--cacert",
      sandbox.ca_file, ...)
  end

  -- The levers' port is plain: what speaks to it speaks no TLS.
  local function control(method, path, body)
    local url = sandbox.url
    sandbox.url = sandbox.control
    local status, answer = sandbox:call(method, "/_sandbox" .. path, body)
    sandbox.url = url
    return status, answer
  end

  local function token()
    local said = curl(sandbox.url .. "/auth/open/connect/token", "-u",
      sandbox.client_id .. ":" .. sandbox.client_secret, "-d",
      "grant_type=client_credentials&scope=signicat-api")
    return cjson.decode(said).access_token
  end

  it("serves both names of this machine to who trusts its authority",
    function()
      start "good"
      assert.matches("^https://127%.0%.0%.1:%d+$", sandbox.url)
      assert.matches("^http://127%.0%.0%.1:%d+$", sandbox.control)
      for _, host in ipairs { "127.0.0.1", "localhost" } do
        local said, code = curl("-w", "\n%{http_code} %{http_version}",
          ("https://%s:%d/_sandbox/clock"):format(host, sandbox.port))
        assert.equal(0, code, said)
        assert.matches("\n200 1.1$", said)
      end
    end)

  it("is good unless told otherwise, however that is written", function()
    for _, words in ipairs { { "--tls" }, { "--tls", "--token-ttl", "9" },
                             { "--tls=good" }, { "--token-ttl", "9",
                                                 "--tls" } } do
      sandbox = service.start(table.unpack(words))
      local _, code = curl(sandbox.url .. "/_sandbox/clock")
      assert.equal(0, code)
      sandbox:finish()
    end
    sandbox = service.start "--tls=expired"
    assert.equal(60, select(2, curl(sandbox.url .. "/_sandbox/clock")))
  end)

  it("gives out the same authority in the folder and under its path",
    function()
      start "good"
      assert.equal(service.read(sandbox.ca_file),
        (curl(sandbox.url .. "/_sandbox/ca.pem")))
    end)

  it("agrees on HTTP/1.1 with a client that offers HTTP/2", function()
    start "good"
    local said = judges.run("sh", "-c", ("openssl s_client -alpn h2,http/1.1 "
      .. "-connect 127.0.0.1:%d </dev/null"):format(sandbox.port))
    assert.matches("ALPN protocol: http/1.1", said, 1, true)
  end)

  it("speaks no plain HTTP at that port", function()
    start "good"
    assert.is_nil(sandbox:raw("GET /_sandbox/clock HTTP/1.1\r\n"
      .. "Host: localhost\r\n\r\n"):find("HTTP/1.1 200", 1, true))
  end)

  local refusals = {
    { "wrong-name", "no alternative certificate subject name matches" },
    { "expired", "certificate has expired" },
    { "untrusted", "unable to get local issuer certificate" },
  }
  for _, case in ipairs(refusals) do
    it("is refused when its certificate is " .. case[1], function()
      start(case[1])
      for _, host in ipairs { "127.0.0.1", "localhost" } do
        local said, code = curl(("https://%s:%d/sign/signing-sessions")
          :format(host, sandbox.port))
        assert.equal(60, code)
        assert.matches(case[2], said, 1, true)
      end
      local status, journal = control("GET", "/journal")
      assert.equal(200, status)
      assert.same({}, journal.requests)
      -- Nothing else is wrong with it.
      assert.matches("\n401$", (curl("-k", "-w", "\n%{http_code}",
        sandbox.url .. "/sign/signing-sessions")))
    end)
  end

  it("has signing URLs of its own scheme", function()
    start "good"
    control("POST", "/seed", { sessions = 1 })
    local page = cjson.decode((curl("-H", "Authorization: Bearer " .. token(),
      sandbox.url .. "/sign/signing-sessions")))
    assert.matches("^" .. sandbox.url:gsub("%p", "%%%0"),
      page.data[1].signatureUrl)
  end)

  it("keeps its levers, and nothing else, at the plain port", function()
    start "good"
    assert.equal(200, (control("POST", "/clock", { advance = 5 })))
    local url = sandbox.url
    sandbox.url = sandbox.control
    for _, path in ipairs { "/sign/signing-sessions", "/sign/",
                            "/auth/open/connect/token" } do
      assert.equal(404, (sandbox:call("GET", path)))
    end
    sandbox.url = url
    assert.same({}, select(2, control("GET", "/journal")).requests)
  end)

  local endings = {
    { { fault = "close" }, 52 }, { { fault = "lost_answer" }, 52 },
    { { fault = "cut" }, 18, 56 }, { { fault = "reset" }, 56, 35 },
    { { fault = "wrong_length", by = 9 }, 18, 56 },
    { { fault = "stall" }, 28 }, { { fault = "flood" }, 28 },
    { { fault = "status", status = 503 }, 0 },
    { { fault = "slow", milliseconds = 50 }, 0 },
    { { fault = "wrong_length", by = -9 }, 0 },
  }
  for _, case in ipairs(endings) do
    local fault, expected, also = table.unpack(case)
    it("has faults, too: " .. fault.fault .. (fault.by or ""), function()
      start "good"
      fault.operation = "*"
      local function try(patience)
        control("DELETE", "/faults")
        control("DELETE", "/journal")
        assert.equal(200, (control("POST", "/faults", { fault })))
        local said, code = curl("-m", patience, "-o", "/dev/null",
          sandbox.url .. "/sign/signing-sessions")
        assert.is_true(code == expected or code == also,
          ("%d: %s"):format(code, said))
        local request = select(2, control("GET", "/journal")).requests[1]
        return request and request.fault == fault.fault
      end
      -- Whoever is to give up may do so before its request is there.
      local struck
      for _, patience in ipairs(expected == 28 and { "1", "10", "30" }
        or { "60" }) do
        struck = struck or try(patience)
      end
      assert.is_true(struck)
    end)
  end

  it("refuses connections on request, and takes them again", function()
    start "good"
    assert.equal(200, (control("POST", "/faults", { { fault = "refuse" } })))
    local _, code = curl(sandbox.url .. "/_sandbox/clock")
    assert.equal(7, code)
    assert.equal(204, (control("DELETE", "/faults")))
    _, code = curl(sandbox.url .. "/_sandbox/clock")
    assert.equal(0, code)
  end)

  it("makes a certificate of its own at each start, by one authority",
    function()
      local folder = service.folder()
      finally(function() service.remove(folder) end)
      start("good", "--data", folder)
      assert.equal(folder .. "/ca.pem", sandbox.ca_file)
      local ca = service.read(sandbox.ca_file)
      sandbox:finish()
      start("expired", "--data", folder)
      assert.equal(ca, service.read(sandbox.ca_file))
    end)
end)
