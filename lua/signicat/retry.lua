--- Whether a failed attempt is followed by another, and after what pause.
-- Decisions only: call.lua sends and sleeps.
--
-- What may have created something is never repeated, whoever asks for it.

local retry = {}

local RETRIES = 2
local FIRST_DELAY, MAX_DELAY = 0.5, 8 -- seconds, of the longest pauses
local MAX_RETRY_AFTER = 60 -- a longer one is the caller's to wait for
local BUDGET, EARNED = 10, 0.1 -- retries in store, and what a call adds

--- Retries that all calls of a client share: a service that is down is asked
--- a tenth more often, not three times as often.
---@return table budget
function retry.budget()
  return { left = BUDGET }
end

--- A call begins and earns its part.
function retry.earn(budget)
  local left = budget.left + EARNED
  budget.left = left < BUDGET and left or BUDGET
end

--- Whether nothing of the request can have arrived, or it was turned away at
--- the door by one who says when to come again.
local function not_carried_out(err)
  if not err.sent then return err.retryable end
  return err.retry_after ~= nil
    and (err.status == 429 or err.status == 503)
end

local function is_harmless(request, err)
  if request.creates then return not_carried_out(err) end
  return err.retryable
end

--- Up to twice as long each time, and by chance shorter ("full jitter"), so
--- that many clients do not come back together.
local function pause(attempt, err, random)
  local longest = math.min(MAX_DELAY, FIRST_DELAY * 2 ^ (attempt - 1))
  return math.max(random() * longest, err.retry_after or 0)
end

--- What the caller's hook makes of it.
---@return boolean? again nil: as decided without it
---@return number? delay
local function ask(hook, err, attempt)
  if not hook then return nil end
  local answer = hook(err, attempt)
  if type(answer) == "number" and answer >= 0 then return true, answer end
  if type(answer) == "boolean" then return answer end
end

--- The pause before the next attempt, nil when there is none.
---@param policy table retries, max_retry_after, should_retry; or nothing
---@param budget table
---@param request userdata|table what failed
---@param err table how it failed
---@param attempt number the one that failed, from 1
---@param random fun(): number
---@return number? seconds
function retry.delay(policy, budget, request, err, attempt, random)
  if attempt > (policy.retries or RETRIES) then return nil end
  if err.ambiguous or request.replayable == false then return nil end
  local again, delay = ask(policy.should_retry, err, attempt)
  if again == false then return nil end
  if not again and not is_harmless(request, err) then return nil end
  if not delay then
    delay = pause(attempt, err, random)
    if delay > (policy.max_retry_after or MAX_RETRY_AFTER) then return nil end
  end
  if budget.left < 1 then return nil end
  budget.left = budget.left - 1
  return delay
end

return retry
