-- gateway.lua: a local nginx in front of a sandbox: TLS and HTTP/2 outside,
-- plain HTTP/1.1 inside, a connection of its own for each request.
--
-- It passes on what comes as it comes and repeats nothing. All its files lie
-- in a temporary folder. The headers X-Protocol and X-Connection of an answer
-- say over which HTTP and on which connection it came.

local nginx = require "spec.support.nginx"

local gateway = {}

local SERVER = [[
  server {
    listen 127.0.0.1:PORT ssl http2;
    ssl_certificate server.pem;
    ssl_certificate_key server.key;
    add_header X-Protocol $server_protocol always;
    add_header X-Connection $connection always;
    location / {
      proxy_pass URL;
      proxy_pass_header Date;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_buffering off;
    }
  }
]]

local Gateway = {}
Gateway.__index = Gateway

-- Starts one in front of `url`; `url` and `ca_file` of the result are for a
-- client.
function gateway.start(url)
  local folder, remove = nginx.folder()
  nginx.certificates(folder)
  local server = nginx.start(folder, (SERVER:gsub("URL", url)))
  return setmetatable({ server = server, remove = remove,
    url = "https://127.0.0.1:" .. server.port,
    ca_file = folder .. "/ca.pem" }, Gateway)
end

function Gateway:stop()
  self.server:stop()
  self.remove()
end

return gateway
