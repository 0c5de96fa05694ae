-- main.lua: examples/love with a service that is held until frames are shown;
-- its folder has to be along LUA_PATH.

local files = require "spec.support.files"
local support = require "examples.support"

local new_thread = love.thread.newThread

function love.thread.newThread(name)
  return new_thread(files.read("examples/love/" .. name))
end

dofile "examples/love/main.lua"

local update = love.update

function love.update(seconds)
  support.shown()
  return update(seconds)
end
