-- games_editors_spec.lua: examples/love and examples/neovim in the programs
-- they are for, without a screen; LuaJIT's alone, as the Lua of both is.

if not rawget(_G, "jit") then return end

local helper = require "spec.helper"
local sandbox = require "signicat.sandbox"

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- Every answer comes late, so a program that waits for one stands still.
local LATE = {}
for _, operation in ipairs { "uploadDocument", "createDocumentCollection",
    "createSigningSession", "getSigningSession", "getDocument" } do
  LATE[#LATE + 1] = { operation = operation, fault = "slow",
                      milliseconds = 200 }
end

describe("a program that must not wait", function()
  local service, sign

  setup(function()
    service = assert(sandbox.start())
    sign = assert(service:client())
  end)
  before_each(function() assert(service:faults(LATE)) end)
  after_each(function() service:clear_faults() end)
  teardown(function()
    sign:close()
    service:stop()
  end)

  -- Runs one with our modules, as one of the service at this address; signs
  -- what it asks to have signed. Returns its lines and its exit code.
  local function run(program, variables)
    local pipe = assert(io.popen(("exec 2>&1 </dev/null; env %s "
      .. "SIGNICAT_LIVE=1 SIGNICAT_BASE_URL=%s/sign "
      .. "SIGNICAT_CLIENT_ID=%s SIGNICAT_CLIENT_SECRET=%s "
      .. "LUA_PATH=%s LUA_CPATH=%s timeout 120 %s; echo exit $?"):format(
        variables, service.url, service.client_id,
        service.client_secret, quoted("./?.lua;" .. package.path),
        quoted(package.cpath), program)))
    local lines = {}
    for line in pipe:lines() do
      lines[#lines + 1] = line
      if line:find("signed at", 1, true) or line:find("signs at", 1, true) then
        local newest = assert(sign.sessions:list { limit = 1,
          sort = "-createdAt" }).data[1]
        assert(service:sign(newest))
      end
    end
    pipe:close()
    return lines, tonumber(table.remove(lines):match "^exit (%d+)$")
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
      local lines, code = run("love examples/love " .. way,
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

  it("prints what frames cost, if LÖVE is asked to", function()
    local lines, code = run("love examples/love frames",
      "SDL_VIDEODRIVER=dummy")
    assert.equal(0, code)
    assert.matches("^without +990 frames  longest +[%d.]+ ms",
      lines[#lines - 1])
    assert.matches("^with +%d+ frames  longest +[%d.]+ ms", lines[#lines])
  end)

  it("ends with an error where the calls fail, in LÖVE", function()
    for _, way in ipairs { "", "thread" } do
      service:clear_faults()
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
    local lines, code = run("nvim --clean --headless --cmd "
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
