--- Streams: between two steps of a transfer, asks the reader, hands to the
--- writer and tells `on_progress`.
--
-- They run in the coroutine of the call, so they may yield (on plain Lua 5.1
-- too) and may call the client. An error that one of them raises ends the
-- transfer and reaches the caller as it is; `nil, reason` of a reader or a
-- writer becomes an error `io` with the reason in `detail`; `false` of
-- on_progress becomes `cancelled`.

local streams = {}

local PIECE = 64 * 1024 -- bytes that a reader is asked for

local function io_failure(note, reason)
  return { kind = "io", note = note,
           detail = reason ~= nil and tostring(reason) or nil }
end

local function wrong_size(reason)
  return { kind = "invalid", fields = { { name = "reader", reason = reason } } }
end

--- What is wrong with what a reader gave while `missing` bytes were wanted.
local function reader_fault(piece, reason, missing)
  if piece == nil and reason ~= nil then
    return io_failure("the reader failed; see `detail`", reason)
  end
  if piece == nil then
    return wrong_size(("ended %.0f bytes before its `size`"):format(missing))
  end
  if type(piece) ~= "string" or piece == "" then
    return wrong_size("must give a string that is not empty, or nil at its end")
  end
  if #piece > missing then
    return wrong_size("has more bytes than its `size`")
  end
end

--- Reads the next piece, and after the last one makes sure that it was: a
--- body of the wrong size never leaves whole.
---@return string? piece
---@return table? failure
local function read(functions, missing)
  local piece, reason = functions.reader(math.min(PIECE, missing))
  local fault = reader_fault(piece, reason, missing)
  if fault then return nil, fault end
  if #piece == missing then
    local more, why = functions.reader(PIECE)
    if more ~= nil then
      return nil, wrong_size("has more bytes than its `size`")
    end
    if why ~= nil then
      return nil, io_failure("the reader failed; see `detail`", why)
    end
  end
  return piece
end

local function rewind(functions)
  local done, reason = functions.rewind()
  if done == false or reason ~= nil then
    return io_failure("the reader could not begin again; see `detail`", reason)
  end
end

--- Supplies what the transfer waits for; whether there was something.
local function supply(transfer, functions)
  local missing, again = transfer:wanted()
  if not missing then return false end
  local piece
  local failure = again and rewind(functions)
  if not failure then piece, failure = read(functions, missing) end
  if failure then
    transfer:fail(failure)
  else
    transfer:feed(piece)
  end
  return true
end

--- Hands on what came; whether there was something.
local function deliver(transfer, functions)
  local bytes = functions.writer and transfer:take()
  if not bytes then return false end
  local done, reason = functions.writer(bytes)
  if not done then
    transfer:fail(io_failure("the writer failed; see `detail`", reason
      or "it returned nothing; it returns true when it took the bytes"))
  end
  return true
end

--- Tells how far it is, when that has changed.
local function report(transfer, functions, state)
  if not functions.on_progress then return end
  local done, total = transfer:progress()
  if not done or done == state.done and total == state.total then return end
  if done == 0 and state.done == nil then return end
  state.done, state.total = done, total
  local stop = functions.on_progress(done, total) == false
  -- What is over cannot be cancelled: a create may have been carried out.
  if stop and not transfer:done() then
    transfer:fail { kind = "cancelled", note = "on_progress returned false" }
  end
end

--- Serves a transfer until it has nothing more to ask or to give.
---@param transfer userdata
---@param functions table reader, rewind, writer, on_progress
---@param state table what was reported last; empty at the start
function streams.serve(transfer, functions, state)
  repeat
    local supplied = supply(transfer, functions)
    local delivered = deliver(transfer, functions)
    report(transfer, functions, state)
  until not (supplied or delivered)
end

return streams
