-- redis.lua: Redis servers of a spec's own, on free ports of this machine,
-- with everything they write in folders of their own.
--
-- Each write is on the disk before it is acknowledged, so that a server that
-- is killed and started again has all that it said it has.

local core = require "signicat.core"
local helper = require "spec.helper"
local nginx = require "spec.support.nginx"
local socket = require "socket"

local redis = {}
redis.__index = redis

-- A new client of ours, patient unless told; a spec closes it by forgetting it.
function redis:client(options)
  options = options or {}
  options.timeout = options.timeout or 60
  options.nodes = options.nodes or { self.address }
  return require "signicat.redis".new(options)
end

-- Whether it runs then: itself, not another one that has got its port before.
local function launch(self)
  local client = self:client()
  self.process = assert(core.spawn("redis-server", self.words))
  local mine = "process_id:" .. self.process:pid() .. "\r"
  local runs, why = false, nil
  for _ = 1, 2000 do
    local info = client:call "PING" and client:call("INFO", "server")
    runs = info and info:find(mine, 1, true) ~= nil or false
    if runs or why == "end" then break end
    why = select(2, self.process:read_line(0.01))
  end
  client:close()
  return runs
end

-- Starts it again with what it has on its disk.
function redis:start_again()
  if launch(self) then return end
  error("redis did not start: " .. helper.read(self.folder .. "/redis.log"))
end

-- Ends it as a crash would.
function redis:kill()
  self.process:kill()
end

function redis:stop()
  self.process:stop()
  self.remove()
end

-- Starts one; `more` are further words of its command line.
function redis.start(more)
  local folder, remove = nginx.folder()
  for _ = 1, 5 do
    local port = nginx.free_port()
    local self = setmetatable({ folder = folder, remove = remove, port = port,
      address = "127.0.0.1:" .. port }, redis)
    self.words = { "--port", port, "--bind", "127.0.0.1", "--dir", folder,
      "--logfile", folder .. "/redis.log", "--save", "", "--appendonly", "yes",
      "--appendfsync", "always" }
    for _, word in ipairs(more or {}) do
      self.words[#self.words + 1] = word
    end
    if launch(self) then return self end
    self.process:kill()
  end
  error("redis did not start: " .. helper.read(folder .. "/redis.log"))
end

-- Makes it a replica of another one, and waits until it has what that one has.
function redis:follow(other)
  local client = self:client()
  assert(client:call("REPLICAOF", "127.0.0.1", other.port))
  for attempt = 1, 2000 do
    local info = client:call("INFO", "replication")
    if info and info:find "master_link_status:up" then break end
    assert(attempt < 2000, info)
    socket.sleep(0.01)
  end
  client:close()
end

-- Starts one and a replica of it.
function redis.pair()
  local at_once = { "--repl-diskless-sync-delay", "0" }
  local first, second = redis.start(at_once), redis.start(at_once)
  second:follow(first)
  return first, second
end

-- Starts three masters that share the slots; their `stop` ends all.
function redis.cluster()
  local nodes = {}
  for i = 1, 3 do
    local bus = nginx.free_port()
    nodes[i] = redis.start { "--cluster-enabled", "yes", "--cluster-port", bus,
                             "--cluster-require-full-coverage", "no" }
    nodes[i].bus = bus
  end
  for i, node in ipairs(nodes) do
    local client = node:client()
    assert(client:call("CLUSTER", "ADDSLOTSRANGE", math.floor((i - 1) * 5461),
      i == 3 and 16383 or i * 5461 - 1))
    assert(client:call("CLUSTER", "MEET", "127.0.0.1", nodes[1].port,
      nodes[1].bus))
    client:close()
  end
  for _, node in ipairs(nodes) do
    local client = node:client()
    for attempt = 1, 2000 do
      local info = client:call("CLUSTER", "INFO")
      if info and info:find "cluster_state:ok"
        and info:find "cluster_slots_ok:16384" then
        break
      end
      assert(attempt < 2000, info)
      socket.sleep(0.01)
    end
    client:close()
  end
  function nodes:stop()
    for _, node in ipairs(self) do node:stop() end
  end
  return nodes
end

return redis
