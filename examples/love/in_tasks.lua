-- The calls in a task of the frame loop: a step a frame, of 4 ms at most.

local contract = require "contract"
local support = require "examples.support"

local way = {}

local sign, task, to_sign

function way.open()
  sign = support.client()
  support.must(sign:warm()) -- while a loading screen stands
end

function way.begin(show)
  show "begun"
  task = sign:async(contract, sign, show, function(session)
    to_sign = session
  end)
end

-- Whether there is more to do.
function way.update()
  if to_sign then
    support.let_sign(to_sign, "Kari Nordmann")
    to_sign = nil
    love.timer.step() -- the frame before is not that long: the sandbox signed
  end
  if sign:step(0.004) > 0 then return true end
  way.failed = not task:wait()
  return false
end

function way.close()
  sign:close()
end

return way
