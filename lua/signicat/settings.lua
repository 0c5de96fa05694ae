--- Settings: what every call of a client has in common, in the form the core
-- reads; and the same with one call's options on top.

local connection = require "signicat.connection"
local core = require "signicat.core"
local options = require "signicat.options"
local withhold = require "signicat.withhold"

local settings = {}

--- Headers by lower-case name, the later ones in the place of the earlier.
local function merge_headers(base, more)
  local merged = {}
  for name, value in pairs(base) do merged[name] = value end
  for name, value in pairs(more) do
    if type(name) ~= "string" then
      core.misuse("headers: a name is a string, not a " .. type(name))
    end
    merged[name:lower()] = value
  end
  return merged
end

--- The headers that options name: `headers`, and `trace` in its own.
local function headers_of(opts)
  local headers = opts.headers or {}
  if not opts.trace then return headers end
  return merge_headers({ traceparent = opts.trace }, headers)
end

--- Headers as the lines that are sent; what cannot be one raises.
local function set_headers(target, headers)
  local lines, name, reason = core.header_lines(headers)
  if not lines then
    core.misuse(("header '%s' %s"):format(name:gsub("%c", "?"), reason))
  end
  target.headers, target.header_lines = headers, lines
end

--- The settings of a new client. `own_header_lines` are those of this library
--- alone: what a caller adds is meant for base_url and no other host.
---@param given table options of signicat.new, already checked
---@param defaults table base_url, headers
---@return table
function settings.new(given, defaults)
  local made = { own_header_lines = core.header_lines(defaults.headers) }
  for name in pairs(options.call) do made[name] = given[name] end
  made.withhold = withhold.of(connection.secrets(given))
  made.base_url = (given.base_url or defaults.base_url):gsub("/+$", "")
  set_headers(made, merge_headers(defaults.headers, headers_of(given)))
  return made
end

--- A client's settings with a call's options on top; the very same table
--- when there are none.
---@param base table
---@param opts table already checked
---@return table
function settings.with(base, opts)
  if next(opts) == nil then return base end
  local merged = {}
  for name, value in pairs(base) do merged[name] = value end
  for name, value in pairs(opts) do merged[name] = value end
  if opts.headers or opts.trace then
    set_headers(merged, merge_headers(base.headers, headers_of(opts)))
  end
  return merged
end

return settings
