-- What the README shows is run, and what it says is printed is printed.

local core = require "signicat.core"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

describe("README.md", function()
  local blocks, shell = {}, {}

  setup(function()
    local text = read("README.md")
    for block in text:gmatch("```lua\n(.-)```") do
      blocks[#blocks + 1] = block
    end
    for command, output in text:gmatch("    %$ (lua5[^\n]+)\n    ([^\n]+)") do
      shell[#shell + 1] = { command, output }
    end
  end)

  local function run(block, environment)
    setmetatable(environment, { __index = _G })
    local set_environment = rawget(_G, "setfenv") -- in 5.1 and LuaJIT
    if not set_environment then
      return assert(load(block, "=README", "t", environment))()
    end
    local chunk = assert(rawget(_G, "loadstring")(block, "=README"))
    return set_environment(chunk, environment)()
  end

  it("shows nothing that is not run below", function()
    assert.equal(4, #blocks)
  end)

  it("shows a loop that runs to its end", function()
    local folder = assert(io.popen("mktemp -d")):read("*l")
    local target = folder .. "/lease-signed.pdf"
    local block = blocks[1]:gsub("lease%-signed%.pdf", target)
    local seen = {}
    run(block .. "\nseen.service, seen.sign = sandbox, sign", { seen = seen })
    seen.sign:close()
    seen.service:stop()
    local head = read(target):sub(1, 5)
    os.execute("rm -r '" .. folder .. "'")
    assert.equal("%PDF-", head)
  end)

  it("shows how a client of the real service is made", function()
    run(blocks[2], {})
  end)

  it("shows the first failure as it looks", function()
    local lines = {}
    local sign = require "signicat".new { token = "unused" }
    run(blocks[3], { sign = sign, print = function(...)
      local words = { ... }
      for i, word in ipairs(words) do words[i] = tostring(word) end
      lines[#lines + 1] = table.concat(words, " ")
    end })
    local shown = {}
    for line in blocks[3]:gmatch("%-%- ([^\n]*)") do
      shown[#shown + 1] = line
    end
    local function plain(list)
      return (table.concat(list, " "):gsub("%s+", " "))
    end
    assert.is_true(#shown > 4)
    assert.equal(plain(shown), plain(lines))
  end)

  it("shows tasks that go on by steps", function()
    local printed
    local service = assert(require "signicat.sandbox".start())
    local sign = assert(service:client())
    run(blocks[4], { sign = sign, print = function(text) printed = text end })
    sign:close()
    service:stop()
    assert.equal("two", printed)
  end)

  it("shows what lua-cjson does where lua-cjson does it", function()
    assert.is_true(#shell >= 4)
    for _, case in ipairs(shell) do
      local command, output = case[1], case[2]
      local pipe = assert(io.popen("{ ( ulimit -c 0; exec 2>&1; exec "
        .. command .. " ); echo exit $?; } 2>/dev/null"))
      local printed, code = pipe:read("*a"):match("^(.*)exit (%d+)\n$")
      pipe:close()
      if output == "Segmentation fault" then
        assert.equal(128 + 11, tonumber(code))
      else
        assert.equal(output .. "\n", printed)
      end
    end
  end)

  it("names only kinds that exist", function()
    local list = read("README.md"):match("a fixed list %((.-), %.%.%.%)")
    local count = 0
    for kind in list:gmatch("`([%w_]+)`") do
      count = count + 1
      assert.is_string(core.kinds[kind], kind)
    end
    assert.is_true(count >= 4)
  end)
end)
