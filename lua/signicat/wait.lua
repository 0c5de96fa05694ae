--- Waiting for a session to be signed and for a collection's package: asks
--- again, ever more slowly, until there is nothing left to wait for.

local call = require "signicat.call"
local core = require "signicat.core"
local observe = require "signicat.observe"
local options = require "signicat.options"

local wait = {}

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

--- The ids of the sessions that block this one.
local function blockers(session)
  local ids = session.subsequentTo
  local blocked = lifecycle(session).state == "BLOCKED"
  return blocked and type(ids) == "table" and ids or {}
end

--- Whether a session that this one waits for, or one that those wait for, can
--- no longer be signed.
---@param signed table<string, boolean> what needs no more looking at
local function predecessor_failed(sessions, session, opts, signed)
  local waiting, known = { session }, {}
  while #waiting > 0 do
    for _, id in ipairs(blockers(table.remove(waiting))) do
      if call.was_closed(sessions.client) then return false end
      if type(id) == "string" and not known[id] and not signed[id] then
        known[id] = true
        local before, err = sessions:get(id, opts)
        local kind = before and ending(before)
        if kind == "signed" then
          signed[id] = true
        elseif kind or err and err.kind == "not_found" then
          return true
        elseif before then
          waiting[#waiting + 1] = before
        end
      end
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

--- Reads until `judge` knows more.
---@param name string of the call, for its errors
---@param goal string what did not happen in time, for the error
---@param family table whose `get` reads
---@param judge fun(seen, read): boolean, table? whether it is there, or the
--- plain failure that makes further waiting pointless
local function poll(name, goal, family, id, opts, judge)
  opts = options.check(opts, options.wait, name)
  local client = family.client
  local began = client.clock()
  local ends = end_of(opts, began)
  local max_delay = opts.max_delay or MAX_DELAY
  local delay = math.min(opts.first_delay or FIRST_DELAY, max_delay)
  local read = read_options(opts, ends)
  local trace = opts.trace or client.settings.trace
  local seen, last

  --- What ends a wait is an error of its own, with what was seen last.
  local function fail(failure)
    failure.result, failure.trace = seen, trace
    local err = call.fail(name, failure)
    observe.emit(client, "error", { error = err })
    return err
  end

  while true do
    local now, meta, failed_meta = family:get(id, read)
    if now then
      seen = now
      local there, failure = judge(now, read)
      if there then return now, meta end
      if failure then return nil, fail(failure), meta end
    elseif not meta.retryable then
      meta.result = seen
      return nil, meta, failed_meta
    end
    -- Up to a quarter less, so that many waiters spread out.
    local pause = delay * (1 - client.random() / 4)
    if not now and meta.retry_after then
      pause = math.max(pause, meta.retry_after)
    end
    local waited, left = client.clock() - began, ends - client.clock()
    if left <= 0 or last then
      return nil, fail { kind = "timeout",
        detail = not now and meta.message or nil,
        note = ("%s within %.0f s; it may still be, wait again")
          :format(goal, waited) }, now and meta or failed_meta
    end
    -- Asked once more shortly before the end: a late signature counts.
    last = pause >= left
    if last then pause = left - math.min(1, left / 4) end
    observe.emit(client, "wait", { operation = name, seconds = waited,
      delay = pause, state = seen and lifecycle(seen).state,
      trace = trace })
    client.sleep(pause)
    local closed = call.was_closed(client)
    if closed then return nil, fail(closed), now and meta or failed_meta end
    delay = math.min(delay * GROWTH, max_delay)
  end
end

--- Waits until a session is signed.
function wait.for_session(sessions, session, opts)
  local signed = {} -- the sessions before it that need no more looking at
  return poll("sessions:wait", "not signed", sessions, session, opts,
    function(seen, read)
      local kind, note = ending(seen)
      if kind == "signed" then return true end
      if not kind and predecessor_failed(sessions, seen, read, signed) then
        kind, note = "rejected", "a session before it was declined or deleted"
      end
      if not kind and overdue(seen, sessions.client.wall_clock()) then
        kind, note = "expired", "its due date passed"
      end
      return false, kind and { kind = kind, note = note }
    end)
end

--- How many things a list has; what is none, has none.
local function count(list)
  return type(list) == "table" and #list or 0
end

--- Waits until a collection has its package.
function wait.for_package(collections, collection, opts)
  return poll("collections:wait", "not packaged", collections, collection,
    opts, function(seen)
      local output = seen.output
      local packages = type(output) == "table" and output.packages
      if count(packages) > 0 then return true end
      return false, count(seen.packageTo) == 0 and { kind = "invalid",
        note = "no package will come",
        fields = { { name = "packageTo", reason = "is not in this collection; "
          .. "create it with packageTo = { \"PADES_CONTAINER\" }" } } }
    end)
end

return wait
