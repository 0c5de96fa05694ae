-- Runs in a thread of LÖVE's: see in_thread.lua. Calls block it, and nothing
-- else.

local contract = require "contract"
local support = require "examples.support"

local said = love.thread.getChannel "said"
local function show(text) said:push(text) end

local sign = support.client()
show "begun"
local done = contract(sign, show, function(session)
  support.let_sign(session, "Kari Nordmann")
end)
if not done then said:push(false) end
sign:close()
