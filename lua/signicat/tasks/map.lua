--- Calls a function for each item of a list, a few at a time.

local tasks = require "signicat.tasks"

local LIMIT = 8 -- tasks

---@param client table
---@param loop table that of the client's tasks
---@param list any[]
---@param fn fun(item: any, index: integer): any, any
---@param limit integer?
---@return table results by index
---@return table? errors by index, nil when there is none
return function(client, loop, list, fn, limit)
  local results, errors, last = {}, nil, 0
  local function keep(i, done, value, err)
    if done and value ~= nil then
      results[i] = value
      return
    end
    errors = errors or {}
    if done then
      errors[i] = err or "nothing was returned"
    else
      errors[i] = value or tostring(value) .. " was raised"
    end
  end
  local function work()
    while last < #list do
      last = last + 1
      local i = last
      keep(i, tasks.try(fn, list[i], i))
    end
  end
  local children, parent = {}, loop:parent(client)
  if parent then parent.children = children end
  for i = 1, math.min(limit or LIMIT, #list) do
    children[i] = client:async(work)
  end
  if parent and parent.is_cancelled then
    for _, child in ipairs(children) do child:cancel() end
  end
  for _, child in ipairs(children) do child:wait() end
  if parent then parent.children = false end
  for i = 1, #list do
    -- The task that maps was cancelled, and with it what it began.
    if results[i] == nil and not (errors and errors[i]) then
      keep(i, false, tasks.cancelled "map")
    end
  end
  return results, errors
end
