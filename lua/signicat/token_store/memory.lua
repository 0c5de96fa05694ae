--- A token store in memory, for clients of one program that share an account;
--- and the shape that stores elsewhere have.

local core = require "signicat.core"

---@class signicat.TokenStore
---@field lock (fun(self, key: string): boolean)? whether the caller is to
--- fetch; false: somebody else does, and `get` will soon have it. Ends by
--- itself should that one be no more
---@field unlock fun(self, key: string)? goes with `lock`
---@field fail fun(self, key: string, text: string, seconds: number)? keeps why
--- none came, for those who wait
---@field failure (fun(self, key: string): string?)? that text, while it is kept
local Memory = {}
Memory.__index = Memory

--- The token kept under a key, and how many seconds it still lives.
---@param key string names the account; not a secret
---@return string? token
---@return number? seconds
function Memory:get(key)
  local kept = self.kept[key]
  if not kept then return nil end
  local left = kept.ends and kept.ends - self.now()
  if left and left <= 0 then return nil end
  return kept.token, left
end

--- Keeps a token.
---@param key string
---@param token string
---@param seconds number? how long it lives, nil: until it is dropped
function Memory:set(key, token, seconds)
  self.kept[key] = { token = token, ends = seconds and self.now() + seconds }
end

--- Forgets a token that was refused, unless there is a newer one.
---@param key string
---@param token string
function Memory:drop(key, token)
  local kept = self.kept[key]
  if kept and kept.token == token then self.kept[key] = nil end
end

return {
  --- A new store; give it to each client as `token_store`.
  ---@param now (fun(): number)? seconds on a clock that nobody sets
  ---@return signicat.TokenStore
  new = function(now)
    return setmetatable({ kept = {}, now = now or core.now }, Memory)
  end,
}
