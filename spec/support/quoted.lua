-- quoted.lua: anything as one word of the shell's.

return function(value)
  return "'" .. tostring(value):gsub("'", "'\\''") .. "'"
end
