-- bench_spec.lua: what a call costs stays within what spec/bench/goals.lua
-- allows: instructions, requests for memory and bytes, which are the same on
-- any machine. `make bench` has the times, too.

local cost = require "spec.bench.cost"
local goals = require "spec.bench.goals"
local service = require "spec.bench.service"
local uploads = require "spec.bench.uploads"

-- Lua hashes strings otherwise in every second, and tables of names are fast or
-- slow by chance: instructions vary by so much, and now and then by more.
local CHANCE, TRIES = 1.03, 4

describe("a call", function()
  local server, session

  setup(function()
    server = service.start()
    session = cost.client("session", server.url)
  end)
  teardown(function() server:stop() end)

  local function assert_at_most(goal, figure)
    assert.is_true(figure <= goal,
      ("%.2f, more than %.2f"):format(figure, goal))
  end

  it("takes few instructions more than libcurl alone", function()
    local function each(program)
      return cost.each(cost.instructions, program, 200, 700)
    end
    local floor = each(cost.floor("easy", server.url .. server.session_path))
    local function assert_ratio(goal, program)
      local ratio
      for _ = 1, TRIES do
        ratio = each(program) / floor
        if ratio <= goal * CHANCE then break end
      end
      assert_at_most(goal * CHANCE, ratio)
    end
    assert_ratio(goals.raw, cost.client("raw", server.url))
    assert_ratio(goals.session, session)
  end)

  it("asks for memory a few times", function()
    assert_at_most(goals.heap_calls,
      cost.each(cost.heap_calls, session, 100, 600))
  end)

  it("leaves little to the collector but its answer", function()
    assert_at_most(goals.garbage, (cost.garbage(session, 100)))
  end)

  it("reads a page of 1000 sessions in few instructions", function()
    local page = cost.client("page", server.url, 1000)
    assert_at_most(goals.page, cost.each(cost.instructions, page, 0, 2))
    local garbage, text, index = cost.garbage(
      cost.client("page", server.url), 4, 1000)
    assert_at_most(goals.page_garbage, garbage)
    assert_at_most(goals.page_size, (text + index) / text)
  end)

  it("uploads in few instructions more than libcurl and the hash", function()
    local MB = 2 ^ 20
    local function each(program)
      return cost.each(function(_, size)
        return cost.instructions(program(server:document(size)), 1)
      end, program, MB, 3 * MB)
    end
    local floor = each(function(file)
      return uploads.floor("hashed", server, file)
    end)
    assert_at_most(goals.upload * floor, each(function(file)
      return uploads.client("path", server, file)
    end))
  end)
end)
