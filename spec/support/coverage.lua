-- coverage.lua: how much of the C core the runs before it reached: prints a
-- line for each file, the sums, and with -v every line that was not reached.
--
--     lua coverage.lua [-v] FOLDER FILE...
--
-- The folder has the objects of the files and what their runs counted. Ends
-- with 1 below 95 % of the lines or 85 % of the branches.

local LINES, BRANCHES = 95, 85 -- percent

local verbose = arg[1] == "-v" and table.remove(arg, 1) ~= nil
local folder = table.remove(arg, 1)

local function gcov(flags, name)
  local pipe = assert(io.popen(("gcov %s -o '%s' '%s/%s.o' 2>/dev/null")
    :format(flags, folder, folder, name)))
  local output = pipe:read "*a"
  pipe:close()
  return output
end

local function percent(part, all)
  return all > 0 and 100 * part / all or 100
end

-- What was reached of how many, as gcov's summary has it.
local function counted(section, words)
  local share, all = section:match(words .. ":([%d.]+)%% of (%d+)")
  if not share then return 0, 0 end
  return math.floor(share * all / 100 + 0.5), tonumber(all)
end

local sum = { 0, 0, 0, 0 }

local function line(name, it)
  print(("%-20s %5d of %5d lines %6.1f %%  %5d of %5d branches %6.1f %%")
    :format(name, it[1], it[2], percent(it[1], it[2]), it[3], it[4],
      percent(it[3], it[4])))
end

for _, file in ipairs(arg) do
  local name = file:match "([^/]+)%.c$"
  -- A header's functions have sections of their own.
  for path, section in ("\n" .. gcov("-b -c -n", name)):gsub("\nFile '", "\0%0")
    :gmatch "\nFile '([^']+)'([^%z]*)" do
    if path == file then
      local it = { counted(section, "Lines executed") }
      it[3], it[4] = counted(section, "Taken at least once")
      line(file, it)
      for i = 1, 4 do sum[i] = sum[i] + it[i] end
    end
  end
  if verbose then
    local this
    for text in gcov("-t", name):gmatch "[^\n]+" do
      this = text:match ":Source:(.*)$" or this
      if this == file and text:find "^%s*#####:" then
        print("    " .. text:match "^%s*#####:%s*(.*)$")
      end
    end
  end
end

line("all", sum)
os.exit(percent(sum[1], sum[2]) >= LINES
  and percent(sum[3], sum[4]) >= BRANCHES and 0 or 1)
