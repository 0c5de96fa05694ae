-- Runs on a local sandbox; on the real service only with SIGNICAT_LIVE=1 and
-- credentials. A screen that keeps moving while a lease is uploaded, signed and
-- fetched; LÖVE 11, from the root of a checkout, after `make LUA_VERSION=jit`:
--
--     LUA_PATH='./?.lua;lua/?.lua;lua/?/init.lua;;' \
--       LUA_CPATH='build/jit/?.so;;' love examples/love [thread] [frames]
--
-- `thread` makes the calls in a thread of LÖVE's, with calls that block;
-- `frames` measures frames before the calls and during them.

local frames = require "frames"

local screen = { text = "", frame = 0, since = 0 }

-- What happened, and after how many frames since the step before.
local function show(text)
  print(text, screen.frame - screen.since)
  screen.text, screen.since = text, screen.frame
end

local way, measure

function love.load(arguments)
  local given = {}
  for _, word in ipairs(arguments) do given[word] = true end
  way = require(given.thread and "in_thread" or "in_tasks")
  way.open()
  measure = given.frames and frames.new()
  io.stdout:setvbuf "line"
end

function love.update(seconds)
  screen.frame = screen.frame + 1
  if measure and not measure:add(seconds, way.begun) then return end
  if not way.begun then
    way.begun = true
    way.begin(show)
    return
  end
  if way.update() then return end
  if measure then measure:print() end
  love.event.quit(way.failed and 1 or 0)
end

function love.draw()
  local x, y = love.graphics.getWidth() / 2, love.graphics.getHeight() / 2
  local angle = love.timer.getTime() * 3
  love.graphics.arc("line", "open", x, y, 60, angle, angle + 4)
  love.graphics.printf(screen.text, 0, y + 90, 2 * x, "center")
end

function love.quit()
  if way.close then way.close() end
end
