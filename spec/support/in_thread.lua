-- in_thread.lua: what a thread of nginx's pool runs, in a Lua of its own.

local signicat = require "signicat"

local in_thread = {}

function in_thread.try(base_url, client_id, client_secret)
  local sign = assert(signicat.new { base_url = base_url,
    client_id = client_id, client_secret = client_secret })
  local page, err = sign.sessions:list({ limit = 1 })
  sign:close()
  return page and "ok" or tostring(err)
end

return in_thread
