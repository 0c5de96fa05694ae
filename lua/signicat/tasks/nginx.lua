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

-- Of each coroutine, the threads it started that have ended. nginx keeps what
-- is left of one until its parent, which may live as long as the worker, waits
-- for it or kills it.
local ended_of = setmetatable({}, { __mode = "k" })

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
  if task.over then return end
  task.over, task.values, task.raised = true, values, raised
  ring(task.bell)
end

local function cancelled(operation)
  return pack(nil, call.fail(operation, { kind = "cancelled",
                                          note = CANCELLED }))
end

--- Leaves a thread that ends to its parent.
local function bequeath(task)
  local list = ended_of[task.parent]
  if not list or list.of.context ~= task.context then
    list = { of = setmetatable({ context = task.context }, { __mode = "v" }) }
    ended_of[task.parent] = list
  end
  list[#list + 1] = task.thread
end

--- Has nginx let go of threads of this one that have ended.
local function reap()
  local parent = coroutine.running()
  local list = ended_of[parent]
  if not list then return end
  ended_of[parent] = nil
  -- nginx uses a coroutine again, for another request.
  if list.of.context ~= ngx.ctx then return end
  for _, thread in ipairs(list) do ngx.thread.kill(thread) end
end

--- Whether its thread can be killed: by the one that started it alone, and not
--- while it waits for a coroutine of its own, whose calls would go on.
local function can_kill(task)
  return coroutine.running() == task.parent and ngx.ctx == task.context
    and coroutine.status(task.thread) ~= "normal"
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
  reap()
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
  local it = self.inmost
  if self.hears then
    ring(self.hears)
  elseif not it and can_kill(self) and ngx.thread.kill(self.thread) then
    finish(self, cancelled("task"))
  end
  while it do
    it:cancel(CANCELLED)
    it = it.outer
  end
  return true
end

--- The task that runs now, or nil.
function loop:task() -- luacheck: no self
  local task = task_of[coroutine.running()]
  -- nginx uses a coroutine again, for another request.
  if task and task.context == ngx.ctx then return task end
end

--- Notes what the task that runs now is in, which its end is to end: `it` has
--- `cancel`. It may be in something else already.
---@return table? task for `leave`
function loop:enter(it)
  local task = self:task()
  if task then task.inmost, it.outer = it, task.inmost end
  return task
end

function loop:leave(task) -- luacheck: no self
  if task then task.inmost = task.inmost.outer end
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
  seconds = seconds > 0 and math.min(seconds, FOREVER) or 0
  if not self:task() or seconds == 0 then return ngx.sleep(seconds) end
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
  reap()
  local task = setmetatable({ loop = self, over = false, context = ngx.ctx,
    bell = require "ngx.semaphore".new(), parent = coroutine.running() }, Task)
  local parent = self:task()
  task.is_cancelled = parent and parent.children and parent.is_cancelled
  task.thread = ngx.thread.spawn(function(...)
    task.thread = coroutine.running()
    task_of[task.thread] = task
    local values = pack(pcall(act, ...))
    task_of[task.thread] = nil
    bequeath(task)
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
