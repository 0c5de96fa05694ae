-- Runs on a local sandbox; on the real service only with SIGNICAT_LIVE=1 and
-- credentials. What failures look like and how to tell them apart.
--
--     lua examples/errors.lua

local support = require "examples.support"
local must = support.must

local sign, service = support.client()

-- A payload with a slip: nothing is sent, every finding has its place.
local _, err = sign.sessions:create { { titel = "Lease 17" } }
print(err.kind, err.sent)
for _, finding in ipairs(err.fields) do
  print("", finding.name, finding.reason)
end

-- An id that is not there. `tostring` is one line that is safe to log.
_, err = sign.sessions:get "0197e3d2-0c6e-7b0a-9b7e-1f2d3c4b5a69"
print(err.kind, err.status, err.code, err.retryable)
print(err)

-- A failure that passes: reads are tried again, and then there is a value.
if service then
  must(service:faults { { operation = "listSigningSessions", fault = "status",
                          status = 503, retry_after = 1 } })
end
local page, meta = must(sign.sessions:list { limit = 1 })
print("page of " .. page.count, "attempt " .. meta.attempts)

-- A mistake in the program raises, at the line that made it.
print(select(2, pcall(function()
  sign.sessions:list({}, { time_out = 5 })
end)))
sign:close()
