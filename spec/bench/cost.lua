-- cost.lua: measures what a program takes: instructions, requests for memory,
-- processor time, and the peak of its memory.
--
-- A program is a function that is given how often it is to do its work, and
-- returns the words of its command line. What one time costs is the difference
-- of two lengths, so that start-up cancels out. Instructions are user space's,
-- counted by callgrind.

local helper = require "spec.helper"
local quoted = require "spec.support.quoted"

local cost = {}

-- Where the Makefile has built the programs of this folder.
cost.programs = "build/bench"

cost.lua = helper.lua

-- What a command prints.
function cost.run(...)
  local words = {}
  for i, word in ipairs { ... } do words[i] = quoted(word) end
  local pipe = assert(io.popen(table.concat(words, " ") .. " 2>&1"))
  local text = pipe:read "*a"
  assert(pipe:close(), text)
  return text
end

-- The program's `work` that is done with `name`, `COUNT`, and what follows.
function cost.program(name, ...)
  local before, after = { name }, { ... }
  local work = table.remove(after, 1)
  if name:find "%.lua$" then before = { helper.lua, name } end
  return function(count, ...)
    local words = {}
    for _, word in ipairs(before) do words[#words + 1] = word end
    words[#words + 1] = work
    words[#words + 1] = tostring(count)
    for _, list in ipairs { after, { ... } } do
      for _, word in ipairs(list) do words[#words + 1] = tostring(word) end
    end
    return table.unpack(words)
  end
end

-- The request that the client sends, by libcurl alone.
function cost.floor(how, url)
  return cost.program(cost.programs .. "/floor", how, url,
    "User-Agent: lua-signicat/0.1.0", "Accept: application/json, */*;q=0.5",
    "Authorization: Bearer bench")
end

function cost.client(kind, base_url, ...)
  return cost.program("spec/bench/gets.lua", kind, base_url, ...)
end

-- -- measures: of a program and a count -------------------------------------

function cost.instructions(program, count)
  local text = cost.run("valgrind", "--tool=callgrind",
    "--callgrind-out-file=/dev/null", program(count))
  return tonumber(text:match "Collected : (%d+)")
end

-- Of each of `count`, from where the program calls spec/turns/mark.c.
function cost.since_mark(program, count)
  local text = cost.run("valgrind", "--tool=callgrind",
    "--zero-before=turn_mark", "--callgrind-out-file=/dev/null",
    program(count))
  return text:match "Collected : (%d+)" / count
end

function cost.heap_calls(program, count)
  local text = cost.run("env", "LD_PRELOAD=" .. cost.programs
    .. "/count_heap.so", program(count))
  return tonumber(text:match "heap calls: (%d+)")
end

local function launch(program, count)
  return cost.run(cost.programs .. "/launch", program(count))
    :match "took: (%S+) (%S+) (%d+)"
end

-- Seconds of processor time, and seconds in all.
function cost.time(program, count)
  local busy, all = launch(program, count)
  return tonumber(busy), tonumber(all)
end

-- MB at the peak.
function cost.peak(program, count)
  local _, _, peak = launch(program, count)
  return peak / 1024
end

-- -- what one time costs -----------------------------------------------------

function cost.each(measure, program, short, long)
  return (measure(program, long) - measure(program, short)) / (long - short)
end

-- Seconds of processor time of one, and how many are done in a second.
local function each_time(program, short, long)
  local busy, all = cost.time(program, long)
  local short_busy, short_all = cost.time(program, short)
  return (busy - short_busy) / (long - short),
    (long - short) / (all - short_all)
end

function cost.median(list)
  local sorted = { table.unpack(list) }
  table.sort(sorted)
  local half = #sorted / 2
  return (sorted[math.ceil(half)] + sorted[math.floor(half) + 1]) / 2
end

cost.ROUNDS = 7

-- Programs in turns, so that what else the machine does meets all of them.
-- Returns a function: what is the median of `figure`, "busy" or "rate", of the
-- named program, or of its ratio to that of another one in the same round?
function cost.rounds(programs, short, long)
  local rounds = {}
  for i = 1, cost.ROUNDS do
    local round = {}
    for name, program in pairs(programs) do
      local busy, rate = each_time(program, short, long)
      round[name] = { busy = busy, rate = rate }
    end
    rounds[i] = round
  end
  return function(figure, name, other)
    local values = {}
    for i, round in ipairs(rounds) do
      values[i] = round[name][figure] / (other and round[other][figure] or 1)
    end
    return cost.median(values)
  end
end

-- Bytes of Lua's memory that one GET of the client's leaves to the collector
-- besides the answer; how many that is in text and in its index.
function cost.garbage(program, count, limit)
  local grown, text, index = cost.run(program(count, limit or 1, "garbage"))
    :match "(%d+) (%d+) (%d+)"
  return grown - text - index, tonumber(text), tonumber(index)
end

-- -- where instructions go ---------------------------------------------------

-- The instructions of each shared object or program in a profile, and in all
-- of the functions with these names, with what they call.
local function read_profile(path, wanted)
  local objects, functions, names = {}, {}, {}
  local object, fn, callee
  -- A name is written out the first time, and only its number after that.
  local function name_of(kind, text)
    local number, name = text:match "^(%(%d+%))%s?(.*)$"
    local key = kind .. number
    if name ~= "" then names[key] = name end
    return names[key]
  end
  for line in io.lines(path) do
    local key, text = line:match "^(%l+)=(.*)$"
    local number = line:match "^[%d+*-]%d* (%d+)$"
    if key == "ob" then
      object = name_of("ob", text)
    elseif key == "cob" then
      name_of("ob", text)
    elseif key == "fn" then
      fn = name_of("fn", text)
    elseif key == "cfn" then
      callee = name_of("fn", text)
    elseif number then
      if callee then
        if wanted[fn] then functions[fn] = (functions[fn] or 0) + number end
      else
        objects[object] = (objects[object] or 0) + number
        if wanted[fn] then functions[fn] = (functions[fn] or 0) + number end
      end
      callee = nil
    end
  end
  return objects, functions
end

-- By name of a file, and of a function of `wanted`, what one time costs.
function cost.profile(program, short, long, wanted)
  local path = os.tmpname()
  local sums = {}
  for sign, count in pairs { [-1] = short, [1] = long } do
    cost.run("valgrind", "--tool=callgrind", "--callgrind-out-file=" .. path,
      program(count))
    local objects, functions = read_profile(path, wanted)
    for name, number in pairs(objects) do
      name = name:match "[^/]*$"
      sums[name] = (sums[name] or 0) + sign * number / (long - short)
    end
    for name, number in pairs(functions) do
      sums[name] = (sums[name] or 0) + sign * number / (long - short)
    end
  end
  os.remove(path)
  return sums
end

return cost
