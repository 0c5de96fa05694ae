--- A client's tasks in a loop of luv, which is Neovim's vim.loop too.
--
-- Nothing is polled: while tasks are left, luv watches the client's descriptor
-- and has one timer. Without tasks nothing keeps luv's loop running.

local core = require "signicat.core"
local uv = require "luv"

local luv = {}

local BUDGET = 0.005 -- seconds of a step; callbacks of others come in between

---@class signicat.Drive
local Drive = {}
Drive.__index = Drive

local HANDLES = { "soon", "later", "readable" }

--- Ends a pause: has luv step in its next turn. A step itself needs no waking,
--- it looks at what is due when it ends.
local function wake(self)
  if self.is_awake or not self.soon and self.loop.count == 0 then return end
  self.is_awake = true
  if not self.soon then
    self.soon, self.later = uv.new_idle(), uv.new_timer()
    self.readable = uv.new_poll(self.client:descriptor())
  end
  self.soon:start(self.step)
end

--- Takes all out of luv's loop. What is closed goes in its next turn; should
--- there be none, luv 1.44 crashes when Lua ends, unless the collector has it.
local function clear(self, turns)
  for _, name in ipairs(HANDLES) do
    local handle = self[name]
    self[name] = nil
    if handle then handle:stop() end
    if handle and turns then handle:close() end
  end
  self.is_awake = false
end

--- One turn: what nobody waits for is raised when no task is left.
local function step(self)
  local client = self.client
  self.is_awake = true
  local left = client:step(BUDGET)
  if self.is_stopped then return end
  if left == 0 then
    clear(self, true)
    return client:run()
  end
  self.soon:stop()
  self.later:stop()
  local seconds = client:timeout()
  self.is_awake = seconds == 0
  self.readable:start("r", self.step)
  if seconds == 0 then
    self.soon:start(self.step)
  elseif seconds then
    uv.update_time() -- luv counts from when its turn began
    self.later:start(math.ceil(seconds * 1000), 0, self.step)
  end
end

--- Leaves the loop with nothing of the client's in it. Tasks stay, and go on
--- when somebody steps.
function Drive:stop()
  if self.is_stopped then return end
  self.is_stopped = true
  self.loop.on_wake, self.loop.on_close = nil, nil
  clear(self, uv.loop_mode())
end

--- Has luv's loop drive the tasks of a client and its children, those that are
--- there and those to come, until it is stopped or the client is closed. An
--- error that a task raised and nobody waits for is raised in luv's loop.
---@param client signicat.Client
---@return signicat.Drive
function luv.attach(client)
  if type(client) ~= "table" or not client.descriptor then
    core.misuse("attach takes a client, not a " .. type(client))
  end
  client:descriptor() -- raises for one that no loop can drive
  local loop = client.transport.loop
  if loop.on_wake then core.misuse("this client is attached already") end
  local self = setmetatable({ client = client, loop = loop }, Drive)
  self.step = function() step(self) end
  loop.on_wake = function() wake(self) end
  loop.on_close = function() self:stop() end
  wake(self)
  return self
end

return luv
