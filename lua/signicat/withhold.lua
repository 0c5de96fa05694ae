--- Takes secrets out of failures and of what is known of an answer: some
--- services, proxies and transports answer with what they were sent.

-- What others than this library may have written, of a failure and a finding.
local foreign = { "code", "title", "detail", "trace_id", "body", "name",
                  "reason" }

local WORDS = "(withheld: it repeats a secret)"

local withhold = {}

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
function withhold.failure(failure, secrets)
  for _, name in ipairs(foreign) do
    if repeats(failure[name], secrets) then failure[name] = WORDS end
  end
  for _, finding in ipairs(failure.fields or {}) do
    if type(finding) == "table" then withhold.failure(finding, secrets) end
  end
end

--- Takes an id that repeats a secret from what is known of an answer.
---@param meta table|userdata
---@param secrets string[]
function withhold.id(meta, secrets)
  if repeats(meta.request_id, secrets) then meta.request_id = nil end
end

--- What does both for secrets that lie in it alone, then what another one
--- does; the other one itself, if there are none.
---@param secrets string[]?
---@param other (fun(failure: table?, meta: table|userdata?))?
---@return (fun(failure: table?, meta: table|userdata?))?
function withhold.of(secrets, other)
  if not secrets then return other end
  return function(failure, meta)
    if failure then withhold.failure(failure, secrets) end
    if meta then withhold.id(meta, secrets) end
    if other then other(failure, meta) end
  end
end

return withhold
