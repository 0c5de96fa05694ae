-- calls.lua: what one GET costs in instructions and memory, beside what
-- libcurl alone takes for it.

local cost = require "spec.bench.cost"
local goals = require "spec.bench.goals"
local rows = require "spec.bench.rows"

local calls = {}

local SHORT, LONG = 200, 700

-- Whose instructions: the client's are in its module and in the interpreter.
local PARTS = {
  { "libcurl", "^libcurl" },
  { "libc", "^libc%." },
  { "Lua's interpreter", "lua" },
  { "the module", "^core%.so" },
}

local function print_profile(sums)
  for _, part in ipairs(PARTS) do
    local sum = 0
    for name, number in pairs(sums) do
      if name:find(part[2]) then sum = sum + number end
    end
    rows.print("- of them in " .. part[1], rows.thousands(sum))
  end
end

local function measure_instructions(service)
  local function each(program)
    return cost.each(cost.instructions, program, SHORT, LONG)
  end
  local url = service.url .. service.session_path
  local function floor(how) return each(cost.floor(how, url)) end
  local raw_program = cost.client("raw", service.url)
  local session_program = cost.client("session", service.url)
  local least, raw = floor "easy", each(raw_program)
  local session = each(session_program)

  print "Instructions for a GET of a session (1.6 KB, connection kept open)"
  rows.print("libcurl alone: the floor", rows.thousands(least))
  rows.print("- through its multi handle", rows.thousands(floor "multi"))
  rows.print("- and its address in parts, as the client's",
    rows.thousands(floor "parts"))
  rows.print("- reset and filled for each: more by",
    rows.thousands(floor "reset" - least))
  rows.print("client, raw", rows.thousands(raw))
  local sums = cost.profile(raw_program, SHORT, LONG, { sc_fill = true })
  print_profile(sums)
  rows.print("client, a session and 3 fields", rows.thousands(session))
  print_profile(cost.profile(session_program, SHORT, LONG, {}))
  rows.at_most("raw / floor", raw / least, "%.2f", goals.raw, "chance")
  rows.at_most("a session and 3 fields / floor", session / least, "%.2f",
    goals.session, "chance")
  rows.at_most("64 at a time, raw / libcurl's multi handle",
    each(cost.client("many_raw", service.url)) / floor "many", "%.2f",
    goals.tasks, "chance")
  rows.at_most("setting libcurl's options", sums.sc_fill, "%.0f",
    goals.filling, "chance")
  return { floor = least, raw = raw, session = session }
end

local function measure_memory(service)
  local function heap_calls(program)
    return cost.each(cost.heap_calls, program, SHORT, LONG)
  end
  local session = cost.client("session", service.url)
  print "\nMemory for a GET of a session"
  rows.print("floor: heap calls", ("%.1f"):format(heap_calls(cost.floor("easy",
    service.url .. service.session_path))))
  rows.print("client, raw: heap calls", ("%.1f"):format(
    heap_calls(cost.client("raw", service.url))))
  rows.at_most("client, a session and 3 fields: heap calls",
    heap_calls(session), "%.1f", goals.heap_calls)
  local garbage, text, index = cost.garbage(session, 500)
  rows.print("the answer and its index", rows.thousands(text + index) .. " B")
  rows.at_most("Lua garbage besides", garbage, "%.0f B", goals.garbage)
end

local function measure_page(service)
  local page = cost.client("page", service.url, 1000)
  print "\nA page of 1000 sessions, id and state of each read"
  rows.print("floor: instructions", ("%.1f M"):format(cost.each(
    cost.instructions, cost.floor("easy",
      service.url .. "/signing-sessions?limit=1000"), 2, 6) / 1e6))
  rows.at_most("client: instructions",
    cost.each(cost.instructions, page, 2, 6) / 1e6, "%.1f M",
    goals.page / 1e6, "chance")
  local garbage, text, index = cost.garbage(cost.client("page", service.url),
    4, 1000)
  rows.at_most("the answer and its index / the body", (text + index) / text,
    "%.2f", goals.page_size)
  rows.at_most("Lua garbage besides", garbage / 2^20, "%.2f MB",
    goals.page_garbage / 2^20)
  local idle = cost.peak(cost.client("session", service.url), 0)
  local function grown(kind)
    return cost.peak(cost.client(kind, service.url, 1000), 0) - idle
  end
  rows.at_most("peak over a client at rest", grown "page", "%.1f MB",
    goals.page_peak)
  rows.at_most("- and as a plain table", grown "table", "%.1f MB",
    goals.table_peak)
end

function calls.measure(service)
  local figures = measure_instructions(service)
  measure_memory(service)
  measure_page(service)
  return figures
end

return calls
