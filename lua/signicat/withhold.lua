--- Takes secrets out of a failure: some services, proxies and transports
--- answer with what they were sent.

-- What others than this library may have written, of a failure and a finding.
local foreign = { "code", "title", "detail", "trace_id", "body", "name",
                  "reason" }

local WORDS = "(withheld: it repeats a secret)"

local function repeats(text, secrets)
  for _, secret in ipairs(secrets) do
    if type(text) == "string" and text:find(secret, 1, true) then
      return true
    end
  end
  return false
end

--- Replaces each text of a failure that repeats a secret, and each such text
--- of its findings.
---@param failure table
---@param secrets string[]
---@return boolean withheld
local function withhold(failure, secrets)
  local withheld = false
  for _, name in ipairs(foreign) do
    if repeats(failure[name], secrets) then
      failure[name], withheld = WORDS, true
    end
  end
  for _, finding in ipairs(failure.fields or {}) do
    if type(finding) == "table" and withhold(finding, secrets) then
      withheld = true
    end
  end
  return withheld
end

return withhold
