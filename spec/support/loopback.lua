-- loopback.lua: run in front of a program, ends its first request to any host
-- but this machine, before a byte of it is sent.
--
--     lua -e 'dofile "spec/support/loopback.lua"' PROGRAM

local curl = require "signicat.transport.curl"

local new = curl.new

function curl.new(...)
  local transport = new(...)
  local send = transport.send
  function transport:send(request)
    if not request.url:match "^https?://127%.0%.0%.1:%d+/" then
      io.stderr:write("kept from ", request.url, "\n")
      os.exit(3)
    end
    return send(self, request)
  end
  return transport
end
