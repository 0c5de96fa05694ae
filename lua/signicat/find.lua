--- Finding a session again by the reference its creator gave it.
--
-- The service has no filter for it, so pages are read newest first. "There is
-- none" and "could not look" are told apart by the kind of the error.

local call = require "signicat.call"
local core = require "signicat.core"
local options = require "signicat.options"
local pages = require "signicat.pages"

local find = {}

local NAME = "sessions:find"

local fields = {
  externalReference = function(value)
    if type(value) ~= "string" or value == "" then
      return "must be a string that is not empty"
    end
  end,
  since = function(value)
    local good
    if type(value) == "number" then good = core.format_time(value) end
    if type(value) == "string" then good = core.parse_time(value) end
    if not good then return "must be a date-time or seconds since 1970" end
  end,
}

--- A failure to look is never "not found", not even when it says 404.
local function could_not_look(err)
  if err.kind ~= "not_found" then return err end
  return call.fail(NAME, { kind = "protocol", status = err.status, sent = true,
    code = err.code, trace_id = err.trace_id, attempts = err.attempts,
    trace = err.trace,
    note = "the service has no list of sessions there; check base_url" })
end

local function in_page(page, reference)
  for _, session in ipairs(page.data) do
    if session.externalReference == reference then return session end
  end
end

function find.session(sessions, wanted, opts)
  wanted = options.check(wanted, fields, NAME)
  -- Now: the table is the caller's, and pages take their time.
  local reference, since = wanted.externalReference, wanted.since
  if reference == nil then
    core.misuse(NAME .. ": `externalReference` is required")
  end
  if type(since) == "number" then since = core.format_time(since) end
  local page, meta, failed_meta = pages.list(sessions,
    { sort = "-createdAt", createdDateFrom = since }, opts)
  while page do
    local session = in_page(page, reference)
    if session then return session, meta end
    local last = meta
    page, meta, failed_meta = page:next()
    if not page and not meta then
      return nil, call.fail(NAME, { kind = "not_found", attempts = 0,
        note = "no session" .. (since and " since then" or "")
          .. " has this externalReference" }), last
    end
  end
  return nil, could_not_look(meta), failed_meta
end

return find
