--- Takes an input apart: bytes, texts and numbers, one after the other. Behind
--- its end there are zeros and empty texts.

local Bytes = {}
Bytes.__index = Bytes

function Bytes:byte()
  self.at = self.at + 1
  return self.input:byte(self.at - 1) or 0
end

--- A number in a form of string.unpack with eight bytes.
function Bytes:number(form)
  local taken = self.input:sub(self.at, self.at + 7)
  self.at = self.at + 8
  return (string.unpack(form, taken .. ("\0"):rep(8 - #taken)))
end

--- A text whose size is one byte; before it.
function Bytes:text()
  local size = self:byte()
  self.at = self.at + size
  return self.input:sub(self.at - size, self.at - 1)
end

function Bytes:rest()
  return self.input:sub(self.at)
end

return function(input)
  return setmetatable({ input = input, at = 1 }, Bytes)
end
