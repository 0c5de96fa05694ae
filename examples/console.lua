-- A Lua prompt on a sandbox of its own; never calls the real service.
--
--     lua -i examples/console.lua        or: make console
--
-- `sign` is a client, `sandbox` plays the signer, `signicat` is the module.

signicat = require "signicat"
sandbox = assert(require "signicat.sandbox".start())
sign = assert(sandbox:client())

print("sign.documents, sign.collections and sign.sessions call the sandbox at")
print(sandbox.url .. "; sandbox:sign(session, { name = }) signs as its signer.")
