-- A batch of the storm: calls in tasks with faults by chance, each held against
-- what the service saw; spec/soak/storm_soak.lua has a hundred, of both ways to
-- wait. SIGNICAT_SEED repeats a run.

local storm = require "spec.support.storm"

local CALLS = 1000

local seed = tonumber(os.getenv "SIGNICAT_SEED") or os.time() % 1000000

describe(("%d calls with faults by chance"):format(CALLS), function()
  it("are what the service saw, and leave nothing open", function()
    local before = storm.weigh()
    local it = storm.new(seed, CALLS)
    finally(function() storm.stop(it) end)
    it.batch = 1 -- every second one is in tasks
    storm.batch(it)
    assert.is_true(it.requests > CALLS and it.faults > CALLS / 10)
    assert.is_true(it.kinds.ok > CALLS / 2)
    storm.stop(it)
    assert.equal(before.descriptors, storm.weigh().descriptors)
  end)
end)
