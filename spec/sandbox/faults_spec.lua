-- The script of faults, and those of the connection: each seen byte by byte,
-- on a real socket.

local cjson = require "cjson"
local judges = require "spec.support.judges"
local service = require "spec.sandbox.service"
local socket = require "socket"
local wire = require "spec.sandbox.wire"

local LIST <const> = "/sign/signing-sessions"
local FAULTS <const> = "/_sandbox/faults"

describe("the sandbox's faults", function()
  local sandbox

  setup(function() sandbox = service.start() end)
  before_each(function()
    sandbox:call("DELETE", FAULTS)
    sandbox:call("DELETE", "/_sandbox/journal")
  end)
  teardown(function() sandbox:finish() end)

  local function script(...) return sandbox:script { ... } end

  local function total()
    local _, page = sandbox:call("GET", LIST)
    return page.total
  end

  local new_session -- a request that makes one

  setup(function()
    local session = sandbox:session()
    local body = cjson.encode { { title = "Lost",
      documents = session.documents, signingSetup = session.signingSetup } }
    new_session = sandbox:head("POST", LIST, "Content-Type: application/json"
      .. "\r\nContent-Length: " .. #body .. "\r\n") .. body
  end)

  describe("of the connection", function()
    it("end it without a byte, and without the operation", function()
      for _, name in ipairs { "close", "reset" } do
        local before = total()
        script { operation = "createSigningSession", fault = name }
        assert.same({ "", "closed" }, { wire.drain(sandbox, new_session) })
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
      assert.same({ "", "closed" }, { wire.drain(sandbox, new_session) })
      assert.equal(before + 1, total())
      local entry = sandbox:journal "?operation=createSigningSession"
      assert.equal(service.null, entry[1].status)
    end)

    it("strike only a connection that was used before, if asked", function()
      script { operation = "*", fault = "close", reused_only = true }
      assert.equal(200, (sandbox:call("GET", LIST)))
      local client = wire.open(sandbox)
      client:send(sandbox:head("GET", LIST))
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
      local client = wire.open(sandbox)
      client:send(sandbox:head("POST", "/sign/documents",
        "Content-Type: text/plain\r\nContent-Length: " .. size .. "\r\n"))
      local piece = ("x"):rep(1024 * 1024)
      for _ = 1, 80 do client:send(piece) end
      assert.same({ "", "closed" }, { client:rest() })
      client:close()
      assert.equal(size, sandbox:journal()[1].bodySize)
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
      wire.open(sandbox):close()
      assert.equal(200, (sandbox:call("GET", LIST)))
      assert.equal(1, #sandbox:journal())
    end)

    it("let a connection live that was there before the refusal", function()
      local client = wire.open(sandbox)
      client:send(sandbox:head("GET", LIST))
      assert.equal(200, (client:answer()))
      script { fault = "refuse" }
      client:send(sandbox:head("GET", LIST))
      assert.equal(200, (client:answer()))
      client:send(sandbox:head("DELETE", FAULTS))
      assert.equal(204, (client:answer()))
      client:close()
      wire.open(sandbox):close()
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
        local client = wire.open(sandbox)
        client:send(sandbox:head("GET", LIST))
        client.socket:settimeout(0.01)
        client.socket:receive(1)
        client:close()
      end
    end
    service.await("their end", function() return sockets() <= before end)
  end)

  it("do not hold up the end of the service", function()
    local patient, one = service.ending(), service.start()
    one:script { { operation = "*", fault = "stall", times = 20 },
                 { operation = "*", fault = "slow", times = 20,
                   milliseconds = 600000 },
                 { operation = "*", fault = "flood", times = 5 } }
    local clients = {}
    for i = 1, 45 do
      clients[i] = wire.open(one)
      clients[i]:send(one:head("GET", LIST))
    end
    service.await("all requests", function()
      return #one:journal "?operation=listSigningSessions" == 45
    end)
    one:finish()
    assert.is_true(patient:is_alive())
    patient:kill()
    for _, client in ipairs(clients) do client:close() end
  end)
end)
