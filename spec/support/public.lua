-- public.lua: what this library shows to programs, found by looking at what
-- `require` returns and not at what is written of it.
--
-- `names` is a list of lines, "signicat.new" or "option download.to";
-- `functions` and `values` have what is behind the first kind.

local options = require "signicat.options"

local public = { names = {}, functions = {}, values = {} }

local function add(name)
  public.names[#public.names + 1] = name
end

-- The method that methods.lua put a look at its object around.
local function inside(fn)
  for i = 1, math.huge do
    local name, value = debug.getupvalue(fn, i)
    if name == "method" then return value end
    if not name then return fn end
  end
end

-- What a module or a class shows, but for metamethods.
local function show(owner, separator, object)
  for name, value in pairs(object) do
    if not name:find "^__" then
      local full = owner .. separator .. name
      add(full)
      if type(value) == "function" then
        public.functions[full] = inside(value)
      else
        public.values[full] = value
      end
    end
  end
end

-- A local of the file that a function of it uses.
local function upvalue(fn, wanted)
  local i = 1
  while true do
    local name, value = debug.getupvalue(fn, i)
    if name == wanted then return value end
    assert(name, "no upvalue " .. wanted)
    i = i + 1
  end
end

local signicat = require "signicat"
local cqueues = require "spec.support.cqueues"
local events = require "signicat.events"
local memory = require "signicat.token_store.memory"
local redis = require "signicat.redis"
local redis_store = require "signicat.token_store.redis"
local sandbox = require "signicat.sandbox"
local worker = require "signicat.worker"

show("signicat", ".", signicat)
show("signicat.events", ".", events)
show("signicat.sandbox", ".", sandbox)
show("signicat.token_store.memory", ".", memory)
show("signicat.token_store.nginx", ".", require "signicat.token_store.nginx")
show("signicat.token_store.redis", ".", redis_store)
show("signicat.loop.cqueues", ".", require "signicat.loop.cqueues")
show("signicat.loop.luv", ".", require "signicat.loop.luv")
show("signicat.worker", ".", worker)
show("signicat.redis", ".", redis)

local function class_of(object)
  return getmetatable(object).__index
end

local client = assert(signicat.new { token = "unused" })
show("Client", ":", class_of(client))
for name, family in pairs { Documents = "documents",
    Collections = "collections", Sessions = "sessions" } do
  show(name, ":", class_of(client[family]))
  add("Client." .. family)
end
local connection = redis.new { nodes = { "127.0.0.1:1" } }
show("Redis", ":", class_of(connection))
show("Queue", ":", class_of(worker.queue(connection)))
show("Worker", ":", class_of(worker.new { client = client,
                                          redis = connection }))
show("Task", ":", class_of(client:async(print)))
show("Drive", ":", class_of(require "signicat.loop.cqueues".attach(client,
  cqueues.new())))
client:close()
show("Sandbox", ":", upvalue(sandbox.start, "Sandbox"))
show("TokenStore", ":", class_of(memory.new()))

-- Options, each where it first comes in; those of calls go everywhere.
public.options = {
  call = options.call, client = options.client, with = options.with,
  download = options.download, wait = options.wait,
  request = options.request, upload = options.upload,
  verify = upvalue(events.verify, "known"),
  sandbox = upvalue(sandbox.start, "start_options"),
  map = options.map, worker = upvalue(worker.new, "known"),
  redis = upvalue(redis.new, "known"),
}
for call, known in pairs(public.options) do
  for name in pairs(known) do
    if call == "call" or not options.call[name] then
      add("option " .. call .. "." .. name)
    end
  end
end

for kind in pairs(require "signicat.core".kinds) do add("kind " .. kind) end

table.sort(public.names)

-- -- the comments -------------------------------------------------------------

local cache = {}

local function lines_of(path)
  local lines = cache[path]
  if not lines then
    lines = {}
    for line in io.lines(path) do lines[#lines + 1] = line end
    cache[path] = lines
  end
  return lines
end

-- The `---` lines above a line of a file.
local function block_above(lines, at)
  local block = {}
  while at > 1 and lines[at - 1]:find "^%s*%-%-%-" do
    at = at - 1
    table.insert(block, 1, (lines[at]:match "^%s*(.*)$"))
  end
  return block
end

-- What is written of a function: its block of comments, the names of its
-- parameters, and whether it returns something.
function public.about_function(name)
  local info = debug.getinfo(public.functions[name], "S")
  if info.what == "C" then return public.about_value(name), nil, true end
  local lines = lines_of(info.source:sub(2))
  local head = lines[info.linedefined]
  local parameters, returns = {}, false
  for word in head:match "%b()":gmatch "[%w_]+" do
    if word ~= "_" then parameters[#parameters + 1] = word end
  end
  local indent = head:match "^%s*" .. "  "
  for i = info.linedefined + 1, info.lastlinedefined - 1 do
    if lines[i]:find("^" .. indent .. "return ") then returns = true end
  end
  return block_above(lines, info.linedefined), parameters, returns
end

-- The file of a module, as its functions know it.
local function path_of(module)
  for _, value in pairs(module) do
    local info = type(value) == "function" and debug.getinfo(value, "S")
    if info and info.what == "Lua" then return info.source:sub(2) end
  end
end

-- The block of comments of a value, where its module sets it.
function public.about_value(name)
  local module, field = name:match "^(.*)%.([^.]+)$"
  local variable = module:match "[^.]+$"
  local lines = lines_of(path_of(require(module)))
  for i, line in ipairs(lines) do
    if line:find("^" .. variable .. "%." .. field .. " =") then
      return block_above(lines, i)
    end
  end
  return {}
end

-- The classes of the type comments: name -> { parent, fields = name -> true },
-- and all names of types that are defined and that are used.
function public.types()
  local classes, defined, used = {}, {}, {}
  local pipe = assert(io.popen "find lua -name '*.lua'")
  for path in pipe:lines() do
    local class
    for _, line in ipairs(lines_of(path)) do
      local name, more = line:match "^%-%-%-@class ([%w.]+)(.*)"
      if name then
        class = { fields = {}, parent = more:match "^: ([%w.]+)" }
        classes[name], defined[name] = class, true
      end
      local alias = line:match "^%-%-%-@alias ([%w.]+)"
      if alias then defined[alias] = true end
      local field = line:match "^%-%-%-@field ([%w_]+)"
      if field then class.fields[field] = true end
      if line:find "^%-%-%-[@|]" then
        local types = line:gsub("^%-%-%-@%a+ signicat%.[%w.]+:?", "", 1)
        if not line:find "^%-%-%-@class" and not line:find "@alias" then
          types = line
        end
        for word in types:gmatch "signicat%.%u%w*" do used[word] = path end
      end
    end
  end
  pipe:close()
  return classes, defined, used
end

return public
