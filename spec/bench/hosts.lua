-- hosts.lua: what the client costs in time the programs it runs in: the
-- requests that a worker of nginx answers meanwhile, and the frames of LÖVE.
--
-- Every figure is a median of RUNS, of runs that took turns with those it is
-- compared with. Where there are two cores the host has one to itself; the
-- service and the crowd are on the other.
--
--   hosts.lua [RUNS [SECONDS]]

local helper = require "spec.helper"
local love_frames = require "spec.bench.love_frames"
local nginx = require "spec.support.nginx"
local nginx_rates = require "spec.bench.nginx_rates"
local rows = require "spec.bench.rows"

local runs, seconds = tonumber(arg[1] or 5), tonumber(arg[2] or 2)

-- The first and the last core that we may use.
local function two_cores()
  local list = nginx.run "taskset -cp $$":match ": ([%d,-]+)\n$"
  return tonumber(list:match "^%d+"), tonumber(list:match "%d+$")
end

-- The median of a field of these tables, and the least and the most.
local function median(list, field)
  local values = {}
  for i, one in ipairs(list) do values[i] = one[field] end
  table.sort(values)
  local half = #values / 2
  return (values[math.ceil(half)] + values[math.floor(half) + 1]) / 2,
    values[1], values[#values]
end

local crowd_core, host_core = two_cores()

-- As many calls are always under way; the shorter `delay` is, the more of them
-- begin and end in a second.
---@param delay number seconds until a call is answered
local function measure_nginx(delay)
  local rates = nginx_rates.start(host_core, crowd_core, delay)
  local list, blocked = {}, {}
  for i = 1, runs do list[i] = rates:pair(seconds) end
  local alone = median(list, "alone")
  for i, rate in ipairs(rates:blocked(runs, 1)) do
    blocked[i] = { ratio = rate / alone }
  end
  rates:stop()

  print(("\nnginx, one worker: requests a second to a location of its own, "
    .. "beside\n%d calls that are each answered after %.1f s"):format(
      nginx_rates.SLOW, delay))
  local function print_median(what, field, format)
    local middle, least, most = median(list, field)
    rows.print(what, format:format(middle),
      (format .. " to " .. format):format(least, most))
  end
  print_median("without the calls", "alone", "%.0f")
  print_median("beside them", "beside", "%.0f")
  print_median("calls answered a second", "slow", "%.0f")
  rows.at_least("beside / without", (median(list, "ratio")), "%.2f", 0.9,
    "time")
  print_median("- in the runs", "ratio", "%.2f")
  print_median("- by the worker's own time", "own", "%.2f")
  rows.print("the same, were libcurl forced to block", ("%.2f"):format(
    (median(blocked, "ratio"))))
end

local function measure_love()
  local frames = love_frames.start(host_core, crowd_core)
  local ways = { { name = "tasks", word = "" },
                 { name = "thread", word = "thread" } }
  for i = 1, runs do
    for _, way in ipairs(ways) do
      way[i] = frames:run(way.word)
    end
  end
  frames:stop()

  print "\nLÖVE: milliseconds of a frame, without the calls and with them"
  for _, way in ipairs(ways) do
    for _, row in ipairs { { "99 of 100 below", "most_without", "most_with" },
                           { "longest", "without", "with" } } do
      rows.print(way.name .. ": " .. row[1],
        ("%.2f"):format((median(way, row[2]))),
        ("%.2f"):format((median(way, row[3]))))
    end
  end
  local tasks = ways[1]
  rows.at_most("tasks: the longest is longer by",
    median(tasks, "with") - median(tasks, "without"), "%.2f", 4, "time")
end

print(("Load of the machine before: %s, on %d cores"):format(
  helper.read("/proc/loadavg"):match "^%S+", nginx.run "nproc"))
measure_nginx(1)
measure_nginx(0.2)
measure_love()
rows.finish()
