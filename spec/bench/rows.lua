-- rows.lua: the lines of a report: what was measured, its figure and its
-- goal, and at the end how many goals were missed, and whether one of those
-- counts. The nature of a figure says so: a "time" is the machine's as much as
-- ours, and what the "collector" takes is Lua's: they do not count; "chance" is
-- in instructions, which Lua's hashes vary a little; others are the same on any
-- machine.

local goals = require "spec.bench.goals"

local rows = {}

local COUNTS = { time = false, collector = false }

local missed, failed = {}, 0

function rows.print(what, value, goal, unit)
  print(("  %-42s %14s   %s"):format(what, value .. (unit or ""), goal or ""))
end

local function judge(what, value, format, goal, sign, met, counts)
  if not met then
    missed[#missed + 1] = counts and what or what .. " (does not count)"
    failed = failed + (counts and 1 or 0)
  end
  rows.print(what, format:format(value),
    ("goal %s " .. format):format(sign, goal) .. (met and "" or "   MISSED"))
end

function rows.at_most(what, value, format, goal, nature)
  local near = value <= (nature == "chance" and goal * goals.chance or goal)
  judge(what, value, format, goal, "<=", value <= goal,
    not near and COUNTS[nature] ~= false)
end

function rows.at_least(what, value, format, goal, nature)
  judge(what, value, format, goal, ">=", value >= goal, COUNTS[nature] ~= false)
end

-- 12 345, rounded.
function rows.thousands(value)
  local digits = ("%.0f"):format(value):reverse():gsub("(%d%d%d)", "%1 ")
  return (digits:reverse():gsub("^ ", ""))
end

---@return boolean met all goals that count
function rows.finish()
  if #missed == 0 then
    print "\nEvery goal is met."
  else
    print("\nGoals missed: " .. #missed .. "\n  "
      .. table.concat(missed, "\n  "))
  end
  return failed == 0
end

return rows
