-- storm_soak.lua: a hundred thousand calls, a day by both clocks, a fault for
-- every fourth; each outcome is accounted for, and nothing grows. Takes some
-- minutes. SIGNICAT_SEED repeats a run.

local storm = require "spec.support.storm"

local CALLS = 100000

local seed = tonumber(os.getenv "SIGNICAT_SEED") or os.time() % 1000000

describe(("%d calls with faults by chance"):format(CALLS), function()
  it("are what the service saw, and leave nothing behind", function()
    local before = storm.weigh()
    local it = storm.new(seed, CALLS)
    finally(function() storm.stop(it) end)
    print(("\nstorm: SIGNICAT_SEED=%d"):format(seed))
    local weights = {}
    for i = 1, storm.batches(it) do
      storm.batch(it)
      if i % 10 == 0 then
        local now = storm.weigh()
        weights[#weights + 1] = now
        print(("storm: %.0f calls, %d requests, %d faults; %d KiB, Lua's %.0f, "
          .. "%d descriptors"):format(i * CALLS / storm.batches(it),
          it.requests, it.faults, now.resident, now.lua, now.descriptors))
      end
    end
    local words = {}
    for kind, count in pairs(it.kinds) do
      words[#words + 1] = kind .. " " .. count
    end
    table.sort(words)
    print(("storm: %s; %d attempts unseen"):format(
      table.concat(words, ", "), it.unseen))
    assert.is_true(it.unseen < CALLS / 1000)
    -- The first tenths fill caches and pools.
    local early, late = weights[3], weights[#weights]
    assert.is_true(late.resident <= early.resident + 1024)
    assert.is_true(late.lua <= early.lua + 128)
    for i = 4, #weights do
      assert.is_true(weights[i].descriptors <= early.descriptors + 8)
    end
    storm.stop(it)
    assert.equal(before.descriptors, storm.weigh().descriptors)
  end)
end)
