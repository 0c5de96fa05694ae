-- token_renewal_spec.lua: a token that is refused, and one that many ask for
-- at the same time.

local helper = require "spec.helper"

local session = helper.session
local TOKEN_URL = "https://sign.example/auth/open/connect/token"

describe("a token that the service refuses", function()
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
