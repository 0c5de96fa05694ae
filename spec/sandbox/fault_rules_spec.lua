-- What a script of faults may say.

local service = require "spec.sandbox.service"

local FAULTS <const> = "/_sandbox/faults"

describe("the sandbox's faults", function()
  local sandbox

  setup(function() sandbox = service.start() end)
  teardown(function() sandbox:finish() end)

  describe("as a script", function()
    local refused = {
      { "[0].fault", { fault = "close2", operation = "*" } },
      { "[0].fault", { operation = "*" } },
      { "[0].operation", { fault = "close" } },
      { "[0].operation", { fault = "close", operation = "sessions:create" } },
      { "[0].operation", { fault = "empty_page", operation = "*" } },
      { "[0].operation", { fault = "wrong_hash", operation = "token" } },
      { "[0].operation", { fault = "refuse", operation = "*" } },
      { "[0].times", { fault = "close", operation = "*", times = 0 } },
      { "[0].skip", { fault = "close", operation = "*", skip = -1 } },
      { "[0].status", { fault = "status", operation = "*" } },
      { "[0].status", { fault = "status", operation = "*", status = 199 } },
      { "[0].status", { fault = "close", operation = "*", status = 500 } },
      { "[0].body", { fault = "status", operation = "*", status = 500,
                      body = "xml" } },
      { "[0].retry_after", { fault = "status", operation = "*", status = 503,
                             retry_after = "date:5" } },
      { "[0].retry_after", { fault = "status", operation = "*", status = 503,
                             retry_after = -1 } },
      { "[0].location", { fault = "redirect", operation = "*" } },
      { "[0].location", { fault = "redirect", operation = "*",
                          location = "/a\r\nb" } },
      { "[0].milliseconds", { fault = "slow", operation = "*" } },
      { "[0].by", { fault = "wrong_length", operation = "*", by = 0 } },
      { "[0].reused_only", { fault = "close", operation = "*",
                             reused_only = 1 } },
    }
    for i, case in ipairs(refused) do
      it(("are refused for %s (%d)"):format(case[1], i), function()
        local status, answer = sandbox:call("POST", FAULTS, { case[2] })
        assert.equal(400, status)
        assert.equal(case[1], answer.invalidParams[1].name)
        local _, left = sandbox:call("GET", FAULTS)
        assert.same({}, left.faults)
      end)
    end

    it("are refused when they are no list, or none at all", function()
      assert.equal(400, (sandbox:call("POST", FAULTS,
        { fault = "close", operation = "*" })))
      assert.equal(400, (sandbox:call("POST", FAULTS, "[]",
        { ["Content-Type"] = "application/json" })))
    end)
  end)
end)
