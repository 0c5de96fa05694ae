-- nginx.lua: an nginx of a spec's own, on a free port of this machine, with
-- everything it writes in a folder of its own.

local helper = require "spec.helper"
local lfs = require "lfs"
local socket = require "socket"

local nginx = {}
nginx.__index = nginx

local CONFIG = [[
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events { worker_connections 64; }
http {
  log_format seen '$request_method $uri $server_protocol $status $http_range';
  access_log access.log seen;
  client_max_body_size 0;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  SERVERS
}
]]

local function run(line)
  local pipe = assert(io.popen(line .. " 2>&1"))
  local text = pipe:read "*a"
  assert(pipe:close(), text)
  return text
end

nginx.run = run

-- A port that nobody has at this moment.
local function free_port()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return port
end

-- Makes a folder with a key, an authority and the certificates of a server
-- (127.0.0.1) and of a client.
function nginx.certificates(folder)
  local config = helper.write(folder .. "/openssl.cnf",
    "subjectAltName=IP:127.0.0.1,DNS:localhost\n")
  local new = "cd " .. folder .. " && openssl req -nodes -newkey ec -pkeyopt "
    .. "ec_paramgen_curve:P-256 "
  run(new .. "-x509 -days 2 -subj /CN=authority -keyout ca.key -out ca.pem "
    .. "-addext basicConstraints=critical,CA:TRUE")
  for _, name in ipairs { "server", "client" } do
    run(new .. "-subj /CN=" .. name .. " -keyout " .. name .. ".key -out "
      .. name .. ".csr")
    run("cd " .. folder .. " && openssl x509 -req -days 2 -in " .. name
      .. ".csr -CA ca.pem -CAkey ca.key -CAcreateserial -out " .. name
      .. ".pem -extfile " .. config)
  end
end

local function has(path, text)
  return lfs.attributes(path) and helper.read(path):find(text) ~= nil
end

-- Whether it listens; false when it gave up, for instance for want of a port.
local function await(folder)
  for _ = 1, 1000 do
    if has(folder .. "/nginx.pid", "%d\n") then return true end
    if has(folder .. "/stderr", "%[emerg%]") then return false end
    socket.sleep(0.01)
  end
  return false
end

-- Starts it with the servers that `servers` describes; PORT in it becomes a
-- free port. The folder is the caller's, who removes it.
function nginx.start(folder, servers)
  for _ = 1, 5 do
    local port = free_port()
    helper.write(folder .. "/nginx.conf",
      (CONFIG:gsub("SERVERS", function()
        return (servers:gsub("PORT", port))
      end)))
    os.execute(("PATH=$PATH:/usr/sbin nginx -p %s -e error.log -c nginx.conf "
      .. "2>%s/stderr &"):format(folder, folder))
    if await(folder) then
      local pid = helper.read(folder .. "/nginx.pid"):match "%d+"
      return setmetatable({ folder = folder, port = port, pid = pid }, nginx)
    end
  end
  error("nginx did not start: " .. helper.read(folder .. "/stderr"))
end

-- The lines of its log: method, path, protocol, status, range.
function nginx:log()
  local lines = {}
  for line in io.lines(self.folder .. "/access.log") do
    lines[#lines + 1] = line
  end
  return lines
end

function nginx:stop()
  os.execute("kill " .. self.pid)
end

return nginx
