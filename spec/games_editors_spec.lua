-- games_editors_spec.lua: examples/love and examples/neovim in the programs
-- they are for, without a screen; LuaJIT's alone, as the Lua of both is.

if not rawget(_G, "jit") then return end

local helper = require "spec.helper"
local program = require "spec.support.program"
local sandbox = require "signicat.sandbox"

describe("a program that must not wait", function()
  local service, sign

  setup(function()
    service = assert(sandbox.start())
    sign = assert(service:client())
  end)
  after_each(function()
    os.execute("kill -CONT " .. service.process:pid())
    service:clear_faults()
  end)
  teardown(function()
    sign:close()
    service:stop()
  end)

  local function run(command, variables)
    return program.run(service, sign, command, variables)
  end

  -- With a service that answers each request when the program has gone on for
  -- twelve frames, or lines.
  local function run_held(command, variables)
    return run(command, variables .. " SPEC_HELD=" .. service.process:pid())
  end

  -- The number at the end of the line that begins with these words.
  local function number(lines, words)
    for _, line in ipairs(lines) do
      if line:sub(1, #words) == words then
        return tonumber(line:match "\t(%d+)$")
      end
    end
    error("no line " .. words .. " in:\n" .. table.concat(lines, "\n"))
  end

  for _, way in ipairs { "", "thread" } do
    it("shows frames all the while, in LÖVE " .. way, function()
      local lines, code = run_held("love spec/support/held " .. way,
        "SDL_VIDEODRIVER=dummy")
      local said = table.concat(lines, "\n")
      assert.equal(0, code, said)
      local order = {}
      for _, line in ipairs(lines) do
        order[#order + 1] = line:match "^(%l+)[^\t]*\t%d+$"
      end
      assert.same({ "begun", "uploaded", "signed", "fetched" }, order, said)
      -- Three calls, one or more, and one.
      assert.is_true(number(lines, "uploaded") > 30, said)
      assert.is_true(number(lines, "signed") > 10, said)
      assert.is_true(number(lines, "fetched") > 10, said)
    end)
  end

  it("is warm before the frames whose cost LÖVE prints", function()
    assert(service:clear_journal())
    local lines, code = run("love examples/love frames",
      "SDL_VIDEODRIVER=dummy")
    assert.equal(0, code)
    assert.matches("^without +990 frames  longest +[%d.]+ ms",
      lines[#lines - 1])
    assert.matches("^with +%d+ frames  longest +[%d.]+ ms", lines[#lines])
    local first = {}
    for i, entry in ipairs(assert(service:journal())) do
      if i <= 3 then first[i] = entry.operation end
    end
    assert.same({ "token", "listSigningSessions", "uploadDocument" }, first)
  end)

  it("ends with an error where the calls fail, in LÖVE", function()
    for _, way in ipairs { "", "thread" } do
      assert(service:faults { { operation = "uploadDocument", times = 9,
        fault = "status", status = 403 } })
      local lines, code = run("love examples/love " .. way,
        "SDL_VIDEODRIVER=dummy")
      assert.matches("failed: signicat: .*permission",
        table.concat(lines, "\n"))
      assert.equal(1, code)
    end
  end)

  it("lets one write on while a buffer is signed, in Neovim", function()
    local folder, remove = helper.folder()
    local lines, code = run_held("nvim --clean --headless --cmd "
      .. "'set rtp^=examples/neovim' -c 'luafile spec/support/in_neovim.lua' "
      .. "-c 'qa!'", "SPEC_FILE=" .. folder .. "/lease.txt")
    local signed = helper.names_in(folder)
    remove()
    local said = table.concat(lines, "\n")
    assert.equal(0, code, said)
    assert.is_true(number(lines, "to be signed at") > 30, said)
    assert.is_true(number(lines, "signed: ") > 20, said)
    assert.equal("lines\ttrue", lines[#lines])
    assert.same({ "lease.txt.signed" }, signed)
  end)
end)
