--- Waiting for a state: asks again, ever more slowly, until there is nothing
--- left to wait for.

local call = require "signicat.call"
local core = require "signicat.core"
local options = require "signicat.options"

local wait = {}

local NAME = "sessions:wait"
local TIMEOUT, FIRST_DELAY, MAX_DELAY, GROWTH = 300, 1, 15, 1.5

--- How a session that has come to its end ended; nil while it has not.
---@return string? kind "signed", or that of an error
---@return string? note
local function ending(session)
  local lifecycle = session.lifecycle or {}
  if not lifecycle.stateIsFinal then return nil end
  if lifecycle.state == "SIGNED" then return "signed" end
  if lifecycle.state == "EXPIRED" then
    return "expired", "the session ended unsigned"
  end
  return "rejected", "the signer declined, or the session was withdrawn"
end

--- Whether a session that this one waits for can no longer be signed.
local function predecessor_failed(sessions, session, opts)
  if (session.lifecycle or {}).state ~= "BLOCKED" then return false end
  for _, id in ipairs(session.subsequentTo or {}) do
    local before, err = sessions:get(id, opts)
    if before and ending(before) ~= nil and ending(before) ~= "signed" then
      return true
    end
    if not before and err.kind == "not_found" then return true end
  end
  return false
end

--- What makes further waiting pointless, as a plain failure.
local function hopeless(sessions, session, opts)
  local kind, note = ending(session)
  if kind == "signed" then return nil end
  if not kind and predecessor_failed(sessions, session, opts) then
    kind = "rejected"
    note = "a session before it was declined or deleted"
  end
  local due = not kind and session.dueDate
    and core.parse_time(session.dueDate)
  if due and due < sessions.client.wall_clock() then
    kind, note = "expired", "its due date passed"
  end
  return kind and { kind = kind, note = note, result = session }
end

--- The options of the single reads, cut to what is left of the time.
local function read_options(opts, ends)
  local read = {}
  for name, value in pairs(opts) do
    if options.call[name] and name ~= "timeout" then read[name] = value end
  end
  read.deadline = math.min(ends, opts.deadline or ends)
  return read
end

function wait.for_session(sessions, session, opts)
  opts = options.check(opts, options.wait, NAME)
  local client = sessions.client
  local timeout = opts.timeout or TIMEOUT
  local ends = client.clock() + timeout
  local delay = opts.first_delay or FIRST_DELAY
  local read = read_options(opts, ends)
  local seen
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
    if client.clock() + pause >= ends then
      return nil, call.fail(NAME, { kind = "timeout", result = seen,
        note = ("not signed within %g s; it may still be, wait again")
          :format(timeout) })
    end
    client.sleep(pause)
    delay = math.min(delay * GROWTH, opts.max_delay or MAX_DELAY)
  end
end

return wait
