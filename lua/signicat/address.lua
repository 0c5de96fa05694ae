--- The addresses a client is given: which can be used, and what is wrong with
--- the others.

local address = {}

local function is_loopback(host)
  return host == "localhost" or host == "[::1]"
    or host:match("^127%.%d+%.%d+%.%d+$") ~= nil
end

--- Whether an address is one of this machine.
---@param url string
---@return boolean
function address.is_local(url)
  local authority = url:match("^%a+://([^/%s?#]+)") or ""
  return is_loopback((authority:gsub(":%d+$", "")))
end

--- What is wrong with an address, or nil.
local function fault(url, insecure_http)
  local scheme, authority = url:match("^(https?)://([^/%s?#]+)")
  if not scheme or url:find("[%s%c?#]") then
    return "must be an http or https URL without query and fragment"
  end
  if authority:find("@", 1, true) then
    return "must not carry a user name or a password"
  end
  local host = authority:gsub(":%d+$", "")
  if scheme == "http" and not insecure_http and not is_loopback(host) then
    return "must be https: over plain http anybody on the way can read the "
      .. "token (insecure_http = true if you accept that)"
  end
end

--- What is wrong with the addresses, all of it. A token_url that is not
--- given lies at the base_url's host, so it is as good as that.
---@param base_url string
---@param given table options of signicat.new
---@return table[] findings { name =, reason = }
function address.findings(base_url, given)
  local findings = {}
  for _, name in ipairs { "base_url", "token_url" } do
    local url = name == "base_url" and base_url or given[name]
    local reason = url and fault(url, given.insecure_http)
    if reason then
      findings[#findings + 1] = { name = name, reason = reason }
    end
  end
  return findings
end

return address
