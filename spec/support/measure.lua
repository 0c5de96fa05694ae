-- measure.lua: runs peak.lua, against a server of its own, and peak_pages.lua.

local helper = require "spec.helper"
local lfs = require "lfs"

local measure = {}

-- A file of so many bytes that takes no room.
local function sparse(path, size)
  local file = assert(io.open(path, "wb"))
  assert(file:seek("set", math.floor(size) - 1))
  assert(file:write "x")
  assert(file:close())
end

-- By how many KiB a document of `size` bytes raises the peak of a process.
function measure.peak(way, size)
  local folder, remove = helper.folder()
  local path = folder .. "/document"
  if way == "upload" then sparse(path, size) end
  local server, url = helper.serve("ok",
    (way == "upload" or way == "reader") and "stored"
      or ("large:%d"):format(size))
  local output = helper.run(
    ([[loadfile "spec/support/peak.lua"(%q, %q, "%.0f", %q)]])
    :format(url .. "/sign", way, size, path))
  server:kill()
  if way == "download" and lfs.attributes(path, "size") ~= size then
    output = output .. "the file has another size"
  end
  remove()
  return assert(tonumber(output), output)
end

-- By how many KiB so many pages of a list raise the peak of a process; the way
-- is that of peak_pages.lua.
function measure.pages(way, pages)
  local output = helper.run(
    ([[loadfile "spec/support/peak_pages.lua"(%q, %d)]]):format(way, pages))
  return assert(tonumber(output), output)
end

return measure
