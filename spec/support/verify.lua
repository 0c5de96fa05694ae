-- verify.lua: has pdfsig and openssl look at a signed PDF, shows what they
-- say of it, and fails unless both accept its last signature.
--
--     lua spec/support/verify.lua CA.pem SIGNED.pdf
--
-- They trust that authority only, through a store that is made for it and
-- thrown away.

local judges = require "spec.support.judges"

local ca, path = arg[1], arg[2]

local function show(command, text)
  print("\n  $ " .. command)
  print((text:gsub("\n+$", ""):gsub("[^\n]+", "    %0")))
end

local judge = judges.new()
judge:trust(ca)
local signatures = judge:signatures(path)
local words = judges.run("pdfsig", "-nssdir", judge.nss, path)
local is_cades, answer = false, "nothing is signed"
if #signatures > 0 then is_cades, answer = judge:cades(path) end
judge:close()

local last = signatures[#signatures] or {}
local accepted = is_cades
  and last["Signature Validation"] == "Signature is Valid."
  and last["Certificate Validation"] == "Certificate is Trusted."
  and last["Total document signed"]

print("\nPrograms that nobody here wrote look at it, trusting that authority:")
show("pdfsig " .. path, words)
show("openssl cms -verify -cades", answer)
print("\n" .. path .. (accepted and " is signed, and valid.\n"
  or " is NOT validly signed.\n"))
os.exit(accepted and 0 or 1, true)
