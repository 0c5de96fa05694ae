-- helper.lua: what the client's specs share: a transport, a clock and a
-- folder of their own. Nothing here reaches the network.

local core = require "signicat.core"
local files = require "spec.support.files"
local lfs = require "lfs"
local quoted = require "spec.support.quoted"
local signicat = require "signicat"

local helper = {}

helper.base_url = "https://sign.example/sign"

-- One id of each kind of object.
helper.document = "d1234567-89ab-cdef-0123-456789abcdef"
helper.collection = "c05d0dce-a7af-432b-b6b8-e455ab7c0858"
helper.session = "0197e3d2-0c6e-7b0a-9b7e-1f2d3c4b5a69"

-- The SHA-256 of the five bytes "hello", as the API writes a documentHash.
helper.hello_hash = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="

-- -- answers ----------------------------------------------------------------

-- A response with a JSON body, given as its text or as a table.
function helper.json(status, body, headers)
  headers = headers or {}
  headers["content-type"] = headers["content-type"] or "application/json"
  if type(body) == "table" then body = core.json_encode(body) end
  return { status = status, headers = headers, body = body }
end

-- A session's text with a state; `more` is further members, each with a
-- comma in front.
function helper.session_text(state, final, more)
  return ('{"id":"%s","lifecycle":{"state":"%s","stateIsFinal":%s}%s}')
    :format(helper.session, state, tostring(final), more or "")
end

-- -- a transport ------------------------------------------------------------

-- Answers every request with what `reply` is, or returns: a response, or nil
-- and a failure. Requests are kept, read as the plain tables they stand for.
function helper.transport(reply)
  local transport = { requests = {} }
  function transport:send(request)
    local seen = request:totable()
    self.requests[#self.requests + 1] = seen
    if type(reply) ~= "function" then return reply end
    return reply(seen, #self.requests)
  end
  return transport
end

-- A client over such a transport, and the transport. It does not try again
-- and leaves nothing to chance, unless told to.
function helper.client(reply, options)
  local transport = helper.transport(reply)
  local all = { base_url = helper.base_url, transport = transport,
                retries = 0, random = function() return 0 end }
  for name, value in pairs(options or {}) do all[name] = value end
  if not (all.auth or all.client_id) then all.token = all.token or "t" end
  return assert(signicat.new(all)), transport
end

-- -- time -------------------------------------------------------------------

-- A clock that only moves by being slept on; `sleeps` lists for how long.
function helper.clock(start)
  local clock = { time = start or 1000, sleeps = {} }
  function clock.now() return clock.time end
  function clock.sleep(seconds)
    clock.sleeps[#clock.sleeps + 1] = seconds
    clock.time = clock.time + seconds
  end
  return clock
end

-- -- files and children -----------------------------------------------------

-- A new empty folder and a function that removes it with its files.
function helper.folder()
  local path = os.tmpname()
  assert(os.remove(path))
  assert(lfs.mkdir(path))
  return path, function()
    for _, name in ipairs(helper.names_in(path)) do
      os.remove(path .. "/" .. name)
    end
    assert(lfs.rmdir(path))
  end
end

function helper.names_in(path)
  local names = {}
  for name in lfs.dir(path) do
    if name ~= "." and name ~= ".." then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

helper.read, helper.write = files.read, files.write

-- The Lua that runs us, for children that need our modules.
helper.lua = lfs.symlinkattributes("/proc/self/exe", "target")

-- Runs Lua code in a process of its own, by the same Lua and with the modules
-- found where we find them; `prepare` is shell code that comes before. Returns
-- all its output.
function helper.run(code, prepare)
  local pipe = assert(io.popen(("%s LUA_PATH=%s LUA_CPATH=%s %s -e %s 2>&1")
    :format(prepare or "", quoted(package.path), quoted(package.cpath),
      quoted(helper.lua), quoted(code))))
  local output = pipe:read "*a"
  pipe:close()
  return output
end

-- Stops a process; once this returns none of its threads does anything until
-- what it returns is called, which may be called again.
function helper.hold(process)
  local pid = process:pid()
  local function is_stopped(thread)
    local stat = helper.read(("/proc/%d/task/%s/stat"):format(pid, thread))
    return stat:match "%) (%u)" == "T"
  end
  os.execute("kill -STOP " .. pid)
  for thread in lfs.dir(("/proc/%d/task"):format(pid)) do
    while thread:find "^%d" and not is_stopped(thread) do core.sleep(0.001) end
  end
  return function() os.execute("kill -CONT " .. pid) end
end

-- Starts spec/support/server.lua with a plan: its process, its URL and port.
function helper.serve(...)
  local process = assert(core.spawn(helper.lua,
    { "spec/support/server.lua", ... }))
  local port = assert(process:read_line(60))
  return process, "http://127.0.0.1:" .. port, port
end

-- How often that server read each method, asked on a connection of its own.
function helper.counts(url)
  local client = assert(signicat.new { base_url = url, token = "ready" })
  local counts = assert(client:request("GET", "/count")):totable()
  client:close()
  return counts
end

return helper
