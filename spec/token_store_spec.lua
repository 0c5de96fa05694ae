-- token_store_spec.lua: the stores that share a token between clients.

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

  it("of another shape raises at the caller's line", function()
    local ok, message = pcall(function()
      helper.client({}, { token_store = { get = print } })
    end)
    assert.is_false(ok)
    assert.matches("token_store' must be a table with functions", message)
  end)
end)
