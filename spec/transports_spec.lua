-- transports_spec.lua: every transport does the same, however its callers
-- wait: one list of cases over libcurl, blocking and in tasks, and over the
-- sockets of a real nginx.

local cases = require "spec.support.transport_cases"
local helper = require "spec.helper"
local lfs = require "lfs"
local nginx = require "spec.support.nginx"
local openresty = require "spec.support.openresty"
local run_case = require "spec.support.transport_run"
local sandbox = require "signicat.sandbox"
local url = require "socket.url"
local http = require "socket.http"

http.TIMEOUT = 120

-- A server for a case, or the sandbox; and what ends it.
local function serve(case, service, folder)
  local where = { folder = folder, url = service.url,
                  client_id = service.client_id,
                  client_secret = service.client_secret }
  if not case.plan then return where, function() end end
  local process, _, port = helper.serve((table.unpack or _G.unpack)(case.plan))
  where.port = port
  return where, function() process:kill() end
end

local function describe_cases(run)
  local service, folder, remove

  setup(function()
    service = assert(sandbox.start())
    folder, remove = helper.folder()
  end)

  teardown(function()
    service:stop()
    remove()
  end)

  for number, case in ipairs(cases) do
    it(case.name, function()
      local where, stop = serve(case, service, folder)
      local ok, raised = pcall(run, number, where)
      stop()
      assert(ok, raised)
      assert.same({}, helper.names_in(folder))
    end)
  end
end

describe("the transport on libcurl", function()
  describe_cases(run_case)
end)

describe("the transport on libcurl, in tasks,", function()
  describe_cases(function(number, where) run_case(number, where, "task") end)
end)

-- The core in nginx is LuaJIT's, as the Lua there is.
if not rawget(_G, "jit") then return end

describe("the transport on nginx's sockets", function()
  local server, home, remove

  setup(function()
    home, remove = nginx.folder()
    server = openresty.start(home, [[
      lua_socket_log_errors off;
      server {
        listen 127.0.0.1:PORT;
        location /case {
          content_by_lua_block {
            local given = ngx.req.get_uri_args()
            local ok, raised = xpcall(function()
              require "spec.support.transport_run"(tonumber(given.number),
                given)
            end, debug.traceback)
            ngx.print(ok and "ok" or raised)
          }
        }
      }
    ]])
  end)

  teardown(function()
    server:stop()
    remove()
  end)

  describe_cases(function(number, where)
    local words = { "number=" .. number }
    for name, value in pairs(where) do
      words[#words + 1] = name .. "=" .. url.escape(value)
    end
    local body = http.request(("http://127.0.0.1:%d/case?%s"):format(
      server.port, table.concat(words, "&")))
    if body ~= "ok" then
      error((body or "no answer") .. "\n"
        .. helper.read(home .. "/error.log"), 0)
    end
    assert(lfs.attributes(home .. "/nginx.pid"))
  end)
end)
