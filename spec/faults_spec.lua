-- The operations and all that can go wrong on the way: what the caller is told
-- of each fault, and how often the sandbox was asked, however the service is
-- reached and the caller waits. Here in short; spec/soak/faults_soak.lua has
-- the whole.
--
-- SIGNICAT_SHOW_FAULTS=1 prints the table as it was seen.

local core = require "signicat.core"
local fault_ways = require "spec.support.fault_ways"
local faults = require "spec.support.faults"
local sandbox = require "signicat.sandbox"

describe("the table of faults", function()
  it("has a cell for each of them and each operation", function()
    local operations, rows, recipes = faults.names()
    local known = { token = true }
    for name in pairs(core.operations) do known[name] = true end
    assert.same(known, operations)
    assert.same(recipes, rows)
    for _, reach in ipairs { "any", "h2" } do
      for _, cell in ipairs(faults.cells(reach, "all")) do
        local kind = cell.expected:match "^([%a_]+):?%d*%??[+*]?$"
        assert.is_true(cell.expected == "n/a" or kind == "ok"
          or core.kinds[kind] ~= nil, cell.expected)
      end
    end
  end)

  it("has a row for each fault that the sandbox knows", function()
    local service = assert(sandbox.start())
    finally(function() service:stop() end)
    local _, err = service:faults { { operation = "token", fault = "?" } }
    local known = {}
    for name in err.fields[1].reason:match "one of (.*)":gmatch "[%l_]+" do
      known[name] = true
    end
    assert.same(known, (select(4, faults.names())))
  end)
end)

-- What a caller of a Lua does is the same on all; 5.4 tries every operation.
fault_ways.describe("blocking", _VERSION == "Lua 5.4" and "all" or "some")
fault_ways.describe("in tasks", "some")
if _VERSION == "Lua 5.4" then
  fault_ways.describe("in a crowd of tasks", "some")
end
fault_ways.describe("over HTTP/2", "some")
fault_ways.describe("in nginx", "some")

describe("of the twelve operations with a certificate that is", function()
  local ID = "d1234567-89ab-cdef-0123-456789abcdef"
  local service, reach

  local function start(kind)
    service = assert(sandbox.start { tls = kind })
    reach = { tls = { ca_file = service.ca_file }, retries = 2,
              sleep = function() error "there is nothing to wait for" end }
  end

  after_each(function() service:stop() end)

  it("good, all reach the service", function()
    start "good"
    local sign = assert(service:client(reach))
    assert.equal(0, assert(sign.sessions:list()).total)
    sign:close()
  end)

  for _, kind in ipairs { "wrong-name", "expired", "untrusted" } do
    it(kind .. ", none sends anything: tls:0", function()
      start(kind)
      reach.token = "kept-to-itself"
      for _, version in ipairs { "1.1", "2" } do
        reach.http_version = version
        faults.each_operation(ID, function(title, act)
          local sign = assert(service:client(reach))
          local value, err = act(sign)
          sign:close()
          assert.is_nil(value)
          assert.same({ "tls", false, false, 1 },
            { err.kind, err.sent, err.ambiguous, err.attempts }, title)
        end)
      end
      assert.same({}, (assert(service:journal())))
    end)
  end
end)
