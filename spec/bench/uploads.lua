-- uploads.lua: what a document costs on its way, beside a program that reads,
-- hashes and sends the same bytes with the same libraries.

local cost = require "spec.bench.cost"
local goals = require "spec.bench.goals"
local rows = require "spec.bench.rows"

local uploads = {}

local MB = 2^20
local SHORT, LONG = 8 * MB, 24 * MB -- for instructions

function uploads.floor(how, service, file)
  return cost.program(cost.programs .. "/floor_upload", how,
    service.url .. "/documents", file, "Content-Type: application/pdf",
    "User-Agent: lua-signicat/0.1.0", "Accept: application/json, */*;q=0.5",
    "Authorization: Bearer bench")
end

function uploads.client(kind, service, file)
  return cost.program("spec/bench/sends.lua", kind, service.url, file)
end

-- Instructions for a MB more.
local function each_mb(program, service)
  local function instructions(_, size)
    return cost.instructions(program(service:document(size)), 1)
  end
  return cost.each(instructions, program, SHORT, LONG) * MB
end

function uploads.measure(service)
  local large = service:document(1024 * MB)
  local function floor(how)
    return function(file) return uploads.floor(how, service, file) end
  end
  local function client(kind)
    return function(file) return uploads.client(kind, service, file) end
  end
  local hashed = each_mb(floor "hashed", service)
  local plain = each_mb(floor "plain", service)
  local path = each_mb(client "path", service)
  local reader = each_mb(client "reader", service)
  print "\nUploads: instructions for each MB"
  rows.print("libcurl and libcrypto alone: the floor", rows.thousands(hashed))
  rows.print("- without the hash", rows.thousands(plain))
  rows.print("client, from a path", rows.thousands(path))
  rows.print("client, from a reader", rows.thousands(reader))
  rows.at_most("from a path / floor", path / hashed, "%.3f", goals.upload,
    "chance")
  rows.at_most("from a reader, besides the hash",
    (reader - (hashed - plain)) / 1e6, "%.2f M", goals.reader / 1e6,
    "collector")

  local of = cost.rounds({
    floor = uploads.floor("hashed", service, large),
    path = uploads.client("path", service, large),
    reader = uploads.client("reader", service, large),
  }, 0, 1)
  print "\nUploads of 1 GB: processor time for each MB"
  rows.print("floor", ("%.0f µs"):format(of("busy", "floor") * 1e6 / 1024))
  rows.print("client, from a path",
    ("%.0f µs"):format(of("busy", "path") * 1e6 / 1024))
  rows.print("client, from a reader",
    ("%.0f µs"):format(of("busy", "reader") * 1e6 / 1024))
  rows.at_most("from a path / floor", of("busy", "path", "floor"), "%.3f",
    goals.upload_busy, "time")

  local idle = cost.peak(cost.client("session", service.url), 0)
  local function peak(size)
    return cost.peak(uploads.client("path", service, service:document(size)), 1)
  end
  local most, less = peak(1024 * MB), peak(100 * MB)
  rows.at_most("peak over a client at rest", most - idle, "%.2f MB",
    goals.upload_peak)
  rows.at_most("- more than for 100 MB", most - less, "%.2f MB",
    goals.upload_growth)
end

return uploads
