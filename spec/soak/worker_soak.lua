-- worker_soak.lua: no job doubled, none lost: as spec/worker_kill_spec.lua
-- with more of everything. Takes some minutes.

local killing = require "spec.support.killing"

describe("500 jobs and 4 workers that are killed or stopped", function()
  killing.specs(500, 8)
end)
