-- worker_kill_spec.lua: no job doubled, none lost, in short;
-- spec/soak/worker_soak.lua has the whole.

local killing = require "spec.support.killing"

describe("40 jobs and 4 workers that are killed or stopped", function()
  killing.specs(40, 1)
end)
