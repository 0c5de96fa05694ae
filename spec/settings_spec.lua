-- settings_spec.lua: the headers that go out with every call and with one, and
-- which of two with one name does.

local helper = require "spec.helper"

local session = helper.session

describe("a header", function()
  local function sent(options, opts)
    local client, transport = helper.client({ status = 204 }, options)
    assert(client.sessions:delete(session, opts))
    return transport.requests[1].headers
  end

  it("is the client's own, the token's and no other", function()
    assert.same({
      accept = "application/json, */*;q=0.5",
      authorization = "Bearer t",
      ["user-agent"] = "lua-signicat/" .. require "signicat"._VERSION,
    }, sent())
  end)

  it("comes from the client's options and the call's", function()
    local headers = sent({ headers = { ["X-One"] = "1" } },
      { headers = { ["x-two"] = 2 } })
    assert.equal("1", headers["x-one"])
    assert.equal("2", headers["x-two"])
  end)

  it("of a call takes the place of the client's, whatever its letter case",
    function()
      local headers = sent({ headers = { ["X-One"] = "1", ["X-Two"] = "2" } },
        { headers = { ["x-oNe"] = "3" } })
      assert.equal("3", headers["x-one"])
      assert.equal("2", headers["x-two"])
    end)

  it("takes the place of our own", function()
    local headers = sent({ headers = { ["User-Agent"] = "mine/1" } },
      { headers = { ACCEPT = "text/plain" } })
    assert.equal("mine/1", headers["user-agent"])
    assert.equal("text/plain", headers.accept)
  end)

  it("of a call is for that call", function()
    local client, transport = helper.client { status = 204 }
    assert(client.sessions:delete(session, { headers = { ["X-One"] = "1" } }))
    assert(client.sessions:delete(session))
    assert.equal("1", transport.requests[1].headers["x-one"])
    assert.is_nil(transport.requests[2].headers["x-one"])
  end)

  it("keeps tabs and bytes beyond ASCII", function()
    assert.equal("a\tb\195\165",
      sent { headers = { ["X-One"] = "a\tb\195\165" } }["x-one"])
  end)

  for _, headers in ipairs { { ["X-One"] = true }, { ["X-One"] = {} },
                             { "X-One: 1" }, { [true] = "1" } } do
    it("that is no text is refused at the caller's line", function()
      local client = helper.client { status = 204 }
      local ok, message = pcall(function()
        client.sessions:delete(session, { headers = headers })
      end)
      assert.is_false(ok)
      assert.matches("^spec/settings_spec%.lua:%d+: header", message)
    end)
  end

  -- name, value, and why not
  local controls = "must not contain control characters or line ends"
  local form = "must be a header name: letters, digits and dashes"
  local ours = "is set by the client"
  local refusals = {
    { "X-One", "a\r\nX-Two: b", controls }, { "X-One", "a\n", controls },
    { "X-One", "a\0b", controls }, { "X-One", "\27[31m", controls },
    { "X-One", "\127", controls },
    { "X One", "a", form }, { "X-One:", "a", form }, { "X\r\nY", "a", form },
    { "X\0", "a", form }, { "blå", "a", form },
    { "", "a", "must not be empty" }, { "X-One", "", "must not be empty" },
    { "Authorization", "Bearer x", ours }, { "HOST", "x", ours },
    { "content-length", "0", ours }, { "Content-Type", "text/plain", ours },
    { "Transfer-Encoding", "chunked", ours }, { "Connection", "close", ours },
    { "Expect", "100-continue", ours },
  }
  for _, case in ipairs(refusals) do
    local name, value, reason = table.unpack(case)
    it(("%q with %q is refused at the caller's line"):format(name, value),
      function()
        local client, transport = helper.client { status = 204 }
        local headers = { [name] = value }
        local ok, message = pcall(function()
          client.sessions:delete(session, { headers = headers })
        end)
        assert.is_false(ok)
        assert.matches("^spec/settings_spec%.lua:%d+: header '", message)
        assert.equal(reason, message:sub(-#reason))
        assert.equal(0, #transport.requests)
        assert.has_error(function() sent { headers = headers } end)
      end)
  end
end)
