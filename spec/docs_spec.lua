-- What the pages below docs/ show is run, what they say is printed is
-- printed, and their lists are the ones in the code.

local core = require "signicat.core"
local helper = require "spec.helper"
local lfs = require "lfs"
local public = require "spec.support.public"
local quoted = require "spec.support.quoted"

-- Paths of Lua's that hold in any folder.
local function absolute(paths)
  local here = lfs.currentdir()
  return (paths:gsub("[^;]+", function(path)
    if path:sub(1, 1) == "/" then return path end
    return here .. "/" .. path:gsub("^%./", "")
  end))
end

-- The snippets of a page as one program, every line where it is in the page,
-- and what they say is printed.
local function read_page(path)
  local code, shown, inside, count = {}, {}, false, 0
  for line in io.lines(path) do
    local fence = line:match "^```(.*)"
    if fence then
      inside = not inside and fence == "lua"
      if inside then count = count + 1 end
      line = ""
    end
    code[#code + 1] = inside and line or ""
    local words = inside and line:match "^%-%-> (.*)"
    if words then shown[#shown + 1] = words end
  end
  return table.concat(code, "\n"), shown, count
end

-- Runs a page's program in a new folder that has a lease.pdf.
local function run(code)
  local folder, remove = helper.folder()
  helper.write(folder .. "/lease.pdf", helper.read "examples/lease.pdf")
  helper.write(folder .. "/page.lua", code)
  local support = lfs.currentdir() .. "/spec/support"
  local lua = lfs.symlinkattributes("/proc/self/exe", "target")
  local pipe = assert(io.popen(("cd %s && env -u SIGNICAT_BASE_URL "
    .. "-u SIGNICAT_TOKEN_URL -u SIGNICAT_LIVE SIGNICAT_CLIENT_ID=id "
    .. "SIGNICAT_CLIENT_SECRET=secret SPEC_SUPPORT=%s LUA_PATH=%s "
    .. "LUA_CPATH=%s %s %s page.lua 2>&1; echo exit $?"):format(folder,
      quoted(support),
      quoted(absolute(package.path)), quoted(absolute(package.cpath)),
      quoted(lua), quoted(support .. "/docs_run.lua"))))
  local output, exit = pipe:read "*a":match "^(.*)exit (%d+)\n$"
  pipe:close()
  remove()
  return output, tonumber(exit)
end

describe("the page", function()
  local total = 0

  for _, name in ipairs(helper.names_in "docs") do
    local code, shown, count = read_page("docs/" .. name)
    total = total + count
    if count > 0 then
      it(name .. " shows what runs and prints what it says", function()
        local output, exit = run(code)
        local wanted = table.concat(shown, "\n")
        assert.equal(#shown > 0 and wanted .. "\n" or "", output)
        assert.equal(0, exit)
      end)
    end
    it(name .. " links to pages and headings that are there", function()
      local text = helper.read("docs/" .. name)
      for target in text:gmatch "%]%(([^)]+)%)" do
        local path, anchor = target:match "^([^#]*)#?(.*)$"
        local page = path == "" and text or helper.read("docs/" .. path)
        local found = anchor == ""
        for heading in page:gmatch "\n#+ ([^\n]+)" do
          local id = heading:lower():gsub("[^%w%- ]", ""):gsub(" ", "-")
          found = found or id == anchor
        end
        assert.is_true(found, target)
      end
    end)
  end

  it("api.md is among those that show something", function()
    assert.is_true(total > 10)
  end)
end)

describe("docs/errors.md", function()
  local text = helper.read "docs/errors.md"

  it("has every kind, and whether it may be tried again", function()
    local listed = {}
    local kinds = text:match "\n## Kinds\n(.-)\n## "
    for kind, cause, again, what in
      kinds:gmatch "\n| `([%w_]+)` | ([^|]+) | (%a+) | ([^|\n]+) |" do
      assert.is_nil(listed[kind], kind)
      listed[kind] = again
      assert.is_true(#cause > 10 and #what > 10, kind)
    end
    local wanted = {}
    for kind in pairs(core.kinds) do
      wanted[kind] = core.error { kind = kind }.retryable and "yes" or "no"
    end
    assert.same(wanted, listed)
  end)

  it("has every field of an error", function()
    local classes = public.types()
    local listed = {}
    for names in text:match "\n## Fields\n(.-)\n## ":gmatch "\n| ([^|]+) |" do
      for name in names:gmatch "`([%w_]+)`" do listed[name] = true end
    end
    assert.same(classes["signicat.Error"].fields, listed)
  end)
end)
