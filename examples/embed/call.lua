-- What a host of examples/embed runs: a few calls, several at once.

local signicat = require "signicat"

local sign = assert(signicat.from_env())
local documents, errors = sign:map({ "one", "two", "three" }, function(text)
  return sign.documents:upload { content = text, type = "text/plain" }
end)
assert(not errors, "not all were stored")
for _, document in ipairs(documents) do
  assert(sign.documents:delete(document))
end
sign:close()
return #documents .. " documents"
