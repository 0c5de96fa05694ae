-- turns_spec.lua: a turn of a client's loop does little, however many tasks
-- wait and however long a document is: the longest is counted in instructions.

local helper = require "spec.helper"

describe("the longest turn", function()
  local folder, remove

  before_each(function() folder, remove = helper.folder() end)
  after_each(function() remove() end)

  -- Its instructions, and how many turns there were.
  local function longest(way, tasks, size, answer)
    helper.write(folder .. "/document", ("x"):rep(size or 1))
    local server, url = helper.serve("ok", answer)
    local output = helper.run(([[
      package.cpath = "build/5.4/spec/?.so;" .. package.cpath
      loadfile "spec/turns/turns.lua"("%s/sign", %q, "%d", %q)
    ]]):format(url, way, tasks, folder .. "/document"),
      "timeout 300 valgrind -q --tool=callgrind --trace-children=yes "
        .. "--dump-before=turn_mark --separate-threads=yes "
        .. "--callgrind-out-file=" .. folder .. "/out env")
    server:kill()
    local most, count = 0, 0
    for _, name in ipairs(helper.names_in(folder)) do
      -- The first is what was before; other threads hold up no turn.
      local turn = tonumber(name:match "^out%.(%d+)-01$")
      if turn and turn > 1 then
        local text = helper.read(folder .. "/" .. name)
        most = math.max(most, tonumber(text:match "\ntotals: (%d+)"))
        count = count + 1
      end
      os.remove(folder .. "/" .. name)
    end
    assert.is_true(count > 1, output)
    return most, count
  end

  it("is as long with 1000 waiting tasks as with one", function()
    local one = longest("get", 1, nil, "ok")
    local many = longest("get", 1000, nil, "ok")
    assert.is_true(many < 2 * one, many .. " to " .. one)
  end)

  -- A thread reads it. A byte copied may count as an instruction.
  it("does no more for a large answer than copy it and its index", function()
    local few, many = 500, 5000
    local short = longest("read", 1, nil, "page:" .. few)
    local long = longest("read", 1, nil, "page:" .. many)
    local session = #'{"id":"f05d0dce-a7af-432b-b6b8-e455ab7c0858"},'
    local bytes = (many - few) * (session + 2 * 16)
    assert.is_true(long - short < 1.5 * bytes, long .. " to " .. short)
  end)

  for way, answer in pairs { upload = "stored", download = "large:%d" } do
    it("is as long for 4 MiB as for 1 KiB: " .. way, function()
      local function of(size)
        return longest(way, 1, size, answer:format(size))
      end
      local short = of(1024)
      local long, turns = of(4 * 2 ^ 20)
      assert.is_true(long < 2 * short, long .. " to " .. short)
      assert.is_true(turns > 1024, turns)
    end)
  end
end)
