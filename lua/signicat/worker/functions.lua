#!lua name=signicat
-- Signing jobs on Redis Streams: every change of a job, each in one step.
--
--     redis-cli -x FUNCTION LOAD REPLACE < functions.lua
--
-- Redis runs this file, it is not for `require`. All keys come in KEYS and
-- carry one hash tag: {name}:jobs, a stream whose entries are ids of jobs;
-- {name}:later, jobs that wait, by time; {name}:dead, jobs that were given up;
-- {name}:results, a stream of jobs that ended; {name}:job:ID, one job, a hash.
--
-- What is kept true: an entry of the stream is acknowledged only together with
-- the change that says why. Every take of a job raises its `fence`, and only
-- who has the last one changes the job. Before a step is begun it is noted in
-- `begun`, and what it made is noted before the next one begins.

local GROUP = "workers"
local MAX_CONTENT = 4 * 1024 * 1024 -- bytes of a document that lies in Redis
local MAX_ID = 200 -- characters
local RESULTS = 100000 -- about so many are kept in the stream of results
local MOVED = 100 -- of those that waited, how many at a time

local function names(keys)
  return { jobs = keys[1], later = keys[2], dead = keys[3],
           results = keys[4], job = keys[5] }
end

-- Milliseconds since 1970, by Redis's clock.
local function now()
  local time = redis.call("TIME")
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function get(key, field)
  return redis.call("HGET", key.job, field)
end

local function put(key, ...)
  redis.call("HSET", key.job, ...)
end

local function add_stray(key, step, id)
  local strays = cjson.decode(get(key, "strays") or "[]")
  strays[#strays + 1] = { step = step, id = id }
  put(key, "strays", cjson.encode(strays))
end

local function acknowledge(key, entry)
  redis.call("XACK", key.jobs, GROUP, entry)
  redis.call("XDEL", key.jobs, entry)
end

-- The job goes back to the stream at a time.
local function postpone(key, entry, id, time)
  acknowledge(key, entry)
  redis.call("ZADD", key.later, time, id)
  put(key, "state", "waiting")
end

-- The job is over, well or not.
local function announce(key, entry, id, state)
  put(key, "state", state)
  acknowledge(key, entry)
  redis.call("XADD", key.results, "MAXLEN", "~", RESULTS, "*",
    "job", id, "state", state)
end

-- Given up: for `retry`, or to be looked at. A document or a collection that
-- was begun may be there; a session is looked for by whoever retries.
local function bury(key, entry, id)
  local begun = get(key, "begun")
  if begun == "document" or begun == "collection" then
    add_stray(key, begun)
    redis.call("HDEL", key.job, "begun")
  end
  redis.call("ZADD", key.dead, now(), id)
  announce(key, entry, id, "dead")
end

-- Whether the job is still that of the caller's take.
local function is_held(key, fence)
  return get(key, "state") == "running" and get(key, "fence") == fence
end

-- ID PAYLOAD [CONTENT] -> 1, or 0 when there is such a job already.
local function enqueue(keys, args)
  local key, id, payload, content = names(keys), args[1], args[2], args[3]
  if id == "" or #id > MAX_ID then
    return redis.error_reply "ERR a job's id has 1 to 200 characters"
  end
  if content and #content > MAX_CONTENT then
    return redis.error_reply "ERR the document is above 4 MiB: name a path"
  end
  if redis.call("EXISTS", key.job) == 1 then return 0 end
  local entry = redis.call("XADD", key.jobs, "*", "job", id)
  put(key, "id", id, "state", "queued", "payload", payload,
    "reference", id .. "@" .. entry)
  if content then put(key, "content", content) end
  return 1
end

-- CONSUMER IDLE -> { entry, id }, or nil: what waited long enough goes back to
-- the stream; then the oldest job whose worker has been silent for IDLE
-- milliseconds, else a new one.
local function claim(keys, args)
  local key, consumer, idle = names(keys), args[1], args[2]
  for _, id in ipairs(redis.call("ZRANGE", key.later, "-inf", now(),
    "BYSCORE", "LIMIT", 0, MOVED)) do
    redis.call("ZREM", key.later, id)
    redis.call("XADD", key.jobs, "*", "job", id)
  end
  local cursor = "0-0"
  repeat
    local found = redis.call("XAUTOCLAIM", key.jobs, GROUP, consumer, idle,
      cursor, "COUNT", 1)
    local entry = found[2][1]
    if entry then return { entry[1], entry[2][2] } end
    cursor = found[1]
  until cursor == "0-0"
  local read = redis.call("XREADGROUP", "GROUP", GROUP, consumer, "COUNT", 1,
    "STREAMS", key.jobs, ">")
  local entry = read and read[1][2][1]
  return entry and { entry[1], entry[2][2] }
end

-- ENTRY CONSUMER ID ATTEMPTS -> the job's fields and values, or nil when there
-- is nothing to do: it is another's, it is over, it was tried too often, or it
-- is too early to look what became of a create.
local function take(keys, args)
  local key, entry, consumer, id = names(keys), args[1], args[2], args[3]
  local owner = redis.call("XPENDING", key.jobs, GROUP, entry, entry, 1)[1]
  if not owner or owner[2] ~= consumer then return false end
  local state = get(key, "state")
  if not state or state == "done" or state == "dead" then
    acknowledge(key, entry)
    return false
  end
  local look_at = tonumber(get(key, "look_at") or 0)
  if now() < look_at then
    postpone(key, entry, id, look_at)
    return false
  end
  if tonumber(get(key, "attempts") or 0) >= tonumber(args[4]) then
    if not get(key, "error") then
      put(key, "error", cjson.encode { kind = "cancelled",
        message = "its workers ended before it was done" })
    end
    bury(key, entry, id)
    return false
  end
  redis.call("HINCRBY", key.job, "attempts", 1)
  redis.call("HINCRBY", key.job, "fence", 1)
  put(key, "state", "running", "consumer", consumer)
  return redis.call("HGETALL", key.job)
end

-- ENTRY CONSUMER FENCE STEP PATIENCE [FIELD VALUE]: notes what was made and
-- that STEP begins, whose outcome will be certain after PATIENCE milliseconds.
-- -> { }, or nil when the job is another's by now; of a session that a take
-- before this one may have created, { since } in seconds since 1970.
local function step(keys, args)
  local key, entry, consumer, fence = names(keys), args[1], args[2], args[3]
  local next_step, patience = args[4], args[5]
  if not is_held(key, fence) then return false end
  -- For a moment nobody else may claim it: silence is counted from here.
  redis.call("XCLAIM", key.jobs, GROUP, consumer, 0, entry, "JUSTID")
  if args[6] then put(key, args[6], args[7]) end
  local before = get(key, "begun") == next_step
    and get(key, "begun_by") ~= fence
  put(key, "begun", next_step, "begun_by", fence)
  if next_step ~= "session" then
    if before then add_stray(key, next_step) end
    return {}
  end
  local time = now()
  if redis.call("HSETNX", key.job, "since", math.floor(time / 1000)) == 1 then
    put(key, "since_by", fence)
  end
  put(key, "look_at", time + patience)
  return get(key, "since_by") ~= fence and { tonumber(get(key, "since")) }
    or {}
end

-- ENTRY FENCE ID KEEP SESSION: the job is done. Its document and payload go at
-- once, the rest after KEEP seconds, and with it the memory of its id.
-- -> 1, or 0 when the job is another's by now.
local function finish(keys, args)
  local key, entry, fence, id = names(keys), args[1], args[2], args[3]
  if get(key, "state") == "done" and get(key, "fence") == fence then
    return 1 -- said again: the answer was lost
  end
  if not is_held(key, fence) then return 0 end
  put(key, "sessionId", args[5])
  redis.call("HDEL", key.job, "payload", "content", "begun", "error")
  announce(key, entry, id, "done")
  redis.call("EXPIRE", key.job, args[4])
  return 1
end

-- ENTRY FENCE ID ERROR DELAY OPEN STEP STRAY: the attempt failed. OPEN is 1
-- when it is not certain what the step did. The job waits for DELAY
-- milliseconds; with a DELAY of -1 it is given up. STRAY, if not empty, is the
-- id of what STEP made in vain. -> 1, or 0 when the job is another's by now.
local function fail(keys, args)
  local key, entry, fence, id = names(keys), args[1], args[2], args[3]
  if not is_held(key, fence) then
    return get(key, "fence") == fence and 1 or 0 -- said again, or another's
  end
  put(key, "error", args[4])
  if args[8] ~= "" then add_stray(key, args[7], args[8]) end
  if args[6] ~= "1" then
    redis.call("HDEL", key.job, "begun", "since", "look_at")
  end
  local delay = tonumber(args[5])
  if delay < 0 then
    bury(key, entry, id)
  else
    postpone(key, entry, id, now() + delay)
  end
  return 1
end

-- -> fields and values that tell how the job stands.
local function status(keys)
  local key, told = names(keys), {}
  for _, field in ipairs { "id", "state", "attempts", "documentId",
    "documentCollectionId", "sessionId", "strays", "error" } do
    local value = get(key, field)
    if value then
      told[#told + 1] = field
      told[#told + 1] = value
    end
  end
  return told
end

-- ID: a job that was given up begins again, from the step it had reached.
-- -> 1, or 0 when it is not among those.
local function retry(keys, args)
  local key, id = names(keys), args[1]
  if get(key, "state") ~= "dead" then return 0 end
  redis.call("ZREM", key.dead, id)
  redis.call("HDEL", key.job, "attempts", "error")
  put(key, "state", "queued")
  redis.call("XADD", key.jobs, "*", "job", id)
  return 1
end

redis.register_function("signicat_enqueue", enqueue)
redis.register_function("signicat_claim", claim)
redis.register_function("signicat_take", take)
redis.register_function("signicat_step", step)
redis.register_function("signicat_finish", finish)
redis.register_function("signicat_fail", fail)
redis.register_function("signicat_retry", retry)
redis.register_function { function_name = "signicat_status",
  callback = status, flags = { "no-writes" } }
