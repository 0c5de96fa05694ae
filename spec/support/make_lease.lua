-- make_lease.lua: draws examples/lease.pdf, a one-page rental agreement.
--
--   lua5.4 spec/support/make_lease.lua examples/lease.pdf
--
-- Only the fonts every viewer has, only text and lines, nothing compressed,
-- so that the file stays small and can be read in an editor.

local pdf = require "spec.support.pdf"

local WIDTH <const>, HEIGHT <const> = 595, 842 -- A4, in points
local LEFT <const>, RIGHT <const> = 64, WIDTH - 64
local GUTTER <const> = 28
local COLUMN <const> = (RIGHT - LEFT - GUTTER) / 2
local LEADING <const> = 13.2

local INK <const>, GREY <const> = "0.13 0.15 0.18", "0.42 0.45 0.50"
local ACCENT <const>, PANEL <const> = "0.11 0.30 0.48", "0.955 0.965 0.975"

local details = {
  { "Landlord", "Tenant" },
  { "Address of the home", "Address for letters" },
  { "First day of the lease", "Last day, if agreed" },
  { "Rent per month", "Deposit" },
}

local clauses = {
  { "The home",
    "The Landlord lets the home at the address above to the Tenant, who "
    .. "uses it as a dwelling and for nothing else." },
  { "Rent",
    "The rent is paid in advance, on or before the first day of each month. "
    .. "It may be changed once a year, with three months' notice in writing." },
  { "Deposit",
    "The Tenant pays the deposit before the keys are handed over. It is kept "
    .. "in a separate account and returned within four weeks of the end of "
    .. "the lease, less what is owed." },
  { "Care and repairs",
    "The Landlord keeps the building, its heating, water and wiring in order. "
    .. "The Tenant treats the home with care, reports defects without delay "
    .. "and pays for damage beyond ordinary wear." },
  { "Visits",
    "The Landlord enters only with the Tenant's consent, given at least 24 "
    .. "hours ahead, or in an emergency." },
  { "End of the lease",
    "Either party may end the lease in writing with three months' notice, "
    .. "counted from the end of the month. The home is handed back clean, "
    .. "empty and with all keys." },
  { "Changes",
    "Changes to this agreement are valid only if both parties have signed "
    .. "them. If one clause does not hold, the others do." },
}

-- Advance widths of Helvetica from space to tilde, in thousandths.
local advance = {
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278,
  278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584,
  584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556,
  833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278,
  278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222,
  500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500,
  500, 334, 260, 334, 584,
}

local function width(text, size)
  local sum = 0
  for i = 1, #text do sum = sum + advance[text:byte(i) - 31] end
  return sum * size / 1000
end

local function wrap(text, size, room)
  local lines, line = {}, nil
  for word in text:gmatch "%S+" do
    local longer = line and line .. " " .. word or word
    if line and width(longer, size) > room then
      lines[#lines + 1] = line
      longer = word
    end
    line = longer
  end
  lines[#lines + 1] = line
  return lines
end

local content = {}

local function draw(form, ...)
  content[#content + 1] = form:format(...)
end

-- F1 is Helvetica, F2 its bold.
local function text(x, y, font, size, colour, words)
  draw("BT %s rg /%s %g Tf %g %g Td (%s) Tj ET", colour, font, size, x, y,
    (words:gsub("[()\\]", "\\%0")))
end

local function line(x, y, length, thickness, colour)
  draw("%s RG %g w %g %g m %g %g l S", colour, thickness, x, y, x + length, y)
end

local function draw_title(y)
  text(LEFT, y, "F2", 23, INK, "Residential lease agreement")
  text(LEFT, y - 19, "F1", 10, GREY,
    "between the Landlord and the Tenant named below")
  line(LEFT, y - 34, RIGHT - LEFT, 1.6, ACCENT)
  return y - 34
end

local function draw_details(y)
  local row, inset = 38, 16
  local height = #details * row + inset
  draw("%s rg %g %g %g %g re f", PANEL, LEFT, y - height, RIGHT - LEFT, height)
  for i, pair in ipairs(details) do
    for j, label in ipairs(pair) do
      local x = LEFT + (j - 1) * (COLUMN + GUTTER) + (j == 1 and inset or 0)
      local base = y - i * row
      text(x, base + 19, "F1", 7.5, GREY, label)
      line(x, base, COLUMN - inset, 0.6, GREY)
    end
  end
  return y - height
end

local function draw_clauses(y)
  local indent, size = 22, 9.6
  for i, clause in ipairs(clauses) do
    text(LEFT, y, "F2", 10, ACCENT, ("%d"):format(i))
    text(LEFT + indent, y, "F2", 10, INK, clause[1])
    for _, words in ipairs(wrap(clause[2], size, RIGHT - LEFT - indent)) do
      y = y - LEADING
      text(LEFT + indent, y, "F1", size, INK, words)
    end
    y = y - LEADING - 7
  end
  return y
end

local function draw_signatures(y)
  for i, party in ipairs { "Landlord", "Tenant" } do
    local x = LEFT + (i - 1) * (COLUMN + GUTTER)
    line(x, y, COLUMN, 0.6, INK)
    text(x, y - 12, "F2", 9, INK, party)
    text(x + COLUMN - width("Place and date", 7.5), y - 12, "F1", 7.5, GREY,
      "Place and date")
  end
end

local function draw_foot(y)
  line(LEFT, y + 14, RIGHT - LEFT, 0.4, GREY)
  text(LEFT, y, "F1", 7.5, GREY,
    "A sample for trying out electronic signatures; not legal advice. "
    .. "Signatures made electronically are part of this file.")
end

local y = draw_title(HEIGHT - 84)
y = draw_details(y - 16)
draw_clauses(y - 28)
draw_signatures(104)
draw_foot(50)

local FONT <const> = "<< /Type /Font /Subtype /Type1 /BaseFont /%s "
  .. "/Encoding /WinAnsiEncoding >>"

local bytes = pdf.file({
  "<< /Type /Catalog /Pages 2 0 R /Lang (en) "
    .. "/ViewerPreferences << /DisplayDocTitle true >> >>",
  "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
  ("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 4 0 R "
    .. "/Resources << /Font << /F1 5 0 R /F2 6 0 R >> >> >>")
    :format(WIDTH, HEIGHT),
  pdf.stream(table.concat(content, "\n")),
  FONT:format "Helvetica",
  FONT:format "Helvetica-Bold",
  "<< /Title (Residential lease agreement) "
    .. "/Subject (A sample for trying out electronic signatures) >>",
}, { trailer = "/Info 7 0 R" })

local path = assert(..., "usage: make_lease.lua OUT.pdf")
local file = assert(io.open(path, "wb"))
assert(file:write(bytes))
assert(file:close())
