--- Tasks inside nginx are its own light threads: they run by themselves, and
--- there is nothing to step.
--
-- nginx lets a light thread be waited for and ended only by the one that
-- started it. A task can be waited for by all of its request, and a call that
-- it is in can be ended by anybody.

local call = require "signicat.call"
local core = require "signicat.core"

local Task = {}
Task.__index = Task
Task.__name = "signicat.task"

local FOREVER = 1e6 -- seconds, what nginx can count in 32 bits

local function pack(...)
  return { count = select("#", ...), ... }
end

local unpack = _G.unpack -- of LuaJIT

--- Notes how a task ended, and wakes those who wait for it.
local function finish(task, values, raised)
  task.over, task.values, task.raised = true, values, raised
  if task.waiting > 0 then task.bell:post(task.waiting) end
end

--- Whether the task has ended, in whatever way.
---@return boolean
function Task:done()
  return self.over
end

--- Waits until the task has ended. Several may wait.
---@return any ... what its function returned; nil and an error `cancelled`
--- when it was cancelled; what the function raised, it raises
function Task:wait()
  while not self.over do
    self.waiting = self.waiting + 1
    self.bell:wait(FOREVER)
    self.waiting = self.waiting - 1
  end
  if not self.values then error(self.raised, 0) end
  return unpack(self.values, 1, self.values.count)
end

local function cancelled()
  return pack(nil, call.fail("task", { kind = "cancelled",
    note = "the task was cancelled" }))
end

--- Ends the task: a call that it waits for ends as `cancelled`, any other wait
--- ends the task at once. Nothing happens to one that has ended.
function Task:cancel()
  if self.over then return end
  local transport = self.client.transport
  if transport.cancel and transport:cancel(self.thread) then return end
  if coroutine.running() ~= self.parent then
    core.misuse("task:cancel: only who started a task can cancel it between "
      .. "its calls")
  end
  ngx.thread.kill(self.thread)
  finish(self, cancelled())
end

-- One for all clients: it knows nothing of them.
local loop = {}

--- Starts a task; it runs until it waits for the first time.
---@param client signicat.Client
---@param act function
---@return table task wait, cancel, done
function loop:async(client, act, ...)
  local task = setmetatable({ client = client, loop = self, over = false,
    waiting = 0, bell = require "ngx.semaphore".new(),
    parent = coroutine.running() }, Task)
  task.thread = ngx.thread.spawn(function(...)
    task.thread = coroutine.running()
    local values = pack(pcall(act, ...))
    if values[1] then
      finish(task, pack(unpack(values, 2, values.count)))
    else
      finish(task, nil, values[2])
    end
  end, ...)
  return task
end

--- Light threads run by themselves.
---@return integer left
function loop:step() -- luacheck: ignore
  return 0
end

function loop:run() end -- luacheck: ignore

return { loop = loop }
