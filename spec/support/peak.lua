--- How much memory a document adds: lua peak.lua URL WAY SIZE PATH
--
-- Prints by how many KiB the peak of this process grew after it was warm. The
-- way is `upload`, `download`, `reader` or `writer`; PATH is of a file of SIZE
-- bytes, or where one is to be. The server knows which requests come: a
-- session, then the document.

local signicat = require "signicat"

local url, way, size, path = ...
size = tonumber(size)

local ID = "d1234567-89ab-cdef-0123-456789abcdef"
local PIECE = ("x"):rep(65536)

local function peak()
  for line in io.lines("/proc/self/status") do
    local kib = line:match "^VmHWM:%s*(%d+)"
    if kib then return tonumber(kib) end
  end
end

local sign = assert(signicat.new { base_url = url, token = "t" })
local moved = 0
local opts = { on_progress = function(done) moved = done end }
local carry = {}

function carry.upload()
  return sign.documents:upload({ path = path, type = "text/plain" }, opts)
end

function carry.reader()
  local left = size
  return sign.documents:upload({ type = "text/plain", size = size,
    reader = function(max)
      if left == 0 then return nil end
      local piece = PIECE:sub(1, math.min(max, left))
      left = left - #piece
      return piece
    end }, opts)
end

function carry.download()
  opts.to = path
  return sign.documents:download(ID, opts)
end

function carry.writer()
  opts.to = function() return true end
  return sign.documents:download(ID, opts)
end

assert(sign.sessions:get(ID))
local before = peak()
assert(carry[way]())
assert(moved == size)
print(peak() - before)
