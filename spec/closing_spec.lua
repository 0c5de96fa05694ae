-- A Lua state that is closed while libcurl still looks a name up, in a host
-- that lives on: spec/closing/closing_host.c. That thread's code has to stay.

local host = os.getenv "SIGNICAT_CLOSING_HOST"
  or "build/5.4/spec/closing_host"

describe("a state that is closed during a name lookup", function()
  local function run(script)
    local pipe = assert(io.popen(("LUA_PATH='%s' LUA_CPATH='%s' '%s' %s 2>&1")
      :format(package.path, package.cpath, host, script)))
    local output = pipe:read "*a"
    pipe:close()
    return output
  end

  it("leaves its host alive", function()
    assert.equal("timeout dns begun=1 over=0 alive=1\n",
      run "spec/closing/lookup.lua")
  end)

  it("has ended its tasks before", function()
    -- Who comes after one whose time is over looks the name up again.
    assert.matches("^timeout cancelled cancelled begun=[123] over=0 alive=1\n$",
      run "spec/closing/lookup_in_tasks.lua")
  end)
end)
