-- How long frames take before the calls and during them: the longest, and the
-- one that 99 of 100 are no longer than.

local Frames = {}
Frames.__index = Frames

local BEFORE = 1000 -- frames

local function line(name, list)
  table.sort(list)
  print(("%-8s %6d frames  longest %6.2f ms  99 %% below %6.2f ms"):format(
    name, #list, 1000 * list[#list], 1000 * list[math.ceil(0.99 * #list)]))
end

-- Takes a frame's seconds; whether it is time for the calls.
function Frames:add(seconds, begun)
  local list = begun and self.during or self.before
  list[#list + 1] = seconds
  return begun or #list >= BEFORE
end

function Frames:print()
  -- The first frames are those of a program that starts.
  for _ = 1, 10 do table.remove(self.before, 1) end
  line("without", self.before)
  line("with", self.during)
end

function Frames.new()
  return setmetatable({ before = {}, during = {} }, Frames)
end

return Frames
