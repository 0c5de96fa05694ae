-- turns_soak.lua: a turn moves as little of a GiB as of less, both ways; how
-- many instructions that takes, turns_spec counts on shorter ones.

local helper = require "spec.helper"
local signicat = require "signicat"

local GIB = 2 ^ 30
-- A slice is begun when less than 2 KiB were moved, and libcurl hands out no
-- more than 16 KiB at a time.
local MOST = 2 ^ 11 + 2 ^ 14

describe("a turn", function()
  local folder, remove, server, sign

  before_each(function() folder, remove = helper.folder() end)
  after_each(function()
    sign:close()
    server:kill()
    remove()
  end)

  -- Turns until the task is done; the most bytes that moved in one, how many
  -- turns moved any, and what the task returned.
  local function most_bytes(answer, fn)
    local url
    server, url = helper.serve(answer)
    sign = assert(signicat.new { token = "t", retries = 0, base_url = url })
    local loop = sign.transport.loop
    local task = sign:async(fn)
    local before, most, turns = 0, 0, 0
    while not task:done() do
      loop:turn(1)
      local moved = before
      for _, line in pairs(loop.lines) do
        moved = line.transfer:progress() or moved
      end
      if moved > before then
        most, turns = math.max(most, moved - before), turns + 1
      end
      before = moved
    end
    return most, turns, task:wait()
  end

  it("moves little of a document that comes", function()
    local path = folder .. "/document"
    local most, turns, got = most_bytes(("large:%d"):format(GIB), function()
      return sign.documents:download("d1234567-89ab-cdef-0123-456789abcdef",
        { to = path })
    end)
    assert.equal(path, got)
    assert.is_true(most <= MOST, most)
    assert.is_true(turns >= GIB / MOST, turns)
  end)

  it("moves little of one that goes", function()
    local path = folder .. "/document"
    local file = assert(io.open(path, "wb"))
    assert(file:seek("set", GIB - 1))
    assert(file:write "x")
    file:close()
    local most, turns, document = most_bytes("stored", function()
      return sign.documents:upload { path = path, type = "text/plain" }
    end)
    assert.truthy(document)
    assert.is_true(most <= MOST, most)
    assert.is_true(turns >= GIB / MOST, turns)
  end)
end)
