--- Signing sessions: create, get, list, each, find, wait, delete.

local call = require "signicat.call"
local core = require "signicat.core"
local find = require "signicat.find"
local options = require "signicat.options"
local pages = require "signicat.pages"
local wait = require "signicat.wait"

---@class signicat.Sessions
local Sessions = {}
Sessions.__index = Sessions

--- The titles that are sent, for the list is the caller's and may be filled
--- with the next ones by the time of the answer. Unchecked payloads may be
--- anything.
local function titles_of(list)
  if type(list) ~= "table" then return nil end
  local titles = {}
  for i = 1, #list do
    local session = list[i]
    titles[i] = type(session) == "table" and session.title or false
  end
  return titles
end

--- Whether answer i seems to belong to another input than the i-th: the title
--- that was sent came back for another session.
local function is_misplaced(titles, answer, i)
  local title = answer[i].title
  if type(title) ~= "string" or titles[i] == title then return false end
  for _, other in ipairs(titles) do
    if other == title then return true end
  end
  return false
end

--- What is wrong with the answer to a list of sessions, nil if each has its
--- own. A signing URL given to the wrong signer cannot be called back.
local function pairing_fault(titles, answer)
  if not titles then return nil end
  if #answer ~= #titles then
    return ("%d sessions were sent and %d came back; see `result`")
      :format(#titles, #answer)
  end
  for i = 1, #answer do
    if is_misplaced(titles, answer, i) then
      return "the sessions came back in another order; see `result`"
    end
  end
end

--- Creates sessions, one for each signer. They are never created twice: an
--- error that leaves it open whether they were says so (`ambiguous`).
---@param list signicat.NewSession[] 1 to 100
---@param opts signicat.CallOptions?
---@return signicat.Session[]? sessions the n-th belongs to the n-th sent
---@return signicat.Meta|signicat.Error meta or err; `protocol` when there are
--- fewer or more than were sent: err.result is what came
---@return signicat.Meta? meta when it failed
function Sessions:create(list, opts)
  local titles = titles_of(list)
  local answer, meta, failed_meta = call.operation(self.client,
    "createSigningSession", nil, list, opts)
  if not answer then return nil, meta, failed_meta end
  local fault = pairing_fault(titles, answer)
  if not fault then return answer, meta end
  return nil, call.fail("sessions:create", { kind = "protocol", note = fault,
    status = meta.status, result = answer, sent = true, ambiguous = true,
    attempts = meta.attempts }), meta
end

--- Reads a session.
---@param session signicat.Id
---@param opts signicat.CallOptions?
---@return signicat.Session? session
---@return signicat.Meta|signicat.Error meta or err
---@return signicat.Meta? meta when it failed
function Sessions:get(session, opts)
  return call.operation(self.client, "getSigningSession", session, nil, opts)
end

--- Reads one page of the account's sessions; `page:next()` reads the one after
--- it.
---@param query signicat.Query? the service sorts by "-createdAt" unless told
---@param opts signicat.CallOptions?
---@return signicat.Page? page
---@return signicat.Meta|signicat.Error meta or err
---@return signicat.Meta? meta when it failed
function Sessions:list(query, opts)
  return pages.list(self, query, opts)
end

--- Walks over all sessions of a list, oldest first unless told otherwise:
--- `for session, err in sign.sessions:each{ state = "READY" } do ... end`.
--- When a page cannot be had, `session` is false, `err` says why, and the loop
--- ends. In a coroutine on Lua 5.1, which cannot yield in an iterator, use
--- `list` and `page:next()`.
---@param query signicat.Query? `limit` is the size of a page
---@param opts signicat.CallOptions?
---@return fun(): signicat.Session|false|nil, signicat.Error? iterator
function Sessions:each(query, opts)
  if query ~= nil and type(query) ~= "table" then
    core.misuse("sessions:each takes a table, not a " .. type(query))
  end
  options.check(opts, options.call, "sessions:each")
  return pages.each(self, query, opts)
end

--- Looks for the newest session with an external reference, from the newest
--- down to `since`: after an ambiguous create, whether it happened.
---@param wanted { externalReference: string, since: string|number? } `since`
--- is a date-time or seconds since 1970; leave room for a clock that is off
---@param opts signicat.CallOptions?
---@return signicat.Session? session
---@return signicat.Meta|signicat.Error meta or err; `not_found` only when all
--- were looked at and none has it
---@return signicat.Meta? meta when it failed
function Sessions:find(wanted, opts)
  return find.session(self, wanted, opts)
end

--- Waits until a session is signed.
---@param session signicat.Id
---@param opts signicat.WaitOptions? `timeout` is 300 s unless told otherwise
---@return signicat.Session? session in its final state
---@return signicat.Meta|signicat.Error meta or err; of `rejected`, `expired`
--- and `timeout`, err.result is the session as last seen
---@return signicat.Meta? meta when it failed
function Sessions:wait(session, opts)
  return wait.for_session(self, session, opts)
end

--- Deletes a session.
---@param session signicat.Id
---@param opts signicat.CallOptions?
---@return true? done
---@return signicat.Meta|signicat.Error meta or err
---@return signicat.Meta? meta when it failed
function Sessions:delete(session, opts)
  return call.operation(self.client, "deleteSigningSession", session, nil,
    opts)
end

return {
  new = function(client)
    return setmetatable({ client = client }, Sessions)
  end,
}
