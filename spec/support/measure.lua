-- measure.lua: runs peak.lua, against a server of its own, and peak_pages.lua;
-- and what must hold of what they say.

local busted = require "busted"
local helper = require "spec.helper"
local lfs = require "lfs"
local luassert = require "luassert"

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

-- What must hold of a document of so many MiB, and of so many pages.
function measure.specs(mib, count)
  local describe, it, assert = busted.describe, busted.it, luassert

  describe(mib .. " MiB", function()
    for _, way in ipairs { "upload", "download", "reader", "writer" } do
      it("add at most 2 MiB of memory: " .. way, function()
        local grown = measure.peak(way, mib * 2 ^ 20)
        assert.is_true(grown <= 2048, grown .. " KiB")
      end)
    end
  end)

  describe(count .. " pages", function()
    for _, way in ipairs { "next", "each" } do
      it("take less than five times the memory of one: " .. way, function()
        local all, one = measure.pages(way, count), measure.pages("one", 1)
        assert.is_true(all < 5 * one, ("%d KiB to %d"):format(all, one))
      end)
    end
  end)
end

return measure
