-- gets.lua: what the client is measured with: the same GET, many times.
--
--   gets.lua raw|session|page COUNT BASE_URL ID [garbage]
--
-- `raw` sends one prepared request again and again and leaves the body where
-- it is; `session` reads a session and three of its fields; `page` lists
-- 1000 sessions and reads the id and the state of each. With `garbage` the
-- collector stands still and the script prints the bytes that Lua's memory
-- grows by with each GET, and how many of them are the answer's own bytes and
-- their index.

local core = require "signicat.core"
local signicat = require "signicat"

local kind, count, base_url, id, garbage = ...
count = math.tointeger(count)

local client = assert(signicat.new {
  base_url = base_url, token = "bench",
})

local get = {}

local request = assert(core.request(client.settings, "getSigningSession", id,
  nil, 0))
request.authorization = "Bearer bench"

function get.raw()
  local response = assert(client.transport:send(request))
  assert(response.status == 200)
end

function get.session()
  local session = assert(client.sessions:get(id))
  return session, session.id, session.title, session.lifecycle.state
end

function get.page()
  local page = assert(client.sessions:list())
  local data, last_id, state = page.data, nil, nil
  for i = 1, #data do
    local session = data[i]
    last_id, state = session.id, session.lifecycle.state
  end
  return page, last_id, #data, state
end

local one = get[kind]

do -- Nothing is worth measuring that does not work.
  local _, first, second, third = one()
  assert(kind == "raw" or (first and second and third == "READY"))
end

if not garbage then
  for _ = 1, count do one() end
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
local answer = last and #last:json() + index_size(last:totable()) or 0
collectgarbage()
collectgarbage "stop"
local before = collectgarbage "count"
for _ = 1, count do one() end
local grown = (collectgarbage "count" - before) * 1024 / count
print(("%.0f %.0f"):format(grown, answer))
os.exit(true, true)
