-- token_store_redis_spec.lua: the store that shares a token between machines,
-- with a real Redis.

local helper = require "spec.helper"
local servers = require "spec.support.redis"
local store_of = require "signicat.token_store.redis".new

describe("the token store in Redis", function()
  local server, redis

  setup(function()
    server = servers.start()
    redis = server:client()
  end)

  teardown(function()
    redis:close()
    server:stop()
  end)

  before_each(function() assert(redis:call "FLUSHALL") end)

  it("keeps a token for its life, and without one until it is dropped",
    function()
      local store = store_of(redis)
      assert.is_nil(store:get "k")
      store:set("k", "t1", 600)
      local token, left = store:get "k"
      assert.equal("t1", token)
      assert.is_true(left > 590 and left <= 600)
      store:set("k", "t2")
      assert.same({ "t2" }, { store:get "k" })
      store:set("short", "t3", 0.001)
      while redis:call("EXISTS", "{sign}:token:short") == 1 do end
      assert.is_nil(store:get "short")
      store:set("none", "t4", 0)
      assert.is_nil(store:get "none")
    end)

  it("forgets what was refused, and nothing newer", function()
    local store = store_of(redis)
    store:set("k", "new", 10)
    store:drop("k", "old")
    assert.equal("new", (store:get "k"))
    store:drop("k", "new")
    assert.is_nil(store:get "k")
  end)

  it("serves clients on two connections with one token", function()
    local asked = 0
    local function client_of(connection)
      return helper.client(function(request)
        if not request.url:find "/token$" then return { status = 204 } end
        asked = asked + 1
        return helper.json(200, { access_token = "t" .. asked,
                                  expires_in = 600 })
      end, { client_id = "id", client_secret = "secret",
             token_store = store_of(connection) })
    end
    local second = server:client()
    assert(client_of(redis).sessions:delete(helper.session))
    assert(client_of(second).sessions:delete(helper.session))
    second:close()
    assert.equal(1, asked)
  end)

  it("that cannot be reached leaves clients with tokens of their own",
    function()
      local nowhere = store_of(server:client { nodes = { "127.0.0.1:1" } })
      local client = helper.client(function(request)
        if not request.url:find "/token$" then return { status = 204 } end
        return helper.json(200, { access_token = "t", expires_in = 600 })
      end, { client_id = "id", client_secret = "secret",
             token_store = nowhere })
      assert(client.sessions:delete(helper.session))
      nowhere:drop("k", "t")
    end)

  it("raises at the caller's line for what is no Redis client", function()
    local ok, message = pcall(function() store_of {} end)
    assert.is_false(ok)
    assert.matches("token_store_redis_spec%.lua:%d+: token_store%.redis takes",
      message)
  end)
end)
