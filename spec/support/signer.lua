--- A worker that is killed: lua signer.lua REDIS URL ID SECRET [POINT]
--
-- Signs jobs of the sandbox at URL until it comes to POINT; then it says so on
-- its output and is killed with -9. Points that end in "ing" are within a
-- request, "anywhere" is some time after the start. With ", stopped" behind
-- its name it is not killed there but stopped, until others may have its job;
-- then it ends with what it did.

local core = require "signicat.core"
local redis = require "signicat.redis"
local signicat = require "signicat"
local worker = require "signicat.worker"

local address, url, id, secret, wanted = ...

-- The process, and the one that started it.
local function ids()
  local file = assert(io.open "/proc/self/stat")
  local own, parent = file:read "*l":match "^(%d+) %b() %S (%d+)"
  file:close()
  return own, parent
end

local pid, parent = ids()

-- Seconds. A create has been carried out when both are over, also by a service
-- that was stopped meanwhile.
local TIMEOUT, SLACK = 2, 2.5
local was_stopped = false

local function is_wanted(point)
  if point ~= wanted then return false end
  wanted = nil -- once
  print("meets " .. point)
  io.stdout:flush()
  return true
end

local function pass(point)
  if is_wanted(point .. ", stopped") then
    os.execute(("{ sleep %f; kill -CONT %s; } 2>/dev/null & kill -STOP %s")
      :format(TIMEOUT + SLACK + 1, pid, pid))
    was_stopped = true
  end
  if not is_wanted(point) then return end
  os.execute("kill -9 " .. pid)
  while true do core.sleep(1) end
end

local function pass_soon(point, within)
  if not is_wanted(point) then return end
  os.execute(("{ sleep %f; kill -9 %s; } 2>/dev/null &")
    :format(core.random() * within, pid))
end

-- Redis, with a point behind what is done there.
local connection = redis.new { nodes = { address } }
local points = { signicat_claim = "read", signicat_take = "taken",
                 signicat_finish = "finished" }
local watched = { call = function(_, ...)
  local value, reason = connection:call(...)
  local point = points[select(2, ...)]
  if point and value then pass(point) end
  return value, reason
end }

-- The client, with points before, in and behind each of the three calls.
local sign = assert(signicat.new { base_url = url .. "/sign", client_id = id,
                                   client_secret = secret })
local function around(family, method, words)
  return setmetatable({ [method] = function(_, ...)
    pass(words .. " begun")
    pass_soon(words .. "ing", 0.02)
    local value, err, meta = sign[family][method](sign[family], ...)
    pass(words .. "ed")
    return value, err, meta
  end }, { __index = function(_, name)
    return function(_, ...) return sign[family][name](sign[family], ...) end
  end })
end
local client = setmetatable({
  documents = around("documents", "upload", "upload"),
  collections = around("collections", "create", "collect"),
  sessions = around("sessions", "create", "creat"),
}, { __index = sign })

pass_soon("anywhere", 0.5)
local one = worker.new { client = client, redis = watched, timeout = TIMEOUT,
  slack = SLACK, attempts = 100, backoff = 0.1, block = 0.2 }
repeat
  if one:step() == nil then core.sleep(0.1) end -- Redis is away
until was_stopped or select(2, ids()) ~= parent
