--- A client's tasks in a loop of cqueues.
--
-- Nothing is polled: while tasks are left, a coroutine of the loop waits for
-- the client's descriptor, its next moment, or a task that was started or
-- cancelled. Without tasks there is none, so nothing keeps the loop running.

local condition = require "cqueues.condition"
local core = require "signicat.core"
local queues = require "cqueues"

local cqueues = {}

local BUDGET = 0.005 -- seconds of a step; other coroutines come in between

---@class signicat.CqueuesDrive : signicat.Drive
local Drive = {}
Drive.__index = Drive

--- The coroutine. What nobody waits for is raised when no task is left.
local function run(self)
  local client = self.client
  while not self.is_stopped do
    self.is_stepping = true
    local left = client:step(BUDGET)
    self.is_stepping = false
    self.stepped:signal()
    if left == 0 or self.is_stopped then break end
    queues.poll(self.readable, self.woken, client:timeout())
  end
  self.is_running = false
  if not self.is_stopped then client:run() end
end

local function wake(self)
  if self.is_stepping then return end
  if self.is_running then return self.woken:signal() end
  if self.loop.count == 0 then return end
  self.is_running = true
  self.controller:wrap(run, self)
end

--- Waits in a coroutine of the loop until a task is done, while others run.
---@param task signicat.Task
---@return any ... what its function returned; what that raised is raised
function Drive:wait(task)
  task.waiters = task.waiters or {} -- what it raises will be claimed
  while not task:done() and not self.is_stopped do self.stepped:wait() end
  return task:wait()
end

--- Leaves the loop with nothing of the client's in it. Tasks stay, and go on
--- when somebody steps.
function Drive:stop()
  if self.is_stopped then return end
  self.is_stopped = true
  self.loop.on_wake, self.loop.on_close = nil, nil
  self.woken:signal()
  self.stepped:signal()
  queues.cancel(self.readable.pollfd)
end

--- Has a loop of cqueues drive the tasks of a client and its children, those
--- that are there and those to come, until it is stopped or the client is
--- closed. An error that a task raised and nobody waits for is one of the loop.
---@param client signicat.Client
---@param controller userdata? of cqueues.new; that which runs if not given
---@return signicat.CqueuesDrive
function cqueues.attach(client, controller)
  if type(client) ~= "table" or not client.descriptor then
    core.misuse("attach takes a client, not a " .. type(client))
  end
  controller = controller or queues.running()
  if not controller then
    core.misuse("attach takes a loop, or is called in one")
  end
  local descriptor, loop = client:descriptor(), client.transport.loop
  if loop.on_wake then core.misuse("this client is attached already") end
  local self = setmetatable({ client = client, loop = loop,
    controller = controller, woken = condition.new(),
    stepped = condition.new(),
    readable = { pollfd = descriptor, events = "r" } }, Drive)
  loop.on_wake = function() wake(self) end
  loop.on_close = function() self:stop() end
  wake(self)
  return self
end

return cqueues
