-- nginx_rates.lua: how many requests one worker of nginx answers at a location
-- that has nothing to do with the client, alone and while 64 calls of the
-- client are under way to a service that takes its time for each.
--
-- The service is another nginx, asked over TLS, and the crowd is wrk: both are
-- cheap, so the worker is what limits the rate.

local core = require "signicat.core"
local helper = require "spec.helper"
local nginx = require "spec.support.nginx"
local openresty = require "spec.support.openresty"

local SLOW = 64 -- calls under way
local TICKS = 100 -- of /proc in a second

local WORKER = [[
  lua_ssl_trusted_certificate CERTIFICATE;
  server {
    listen 127.0.0.1:PORT;
    access_log off;
    keepalive_requests 1000000000;
    location = /fast { content_by_lua_block { ngx.print("fast") } }
    location = /slow { content_by_lua_block { list(waiting) } }
    location = /blocking { content_by_lua_block { list(blocking) } }
  }
  init_by_lua_block {
    local signicat = require "signicat"
    local function client(options)
      options.base_url, options.token = "https://localhost:SERVICE", "bench"
      return assert(signicat.new(options))
    end
    waiting = client { transport = "nginx" }
    blocking = client { transport = "curl", block_nginx = true,
                        tls = { ca_file = "CERTIFICATE" } }
    function list(sign)
      ngx.print(assert(sign.sessions:list({ limit = 1 })).total)
    end
  }
]]

local SERVICE = [[
  init_by_lua_block { under_way, answered = 0, 0 }
  server {
    listen 127.0.0.1:PORT ssl;
    ssl_certificate server.pem;
    ssl_certificate_key server.key;
    access_log off;
    keepalive_requests 1000000000;
    location = /counts {
      content_by_lua_block { ngx.print(under_way, " ", answered) }
    }
    location / {
      default_type application/json;
      content_by_lua_block {
        under_way = under_way + 1
        ngx.sleep(DELAY)
        under_way, answered = under_way - 1, answered + 1
        ngx.print('{"data":[],"count":0,"total":0,"offset":0,"limit":1}')
      }
    }
  }
]]

local Rates = {}
Rates.__index = Rates

local function pin(server, core_number)
  nginx.run(("taskset -acp %d %d"):format(core_number, server.process:pid()))
  return server
end

-- Calls under way at the service, and answered ones.
function Rates:counts()
  local under_way, answered = nginx.run("curl -sk https://127.0.0.1:"
    .. self.service.port .. "/counts"):match "^(%d+) (%d+)$"
  return tonumber(under_way), tonumber(answered)
end

function Rates:url(location)
  return ("http://127.0.0.1:%d/%s"):format(self.worker.port, location)
end

-- Seconds that the worker has computed for.
function Rates:busy()
  local user, system = helper.read(("/proc/%d/stat"):format(
    self.worker.process:pid())):match("%) " .. ("%S+ "):rep(11)
    .. "(%d+) (%d+)")
  return (user + system) / TICKS
end

-- Requests to /fast that are answered in a second; and in a second of the
-- worker's own time, whoever else is on its core.
function Rates:fast(seconds)
  local before = self:busy()
  local said = nginx.run(("taskset -c %d wrk -t1 -c16 -d%d %s"):format(
    self.others, seconds, self:url "fast"))
  assert(not said:find "Non%-2xx", said)
  return tonumber(said:match "Requests/sec: +([%d.]+)"),
    said:match "(%d+) requests in" / (self:busy() - before)
end

-- Sends calls through a location, begins when `count` of them are under way
-- at the service, and ends them when `act` has returned.
function Rates:during(location, count, act)
  local crowd = assert(core.spawn("taskset", { "-c", tostring(self.others),
    "wrk", "-t1", "-c" .. SLOW, "-d600", "--timeout", "60",
    self:url(location) }))
  for _ = 1, 1000 do
    if self:counts() >= count then break end
    core.sleep(0.01)
  end
  assert(self:counts() >= count, "the calls are not under way")
  act()
  crowd:stop()
end

-- The rates of /fast alone and beside slow calls, what the second is of the
-- first, in all and in the worker's own time, and how many of these calls are
-- answered in a second.
function Rates:pair(seconds)
  local alone, own = self:fast(seconds)
  local pair = { alone = alone }
  self:during("slow", SLOW, function()
    local began, _, before = core.now(), self:counts()
    local beside, own_beside = self:fast(seconds)
    local _, after = self:counts()
    pair.slow = (after - before) / (core.now() - began)
    pair.beside = beside
    pair.ratio, pair.own = beside / alone, own_beside / own
  end)
  return pair
end

-- The rates of /fast beside calls that block the worker.
function Rates:blocked(runs, seconds)
  local rates = {}
  self:during("blocking", 1, function()
    for i = 1, runs do rates[i] = self:fast(seconds) end
  end)
  return rates
end

function Rates:stop()
  -- A worker that is blocked would go on with all it was asked.
  self.worker.process:kill()
  self.service:stop()
  self.remove()
  self.remove_service()
end

-- Starts both nginx, the worker on one core and all others on another.
---@param own integer a core
---@param others integer a core
---@param delay number seconds until a call is answered, and the next begins
local function start(own, others, delay)
  local self = setmetatable({ own = own, others = others }, Rates)
  local service_folder, folder
  service_folder, self.remove_service = nginx.folder()
  folder, self.remove = nginx.folder()
  nginx.certificates(service_folder)
  self.service = pin(openresty.start(service_folder,
    (SERVICE:gsub("DELAY", delay))), others)
  self.worker = pin(openresty.start(folder, (WORKER:gsub("%u%u+",
    { CERTIFICATE = service_folder .. "/ca.pem",
      SERVICE = self.service.port }))), own)
  return self
end

return { start = start, SLOW = SLOW }
