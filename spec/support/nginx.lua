-- nginx.lua: an nginx of a spec's own, on a free port of this machine, with
-- everything it writes in a folder of its own.

local core = require "signicat.core"
local helper = require "spec.helper"
local lfs = require "lfs"
local socket = require "socket"

local nginx = {}
nginx.__index = nginx

local CONFIG = [[
daemon off;
WORKERS
pid nginx.pid;
error_log error.log;
MAIN
events { worker_connections CONNECTIONS; }
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

local given = {}

-- A port that nobody has, and that the system gives to no connection while a
-- server is not there yet, or was killed; each is given once.
function nginx.free_port()
  while true do
    local port = tostring(20000 + math.floor(core.random() * 10000))
    local listener = not given[port] and socket.bind("127.0.0.1", port)
    if listener then
      listener:close()
      given[port] = true
      return port
    end
  end
end

-- Makes a folder with a key, an authority and the certificates of a server
-- (127.0.0.1, localhost, sign.test) and of a client.
function nginx.certificates(folder)
  local config = helper.write(folder .. "/openssl.cnf",
    "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:sign.test\n")
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

-- A new folder for one, and a function that removes it with all there is.
function nginx.folder()
  local folder = run("mktemp -d"):match "%S+"
  return folder, function() run("rm -r " .. folder) end
end

local function has(path, text)
  return lfs.attributes(path) and helper.read(path):find(text) ~= nil
end

-- Whether it listens; false when it gave up, for instance for want of a port.
local function await(folder)
  for _ = 1, 2000 do
    if has(folder .. "/nginx.pid", "%d\n") then return true end
    if has(folder .. "/error.log", "%[emerg%]") then return false end
    socket.sleep(0.01)
  end
  return false
end

local function fill(text, values)
  return (text:gsub("%u+", values))
end

-- Starts it with what `servers` says inside of `http { }`; PORT in it becomes
-- a free port. The folder is the caller's, who removes it.
---@param folder string
---@param servers string
---@param more table? `main`, lines at the top; `workers`, how many processes
-- beside a master: none if not given; `connections`, how many at most;
-- `preload`, a library that it is to load first
function nginx.start(folder, servers, more)
  more = more or {}
  for _ = 1, 5 do
    local port = nginx.free_port()
    os.remove(folder .. "/error.log")
    helper.write(folder .. "/nginx.conf", fill(CONFIG, {
      MAIN = more.main or "",
      CONNECTIONS = tostring(more.connections or 512),
      WORKERS = more.workers and ("worker_processes %d;"):format(more.workers)
        or "master_process off;",
      SERVERS = fill(servers, { PORT = tostring(port) }),
    }))
    local process = assert(core.spawn("env",
      { "LD_PRELOAD=" .. (more.preload or ""), "nginx", "-p", folder,
        "-e", "error.log", "-c", "nginx.conf" }))
    if await(folder) then
      return setmetatable({ folder = folder, port = port,
                            process = process }, nginx)
    end
    process:kill()
  end
  error("nginx did not start: " .. helper.read(folder .. "/error.log"))
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
  self.process:stop()
end

return nginx
