-- token_spec.lua: where the access token comes from, how long it is kept, how
-- it is asked for, and that no secret is seen anywhere else.

local core = require "signicat.core"
local helper = require "spec.helper"
local signicat = require "signicat"

local session = helper.session
local TOKEN_URL = "https://sign.example/auth/open/connect/token"

-- A client over a service that gives tokens "t1", "t2" ...; `lifetime` is
-- what it says of them, `answer` its answer instead.
local function service(options)
  local clock = helper.clock()
  local asked = {}
  local function reply(request)
    if request.url ~= TOKEN_URL then return { status = 204 } end
    asked[#asked + 1] = request
    if options.reply then return options.reply() end
    if options.answer then return options.answer end
    return helper.json(200, { access_token = "t" .. #asked,
      expires_in = options.lifetime or 600, token_type = "Bearer" })
  end
  local client, transport = helper.client(reply, {
    client_id = options.client_id or "id",
    client_secret = options.client_secret or "secret",
    auth_method = options.auth_method, clock = clock.now,
  })
  return client, clock, asked, transport
end

-- The token that a call of the client goes out with.
local function token_of(client, transport)
  assert(client.sessions:delete(session))
  return transport.requests[#transport.requests].headers.authorization
end

describe("a fetched token", function()
  it("is asked for at the first use and not before", function()
    local client, _, asked, transport = service {}
    assert.equal(0, #asked)
    assert.equal("Bearer t1", token_of(client, transport))
    assert.equal(1, #asked)
  end)

  it("serves every call until it nears its end", function()
    local client, clock, asked, transport = service {}
    for _ = 1, 5 do
      assert.equal("Bearer t1", token_of(client, transport))
      clock.sleep(100)
    end
    assert.equal(1, #asked)
  end)

  it("is not asked for by a call that is not sent", function()
    local client, _, asked = service {}
    assert.is_nil(client.sessions:create {})
    assert.is_nil(client.sessions:get "x")
    assert.is_nil(client.documents:upload { path = "/none/a.pdf" })
    assert.has_error(function() client.sessions:get() end)
    assert.equal(0, #asked)
  end)

  -- its life in seconds, and when it is no longer used: a tenth before the
  -- end, at least 30 s, never more than half of it
  for lifetime, kept in pairs { [3600] = 3240, [600] = 540, [300] = 270,
                                [100] = 70, [60] = 30, [40] = 20, [2] = 1,
                                [1] = 0.5, [90.5] = 60.5 } do
    it(("of %g s is renewed after %g s"):format(lifetime, kept), function()
      local client, clock, asked, transport = service { lifetime = lifetime }
      token_of(client, transport)
      clock.sleep(kept - 0.25)
      assert.equal("Bearer t1", token_of(client, transport))
      clock.sleep(0.25)
      assert.equal("Bearer t2", token_of(client, transport))
      assert.equal("Bearer t2", token_of(client, transport))
      assert.equal(2, #asked)
    end)
  end

  for _, lifetime in ipairs { 0, -1 } do
    it(("of %d s serves the call that asked for it"):format(lifetime),
      function()
        local client, _, asked, transport = service { lifetime = lifetime }
        assert.equal("Bearer t1", token_of(client, transport))
        assert.equal("Bearer t2", token_of(client, transport))
        assert.equal(2, #asked)
      end)
  end

  it("is each client's own", function()
    local one, _, _, transport = service {}
    local _, _, asked = service {}
    token_of(one, transport)
    assert.equal(0, #asked)
  end)

  it("is asked for again a second after a failure, not before", function()
    local options = { answer = { status = 503 } }
    local client, clock, asked, transport = service(options)
    for _ = 1, 50 do
      local _, err = client.sessions:get(session)
      assert.same({ "server", "token" }, { err.kind, err.operation })
    end
    assert.equal(1, #asked)
    options.answer = nil
    clock.sleep(1)
    assert.equal("Bearer t2", token_of(client, transport))
    assert.equal(2, #asked)
  end)

  it("is asked for at once after one had too little time for it", function()
    local client, clock, asked = service {
      reply = function() return nil, { kind = "timeout", sent = true } end }
    for _ = 1, 2 do
      assert.is_nil(client.sessions:get(session, { timeout = 1 }))
      assert.is_nil(client.sessions:get(session,
        { deadline = clock.now() + 1 }))
    end
    assert.equal(4, #asked)
    -- The usual time is everybody's.
    for _ = 1, 50 do assert.is_nil(client.sessions:get(session)) end
    assert.equal(5, #asked)
  end)

  it("is renewed a little earlier by chance", function()
    local client, clock, asked, transport = service { lifetime = 1000 }
    client.random = function() return 1 end
    token_of(client, transport)
    clock.sleep(889)
    token_of(client, transport)
    assert.equal(1, #asked)
    clock.sleep(1)
    token_of(client, transport)
    assert.equal(2, #asked)
  end)
end)

describe("a token's request", function()
  local form = "application/x-www-form-urlencoded"

  local function request_of(options)
    local client, _, asked, transport = service(options)
    token_of(client, transport)
    return asked[1]
  end

  it("carries the credentials in the form", function()
    local request = request_of {}
    assert.equal("POST", request.method)
    assert.equal(TOKEN_URL, request.url)
    assert.equal(form, request.headers["content-type"])
    assert.is_nil(request.headers.authorization)
    assert.equal("grant_type=client_credentials&scope=signicat-api"
      .. "&client_id=id&client_secret=secret", request.body)
    assert.equal(60, request.timeout)
  end)

  it("carries them as Basic", function()
    local request = request_of { auth_method = "client_secret_basic" }
    assert.equal(form, request.headers["content-type"])
    assert.equal("Basic aWQ6c2VjcmV0", request.headers.authorization)
    assert.equal("grant_type=client_credentials&scope=signicat-api",
      request.body)
  end)

  -- a credential and how both forms have it
  for credential, encoded in pairs {
    ["a b"] = "a%20b", ["a+b/c="] = "a%2Bb%2Fc%3D", ["a&b=c"] = "a%26b%3Dc",
    ["a:b%c"] = "a%3Ab%25c", ["æ"] = "%C3%A6", ["a\n\0"] = "a%0A%00",
    ["Az09-._~"] = "Az09-._~", ["!*'()"] = "%21%2A%27%28%29" } do
    it(("writes the credential %q as %s"):format(credential, encoded),
      function()
        local request = request_of { client_id = credential,
                                     client_secret = credential }
        assert.equal("grant_type=client_credentials&scope=signicat-api"
          .. "&client_id=" .. encoded .. "&client_secret=" .. encoded,
          request.body)
        request = request_of { client_id = credential,
          client_secret = credential, auth_method = "client_secret_basic" }
        assert.equal("Basic " .. core.base64(encoded .. ":" .. encoded),
          request.headers.authorization)
      end)
  end

  it("may be repeated, as nothing is created", function()
    local creates
    local client = helper.client(nil, { client_id = "i",
                                        client_secret = "s" })
    client.transport = { send = function(_, request)
      creates = request.creates
      return { status = 500 }
    end }
    client.sessions:get(session)
    assert.is_false(creates)
  end)
end)

-- -- other sources ------------------------------------------------------------

describe("a token of the caller's", function()
  it("is used as it is", function()
    local client, transport = helper.client({ status = 204 },
      { token = "a.b-c_d~e+f/g==" })
    assert.equal("Bearer a.b-c_d~e+f/g==", token_of(client, transport))
  end)

  -- A function, and an object with a method, that give the same.
  local function providers(give)
    local object = {}
    function object:get() return give(self == object) end
    return { ["a function"] = function() return give(true) end,
             ["an object"] = object }
  end

  for title in pairs(providers(print)) do
    it("comes from " .. title .. ", once if it says no lifetime", function()
      local times = 0
      local auth = providers(function(is_self)
        assert.is_true(is_self)
        times = times + 1
        return "t" .. times
      end)[title]
      local clock = helper.clock()
      local client, transport = helper.client({ status = 204 },
        { auth = auth, clock = clock.now })
      assert.equal("Bearer t1", token_of(client, transport))
      clock.sleep(1e6)
      assert.equal("Bearer t1", token_of(client, transport))
    end)

    it("comes from " .. title .. " again when its life ends", function()
      local times = 0
      local auth = providers(function()
        times = times + 1
        return "t" .. times, 600
      end)[title]
      local clock = helper.clock()
      local client, transport = helper.client({ status = 204 },
        { auth = auth, clock = clock.now })
      assert.equal("Bearer t1", token_of(client, transport))
      clock.sleep(539)
      assert.equal("Bearer t1", token_of(client, transport))
      clock.sleep(1)
      assert.equal("Bearer t2", token_of(client, transport))
    end)
  end

  -- what the function returns, and what the error says of it
  local cases = {
    { "nothing", {}, "it gave a nil and a nil" },
    { "nil and a reason", { nil, "no vault" }, "no vault" },
    { "another type", { {} }, "it gave a table and a nil" },
    { "an empty string", { "" }, "it gave a string and a nil" },
    { "a line end", { "canary\n" }, "it gave a string and a nil" },
    { "spaces", { "canary canary", 600 }, "it gave a string and a number" },
    { "a lifetime in words", { "canary", "600" },
      "it gave a string and a string" },
  }
  for _, case in ipairs(cases) do
    local title, values, detail = table.unpack(case)
    it("fails with auth for " .. title, function()
      local client, transport = helper.client(nil, { auth = function()
        return table.unpack(values, 1, 2)
      end })
      local value, err = client.sessions:get(session)
      assert.is_nil(value)
      assert.equal("auth", err.kind)
      assert.equal("sessions:get", err.operation)
      assert.equal(detail, err.detail:sub(1, #detail))
      assert.is_nil(err.detail:find("canary", 1, true))
      assert.is_false(err.sent)
      assert.equal(0, #transport.requests)
      assert.is_nil(tostring(err):find("canary", 1, true))
      assert.matches("`auth` gave no token", tostring(err))
    end)
  end

  it("may raise, as any function of the caller's", function()
    local client = helper.client(nil, { auth = function() error "vault" end })
    assert.has_error(function() client.sessions:get(session) end)
  end)

  it("may not call the client that waits for it", function()
    local client
    client = assert(signicat.new { base_url = "http://127.0.0.1:1/sign",
      auth = function() return client.sessions:get(session) end })
    local function call() return client.sessions:get(session) end
    for _, run in ipairs {
      call, function() return client:async(call):wait() end,
    } do
      for _ = 1, 2 do
        local done, message = pcall(run)
        assert.is_false(done)
        assert.matches("`auth` calls the client that waits",
          message)
      end
    end
    client:close()
  end)
end)

-- -- failures -----------------------------------------------------------------

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
