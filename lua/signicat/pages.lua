--- Long lists: from one page to the next, and session by session.
--
-- What counts is rows received: the offset goes on by them and the end is
-- where they reach `total`, however short a page is. Ids seen before are
-- dropped. An end that nobody can vouch for is an error, never an end.

local call = require "signicat.call"
local core = require "signicat.core"
local observe = require "signicat.observe"

local pages = {}

local NAME = "sessions:list"
local MOST_OFFSET = 100000 -- the service takes no larger one
local USUAL_LIMIT = 100 -- the service's own, when none is sent
local LONGEST_OVERLAP = 1 -- seconds
local OVERLAP = 10 -- pages: what that comes to at most, so that as many are
-- remembered for certain
local WEIGHT = 4 -- KiB, for which a session counts with the collector

-- How each order goes on from a moment.
local bounds = {
  ["+createdAt"] = { name = "createdDateFrom", direction = -1 },
  ["-createdAt"] = { name = "createdDateTo", direction = 1 },
}

-- -- a moment to go on from -------------------------------------------------

--- The time in a version 7 id, in seconds since 1970; nil for other ids. Of a
--- session the service shows no other time of creation.
local function time_of(id)
  if type(id) ~= "string" then return nil end
  local high, low = id:match "^(%x%x%x%x%x%x%x%x)%-(%x%x%x%x)%-7"
  if not high then return nil end
  return (tonumber(high, 16) * 65536 + tonumber(low, 16)) / 1000
end

--- The part of a list that the service can still page through, as a filter
--- and the moment it stands for. It overlaps what was read already, since an
--- id may be a little older or newer than its session.
local function next_part(walk)
  local bound = bounds[walk.order]
  local times = walk.times
  local first, last = times[1], times[#times]
  if not (bound and first and last) then return nil end
  local overlap = math.min(LONGEST_OVERLAP, math.abs(last - first))
  -- A millisecond more: ids have no smaller part.
  local moment = last + bound.direction * (overlap + 0.001)
  if walk.moment and (walk.moment - moment) * bound.direction <= 0 then
    return nil -- it would be the same part again
  end
  return bound.name, moment
end

-- -- the walk -----------------------------------------------------------------

--- Where a list stands.
---@return table walk
local function begin(sessions, query, opts)
  local asked = {}
  for name, value in pairs(query or {}) do asked[name] = value end
  local sort = asked.sort
  if type(sort) == "table" then sort = sort[1] end
  return {
    sessions = sessions,
    opts = opts,
    query = asked, -- what is asked for next
    order = sort or "-createdAt",
    seen = core.idset(),
    noted = 0, -- ids in `seen`
    window = OVERLAP * (tonumber(asked.limit) or USUAL_LIMIT),
    times = {}, -- of the last sessions of the last pages
    -- Rows, those before the first included. No number is refused later.
    received = tonumber(asked.offset) or 0,
    repeats = 0, -- rows to come that may be known already
    rows = 0, -- of the last page
    turn = 0, -- which page is the last
    asked = 0, -- for so many pages
  }
end

local function fail(walk, kind, note)
  local client, opts = walk.sessions.client, walk.opts
  local err = call.fail(NAME, { kind = kind, note = note, attempts = 1,
    sent = true, trace = opts and opts.trace or client.settings.trace })
  observe.emit(client, "error", { error = err })
  return err
end

--- Whether an id did not come before.
local function is_new(walk, id)
  if walk.older and walk.older:has(id) then return false end
  return walk.seen:add(id) ~= false
end

--- In the order of creation what comes again is not far behind, so that ids
--- of long ago may be forgotten: a list of any length takes the same room.
local function forget(walk, count)
  walk.noted = walk.noted + count
  if bounds[walk.order] and walk.noted >= walk.window then
    walk.older, walk.seen, walk.noted = walk.seen, core.idset(), 0
  end
end

--- Notes the ids of a page; returns the sessions that are new.
local function take(walk, page)
  local fresh, n = {}, 0
  for _, session in ipairs(page.data) do
    if is_new(walk, session.id) then
      n = n + 1
      fresh[n] = session
    end
  end
  if n > 0 then
    local times = walk.times
    times[#times + 1] = time_of(fresh[n].id) or false
    if #times > OVERLAP then table.remove(times, 1) end
  end
  forget(walk, n)
  return fresh, n
end

local function is_count(value)
  return type(value) == "number" and value >= 0 and value % 1 == 0
end

--- Follows a list that others change meanwhile. Where sessions have left it,
--- those behind moved up, and as many rows are asked for again.
---@return boolean moved whether to ask again
local function follow(walk, total)
  local gone = walk.total and walk.total - total or 0
  walk.total = total
  walk.repeats = walk.repeats + math.abs(gone)
  if gone <= 0 or walk.received == 0 then return false end
  walk.received = math.max(0, walk.received - gone)
  return true
end

--- Goes on in the next part of a list that is longer than the service pages
--- through.
---@return table? err
local function start_part(walk)
  local name, moment = next_part(walk)
  if not name then
    return fail(walk, "unsupported", ("the service pages through no more than "
      .. "%d rows; narrow the list by createdDateFrom and createdDateTo")
      :format(MOST_OFFSET))
  end
  walk.query[name] = core.format_time(moment)
  walk.moment = moment
  walk.left = walk.total - walk.received
  walk.received, walk.total = 0, nil
end

--- The first page of a part: whether it has all that was left.
local function join(walk, total)
  if total < walk.left then
    return fail(walk, "protocol", ("sessions are missing from the list behind "
      .. "%d rows; narrow it by createdDateFrom and createdDateTo")
      :format(MOST_OFFSET))
  end
  walk.repeats = total - walk.left
  walk.left = nil
end

-- Lua 5.1 cannot tell; there a step sets a stopped collector going.
local can_tell = pcall(collectgarbage, "isrunning")

--- Pages are much garbage at a time, and much of it is old enough for the
--- collector to wait: it is made to keep up, by no more than a page's worth.
local function make_room(walk)
  if can_tell and not collectgarbage "isrunning" then return end
  collectgarbage("step", WEIGHT * walk.rows)
end

--- Asks for the page at which the walk stands, for smaller ones while it is
--- too large.
local function ask(walk, opts)
  local sessions, query = walk.sessions, walk.query
  make_room(walk)
  if walk.total or walk.moment then -- not the first page of all
    query.offset = walk.received > 0 and walk.received or nil
  end
  while true do
    local page, meta, failed_meta = call.operation(sessions.client,
      "listSigningSessions", nil, query, opts)
    if page or meta.kind ~= "too_large" then
      return page, meta, failed_meta
    end
    local limit = query.limit or USUAL_LIMIT
    if limit < 2 then return page, meta, failed_meta end
    query.limit = math.floor(limit / 2)
    observe.emit(sessions.client, "retry", { error = meta, delay = 0,
      reason = "the page is too large; a smaller one is asked for" })
  end
end

-- -- a page -------------------------------------------------------------------

local function at_end(walk)
  return walk.total and walk.received >= walk.total
end

--- An empty page is the end, or asked for once more.
local function receive_nothing(walk)
  if at_end(walk) then return {} end
  walk.was_empty = not walk.was_empty
  if not walk.was_empty then
    return nil, fail(walk, "protocol",
      "a page is empty, and there are more to come")
  end
  observe.emit(walk.sessions.client, "retry", { operation = NAME, delay = 0,
    reason = "a page is empty before the end; it is asked for again" })
end

--- Takes a page's rows.
---@return table? fresh the sessions that are new; nil without an error when
--- another page has to be asked for
---@return table? err
local function receive(walk, page)
  local total, rows = page.total, #page.data
  if not is_count(total) then
    return nil, fail(walk, "protocol",
      "a page does not say how many sessions there are in all")
  end
  local err = walk.left and join(walk, total)
  if err then return nil, err end
  if follow(walk, total) then return nil end
  if rows == 0 then return receive_nothing(walk) end
  walk.was_empty, walk.rows = false, rows
  local fresh, count = take(walk, page)
  if count == 0 and walk.repeats <= 0 then
    return nil, fail(walk, "protocol",
      "a page has no session that did not come before")
  end
  walk.received = walk.received + rows
  walk.repeats = math.max(0, walk.repeats - (rows - count))
  return (count > 0 or at_end(walk)) and fresh or nil
end

local advance

--- Gives a page its `next`, and its list without what came before.
local function attach(walk, page, fresh)
  walk.turn = walk.turn + 1
  local turn = walk.turn
  core.attach(page, "data", setmetatable(fresh, core.array_mark))
  core.attach(page, "next", function(_, opts)
    if walk.turn ~= turn then
      core.misuse("page:next was called already; go on from what it returned")
    end
    return advance(walk, opts or walk.opts)
  end)
end

--- The next page of a walk; nothing at the end.
---@return userdata? page
---@return table? meta or err
---@return table? meta when it failed
function advance(walk, opts)
  while not at_end(walk) do
    local page, meta, failed_meta, fresh, err
    if walk.total and walk.received > MOST_OFFSET then
      err = start_part(walk)
      if err then return nil, err end
    end
    local number = walk.asked + 1
    walk.asked = number
    page, meta, failed_meta = ask(walk, opts)
    if not page then return nil, meta, failed_meta end
    if walk.asked ~= number then
      core.misuse("another task has asked for the same page meanwhile; let one "
        .. "walk over the list and give the sessions to others")
    end
    fresh, err = receive(walk, page)
    if err then return nil, err, meta end
    if fresh then
      attach(walk, page, fresh)
      return page, meta
    end
  end
  return nil
end

-- -- what is public -----------------------------------------------------------

--- One page as it came; its `next` begins a walk.
function pages.list(sessions, query, opts)
  local page, meta, failed_meta = call.operation(sessions.client,
    "listSigningSessions", nil, query, opts)
  if not page then return nil, meta, failed_meta end
  local walk = begin(sessions, query, opts)
  local received = false
  core.attach(page, "next", function(this, next_opts)
    if walk.turn > 0 then
      core.misuse("page:next was called already; go on from what it returned")
    end
    if not received then
      local _, err = receive(walk, this)
      if err then return nil, err, meta end
      received = true
    end
    return advance(walk, next_opts or opts)
  end)
  return page, meta
end

--- An iterator over all sessions of a list: a session each time; `false` and
--- an error once, after which it ends.
function pages.each(sessions, query, opts)
  local walk = begin(sessions, query, opts)
  walk.query.sort = walk.query.sort or "+createdAt"
  walk.order = query and query.sort and walk.order or "+createdAt"
  local list, at, failed = {}, 0, false
  return function()
    while not failed do
      at = at + 1
      local session = list and list[at]
      if session then
        list[at] = false -- the caller's to keep or to let go
        return session
      end
      list = nil -- before the next page comes: one at a time is enough
      local page, err = advance(walk, opts)
      if not page then
        failed = true
        if err then return false, err end
        break
      end
      list, at = page.data, 0
    end
    return nil
  end
end

return pages
