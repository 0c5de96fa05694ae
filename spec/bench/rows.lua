-- rows.lua: the lines of a report: what was measured, its figure and its
-- goal, and at the end how many goals were missed.

local rows = {}

local missed = {}

function rows.print(what, value, goal, unit)
  print(("  %-42s %14s   %s"):format(what, value .. (unit or ""), goal or ""))
end

local function judge(what, value, format, goal, sign, met)
  if not met then missed[#missed + 1] = what end
  rows.print(what, format:format(value),
    ("goal %s " .. format):format(sign, goal) .. (met and "" or "   MISSED"))
end

function rows.at_most(what, value, format, goal)
  judge(what, value, format, goal, "<=", value <= goal)
end

function rows.at_least(what, value, format, goal)
  judge(what, value, format, goal, ">=", value >= goal)
end

-- 12 345, rounded.
function rows.thousands(value)
  local digits = ("%.0f"):format(value):reverse():gsub("(%d%d%d)", "%1 ")
  return (digits:reverse():gsub("^ ", ""))
end

function rows.finish()
  if #missed == 0 then
    print "\nEvery goal is met."
  else
    print("\nGoals missed: " .. #missed .. "\n  "
      .. table.concat(missed, "\n  "))
  end
end

return rows
