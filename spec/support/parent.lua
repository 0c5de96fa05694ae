--- A program that starts a sandbox and another child, prints the pids of
-- both, and then waits to be killed: lua parent.lua

local sandbox = require "signicat.sandbox"

local service = assert(sandbox.start())
local other = assert(io.popen("echo $$; exec sleep 600"))
print(service.process:pid(), (other:read("*l")))
io.stdout:flush()
io.read("*a")
other:read("*a")
