-- bench_spec.lua: what a call costs stays within what spec/bench/goals.lua
-- allows: instructions, requests for memory and bytes, which are the same on
-- any machine. `make bench` has the times, too.

local cost = require "spec.bench.cost"
local goals = require "spec.bench.goals"
local helper = require "spec.helper"
local service = require "spec.bench.service"
local uploads = require "spec.bench.uploads"

local TRIES = 4 -- for what varies by chance

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
    local function floor(how)
      return each(cost.floor(how, server.url .. server.session_path))
    end
    local least = floor "easy"
    local function assert_ratio(goal, program, of)
      local ratio
      for _ = 1, TRIES do
        ratio = each(program) / (of or least)
        if ratio <= goal * goals.chance then break end
      end
      assert_at_most(goal * goals.chance, ratio)
    end
    assert_ratio(goals.raw, cost.client("raw", server.url))
    assert_ratio(goals.session, session)
    assert_ratio(goals.tasks, cost.client("many_raw", server.url), floor "many")
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

describe("a report", function()
  -- What it says of four figures, and whether it is met in all.
  local function finish(...)
    return helper.run(([[
      local rows = require "spec.bench.rows"
      rows.at_most("heap calls", %d, "%%d", 100)
      rows.at_most("instructions", %d, "%%d", 100, "chance")
      rows.at_most("seconds", %d, "%%d", 100, "time")
      rows.at_least("resumed", %d, "%%d", 100)
      print(rows.finish())]]):format(...))
  end

  it("is met as long as only times, or chance, are in the way", function()
    assert.matches("Every goal is met.*true", finish(100, 100, 100, 100))
    local said = finish(100, 102, 500, 100)
    assert.matches("102 +goal <= 100   MISSED", said)
    assert.matches("500 +goal <= 100   MISSED", said)
    assert.matches("Goals missed: 2.*does not count.*does not count.*true",
      said)
  end)

  it("is not met where a count, bytes or instructions are", function()
    for _, figures in ipairs { { 101, 100, 100, 100 }, { 100, 104, 100, 100 },
                               { 100, 100, 100, 99 } } do
      local said = finish(figures[1], figures[2],
        figures[3], figures[4])
      assert.matches("Goals missed: 1.*false", said)
      assert.is_nil(said:find("does not count", 1, true))
    end
  end)
end)
