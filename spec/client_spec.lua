-- client_spec.lua: children of a client, its strict twin, one that is warm, and
-- the client that the environment describes.

local helper = require "spec.helper"
local sandbox = require "signicat.sandbox"
local signicat = require "signicat"

local session = helper.session
local TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

describe("client:with", function()
  local ok = { status = 204 }

  it("has other defaults, and the rest of its parent's", function()
    local parent, transport = helper.client(ok, { timeout = 7,
      headers = { ["X-One"] = "1", ["X-Two"] = "1" } })
    local child = parent:with { timeout = 9, headers = { ["X-Two"] = "2" } }
    assert(child.sessions:delete(session))
    assert(parent.sessions:delete(session))
    local ours, theirs = transport.requests[1], transport.requests[2]
    assert.same({ 9, "1", "2" },
      { ours.timeout, ours.headers["x-one"], ours.headers["x-two"] })
    assert.same({ 7, "1", "1" },
      { theirs.timeout, theirs.headers["x-one"], theirs.headers["x-two"] })
  end)

  it("shares transport, token and clock", function()
    local tokens = 0
    local clock = helper.clock(5)
    local parent, transport = helper.client(function(request)
      if request.url:find("token", 1, true) then
        tokens = tokens + 1
        return helper.json(200, { access_token = "x", expires_in = 600 })
      end
      return ok
    end, { client_id = "i", client_secret = "s", clock = clock.now })
    local child = parent:with { timeout = 9 }:with { max_body = 7 }
    assert(child.sessions:delete(session))
    assert(parent.sessions:delete(session))
    assert.equal(1, tokens)
    assert.equal(3, #transport.requests)
    assert.equal(5, child:now())
    assert.equal(tostring(parent), tostring(child))
  end)

  it("without options is the same once more", function()
    assert(helper.client(ok):with().sessions:delete(session))
  end)

  it("has a hook of its own, else its parent's", function()
    local seen = {}
    local parent = helper.client(helper.json(200,
      '{"data":[],"total":1}'), { on_event = function()
      seen[#seen + 1] = "parent"
    end })
    local function provoke(client)
      seen = {}
      for _ in client.sessions:each() do end
      return seen[#seen]
    end
    assert.equal("parent", provoke(parent:with()))
    assert.equal("child", provoke(parent:with {
      on_event = function() seen[#seen + 1] = "child" end }))
  end)

  it("raises for options that only a new client can have", function()
    local parent = helper.client(ok)
    for _, name in ipairs { "base_url", "token", "client_secret",
                            "transport", "clock", "deadline" } do
      local is_fine, message = pcall(function()
        parent:with { [name] = "x" }
      end)
      assert.is_false(is_fine)
      assert.matches("^spec/client_spec%.lua:%d+: with: no option '" .. name,
        message)
    end
  end)

  it("is closed alone, or with its parent", function()
    local parent, transport = helper.client(ok)
    local closed = 0
    function transport.close() closed = closed + 1 end
    local first, second = parent:with(), parent:with()
    first:close()
    assert.equal(0, closed)
    assert.has_error(function() first.sessions:delete(session) end,
      nil)
    assert(parent.sessions:delete(session))
    assert(second.sessions:delete(session))
    parent:close()
    assert.equal(1, closed)
    local is_fine, message = pcall(function()
      second.sessions:delete(session)
    end)
    assert.is_false(is_fine)
    assert.matches("this client is closed", message)
  end)
end)

describe("the option trace", function()
  it("goes out as a header, and comes back in errors", function()
    local client, transport = helper.client { status = 500 }
    local _, err = client.sessions:get(session, { trace = TRACE })
    assert.equal(TRACE, transport.requests[1].headers.traceparent)
    assert.equal(TRACE, err.trace)
    _, err = client:with { trace = TRACE }.sessions:get(session)
    assert.equal(TRACE, err.trace)
    _, err = client.sessions:get(session)
    assert.is_nil(err.trace)
    assert.is_nil(transport.requests[3].headers.traceparent)
  end)

  it("gives way to the same header", function()
    local client, transport = helper.client({ status = 204 })
    local other = TRACE:gsub("01$", "00")
    assert(client.sessions:delete(session, { trace = TRACE,
      headers = { TraceParent = other } }))
    assert.equal(other, transport.requests[1].headers.traceparent)
  end)

  it("has the form that W3C gave it", function()
    local client = helper.client { status = 204 }
    for _, bad in ipairs { "", "x", TRACE .. "-00", TRACE:upper(),
      TRACE:sub(1, -2), "ff" .. TRACE:sub(3), TRACE .. "\r\nX: y", 7,
      TRACE:gsub("4bf92f3577b34da6a3ce929d0e0e4736", ("0"):rep(32)),
      TRACE:gsub("00f067aa0ba902b7", ("0"):rep(16)) } do
      local is_fine, message = pcall(function()
        client.sessions:delete(session, { trace = bad })
      end)
      assert.is_false(is_fine)
      assert.matches("option 'trace' must be a W3C traceparent", message)
    end
  end)
end)

describe("client:strict", function()
  it("raises the error objects that others return", function()
    local client = helper.client { status = 404 }
    local strict = client:strict()
    for _, mistake in ipairs {
      function() strict.sessions:get(session) end,
      function() strict.documents:download(session) end,
      function() strict.collections:delete(session) end,
      function() strict.collections:wait(session) end,
      function() strict.sessions:wait(session) end,
      function() strict:request("GET", "/x") end,
      function() strict:with { timeout = 7 }.sessions:get(session) end,
      function() strict:strict().sessions:get(session) end,
    } do
      local is_fine, err = pcall(mistake)
      assert.is_false(is_fine)
      assert.is_true(signicat.is_error(err))
      assert.equal("not_found", err.kind)
    end
    assert.equal("not_found", select(2, client.sessions:get(session)).kind)
  end)

  it("returns what others return when all is well", function()
    local strict = helper.client(helper.json(200,
      helper.session_text("SIGNED", true))):strict()
    local value, meta = strict.sessions:get(session)
    assert.same({ session, 200 }, { value.id, meta.status })
    assert.equal("SIGNED", strict.sessions:wait(session).lifecycle.state)
    assert.is_number(strict:now())
    strict:close()
  end)

  it("raises within a loop, and for a later page", function()
    local client = helper.client(function(_, n)
      if n % 2 == 0 then return { status = 500 } end
      return helper.json(200, '{"data":[{"id":"' .. session
        .. '"}],"total":2}')
    end)
    local strict, count = client:strict(), 0
    local is_fine, err = pcall(function()
      for _ in strict.sessions:each() do count = count + 1 end
    end)
    assert.same({ false, "server", 1 }, { is_fine, err.kind, count })
    local page = strict.sessions:list()
    is_fine, err = pcall(function() page:next() end)
    assert.same({ false, "server" }, { is_fine, err.kind })
    local plain = client.sessions:list()
    assert.equal("server", select(2, plain:next()).kind)
  end)

  it("ends loops and pages as others do", function()
    local strict = helper.client(helper.json(200,
      '{"data":[],"total":0}')):strict()
    for _ in strict.sessions:each() do error "there is none" end
    assert.is_nil((strict.sessions:list():next()))
  end)

  it("raises misuse at the caller's line, as ever", function()
    local strict = helper.client({ status = 204 }):strict()
    for _, mistake in ipairs {
      function() strict.sessions:get(session, { timeuot = 1 }) end,
      function() strict.sessions.get(session) end,
      function() strict:request() end,
    } do
      local is_fine, message = pcall(mistake)
      assert.is_false(is_fine)
      assert.matches("^spec/client_spec%.lua:%d+: ", message)
    end
  end)

  it("says that it is", function()
    assert.equal("signicat.client https://sign.example/sign (strict)",
      tostring(helper.client():strict()))
  end)

  it("can be waited for in a coroutine", function()
    local client = helper.client { status = 404 }
    local send = client.transport.send
    function client.transport.send(...)
      coroutine.yield()
      return send(...)
    end
    local strict = client:strict()
    local task = coroutine.create(function() strict.sessions:get(session) end)
    assert(coroutine.resume(task))
    local is_fine, err = coroutine.resume(task)
    assert.same({ false, "not_found" }, { is_fine, err.kind })
  end)
end)

describe("client:warm", function()
  local service

  setup(function() service = assert(sandbox.start()) end)
  teardown(function() service:stop() end)

  it("leaves a token and a connection for the first call", function()
    local sign = assert(service:client())
    assert.is_true(sign:warm())
    assert(service:clear_journal())
    local _, meta = assert(sign.sessions:list())
    assert.is_true(meta.reused)
    assert.equal(0, #assert(service:journal { operation = "token" }))
    assert.is_true(sign:async(function() return sign:warm() end):wait())
    sign:close()
  end)

  it("fails as a call would", function()
    local sign = assert(service:client { client_secret = "wrong" })
    local done, err = sign:warm()
    assert.same({ nil, "auth" }, { done, err.kind })
    sign:close()
  end)
end)

describe("from_env", function()
  -- What from_env makes of such an environment, in a process of its own.
  local function made(environment, code)
    return helper.run((code or "local given") .. [[
      local client, err = require("signicat").from_env(given)
      print(client or err)]], "env -i " .. environment)
  end

  it("makes the client that the environment describes", function()
    assert.equal("signicat.client https://sign.example/sign\n", made(
      "SIGNICAT_BASE_URL=https://sign.example/sign SIGNICAT_CLIENT_ID=i "
      .. "SIGNICAT_TOKEN_URL=https://id.example/t SIGNICAT_CLIENT_SECRET=s"))
    assert.equal("signicat.client https://api.signicat.com/sign\n",
      made "SIGNICAT_CLIENT_ID=i SIGNICAT_CLIENT_SECRET=s")
  end)

  -- an environment, and what is said to be missing
  for environment, missing in pairs {
    [""] = "SIGNICAT_CLIENT_ID is not set (and 1 more)",
    ["SIGNICAT_CLIENT_ID=i"] = "SIGNICAT_CLIENT_SECRET is not set",
    ["SIGNICAT_CLIENT_SECRET=canary"] = "SIGNICAT_CLIENT_ID is not set",
    ["SIGNICAT_CLIENT_ID= SIGNICAT_CLIENT_SECRET=canary"] =
      "SIGNICAT_CLIENT_ID is not set",
  } do
    it(("says of %q that %s"):format(environment, missing), function()
      assert.equal("signicat: from_env: invalid: no client was made; "
        .. missing .. "\n", made(environment))
    end)
  end

  it("lets options go before", function()
    assert.equal("signicat.client https://b.example\n", made(
      "SIGNICAT_BASE_URL=https://a.example SIGNICAT_CLIENT_ID=i "
      .. "SIGNICAT_CLIENT_SECRET=s",
      'local given = { base_url = "https://b.example" }'))
    assert.equal("signicat.client https://a.example\n", made(
      "SIGNICAT_BASE_URL=https://a.example SIGNICAT_CLIENT_ID=i",
      'local given = { token = "t" }'))
  end)

  it("raises at the caller's line for what is no table of options", function()
    local ok, reason = pcall(function()
      return (signicat.from_env "t")
    end)
    assert.is_false(ok)
    assert.matches("client_spec%.lua:%d+: from_env: its options are a table",
      reason)
  end)

  it("says what is wrong with an address", function()
    assert.matches("base_url must be an http or https URL", made(
      "SIGNICAT_BASE_URL=x SIGNICAT_CLIENT_ID=i SIGNICAT_CLIENT_SECRET=s"))
  end)

  it("leads to a service that answers", function()
    local service = assert(sandbox.start())
    finally(function() service:stop() end)
    assert.equal("0\n", helper.run([[
      local sign = assert(require("signicat").from_env()):strict()
      print(("%d"):format(sign.sessions:list().total))]],
      ("SIGNICAT_BASE_URL=%s/sign SIGNICAT_CLIENT_ID=%s "
        .. "SIGNICAT_CLIENT_SECRET=%s"):format(service.url,
        service.client_id, service.client_secret)))
  end)
end)
