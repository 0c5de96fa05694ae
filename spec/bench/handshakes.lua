-- handshakes.lua: how often connections over TLS are begun, and resumed.

local rows = require "spec.bench.rows"
local signicat = require "signicat"

local handshakes = {}

local CALLS = 100

function handshakes.measure(service)
  local function call(count)
    local client = assert(signicat.new { base_url = service.tls_url,
      token = "bench", tls = { ca_file = service.ca_file } })
    for _ = 1, count do
      assert(client.sessions:list({ limit = 1 }))
    end
    return client
  end
  local first, second = call(CALLS), call(1)
  first:close()
  second:close()
  local connections, log = {}, service:tls_log(CALLS + 1)
  local count = 0
  for i = 1, CALLS do
    if not connections[log[i].connection] then count = count + 1 end
    connections[log[i].connection] = true
  end
  print "\nTLS"
  rows.at_most(("handshakes of %d calls"):format(CALLS), count, "%d", 1)
  rows.at_least("resumed by a second client of the same Lua state",
    log[CALLS + 1].resumed and 1 or 0, "%d", 1)
end

return handshakes
