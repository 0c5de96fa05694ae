-- The journal: what the service has seen, as specs of a client ask it.

local cjson = require "cjson"
local service = require "spec.sandbox.service"
local socket = require "socket"

local LIST <const> = "/sign/signing-sessions"
local JOURNAL <const> = "/_sandbox/journal"

describe("the sandbox's journal", function()
  local sandbox

  setup(function() sandbox = service.start() end)
  before_each(function() sandbox:call("DELETE", JOURNAL) end)
  teardown(function() sandbox:finish() end)

  local function operations(query)
    local names = {}
    for i, entry in ipairs(sandbox:journal(query)) do
      names[i] = entry.operation
    end
    return names
  end

  it("tells each request in order", function()
    sandbox:renew()
    local session = sandbox:session()
    sandbox:call("GET", LIST .. "?limit=7&state=READY")
    sandbox:call("GET", LIST .. "/" .. session.id)
    assert.same({ "token", "uploadDocument", "createDocumentCollection",
                  "createSigningSession", "listSigningSessions",
                  "getSigningSession" }, operations())
    local list = sandbox:journal()[5]
    assert.equal("GET", list.method)
    assert.equal(LIST, list.path)
    assert.equal("limit=7&state=READY", list.query)
    assert.equal(200, list.status)
    assert.equal(0, list.bodySize)
    assert.equal(service.null, list.fault)
    assert.matches("^%d+-%d+-%d+T.*Z$", list.at)
    local upload = sandbox:journal()[2]
    assert.equal(#"Agreed", upload.bodySize)
    assert.equal(service.null, upload.query)
  end)

  it("numbers requests, and goes on doing so", function()
    sandbox:upload()
    sandbox:upload()
    local first, second = table.unpack((sandbox:journal()))
    assert.equal(first.number + 1, second.number)
    sandbox:call("DELETE", JOURNAL)
    sandbox:upload()
    local third = sandbox:journal()
    assert.equal(1, #third)
    assert.equal(second.number + 1, third[1].number)
  end)

  it("tells connections apart, and the requests on each", function()
    local request = sandbox:head("GET", LIST)
    sandbox:raw(request, request,
      sandbox:head("GET", LIST, "Connection: close\r\n"))
    sandbox:call("GET", LIST)
    local turns, connections = {}, {}
    for i, entry in ipairs(sandbox:journal()) do
      turns[i], connections[i] = entry.turn, entry.connection
    end
    assert.same({ 1, 2, 3, 1 }, turns)
    assert.equal(connections[1], connections[2])
    assert.equal(connections[1], connections[3])
    assert.not_equal(connections[1], connections[4])
  end)

  it("holds refusals and paths that are none, but not its own", function()
    sandbox:call("GET", LIST, nil, { Authorization = false })
    sandbox:call("GET", "/sign/nothing")
    sandbox:call("GET", "/elsewhere")
    sandbox:call("GET", "/_sandbox/clock")
    local first, second, third = table.unpack((sandbox:journal()))
    assert.equal(401, first.status)
    assert.equal("listSigningSessions", first.operation)
    assert.equal(404, second.status)
    assert.equal("/sign/nothing", second.path)
    assert.equal(service.null, second.operation)
    assert.is_nil(third)
  end)

  it("is asked for one operation, and for what came after a number",
    function()
      sandbox:session()
      sandbox:upload()
      assert.same({ "uploadDocument", "uploadDocument" },
        operations "?operation=uploadDocument")
      local all = sandbox:journal()
      local last = all[#all].number
      assert.same({ "uploadDocument" },
        operations(("?after=%d"):format(last - 1)))
      assert.same({}, operations(("?after=%d"):format(last)))
      assert.same({}, operations "?after=999999999999999")
      assert.same({ "uploadDocument" },
        operations(("?operation=uploadDocument&after=%d"):format(
          all[1].number)))
    end)

  it("is refused with a filter it does not know", function()
    for _, query in ipairs { "operations=x", "after=", "after=-1", "after=x",
                             "after=1&after=2", "after=9999999999999999" } do
      local status, answer = sandbox:call("GET", JOURNAL .. "?" .. query)
      assert.equal(400, status)
      assert.equal(query:match "^%a+", answer.invalidParams[1].name)
    end
  end)

  it("is refused with one whose name is cut where it is told", function()
    for _, name in ipairs { ("\xc3\xa9"):rep(600), ("\xe2\x82\xac"):rep(400),
                            "a" .. ("\xe2\x82\xac"):rep(400) } do
      local status, answer = sandbox:call("GET", JOURNAL .. "?"
        .. name:gsub(".", function(c) return ("%%%02x"):format(c:byte()) end))
      assert.equal(400, status)
      assert.equal(name, answer.invalidParams[1].name)
      assert.is_true(utf8.len(answer.detail) > 300)
    end
  end)

  it("holds no token, no secret, no body and no signing URL", function()
    sandbox:renew()
    local session = sandbox:session { title = "canary title" }
    sandbox:call("GET", (session.signatureUrl:sub(#sandbox.url + 1)))
    sandbox:call("GET", "/sign/?sessionId=canary")
    local _, answer = sandbox:call("GET", JOURNAL)
    local text = cjson.encode(answer)
    for _, secret in ipairs { sandbox.token, sandbox.client_secret, "canary",
                              session.signatureUrl:match "sessionId=(.*)" } do
      assert.is_nil(text:find(secret, 1, true))
    end
    assert.equal("/sign/", answer.requests[#answer.requests].path)
  end)

  it("tells a request whose client went before its end", function()
    local client = assert(socket.connect("127.0.0.1", sandbox.port))
    client:send(sandbox:head("POST", "/sign/documents",
      "Content-Type: text/plain\r\nContent-Length: 100\r\n") .. "half")
    service.await("the entry", function() return sandbox:journal()[1] end)
    client:close()
    service.await("its end", function()
      return sandbox:journal()[1].bodySize == 4
    end)
    assert.equal(service.null, sandbox:journal()[1].status)
  end)

  it("cuts what is very long, and shows what is not ASCII as marks", function()
    sandbox:raw(sandbox:head("GET", "/sign/\xff\xfe" .. ("x"):rep(5000),
      "Connection: close\r\n"))
    local path = sandbox:journal()[1].path
    assert.equal("/sign/??x", path:sub(1, 9))
    assert.equal(1024, #path)
  end)

  it("keeps the last ten thousand and counts the others", function()
    local block = sandbox:head("GET", LIST .. "?limit=1"):rep(50)
    local client = assert(socket.connect("127.0.0.1", sandbox.port))
    for i = 1, 201 do
      client:send(i == 201
        and sandbox:head("GET", LIST, "Connection: close\r\n") or block)
      if i < 201 then
        for _ = 1, 50 do
          local size
          repeat
            local line = assert(client:receive "*l")
            size = tonumber(line:match "^Content%-Length: (%d+)") or size
          until line == ""
          assert(client:receive(size))
        end
      end
    end
    assert(client:receive "*a")
    client:close()
    local requests, dropped = sandbox:journal()
    assert.equal(10000, #requests)
    assert.equal(1, dropped)
    assert.equal(requests[1].number + 9999, requests[10000].number)
    assert.equal(10001, requests[10000].turn)
    sandbox:call("DELETE", JOURNAL)
    assert.same({ {}, 0 }, { sandbox:journal() })
  end)
end)
