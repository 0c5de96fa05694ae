--- A token store in Redis, for clients on many machines that share an account.
--
-- A token is as good as the credentials while it lives: keep it in a Redis
-- that only these machines can read. When Redis fails, a client does without:
-- it fetches a token of its own.

local core = require "signicat.core"

---@class signicat.RedisTokenStore: signicat.TokenStore
local Store = {}
Store.__index = Store

--- Drops a token, unless there is a newer one.
local DROP = [[
if redis.call("GET", KEYS[1]) == ARGV[1] then redis.call("DEL", KEYS[1]) end
return 1]]

--- The token kept under a key, and how many seconds it still lives.
---@param key string names the account; not a secret
---@return string? token
---@return number? seconds
function Store:get(key)
  key = self.prefix .. key
  -- Its life first: what is read after it lives at least as long.
  local left = self.redis:call("PTTL", key)
  if not left or left < 0 and left ~= -1 then return nil end
  local token = self.redis:call("GET", key)
  if not token then return nil end
  return token, left >= 0 and left / 1000 or nil
end

--- Keeps a token.
---@param key string
---@param token string
---@param seconds number? how long it lives, nil: until it is dropped
function Store:set(key, token, seconds)
  local life = seconds and math.floor(seconds * 1000)
  if not life then
    self.redis:call("SET", self.prefix .. key, token)
  elseif life > 0 then
    self.redis:call("SET", self.prefix .. key, token, "PX", life)
  end
end

--- Forgets a token that was refused, unless there is a newer one.
---@param key string
---@param token string
function Store:drop(key, token)
  self.redis:call("EVAL", DROP, 1, self.prefix .. key, token)
end

return {
  --- A new store; give it to each client as `token_store`.
  ---@param redis signicat.RedisClient
  ---@param prefix string? of its keys ("{sign}:token:")
  ---@return signicat.TokenStore
  new = function(redis, prefix)
    if not redis or not redis.call then
      core.misuse("token_store.redis takes an object with a method "
        .. "`call(self, command, ...)`")
    end
    return setmetatable({ redis = redis, prefix = prefix or "{sign}:token:" },
      Store)
  end,
}
