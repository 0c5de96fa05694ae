-- answers.lua: what the measured calls are answered with: a session of about
-- 1.6 KB with every field there is, and pages of such.

local helper = require "spec.helper"

local answers = {}

-- The session's, and with other last digits those of a page's.
answers.id = "f05d0dce-a7af-432b-b6b8-e455ab7c0852"

-- Without the white space that people like: services send none.
local template = helper.read("spec/bench/session.json"):gsub("\n *", "")
  :gsub("([{[:,]) ", "%1"):gsub(" ([%]}])", "%1")

local function make(number, id)
  local values = { n = ("%04d"):format(number), id = id }
  return (template:gsub("%$(%a+)", values))
end

function answers.session()
  return make(17, answers.id)
end

function answers.page(count)
  local list = {}
  for i = 1, count do
    list[i] = make(i, answers.id:sub(1, -5) .. ("%04x"):format(i))
  end
  return ('{"limit":%d,"offset":0,"count":%d,"total":%d,"data":[%s]}'):format(
    count, count, count, table.concat(list, ","))
end

return answers
