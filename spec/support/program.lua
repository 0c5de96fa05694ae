-- program.lua: runs the program of another host on a sandbox, as if that were
-- the real service, and signs what it asks to have signed.

local quoted = require "spec.support.quoted"

local program = {}

-- Every answer comes late, so a program that waits for one stands still.
program.LATE = {}
for i, operation in ipairs { "uploadDocument", "createDocumentCollection",
    "createSigningSession", "getSigningSession", "getDocument" } do
  program.LATE[i] = { operation = operation, fault = "slow",
                      milliseconds = 200 }
end

-- Runs one with our modules. Returns its lines and its exit code.
---@param service signicat.Sandbox
---@param sign signicat.Client of this sandbox
---@param command string
---@param variables string of the environment, as env takes them; with a TLS
-- sandbox SPEC_CA, the file of whom to trust; SPEC_HELD, the process of the
-- service, if that is to answer when the program has gone on meanwhile
function program.run(service, sign, command, variables)
  local path = "./?.lua;" .. package.path
  if variables:find "SPEC_HELD" then
    path = "spec/support/held/?.lua;examples/love/?.lua;" .. path
  end
  if service.ca_file then path = "spec/support/trusting/?.lua;" .. path end
  local pipe = assert(io.popen(("exec 2>&1 </dev/null; env %s "
    .. "SIGNICAT_LIVE=1 SIGNICAT_BASE_URL=%s/sign "
    .. "SIGNICAT_CLIENT_ID=%s SIGNICAT_CLIENT_SECRET=%s "
    .. "LUA_PATH=%s LUA_CPATH=%s timeout 120 %s; echo exit $?"):format(
      variables, service.url, service.client_id,
      service.client_secret, quoted(path), quoted(package.cpath), command)))
  local lines = {}
  for line in pipe:lines() do
    lines[#lines + 1] = line
    if line:find("signed at", 1, true) or line:find("signs at", 1, true) then
      local newest = assert(sign.sessions:list { limit = 1,
        sort = "-createdAt" }).data[1]
      assert(service:sign(newest))
    end
  end
  pipe:close()
  return lines, tonumber(table.remove(lines):match "^exit (%d+)$")
end

return program
