-- Runs on a local sandbox; on the real service only with SIGNICAT_LIVE=1 and
-- credentials. A lease is signed in a loop of cqueues, while others run there.
--
--     lua examples/cqueues.lua

local cqueues = require "cqueues"

local support = require "examples.support"
local must = support.must

local sign = support.client()
local loop = cqueues.new()
-- From here on this loop drives the tasks of the client.
local drive = require "signicat.loop.cqueues".attach(sign, loop)

local ticks, state = 0, nil

loop:wrap(function()
  -- Calls are made in a task, and waited for as cqueues waits.
  local session = must(drive:wait(sign:async(function()
    return sign:sign { file = "examples/lease.pdf", title = "Lease 17",
      signingSetup = { { signingFlow = "PKISIGNING", vendor = "NBID" } } }
  end)))
  support.let_sign(session, "Kari Nordmann")
  state = must(drive:wait(sign:async(function()
    return sign.sessions:wait(session, { timeout = 3600 })
  end))).lifecycle.state
end)

loop:wrap(function()
  repeat
    ticks = ticks + 1
    cqueues.sleep(0.002)
  until state
end)

must(loop:loop()) -- until nothing is left in it
print(state, "while the other went on", ticks > 1)
sign:close()
