-- bench.lua: what calls cost next to the least that libcurl can cost, and
-- beside what people use elsewhere; how cost grows; and plots of both.
--
--   bench.lua [SECTION...]   all, or some of those below
--
-- It fails where a goal is missed that no other machine would meet.
--
-- Where there are more cores, this, the service and all that is measured are
-- on one of them: every answer is waited for once, as one of a real service
-- is. On two it depends on luck.

local helper = require "spec.helper"
local nginx = require "spec.support.nginx"
local plots = require "spec.bench.plots"
local rows = require "spec.bench.rows"
local service = require "spec.bench.service"

local SECTIONS = { "calls", "beside", "uploads", "handshakes", "growth" }

local core = nginx.run "taskset -cp $$":match ": (%d+)"
nginx.run("taskset -cp " .. core .. " $PPID")

print(("Load of the machine before: %s; on one of %s cores\n"):format(
  helper.read("/proc/loadavg"):match "^%S+",
  nginx.run("nproc --all"):match "%d+"))

local server = service.start()
local figures = {}
for _, name in ipairs(#arg > 0 and arg or SECTIONS) do
  figures[name] = require("spec.bench." .. name).measure(server)
end
server:stop()
plots.draw("build/bench", figures)
os.exit(rows.finish(), true)
