-- memory_spec.lua: documents of any size pass through memory of one size, and
-- so do lists of any length.
-- spec/soak/memory_soak.lua has the same with a gibibyte.

require "spec.support.measure".specs(128, 40)
