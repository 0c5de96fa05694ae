-- connection_spec.lua: what a client may be told of its connections. The
-- connections themselves are in tls_spec.lua.

local connection = require "signicat.connection"
local helper = require "spec.helper"
local signicat = require "signicat"

local PEM = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"

local function raised(given)
  given.token = "t"
  local ok, message = pcall(signicat.new, given)
  assert.is_false(ok)
  return tostring(message)
end

describe("a mistake in", function()
  local mistakes = {
    { { tls = true }, "option 'tls' must be a table" },
    { { tls = { ca = "x" } }, "option 'tls' has no 'ca'" },
    { { tls = { ca_fil = "x" } }, "did you mean 'ca_file'?" },
    { { tls = { ca_file = "" } },
      "has a 'ca_file' that must be a string that is not empty" },
    { { tls = { ca_file = "a\0b" } },
      "has a 'ca_file' that must be a string that is not empty" },
    { { tls = { ca_pem = "/etc/ca.pem" } },
      "has a 'ca_pem' that must be the text of certificates, in PEM" },
    { { tls = { ca_file = "a", ca_pem = PEM } },
      "takes either `ca_file` or `ca_pem`" },
    { { tls = { key = "a" } }, "has a `key` without `cert`" },
    { { tls = { insecure = 1 } }, "has a 'insecure' that must be a boolean" },
    { { tls = { insecure_anywhere = true } },
      "has `insecure_anywhere` without `insecure`" },
    { { http_version = "3" }, "option 'http_version' must be one of" },
    { { http_version = 2 }, "option 'http_version' must be one of" },
    { { no_proxy = true }, "option 'no_proxy' must be host names" },
    { { proxy = "ftp://u:pencil@h" }, "option 'proxy' must be a URL" },
    { { proxy = "proxy.example:3128" }, "option 'proxy' must be a URL" },
    { { proxy = "http://u:pencil@h/path" }, "option 'proxy' must be a URL" },
    { { proxy = "http://u:pencil@h\r\n" }, "option 'proxy' must be a URL" },
    { { proxy = 1 }, "option 'proxy' must be a URL" },
  }
  for i, case in ipairs(mistakes) do
    it(("the options raises: %s (%d)"):format(case[2], i), function()
      local message = raised(case[1])
      assert.is_truthy(message:find(case[2], 1, true), message)
      assert.is_nil(message:find("pencil", 1, true))
    end)
  end

  it("options that another transport would not hear of raises", function()
    for name, value in pairs { tls = {}, proxy = "http://h", no_proxy = "h",
                               http_version = "2" } do
      local message = raised { transport = helper.transport {},
                               [name] = value }
      assert.matches("option '" .. name .. "' does not go with `transport`",
        message)
    end
  end)
end)

describe("trusting anybody", function()
  local function fields(base_url, token_url, anywhere)
    local client, err = signicat.new { base_url = base_url, token = "t",
      token_url = token_url,
      tls = { insecure = true, insecure_anywhere = anywhere } }
    if client then client:close() end
    return err and err.kind, err and err.fields[1].name
  end

  it("is for this machine", function()
    for _, host in ipairs { "127.0.0.1:1", "localhost", "[::1]:8443" } do
      assert.is_nil((fields("https://" .. host .. "/sign")))
    end
    for _, host in ipairs { "sign.example", "127.0.0.1.example",
                            "localhost.example", "192.0.2.1" } do
      assert.same({ "invalid", "tls.insecure" },
        { fields("https://" .. host .. "/sign") })
    end
  end)

  it("is not for a token endpoint elsewhere either", function()
    assert.same({ "invalid", "tls.insecure" },
      { fields("https://localhost", "https://sign.example/token") })
  end)

  it("is for elsewhere when that is said twice", function()
    assert.is_nil((fields("https://sign.example/sign", nil, true)))
  end)
end)

describe("the settings of connections", function()
  it("are none when nothing is said", function()
    assert.is_nil(connection.settings { token = "t" })
  end)

  it("tell a path from PEM text", function()
    assert.same({ cert_pem = PEM, key_file = "k", ca_file = "c" },
      connection.settings { tls = { ca_file = "c", cert = PEM, key = "k" } })
  end)

  it("take the key from the certificate's file without another", function()
    assert.same({ cert_file = "both.pem", key_file = "both.pem" },
      connection.settings { tls = { cert = "both.pem" } })
  end)

  it("keep a proxy's password out of its address", function()
    assert.same({ proxy = "http://h:3128", proxy_user = "me@home",
                  proxy_password = "a:b/c" },
      connection.settings { proxy = "HTTP://me%40home:a:b%2Fc@h:3128" })
    assert.same({ proxy = "socks5h://h", proxy_user = "me",
                  proxy_password = "" },
      connection.settings { proxy = "socks5h://me@h/" })
    assert.same({ proxy = "http://[::1]:1", no_proxy = "a,b" },
      connection.settings { proxy = "http://[::1]:1", no_proxy = "a,b" })
  end)
end)
