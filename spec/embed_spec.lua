-- embed_spec.lua: a program in C whose scripts have little memory and few
-- instructions, each in a thread: examples/embed.

local nginx = require "spec.support.nginx"
local helper = require "spec.helper"
local sandbox = require "signicat.sandbox"

local host = os.getenv "SIGNICAT_EMBED" or "build/5.4/embed"

describe("examples/embed", function()
  local folder, remove, service

  setup(function()
    folder, remove = nginx.folder()
    service = assert(sandbox.start())
  end)
  teardown(function()
    service:stop()
    remove()
  end)

  -- A line for each script, by what follows its path.
  local function run(...)
    local paths = {}
    for i, script in ipairs { ... } do
      paths[i] = script
      if script:find "[ \n]" then
        paths[i] = helper.write(("%s/%d.lua"):format(folder, i), script)
      end
    end
    local pipe = assert(io.popen(("env LUA_PATH='%s' LUA_CPATH='%s' "
      .. "SIGNICAT_BASE_URL=%s/sign "
      .. "SIGNICAT_CLIENT_ID=%s SIGNICAT_CLIENT_SECRET=%s timeout 60 '%s' %s "
      .. "2>&1"):format(package.path, package.cpath, service.url,
        service.client_id, service.client_secret, host,
        table.concat(paths, " "))))
    local lines = {}
    for line in pipe:lines() do
      lines[#lines + 1] = line:match "^%S+%.lua: (.*)$" or line
    end
    pipe:close()
    return lines
  end

  it("makes calls in two threads, each with a state and a client", function()
    local call = "examples/embed/call.lua"
    assert.same({ "3 documents, 0 bytes left", "3 documents, 0 bytes left" },
      run(call, call))
  end)

  -- What a script may have under way when its limit ends it.
  local CALLING = [[
    local sign = assert(require "signicat".from_env())
    local page = assert(sign.sessions:list())
    for _ = 1, 5 do
      sign:async(function() return sign.sessions:list() end)
    end
    sign:step(0)
  ]]

  -- LuaJIT frees a closure as one without upvalues when it found no memory for
  -- those: what is told of it then is 8 bytes less for each.
  local left = rawget(_G, "jit") and "%d?%d" or "0"

  for what, code in pairs {
    hoards = "local hoard = {} for i = 1, 1e9 do hoard[i] = { i } end",
    ["writes a long text"] = "local text = 'x' "
      .. "while true do text = text .. text end",
    ["keeps all answers"] = "local hoard = {} while true do "
      .. "local page, err = sign.sessions:list() "
      .. "if not page then error(tostring(err)) end "
      .. "hoard[#hoard + 1] = page end",
  } do
    it("ends one that " .. what .. " for want of memory, and lives on",
      function()
        local lines = run(CALLING .. code, "examples/embed/call.lua")
        assert.matches("^error: .*memory.*, " .. left .. " bytes left$",
          lines[1])
        assert.equal("3 documents, 0 bytes left", lines[2])
      end)
  end

  for what, code in pairs {
    ["never ends"] = "while true do end",
    ["catches its end"] = "while true do pcall(function() while true do end "
      .. "end) end",
    ["never ends in a coroutine"] = "local function turn() "
      .. "while true do end end while true do coroutine.wrap(turn)() end",
    ["never ends in a task"] = "sign:async(function() while true do end end) "
      .. "sign:run()",
  } do
    it("ends one that " .. what .. ", and lives on", function()
      local lines = run(CALLING .. code, "examples/embed/call.lua")
      assert.matches("^error: .*the script took too long, 0 bytes left$",
        lines[1])
      assert.equal("3 documents, 0 bytes left", lines[2])
    end)
  end
end)
