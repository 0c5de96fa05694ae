-- redis_spec.lua: the Redis client, against real servers.

local redis = require "signicat.redis"
local servers = require "spec.support.redis"

describe("the Redis client", function()
  local server, client

  setup(function()
    server = servers.start()
    client = server:client()
  end)

  teardown(function()
    client:close()
    server:stop()
  end)

  it("gives strings, numbers, lists, and false for nothing", function()
    assert.equal("OK", client:call("SET", "k", "a\0b\r\n"))
    assert.equal("a\0b\r\n", client:call("GET", "k"))
    assert.equal("", client:call("ECHO", ""))
    assert.equal(5, client:call("STRLEN", "k"))
    assert.is_false(client:call("GET", "none"))
    assert.same({ "a\0b\r\n", false }, client:call("MGET", "k", "none"))
    assert.same({}, client:call("KEYS", "none*"))
    assert.is_false(client:call("BLPOP", "none", "0.01"))
    assert.same({ 1, { "two", { 3 } } },
      client:call("EVAL", "return {1, {'two', {3}}}", 0))
  end)

  it("writes numbers as whole ones", function()
    assert.equal("1732665125000", client:call("ECHO", 1732665125000))
    assert.equal("3", client:call("ECHO", 6 / 2))
  end)

  it("carries a megabyte", function()
    local bytes = ("\0\1\2\3\r\n\254\255"):rep(2 ^ 17)
    assert(client:call("SET", "large", bytes))
    assert.is_true(client:call("GET", "large") == bytes)
  end)

  it("gives Redis's own words for a failure and goes on", function()
    local value, reason = client:call("HGET", "k", "f")
    assert.is_nil(value)
    assert.matches("^WRONGTYPE", reason)
    value, reason = client:call("EVAL",
      "return {1, redis.error_reply('ERR within'), 2}", 0)
    assert.is_nil(value)
    assert.matches("^ERR within", reason)
    assert.equal("PONG", client:call "PING")
  end)

  it("connects anew after the server was started again", function()
    assert(client:call("SET", "kept", "1"))
    server:kill()
    local value, reason = client:call("GET", "kept")
    assert.is_nil(value)
    assert.is_string(reason)
    server:start_again()
    assert.equal("1", client:call("GET", "kept"))
  end)

  it("does not read the answer of a command it gave up on", function()
    local hasty = server:client { timeout = 0.3 }
    -- What it is told, however often it is not told in time.
    local function told(...)
      local value, reason
      for _ = 1, 100 do
        value, reason = hasty:call(...)
        if value ~= nil then break end
      end
      return value, reason
    end
    assert.equal("PONG", told "PING")
    local value, reason = hasty:call("BLPOP", "none", "20")
    assert.is_nil(value)
    assert.equal("timeout", reason)
    assert.equal("mine", told("ECHO", "mine"))
    hasty:close()
  end)

  it("takes the next node when one does not answer", function()
    local other = server:client { nodes = { "127.0.0.1:1", server.address } }
    assert.equal("PONG", other:call "PING")
    other:close()
  end)

  it("tells which node refused, when none is left", function()
    local value, reason = redis.new { nodes = { "127.0.0.1:1" } }:call "PING"
    assert.is_nil(value)
    assert.matches("^127%.0%.0%.1:1: ", reason)
  end)

  it("gives user and password, and none of them in a failure", function()
    assert(client:call("ACL", "SETUSER", "anna", "on", ">s3cret", "+@all",
      "~*"))
    local anna = server:client { username = "anna", password = "s3cret" }
    assert.equal("anna", anna:call("ACL", "WHOAMI"))
    anna:close()
    local value, reason = server:client { username = "anna",
      password = "wrong" }:call "PING"
    assert.is_nil(value)
    assert.matches("WRONGPASS", reason)
    assert.falsy(reason:find("wrong", 1, true))
  end)

  it("speaks through what `wrap` makes of its socket", function()
    local seen
    local wrapped = server:client { wrap = function(socket, host)
      seen = host
      return socket
    end }
    assert.equal("PONG", wrapped:call "PING")
    assert.equal("127.0.0.1", seen)
    wrapped:close()
  end)

  it("does not read the answer of a command that an error ended", function()
    local limit
    local wrapped = server:client { wrap = function(socket)
      return {
        send = function(_, bytes) return socket:send(bytes) end,
        close = function() return socket:close() end,
        receive = function(_, how)
          if limit then error("the host's limit", 0) end
          return socket:receive(how)
        end,
      }
    end }
    assert.equal("PONG", wrapped:call "PING")
    limit = true
    assert.has_error(function() wrapped:call("ECHO", "old") end,
      "the host's limit")
    limit = false
    assert.equal("mine", wrapped:call("ECHO", "mine"))
    wrapped:close()
  end)

  it("keeps the answers of two coroutines apart", function()
    local one = server:client { wrap = function(socket)
      return {
        send = function(_, bytes)
          local sent = socket:send(bytes)
          coroutine.yield()
          return sent
        end,
        close = function() return socket:close() end,
        receive = function(_, how) return socket:receive(how) end,
      }
    end }
    local function echo(word)
      return coroutine.wrap(function() return one:call("ECHO", word) end)
    end
    local first, second = echo "first", echo "second"
    first()
    second()
    assert.equal("second", second())
    assert.equal("first", first())
    one:close()
  end)

  it("raises at the caller's line for options it does not know", function()
    local ok, message = pcall(function() redis.new { node = "x" } end)
    assert.is_false(ok)
    assert.matches("redis_spec%.lua:%d+: redis%.new: no option 'node'; did "
      .. "you mean 'nodes'?", message)
  end)
end)

describe("the Redis client with a replica", function()
  local first, second

  before_each(function() first, second = servers.pair() end)

  after_each(function()
    first:stop()
    second:stop()
  end)

  it("asks the next node when one may not change anything", function()
    local client = first:client { nodes = { second.address, first.address } }
    assert.equal("OK", client:call("SET", "k", "v"))
    assert.equal(first.address, client.node)
    assert.equal("OK", client:call("SET", "k", "w"))
    client:close()
    client = first:client { nodes = { second.address, "127.0.0.1:1" } }
    local value, reason = client:call("SET", "k", "v")
    assert.is_nil(value)
    assert.matches("^READONLY", reason)
    client:close()
  end)

  it("goes on at the one that is promoted, and leaves it for no other",
    function()
      local client = first:client { nodes = { first.address,
                                              second.address } }
      assert(client:call("SET", "k", "v"))
      assert.equal(1, client:call("WAIT", 1, 20000))
      first:kill()
      assert.is_nil((client:call "PING"))
      local promoted = second:client()
      assert(promoted:call("REPLICAOF", "NO", "ONE"))
      assert.equal("v", client:call("GET", "k"))
      assert.equal("OK", client:call("SET", "k", "w"))
      first:start_again()
      first:follow(second)
      assert.equal("OK", client:call("SET", "k", "x"))
      client:close() -- and a new connection, which begins with the first
      assert.equal("OK", client:call("SET", "k", "y"))
      assert.equal(second.address, client.node)
      client:close()
      promoted:close()
    end)
end)

describe("the Redis client in a cluster", function()
  local nodes

  setup(function() nodes = servers.cluster() end)
  teardown(function() nodes:stop() end)

  it("finds the node of a key from any of them, and stays there", function()
    for _, node in ipairs(nodes) do
      local client = node:client()
      for i = 1, 9 do
        local key = "{" .. i .. "}:k"
        assert.equal("OK", client:call("SET", key, "v" .. i))
        local there = client.socket
        assert.equal("v" .. i, client:call("GET", key))
        assert.equal(there, client.socket)
      end
      client:close()
    end
  end)

  it("goes where a key is while its slot moves", function()
    local client = nodes[1]:client()
    assert(client:call("SET", "{move}:a", "1"))
    local slot = client:call("CLUSTER", "KEYSLOT", "{move}:a")
    local at = math.min(math.floor(slot / 5461) + 1, 3)
    local from, to = nodes[at], nodes[at % 3 + 1]
    local source, target = from:client(), to:client()
    local from_id = source:call("CLUSTER", "MYID")
    local to_id = target:call("CLUSTER", "MYID")
    assert(target:call("CLUSTER", "SETSLOT", slot, "IMPORTING", from_id))
    assert(source:call("CLUSTER", "SETSLOT", slot, "MIGRATING", to_id))
    assert.equal("OK", client:call("SET", "{move}:new", "2")) -- told to ASK
    assert.equal("1", client:call("GET", "{move}:a"))
    assert.equal("2", client:call("GET", "{move}:new"))
    for _, one in ipairs { client, source, target } do one:close() end
  end)
end)
