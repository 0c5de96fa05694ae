-- sweep.lua: every case of spec/alloc in every mode, at every position; prints
-- a table and ends with 1 if something is wrong.
--
--     lua sweep.lua [MODE...]

local oom = require "spec.support.oom"

local modes = arg[1] and arg or { "lua", "lua-once", "collect", "ours",
  "ours-once", "curl", "curl-once" }
local good = true

print(_VERSION)
print(("%-10s %-20s %9s %6s %6s %5s %6s"):format("mode", "case", "positions",
  "raised", "memory", "other", "leaked"))
for _, mode in ipairs(modes) do
  local all = { positions = 0, raised = 0, memory = 0, other = 0, leaked = 0 }
  local function line(case, it, fault)
    print(("%-10s %-20s %9d %6d %6d %5d %6d %s"):format(mode, case,
      it.positions, it.raised, it.memory, it.other, it.leaked, fault or ""))
  end
  for _, file in ipairs { "cases", "calls" } do
    for _, case in ipairs(oom.files[file]) do
      local counts, output = oom.run(file, case, mode)
      if not counts then
        print(("%-10s %-20s %s"):format(mode, case, output))
        good = false
      else
        local it = { positions = counts.positions, raised = counts.raised,
          memory = counts.kinds.memory or 0, other = 0, leaked = counts.leaked }
        for kind, count in pairs(counts.kinds) do
          if kind ~= "memory" then it.other = it.other + count end
        end
        local fault = oom.fault(mode, counts)
        line(case, it, fault)
        good = good and not fault
        for name, count in pairs(it) do all[name] = all[name] + count end
      end
      io.stdout:flush()
    end
  end
  line("all", all)
end
os.exit(good and 0 or 1)
