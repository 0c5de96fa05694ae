--- Settings from the environment, read only when a program asks for it: in a
--- server's workers the environment is often empty or old.

local call = require "signicat.call"
local options = require "signicat.options"

local environment = {}

-- option -> variable, and whether there is no default for it
local variables = {
  { "base_url", "SIGNICAT_BASE_URL" },
  { "token_url", "SIGNICAT_TOKEN_URL" },
  { "client_id", "SIGNICAT_CLIENT_ID", required = true },
  { "client_secret", "SIGNICAT_CLIENT_SECRET", required = true },
}

--- Adds what the environment says to options; those given win.
---@param given table? options of signicat.new
---@return table? options
---@return table? err `invalid`, with each variable that is missing
function environment.read(given)
  given = options.check(given, options.client, "from_env")
  local all, missing = {}, {}
  for name, value in pairs(given) do all[name] = value end
  local own = all.token or all.auth
  for _, variable in ipairs(variables) do
    local option, name = variable[1], variable[2]
    local value = os.getenv(name)
    if value == "" then value = nil end -- as good as none
    if own and variable.required then value = nil end
    if all[option] == nil then all[option] = value end
    if all[option] == nil and variable.required and not own then
      missing[#missing + 1] = { name = name, reason = "is not set" }
    end
  end
  if #missing == 0 then return all end
  return nil, call.fail("from_env", { kind = "invalid", fields = missing,
    note = "no client was made" })
end

return environment
