-- beside.lua: the same GETs by the client, by libcurl alone, and by what
-- people use elsewhere, one at a time and 64 at a time; everybody and the
-- service on one core.

local cost = require "spec.bench.cost"
local goals = require "spec.bench.goals"
local rows = require "spec.bench.rows"

local beside = {}

local HERE = "spec/bench/beside/"

local function foreign(interpreter, file, ...)
  local words = { ... }
  return function(count)
    return "env", "BESIDE=build/beside", interpreter, HERE .. file,
      tostring(count), table.unpack(words)
  end
end

local function print_rates(of, list, least)
  for _, row in ipairs(list) do
    local name = row[1]
    rows.print(row[2], ("%.1f µs"):format(of("busy", name) * 1e6),
      ("%8.0f a second   %5.2f x the floor's time"):format(of("rate", name),
        of("busy", name, least)))
  end
end

local function measure_one(service)
  local url = service.url .. service.session_path
  local port, path = tostring(service.port), "/sign" .. service.session_path
  local of = cost.rounds({
    floor = cost.floor("easy", url),
    raw = cost.client("raw", service.url),
    session = cost.client("session", service.url),
    luasocket = foreign(cost.lua, "luasocket.lua", port, path),
    python = foreign("/usr/bin/python3", "http_client.py", port, path),
    undici = foreign("node", "undici.mjs", port, path),
  }, 1000, 4000)
  print "\nProcessor time for a GET of a session, one at a time"
  print_rates(of, {
    { "floor", "libcurl alone: the floor" },
    { "raw", "client, raw" },
    { "session", "client, a session and 3 fields" },
    { "luasocket", "LuaSocket by hand, lua-cjson" },
    { "python", "Python: http.client, json" },
    { "undici", "node: undici" },
  }, "floor")
  rows.at_most("a session and 3 fields / floor",
    of("busy", "session", "floor"), "%.2f", goals.busy, "time")
  return of
end

local function measure_many(service)
  local path = "/sign" .. service.session_path
  local of = cost.rounds({
    floor = cost.floor("many", service.url .. service.session_path),
    raw = cost.client("many_raw", service.url),
    session = cost.client("many_session", service.url),
    undici = foreign("node", "undici.mjs", tostring(service.port), path, "64"),
  }, 1000, 5000)
  print "\nThe same, 64 at a time"
  print_rates(of, {
    { "floor", "libcurl's multi handle: the floor" },
    { "raw", "client, raw" },
    { "session", "client, a session and 3 fields" },
    { "undici", "node: undici, 64 connections" },
  }, "floor")
  rows.at_least("raw: of the floor's rate", of("rate", "raw", "floor"), "%.2f",
    goals.many_raw, "time")
  rows.at_least("a session and 3 fields: of the floor's rate",
    of("rate", "session", "floor"), "%.2f", goals.many_session, "time")
  rows.at_least("- of undici's rate", of("rate", "session", "undici"), "%.1f",
    goals.many_undici, "time")
end

local function measure_late(service)
  local of = cost.rounds({
    floor = cost.floor("many", service.late_url .. service.session_path),
    session = cost.client("many_session", service.late_url),
  }, 640, 4480)
  print "\nThe same, of a service that takes 20 ms for each"
  print_rates(of, {
    { "floor", "libcurl's multi handle: the floor" },
    { "session", "client, a session and 3 fields" },
  }, "floor")
  rows.at_least("of the floor's rate", of("rate", "session", "floor"), "%.3f",
    goals.late, "time")
end

function beside.measure(service)
  local of = measure_one(service)
  measure_many(service)
  measure_late(service)
  return of
end

return beside
