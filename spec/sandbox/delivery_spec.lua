-- Answers whose bytes come late, only in part or without end: each seen byte
-- by byte, on a real socket.

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

  local function get(target) return sandbox:head("GET", target) end

  describe("of the answer's bytes", function()
    it("delay the first one", function()
      script { operation = "*", fault = "slow", milliseconds = 300 }
      local client = wire.open(sandbox)
      local start = socket.gettime()
      client:send(get(LIST))
      assert.equal("H", client.socket:receive(1))
      assert.is_true(socket.gettime() - start >= 0.3)
      assert.equal("TTP/1.1 200 OK", client.socket:receive "*l")
      client:close()
    end)

    it("delay many at the same time, and nobody else", function()
      local path = "/sign/documents/" .. sandbox:upload().documentId
      local clients = {}
      local function open(count, milliseconds)
        script { operation = "getDocument", fault = "slow", times = count,
                 milliseconds = milliseconds }
        local first = #clients
        for i = first + 1, first + count do
          clients[i] = wire.open(sandbox)
          clients[i]:send(get(path))
        end
        service.await("all of them", function()
          return #sandbox:journal "?operation=getDocument" == #clients
        end)
      end
      open(8, 600000) -- more than there are threads: nobody's turn would come
      open(12, 500)
      assert.equal(200, (sandbox:call("GET", LIST)))
      for i = 9, 20 do assert.equal(200, (clients[i]:answer())) end
      for i, entry in ipairs(sandbox:journal "?operation=getDocument") do
        assert.equal(i <= 8 and service.null or 200, entry.status)
      end
      for _, client in ipairs(clients) do client:close() end
    end)

    it("stall in the middle until the client goes", function()
      local _, _, body = wire.ask(sandbox, get(LIST))
      script { operation = "listSigningSessions", fault = "stall" }
      local client = wire.open(sandbox)
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
      local _, _, body = wire.ask(sandbox, get(LIST))
      script { operation = "listSigningSessions", fault = "cut" }
      local client = wire.open(sandbox)
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
        local client = wire.open(sandbox)
        client:send(get(path))
        local _, headers, half = client:answer(#bytes // 2)
        assert.equal(#bytes, tonumber(headers["content-length"]))
        assert.is_true(half == bytes:sub(1, #bytes // 2))
        -- What ends is waited for; what stalls does not come, ever.
        assert.same({ "", ending },
          { client:rest(ending == "timeout" and 0.2 or nil) })
        client:close()
      end
    end)

    it("begin no answer that has no body to break", function()
      for name, ending in pairs { cut = "closed", stall = "timeout" } do
        local path = "/sign/documents/" .. sandbox:upload().documentId
        script { operation = "deleteDocument", fault = name }
        local client = wire.open(sandbox)
        client:send(sandbox:head("DELETE", path))
        service.await("the deletion", function()
          return sandbox:call("GET", path) == 404
        end)
        assert.same({ "", ending },
          { client:rest(ending == "timeout" and 0.2 or nil) })
        client:close()
      end
    end)

    it("follow without end", function()
      script { operation = "listSigningSessions", fault = "flood" }
      local client = wire.open(sandbox)
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
      local _, _, body = wire.ask(sandbox, get(LIST))
      script { operation = "*", fault = "wrong_length", by = 5 }
      local client = wire.open(sandbox)
      client:send(get(LIST))
      local _, headers, got = client:answer(#body)
      assert.equal(#body + 5, tonumber(headers["content-length"]))
      assert.equal(body, got)
      assert.same({ "", "closed" }, { client:rest() })
      client:close()
    end)

    it("are announced as fewer, and the others come all the same", function()
      local _, _, body = wire.ask(sandbox, get(LIST))
      for _, by in ipairs { -1, -5, -#body, -999999 } do
        script { operation = "listSigningSessions", fault = "wrong_length",
                 by = by }
        local client = wire.open(sandbox)
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
end)
