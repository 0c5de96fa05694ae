-- fault_ways.lua: the ways to reach the service and to wait for it, and for
-- each the specs of faults.lua's table.

local assert = require "luassert"
local busted = require "busted"
local core = require "signicat.core"
local faults = require "spec.support.faults"
local gateway = require "spec.support.gateway"
local lfs = require "lfs"
local nginx = require "spec.support.nginx"
local openresty = require "spec.support.openresty"
local sandbox = require "signicat.sandbox"
local url = require "socket.url"

local SHOW = os.getenv "SIGNICAT_SHOW_FAULTS"

local fault_ways = {}

-- -- the ways ---------------------------------------------------------------

-- Each starts what it needs over a sandbox and gives see(fault, operation),
-- rest(), and what ends it. `untrusted` is a sandbox that nobody trusts.
local ways = {}

local function here(service, folder, untrusted, waits, reach, options)
  local bench = faults.bench(service, { waits = waits, reach = reach,
    options = options or {}, folder = folder, untrusted = untrusted.url })
  return function(...) return bench:see(...) end,
    function() return bench:rest(function() core.sleep(0.01) end) end
end

ways["blocking"] = function(service, folder, untrusted)
  return here(service, folder, untrusted, "blocking", "any")
end

ways["in tasks"] = function(service, folder, untrusted)
  return here(service, folder, untrusted, "task", "any")
end

ways["in a crowd of tasks"] = function(service, folder, untrusted)
  return here(service, folder, untrusted, "crowd", "any")
end

local function over_http2(service, folder, untrusted, waits)
  local front = gateway.start(service.url)
  local options = { base_url = front.url .. "/sign", http_version = "2",
                    tls = { ca_file = front.ca_file } }
  local sign = assert(service:client(options))
  local _, meta = sign.sessions:list()
  sign:close()
  assert.equal("HTTP/2.0", meta.headers["x-protocol"])
  local see, rest = here(service, folder, untrusted, waits, "h2", options)
  return see, rest, function() front:stop() end
end

ways["over HTTP/2"] = function(service, folder, untrusted)
  return over_http2(service, folder, untrusted, "blocking")
end

ways["in tasks over HTTP/2"] = function(service, folder, untrusted)
  return over_http2(service, folder, untrusted, "task")
end

ways["in a crowd of tasks over HTTP/2"] = function(service, folder, untrusted)
  return over_http2(service, folder, untrusted, "crowd")
end

ways["in nginx"] = function(service, folder, untrusted)
  local home, remove = nginx.folder()
  local server = openresty.start(home, [[
    lua_socket_log_errors off;
    resolver 127.0.0.1:1;
    server {
      listen 127.0.0.1:PORT;
      location / {
        content_by_lua_block {
          ngx.print(require "spec.support.in_nginx".answer(
            ngx.var.uri, ngx.req.get_uri_args()))
        }
      }
    }
  ]])
  local function ask(path, given)
    local words = {}
    for name, value in pairs(given) do
      words[#words + 1] = name .. "=" .. url.escape(value)
    end
    local _, said = openresty.get(server.port,
      path .. "?" .. table.concat(words, "&"))
    return said
  end
  local function stop()
    server:stop()
    remove()
  end
  local said = ask("/start", { url = service.url, folder = folder,
    untrusted = untrusted.url, client_id = service.client_id,
    client_secret = service.client_secret })
  if said ~= "started" then
    stop()
    error(said)
  end
  return function(fault, operation)
    return ask("/see", { fault = fault, operation = operation })
  end, function() return ask("/rest", {}) end, stop
end

-- -- the specs --------------------------------------------------------------

--- The specs of one way. The core in nginx is LuaJIT's, as the Lua there is.
---@param name string of the way
---@param amount string as faults.cells has it
function fault_ways.describe(name, amount)
  if name == "in nginx" and not rawget(_G, "jit") then return end
  local it = busted.it

  busted.describe("of every operation, " .. name .. ",", function()
    local service, untrusted, folder, remove, see, rest, stop

    busted.setup(function()
      service = assert(sandbox.start())
      untrusted = assert(sandbox.start { tls = "untrusted" })
      folder, remove = nginx.folder()
      see, rest, stop = ways[name](service, folder, untrusted)
    end)

    busted.teardown(function()
      if stop then stop() end
      service:stop()
      untrusted:stop()
      remove()
    end)

    local reach = name:find("HTTP/2", 1, true) and "h2" or "any"
    for _, cell in ipairs(faults.cells(reach, amount)) do
      local fault, operation, expected =
        cell.fault, cell.operation, cell.expected
      local title = expected == "n/a" and "%s cannot meet %s"
        or "%s tells of %s: " .. expected
      it(title:format(operation, fault), function()
        local seen = see(fault, operation)
        if SHOW then
          print(("%-20s %-16s %-26s %s"):format(name, fault, operation, seen))
        end
        assert.equal(expected, seen)
      end)
    end

    it("none leaves a descriptor, a handle or a file", function()
      assert.equal("nothing", rest())
      assert.is_true(lfs.attributes(folder .. "/words") ~= nil)
    end)
  end)
end

return fault_ways
