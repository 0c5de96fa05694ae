--- Signing sessions: create, get, list, wait, delete.

local call = require "signicat.call"
local wait = require "signicat.wait"

---@class signicat.Sessions
local Sessions = {}
Sessions.__index = Sessions

--- Creates sessions, one for each signer. They are never created twice: an
--- error that leaves it open whether they were says so (`ambiguous`).
---@param list table 1 to 100 sessions: title, documents, signingSetup, ...
---@param opts table? call options
---@return userdata[]? sessions in the same order
---@return table meta or err
function Sessions:create(list, opts)
  return call.operation(self.client, "createSigningSession", nil, list, opts)
end

--- Reads a session.
---@param session any an id or an object that carries one
---@param opts table? call options
---@return userdata? session
---@return table meta or err
function Sessions:get(session, opts)
  return call.operation(self.client, "getSigningSession", session, nil, opts)
end

--- Reads one page of the account's sessions.
---@param query table? offset, limit, sort, state, createdDateFrom,
--- createdDateTo, dueDateFrom, dueDateTo, sessionTitleLike
---@param opts table? call options
---@return userdata? page data (a list of sessions), count, total, offset,
--- limit
---@return table meta or err
function Sessions:list(query, opts)
  return call.operation(self.client, "listSigningSessions", nil, query, opts)
end

--- Waits until a session is signed.
---@param session any an id or an object that carries one
---@param opts table? timeout (default 300), first_delay (1), max_delay (15),
--- all in seconds, and call options
---@return userdata? session in its final state
---@return table meta or err; `rejected`, `expired`, `timeout`: err.result is
--- the session as last seen
function Sessions:wait(session, opts)
  return wait.for_session(self, session, opts)
end

--- Deletes a session.
---@param session any an id or an object that carries one
---@param opts table? call options
---@return true? done
---@return table meta or err
function Sessions:delete(session, opts)
  return call.operation(self.client, "deleteSigningSession", session, nil,
    opts)
end

return {
  new = function(client)
    return setmetatable({ client = client }, Sessions)
  end,
}
