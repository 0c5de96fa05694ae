-- Filling the account at once, and emptying it.

local service = require "spec.sandbox.service"

local LIST <const> = "/sign/signing-sessions"
local SEED <const> = "/_sandbox/seed"
local RESET <const> = "/_sandbox/reset"

describe("the sandbox's seed", function()
  local sandbox

  before_each(function() sandbox = service.start() end)
  after_each(function() sandbox:finish() end)

  local function list(query)
    local status, page = sandbox:call("GET", LIST .. query)
    assert.equal(200, status)
    return page
  end

  local function seed(fields)
    local status, answer = sandbox:call("POST", SEED, fields)
    assert.equal(201, status)
    return answer
  end

  it("makes sessions that are as whole as any", function()
    local made = seed { sessions = 3 }
    local page = list "?sort=%2BcreatedAt"
    assert.equal(3, page.total)
    for i, session in ipairs(page.data) do
      assert.equal("Seeded " .. i, session.title)
      assert.same({ state = "READY", stateIsFinal = false },
        session.lifecycle)
      assert.same({ { documentId = made.documentId, action = "SIGN",
                      documentCollectionId = made.documentCollectionId } },
        session.documents)
      local status, read = sandbox:call("GET", LIST .. "/" .. session.id)
      assert.equal(200, status)
      assert.same(session, read)
    end
    local first = page.data[1]
    assert.equal(200, (sandbox:sign(first)))
    assert.equal("SIGNED", sandbox:state(first).state)
    assert.equal(409, (sandbox:call("DELETE",
      "/sign/document-collections/" .. made.documentCollectionId)))
  end)

  for _, state in ipairs { "READY", "SIGNED", "REJECTED" } do
    it("makes them " .. state, function()
      seed { sessions = 2, state = state }
      assert.equal(2, list("?state=" .. state).total)
      assert.equal(state ~= "READY",
        list("").data[1].lifecycle.stateIsFinal)
    end)
  end

  it("puts them behind those there are, and before those to come", function()
    sandbox:session { title = "before" }
    seed { sessions = 2 }
    seed { sessions = 1000 }
    seed { sessions = 1 }
    sandbox:session { title = "after" }
    local page = list "?sort=%2BcreatedAt&limit=1000"
    assert.equal(1005, page.total)
    assert.equal("before", page.data[1].title)
    for i = 2, #page.data do
      assert.is_true(page.data[i - 1].id < page.data[i].id)
    end
    assert.equal("after", list("?limit=1").data[1].title)
  end)

  it("makes as many as a client may page through, and they stay in order",
    function()
      seed { sessions = 101500 }
      local seen, last = 0, ""
      local page = list "?sort=%2BcreatedAt&limit=1000&offset=100000"
      assert.equal(101500, page.total)
      assert.equal("Seeded 100001", page.data[1].title)
      for _, offset in ipairs { 0, 1000, 50000, 99000, 100000 } do
        page = list(("?sort=%%2BcreatedAt&limit=1000&offset=%d"):format(
          offset))
        assert.equal(1000, page.count)
        for i, session in ipairs(page.data) do
          assert.equal("Seeded " .. offset + i, session.title)
          assert.is_true(last < session.id)
          last = session.id
          seen = seen + 1
        end
      end
      assert.equal(5000, seen)
      assert.equal(1, list("?sessionTitleLike=seeded%20101500").total)
    end)

  it("refuses what it cannot make", function()
    for _, body in ipairs {
      {}, { sessions = 0 }, { sessions = -1 }, { sessions = 200001 },
      { sessions = "3" }, { sessions = 1.5 }, { sessions = 1, title = "x" },
      { sessions = 1, state = "BLOCKED" }, { sessions = 1, state = "OPEN" },
    } do
      assert.equal(400, (sandbox:call("POST", SEED, body)))
    end
    assert.equal(0, list("").total)
  end)

  describe("followed by a reset", function()
    it("leaves an account as it was when it was new", function()
      local session = sandbox:session {
        signingSetup = { { signingFlow = "AUTHENTICATION_BASED" } } }
      sandbox:sign(session)
      sandbox:session { subsequentTo = { session.id } }
      seed { sessions = 100 }
      sandbox:call("POST", "/_sandbox/clock", { advance = 3600 })
      sandbox:script { { operation = "*", fault = "close", skip = 9 } }
      local _, ca = sandbox:call("GET", "/_sandbox/ca.pem")
      local token = sandbox.token

      assert.equal(204, (sandbox:call("POST", RESET)))
      assert.same({}, (sandbox:journal()))
      local _, faults = sandbox:call("GET", "/_sandbox/faults")
      assert.same({}, faults.faults)
      local _, clock = sandbox:call("GET", "/_sandbox/clock")
      assert.equal(0, clock.advanced)
      assert.equal(401, (sandbox:call("GET", LIST)))

      sandbox:renew()
      assert.not_equal(token, sandbox.token)
      assert.equal(0, list("").total)
      for path, id in pairs {
        ["/sign/signing-sessions/"] = session.id,
        ["/sign/documents/"] = session.documents[1].documentId,
        ["/sign/document-collections/"] =
          session.documents[1].documentCollectionId,
      } do
        assert.equal(404, (sandbox:call("GET", path .. id)))
      end
      local _, again = sandbox:call("GET", "/_sandbox/ca.pem")
      assert.equal(ca, again)
      assert.equal("READY", sandbox:session().lifecycle.state)
    end)

    it("leaves no file behind", function()
      local folder = service.folder()
      finally(function() service.remove(folder) end)
      local one = service.start("--data", folder)
      one:upload()
      one:call("POST", SEED, { sessions = 1 })
      assert.equal(204, (one:call("POST", RESET)))
      local pipe = io.popen("ls -A " .. folder .. "/documents")
      assert.equal("", pipe:read "a")
      pipe:close()
      one:finish()
    end)

    it("takes an empty body, an empty object, and nothing else", function()
      assert.equal(204, (sandbox:call("POST", RESET, "{}",
        { ["Content-Type"] = "application/json" })))
      local status, answer = sandbox:call("POST", RESET, { keep = true })
      assert.equal(400, status)
      assert.equal("keep", answer.invalidParams[1].name)
    end)
  end)
end)
