--- Tasks: many calls under way at once, in a program that has one thread.
--
-- A task is a coroutine. Where a call would block, its task yields; first of
-- all, and the loop starts the transfer, where Lua cannot tell whether a yield
-- can happen: one that cannot has sent nothing. A turn of a step does little,
-- it serves one socket and resumes one task, so whoever drives it may stop
-- after any turn.
--
-- One loop a transport; clients that share connections share it.
--
-- An error may end a turn anywhere: of memory, or of a host's limit. The next
-- turn then makes the queues anew and has all tasks go on. So whoever yields
-- looks, when it goes on, whether there is what it waited for, and a queue is
-- made of links between tasks: it takes no memory to be put into one.

local call = require "signicat.call"
local core = require "signicat.core"
local heap = require "signicat.heap"
local mend = require "signicat.tasks.mend"
local observe = require "signicat.observe"
local queue = require "signicat.queue"

local tasks = {}

local put, take, empty = queue.put, queue.take, queue.empty
local forks = core.forks

-- What a task yields to its loop. Anything else is the function's own yield:
-- the task goes on in the next step.
local START, SLEEP, PARK = {}, {}, {}

local CANCELLED = "the task was cancelled"

-- The task of each coroutine, and the loop that is resuming one. A task holds
-- its coroutine: were it held here for that, Lua 5.1 would keep both.
local task_of = setmetatable({}, { __mode = "kv" })
local active

local unpack = table.unpack or unpack -- luacheck: ignore
local is_yieldable = core.is_yieldable
local knows_yields = is_yieldable() ~= nil

--- The coroutine that runs, nil outside of any (5.1 has no main one).
function tasks.this_coroutine()
  local thread, is_main = coroutine.running()
  return not is_main and thread or nil
end

--- The task that runs now, of whichever loop; the main coroutine is of none.
function tasks.running()
  return task_of[coroutine.running() or false]
end

local function cancelled()
  return { kind = "cancelled", note = CANCELLED, sent = false }
end

--- The error of what ends before it has begun.
---@param note string? why, unless somebody cancelled it
function tasks.cancelled(operation, note)
  return core.error { kind = "cancelled", note = note or CANCELLED,
                      operation = operation, attempts = 0 }
end

--- The same as what a task returns.
local function cancelled_result(operation, note)
  return { n = 2, nil, tasks.cancelled(operation, note) }
end

--- A coroutine of any function: Lua 5.1 makes none of one in C.
local function new_thread(fn)
  local ok, thread = pcall(coroutine.create, fn)
  return ok and thread
    or coroutine.create(function(...) return fn(...) end)
end

-- -- a task -------------------------------------------------------------------

---@class signicat.Task
local Task = {}
Task.__index = Task
Task.__name = "signicat.task"

function Task.__tostring()
  return Task.__name
end

--- Whether a value is a task of ours, and whether it is one that is not done.
function tasks.is_task(value)
  return getmetatable(value) == Task
end

function tasks.is_open(value)
  return getmetatable(value) == Task and not value.result
end

--- Whether its function has returned or raised, or will never be called.
---@return boolean
function Task:done()
  return self.result and true or false
end

--- Ends what a task left under way.
local function end_transfers(task)
  for _, line in pairs(task.loop.lines) do
    if line.owner == task then
      line.transfer:cancel()
      line.owner = false
    end
  end
end

local function finish(task, result)
  local loop = task.loop
  if task.open > 0 then end_transfers(task) end
  task.result = result
  -- The last one takes its place.
  local list, last = loop.tasks, loop.tasks[loop.count]
  list[task.place], last.place = last, task.place
  list[loop.count] = nil
  loop.count = loop.count - 1
  if task.waiters then
    for _, waiter in ipairs(task.waiters) do loop:wake(waiter) end
  end
  task.waiters, task.children = false, false
  -- What its calls hold goes with the coroutine, whoever keeps the task.
  if loop.current ~= task then task.thread = false end
end

-- What lua_yield says where it cannot; the rest differs by version.
local function could_not_yield(message)
  return type(message) == "string" and message:find("attempt to yield", 1, true)
end

local HOW_TO_YIELD = "a call in a task cannot wait here: this Lua yields "
  .. "neither in pcall nor in an iterator or a metamethod; use page:next() "
  .. "for lists and client:try(fn) in place of pcall"

-- Of a task whose values found no memory.
local LOST = { raised = true, "not enough memory" }

--- What tasks return that had a create under way when the client was closed:
--- nobody else is told that it may have happened.
---@return table<signicat.Task, table> results
local function untold(self, why)
  local results = {}
  for _, line in pairs(self.lines) do
    local task = line.owner
    -- The task that closes the client goes on, and hears it from its call.
    if task and line.creates and task ~= self.current
      and line.transfer:done() then
      local _, failure = line.transfer:finish()
      failure = failure or { sent = true } -- its answer was not read
      failure.kind, failure.note = "cancelled", why
      results[task] = { n = 2, nil, call.fail("task", failure, line) }
    end
  end
  return results
end

--- Ends all tasks but `kept`; their transfers are ended elsewhere.
---@param results table? of those that return something else than the reason
local function drop(self, why, kept, results)
  for i = self.count, 1, -1 do
    local task = self.tasks[i]
    if task ~= kept then
      task.is_cancelled, task.open, task.waits_for = true, 0, false
      finish(task, results and results[task] or cancelled_result("task", why))
    end
  end
  if kept then kept.is_awake = false end
  empty(self.runnable)
  empty(self.later)
  empty(self.starts)
  self.sleepers, self.asides = heap.new(), {}
end

--- In a child of fork, the first time: the tasks are its parent's, which goes
--- on with them. One that forked itself goes on in both.
---@return boolean parted
local function part(self, kept)
  if self.closed or forks() == self.forks then return false end
  drop(self, "the process was forked; the task is its parent's", kept)
  self.forks = forks()
  return true
end

-- Of tasks that raised while nobody waited, so many are kept for `run`: who
-- only steps would keep them all.
local UNCLAIMED = 100

--- Keeps one for `run`, and no more those that were waited for since.
local function keep_for_run(list, task)
  local last, count = list.last, 0
  while last do
    local other = take(list)
    if not other.is_claimed then
      put(list, other)
      count = count + 1
    end
    if other == last then break end
  end
  if count < UNCLAIMED then put(list, task) end
end

--- A function raised. Whoever waits gets it; nobody may, so a hook is told.
local function give_up(task, message)
  local is_awaited = task.waiters
  if could_not_yield(message) then message = HOW_TO_YIELD end
  finish(task, { raised = true, message })
  if not is_awaited then keep_for_run(task.loop.unclaimed, task) end
  if not task.client.on_event then return end
  observe.emit(task.client, "error", { operation = "async",
    reason = "a task's function raised; task:wait raises the same" })
  part(task.loop) -- the hook, which is of the main program, may have forked
end

--- It yielded something else than PARK, returned or raised.
local function step_on(task, loop, done, what, ...)
  if task.result then return end -- it closed the client
  if not done then return give_up(task, what) end
  if coroutine.status(task.thread) == "dead" then
    return finish(task, { n = select("#", ...) + 1, what, ... })
  end
  if what == START then
    task.to_start, task.request = ...
    put(loop.starts, task)
  elseif what == SLEEP then
    loop.sleepers:add(..., task)
  else
    put(loop.later, task)
    task.is_awake = true
    loop:tell()
  end
end

local function come_back(task, loop, outer, done, what, ...)
  active, loop.current = outer, false
  local parted = forks() ~= loop.forks and part(loop, task)
  if what ~= PARK then step_on(task, loop, done, what, ...) end
  if parted then loop:wake(task) end -- whatever it waits for may be gone
  if loop.closed then task.thread = false end -- by the task itself
end

--- Has it go on. Nothing of the task is touched that need not be: among many,
--- each has left the processor's cache since it went on last.
local function resume(task, loop, ...)
  local outer = active
  active, loop.current = loop, task
  return come_back(task, loop, outer, coroutine.resume(task.thread, ...))
end

local function cancel(list)
  for _, task in ipairs(list) do task:cancel() end
end

--- Ends what the task waits for; calls that it makes from then on fail with
--- `cancelled`. One that was not begun never is. What is done stays.
---@return boolean cancelled false when it was done, or cancelled, before
function Task:cancel()
  if self.result or self.is_cancelled then return false end
  self.is_cancelled = true
  local loop = self.loop
  if self.children then cancel(self.children) end
  if self.arguments then
    finish(self, cancelled_result "task")
  elseif self.waits_for then
    self.waits_for.transfer:cancel()
    loop:tell()
  elseif loop.current ~= self then
    loop:wake(self)
  end
  return true
end

--- What a task that is done returned.
local function values(task)
  local result = task.result
  task.is_claimed = true
  if result.raised then error(result[1], 0) end
  return unpack(result, 1, result.n)
end

--- Waits until it is done: a task that asks yields, the main program steps.
---@return any ... what its function returned; what that raised is raised
function Task:wait()
  local loop = self.loop
  local caller = loop:caller()
  if caller == self then core.misuse("a task cannot wait for itself") end
  while not self.result do
    if not caller then
      loop:turn_or_stop()
    elseif caller.is_cancelled then
      return nil, tasks.cancelled "task:wait"
    else
      self.waiters = self.waiters or {}
      self.waiters[#self.waiters + 1] = caller
      coroutine.yield(PARK)
    end
  end
  return values(self)
end

-- -- the loop -----------------------------------------------------------------

local Loop = {}
Loop.__index = Loop

--- A loop over a multi.
function tasks.loop(multi)
  return setmetatable({
    multi = multi,
    count = 0, -- tasks that are not done
    tasks = {}, -- the same, as a list
    forks = forks(), -- so many were seen when it last looked
    may_start = 0, -- so many transfers before the next turn or step
    closed = false,
    torn = 0, -- so many changes have begun and not ended
    current = false, -- the task that is being resumed
    runnable = queue.new "next",
    later = queue.new "next", -- tasks that yielded by themselves
    starts = queue.new "next_start", -- tasks with a transfer to start
    is_start = false, -- the last that went on was one of them
    sleepers = heap.new(),
    -- Tasks that raised while nobody waited.
    unclaimed = queue.new "next_unclaimed",
    -- Of transfers, by their key; the transport holds them.
    lines = setmetatable({}, { __mode = "v" }),
    asides = {}, -- tasks, by the key of what is done on a thread for them
  }, Loop)
end

--- Puts the loop in order, should an error have ended what changed it.
local function tidy(self)
  if self.torn ~= 0 then mend(self, Loop.turn, LOST) end
end

--- Tells the event loop that drives this one, if any, that a step may be due.
function Loop:tell()
  if self.on_wake then self.on_wake() end
end

--- A task goes on in its turn.
function Loop:wake(task)
  if task.is_awake or task.result then return end
  put(self.runnable, task)
  task.is_awake = true
  self.sleepers:remove(task)
  self:tell()
end

--- The loop that is resuming a task. One that an error on the way left behind,
--- of a hook or of memory, is resuming none.
local function resuming()
  local task = active and active.current
  local status = task and task.thread and coroutine.status(task.thread)
  if status ~= "running" and status ~= "normal" then active = nil end
  return active
end

--- The task of this loop that runs now; nil in the main program, or in a
--- coroutine that is no task, outside of all tasks. Anything else could only
--- block the tasks, and raises.
function Loop:caller()
  if not active then return nil end
  local task = tasks.running()
  if task and task.loop == self then return task end
  if not resuming() then return nil end
  if task then
    core.misuse("this task belongs to another client; a task waits only for "
      .. "calls of its own client and of those made by its `with`")
  end
  core.misuse("a coroutine of your own inside a task cannot wait; call from "
    .. "the task's function, or start a task of its own with client:async")
end

--- The task of this loop that runs now, or nil; never raises.
function Loop:task()
  return active == self and tasks.running() or nil
end

--- The task of this loop that is to wait for others; nil in the main program.
--- One that cannot yield raises here, before it has begun them.
function Loop:parent()
  local task = self:caller()
  if task and not task.is_cancelled then
    self:wake(task)
    coroutine.yield(PARK)
  end
  return task
end

--- What a transport sends one request at a time with: a transfer, who waits
--- for it, and whether there is something to look at meanwhile.
---@return table? line
---@return table? failure
function Loop:line()
  local transfer, failure = core.transfer(self.multi)
  if not transfer then
    failure.sent = false
    return nil, failure
  end
  local line = { transfer = transfer, owner = false, pending = false,
                 creates = false }
  self.lines[transfer:key()] = line
  return line
end

--- Starts a transfer for a task, or for the main program.
---@param task table|false
---@return boolean? started
---@return table? functions what Lua supplies and takes, or the failure
local function begin(task, line, request)
  line.pending = false -- before: a finalizer may turn, and look at it
  local started, functions = line.transfer:start(request, task ~= false)
  if not started then
    functions.sent = false
    return nil, functions
  end
  line.owner, line.creates = task, request.creates
  if task then task.open = task.open + 1 end
  return started, functions
end

--- Starts the transfer that a task yielded for, after the yield.
local function start(task)
  local line, started = task.to_start, nil
  if task.is_cancelled then
    task.functions = cancelled()
  else
    started, task.functions = begin(task, line, task.request)
  end
  task.to_start = false
  task.request = false
  if not started then
    resume(task, task.loop)
  elseif line.pending then
    task.loop:wake(task)
  else
    task.waits_for = line
  end
end

--- A transfer, or what was done aside, has something for its caller.
local function look(self, key)
  local line, waiting = self.lines[key], self.asides[key]
  if waiting then
    self.asides[key] = nil
    return self:wake(waiting)
  end
  local owner = line and line.owner
  if owner and owner.waits_for == line then
    owner.waits_for = false
    resume(owner, self)
  elseif line then
    line.pending = true
  end
end

--- Wakes the first that was to sleep until then, or shorter.
local function wake_sleeper(self, moment)
  local due, task = self.sleepers:first()
  if not due or due > moment then return false end
  self:wake(task)
  -- It is there still if it was awake already.
  self.sleepers:remove(task)
  return true
end

--- A task that was woken goes on, unless it waits for a transfer by now.
local function go_on(task, loop)
  if task.result or task.waits_for or task.to_start then return end
  local arguments = task.arguments
  if not arguments then return resume(task, loop) end
  resume(task, loop, task, unpack(arguments, 1, arguments.n))
end

--- Resumes one task or starts one transfer, if there is one. In a step those
--- that yielded by themselves wait for the next one, and few transfers start.
--- Where there is both to do, they take turns.
local function advance(self, step)
  local may_start = self.may_start > 0 and self.starts.first
  self.is_start = may_start and not self.is_start
  local task = not self.is_start and (self.runnable.first
    and take(self.runnable) or not step and self.later.first
    and take(self.later))
  if task then
    task.is_awake = false
    go_on(task, self)
    return true
  end
  if not may_start then return false end
  task = take(self.starts)
  self.may_start = self.may_start - 1
  start(task)
  return true
end

local function has_more(self)
  return self.runnable.first or self.later.first or self.starts.first
end

local LONG = 3600 -- seconds

--- Serves what is ready, waiting for it up to `wait` seconds when there is
--- nothing else to do, then has one task go on, or all whose transfers are
--- ready and nobody else.
---@param step number? when the step that it is of began: then it does not
--- wait, serves one socket and one task, and wakes whom the step found due
---@return boolean whether something was done
function Loop:turn(wait, step)
  if self.closed then return false end
  tidy(self)
  self.torn = self.torn + 1
  local due = self.sleepers.count > 0 and self.sleepers:first()
  if not step then self.may_start = math.huge end
  local parted = part(self)
  if parted or step or has_more(self) then
    wait = 0
  elseif due then
    wait = math.max(0, math.min(wait, due - core.now()))
  end
  local key, acted = self.multi:turn(wait)
  local done = acted or parted or key ~= nil
  while key do
    look(self, key)
    key = not (step or has_more(self)) and self.multi:ready()
  end
  if due and wake_sleeper(self, step or core.now()) then done = true end
  if has_more(self) and advance(self, step) then done = true end
  self.torn = math.max(0, self.torn - 1) -- a turn within may have mended it
  self:tell()
  return done
end

--- Turns, and raises where nothing can ever happen: tasks wait for each other.
function Loop:turn_or_stop()
  local multi = self.multi
  if self:turn(multi:running() > 0 and LONG or 0) then return end
  if multi:running() == 0 and not self:timeout() then
    core.misuse("the tasks that are left wait for each other")
  end
  self:turn(LONG)
end

--- What its coroutine runs. Only here is it known to have begun, wherever an
--- error ends the turn.
local function begin_task(task, fn, ...)
  task.arguments = false
  return fn(...)
end

--- Makes a task; it begins in a turn of its own.
function Loop:async(client, fn, ...)
  local is_ours = resuming() == self
  part(self, is_ours and self.current or nil)
  if not is_ours then tidy(self) end
  local place = self.count + 1
  local task = setmetatable({
    loop = self,
    client = client,
    thread = coroutine.create(begin_task),
    arguments = { n = select("#", ...) + 1, fn, ... }, -- until it has begun
    place = place, -- in the loop's list
    next = false, next_start = false, next_unclaimed = false,
    is_awake = true, -- and in a queue
    is_cancelled = false,
    to_start = false, request = false, -- the line it yielded for, and with what
    open = 0, -- transfers under way
    waits_for = false, functions = false, -- a line, and what Lua supplies to it
    waiters = false, children = false, -- tasks
    result = false, -- a table, when it is done
    is_claimed = false,
  }, Task)
  task_of[task.thread] = task
  self.torn = self.torn + 1
  self.tasks[place], self.count = task, place
  put(self.runnable, task)
  self.torn = self.torn - 1
  self:tell()
  return task
end

-- Transfers that a step starts at most. What a new connection asks of libcurl
-- later, it asks for at one time with all that began at one time.
local STARTS = 8

--- Turns until nothing is left to be done at once, or the time is over.
---@param budget number? seconds
---@return integer left tasks that are not done
function Loop:step(budget)
  if resuming() then core.misuse("client:step is for the main program") end
  local began = core.now()
  local ends = budget and began + budget or math.huge
  tidy(self)
  self.torn = self.torn + 1
  queue.join(self.runnable, self.later)
  self.torn = self.torn - 1
  self.may_start = STARTS
  repeat until not self:turn(0, began) or core.now() >= ends
  return self.count
end

--- Turns until no task is left; raises what one raised that nobody waited for.
function Loop:run()
  if resuming() then core.misuse("client:run is for the main program") end
  while self.count > 0 do self:turn_or_stop() end
  for task in take, self.unclaimed do
    if not task.is_claimed then task:wait() end
  end
end

--- Seconds until a step has something to do whatever the descriptor says;
--- nil: none.
function Loop:timeout()
  if has_more(self) then return 0 end
  local due, left = self.sleepers:first(), self.multi:timeout()
  if not due then return left end
  due = math.max(0, due - core.now())
  return left and math.min(left, due) or due
end

--- Drops all tasks: their transfers were ended by closing the multi.
function Loop:close()
  if self.on_close then self.on_close() end
  self.closed = true
  self.multi:close()
  local why = "the client was closed"
  drop(self, why, nil, untold(self, why))
end

-- -- what a call does with it -------------------------------------------------

--- Has the loop start a transfer, after a yield.
local function start_later(task, line, request)
  local started, functions
  repeat
    coroutine.yield(START, line, request)
    started, functions = line.owner == task, task.functions
  until started or functions
  task.functions = false
  -- It goes on when there is something to look at.
  line.pending = started
  return started, functions
end

--- Starts a transfer for whoever calls.
---@return boolean? started
---@return table? functions what Lua supplies and takes, or the failure
function Loop:start(line, request)
  local task = self:caller()
  if not task then return begin(false, line, request) end
  if task.is_cancelled then return nil, cancelled() end
  if self.may_start > 0 and not self.starts.first and is_yieldable() then
    self.may_start = self.may_start - 1
    return begin(task, line, request)
  end
  return start_later(task, line, request)
end

--- Blocks until a transfer has something to look at.
local function block(self, line)
  local multi, transfer = self.multi, line.transfer
  repeat
    if self.count > 0 then
      self:turn(LONG)
    else
      -- Nobody else waits, so there is nothing to hand out.
      local ready = multi:turn(LONG)
      if ready then look(self, ready) end
    end
  until line.pending or transfer:done()
end

--- Waits until a started transfer has something to look at.
function Loop:wait(line)
  local task = line.owner
  -- While its reader or writer had the word.
  if task and task.is_cancelled then line.transfer:cancel() end
  if not line.pending then
    if task then
      task.waits_for = line
      coroutine.yield(PARK)
    else
      block(self, line)
    end
  end
  line.pending = false
end

--- Has what would hold a turn up done on a thread, while the task waits: even
--- one that is cancelled, for the answer is here. The main program waits in
--- decode.
function Loop:settle(task, request, response)
  local aside = self.multi:aside(request, response)
  if not aside then return end
  local key = aside:key()
  self.asides[key] = task
  repeat coroutine.yield(PARK) until aside:done()
  self.asides[key] = nil -- if an error ended the turn that would have
end

--- A transfer has ended, and its line is free again.
---@return table|false task that it was for
function Loop:forget(line) -- luacheck: no self
  local task = line.owner
  if task then task.open = task.open - 1 end
  line.owner = false
  return task
end

--- Sleeps; a task that is cancelled meanwhile wakes at once, and one that
--- sleeps for no time lets others go on.
function Loop:sleep(seconds)
  if type(seconds) ~= "number" or seconds ~= seconds then
    core.misuse("sleep takes seconds, not "
      .. (seconds ~= seconds and "NaN" or "a " .. type(seconds)))
  end
  local task = self:caller()
  local ends = core.now() + seconds
  if task then
    repeat
      if not task.is_cancelled then coroutine.yield(SLEEP, ends) end
    until task.is_cancelled or core.now() >= ends
    return
  end
  while self.count > 0 and core.now() < ends do
    self:turn(ends - core.now())
  end
  core.sleep(math.max(0, ends - core.now()))
end

-- -- a gate -------------------------------------------------------------------

local Gate = {}
Gate.__index = Gate

--- Where tasks wait until one of them opens it.
function Loop:gate()
  return setmetatable({ loop = self, waiting = {} }, Gate)
end

--- Waits until it opens, `seconds` at most.
---@return boolean whether to go on: not when the task was cancelled
function Gate:wait(seconds)
  local task = self.loop:caller()
  if not task or task.is_cancelled then return not task end
  self.waiting[#self.waiting + 1] = task
  coroutine.yield(SLEEP, core.now() + seconds)
  return not task.is_cancelled
end

function Gate:open()
  for _, task in ipairs(self.waiting) do self.loop:wake(task) end
  self.waiting = {}
end

-- -- for any loop -------------------------------------------------------------

local function tell(done, ...)
  if not done and could_not_yield(...) then return false, HOW_TO_YIELD end
  return done, ...
end

local function relay(thread, done, ...)
  if done and coroutine.status(thread) ~= "dead" then
    return relay(thread, coroutine.resume(thread, coroutine.yield(...)))
  end
  return tell(done, ...)
end

--- pcall for tasks on every Lua: what it calls may wait.
function tasks.try(fn, ...)
  local task = tasks.running()
  if not task then return pcall(fn, ...) end
  -- Where its task cannot yield, what it calls must find that out itself.
  if knows_yields and not is_yieldable() then
    return tell(pcall(fn, ...))
  end
  local thread = new_thread(fn)
  task_of[thread] = task
  observe.follow(thread)
  return relay(thread, coroutine.resume(thread, ...))
end

return tasks
