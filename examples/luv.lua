-- Runs on a local sandbox; on the real service only with SIGNICAT_LIVE=1 and
-- credentials. Two leases are signed in a loop of luv, beside a timer of it.
--
--     lua examples/luv.lua

local uv = require "luv"

local support = require "examples.support"
local must = support.must

local sign = support.client()
-- From here on luv's loop drives the tasks of this client.
local drive = require "signicat.loop.luv".attach(sign)

-- A task: what would block suspends it, and luv goes on.
local unsigned, left = {}, 2
local function sign_one(title)
  local session = must(sign:sign {
    file = "examples/lease.pdf", title = title,
    signingSetup = { { signingFlow = "PKISIGNING", vendor = "NBID" } } })
  table.insert(unsigned, session)
  local done = must(sign.sessions:wait(session, { timeout = 3600 }))
  print(title, done.lifecycle.state)
  left = left - 1
end
sign:async(sign_one, "Lease 17")
sign:async(sign_one, "Lease 18")

-- What else the program does: here, play the signer.
local timer = uv.new_timer()
timer:start(0, 2, function()
  local session = table.remove(unsigned)
  if session then support.let_sign(session, "Kari Nordmann") end
  if left == 0 then timer:close() end
end)

uv.run() -- until nothing is left in it
print "nothing is left in luv's loop"
drive:stop()
