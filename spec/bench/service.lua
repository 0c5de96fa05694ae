-- service.lua: the service that measured calls go to: an nginx of its own on
-- loopback, and in a folder of its own what it answers with.
--
--   /sign   answers at once: sessions, pages, and uploads, which it forgets
--   /late   answers for a session after 20 ms
--   /never  does not answer
--
-- TLS is served, too; the log has a line for each request of those, with the
-- number of its connection and whether that resumed a session.

local answers = require "spec.bench.answers"
local core = require "signicat.core"
local helper = require "spec.helper"
local lfs = require "lfs"
local nginx = require "spec.support.nginx"
local openresty = require "spec.support.openresty"

local LOCATIONS = [[
  keepalive_requests 1000000000;
  keepalive_time 1d;
  root answers;
  default_type application/json;
  location = /sign/signing-sessions { try_files /page-$arg_limit.json =404; }
  location /sign/signing-sessions/ { try_files /session.json =404; }
  location /late/ {
    rewrite_by_lua_block { ngx.sleep(0.02) }
    try_files /session.json =404;
  }
  location = /sign/never { content_by_lua_block { ngx.sleep(3600) } }
  location = /sign/documents {
    content_by_lua_block {
      local body, piece = ngx.req.socket()
      repeat piece = body:receiveany(512 * 1024) until not piece
      ngx.print('{"documentId":"d1234567-89ab-cdef-0123-456789abcdef"}')
    }
  }
]]

local SERVERS = [[
  lua_socket_log_errors off;
  log_format tls '$connection $ssl_session_reused';
  server {
    listen 127.0.0.1:PORT;
    access_log off;
]] .. LOCATIONS .. [[
  }
  server {
    listen 127.0.0.1:TLSPORT ssl;
    ssl_protocols TLSv1.3;
    ssl_session_cache shared:sessions:1m;
    ssl_certificate server.pem;
    ssl_certificate_key server.key;
    access_log tls.log tls;
]] .. LOCATIONS .. [[
  }
]]

local service = {}
service.__index = service

service.PAGES = { 1, 10, 100, 1000 }

function service.start()
  local self = setmetatable({}, service)
  self.folder, self.remove = nginx.folder()
  nginx.certificates(self.folder)
  assert(lfs.mkdir(self.folder .. "/answers"))
  helper.write(self.folder .. "/answers/session.json", answers.session())
  for _, count in ipairs(service.PAGES) do
    helper.write(self.folder .. "/answers/page-" .. count .. ".json",
      answers.page(count))
  end
  local tls_port = nginx.free_port()
  self.nginx = openresty.start(self.folder,
    (SERVERS:gsub("TLSPORT", tls_port)), { connections = 4096 })
  self.port = self.nginx.port
  self.url = ("http://127.0.0.1:%d/sign"):format(self.port)
  self.late_url = ("http://127.0.0.1:%d/late"):format(self.port)
  self.tls_url = ("https://127.0.0.1:%d/sign"):format(tls_port)
  self.ca_file = self.folder .. "/ca.pem"
  self.session_path = "/signing-sessions/" .. answers.id
  return self
end

-- A file of so many bytes that takes no room.
function service:document(size)
  local path = ("%s/document-%d"):format(self.folder, size)
  local file = assert(io.open(path, "wb"))
  assert(file:seek("set", size - 1))
  assert(file:write "x")
  assert(file:close())
  return path
end

-- The first `count` lines of the log of TLS, as connection and whether
-- resumed. A request is answered before it is logged.
function service:tls_log(count)
  local lines
  for _ = 1, 1000 do
    lines = {}
    for line in io.lines(self.folder .. "/tls.log") do
      local connection, resumed = line:match "^(%d+) (%S+)$"
      lines[#lines + 1] = { connection = connection, resumed = resumed == "r" }
    end
    if #lines >= count then return lines end
    core.sleep(0.01)
  end
  error(("%d of %d requests are logged"):format(#lines, count))
end

function service:stop()
  self.nginx:stop()
  self.remove()
end

return service
