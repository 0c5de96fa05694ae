-- sockets_spec.lua: which sockets are served, when, and which are let go.

local core = require "signicat.core"
local helper = require "spec.helper"
local sandbox = require "signicat.sandbox"
local socket = require "socket"

local unpack = table.unpack or unpack -- luacheck: ignore

local ID = "f05d0dce-a7af-432b-b6b8-e455ab7c0858"

describe("a multi's sockets", function()
  local multi, service

  before_each(function()
    multi, service = assert(core.multi()), assert(sandbox.start())
  end)
  after_each(function()
    multi:close()
    service:stop()
  end)

  local function start(url)
    local transfer = assert(core.transfer(multi))
    assert(transfer:start(core.request({
      base_url = url or service.url .. "/sign" }, "getSigningSession", ID, nil,
      0)))
    return transfer
  end

  -- Until they have ended.
  local function finish(...)
    local ends = core.now() + 60
    for _, transfer in ipairs { ... } do
      while not transfer:done() do
        multi:turn(1)
        assert(core.now() < ends, "it does not end")
      end
    end
  end

  -- Turns until so many requests have been sent; their answers come meanwhile.
  local function until_seen(count)
    local ends = core.now() + 60
    while #assert(service:journal()) < count do
      assert(core.now() < ends, "not all are sent")
      for _ = 1, 100 do multi:turn(0) end
    end
  end

  local function is_readable(seconds)
    local descriptor = multi:descriptor()
    local polled = { getfd = function() return descriptor end }
    return #socket.select({ polled }, nil, seconds) == 1
  end

  it("have their turns one by one where it may not wait", function()
    local transfer, turns, key = start(), 0, nil
    while not key do
      assert(turns < 1000, "it does not end")
      turns, key = turns + 1, multi:turn(0)
      if not key then is_readable(0.1) end
    end
    assert.is_true(turns > 2)
    assert.equal(401, transfer:finish().status)
  end)

  it("have theirs until Lua is needed where it may wait", function()
    local transfer = start()
    finish(transfer) -- the connection is made
    assert.equal(401, transfer:finish().status)
    assert(transfer:start(core.request({ base_url = service.url .. "/sign" },
      "getSigningSession", ID, nil, 0)))
    assert.equal(transfer:key(), (multi:turn(30)))
    assert.equal(401, transfer:finish().status)
  end)

  it("are served, however many are ready at once", function()
    for round = 1, 2 do
      local transfers = {}
      for i = 1, 100 do transfers[i] = start() end
      until_seen(100 * round)
      finish(unpack(transfers))
      for _, transfer in ipairs(transfers) do
        assert.equal(401, transfer:finish().status)
      end
    end
  end)

  it("are not served once their transfers are cancelled", function()
    local kinds, rounds = {}, 0
    repeat
      local transfers = {}
      for i = 1, 10 do transfers[i] = start() end
      -- The first one that ends was found with others; but who was stopped for
      -- long may see all end in one turn, of libcurl's timer.
      while not multi:turn(0) do is_readable(0.1) end
      for _, transfer in ipairs(transfers) do
        transfer:cancel()
        local _, failure = transfer:finish()
        kinds[failure and failure.kind or "answered"] = true
      end
      rounds = rounds + 1
    until kinds.cancelled or rounds == 10
    assert.is_true(kinds.cancelled)
    local after = start()
    finish(after)
    assert.equal(401, after:finish().status)
  end)

  it("are let go when the service ends a connection that rests", function()
    local server, url = helper.serve "ok"
    local transfer = start(url)
    finish(transfer)
    assert.equal(200, transfer:finish().status)
    while multi:turn(0) do end
    assert.is_false(is_readable(0))
    server:kill()
    assert.is_true(is_readable(20))
    assert.is_nil((multi:turn(0)))
    assert.is_false(is_readable(0))
    local another, other_url = helper.serve "ok"
    transfer = start(other_url)
    finish(transfer)
    assert.equal(200, transfer:finish().status)
    another:kill()
  end)
end)
