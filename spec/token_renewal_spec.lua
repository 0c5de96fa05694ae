-- token_renewal_spec.lua: a token that is refused, and one that many ask for
-- at the same time.

local helper = require "spec.helper"

local session = helper.session
local TOKEN_URL = "https://sign.example/auth/open/connect/token"

describe("a token that is refused", function()
  local function failed(answer, call)
    local client, _, asked, transport = service { answer = answer }
    local value, err = (call or client.sessions.get)(client.sessions, session)
    assert.is_nil(value)
    assert.is_true(signicat.is_error(err))
    assert.equal(1, #asked)
    assert.equal(1, #transport.requests)
    assert.equal("token", err.operation)
    assert.is_false(err.ambiguous)
    return err
  end

  local invalid = '{"error":"invalid_client","error_description":"wrong"}'

  -- status, kind
  for status, kind in pairs { [400] = "auth", [401] = "auth", [403] = "auth",
                              [404] = "not_found", [429] = "rate_limit",
                              [500] = "server", [302] = "protocol" } do
    it("with " .. status .. " fails with " .. kind, function()
      local err = failed(helper.json(status, invalid))
      assert.equal(kind, err.kind)
      assert.equal(status, err.status)
      assert.equal("invalid_client", err.code)
      assert.equal("wrong", err.detail)
      assert.equal(("token: %s (%d invalid_client): ")
        :format(kind, status), err.message:match "^.-%): ")
    end)
  end

  it("says what to check, once it is a matter of credentials", function()
    assert.equal("token: auth (400 invalid_client): " .. core.kinds.auth,
      failed(helper.json(400, invalid)).message)
  end)

  it("keeps what is known of a failure on the way", function()
    local client = helper.client(function()
      return nil, { kind = "tls", note = "an unknown authority", sent = false,
                    phase = "tls" }
    end, { client_id = "i", client_secret = "secret" })
    local _, err = client.sessions:get(session)
    assert.equal("tls", err.kind)
    assert.equal("token: tls: an unknown authority", err.message)
    assert.equal("tls", err.phase)
  end)

  it("leaves no create open", function()
    local client = service { answer = { status = 500 } }
    local _, err = client.documents:upload { content = "x", type = "a/b" }
    assert.equal("server", err.kind)
    assert.is_false(err.ambiguous)
  end)

  -- successes without a token in them
  for title, answer in pairs {
    ["an empty answer"] = { status = 200 },
    ["an answer without a type"] = { status = 200, body = "{}" },
    ["HTML"] = { status = 200, body = "<html>",
                 headers = { ["content-type"] = "text/html" } },
    ["no JSON"] = helper.json(200, "{"), ["null"] = helper.json(200, "null"),
    ["a number"] = helper.json(200, "7"), ["a list"] = helper.json(200, "[]"),
    ["false"] = helper.json(200, "false"),
    ["an empty object"] = helper.json(200, "{}"),
    ["no lifetime"] = helper.json(200, '{"access_token":"canary"}'),
    ["a lifetime in words"] = helper.json(200,
      '{"access_token":"canary","expires_in":"soon"}'),
    ["no token"] = helper.json(200, '{"expires_in":600}'),
    ["a token of another type"] = helper.json(200,
      '{"access_token":["canary"],"expires_in":600}'),
    ["an empty token"] = helper.json(200,
      '{"access_token":"","expires_in":600}'),
    ["a token with a line end"] = helper.json(200,
      '{"access_token":"canary\\r\\nX: y","expires_in":600}'),
  } do
    it("by " .. title .. " is a protocol error", function()
      local err = failed(answer)
      assert.equal("protocol", err.kind)
      assert.is_true(err.sent)
      assert.is_nil(tostring(err):find("canary", 1, true))
    end)
  end

  it("because the deadline passed says so", function()
    local client, clock, asked = service {}
    local _, err = client.sessions:get(session,
      { deadline = clock.now() - 1 })
    assert.equal("timeout", err.kind)
    assert.equal("token: timeout: the deadline passed before the request "
      .. "was sent", err.message)
    assert.equal(0, #asked)
  end)

  it("has what is left of the deadline", function()
    local client, clock, asked = service {}
    assert(client.sessions:delete(session, { deadline = clock.now() + 7 }))
    assert.equal(7, asked[1].timeout)
  end)

  it("may use up the deadline of its call", function()
    local clock = helper.clock()
    local client, transport = helper.client(function()
      clock.sleep(10)
      return helper.json(200, '{"access_token":"t","expires_in":600}')
    end, { client_id = "i", client_secret = "s", clock = clock.now })
    local _, err = client.sessions:get(session,
      { deadline = clock.now() + 5 })
    assert.equal("timeout", err.kind)
    assert.equal("sessions:get", err.operation)
    assert.is_false(err.sent)
    assert.equal(1, #transport.requests)
  end)
end)

-- -- secrets ------------------------------------------------------------------

describe("a secret", function()
  local canary = "Qx7 canary+/ Zp"
  local encoded = "Qx7%20canary%2B%2F%20Zp"

  -- Whether it is anywhere in a value, in either spelling.
  local function shows(value, seen)
    seen = seen or {}
    if type(value) == "string" then
      return value:find(canary, 1, true) or value:find(encoded, 1, true)
        or value:find(core.base64("id:" .. encoded), 1, true)
    end
    if type(value) ~= "table" or seen[value] then return false end
    seen[value] = true
    for name, item in next, value do
      if shows(name, seen) or shows(item, seen) then return true end
    end
    return false
  end

  -- A token endpoint in a mood to debug: it tells what it was sent.
  local echoes = {
    ["as text"] = function(sent) return { status = 400, body = sent } end,
    ["as HTML"] = function(sent)
      return { status = 502, body = "<pre>" .. sent .. "</pre>" }
    end,
    ["in every field"] = function(sent)
      return helper.json(401, { error = sent, error_description = sent,
        title = sent, detail = sent, code = sent, traceId = sent,
        invalidParams = { { name = sent, reason = sent } } })
    end,
    ["in a success"] = function(sent) return helper.json(200, { sent }) end,
    ["decoded"] = function()
      return helper.json(400, { error = "invalid_client",
        error_description = "secret " .. canary .. " is wrong" })
    end,
  }
  for title, echo in pairs(echoes) do
    for _, method in ipairs { "client_secret_post", "client_secret_basic" } do
      it(("echoed %s is in no error, sent by %s"):format(title, method),
        function()
          local client = helper.client(function(request)
            return echo(request.body .. (request.headers.authorization or ""))
          end, { client_id = "id", client_secret = canary,
                 auth_method = method })
          local value, err, meta = client.sessions:get(session)
          assert.is_nil(value)
          assert.is_falsy(shows(tostring(err)))
          assert.is_falsy(shows(err))
          assert.is_falsy(shows(meta))
        end)
    end
  end

  it("is in no error of a transport that shows its request", function()
    local client = helper.client(function(request)
      return nil, "cannot send " .. request.body
    end, { client_id = "id", client_secret = canary })
    local _, err = client.sessions:get(session)
    assert.equal("connect", err.kind)
    assert.is_falsy(shows(tostring(err)))
    assert.is_falsy(shows(err))
  end)
end)

describe("the request of a token", function()
  local function ask(options, opts)
    local seen
    local client = helper.client(function(request, number)
      if number == 1 then
        seen = request
        return helper.json(200, { access_token = "t", expires_in = 600 })
      end
      return { status = 204 }
    end, options)
    assert(client.sessions:delete(session, opts))
    return seen
  end

  local function credentials(more)
    local all = { client_id = "id", client_secret = "secret",
                  token_url = "https://other.example/token" }
    for name, value in pairs(more or {}) do all[name] = value end
    return all
  end

  it("has none of the headers that are meant for the API", function()
    local headers = ask(credentials { headers = { ["X-Key"] = "mine" } })
      .headers
    assert.is_nil(headers["x-key"])
    assert.matches("^lua%-signicat/", headers["user-agent"])
  end)

  it("may take no longer than the call it is for", function()
    assert.equal(60, ask(credentials()).timeout)
    assert.equal(2, ask(credentials(), { timeout = 2 }).timeout)
    assert.equal(3, ask(credentials { timeout = 3 }).timeout)
  end)
end)

describe("a token that is refused", function()
  --- A service that refuses the tokens it is told to.
  local function refusing(refused, options)
    local asked, calls = 0, {}
    local client = helper.client(function(request)
      if request.url == TOKEN_URL then
        asked = asked + 1
        return helper.json(200, { access_token = "t" .. asked,
                                  expires_in = 600 })
      end
      local token = request.headers.authorization
      calls[#calls + 1] = token
      if refused[token] then
        return helper.json(401, { code = "invalid_token" })
      end
      return helper.json(201, { { id = session } })
    end, options or { client_id = "id", client_secret = "secret" })
    return client, calls, function() return asked end
  end

  local sessions = { {
    title = "Lease",
    documents = { { documentId = session, documentCollectionId = session,
                    action = "SIGN" } },
    signingSetup = { { signingFlow = "AUTHENTICATION_BASED" } },
  } }

  it("is replaced once, and the call made again, a create too", function()
    local client, calls, asked = refusing { ["Bearer t1"] = true }
    local created, meta = client.sessions:create(sessions)
    assert.equal(session, created[1].id)
    assert.equal(2, meta.attempts)
    assert.same({ "Bearer t1", "Bearer t2" }, calls)
    assert.equal(2, asked())
  end)

  it("is replaced no more than once", function()
    local client, calls, asked = refusing { ["Bearer t1"] = true,
                                            ["Bearer t2"] = true }
    local created, err = client.sessions:create(sessions)
    assert.is_nil(created)
    assert.equal("auth", err.kind)
    assert.equal(2, err.attempts)
    assert.equal(2, #calls)
    assert.equal(2, asked())
  end)

  it("does not take a newer one with it", function()
    local client, _, asked = refusing {}
    assert(client.sessions:create(sessions))
    assert.is_true(client.token:drop("Bearer an older one"))
    assert(client.sessions:create(sessions))
    assert.equal(1, asked())
  end)

  it("is not replaced when it is the caller's own", function()
    local client, calls = refusing({ ["Bearer mine"] = true },
                                   { token = "mine" })
    local _, err = client.sessions:create(sessions)
    assert.equal("auth", err.kind)
    assert.equal(1, #calls)
  end)
end)

describe("coroutines that need a token at the same time", function()
  it("cause one request, and go on with what it brings", function()
    local asked, waiting = 0, {}
    local transport = { send = function(_, request)
      if request.url ~= TOKEN_URL then return { status = 204 } end
      asked = asked + 1
      coroutine.yield()
      coroutine.yield()
      return helper.json(200, { access_token = "t", expires_in = 600 })
    end }
    local client = helper.client({}, { client_id = "id",
      client_secret = "secret", sleep = function() coroutine.yield() end })
    client.transport = transport
    local done = 0
    for i = 1, 20 do
      waiting[i] = coroutine.create(function()
        assert(client.sessions:delete(session))
        done = done + 1
      end)
    end
    for _ = 1, 10 do
      for i = 1, 20 do
        if coroutine.status(waiting[i]) ~= "dead" then
          assert(coroutine.resume(waiting[i]))
        end
      end
    end
    assert.same({ 20, 1 }, { done, asked })
  end)

  it("do not wait for one that died while it asked", function()
    local asked = 0
    local client = helper.client({}, { client_id = "id",
      client_secret = "secret", sleep = function() coroutine.yield() end })
    client.transport = { send = function(_, request)
      if request.url ~= TOKEN_URL then return { status = 204 } end
      asked = asked + 1
      if asked == 1 then error("killed", 0) end
      return helper.json(200, { access_token = "t", expires_in = 600 })
    end }
    local first = coroutine.create(function()
      client.sessions:delete(session)
    end)
    assert.is_false(coroutine.resume(first))
    local second = coroutine.create(function()
      return client.sessions:delete(session)
    end)
    local resumed, value = coroutine.resume(second)
    assert.same({ true, true }, { resumed, value })
    assert.equal("dead", coroutine.status(second))
  end)
end)
