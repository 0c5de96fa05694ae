--- A first-in, first-out list of tables, each of which has the next in a field
--- of its own: to be put into one takes no memory.

local queue = {}

--- A new, empty queue, of tables linked by the field `link`. Whether it is
--- empty its `first` tells.
function queue.new(link)
  return { link = link, first = false, last = false }
end

--- Appends what `first` begins and `last` ends.
local function append(self, first, last)
  if self.first then
    self.last[self.link] = first
    self.last = last
  else
    self.last = last
    self.first = first
  end
end

function queue.put(self, value)
  value[self.link] = false
  return append(self, value, value)
end

--- The first one, which is in it no more; nil of an empty queue.
function queue.take(self)
  local first = self.first
  if not first then return nil end
  self.first = first[self.link]
  if first == self.last then self.last = false end
  return first
end

function queue.empty(self)
  self.first, self.last = false, false
end

--- Puts all of the other queue behind the first.
function queue.join(self, other)
  if other.first then append(self, other.first, other.last) end
  queue.empty(other)
end

return queue
