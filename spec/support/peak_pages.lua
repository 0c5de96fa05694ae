--- How much memory pages add: lua peak_pages.lua WAY PAGES
--
-- Prints by how many KiB the peak of this process grew after it was warm, by
-- `one` page of 1000 sessions, or by PAGES of them read with `next` or `each`.

local sandbox = require "signicat.sandbox"

local way, pages = ...

local LIMIT = 1000

local function peak()
  for line in io.lines("/proc/self/status") do
    local kib = line:match "^VmHWM:%s*(%d+)"
    if kib then return tonumber(kib) end
  end
end

local service = assert(sandbox.start())
assert(service:seed { sessions = pages * LIMIT })
local sign = assert(service:client())
local query = { limit = LIMIT, sort = "+createdAt" }
local walk = {}

function walk.one()
  return #assert(sign.sessions:list(query)).data * pages
end

function walk.each()
  local count = 0
  for session, err in sign.sessions:each(query) do
    assert(session, err)
    count = count + 1
  end
  return count
end

walk["next"] = function()
  local count, page = 0, assert(sign.sessions:list(query))
  while page do
    count = count + #page.data
    page = page:next()
  end
  return count
end

assert(sign.documents:upload { content = "warm", type = "text/plain" })
local before = peak()
assert(walk[way]() == pages * LIMIT)
print(peak() - before)
service:stop()
