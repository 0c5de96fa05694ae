--- The head of an HTTP/1.1 answer, and how the body behind it is framed (RFC
--- 9112).
--
-- Pure: text in, tables out. What two readers could understand in two ways is
-- refused: on a connection that is used again, the next answer would begin
-- somewhere in this one.

local head = {}

--- The index behind the empty line that ends a head, or nil.
---@param text string
---@param from integer? where to begin looking
---@return integer?
function head.ending(text, from)
  local _, last = text:find("\n\r?\n", from)
  return last and last + 1
end

local NAME = "^([%w!#$%%&'*+.^_`|~-]+):[ \t]*(.-)[ \t]*$"

--- Adds a field; a repeated one is joined by commas (RFC 9110 section 5.3).
local function add(fields, name, value)
  name = name:lower()
  fields[name] = fields[name] and fields[name] .. ", " .. value or value
end

--- Takes a head apart.
---@param text string all of it, with the empty line
---@return table? head status, minor (of HTTP/1), lines (as they came, without
--- the first), fields (by lower-case name)
---@return string? reason
function head.parse(text)
  local minor, status, rest =
    text:match("^HTTP/1%.(%d) (%d%d%d)[^\n%d][^\n]*\n(.*)$")
  if not minor then
    -- The reason, and the space before it, may be absent.
    minor, status, rest = text:match("^HTTP/1%.(%d) (%d%d%d)\r?\n(.*)$")
  end
  if not minor then return nil, "it does not begin with HTTP/1" end
  local fields = {}
  for line in rest:gmatch("([^\n]*)\n") do
    line = line:gsub("\r$", "")
    if line == "" then break end
    local name, value = line:match(NAME)
    if not name or value:find("[%z\r]") then
      return nil, "it has a line that is no header"
    end
    add(fields, name, value)
  end
  return { status = tonumber(status), minor = tonumber(minor),
           lines = (rest:gsub("\r?\n\r?\n$", "\r\n")), fields = fields }
end

--- The one number that Content-Length says, however often it says it.
local function length(value)
  local one
  for text in (value .. ","):gmatch("[ \t]*([^,]*),") do
    text = text:match("^(.-)[ \t]*$")
    if not text:find("^%d+$") or #text > 15 or one and text ~= one then
      return nil, "its Content-Length is no length"
    end
    one = text
  end
  return tonumber(one)
end

--- How the body is framed.
---@param it table a head
---@param method string of the request
---@return "none"|"length"|"chunked"|"close"|nil framing
---@return integer|string|nil length or reason
function head.framing(it, method)
  local coding = it.fields["transfer-encoding"]
  if method == "HEAD" or it.status < 200 or it.status == 204
    or it.status == 304 then
    return "none"
  end
  if coding then
    if coding:lower() ~= "chunked" then
      return nil, "its Transfer-Encoding is not chunked"
    end
    if it.fields["content-length"] or it.minor == 0 then
      return nil, "it is chunked and should not be"
    end
    return "chunked"
  end
  if not it.fields["content-length"] then return "close" end
  local bytes, reason = length(it.fields["content-length"])
  if not bytes then return nil, reason end
  return "length", bytes
end

--- Whether the server keeps the connection for another request.
---@param it table a head
---@return boolean
function head.keeps_alive(it)
  local wish = "," .. (it.fields.connection or ""):lower():gsub("[ \t]", "")
    .. ","
  return it.minor >= 1 and not wish:find(",close,", 1, true)
end

--- The size that a chunk's first line says.
---@param line string without its end
---@return integer? size
function head.chunk_size(line)
  local digits = line:match("^(%x+)[ \t]*$") or line:match("^(%x+)[ \t]*;")
  return digits and #digits <= 12 and tonumber(digits, 16) or nil
end

return head
