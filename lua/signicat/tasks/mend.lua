--- Puts a loop of tasks in order after a turn that an error ended anywhere: of
-- memory, or of a host's limit. What the queues and counts say may be wrong
-- then; what holds is the list of tasks, their own fields and the transfers.

local heap = require "signicat.heap"
local queue = require "signicat.queue"

local put, empty = queue.put, queue.empty

--- A task has, whatever it was about, nothing but its own fields. Whether its
--- transfer has begun may not be among them; then nothing was sent, for that
--- would have been in a turn since.
local function reset(task, lost)
  local line = task.to_start
  task.is_awake, task.open, task.waits_for = false, 0, false
  if line then
    line.owner = false
    line.transfer:cancel()
    if line.transfer:done() then line.transfer:finish() end
  end
  if not task.result and coroutine.status(task.thread) == "dead" then
    if not task.waiters then put(task.loop.unclaimed, task) end
    task.result = lost
  end
end

--- Whether a turn of this loop called us, and goes on after us: a finalizer or
--- a hook may call at any point of it. A host may have left `debug` out.
local function is_in_turn(self, turn)
  local level = 5 -- behind what tidies up, which may be a turn itself
  local info = debug and debug.getinfo(level, "f")
  while info do
    if info.func == turn and select(2, debug.getlocal(level, 1)) == self then
      return true
    end
    level = level + 1
    info = debug.getinfo(level, "f")
  end
  return false
end

--- Goes on after a turn that an error ended on its way: all that are not done
--- get their turn and look whether there is what they wait for. May be ended on
--- its way as well. A turn that has not ended is left alone.
---@param turn function the loop's
---@param lost table the result of a task whose own found no memory
return function(self, turn, lost)
  if is_in_turn(self, turn) then return end
  local list, count = self.tasks, 0
  self.current, self.sleepers = false, heap.new()
  empty(self.runnable)
  empty(self.later)
  empty(self.starts)
  for i = 1, self.count do
    if list[i] then reset(list[i], lost) end
  end
  for _, line in pairs(self.lines) do
    line.pending = true
    if line.owner then line.owner.open = line.owner.open + 1 end
  end
  for i = 1, self.count do
    local task = list[i]
    -- It may be in two places.
    if task and not task.result and not task.is_awake then
      count = count + 1
      list[count], task.place, task.is_awake = task, count, true
      put(self.runnable, task)
      if task.to_start then put(self.starts, task) end
    end
  end
  for i = count + 1, self.count do list[i] = nil end
  self.count, self.torn = count, 0
end
