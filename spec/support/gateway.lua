-- gateway.lua: a local nginx in front of a sandbox: TLS and HTTP/2 outside,
-- plain HTTP/1.1 inside, a connection of its own for each request.
--
-- It passes on what comes as it comes and repeats nothing. Its certificate is
-- its own authority; all its files lie in a temporary folder. The header
-- X-Protocol of an answer says over which HTTP it came.

local core = require "signicat.core"
local socket = require "socket"

local gateway = {}

local CONFIG = [[
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events {
  worker_connections 256;
}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:%d ssl http2;
    ssl_certificate cert.pem;
    ssl_certificate_key key.pem;
    client_max_body_size 0;
    add_header X-Protocol $server_protocol always;
    location / {
      proxy_pass %s;
      proxy_pass_header Date;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_buffering off;
    }
  }
}
]]

-- Where spec/support/deps.sh looks and unpacks it.
local PLACES = { "/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx",
                 "build/nginx/usr/sbin/nginx" }

local function find_nginx()
  for _, path in ipairs(PLACES) do
    local file = io.open(path, "rb")
    if file then
      file:close()
      return path
    end
  end
  error("there is no nginx; `make deps` fetches one")
end

-- nginx cannot be told to take any port, so one that was free a moment ago.
local function free_port()
  local server = assert(socket.bind("127.0.0.1", 0))
  local _, port = server:getsockname()
  server:close()
  return tonumber(port)
end

local function make_folder()
  local pipe = assert(io.popen "mktemp -d")
  local folder = pipe:read "*l"
  pipe:close()
  return folder
end

local function make_certificate(folder)
  local command = ("openssl req -x509 -newkey ec -pkeyopt "
    .. "ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=gateway -addext "
    .. "subjectAltName=IP:127.0.0.1 -keyout %s/key.pem -out %s/cert.pem "
    .. "2>%s/openssl.log"):format(folder, folder, folder)
  local done = os.execute(command)
  assert(done == true or done == 0, "openssl made no certificate")
end

local function wait_until_open(port)
  for _ = 1, 1000 do
    local connection = socket.connect("127.0.0.1", port)
    if connection then return connection:close() end
    core.sleep(0.01)
  end
  error "nginx did not start"
end

local Gateway = {}
Gateway.__index = Gateway

-- Starts one in front of `url`; `url` and `ca_file` of the result are for a
-- client.
function gateway.start(url)
  local folder, port = make_folder(), free_port()
  local file = assert(io.open(folder .. "/nginx.conf", "w"))
  file:write(CONFIG:format(port, url))
  file:close()
  make_certificate(folder)
  local process = assert(core.spawn(find_nginx(),
    { "-p", folder, "-e", folder .. "/error.log", "-c", "nginx.conf" }))
  local made = setmetatable({ folder = folder, process = process,
    url = "https://127.0.0.1:" .. port, ca_file = folder .. "/cert.pem" },
    Gateway)
  wait_until_open(port)
  return made
end

function Gateway:stop()
  self.process:stop()
  os.execute("rm -rf '" .. self.folder .. "'")
end

return gateway
