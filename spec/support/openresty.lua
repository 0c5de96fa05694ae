-- openresty.lua: an nginx with ngx_lua, as spec/support/nginx.lua starts
-- one, whose workers find our modules and run Lua files of ours.

local lfs = require "lfs"
local nginx = require "spec.support.nginx"
local socket = require "socket"
local url = require "socket.url"

local openresty = {}

local here = lfs.currentdir()
local servers = here .. "/build/servers/usr"

openresty.here = here

-- Paths of Lua's that hold in any folder, in the quotes of nginx's.
local function absolute(paths)
  return '"' .. paths:gsub("[^;]+", function(path)
    if path:sub(1, 1) == "/" then return path end
    return here .. "/" .. path:gsub("^%./", "")
  end) .. '"'
end

local MODULES = ("load_module %s/lib/nginx/modules/ndk_http_module.so;\n"
  .. "load_module %s/lib/nginx/modules/ngx_http_lua_module.so;\n")
  :format(servers, servers)

-- Workers read what we read, also below a folder that is root's alone.
local function user()
  return nginx.run("id -u") == "0\n" and "user root;\n" or ""
end

local PATHS = "lua_package_path " .. absolute(package.path .. ";" .. here
    .. "/?.lua;" .. servers .. "/share/lua/5.1/?.lua") .. ";\n"
  .. "lua_package_cpath " .. absolute(package.cpath) .. ";\n"

-- Starts one with what `http` says inside of `http { }`, PORT and all as in
-- nginx.start.
---@param folder string
---@param http string
---@param more table? `main`, `workers`, `connections`, `preload`
function openresty.start(folder, http, more)
  more = more or {}
  return nginx.start(folder, PATHS .. http, { workers = more.workers,
    connections = more.connections, preload = more.preload,
    main = user() .. MODULES .. (more.main or "") })
end

-- Sends a request and leaves its answer for later.
function openresty.ask(port, path)
  local connection = assert(socket.connect("127.0.0.1", port))
  connection:settimeout(120)
  assert(connection:send("GET " .. path .. " HTTP/1.0\r\n\r\n"))
  return connection
end

-- The status and the body of an answer.
function openresty.hear(connection)
  local text = assert(connection:receive "*a")
  connection:close()
  return tonumber(text:match "^HTTP/1%.1 (%d+)"),
    text:match "\r\n\r\n(.*)$"
end

function openresty.get(port, path)
  return openresty.hear(openresty.ask(port, path))
end

-- A location that runs Lua code and prints what it returns.
openresty.EVAL = [[
  location = /eval {
    content_by_lua_block {
      local ok, value = pcall(assert(loadstring(ngx.var.arg_code
        and ngx.unescape_uri(ngx.var.arg_code))))
      ngx.print(tostring(value))
    }
  }
]]

function openresty.eval(port, code)
  local _, body = openresty.get(port, "/eval?code=" .. url.escape(code))
  return body
end

return openresty
