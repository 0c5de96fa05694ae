-- pdf.lua: writes small PDFs by hand, for specs and examples.
--
-- Objects are given as text and numbered from 1, the first being the catalog;
-- a cross-reference table and a trailer go behind them. Nothing is checked:
-- specs want broken files too.

local pdf = {}

-- A stream object's text.
function pdf.stream(content, entries)
  return ("<< %s /Length %d >>\nstream\n%s\nendstream")
    :format(entries or "", #content, content)
end

-- `options.trailer`: more trailer entries; `options.generations`: by number.
function pdf.file(objects, options)
  options = options or {}
  local generations = options.generations or {}
  local parts, size = {}, 0
  local function add(text)
    parts[#parts + 1] = text
    size = size + #text
  end
  add("%PDF-1.7\n%\226\227\207\211\n")
  local entries = { "0000000000 65535 f \n" }
  for number, object in ipairs(objects) do
    local generation = generations[number] or 0
    entries[#entries + 1] = ("%010d %05d n \n"):format(size, generation)
    add(("%d %d obj\n%s\nendobj\n"):format(number, generation, object))
  end
  local startxref = size
  add(("xref\n0 %d\n%s"):format(#entries, table.concat(entries)))
  add(("trailer\n<< /Size %d /Root 1 %d R %s >>\n"):format(
    #entries, generations[1] or 0, options.trailer or ""))
  add(("startxref\n%d\n%%%%EOF\n"):format(startxref))
  return table.concat(parts)
end

return pdf
