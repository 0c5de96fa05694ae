-- sandbox_soak.lua: 64 clients for a minute, and fifty times kill -9 under
-- load. Takes some minutes.

local crashing = require "spec.support.crashing"
local crowd = require "spec.support.crowd"
local service = require "spec.sandbox.service"
local socket = require "socket"

local CLIENTS <const> = 64
local SECONDS <const> = 60

describe("64 clients that keep their connections for a minute", function()
  local sandbox

  setup(function() sandbox = service.start() end)
  teardown(function() sandbox:finish() end)

  -- KiB of the service's memory.
  local function memory()
    return tonumber(service.read(("/proc/%d/status"):format(sandbox.pid))
      :match "VmRSS:%s+(%d+) kB")
  end

  it("are answered as they should be, in memory that does not grow", function()
    local session = sandbox:session {
      signingSetup = { { signingFlow = "AUTHENTICATION_BASED" } } }
    local start = socket.gettime()
    local answers = 0
    -- The most there was in the second and in the third part of the time.
    local peaks = { 0, 0, 0 }
    local function expect(wanted, status, answer)
      assert.equal(wanted, status)
      answers = answers + 1
      if answers % 500 == 0 then
        local part = math.min(3, 1 + (socket.gettime() - start)
          // (SECONDS / 3))
        peaks[part] = math.max(peaks[part], memory())
      end
      return answer
    end
    crowd.run(sandbox, CLIENTS, function(client, number)
      local bytes = ("client %d. "):format(number):rep(200)
      while socket.gettime() - start < SECONDS do
        local id = expect(200, client:call("POST", "/sign/documents", bytes,
          "text/plain")).documentId
        assert.is_true(bytes == expect(200, client:call("GET",
          "/sign/documents/" .. id)))
        expect(200, client:call("PATCH", "/sign/documents/" .. id
          .. "/metadata", { title = "Soak " .. number }))
        expect(200, client:call("GET", "/sign/signing-sessions/" .. session.id))
        assert.equal(1, expect(200, client:call("GET",
          "/sign/signing-sessions?limit=10")).total)
        expect(404, client:call("GET", "/sign/documents/"
          .. service.unknown_id .. "/metadata"))
        expect(204, client:call("DELETE", "/sign/documents/" .. id))
      end
    end)
    local connections, count = {}, 0
    for _, entry in ipairs((sandbox:journal())) do
      if not connections[entry.connection] and entry.turn > 1 then
        connections[entry.connection] = true
        count = count + 1
      end
    end
    assert.equal(CLIENTS, count)
    assert.is_true(peaks[2] > 0 and peaks[3] <= peaks[2] + 2048,
      ("%d KiB to %d"):format(peaks[2], peaks[3]))
  end)
end)

describe("a sandbox that is killed while eight clients use it", function()
  it("loses nothing it has acknowledged, and stays whole", function()
    local folder = service.folder()
    finally(function() service.remove(folder) end)
    crashing.run(folder, 50)
  end)
end)
