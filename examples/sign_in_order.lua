-- Runs on a local sandbox; on the real service only with SIGNICAT_LIVE=1 and
-- credentials. Two people sign one document, the second after the first.
--
--     lua examples/sign_in_order.lua [FILE.pdf]

local support = require "examples.support"
local must = support.must

local sign = support.client()
local documents = support.upload(sign, arg[1] or "examples/lease.pdf")

-- One session is one signer. `subsequentTo` names the sessions that have to
-- be signed first, so those are created first.
local function session(title, after)
  return must(sign.sessions:create { {
    title = title,
    documents = documents,
    signingSetup = { { signingFlow = "AUTHENTICATION_BASED" } },
    subsequentTo = after and { after.id },
  } })[1]
end

local tenant = session "Lease 17, tenant"
local landlord = session("Lease 17, landlord", tenant)
print("at first", tenant.lifecycle.state, landlord.lifecycle.state)

support.let_sign(tenant, "Kari Nordmann")
must(sign.sessions:wait(tenant, { timeout = 3600 }))
landlord = must(sign.sessions:get(landlord))
print("then", landlord.lifecycle.state)

-- Waiting for the last is enough: it ends, as `rejected`, when one before it
-- was declined.
support.let_sign(landlord, "Ola Nordmann")
landlord = must(sign.sessions:wait(landlord, { timeout = 3600 }))
print("in the end", landlord.lifecycle.state)
sign:close()
