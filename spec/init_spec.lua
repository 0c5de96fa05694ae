-- init_spec.lua: making a client: credentials, addresses, what it shows of
-- itself, its end; and what `require` leaves alone.

local core = require "signicat.core"
local helper = require "spec.helper"
local signicat = require "signicat"

local session = helper.session

describe("credentials", function()
  -- options, and what is said of them; nil: they are taken
  local both = "`client_id` and `client_secret` go together"
  local one = "give one of `token`, `auth`, or `client_id` with "
    .. "`client_secret`"
  local cases = {
    { { token = "t" } }, { { auth = print } },
    { { auth = { get = print } } },
    { { client_id = "i", client_secret = "s" } },
    { {}, one }, { { token = "t", auth = print }, one },
    { { token = "t", client_id = "i", client_secret = "s" }, one },
    { { auth = print, client_id = "i", client_secret = "s" }, one },
    { { token = "t", client_secret = "s" }, one },
    { { client_id = "i" }, both }, { { client_secret = "s" }, both },
  }
  for _, case in ipairs(cases) do
    local options, reason = case[1], case[2]
    local names = {}
    for name in pairs(options) do names[#names + 1] = name end
    table.sort(names)
    it(("of %s are %s"):format(table.concat(names, ", "),
      reason and "refused" or "taken"), function()
      local ok, message = pcall(function() return signicat.new(options) end)
      assert.equal(reason == nil, ok)
      if reason then
        local place = message:match "^spec/init_spec%.lua:%d+: new: "
        assert.equal(reason, message:sub(#place + 1))
      end
    end)
  end
end)

-- -- addresses ---------------------------------------------------------------

local form = "must be an http or https URL without query and fragment"
local user = "must not carry a user name or a password"
local plain = "must be https: over plain http anybody on the way can read the "
  .. "token (insecure_http = true if you accept that)"

-- a URL, and what is wrong with it
local urls = {
  { "https://sign.example" }, { "https://sign.example/sign" },
  { "https://sign.example:8443/a/b" }, { "https://127.0.0.1/" },
  { "http://127.0.0.1:8080/sign" }, { "http://127.9.9.9" },
  { "http://localhost/sign" }, { "http://localhost:1" },
  { "http://[::1]:8080/sign" }, { "http://[::1]" },
  { "http://sign.example", plain }, { "http://10.0.0.1", plain },
  { "http://localhost.example", plain }, { "http://127.0.0.1.example", plain },
  { "http://127.0.0", plain }, { "http://0.0.0.0", plain },
  { "http://[::2]:8080", plain }, { "http://example.localhost", plain },
  { "http://127.0.0.1:8080@evil.example", user },
  { "https://kari:secret@sign.example", user }, { "https://@a", user },
  { "https://sign.example/sign?x=y", form }, { "https://sign.example?", form },
  { "https://sign.example/sign#x", form }, { "https://a b/", form },
  { "https://sign.example/\r\nX: y", form }, { "https://a/\0", form },
  { "https://", form }, { "https:///sign", form }, { "", form },
  { "sign.example/sign", form }, { "localhost:8080", form },
  { "//sign.example", form }, { "ftp://sign.example", form },
  { "file:///etc/passwd", form }, { "HTTPS//x", form }, { "/sign", form },
}

describe("an address", function()
  for _, case in ipairs(urls) do
    local url, reason = case[1], case[2]
    for _, name in ipairs { "base_url", "token_url" } do
      it(("%q as %s is %s"):format(url, name, reason and "refused" or "taken"),
        function()
          local client, err = signicat.new { token = "t", [name] = url }
          if not reason then
            assert.is_truthy(client)
          else
            assert.is_nil(client)
            assert.equal("invalid", err.kind)
            assert.same({ { name = name, reason = reason } }, err.fields)
            assert.is_nil(tostring(err):find("secret", 1, true))
          end
        end)
    end
  end

  it("may be plain http for those who accept that", function()
    assert(signicat.new { token = "t", insecure_http = true,
      base_url = "http://sign.example", token_url = "http://t.example/t" })
  end)

  it("is wrong together with the other", function()
    local _, err = signicat.new { token = "t", base_url = "x",
                                  token_url = "y" }
    assert.same({ { name = "base_url", reason = form },
                  { name = "token_url", reason = form } }, err.fields)
  end)

  it("is the service's unless given", function()
    assert.equal("signicat.client https://api.signicat.com/sign",
      tostring(assert(signicat.new { token = "t" })))
  end)

  it("may end in slashes, which are dropped", function()
    for _, tail in ipairs { "", "/", "//" } do
      local client, transport = helper.client({ status = 204 },
        { base_url = "https://sign.example/sign" .. tail })
      assert(client.sessions:delete(session))
      assert.equal("https://sign.example/sign/signing-sessions/" .. session,
        transport.requests[1].url)
    end
  end)

  -- base_url, token_url, and where the token is asked for
  local token_urls = {
    { "https://sign.example:8443/a/sign", nil,
      "https://sign.example:8443/auth/open/connect/token" },
    { "http://127.0.0.1:81", nil,
      "http://127.0.0.1:81/auth/open/connect/token" },
    { "https://sign.example", "https://id.example/token",
      "https://id.example/token" },
    { "https://sign.example", "https://id.example", "https://id.example/" },
    { "https://sign.example", "https://id.example/", "https://id.example/" },
  }
  for _, case in ipairs(token_urls) do
    local base_url, token_url, asked = table.unpack(case, 1, 3)
    it(("%s with %s asks for a token at %s"):format(base_url,
      tostring(token_url), asked), function()
      local client, transport = helper.client({ status = 500 },
        { base_url = base_url, token_url = token_url, client_id = "i",
          client_secret = "s" })
      client.sessions:get(session)
      assert.equal(1, #transport.requests)
      assert.equal(asked, transport.requests[1].url)
    end)
  end
end)

-- -- the client -----------------------------------------------------------

-- Whether the text is anywhere in what can be reached from a value.
local function holds(value, text, seen)
  if type(value) == "string" then return value:find(text, 1, true) ~= nil end
  if type(value) ~= "table" or seen[value] then return false end
  seen[value] = true
  for key, item in next, value do
    if holds(key, text, seen) or holds(item, text, seen) then return true end
  end
  return holds(getmetatable(value), text, seen)
end

describe("a client", function()
  local canary = "cRVanDWaaSRvVAEdcb7m"

  for title, options in pairs {
    ["a token"] = { token = canary },
    ["a secret"] = { client_id = "i", client_secret = canary },
    ["Basic"] = { client_id = "i", client_secret = canary,
                  auth_method = "client_secret_basic" },
    ["a function"] = { auth = function() return canary end },
  } do
    it("with " .. title .. " shows it in no field and no text", function()
      local client = helper.client(function(request)
        if request.url:find("token", 1, true) then
          return helper.json(200, { access_token = canary .. "x",
                                    expires_in = 600 })
        end
        return { status = 204 }
      end, options)
      assert(client.sessions:delete(session))
      assert.is_nil(tostring(client):find(canary, 1, true))
      client.transport = nil -- what was sent has it, of course
      assert.is_false(holds(client, canary, {}))
    end)
  end

  it("is not the source of its options' changes", function()
    local options = { token = "t", timeout = 7, headers = { ["X-A"] = "1" },
                      transport = helper.transport { status = 204 } }
    local client = assert(signicat.new(options))
    options.timeout, options.headers["X-A"] = 1, "2"
    assert(client.sessions:delete(session))
    assert.equal(7, options.transport.requests[1].timeout)
    assert.equal("1", options.transport.requests[1].headers["x-a"])
  end)

  it("has the clock that it was given", function()
    local clock = helper.clock(17)
    local client = helper.client(nil, { clock = clock.now })
    assert.equal(17, client:now())
    clock.sleep(3)
    assert.equal(20, client:now())
  end)

  it("has the clock of its transport, else one that goes on", function()
    local transport = helper.transport { status = 204 }
    local client = assert(signicat.new { token = "t", transport = transport })
    local before = client:now()
    assert.is_true(client:now() >= before)
    transport.now = function() return 5 end
    client = assert(signicat.new { token = "t", transport = transport })
    assert.equal(5, client:now())
  end)

  it("makes arrays that are written as such", function()
    assert.equal("[]", core.json_encode(signicat.array()))
    local list = { 1 }
    assert.equal(list, signicat.array(list))
    assert.equal("null", core.json_encode(signicat.null))
  end)
end)

describe("a closed client", function()
  local calls = {
    function(client) client.sessions:get(session) end,
    function(client) client.documents:delete(session) end,
    function(client) client:request("GET", "/x") end,
    function(client) client.sessions:wait(session) end,
  }

  it("raises at the caller's line, by any transport", function()
    for _, transport in ipairs { helper.transport { status = 204 }, false } do
      local client = assert(signicat.new {
        token = "t", transport = transport or nil,
        base_url = "http://127.0.0.1:1" })
      client:close()
      for _, mistake in ipairs(calls) do
        local ok, message = pcall(mistake, client)
        assert.is_false(ok)
        assert.matches("^spec/init_spec%.lua:%d+: this client is closed$",
          message)
      end
    end
  end)

  it("raises before it asks for a token", function()
    local client, transport = helper.client({ status = 500 },
      { client_id = "i", client_secret = "s" })
    client:close()
    assert.has_error(function() client.sessions:get(session) end)
    assert.equal(0, #transport.requests)
  end)

  it("can be closed again, its transport is closed once", function()
    local transport = helper.transport { status = 204 }
    local closed = 0
    function transport.close() closed = closed + 1 end
    local client = assert(signicat.new { token = "t", transport = transport })
    client:close()
    client:close()
    assert.equal(1, closed)
    client = assert(signicat.new { token = "t" })
    client:close()
    client:close()
  end)
end)

-- -- require ----------------------------------------------------------------

describe("require", function()
  it("makes no global", function()
    assert.equal("none\n", helper.run [[
      local before = {}
      for name in pairs(_G) do before[name] = true end
      require "signicat"
      require("signicat").new { token = "t" }
      local new = "none"
      for name in pairs(_G) do if not before[name] then new = name end end
      print(new)
    ]])
  end)

  it("opens nothing, starts no thread and asks for no host", function()
    local counted = [[
      local lfs = require "lfs"
      local function count(path)
        local n = 0
        for _ in lfs.dir(path) do n = n + 1 end
        return n
      end
      local files, threads = count "/proc/self/fd", count "/proc/self/task"
      require "signicat"
      print(count "/proc/self/fd" - files, count "/proc/self/task" - threads)
    ]]
    assert.equal("0\t0\n", helper.run(counted))
  end)

  it("reads nothing of the environment, nor does new", function()
    local code = [[
      local asked = {}
      local getenv = os.getenv
      os.getenv = function(name) asked[#asked + 1] = name end
      local client = require("signicat").new { token = "t" }
      print(client, #asked, pcall(require("signicat").new, {}))
    ]]
    assert.matches("^signicat%.client https://api%.signicat%.com/sign\t0\t"
      .. "false\t[^\n]*give one of `token`",
      helper.run(code, "SIGNICAT_BASE_URL=https://false.example "
        .. "SIGNICAT_TOKEN_URL=https://false.example/t "
        .. "SIGNICAT_CLIENT_ID=false SIGNICAT_CLIENT_SECRET=false"))
  end)

  it("finds the caller's line wherever the library lies", function()
    local output = helper.run [[
      require "signicat.core"
      require("lfs").chdir "lua"
      package.path = "?.lua;?/init.lua"
      local signicat = require "signicat"
      print(pcall(function()
        signicat.new { tokn = "t" }
      end))]]
    assert.matches('^false\t%(command line%):6: new: no option', output)
  end)
end)
