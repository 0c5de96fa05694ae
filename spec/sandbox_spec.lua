-- Starting and stopping the sandbox from Lua, and what survives what.

local core = require "signicat.core"
local helper = require "spec.helper"
local receiver = require "spec.support.receiver"
local sandbox = require "signicat.sandbox"
local signicat = require "signicat"

local function lives(pid)
  local file = io.open("/proc/" .. pid .. "/stat")
  if not file then return false end
  local state = file:read("*a"):match("%) (%u)")
  file:close()
  return state ~= "Z"
end

--- Waits, as long as a loaded machine may take, until a process is gone.
local function wait_until_gone(pid)
  for _ = 1, 2000 do
    if not lives(pid) then return true end
    core.sleep(0.01)
  end
  return false
end

describe("sandbox.start", function()
  local folder, service

  before_each(function()
    local pipe = assert(io.popen("mktemp -d"))
    folder = pipe:read("*l")
    pipe:close()
  end)

  after_each(function()
    if service then service:stop() end
    service = nil
    os.execute("rm -rf '" .. folder .. "'")
  end)

  it("gives the address and credentials that its own client uses", function()
    service = assert(sandbox.start())
    assert.matches("^http://127%.0%.0%.1:%d+$", service.url)
    local sign = assert(service:client())
    assert.equal(0, assert(sign.sessions:list()).total)
    sign:close()
  end)

  it("can be stopped twice, and leaves no process behind", function()
    service = assert(sandbox.start())
    local pid = service.process:pid()
    service:stop()
    service:stop()
    assert.is_false(lives(pid))
  end)

  it("tells what is wrong with an executable that is not there", function()
    local none, err = sandbox.start { executable = "/no/such/sandbox" }
    assert.is_nil(none)
    assert.equal("io", err.kind)
    assert.matches("No such file", tostring(err))
  end)

  it("tells when the program does not become ready", function()
    local none, err = sandbox.start { executable = "true" }
    assert.is_nil(none)
    assert.equal("io", err.kind)
    assert.matches("did not start", tostring(err))
  end)

  it("raises for an option it does not know", function()
    local ok, message = pcall(function() sandbox.start { dta = folder } end)
    assert.is_false(ok)
    assert.matches("sandbox_spec.lua:%d+: .*did you mean 'data'", message)
  end)

  it("keeps the data of a folder it is given, and its credentials", function()
    service = assert(sandbox.start { data = folder })
    local id, secret = service.client_id, service.client_secret
    local sign = assert(service:client())
    local document = assert(sign.documents:upload {
      content = "kept", type = "text/plain" })
    sign:close()
    service:stop()
    service = assert(sandbox.start { data = folder })
    assert.same({ id, secret }, { service.client_id, service.client_secret })
    sign = assert(service:client())
    assert.equal("kept", assert(sign.documents:download(document)))
    sign:close()
  end)

  it("has an upload byte for byte after kill -9 right behind its 200",
    function()
      local source = folder .. "/source.pdf"
      local file = assert(io.open(source, "wb"))
      for i = 1, 100000 do file:write(("%08d\0\255\n"):format(i)) end
      file:close()
      service = assert(sandbox.start { data = folder .. "/data" })
      local sign = assert(service:client())
      local document = assert(sign.documents:upload { path = source })
      service.process:kill()
      sign:close()
      service = assert(sandbox.start { data = folder .. "/data" })
      sign = assert(service:client())
      local target = folder .. "/back.pdf"
      local _, meta = assert(sign.documents:download(document,
        { to = target }))
      assert.is_true(meta.verified)
      assert.is_true(helper.read(source) == helper.read(target))
      sign:close()
    end)

  it("ends with its parent, however that ends and whoever else lives on",
    function()
      local parent = assert(core.spawn(helper.lua,
        { "spec/support/parent.lua" }))
      local line = assert(parent:read_line(30))
      local pid, other = line:match("^(%d+)%s+(%d+)$")
      assert.is_true(lives(pid))
      parent:kill()
      local gone = wait_until_gone(pid)
      local other_lives = lives(other)
      os.execute("kill " .. other)
      assert.is_true(gone)
      assert.is_true(other_lives)
    end)

  describe("levers", function()
    local sign

    before_each(function()
      service = assert(sandbox.start())
      sign = assert(service:client())
    end)
    after_each(function() sign:close() end)

    it("move the clock on", function()
      assert.equal(0, assert(service:clock()).advanced)
      assert.equal(90, assert(service:advance(90)).advanced)
      assert.equal("invalid", select(2, service:advance(-1)).kind)
    end)

    it("tell what the service has seen", function()
      assert(sign.sessions:list())
      local all = assert(service:journal())
      assert.equal(2, #all)
      assert.equal("token", all[1].operation)
      assert.equal(200, all[2].status)
      local later = assert(service:journal { after = all[1].number })
      assert.equal("listSigningSessions", later[1].operation)
      assert.equal(1, #assert(service:journal { operation = "token" }))
      assert(service:clear_journal())
      assert.equal(0, #assert(service:journal()))
    end)

    it("seed and reset the account", function()
      assert.equal(3, assert(service:seed { sessions = 3 }).sessions)
      assert(service:seed { sessions = 2, state = "REJECTED" })
      assert.equal(5, assert(sign.sessions:list()).total)
      assert(service:reset())
      local again = assert(service:client())
      assert.equal(0, assert(again.sessions:list()).total)
      again:close()
    end)

    it("break answers by a script", function()
      local rule = { operation = "createSigningSession", fault = "close",
                     times = 2 }
      local rules = assert(service:faults { rule })
      assert.equal("createSigningSession", rules[1].operation)
      assert.equal(2, assert(service:faults_left())[1].times)
      assert(service:clear_faults())
      assert.equal(0, #assert(service:faults_left()))
      assert.equal("invalid",
        select(2, service:faults { { fault = "none" } }).kind)
    end)

    it("have events sent that our verifier takes", function()
      local inbox = receiver.open()
      finally(function() inbox:close() end)
      assert(service:subscribe { url = inbox.url, secret = "whsec",
                                 events = { "signing-session.opened" } })
      local seeded = assert(service:seed { sessions = 1 })
      assert.equal(1, seeded.sessions)
      local session = assert(sign.sessions:list()).data[1]
      assert(service:open(session))
      local opts = { scheme = "body-hmac-sha256", secrets = "whsec",
                     seen = signicat.events.memory() }
      local one = inbox:take()
      local event = assert(signicat.events.verify(one.raw, one.headers, opts))
      assert.equal("signing-session.opened", event.eventName)
      assert.equal(session.id, event.eventData.id)
      local kept = assert(service:events())
      assert.equal(1, #kept)
      assert.equal(event.id, kept[1].id)
      assert.equal(one.raw, kept[1].body)
      assert(service:deliver(kept[1]))
      one = inbox:take()
      local none, err = signicat.events.verify(one.raw, one.headers, opts)
      assert.is_nil(none)
      assert.equal("duplicate", err.kind)
      assert.equal("invalid", select(2, service:subscribe {}).kind)
      assert.is_false(pcall(service.deliver, service, {}))
    end)

    it("sign as who was identified by that provider", function()
      assert(service:seed { sessions = 1 })
      local session = assert(sign.sessions:list()).data[1]
      local none, err = service:sign(session, { idpName = "nobody" })
      assert.is_nil(none)
      assert.equal("idpName", err.fields[1].name)
      assert(service:sign(session, { name = "Kari", idpName = "nbid" }))
      assert.is_nil((service:sign(session)))
    end)

    it("raise for what a signer and a client have not", function()
      local session = "0197e3d2-0c6e-7b0a-9b7e-1f2d3c4b5a69"
      for words, act in pairs {
        ["sandbox:sign: its options are a table, not a string"] = function()
          return service:sign(session, "Kari")
        end,
        ["sandbox:sign: no option 'nmae'; did you mean 'name'?"] = function()
          return service:sign(session, { nmae = "Kari" })
        end,
        ["sandbox:reject: its options are a table, not a string"] = function()
          return service:reject(session, "No")
        end,
        ["sandbox:client: its options are a table, not a string"] = function()
          return service:client "t"
        end,
      } do
        local ok, reason = pcall(act)
        assert.is_false(ok)
        assert.matches("sandbox_spec", reason, 1, true)
        assert.matches(words, reason, 1, true)
      end
    end)

    it("work while the service refuses connections", function()
      assert(service:faults { { fault = "refuse" } })
      local none, err = sign.sessions:list()
      assert.is_nil(none)
      assert.equal("connect", err.kind)
      assert.equal(0, #assert(service:journal()))
      assert(service:clear_faults())
      local again = assert(service:client())
      assert(again.sessions:list())
      again:close()
    end)
  end)

  for _, kind in ipairs { "good", "wrong-name", "expired", "untrusted" } do
    it("starts over TLS, its levers in reach, with a certificate that is "
      .. kind, function()
      service = assert(sandbox.start { tls = kind })
      assert.matches("^https://127%.0%.0%.1:%d+$", service.url)
      assert.matches("^%-%-%-%-%-BEGIN CERT", helper.read(service.ca_file))
      assert.equal(7, assert(service:advance(7)).advanced)
      assert.equal(helper.read(service.ca_file),
        (assert(service:ca_certificate())))
    end)
  end

  it("goes beyond the service when it is asked to", function()
    for _, beyond in ipairs { true, false } do
      service = assert(sandbox.start { beyond_the_service = beyond })
      local file = io.open(("/proc/%d/cmdline"):format(service.process:pid()))
      local words = file:read "*a"
      file:close()
      assert.equal(beyond, words:find("--beyond-the-service", 1, true) ~= nil)
      service:stop()
      service = nil
    end
    assert.is_false((pcall(sandbox.start, { beyond_the_service = 1 })))
  end)

  it("raises for a certificate it cannot make", function()
    local ok, message = pcall(sandbox.start, { tls = "bad" })
    assert.is_false(ok)
    assert.matches("good", message)
  end)
end)
