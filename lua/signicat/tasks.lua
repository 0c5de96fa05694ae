--- Tasks: many calls under way at once, in a program that has one thread.
--
-- A task is a coroutine. Where a call would block, its task yields first and
-- the loop starts the transfer afterwards, so that a yield that cannot happen
-- has sent nothing. A turn of the loop does little: it resumes one task and
-- serves one socket, so whoever drives it may stop after any turn.
--
-- One loop a transport; clients that share connections share it.

local core = require "signicat.core"
local heap = require "signicat.heap"
local observe = require "signicat.observe"

local tasks = {}

-- What a task yields to its loop. Anything else is the function's own yield:
-- the task goes on in the next step.
local START, SLEEP, PARK = {}, {}, {}

local CANCELLED = "the task was cancelled"

-- The task of each coroutine, and the loop that is resuming one. A task holds
-- its coroutine: were it held here for that, Lua 5.1 would keep both.
local task_of = setmetatable({}, { __mode = "kv" })
local active

local unpack = table.unpack or unpack -- luacheck: ignore

--- The coroutine that runs, nil outside of any (5.1 has no main one).
function tasks.this_coroutine()
  local thread, is_main = coroutine.running()
  return not is_main and thread or nil
end

local function cancelled()
  return { kind = "cancelled", note = CANCELLED, sent = false }
end

--- The same as what a task returns.
local function cancelled_result(operation, note)
  return { n = 2, nil, core.error { kind = "cancelled", note = note,
                                    operation = operation, attempts = 0 } }
end

--- A coroutine of any function: Lua 5.1 makes none of one in C.
local function new_thread(fn)
  local ok, thread = pcall(coroutine.create, fn)
  return ok and thread
    or coroutine.create(function(...) return fn(...) end)
end

-- -- a queue -----------------------------------------------------------------

--- A first-in, first-out list.
local function new_queue()
  return { first = 1, last = 0 }
end

local function put(queue, item)
  local last = queue.last + 1
  queue[last] = item
  queue.last = last
end

local function is_empty(queue)
  return queue.first > queue.last
end

--- The order of the writes leaves a queue whole wherever an error ends this,
--- as a host's limit does: a place without an item is passed over.
local function take(queue)
  local last = queue.last
  for first = queue.first, last do
    local item = queue[first]
    queue.first = first + 1
    if item ~= nil then
      queue[first] = nil
      return item
    end
  end
  -- From the start again: a table of long keys grows slow.
  queue.first = 1
  queue.last = 0
end

--- The first queue, with all of the second behind it.
local function join(queue, other)
  for item in take, other do put(queue, item) end
  return queue
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
  return self.result ~= nil
end

--- Ends what a task left under way.
local function end_transfers(task)
  for _, line in pairs(task.loop.lines) do
    if line.owner == task then
      line.transfer:cancel()
      line.owner = nil
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
  for _, waiter in ipairs(task.waiters or {}) do loop:wake(waiter) end
  task.waiters, task.children = nil, nil
  -- What its calls hold goes with the coroutine, whoever keeps the task.
  if loop.current ~= task then task.thread = nil end
end

-- What lua_yield says where it cannot; the rest differs by version.
local function could_not_yield(message)
  return type(message) == "string" and message:find("attempt to yield", 1, true)
end

local HOW_TO_YIELD = "a call in a task cannot wait here: this Lua yields "
  .. "neither in pcall nor in an iterator or a metamethod; use page:next() "
  .. "for lists and client:try(fn) in place of pcall"

--- A function raised. Whoever waits gets it; nobody may, so a hook is told.
local function give_up(task, message)
  if could_not_yield(message) then message = HOW_TO_YIELD end
  if not task.waiters then put(task.loop.unclaimed, task) end
  finish(task, { raised = true, message })
  observe.emit(task.client, "error", { operation = "async",
    reason = "a task's function raised; task:wait raises the same" })
end

local function step_on(task, done, what, ...)
  local loop = task.loop
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
  elseif what ~= PARK then
    task.is_awake = true
    put(loop.later, task)
    loop:tell()
  end
end

--- The loop is left before anything can raise.
local function come_back(task, loop, current, ...)
  active, task.loop.current = loop, current
  return step_on(task, ...)
end

local function resume(task, ...)
  local loop, current = active, task.loop.current
  active, task.loop.current = task.loop, task
  return come_back(task, loop, current, coroutine.resume(task.thread, ...))
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
  if not self.begun then
    finish(self, cancelled_result("task", CANCELLED))
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
      return unpack(cancelled_result("task:wait", CANCELLED), 1, 2)
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
    running = 0, -- transfers
    may_start = math.huge, -- so many more
    runnable = new_queue(),
    later = new_queue(), -- tasks that yielded by themselves
    starts = new_queue(), -- tasks with a transfer to start
    sleepers = heap.new(),
    unclaimed = new_queue(), -- tasks that raised while nobody waited
    -- Of transfers, by their key; the transport holds them.
    lines = setmetatable({}, { __mode = "v" }),
    asides = {}, -- tasks, by the key of what is done on a thread for them
  }, Loop)
end

--- Tells the event loop that drives this one, if any, that a step may be due.
function Loop:tell()
  if self.on_wake then self.on_wake() end
end

--- A task goes on in its turn.
function Loop:wake(task)
  if task.is_awake or task.result then return end
  task.is_awake = true
  self.sleepers:remove(task)
  put(self.runnable, task)
  self:tell()
end

--- The loop that is resuming a task. One that an error on the way left behind,
--- of a hook or of memory, is resuming none.
local function resuming()
  local task = active and active.current
  local status = task and coroutine.status(task.thread)
  if status ~= "running" and status ~= "normal" then
    if active then active.current = nil end
    active = nil
  end
  return active
end

--- The task of this loop that runs now; nil in the main program, or in a
--- coroutine that is no task, outside of all tasks. Anything else could only
--- block the tasks, and raises.
function Loop:caller()
  if not resuming() then return nil end
  local thread = tasks.this_coroutine()
  local task = thread and task_of[thread]
  if task and task.loop == self then return task end
  if task then
    core.misuse("this task belongs to another client; a task waits only for "
      .. "calls of its own client and of those made by its `with`")
  end
  core.misuse("a coroutine of your own inside a task cannot wait; call from "
    .. "the task's function, or start a task of its own with client:async")
end

--- The task of this loop that runs now, or nil; never raises.
function Loop:task()
  if active ~= self then return nil end
  return task_of[tasks.this_coroutine()]
end

--- What a transport sends one request at a time with: a transfer, who waits
--- for it, and whether there is something to look at meanwhile.
function Loop:line()
  local transfer = core.transfer(self.multi)
  local line = { transfer = transfer, owner = nil, pending = false }
  self.lines[transfer:key()] = line
  return line
end

--- Starts the transfer that a task yielded for, after the yield.
local function start(task)
  local line, request = task.to_start, task.request
  task.to_start, task.request = nil, nil
  if task.is_cancelled then return resume(task, nil, cancelled()) end
  local started, functions = line.transfer:start(request, true)
  if not started then
    functions.sent = false
    return resume(task, nil, functions)
  end
  line.owner, line.pending = task, false
  task.open = task.open + 1
  task.waits_for, task.functions = line, functions
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
    local functions = owner.functions
    owner.waits_for, owner.functions = nil, nil
    resume(owner, true, functions)
  elseif line then
    line.pending = true
  end
end

local function wake_sleeper(self)
  local due = self.sleepers:first()
  if not due or due > core.now() then return false end
  self:wake(self.sleepers:take())
  return true
end

--- A task that was woken goes on, unless it waits for a transfer by now.
local function go_on(task)
  task.is_awake = nil
  if task.result or task.waits_for or task.to_start then return end
  if task.begun then return resume(task) end
  local arguments = task.arguments
  task.begun, task.arguments = true, nil
  resume(task, unpack(arguments, 1, arguments.n))
end

--- Resumes one task or starts one transfer, if there is one.
local function advance(self)
  local task = take(self.runnable)
    or not self.in_step and take(self.later)
  if task then
    go_on(task)
    return true
  end
  task = self.may_start > 0 and take(self.starts)
  if not task then return false end
  self.may_start = self.may_start - 1
  if not task.result then start(task) end
  return true
end

local function has_more(self)
  return not is_empty(self.runnable)
    or not self.in_step and not is_empty(self.later)
    or self.may_start > 0 and not is_empty(self.starts)
end

--- Ends all tasks but `kept`; their transfers are ended elsewhere.
local function drop(self, why, kept)
  for i = self.count, 1, -1 do
    local task = self.tasks[i]
    if task ~= kept then
      task.is_cancelled, task.open, task.waits_for = true, 0, nil
      finish(task, cancelled_result("task", why))
    end
  end
  if kept then kept.is_awake = nil end
  self.runnable, self.later, self.starts = new_queue(), new_queue(), new_queue()
  self.sleepers, self.asides = heap.new(), {}
end

--- In a forked child the tasks are its parent's, which goes on with them. One
--- that forked itself goes on in both.
local function part(self)
  if not self.multi:forked() then return false end
  drop(self, "the process was forked; the task is its parent's", self.current)
  return true
end

--- Does one thing of each kind that is to be done; waits up to `wait` seconds
--- when there is none.
---@return boolean whether something was done
function Loop:turn(wait)
  if self.closed then return false end
  local done = part(self)
  done = wake_sleeper(self) or done
  done = advance(self) or done
  if self.closed then return done end
  local due = self.sleepers:first()
  if due then wait = math.max(0, math.min(wait, due - core.now())) end
  if done or has_more(self) then wait = 0 end
  local key, acted, running = self.multi:turn(wait)
  self.running = running
  if key then look(self, key) end
  self:tell()
  return done or acted or key ~= nil
end

local LONG = 3600 -- seconds

--- Turns, and raises where nothing can ever happen: tasks wait for each other.
function Loop:turn_or_stop()
  if self:turn(0) then return end
  if self.running == 0 and not self:timeout() then
    core.misuse("the tasks that are left wait for each other")
  end
  self:turn(LONG)
end

--- Makes a task; it begins in a turn of its own.
function Loop:async(client, fn, ...)
  part(self)
  local task = setmetatable({ loop = self, client = client, open = 0,
    thread = new_thread(fn),
    arguments = { n = select("#", ...), ... } }, Task)
  task_of[task.thread] = task
  self.count = self.count + 1
  self.tasks[self.count], task.place = task, self.count
  self:wake(task)
  return task
end

-- Transfers that a step starts at most. What a new connection asks of libcurl
-- later, it asks for at one time with all that began at one time.
local STARTS = 8

local function turns(self, ends)
  repeat until not self:turn(0) or core.now() >= ends
end

--- Turns until nothing is left to be done at once, or the time is over.
---@param budget number? seconds
---@return integer left tasks that are not done
function Loop:step(budget)
  if resuming() then core.misuse("client:step is for the main program") end
  local ends = budget and core.now() + budget or math.huge
  self.runnable, self.later = join(self.runnable, self.later), new_queue()
  self.may_start, self.in_step = STARTS, true
  local ok, raised = pcall(turns, self, ends)
  self.may_start, self.in_step = math.huge, false
  if not ok then error(raised, 0) end
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
  drop(self, "the client was closed")
  self.closed = true
  self.multi:close()
end

-- -- what a call does with it -------------------------------------------------

--- Starts a transfer for whoever calls.
---@return boolean? started
---@return table? functions what Lua supplies and takes, or the failure
function Loop:start(line, request)
  local task = self:caller()
  if task then
    if task.is_cancelled then return nil, cancelled() end
    local started, functions = coroutine.yield(START, line, request)
    -- It goes on when there is something to look at.
    line.pending = started
    return started, functions
  end
  local started, functions = line.transfer:start(request)
  if not started then functions.sent = false end
  line.pending = false
  return started, functions
end

local function until_pending(self, line)
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

--- Blocks until a transfer has something to look at. What its caller sees fail
--- does not go on unseen.
local function block(self, line)
  local ok, raised = pcall(until_pending, self, line)
  if ok then return end
  line.transfer:cancel()
  error(raised, 0)
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
function Loop:settle(request, response)
  local task = self:task()
  local aside = task and self.multi:aside(request, response)
  if not aside then return end
  self.asides[aside:key()] = task
  repeat coroutine.yield(PARK) until aside:done()
end

--- A transfer has ended, and its line is free again.
function Loop:forget(line) -- luacheck: no self
  local task = line.owner
  if task then task.open = task.open - 1 end
  line.owner = nil
end

--- Sleeps; a task that is cancelled meanwhile wakes at once, and one that
--- sleeps for no time lets others go on.
function Loop:sleep(seconds)
  if type(seconds) ~= "number" then
    core.misuse("sleep takes seconds, not a " .. type(seconds))
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
  local waiting = self.waiting
  self.waiting = {}
  for _, task in ipairs(waiting) do self.loop:wake(task) end
end

-- -- for any loop -------------------------------------------------------------

local function relay(thread, done, ...)
  if done and coroutine.status(thread) ~= "dead" then
    return relay(thread, coroutine.resume(thread, coroutine.yield(...)))
  end
  if not done and could_not_yield(...) then return false, HOW_TO_YIELD end
  return done, ...
end

--- pcall for tasks on every Lua: what it calls may wait.
function tasks.try(fn, ...)
  local outer = tasks.this_coroutine()
  local task = outer and task_of[outer]
  if not task then return pcall(fn, ...) end
  local thread = new_thread(fn)
  task_of[thread] = task
  return relay(thread, coroutine.resume(thread, ...))
end

local LIMIT = 8 -- tasks of a map

--- Calls `fn` for each item, a few at a time.
---@param client table
---@param list any[]
---@param fn fun(item: any, index: integer): any, any
---@param limit integer?
---@return table results by index
---@return table? errors by index, nil when there is none
function tasks.map(client, list, fn, limit)
  local results, errors, last = {}, nil, 0
  local function keep(i, done, value, err)
    if done and value ~= nil then
      results[i] = value
    else
      errors = errors or {}
      errors[i] = done and (err or "nothing was returned") or value
    end
  end
  local function work()
    while last < #list do
      last = last + 1
      local i = last
      keep(i, tasks.try(fn, list[i], i))
    end
  end
  local children = {}
  local thread = tasks.this_coroutine()
  local parent = thread and task_of[thread]
  for i = 1, math.min(limit or LIMIT, #list) do
    children[i] = client:async(work)
  end
  if parent then
    parent.children = children
    if parent.is_cancelled then cancel(children) end
  end
  for _, child in ipairs(children) do child:wait() end
  for i = 1, #list do
    -- The task that maps was cancelled, and with it what it began.
    if results[i] == nil and not (errors and errors[i]) then
      keep(i, false, cancelled_result("map", CANCELLED)[2])
    end
  end
  return results, errors
end

return tasks
