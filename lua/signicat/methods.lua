--- Methods that know when they were called with a dot: what was meant for the
-- second argument would be taken for the object, and the words be about that.

local core = require "signicat.core"

--- Has the methods of a class refuse what is no object of it.
---@param class table
---@param name string what its objects are called
---@param mark string a field that all of them have
return function(class, name, mark)
  for key, method in pairs(class) do
    if type(method) == "function" and not key:find "^__" then
      class[key] = function(self, ...)
        if type(self) ~= "table" or self[mark] == nil then
          core.misuse(("%s:%s is a method: call it with a colon")
            :format(name, key))
        end
        return method(self, ...)
      end
    end
  end
end
