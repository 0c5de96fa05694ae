-- Runs on a local sandbox; on the real service only with SIGNICAT_LIVE=1 and
-- credentials. Downloads a document to a folder, and in pieces, with progress.
--
--     lua examples/download.lua [FOLDER]

local support = require "examples.support"
local must = support.must

local sign = support.client()
local document = must(sign.documents:upload {
  content = ("A line of text.\n"):rep(60000), type = "text/plain" })
document = must(sign.documents:update(document, { filename = "lines.txt" }))

-- Called now and then with the bytes that came and how many there are, if
-- that is known; returning false would cancel.
local function on_progress(done, total)
  if total then io.write(("\r%3.0f %%"):format(100 * done / total)) end
end

-- Into a folder under the document's own name, made safe. The file is there
-- only when it is whole, and its bytes fit the hash that the service gave.
local path, meta = must(sign.documents:download(document, {
  to = arg[1] or ".", overwrite = true, on_progress = on_progress }))
print("\nfile", path, meta.verified and "verified")

-- To a function, a piece at a time: nothing is kept in memory.
local count = 0
must(sign.documents:download(document, { to = function(piece)
  count = count + #piece
  return true
end }))
print("bytes", count)

must(sign.documents:delete(document))
sign:close()
