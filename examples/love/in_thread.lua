-- The calls in a thread of LÖVE's, which may block. A thread has a Lua state
-- and a client of its own, and says through a channel how far it is.

local way = {}

local thread, said, show

function way.open() end

function way.begin(tell)
  show = tell
  said = love.thread.getChannel "said"
  thread = love.thread.newThread "thread.lua"
  thread:start()
end

-- Whether there is more to do.
function way.update()
  local text = said:pop()
  if text == false then
    way.failed = true
  elseif text then
    show(text)
  end
  local err = thread:getError()
  if err then
    show("failed: " .. err)
    way.failed = true
  end
  return thread:isRunning() or said:getCount() > 0
end

return way
