-- Runs on this machine alone, without the sandbox: SIGNICAT_LIVE changes
-- nothing here. Verifies an event (webhook) before anything in it is used.
--
--     lua examples/event.lua

local events = require "signicat".events

-- How the service signs its events is not published. This scheme is what
-- programs in use assume: see it hold for your account before you rely on it.
local SCHEME = "body-hmac-sha256"

local seen = events.memory() -- one process; events.shared(dict) in nginx

-- What a web server calls with the body as it came, not parsed, and the
-- headers; returns the status to answer with.
local function handle(raw, headers)
  local event, info = events.verify(raw, headers, {
    scheme = SCHEME, secrets = { "new secret", "old secret" }, seen = seen })
  if event then
    print(event.eventName, event.eventData.id, "secret " .. info.matched)
    return 204
  end
  print(info.kind) -- `info` is the error
  if info.kind == "duplicate" then return 204 end -- handled before
  return info.retryable and 503 or 400
end

-- One as the service would send it, made here.
local body = { id = "e1", eventName = "signing-session.completed",
               timestamp = os.date "!%Y-%m-%dT%H:%M:%SZ",
               eventData = { id = "0197e3d2-0c6e-7b0a-9b7e-1f2d3c4b5a69" } }
local raw, headers = events.sign(body, "old secret", { scheme = SCHEME })
print(handle(raw, headers))
print(handle(raw, headers))
print(handle(raw:gsub("completed", "forged", 1), headers))
