-- memory_soak.lua: a gibibyte each way and 200 pages; spec/memory_spec.lua has
-- less. Takes two minutes, and a gibibyte of the disk.

require "spec.support.measure".specs(1024, 200)
