-- A Lua state that is closed while libcurl still looks a name up, in a host
-- that lives on: spec/closing/closing_host.c. That thread's code has to stay.

local host = os.getenv "SIGNICAT_CLOSING_HOST"
  or "build/5.4/spec/closing_host"

describe("a state that is closed during a name lookup", function()
  it("leaves its host alive", function()
    local pipe = assert(io.popen(("LUA_PATH='%s' LUA_CPATH='%s' '%s' %s 2>&1")
      :format(package.path, package.cpath, host, "spec/closing/lookup.lua")))
    local output = pipe:read "*a"
    pipe:close()
    assert.equal("timeout dns begun=1 over=0 alive=1\n", output)
  end)
end)
