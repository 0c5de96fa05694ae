--- Tasks inside nginx are its own light threads: they run by themselves, and
--- there is nothing to step.
--
-- nginx lets a light thread be waited for and ended only by the one that
-- started it. A task can be waited for by all of its request, and what it waits
-- for here (a call, a pause, a token, another task) can be ended by anybody.

local call = require "signicat.call"
local core = require "signicat.core"

local Task = {}
Task.__index = Task
Task.__name = "signicat.task"

local FOREVER = 1e6 -- seconds, what nginx can count in 32 bits
local CANCELLED = "the task was cancelled"

-- The task of each light thread, which holds it as long as it lives.
local task_of = setmetatable({}, { __mode = "kv" })

-- One for all clients: it knows nothing of them.
local loop = {}

local function pack(...)
  return { count = select("#", ...), ... }
end

local unpack = _G.unpack -- of LuaJIT

--- Wakes all who wait at a bell, if any do.
local function ring(bell)
  local waiting = -bell:count()
  if waiting > 0 then bell:post(waiting) end
end

--- Notes how a task ended, and wakes those who wait for it.
local function finish(task, values, raised)
  task.over, task.values, task.raised = true, values, raised
  ring(task.bell)
end

local function cancelled(operation)
  return pack(nil, call.fail(operation, { kind = "cancelled",
                                          note = CANCELLED }))
end

--- Whether the task has ended, in whatever way.
---@return boolean
function Task:done()
  return self.over
end

--- Waits until the task has ended. Several may wait.
---@return any ... what its function returned; nil and an error `cancelled`
--- when it, or the task that asks, was cancelled; what the function raised, it
--- raises
function Task:wait()
  local caller = loop:task()
  if caller == self then core.misuse("a task cannot wait for itself") end
  while not self.over do
    if caller and caller.is_cancelled then
      return unpack(cancelled("task:wait"), 1, 2)
    end
    loop:hear(self.bell, FOREVER)
  end
  if not self.values then error(self.raised, 0) end
  return unpack(self.values, 1, self.values.count)
end

--- Ends what the task waits for, and what it maps; calls that it makes from
--- then on fail with `cancelled`. A wait of nginx's own, such as ngx.sleep,
--- ends with the task when the one that started it cancels it; when another
--- one does, it goes on to its end. What is done stays.
---@return boolean cancelled false when it was done, or cancelled, before
function Task:cancel()
  if self.over or self.is_cancelled then return false end
  self.is_cancelled = true
  for _, child in ipairs(self.children or {}) do child:cancel() end
  local transport = self.client.transport
  if self.hears then
    ring(self.hears)
  elseif not (transport.cancel and transport:cancel(self.thread))
    and coroutine.running() == self.parent then
    ngx.thread.kill(self.thread)
    finish(self, cancelled("task"))
  end
  return true
end

--- The task that runs now, or nil.
function loop:task() -- luacheck: no self
  return task_of[coroutine.running()]
end

--- The same, when it is to wait for others. Where nothing can be waited for
--- this raises, before they have begun.
function loop:parent(client)
  if client.transport.can_wait() then ngx.sleep(0) end
  return self:task()
end

--- Waits until a bell rings, `seconds` at most. A task that is cancelled waits
--- no longer.
---@return boolean? rung not if it is cancelled
function loop:hear(bell, seconds)
  local task = self:task()
  if not task then return bell:wait(seconds) end
  if task.is_cancelled then return false end
  task.hears = bell
  local rung = bell:wait(seconds)
  task.hears = nil
  return rung and not task.is_cancelled
end

--- Sleeps; a task that is cancelled meanwhile wakes at once.
function loop:sleep(seconds)
  if not self:task() or seconds <= 0 then return ngx.sleep(seconds) end
  self:hear(require "ngx.semaphore".new(), seconds)
end

--- Why a call made now is not to be sent, if so.
---@return table? failure
function loop:refusal()
  local task = self:task()
  return task and task.is_cancelled
    and { kind = "cancelled", note = CANCELLED, sent = false } or nil
end

--- Starts a task; it runs until it waits for the first time.
---@param client signicat.Client
---@param act function
---@return table task wait, cancel, done
function loop:async(client, act, ...)
  local obstacle = client.transport.obstacle()
  if obstacle then
    core.misuse("client:async: no light thread starts in " .. obstacle)
  end
  local task = setmetatable({ client = client, loop = self, over = false,
    bell = require "ngx.semaphore".new(), parent = coroutine.running() }, Task)
  local parent = self:task()
  task.is_cancelled = parent and parent.children and parent.is_cancelled
  task.thread = ngx.thread.spawn(function(...)
    task.thread = coroutine.running()
    task_of[task.thread] = task
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
