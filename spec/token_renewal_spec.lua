-- token_renewal_spec.lua: a token that is refused, and one that many ask for
-- at the same time.

local helper = require "spec.helper"
local signicat = require "signicat"

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

describe("a task that needs a token", function()
  local server, url, sign

  setup(function()
    server, url = helper.serve "ok"
  end)
  after_each(function() sign:close() end)
  teardown(function() server:kill() end)

  local function client(options)
    options.base_url, options.retries = url .. "/sign", 0
    sign = assert(signicat.new(options))
  end

  -- Long enough for any machine, shorter than a fetch is waited for.
  local function get()
    return sign.sessions:get(session, { deadline = sign:now() + 30 })
  end

  local function raises_once(value)
    local raised = false
    return function()
      if raised then return value end
      raised = true
      error("no vault", 0)
    end
  end

  it("waits for none that raised in the main program", function()
    client { auth = raises_once "t" }
    assert.same({ false, "no vault" }, { pcall(get) })
    assert.truthy(sign:async(get):wait())
  end)

  it("waits for none that raised in a task, which goes on", function()
    client { auth = raises_once "t" }
    local raised
    local first = sign:async(function()
      raised = { sign:try(get) }
      sign.sleep(60)
    end)
    local second = sign:async(get)
    assert.truthy(second:wait())
    assert.same({ false, "no vault" }, raised)
    assert.is_false(first:done())
  end)

  it("waits for none whose store raised", function()
    local unlocked = 0
    client { auth = function() return "t" end, token_store = {
      get = function() end, set = raises_once(), drop = function() end,
      lock = function() return true end,
      unlock = function() unlocked = unlocked + 1 end,
    } }
    assert.same({ false, "no vault" }, { pcall(get) })
    assert.equal(1, unlocked)
    assert.truthy(sign:async(get):wait())
    assert.equal(2, unlocked)
  end)

  it("waits no longer than its own call may take", function()
    client { auth = function()
      sign.sleep(60)
      return "t"
    end }
    local first = sign:async(get)
    local second = sign:async(function()
      return sign.sessions:get(session, { timeout = 0.1 })
    end)
    local third = sign:async(function()
      return sign.sessions:get(session, { timeout = 60,
                                          deadline = sign:now() + 0.1 })
    end)
    for _, task in ipairs { second, third } do
      local value, err = task:wait()
      assert.is_nil(value)
      assert.equal("timeout", err.kind)
      assert.is_false(err.sent)
    end
    assert.is_false(first:done())
  end)
end)

describe("a coroutine that needs a token", function()
  it("may yield in what gives it, and waits for none that raised", function()
    local raised = false
    local client = helper.client({ status = 204 }, { auth = function()
      coroutine.yield()
      if raised then return "t" end
      raised = true
      error("no vault", 0)
    end, sleep = function() coroutine.yield() end })
    local function delete() return client.sessions:delete(session) end
    -- Where this Lua can yield in it, it catches what is raised and lives on.
    local catch = coroutine.wrap(function()
      return pcall(coroutine.yield, 1)
    end)
    local can = catch() == 1
    local first = coroutine.create(function()
      if can then pcall(delete) else delete() end
      coroutine.yield()
    end)
    assert(coroutine.resume(first))
    coroutine.resume(first)
    assert.equal(can and "suspended" or "dead", coroutine.status(first))
    local second = coroutine.create(delete)
    assert(coroutine.resume(second))
    local resumed, value = coroutine.resume(second)
    assert.same({ true, true }, { resumed, value })
    assert.equal("dead", coroutine.status(second))
  end)
end)
