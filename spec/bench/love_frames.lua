-- love_frames.lua: how long the frames of examples/love are before the client's
-- calls and during them, as it prints it when asked for `frames`.
--
-- The calls go over TLS, and whom to trust is in a file as long as a system's
-- is, for that is what costs most. The sandbox, which makes certificates and
-- signs, is outside: it takes no part in a frame, but answers late, so that
-- there are frames to measure.

local helper = require "spec.helper"
local nginx = require "spec.support.nginx"
local program = require "spec.support.program"
local sandbox = require "signicat.sandbox"

local SYSTEM = "/etc/ssl/certs/ca-certificates.crt"

local Frames = {}
Frames.__index = Frames

local function figures(line, name)
  local longest, most = line:match("^" .. name
    .. " +%d+ frames  longest +([%d.]+) ms  99 %% below +([%d.]+) ms$")
  return tonumber(longest), tonumber(most)
end

-- One run, with the calls in tasks or in a thread. Gives the longest frame
-- without and with them, and what 99 of 100 are below, in milliseconds.
---@param way "" | "thread"
---@return table without, with, most_without, most_with
function Frames:run(way)
  local lines, code = program.run(self.service, self.sign,
    ("taskset -c %d love examples/love %s frames"):format(self.own, way),
    "SDL_VIDEODRIVER=dummy SPEC_CA=" .. self.ca_file)
  assert(code == 0, table.concat(lines, "\n"))
  local run = {}
  run.without, run.most_without = figures(lines[#lines - 1], "without")
  run.with, run.most_with = figures(lines[#lines], "with")
  return run
end

function Frames:stop()
  self.sign:close()
  self.service:stop()
  self.remove()
end

-- LÖVE gets one core, the sandbox the other.
---@param own integer a core
---@param others integer a core
local function start(own, others)
  local service = assert(sandbox.start { tls = "good" })
  nginx.run(("taskset -acp %d %d"):format(others, service.process:pid()))
  assert(service:faults(program.LATE))
  local folder, remove = helper.folder()
  local ca_file = helper.write(folder .. "/ca.pem",
    helper.read(SYSTEM) .. helper.read(service.ca_file))
  local sign = assert(service:client { tls = { ca_file = service.ca_file } })
  return setmetatable({ own = own, service = service, sign = sign,
                        ca_file = ca_file, remove = remove }, Frames)
end

return { start = start }
