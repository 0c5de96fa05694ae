--- A binary heap: values in the order of their keys, which are numbers. No
--- value is in it twice. It is whole when memory ends on the way.

local heap = {}

local Heap = {}
Heap.__index = Heap

--- A new, empty heap.
function heap.new()
  return setmetatable({ keys = {}, values = {}, places = {}, count = 0 }, Heap)
end

local function put(self, place, key, value)
  self.keys[place], self.values[place] = key, value
  self.places[value] = place
end

--- Moves the entry at a place to another one.
local function move(self, from, to)
  put(self, to, self.keys[from], self.values[from])
end

--- Puts an entry where a place is free, or nearer to where it belongs.
local function settle(self, place, key, value)
  while place > 1 do
    local above = (place - place % 2) / 2
    if self.keys[above] <= key then break end
    move(self, above, place)
    place = above
  end
  while 2 * place <= self.count do
    local below = 2 * place
    if below < self.count and self.keys[below + 1] < self.keys[below] then
      below = below + 1
    end
    if key <= self.keys[below] then break end
    move(self, below, place)
    place = below
  end
  put(self, place, key, value)
end

function Heap:add(key, value)
  local place = self.count + 1
  put(self, place, key, value) -- all the memory it takes
  self.count = place
  settle(self, place, key, value)
end

--- The smallest key and its value; nothing of an empty heap.
---@return number?
---@return any
function Heap:first()
  if self.count > 0 then return self.keys[1], self.values[1] end
end

--- Takes a value out, if it is there.
function Heap:remove(value)
  local place, last = self.places[value], self.count
  if not place then return end
  local key, other = self.keys[last], self.values[last]
  self.keys[last], self.values[last], self.places[value] = nil, nil, nil
  self.count = last - 1
  if other ~= value then settle(self, place, key, other) end
end

return heap
