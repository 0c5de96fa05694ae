-- oom.lua: memory that ends, at every point or at some of them, of every case
-- of spec/alloc in every mode of its host; and what may come of it.

local helper = require "spec.helper"

local oom = {}

-- Cases without a network, then those that call a server.
oom.files = {
  cases = { "decode", "decode_refused", "access", "access_page",
    "access_refused", "validate", "encode", "encode_refused" },
  calls = { "upload", "download", "metadata", "update", "delete",
    "create_collection", "get_collection", "delete_collection",
    "create_session", "get_session", "list_sessions", "delete_session",
    "token", "request", "by_name", "resource", "each", "wait", "sign",
    "refused", "invalid", "unreachable", "strict", "client", "upload_file",
    "download_file", "upload_reader", "download_writer", "tasks", "step",
    "map", "cancel", "tasks_token", "task_upload", "task_download",
    "task_download_file", "task_each", "events", "events_refused" },
}

-- Which outcomes a mode allows besides `memory` and a right result: libcurl
-- has other words for some allocations of its own, loses sight of sockets, and
-- leaves out a query (of a list, whose second page is the first then) when
-- that is the one thing it had no memory for.
oom.modes = {
  lua = {}, ["lua-once"] = {}, collect = {},
  ours = {}, ["ours-once"] = {},
  curl = { connect = true, invalid = true, timeout = true },
  ["curl-once"] = { connect = true, invalid = true, timeout = true,
                    protocol = true },
}

-- A server, a folder and a function that ends both.
local function start()
  local server, url = helper.serve "api"
  local folder, remove = helper.folder()
  return url, folder, function()
    server:kill()
    remove()
  end
end

-- A transfer that pauses often has many positions, most of them alike.
local long = { task_download_file = 23 }

-- Runs one case in one mode, from the first position on or every `step`-th.
---@return table? counts positions, raised, kinds, leaked
---@return string output what else the host said
function oom.run(file, case, mode, first, step)
  local url, folder, stop = start()
  if mode:find "^curl" then step = step or long[case] end
  local pipe = assert(io.popen(("ALLOC_URL='%s' ALLOC_FOLDER='%s' %s"
    .. " LUA_PATH='%s' timeout 900 '%s' spec/alloc/%s.lua %s %s %d %d 2>&1")
    :format(url, folder, mode:find "^curl" and "ALLOC_TIMEOUT=1" or "",
      package.path, os.getenv "SIGNICAT_ALLOC_HOST" or
      "build/5.4/spec/alloc_host", file, case, mode, first or 1, step or 1)))
  local output = pipe:read "*a"
  pipe:close()
  stop()
  local positions, raised, kinds, leaked =
    output:match "positions=(%d+) raised=(%d+) kinds=(%S*) leaked=(%d+)\n"
  if not positions then return nil, output end
  local counts = { positions = tonumber(positions), raised = tonumber(raised),
                   leaked = tonumber(leaked), kinds = {} }
  for kind, count in kinds:gmatch "(%a+):(%d+)" do
    counts.kinds[kind] = tonumber(count)
  end
  return counts, output
end

-- What is wrong with what a run counted, or nil.
function oom.fault(mode, counts)
  if counts.leaked > 0 then return "something is left" end
  for kind in pairs(counts.kinds) do
    if kind ~= "memory" and not oom.modes[mode][kind] then
      return "an error says " .. kind
    end
  end
  local told = counts.raised + (counts.kinds.memory or 0)
  if mode == "lua" and told < 0.95 * counts.positions then
    return "too few were told"
  end
  if mode:find "^curl" and counts.raised > 0 then
    return "libcurl's memory was raised"
  end
end

return oom
