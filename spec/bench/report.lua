-- report.lua: measures the floor and the client and prints both.
--
-- Instructions are user space's, counted by callgrind. Every figure is the
-- difference of two run lengths, so that start-up cancels out; the ratios
-- compare runs of the same session on the same machine.
--
--   report.lua BENCH_FOLDER TEMPORARY_FOLDER BASE_URL ID LUA

local rows = require "spec.bench.rows"

local here, folder, base_url, id, lua = ...

local function quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

local function run(words)
  local quoted = {}
  for i, word in ipairs(words) do quoted[i] = quote(word) end
  local pipe = assert(io.popen(table.concat(quoted, " ") .. " 2>&1"))
  local text = pipe:read "a"
  assert(pipe:close(), text)
  return text
end

-- The same request as the client's, so that only the way to it differs.
local function floor(how, path)
  return function(count)
    return folder .. "/floor", how, tostring(count), base_url .. path,
      "User-Agent: lua-signicat/0.1.0",
      "Accept: application/json, */*;q=0.5",
      "Authorization: Bearer bench"
  end
end

local function client(kind)
  return function(count, ...)
    return lua, here .. "/gets.lua", kind, tostring(count), base_url, id, ...
  end
end

local function instructions(program, count)
  local text = run { "valgrind", "--tool=callgrind",
    "--callgrind-out-file=/dev/null", program(count) }
  return tonumber(text:match "Collected : (%d+)")
end

local function heap_calls(program, count)
  local text = run { "env", "LD_PRELOAD=" .. folder .. "/count_heap.so",
    program(count) }
  return tonumber(text:match "heap calls: (%d+)")
end

-- What one GET costs, start-up taken out.
local function each(measure, program, short, long)
  return (measure(program, long) - measure(program, short)) / (long - short)
end

-- Bytes of Lua's memory that each GET leaves to the collector, and how many
-- of them are the answer and its index.
local function garbage(program, count)
  local grown, answer = run { program(count, "garbage") }
    :match "(%d+) (%d+)"
  return grown - answer, tonumber(answer)
end

local function thousands(value)
  local digits = ("%.0f"):format(value):reverse():gsub("(%d%d%d)", "%1 ")
  return (digits:reverse():gsub("^ ", ""))
end

local session_path = "/signing-sessions/" .. id
local easy = floor("easy", session_path)

local floor_cost = each(instructions, easy, 200, 700)
local raw_cost = each(instructions, client "raw", 200, 700)
local session_cost = each(instructions, client "session", 200, 700)

print "Instructions for a GET of a session (1.6 KB, connection kept open)"
rows.print("libcurl alone: the floor", thousands(floor_cost))
rows.print("- through its multi handle",
  thousands(each(instructions, floor("multi", session_path), 200, 700)))
rows.print("- and its address in parts, as the client's",
  thousands(each(instructions, floor("parts", session_path), 200, 700)))
rows.print("client, raw", thousands(raw_cost))
rows.print("client, resource and 3 fields", thousands(session_cost))
rows.at_most("raw / floor", raw_cost / floor_cost, "%.2f", 1.25)
rows.at_most("resource and 3 fields / floor", session_cost / floor_cost,
  "%.2f", 1.45)

print "\nMemory for a GET of a session"
rows.print("floor: heap calls", ("%.1f"):format(
  each(heap_calls, easy, 200, 700)))
rows.print("client, raw: heap calls", ("%.1f"):format(
  each(heap_calls, client "raw", 200, 700)))
rows.at_most("client, resource and 3 fields: heap calls",
  each(heap_calls, client "session", 200, 700), "%.1f", 52)
local session_garbage, session_size = garbage(client "session", 500)
rows.print("the answer and its index", thousands(session_size), nil, " B")
rows.at_most("Lua garbage besides", session_garbage / 1024, "%.2f KB", 1)

print "\nA page of 1000 sessions, id and state of each read"
rows.print("floor", ("%.1f M"):format(
  each(instructions, floor("easy", "/signing-sessions"), 2, 6) / 1e6))
rows.at_most("client: instructions",
  each(instructions, client "page", 2, 6) / 1e6, "%.1f M", 25)
local page_garbage, page_size = garbage(client "page", 4)
rows.print("the answer and its index", ("%.2f"):format(page_size / 2^20), nil,
  " MB")
rows.at_most("Lua garbage besides", page_garbage / 2^20, "%.2f MB", 0.6)

rows.finish()
