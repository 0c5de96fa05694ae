-- token_store_spec.lua: the stores that share a token between clients.

local core = require "signicat.core"
local helper = require "spec.helper"

local session = helper.session
local TOKEN_URL = "https://sign.example/auth/open/connect/token"

describe("a token store", function()
  local memory = require "signicat.token_store.memory"

  local function client_of(store, clock)
    local asked = 0
    local client = helper.client(function(request)
      if request.url == TOKEN_URL then
        asked = asked + 1
        return helper.json(200, { access_token = "t" .. asked,
                                  expires_in = 600 })
      end
      return { status = 204 }
    end, { client_id = "id", client_secret = "secret", token_store = store,
           clock = clock.now })
    return client, function() return asked end
  end

  it("serves many clients with one token", function()
    local clock = helper.clock()
    local store = memory.new(clock.now)
    local one, one_asked = client_of(store, clock)
    local two, two_asked = client_of(store, clock)
    assert(one.sessions:delete(session))
    assert(two.sessions:delete(session))
    assert.same({ 1, 0 }, { one_asked(), two_asked() })
    clock.sleep(600)
    assert(two.sessions:delete(session))
    assert.equal(1, two_asked())
  end)

  it("forgets what was refused, and nothing newer", function()
    local clock = helper.clock()
    local store = memory.new(clock.now)
    store:set("k", "new", 10)
    store:drop("k", "old")
    assert.same({ "new", 10 }, { store:get("k") })
    store:drop("k", "new")
    assert.is_nil(store:get("k"))
    store:set("k", "kept")
    clock.sleep(1e6)
    assert.equal("kept", (store:get("k")))
  end)

  for title, kept in pairs {
    ["a null"] = { core.null, 600 }, ["true"] = { true },
    ["nothing"] = { "", 600 }, ["two lines"] = { "t0\r\nX-Other: 1", 600 },
    ["a NUL"] = { "t0\0" }, ["a table"] = { {} },
    ["a life in words"] = { "t0", "ten" },
    ["a life that is over"] = { "t0", 0 },
    ["a life of false"] = { "t0", false }, ["a life of NaN"] = { "t0", 0 / 0 },
  } do
    it("that has " .. title .. " has no token, and gets one", function()
      local got
      local client, asked = client_of({
        get = function() return kept[1], kept[2] end,
        set = function(_, _, ...) got = { ... } end,
        drop = function() end,
      }, helper.clock())
      assert(client.sessions:delete(session))
      assert.same({ 1, { "t1", 600 } }, { asked(), got })
    end)
  end

  it("may write a life as text", function()
    local clock = helper.clock()
    local client, asked = client_of({
      get = function()
        if clock.now() < 1100 then return "t0", "200" end
      end,
      set = function() end, drop = function() end,
    }, clock)
    for _, left in ipairs { 0, 0, 1 } do
      assert(client.sessions:delete(session))
      assert.equal(left, asked())
      clock.sleep(99)
    end
  end)

  it("may have no failure that can be read", function()
    for _, text in ipairs { "{", "5", "[1]", "null", '{"kind":"x"}', core.null,
                            '{"kind":7,"message":7}' } do
      local client, asked = client_of({
        get = function() end, set = function() end, drop = function() end,
        lock = function() return true end, unlock = function() end,
        failure = function() return text end,
      }, helper.clock())
      assert(client.sessions:delete(session))
      assert.equal(1, asked())
    end
  end)

  it("of another shape raises at the caller's line", function()
    local ok, message = pcall(function()
      helper.client({}, { token_store = { get = print } })
    end)
    assert.is_false(ok)
    assert.matches("token_store' must be a table with functions", message)
    assert.has_error(function()
      helper.client({}, { token_store = { get = print, set = print,
                                          drop = print, lock = print } })
    end)
  end)
end)
