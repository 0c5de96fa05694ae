-- faults_soak.lua: every operation and every fault, in every way to reach the
-- service and to wait for it; spec/faults_spec.lua has some of each.

local fault_ways = require "spec.support.fault_ways"

for _, name in ipairs { "blocking", "in tasks", "in a crowd of tasks",
                        "over HTTP/2", "in tasks over HTTP/2",
                        "in a crowd of tasks over HTTP/2", "in nginx" } do
  fault_ways.describe(name, "all")
end
