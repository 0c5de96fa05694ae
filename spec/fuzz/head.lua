--- Heads of answers, as the nginx transport reads them.
--
-- The fields it finds are those that the core finds in the same lines, and a
-- body is framed in one way only.

local core = require "signicat.core"
local head = require "signicat.transport.head"

local methods = { "GET", "HEAD", "POST", "DELETE" }

local function check_framing(it, method)
  local framing, size = head.framing(it, method)
  local coding = it.fields["transfer-encoding"]
  if not framing then
    assert(type(size) == "string")
  elseif framing == "length" then
    assert(math.type(size) == "integer" and size >= 0 and size < 1e15)
    assert(not coding, "two ways to end")
    for digits in it.fields["content-length"]:gmatch "%d+" do
      assert(tonumber(digits) == size, "two lengths")
    end
  elseif framing == "chunked" then
    assert(coding:lower() == "chunked" and not it.fields["content-length"])
  elseif framing == "close" then
    assert(not coding and not it.fields["content-length"])
  else
    assert(framing == "none")
  end
end

local function check(it)
  assert(it.status >= 0 and it.status <= 999 and it.minor <= 9)
  for name, value in pairs(it.fields) do
    assert(name == name:lower() and not name:find "[%s%c:]", "a name")
    assert(not value:find "[\r\n\0]", "a value")
  end
  local response = core.response { status = it.status, lines = it.lines,
    body = {}, timing = {} }
  local theirs = core.json_encode(response.headers)
  assert(theirs == core.json_encode(it.fields), "two readers differ")
  for _, method in ipairs(methods) do check_framing(it, method) end
  assert(type(head.keeps_alive(it)) == "boolean")
end

return function(input)
  local size = head.chunk_size(input)
  assert(not size or size == tonumber(input:match "^%x+", 16))
  local ending = head.ending(input)
  local it, reason = head.parse(input:sub(1, (ending or 1) - 1))
  assert(it or type(reason) == "string")
  if it then check(it) end
end, true
