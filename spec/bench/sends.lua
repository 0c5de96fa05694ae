-- sends.lua: what the client is measured with: the same document, uploaded
-- many times.
--
--   sends.lua path|reader COUNT BASE_URL FILE
--
-- `path` leaves the reading to the client, `reader` reads with Lua.

local signicat = require "signicat"

local kind, count, base_url, path = ...

local client = assert(signicat.new { base_url = base_url, token = "bench" })

local send = {}

function send.path()
  return client.documents:upload { path = path, type = "application/pdf" }
end

function send.reader()
  local file = assert(io.open(path, "rb"))
  local size = file:seek "end"
  file:seek "set"
  local document, err = client.documents:upload { size = size,
    type = "application/pdf",
    reader = function(most) return file:read(math.min(most, 65536)) end }
  file:close()
  return document, err
end

for _ = 1, math.tointeger(count) do assert(send[kind]()) end
client:close()
os.exit(true, true)
