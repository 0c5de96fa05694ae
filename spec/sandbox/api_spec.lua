-- The table of endpoints in docs/sandbox.md: each is there and asks for
-- credentials, and none is missing.

local service = require "spec.sandbox.service"

-- Its first column: a list of { method, path below the service's address }.
local function endpoints()
  local found = {}
  local text = service.read "docs/sandbox.md":match "\n## The API\n(.-)\n## "
  for method, path in text:gmatch "\n| `(%u+) (/%S+)` |" do
    if not path:find "^/auth" then path = "/sign" .. path end
    found[#found + 1] = { method, path }
  end
  return found
end

describe("the sandbox's API", function()
  local sandbox

  setup(function() sandbox = service.start() end)
  teardown(function() sandbox:finish() end)

  it("is told whole: twelve operations, and tokens", function()
    local told, count = {}, 0
    for _, one in ipairs(endpoints()) do
      local name = table.concat(one, " ")
      assert.is_nil(told[name], name)
      told[name] = true
      count = count + 1
    end
    assert.equal(13, count)
  end)

  for _, one in ipairs(endpoints()) do
    local method, path = one[1], one[2]:gsub("{.-}", service.unknown_id)
    it(("has %s %s, and asks for credentials"):format(method, one[2]),
      function()
        local status, answer = sandbox:call(method, path, nil,
          { Authorization = false,
            ["Content-Type"] = path:find "^/auth"
              and "application/x-www-form-urlencoded" or nil })
        assert.equal(401, status)
        assert.equal(path:find "^/auth" and "invalid_client"
          or "invalid_token", answer.error or answer.code)
      end)
  end
end)
