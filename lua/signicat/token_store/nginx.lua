--- A token store in a shared dictionary of nginx: its workers share tokens,
--- and one of them fetches, or fails, for all.

local core = require "signicat.core"

local LOCK = 30 -- seconds, after which the one that fetches is given up for

---@class signicat.NginxTokenStore: signicat.TokenStore
local Shared = {}
Shared.__index = Shared

function Shared:get(key)
  local token = self.dictionary:get(key)
  local left = token and self.dictionary:ttl(key)
  if not left then return nil end -- or it ended between the two questions
  return token, left > 0 and left or nil
end

--- Without room the token is not shared; that is no reason to fail. Nor is one
--- without a life, which the dictionary would keep for ever.
function Shared:set(key, token, seconds)
  if seconds and seconds < 0.001 then return end
  self.dictionary:set(key, token, seconds or 0)
end

function Shared:drop(key, token)
  if self.dictionary:get(key) == token then self.dictionary:delete(key) end
end

local function failure_of(key)
  return key .. " failure"
end

function Shared:fail(key, text, seconds)
  self.dictionary:set(failure_of(key), text, seconds)
end

function Shared:failure(key)
  return self.dictionary:get(failure_of(key))
end

local function lock_of(key)
  return key .. " lock"
end

function Shared:lock(key)
  self.count = self.count + 1
  local owner = ngx.worker.pid() .. " " .. self.count
  local taken, reason = self.dictionary:add(lock_of(key), owner, LOCK)
  if taken then self.owners[key] = owner end
  return taken or reason ~= "exists"
end

function Shared:unlock(key)
  local owner = self.owners[key]
  if owner and self.dictionary:get(lock_of(key)) == owner then
    self.dictionary:delete(lock_of(key))
  end
  self.owners[key] = nil
end

return {
  --- A new store; give it to each client as `token_store`.
  ---@param dictionary table as ngx.shared has it, of a few kilobytes
  ---@return signicat.NginxTokenStore
  new = function(dictionary)
    if not dictionary or not dictionary.add then
      core.misuse("token_store.nginx takes a dictionary such as "
        .. "ngx.shared.signicat_tokens, which a line lua_shared_dict makes")
    end
    return setmetatable({ dictionary = dictionary, owners = {}, count = 0 },
      Shared)
  end,
}
