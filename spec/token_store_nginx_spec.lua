-- token_store_nginx_spec.lua: one token for all workers of a real nginx,
-- counted in the sandbox's journal. LuaJIT's alone, as the Lua of nginx is.

if not rawget(_G, "jit") then return end

local core = require "signicat.core"
local helper = require "spec.helper"
local nginx = require "spec.support.nginx"
local openresty = require "spec.support.openresty"
local sandbox = require "signicat.sandbox"

local HTTP = [[
  lua_shared_dict tokens 64k;
  lua_shared_dict seen 64k;
  lua_shared_dict hooked 64k;
  lua_check_client_abort on;
  init_worker_by_lua_block {
    local core = require "signicat.core"
    local signicat = require "signicat"
    function client(store, timeout, clock, on_event)
      return assert(signicat.new { base_url = "URL/sign", client_id = "ID",
        client_secret = "SECRET", token_store = store, timeout = timeout,
        clock = clock, on_event = on_event })
    end
    local store = require "signicat.token_store.nginx".new(ngx.shared.tokens)
    sign = client(store)
    alone = client(nil)
    -- The second for which all share a failure is a hundred of these.
    local function slowly() return core.now() / 100 end
    local lasting = setmetatable({}, { __index = store })
    function lasting:fail(key, text, seconds)
      store:fail(key, text, seconds * 100)
    end
    cold = client(lasting, nil, slowly)
    hasty = client(lasting, 1, slowly)
  }
  server {
    listen 127.0.0.1:PORT reuseport;
    location / {
      content_by_lua_block {
        ngx.shared.seen:incr("count", 1, 0)
        local client = ({ ["/alone"] = alone, ["/cold"] = cold,
          ["/hasty"] = hasty })[ngx.var.uri] or sign
        local page, err = client.sessions:list({ limit = 1 })
        ngx.print(page and ngx.worker.id() or tostring(err))
      }
    }
    location = /arrived {
      content_by_lua_block { ngx.print(ngx.shared.seen:get("count")) }
    }
    location = /hooked {
      content_by_lua_block {
        local new = require "signicat.token_store.nginx".new
        local said = ""
        for _, store in ipairs { false, new(ngx.shared.hooked) } do
          local told, hooked = 0, nil
          hooked = client(store or nil, 20, nil, function()
            told = told + 1
            assert(hooked.sessions:list { limit = 1 })
          end)
          local page, err = hooked.sessions:list { limit = 1 }
          said = said .. tostring(page and told or err) .. " "
        end
        ngx.print(said)
      }
    }
    location = /lives {
      content_by_lua_block {
        local new = require "signicat.token_store.nginx".new
        local store, said = new(ngx.shared.tokens), ""
        for _, life in ipairs { -1, 0, 0.0005 } do
          store:set("key", "old", life)
          said = said .. tostring(store:get("key") ~= nil) .. " "
        end
        store:set("key", "fresh", 9)
        local token, left = store:get("key")
        local _, message = pcall(new, ngx.shared.misspelt)
        ngx.print(said, token, " ", left, " ",
          message:match "takes a dictionary")
      }
    }
    location /threads {
      content_by_lua_block {
        local threads = {}
        for i = 1, 20 do
          threads[i] = ngx.thread.spawn(function()
            return assert(alone.sessions:list({ limit = 1 })).total
          end)
        end
        for i = 1, 20 do
          local ok, total = ngx.thread.wait(threads[i])
          ngx.print(ok and total or "failed")
        end
      }
    }
  }
]]

describe("in nginx", function()
  local service, server, folder, remove

  local function start(workers)
    server = openresty.start(folder, (HTTP:gsub("%u+", {
      URL = service.url, ID = service.client_id,
      SECRET = service.client_secret })), { workers = workers })
  end

  before_each(function()
    service = assert(sandbox.start())
    folder, remove = nginx.folder()
  end)

  after_each(function()
    server:stop()
    remove()
    service:stop()
  end)

  local function tokens()
    return #assert(service:journal { operation = "token" })
  end

  -- Waits until the service has seen so many requests for a token.
  local function await_tokens(count)
    for _ = 1, 2000 do
      if tokens() >= count then return end
      core.sleep(0.01)
    end
    error("no request for a token came")
  end

  local function slow_token(milliseconds)
    assert(service:faults { { operation = "token", fault = "slow",
                              milliseconds = milliseconds } })
  end

  it("four workers fetch one token for 100 requests at once", function()
    start(4)
    slow_token(300)
    local open, seen, count = {}, {}, 0
    for i = 1, 100 do open[i] = openresty.ask(server.port, "/") end
    for i = 1, 100 do
      local status, body = openresty.hear(open[i])
      assert.equal(200, status)
      assert.matches("^[0-3]$", body)
      if not seen[body] then count = count + 1 end
      seen[body] = true
    end
    assert.equal(4, count)
    assert.equal(1, tokens())
  end)

  it("a worker whose fetch failed leaves the next one to others", function()
    start(4)
    assert(service:faults { { operation = "token", fault = "status",
                              status = 400 } })
    local _, body = openresty.get(server.port, "/")
    assert.matches("token: auth", body)
    for _ = 1, 8 do
      for _ = 1, 300 do
        _, body = openresty.get(server.port, "/")
        if body:find "^%d$" then break end
        core.sleep(0.01)
      end
      assert.matches("^[0-3]$", body)
    end
    assert.equal(2, tokens())
  end)

  -- Has 100 requests come while the service stands still, then fail for want
  -- of a token with these words; how many different lines they say.
  local function fail_cold(path, fault, words)
    fault.operation, fault.times = "token", 100
    assert(service:faults { fault })
    local release = helper.hold(service.process)
    finally(release)
    local open, lines, count = {}, {}, 0
    for i = 1, 100 do open[i] = openresty.ask(server.port, path) end
    local arrived
    for _ = 1, 2000 do
      arrived = select(2, openresty.get(server.port, "/arrived"))
      if arrived == "100" then break end
      core.sleep(0.01)
    end
    release()
    assert.equal("100", arrived)
    for i = 1, 100 do
      local _, body = openresty.hear(open[i])
      if not lines[body] then count = count + 1 end
      lines[body] = true
      assert.matches("token: " .. words, body, nil, true)
    end
    return count
  end

  it("four workers share a failure among 100 requests at once", function()
    start(4)
    assert.equal(1, fail_cold("/cold", { fault = "status", status = 400 },
      "auth (400"))
    assert.equal(1, tokens())
  end)

  it("four workers share the failure of all attempts", function()
    start(4)
    assert.equal(1, fail_cold("/cold", { fault = "status", status = 503 },
      "server (503"))
    assert.equal(3, tokens())
  end)

  it("four workers share the patience with a silent endpoint", function()
    start(4)
    assert.equal(1, fail_cold("/hasty", { fault = "slow",
      milliseconds = 60000 }, "timeout"))
    await_tokens(3) -- also of attempts that the service has yet to read
    assert.equal(3, tokens())
  end)

  it("a hook may call while it is told of the fetch", function()
    start(1)
    -- Of the token's request, its answer, the token; the call and its answer.
    assert.equal("5 5 ", select(2, openresty.get(server.port, "/hooked")))
  end)

  it("a token without a life is kept for nobody, and without a dictionary "
    .. "there is no store", function()
    start(1)
    assert.equal("false false false fresh 9 takes a dictionary",
      select(2, openresty.get(server.port, "/lives")))
  end)

  it("a request that is aborted while it fetches leaves nobody waiting",
    function()
      start(4)
      slow_token(500)
      local leader = openresty.ask(server.port, "/")
      await_tokens(1)
      leader:close()
      for _ = 1, 8 do
        local _, body = openresty.get(server.port, "/")
        assert.matches("^[0-3]$", body)
      end
      assert.equal(1, tokens())
    end)

  it("so does one of a worker that shares with nobody", function()
    start(1)
    slow_token(500)
    local leader = openresty.ask(server.port, "/alone")
    await_tokens(1)
    leader:close()
    local _, body = openresty.get(server.port, "/alone")
    assert.equal("0", body)
    assert.equal(1, tokens())
  end)

  it("light threads of one request, and requests of one worker, share one",
    function()
      start(1)
      slow_token(200)
      local open = {}
      for i = 1, 10 do open[i] = openresty.ask(server.port, "/threads") end
      for i = 1, 10 do
        local _, body = openresty.hear(open[i])
        assert.equal(("0"):rep(20), body)
      end
      assert.equal(1, tokens())
    end)
end)
