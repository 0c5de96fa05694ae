--- A binary heap: values in the order of their keys, which are numbers.

local heap = {}

local Heap = {}
Heap.__index = Heap

--- A new, empty heap.
function heap.new()
  return setmetatable({ keys = {}, values = {}, count = 0 }, Heap)
end

local function put(self, place, key, value)
  self.keys[place], self.values[place] = key, value
end

function Heap:add(key, value)
  local place = self.count + 1
  self.count = place
  while place > 1 do
    local above = (place - place % 2) / 2
    if self.keys[above] <= key then break end
    put(self, place, self.keys[above], self.values[above])
    place = above
  end
  put(self, place, key, value)
end

--- The smallest key, nil of an empty heap.
---@return number?
function Heap:first()
  return self.keys[1]
end

--- Takes out the value with the smallest key.
---@return any
function Heap:take()
  local value, count = self.values[1], self.count
  if count == 0 then return nil end
  local key, last = self.keys[count], self.values[count]
  put(self, count, nil, nil)
  count = count - 1
  self.count = count
  if count == 0 then return value end
  local place = 1
  while 2 * place <= count do
    local below = 2 * place
    if below < count and self.keys[below + 1] < self.keys[below] then
      below = below + 1
    end
    if key <= self.keys[below] then break end
    put(self, place, self.keys[below], self.values[below])
    place = below
  end
  put(self, place, key, last)
  return value
end

return heap
