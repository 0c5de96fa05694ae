-- growth.lua: how cost grows with the number of tasks that wait, with the
-- length of a page and with the size of a document: along straight lines.

local cost = require "spec.bench.cost"
local rows = require "spec.bench.rows"
local uploads = require "spec.bench.uploads"

local growth = {}

-- How far the points are from the line through the first and the last, as a
-- part of the line's value.
local function bend(points)
  local first, last = points[1], points[#points]
  local slope = (last[2] - first[2]) / (last[1] - first[1])
  local most = 0
  for _, point in ipairs(points) do
    local line = first[2] + slope * (point[1] - first[1])
    most = math.max(most, math.abs(point[2] - line) / line)
  end
  return most
end

local function print_points(points, label, format)
  for _, point in ipairs(points) do
    rows.print(label:format(rows.thousands(point[1])), format:format(point[2]))
  end
end

-- Of calls under way there are as many connections to one server, which
-- libcurl looks through for one that is free.
local function measure_tasks(service)
  local function measure(kind, label, numbers)
    local points = {}
    for i, waiting in ipairs(numbers) do
      points[i] = { waiting, cost.since_mark(
        cost.program("spec/bench/waits.lua", kind, service.url, waiting),
        500) }
    end
    print_points(points, label, "%.0f")
    return points
  end
  print "\nInstructions for a GET while other tasks wait"
  return measure("sleep", "%s tasks that sleep", { 10, 100, 1000, 10000 }),
    measure("call", "%s tasks with a call under way", { 10, 100, 1000 })
end

local function measure_pages(service)
  print "\nInstructions for a page, id and state of each session read"
  local points = {}
  for i, limit in ipairs(service.PAGES) do
    points[i] = { limit, cost.each(cost.instructions,
      cost.client("page", service.url, limit), 2, 12) }
  end
  print_points(points, "%s sessions", "%.0f")
  rows.print("farthest from a straight line", ("%.1f %%"):format(
    bend(points) * 100))
  return points
end

local KB, MB, GB = 2^10, 2^20, 2^30

local function measure_documents(service)
  print "\nUploads from a path, by size in KB"
  local instructions, busy = {}, {}
  for i, size in ipairs { KB, 32 * KB, MB, 16 * MB } do
    local program = uploads.client("path", service, service:document(size))
    instructions[i] = { size / KB, cost.each(cost.instructions, program, 1,
      size < MB and 51 or 2) }
  end
  print_points(instructions, "%s KB: instructions", "%.0f")
  rows.print("farthest from a straight line", ("%.1f %%"):format(
    bend(instructions) * 100))
  for i, size in ipairs { KB, 32 * KB, MB, 32 * MB, GB, 4 * GB } do
    local document = service:document(size)
    local program = uploads.client("path", service, document)
    -- Into the system's memory: not all of the 4 GB may stay there.
    cost.run("dd", "if=" .. document, "of=/dev/null", "bs=1M")
    local times = math.max(1, math.min(5000, 512 * MB // size))
    busy[i] = { size / KB, cost.each(cost.time, program, 0, times) }
  end
  print_points(busy, "%s KB: seconds", "%.6f")
  rows.print("farthest from a straight line", ("%.1f %%"):format(
    bend(busy) * 100))
  return busy
end

function growth.measure(service)
  local sleepers, callers = measure_tasks(service)
  return { sleepers = sleepers, callers = callers,
           pages = measure_pages(service),
           documents = measure_documents(service) }
end

return growth
