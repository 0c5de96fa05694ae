-- support.lua: the examples', whose client stops the service, the process that
-- SPEC_HELD names, before each of its requests. The service goes on when
-- `shown` has been called twelve times meanwhile: a program that stood still
-- would wait for ever.

local core = require "signicat.core"
local helper = require "spec.helper"

local support = dofile "examples/support.lua"
local client = support.client
local pid = assert(tonumber(os.getenv "SPEC_HELD"))
local times = 0

local function is_stopped()
  return helper.read(("/proc/%d/stat"):format(pid)):find "%) T" ~= nil
end

-- Or it goes on already, when as much was shown before this looked.
local function stop()
  os.execute("kill -STOP " .. pid)
  for _ = 1, 5000 do
    if is_stopped() then return end
    core.sleep(0.001)
  end
end

-- What makes it warm may be waited for.
function support.client()
  local is_warming = false
  local sign = client { on_event = function(event)
    if event.name == "request" and not is_warming then stop() end
  end }
  function sign:warm()
    is_warming = true
    local done, err = getmetatable(self).__index.warm(self)
    is_warming = false
    return done, err
  end
  return sign
end

-- A program shows a frame, or takes what its user writes.
function support.shown()
  times = is_stopped() and times + 1 or 0
  if times < 12 then return end
  times = 0
  os.execute("kill -CONT " .. pid)
end

return support
