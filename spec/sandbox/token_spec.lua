-- The token endpoint, and what tokens open.

local mime = require "mime"
local service = require "spec.sandbox.service"

describe("the sandbox's tokens", function()
  local sandbox

  setup(function() sandbox = service.start("--token-ttl", "500") end)
  teardown(function() sandbox:finish() end)

  local function values(changes)
    local form = {
      grant_type = "client_credentials", scope = "signicat-api",
      client_id = sandbox.client_id, client_secret = sandbox.client_secret,
    }
    for name, value in pairs(changes or {}) do form[name] = value or nil end
    return form
  end

  local function basic(id, secret)
    return { Authorization = "Basic " .. mime.b64(id .. ":" .. secret) }
  end

  it("come for credentials in the form", function()
    local status, answer, headers = sandbox:ask_token(values())
    assert.equal(200, status)
    assert.equal("Bearer", answer.token_type)
    assert.equal(500, answer.expires_in)
    assert.is_true(#answer.access_token >= 32)
    assert.equal("no-store", headers["cache-control"])
  end)

  it("come for credentials by HTTP Basic", function()
    local status, answer = sandbox:ask_token(
      values { client_id = false, client_secret = false },
      basic(sandbox.client_id, sandbox.client_secret))
    assert.equal(200, status)
    assert.is_string(answer.access_token)
  end)

  it("come for Basic credentials that were form-encoded first", function()
    local status = sandbox:ask_token(
      values { client_id = false, client_secret = false },
      basic((sandbox.client_id:gsub("-", "%%2D")), sandbox.client_secret))
    assert.equal(200, status)
  end)

  it("are different each time", function()
    local _, first = sandbox:ask_token(values())
    local _, second = sandbox:ask_token(values())
    assert.not_equal(first.access_token, second.access_token)
  end)

  local refusals = {
    { "a wrong secret", 401, "invalid_client", { client_secret = "x" } },
    { "a wrong id", 401, "invalid_client", { client_id = "x" } },
    { "no secret", 401, "invalid_client", { client_secret = false } },
    { "no grant type", 400, "invalid_request", { grant_type = false } },
    { "another grant type", 400, "unsupported_grant_type",
      { grant_type = "password" } },
    { "another scope", 400, "invalid_scope", { scope = "openid" } },
    { "a scope that only begins alike", 400, "invalid_scope",
      { scope = "signicat-apis" } },
    { "no scope", 400, "invalid_scope", { scope = false } },
    { "a parameter twice", 400, "invalid_request",
      { scope = "signicat-api&scope=signicat-api" } },
    { "a broken escape", 400, "invalid_request", { scope = "%zz" } },
  }
  for _, refusal in ipairs(refusals) do
    local name, wanted, code, changes = table.unpack(refusal)
    it("are refused for " .. name .. ", in the OAuth form", function()
      local status, answer, headers = sandbox:ask_token(values(changes))
      assert.equal(wanted, status)
      assert.equal(code, answer.error)
      assert.is_string(answer.error_description)
      assert.equal("application/json", headers["content-type"])
    end)
  end

  it("are refused for wrong Basic credentials, with a challenge", function()
    for _, header in ipairs {
      basic(sandbox.client_id, "x"), { Authorization = "Basic !" },
      { Authorization = "Basic " .. ("QUJD"):rep(1000) },
      { Authorization = "Digest x" }, { Authorization = "Basic" },
    } do
      local status, answer, headers = sandbox:ask_token(
        values { client_id = false, client_secret = false }, header)
      assert.equal(401, status)
      assert.equal("invalid_client", answer.error)
      assert.matches("^Basic ", headers["www-authenticate"])
    end
  end)

  it("are refused for credentials in both places", function()
    local status, answer = sandbox:ask_token(values(),
      basic(sandbox.client_id, sandbox.client_secret))
    assert.equal(400, status)
    assert.equal("invalid_request", answer.error)
  end)

  it("are refused for a body of another type", function()
    local status = sandbox:call("POST", "/auth/open/connect/token",
      { grant_type = "client_credentials" })
    assert.equal(415, status)
  end)

  it("open the API whatever the letter case of Bearer", function()
    sandbox:renew()
    local status = sandbox:call("GET", "/sign/signing-sessions", nil,
      { Authorization = "bearer " .. sandbox.token })
    assert.equal(200, status)
  end)

  it("are needed for every operation", function()
    local id = service.unknown_id
    for _, operation in ipairs {
      { "POST", "/documents" }, { "GET", "/documents/" .. id },
      { "DELETE", "/documents/" .. id },
      { "PATCH", "/documents/" .. id .. "/metadata" },
      { "GET", "/documents/" .. id .. "/metadata" },
      { "POST", "/document-collections" },
      { "GET", "/document-collections/" .. id },
      { "DELETE", "/document-collections/" .. id },
      { "POST", "/signing-sessions" }, { "GET", "/signing-sessions" },
      { "GET", "/signing-sessions/" .. id },
      { "DELETE", "/signing-sessions/" .. id },
    } do
      for _, header in ipairs { false, "Bearer x", "Bearer ", "Basic eDp5",
                                "Bearer " .. ("x"):rep(9000) } do
        local status, answer, headers = sandbox:call(operation[1],
          "/sign" .. operation[2], nil, { Authorization = header })
        assert.equal(401, status)
        assert.equal("invalid_token", answer.code)
        assert.equal("Invalid authentication token.", answer.title)
        assert.matches("^Bearer", headers["www-authenticate"])
      end
    end
  end)

  it("end after their time", function()
    local one = service.start("--token-ttl", "1")
    service.await("the token's end", function()
      return one:call("GET", "/sign/signing-sessions") == 401
    end)
    one:finish()
  end)
end)
