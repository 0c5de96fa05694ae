-- A request's id in its answer and its problem, and its line in the log.

local judges = require "spec.support.judges"
local service = require "spec.sandbox.service"
local socket = require "socket"

describe("the sandbox's log", function()
  local sandbox, folder, path

  before_each(function()
    folder = service.folder()
    path = folder .. "/requests.log"
    sandbox = service.start("--log", path)
  end)
  after_each(function()
    sandbox:stop()
    service.remove(folder)
  end)

  local NAMES <const> = { "time", "id", "method", "target", "status", "bytes",
                          "milliseconds", "operation", "fault", "ends" }

  -- Its lines as tables, once there are so many.
  local function lines(count)
    local text = service.await(count .. " lines", function()
      local now = service.read(path) or ""
      return select(2, now:gsub("\n", "")) >= count and now
    end)
    local list = {}
    for line in text:gmatch "([^\n]*)\n" do
      local one, i = {}, 0
      for word in (line .. " "):gmatch "(.-) " do
        i = i + 1
        one[NAMES[i] or i] = word
      end
      assert.equal(#NAMES, i, line)
      list[#list + 1] = one
    end
    assert.equal(count, #list, text)
    return list
  end

  -- The one of them whose field is that. Threads write them: the order is
  -- that of requests only on one connection.
  local function line(list, field, value)
    local found
    for _, one in ipairs(list) do
      if one[field]:find(value) == 1 then
        assert.is_nil(found)
        found = one
      end
    end
    return assert(found, value)
  end

  it("has one line for each request, in the form that is stated", function()
    local document, headers = sandbox:upload "Agreed"
    sandbox:call("GET", "/sign/documents/" .. document.documentId)
    local list = lines(3) -- one was for a token
    local up = line(list, "operation", "uploadDocument")
    assert.same({ "POST", "/sign/documents", "200", "-", "done" },
      { up.method, up.target, up.status, up.fault, up.ends })
    assert.equal(headers["x-request-id"], up.id)
    local down = line(list, "operation", "getDocument")
    assert.same({ "GET", "/sign/documents/" .. document.documentId, "200",
                  "6" },
      { down.method, down.target, down.status, down.bytes })
    assert.not_equal(up.id, down.id)
    for _, one in ipairs(list) do
      assert.matches("^%x+$", one.id)
      assert.equal(32, #one.id)
      assert.matches("^%d+%-%d+%-%d+T%d+:%d+:[%d.]+Z$", one.time)
      assert.matches("^%d+%.%d%d%d$", one.milliseconds)
    end
  end)

  it("has one for a request whose parameters were too many", function()
    local connection = assert(socket.connect("127.0.0.1", sandbox.port))
    connection:send("GET /sign/documents?" .. ("a=1&"):rep(2000)
      .. " HTTP/1.1\r\nHost: localhost\r\n\r\n")
    connection:close()
    local one = line(lines(2), "target", "/sign/documents") -- one: a token
    assert.same({ "-", "-", "gone" }, { one.method, one.status, one.ends })
  end)

  it("knows a refused request by the id in its problem", function()
    for i, target in ipairs { "/sign/documents/x", "/nowhere",
                              "/sign/documents/" .. service.unknown_id } do
      local _, problem, headers = sandbox:call("GET", target)
      assert.equal(problem.traceId, headers["x-request-id"])
      local one = line(lines(1 + i), "id", problem.traceId)
      assert.equal(("%d"):format(problem.status), one.status)
    end
  end)

  it("shows no secret", function()
    local session = sandbox:session()
    local url_id = session.signatureUrl:match "sessionId=(.*)"
    sandbox:call("GET", "/sign/?sessionId=" .. url_id)
    sandbox:call("GET", "/sign/signing-sessions?limit=1&sort=%2BcreatedAt"
      .. "&sessionTitleLike=Divorce&access_token=sesame&hush&%6Cimit=hush2&")
    sandbox:raw("GET http://user:hush3@localhost/sign/ HTTP/1.1\r\n"
      .. "Host: localhost\r\nConnection: close\r\n\r\n")
    -- None of these should be sent, and all of them are.
    for _, target in ipairs {
      "//user:hush4@localhost/sign/", "/sign#hush5?access_token=hush6&limit=1",
      "/sign?limit=1#hush7&limit=hush8",
    } do
      sandbox:raw("GET " .. target .. " HTTP/1.1\r\n"
        .. "Host: localhost\r\nConnection: close\r\n\r\n")
    end
    local text = service.await("the last line", function()
      local now = service.read(path)
      return select(2, now:gsub("\n", "")) >= 10 and now
    end)
    for _, secret in ipairs { url_id, sandbox.token, sandbox.client_secret,
                              "Divorce", "sesame", "hush" } do
      assert.is_nil(text:find(secret, 1, true), secret)
    end
    assert.matches("/sign/?*** ", text, 1, true)
    assert.matches(" GET *** ", text, 1, true)
    assert.matches(" /sign#*** ", text, 1, true)
    assert.matches(" /sign?limit=1#*** ", text, 1, true)
    assert.matches("/sign/signing-sessions?limit=1&sort=%2BcreatedAt"
      .. "&***&***&***&***&*** ", text, 1, true)
  end)

  it("stays in its lines, whatever is asked for", function()
    sandbox:raw("GET /\27[31m\1" .. ("x"):rep(3000) .. " HTTP/1.1\r\n"
      .. "Host: localhost\r\nConnection: close\r\n\r\n")
    sandbox:raw("GET /%0Aforged%20line HTTP/1.1\r\nHost: localhost\r\n"
      .. "Connection: close\r\n\r\n")
    local list = lines(3)
    local long = line(list, "target", "/%?")
    assert.matches("^/%?%[31m%?x+$", long.target)
    assert.is_true(#long.target <= 1024)
    line(list, "target", "/%%0Aforged%%20line$")
  end)

  it("tells answers that did not go out whole, and whose fault it was",
    function()
      sandbox:script { { operation = "listSigningSessions", fault = "cut" },
                       { operation = "listSigningSessions",
                         fault = "close" } }
      for _ = 1, 2 do
        pcall(sandbox.call, sandbox, "GET", "/sign/signing-sessions")
      end
      local list = lines(4) -- a token, the script
      local cut, closed = line(list, "fault", "cut"),
        line(list, "fault", "close")
      assert.same({ "200", "gone" }, { cut.status, cut.ends })
      assert.same({ "-", "gone" }, { closed.status, closed.ends })
    end)

  it("is added to, and is its owner's alone", function()
    sandbox:finish()
    local before = service.read(path)
    sandbox = service.start("--log", path)
    assert.equal(2, #lines(2))
    assert.equal(before, service.read(path):sub(1, #before))
    assert.equal("600\n", (judges.run("stat", "-c", "%a", path)))
  end)

  it("may be standard error", function()
    local one = service.launch { "--parent-fd", "0", "--log", "-" }
    service.await("the ready line", function()
      return one:out() and one:out():find "\n"
    end)
    local port = tonumber(one:out():match ":(%d+) ")
    local connection = assert(socket.connect("127.0.0.1", port))
    connection:send "GET /x HTTP/1.0\r\nHost: localhost\r\n\r\n"
    connection:receive "*a"
    connection:close()
    service.await("its line", function()
      return one:err():find(" GET /x 404 ", 1, true)
    end)
    assert.equal(0, (one:stop()))
  end)

  it("is refused where it cannot be", function()
    local one = service.launch { "--log", folder .. "/no/where" }
    assert.equal(1, (one:stop()))
    assert.matches("cannot be written for --log", one.complained, 1, true)
  end)

  it("does not stop the service when its disk is full", function()
    local one = service.start("--log", "/dev/full")
    assert.equal(200, (one:call("GET", "/sign/signing-sessions")))
    one:finish()
  end)

  it("has the answers' ids in other answers than problems, too", function()
    local status, answer, headers = sandbox:ask_token { grant_type = "x" }
    assert.equal(401, status)
    assert.is_nil(answer.traceId)
    assert.matches("^%x+$", headers["x-request-id"])
  end)
end)
