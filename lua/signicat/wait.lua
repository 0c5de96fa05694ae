--- Waiting for a state: asks again, ever more slowly, until there is nothing
--- left to wait for.

local call = require "signicat.call"
local core = require "signicat.core"
local options = require "signicat.options"

local wait = {}

local NAME = "sessions:wait"
local TIMEOUT, FIRST_DELAY, MAX_DELAY, GROWTH = 300, 1, 15, 1.5

--- A session's lifecycle; what is none, is an empty one.
local function lifecycle(session)
  local it = session.lifecycle
  return type(it) == "table" and it or {}
end

--- How a session that has come to its end ended; nil while it has not.
---@return string? kind "signed", or that of an error
---@return string? note
local function ending(session)
  local it = lifecycle(session)
  if it.stateIsFinal ~= true then return nil end
  if it.state == "SIGNED" then return "signed" end
  if it.state == "EXPIRED" then
    return "expired", "the session ended unsigned"
  end
  return "rejected", "the signer declined, or the session was withdrawn"
end

--- Whether a session that this one waits for can no longer be signed.
local function predecessor_failed(sessions, session, opts)
  local ids = session.subsequentTo
  if lifecycle(session).state ~= "BLOCKED" or type(ids) ~= "table" then
    return false
  end
  for _, id in ipairs(ids) do
    if type(id) == "string" then
      local before, err = sessions:get(id, opts)
      local kind = before and ending(before)
      if kind and kind ~= "signed" then return true end
      if not before and err.kind == "not_found" then return true end
    end
  end
  return false
end

--- Whether a session's due date has passed.
local function overdue(session, now)
  local date = session.dueDate
  local due = type(date) == "string" and core.parse_time(date)
  return due and due < now
end

--- What makes further waiting pointless, as a plain failure.
local function hopeless(sessions, session, opts)
  local kind, note = ending(session)
  if not kind and predecessor_failed(sessions, session, opts) then
    kind, note = "rejected", "a session before it was declined or deleted"
  end
  if not kind and overdue(session, sessions.client.wall_clock()) then
    kind, note = "expired", "its due date passed"
  end
  return kind and { kind = kind, note = note, result = session }
end

--- When to give up, on the client's clock.
local function end_of(opts, now)
  local timeout = opts.timeout or TIMEOUT
  local ends = timeout > 0 and now + timeout or math.huge
  return math.min(ends, opts.deadline or math.huge)
end

--- The options of the single reads, cut to what is left of the time.
local function read_options(opts, ends)
  local read = {}
  for name, value in pairs(opts) do
    if options.call[name] and name ~= "timeout" then read[name] = value end
  end
  read.deadline = ends
  read.retries = 0 -- asking again is what waiting is
  return read
end

local function out_of_time(waited, seen, err)
  return call.fail(NAME, { kind = "timeout", result = seen,
    detail = err and err.message,
    note = ("not signed within %.0f s; it may still be, wait again")
      :format(waited) })
end

function wait.for_session(sessions, session, opts)
  opts = options.check(opts, options.wait, NAME)
  local client = sessions.client
  local began = client.clock()
  local ends = end_of(opts, began)
  local max_delay = opts.max_delay or MAX_DELAY
  local delay = math.min(opts.first_delay or FIRST_DELAY, max_delay)
  local read = read_options(opts, ends)
  local seen, last
  while true do
    local now, meta, failed_meta = sessions:get(session, read)
    if now then
      seen = now
      if ending(now) == "signed" then return now, meta end
      local failure = hopeless(sessions, now, read)
      if failure then return nil, call.fail(NAME, failure), meta end
    elseif not meta.retryable then
      meta.result = seen
      return nil, meta, failed_meta
    end
    -- Up to a quarter less, so that many waiters spread out.
    local pause = delay * (1 - client.random() / 4)
    if not now and meta.retry_after then
      pause = math.max(pause, meta.retry_after)
    end
    local left = ends - client.clock()
    if left <= 0 or last then
      return nil, out_of_time(client.clock() - began, seen,
        not now and meta or nil), now and meta or failed_meta
    end
    -- Asked once more shortly before the end: a late signature counts.
    last = pause >= left
    client.sleep(last and left - math.min(1, left / 4) or pause)
    delay = math.min(delay * GROWTH, max_delay)
  end
end

return wait
