-- docs_run.lua: runs what a page shows, with a sandbox of its own, as a reader
-- has it: `signicat`, `sandbox` and a client `sign`; and `redis_address`, of a
-- Redis that is started when it is asked for.
--
--     lua spec/support/docs_run.lua CODE.lua
--
-- Prints what the page says is printed with single blanks between words.

dofile(os.getenv "SPEC_SUPPORT" .. "/loopback.lua")

local signicat = require "signicat"
local service = assert(require "signicat.sandbox".start())

local redis

local environment = setmetatable({
  signicat = signicat,
  sandbox = service,
  sign = assert(service:client()),
  print = function(...)
    local words = { ... }
    for i = 1, select("#", ...) do words[i] = tostring(words[i]) end
    io.stdout:write(table.concat(words, " "), "\n")
  end,
}, { __index = function(_, name)
  if name ~= "redis_address" then return _G[name] end
  redis = redis or require "spec.support.redis".start()
  return redis.address
end })

local file = assert(io.open(arg[1], "rb"))
local code = file:read "*a"
file:close()
local chunk
local set_environment = rawget(_G, "setfenv") -- in 5.1 and LuaJIT
if set_environment then
  chunk = assert(rawget(_G, "loadstring")(code, "=page"))
  set_environment(chunk, environment)
else
  chunk = assert(load(code, "=page", "t", environment))
end
chunk()
if redis then redis:stop() end
service:stop()
