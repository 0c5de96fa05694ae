--- File names: makes one, safe in any folder, of what a service calls a
--- document. Pure.

local filename = {}

local MAX = 200 -- bytes; file systems stop at 255

local endings = {
  ["application/pdf"] = ".pdf",
  ["application/json"] = ".json",
  ["application/xml"] = ".xml",
  ["application/zip"] = ".zip",
  ["application/vnd.etsi.asic-e+zip"] = ".asice",
  ["text/html"] = ".html",
  ["text/markdown"] = ".md",
  ["text/plain"] = ".txt",
  ["text/xml"] = ".xml",
}

--- Cuts to `max` bytes, not inside a character of UTF-8.
local function cut(text, max)
  if #text <= max then return text end
  while max > 0 and (text:byte(max + 1) or 0) - 0x80 < 0x40
    and (text:byte(max + 1) or 0) >= 0x80 do
    max = max - 1
  end
  return text:sub(1, max)
end

--- The name without what leads elsewhere, hides a file or upsets a terminal;
--- nil if nothing is left of it.
---@param name any
---@return string?
function filename.safe(name)
  if type(name) ~= "string" then return nil end
  name = name:match("[^/\\]*$"):gsub("[%c\127:*?\"<>|]", "_")
    :gsub("\194[\128-\159]", "_") -- C1 controls
    :gsub("\226\128[\142\143\168-\174]", "_") -- that turn or break a line
    :gsub("\226\129[\166-\169]", "_")
    :gsub("^[%s.~-]+", ""):gsub("[%s.]+$", "")
  if name == "" then return nil end
  local stem, ending = name:match("^(.+)(%.[%w]+)$")
  if not stem or #ending > 16 then stem, ending = name, "" end
  return cut(stem, MAX - #ending) .. ending
end

--- What a document's file is called: its own name, or its id with the ending
--- of its media type.
---@param document table|userdata filename, mimeType
---@param id string
---@return string
function filename.of(document, id)
  local name = filename.safe(document.filename)
  if name then return name end
  local kind = document.mimeType
  kind = type(kind) == "string" and kind:lower():match("^[^;%s]+") or ""
  return id .. (endings[kind] or ".bin")
end

return filename
