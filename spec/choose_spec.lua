-- choose_spec.lua: which transport a client takes outside of nginx; inside it
-- is in nginx_spec.lua.

local signicat = require "signicat"

local function raised(given)
  given.token = "t"
  local ok, message = pcall(signicat.new, given)
  assert.is_false(ok)
  return message
end

describe("outside of nginx the transport", function()
  it("is libcurl's, named or not", function()
    for _, name in ipairs { "none", "curl" } do
      local sign = assert(signicat.new { token = "t",
        transport = name ~= "none" and name or nil,
        tls = { ca_file = "/nowhere.pem" } })
      assert.is_userdata(sign.transport.loop.multi)
      sign:close()
    end
  end)

  it("may be forced, which changes nothing", function()
    assert(signicat.new { token = "t", transport = "curl",
                          block_nginx = true }):close()
  end)

  it("cannot be nginx's", function()
    assert.matches("works inside nginx only", raised { transport = "nginx" })
  end)

  it("has no other name", function()
    assert.matches('or "curl" or "nginx"', raised { transport = "socket" })
    assert.matches("goes with transport", raised { block_nginx = true })
  end)
end)
