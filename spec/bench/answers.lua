-- answers.lua: writes the answers that nginx serves: one session of about
-- 1.6 KB with every field there is, and a page of 1000 of them.
--
--   answers.lua TEMPLATE FOLDER ID

local template, folder, id = ...

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

local function write(name, text)
  local file = assert(io.open(folder .. "/" .. name, "w"))
  assert(file:write(text))
  assert(file:close())
end

-- Without the white space that people like: services send none.
local session = read(template):gsub("\n *", ""):gsub("([{[:,]) ", "%1")
  :gsub(" ([%]}])", "%1")

local function make(number, session_id)
  local values = { n = ("%04d"):format(number), id = session_id }
  return (session:gsub("%$(%a+)", values))
end

local list = {}
for i = 1, 1000 do
  list[i] = make(i, id:sub(1, -5) .. ("%04x"):format(i))
end

write("session.json", make(17, id))
write("page.json", '{"limit":1000,"offset":0,"count":1000,"total":1000,'
  .. '"data":[' .. table.concat(list, ",") .. "]}")
