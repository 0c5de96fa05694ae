-- Faults that are an answer instead of the operation's, or make it worse.

local cjson = require "cjson"
local service = require "spec.sandbox.service"
local wire = require "spec.sandbox.wire"

local LIST <const> = "/sign/signing-sessions"
local FAULTS <const> = "/_sandbox/faults"
local TOKEN <const> = "/auth/open/connect/token"

describe("the sandbox's faults", function()
  local sandbox

  setup(function() sandbox = service.start() end)
  before_each(function()
    sandbox:call("DELETE", FAULTS)
    sandbox:call("DELETE", "/_sandbox/journal")
  end)
  teardown(function() sandbox:finish() end)

  local function script(...) return sandbox:script { ... } end

  describe("in the operation's place", function()
    it("answer with a status and a problem", function()
      local session = sandbox:session()
      local another = { title = "Lost", documents = session.documents,
                        signingSetup = session.signingSetup }
      local function total()
        return select(2, sandbox:call("GET", LIST)).total
      end
      for _, status in ipairs { 400, 401, 403, 404, 409, 429, 500, 502, 503,
                                504 } do
        script { operation = "createSigningSession", fault = "status",
                 status = status }
        local before = total()
        local got, problem, headers = sandbox:call("POST", LIST, { another })
        assert.equal(status, got)
        assert.equal("application/problem+json", headers["content-type"])
        assert.equal(status, problem.status)
        assert.is_nil(headers["retry-after"])
        assert.equal(before, total())
      end
    end)

    it("answer to a token request, too", function()
      script { operation = "token", fault = "status", status = 503 }
      local status = sandbox:ask_token {}
      assert.equal(503, status)
      assert.equal(400, (sandbox:ask_token {
        client_id = sandbox.client_id,
        client_secret = sandbox.client_secret }))
      assert.equal("token", sandbox:journal()[1].operation)
      assert.equal(TOKEN, sandbox:journal()[1].path)
    end)

    local bodies = {
      { "html", "text/html", "^<!DOCTYPE html>.*</html>\n$" },
      { "empty", nil, "^$" },
      { "object", "application/json", "^{\"message\":\"no\"}$" },
      { "nonsense", "application/json", "^}no JSON" },
    }
    for _, case in ipairs(bodies) do
      it("answer with " .. case[1] .. " for a body", function()
        script { operation = "listSigningSessions", fault = "status",
                 status = 502, body = case[1] }
        local status, headers, body = wire.ask(sandbox,
          sandbox:head("GET", LIST))
        assert.equal(502, status)
        assert.equal(case[2], headers["content-type"])
        assert.matches(case[3], body)
        assert.equal(502, sandbox:journal()[1].status)
      end)
    end

    it("say when to come again, in seconds or as a date", function()
      for _, status in ipairs { 429, 503 } do
        script({ operation = "*", fault = "status", status = status,
                 retry_after = 7 },
               { operation = "*", fault = "status", status = status,
                 retry_after = "date:+90", body = "empty" })
        local _, _, headers = sandbox:call("GET", LIST)
        assert.equal("7", headers["retry-after"])
        _, _, headers = sandbox:call("GET", LIST)
        local first, second = headers.date, headers["retry-after"]
        local shape = "^(%a+, %d%d %a+ %d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$"
        local day, hour, minute, second_of = first:match(shape)
        local later_day, h, m, s = second:match(shape)
        local passed = (h - hour) * 3600 + (m - minute) * 60 + s - second_of
        assert.equal(day == later_day and 90 or 90 - 86400, passed)
      end
    end)

    it("answer 200 with what is not the answer", function()
      script({ operation = "listSigningSessions", fault = "html" },
             { operation = "listSigningSessions", fault = "not_json" })
      local status, body, headers = sandbox:call("GET", LIST)
      assert.equal(200, status)
      assert.equal("text/html", headers["content-type"])
      assert.matches("^<!DOCTYPE html>", body)
      status, headers, body = wire.ask(sandbox, sandbox:head("GET", LIST))
      assert.equal(200, status)
      assert.equal("application/json", headers["content-type"])
      assert.is_true(#body > 0)
      assert.is_false((pcall(cjson.decode, body)))
    end)

    it("send the client elsewhere", function()
      for _, status in ipairs { false, 301, 302, 307, 308 } do
        script { operation = "*", fault = "redirect",
                 status = status or nil, location = "http://localhost:1/x" }
        local got, body, headers = sandbox:call("GET", LIST)
        assert.equal(status or 307, got)
        assert.equal("http://localhost:1/x", headers.location)
        assert.equal("", body)
      end
    end)

    it("let a client that waits with its body go on first", function()
      script { operation = "uploadDocument", fault = "status", status = 503 }
      local client = wire.open(sandbox)
      client:send(sandbox:head("POST", "/sign/documents",
        "Content-Type: text/plain\r\nContent-Length: 4\r\n"
        .. "Expect: 100-continue\r\n"))
      assert.equal(100, (client:answer()))
      client:send "four"
      assert.equal(503, (client:answer()))
      client:close()
    end)
  end)

  describe("of the list", function()
    local paged

    setup(function()
      paged = service.start()
      paged:call("POST", "/_sandbox/seed", { sessions = 10 })
    end)
    teardown(function() paged:finish() end)

    local function page(query, name)
      if name then
        paged:script { { operation = "listSigningSessions", fault = name } }
      end
      local _, answer = paged:call("GET",
        LIST .. "?sort=%2BcreatedAt" .. query)
      assert.equal(answer.count, #answer.data)
      assert.equal(10, answer.total)
      return answer
    end

    it("empty a page", function()
      local answer = page("&limit=4&offset=4", "empty_page")
      assert.same({}, answer.data)
      assert.equal(4, answer.offset)
    end)

    it("shorten a page by its second half", function()
      local answer = page("&limit=4&offset=4", "short_page")
      local full = page "&limit=4&offset=4"
      assert.same({ full.data[1], full.data[2] }, answer.data)
    end)

    it("repeat the page before, as if it were the one asked for", function()
      local again = page("&limit=4&offset=4", "duplicate_page")
      assert.same(page("&limit=4&offset=0").data, again.data)
      assert.equal(4, again.offset)
      again = page("&limit=4&offset=2", "duplicate_page")
      assert.same(page("&limit=4&offset=0").data, again.data)
      assert.equal(2, again.offset)
    end)
  end)

  describe("of a document", function()
    it("change the hash that an upload and its facts are answered with",
      function()
        script({ operation = "uploadDocument", fault = "wrong_hash" },
               { operation = "getDocumentInfo", fault = "wrong_hash" })
        local wrong = sandbox:upload()
        local right = sandbox:upload()
        local hash = wrong.documentHash.hash
        assert.equal(#right.documentHash.hash, #hash)
        assert.not_equal(right.documentHash.hash, hash)
        local path = "/sign/documents/" .. wrong.documentId .. "/metadata"
        local _, facts = sandbox:call("GET", path)
        assert.equal(hash, facts.documentHash.hash)
        _, facts = sandbox:call("GET", path)
        assert.equal(right.documentHash.hash, facts.documentHash.hash)
      end)

    it("change the bytes of a download, not their number", function()
      local path = "/sign/documents/" .. sandbox:upload("Agreed").documentId
      script { operation = "getDocument", fault = "wrong_hash" }
      local _, bytes = sandbox:call("GET", path)
      assert.equal("@greed", bytes)
      _, bytes = sandbox:call("GET", path)
      assert.equal("Agreed", bytes)
    end)
  end)
end)
