-- gets.lua: what the client is measured with: the same GET, many times.
--
--   gets.lua KIND COUNT BASE_URL [LIMIT [garbage]]
--
--   raw           one prepared request, sent again and again; the answer is
--                 let go of unread, as the floor does
--   session       a session, and three of its fields
--   page          a list of LIMIT sessions, and id and state of each
--   table         the same as a plain table
--   many_raw, many_session   64 tasks share the GETs
--
-- With `garbage` the collector stands still and the script prints the bytes
-- that Lua's memory grows by with each GET, and how many of them are the
-- answer's text and its index.

local answers = require "spec.bench.answers"
local core = require "signicat.core"
local signicat = require "signicat"

local kind, count, base_url, limit, garbage = ...
count, limit = math.tointeger(count), math.tointeger(limit)

local MANY = 64

local client = assert(signicat.new { base_url = base_url, token = "bench" })

local function prepare()
  local request = assert(core.request(client.settings, "getSigningSession",
    answers.id, nil, 0))
  request.authorization = "Bearer bench"
  return request
end

local get = {}

local prepared = prepare()

function get.raw(request)
  local response <close> = assert(client.transport:send(request or prepared))
  assert(response.status == 200)
end

function get.session()
  local session = assert(client.sessions:get(answers.id))
  return session, session.id, session.title, session.lifecycle.state
end

function get.page()
  local page = assert(client.sessions:list { limit = limit })
  local data, last_id, state = page.data, nil, nil
  for i = 1, #data do
    local session = data[i]
    last_id, state = session.id, session.lifecycle.state
  end
  return page, last_id, #data, state
end

function get.table()
  local page = assert(client.sessions:list { limit = limit }):totable()
  return page, page.data[1].id, #page.data, page.data[1].lifecycle.state
end

local at_once, what = kind:match "^(many_?)(%a+)$"
local one = get[what or kind]

do -- Nothing is worth measuring that does not work.
  local _, first, second, third = one()
  assert(one == get.raw or (first and second and third == "READY"))
end

local function get_many()
  local left = count
  for _ = 1, MANY do
    client:async(function()
      local request = one == get.raw and prepare() or nil
      while left > 0 do
        left = left - 1
        one(request)
      end
    end)
  end
  client:run()
end

if not garbage then
  if at_once then
    get_many()
  else
    for _ = 1, count do one() end
  end
  client:close()
  os.exit(true, true)
end

-- One index entry is 16 bytes.
local function index_size(value)
  local size = 16
  if type(value) == "table" then
    for _, inner in pairs(value) do size = size + index_size(inner) end
  end
  return size
end

local last = one()
local text = last and #last:json() or 0
local index = last and index_size(last:totable()) or 0
collectgarbage()
collectgarbage "stop"
local before = collectgarbage "count"
for _ = 1, count do one() end
local grown = (collectgarbage "count" - before) * 1024 / count
print(("%.0f %.0f %.0f"):format(grown, text, index))
os.exit(true, true)
