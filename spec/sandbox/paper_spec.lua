-- Text on pages of packages: what is shown, and how.

local judges = require "spec.support.judges"
local packages = require "spec.support.packages"
local service = require "spec.sandbox.service"

local MARKDOWN <const> = [[
# Lease *of* 17
The **tenant** pays `1 000` crowns,
*always* on the first, [here](http://y) <b>2 * 3</b>.

- heat
- water
  and sewage
7. seven
12) twelve

> said
```
# kept   as it is
  **so**
```
***
## The end
]]

describe("a package's paper", function()
  local sandbox, judge, fonts

  -- Only what every machine has, so that no other font helps out.
  setup(function()
    fonts = service.folder()
    for _, name in ipairs { "DejaVu Sans", "DejaVu Sans:bold",
                            "DejaVu Sans Mono" } do
      judges.run("cp", (judges.run("fc-match", "-f", "%{file}", name)), fonts)
    end
    local config = judges.write(fonts .. "/fonts.conf",
      ("<fontconfig><dir>%s</dir></fontconfig>"):format(fonts))
    sandbox = service.start_in("FONTCONFIG_FILE=" .. config,
      "--beyond-the-service")
    judge = judges.of(sandbox)
  end)
  teardown(function()
    judge:close()
    sandbox:finish()
    service.remove(fonts)
  end)

  -- The pages of a package of that text, and the file.
  local function show(text, mime, fields, who)
    local id = sandbox:upload(text, mime).documentId
    local collection = sandbox:collect({ id }, packages.CONTAINER)
    packages.sign(sandbox, sandbox:create_session(packages.body_of(collection,
      { id }, fields)), who)
    local path = packages.await(sandbox, judge, collection)
    return packages.pages(path), path
  end

  local function lines_of(page)
    local list = {}
    for line in page:gmatch "[^\n]+" do
      list[#list + 1] = line:match "^%s*(.-)%s*$":gsub("%s+", " ")
    end
    return list
  end

  it("renders Markdown as the signer saw it, and hides nothing", function()
    local shown, path = show(MARKDOWN, "text/markdown; charset=utf-8")
    assert.same({ "Lease of 17", "The tenant pays 1 000 crowns,",
      "always on the first, [here](http://y) <b>2 * 3</b>.", "• heat",
      "• water", "and sewage", "7. seven", "12. twelve", "said",
      "# kept as it is", "**so**", "The end" }, lines_of(shown[1]))
    local used = judges.run("pdffonts", "-l", "1", path)
    for _, font in ipairs { "DejaVuSans ", "DejaVuSans-Bold ",
                            "DejaVuSansMono " } do
      assert.matches(font, used, 1, true)
    end
  end)

  it("begins new pages inside Markdown, and keeps its items whole", function()
    local items = {}
    for i = 1, 120 do items[i] = ("%d. item **%d**"):format(i, i) end
    local shown = show(table.concat(items, "\n"), "text/markdown")
    local seen = {}
    for i = 1, #shown - 1 do -- the last is evidence
      for _, line in ipairs(lines_of(shown[i])) do seen[#seen + 1] = line end
    end
    assert.is_true(#shown > 2)
    for i = 1, 120 do
      assert.equal(("%d. item %d"):format(i, i), seen[i])
    end
    assert.equal(120, #seen)
  end)

  it("survives Markdown that is nothing but signs", function()
    for _, signs in ipairs { "*", "**a ", "`", "- ", "```\n", "_\0\xff" } do
      assert.is_true(#show(signs:rep(2000), "text/markdown") > 1)
    end
  end)

  it("adds no hyphen to a name that is broken", function()
    local _, path = show("Agreed", "text/plain", nil,
      { name = ("W"):rep(64) })
    -- One would be in no text, but makes its line's letters wider.
    local widths = {}
    for left, right, letters in judges.run("pdftotext", "-bbox", path, "-")
      :gmatch 'xMin="([%d.]+)" yMin="[%d.]+" xMax="([%d.]+)"[^>]*>(W+)<' do
      widths[#widths + 1] = (right - left) / #letters
    end
    assert.is_true(#widths > 1)
    for _, width in ipairs(widths) do
      assert.is_true(math.abs(width - widths[#widths]) < 0.05)
    end
  end)

  it("says where boxes stand for letters, and only there", function()
    local words = "boxes stand for letters that no font here has"
    local shown, path = show("契約書", "text/plain", nil, { name = "李明" })
    assert.matches(words, (shown[1]:gsub("%s+", " ")), 1, true)
    assert.matches(words, (shown[2]:gsub("%s+", " ")), 1, true)
    assert.equal("契約書", packages.attachments(judge, path)[1][2])
    shown = show("Blåbær, Ελληνικά, Кириллица €", "text/plain")
    assert.is_nil(table.concat(shown):find("boxes", 1, true))
  end)
end)
