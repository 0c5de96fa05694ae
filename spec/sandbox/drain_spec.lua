-- SIGTERM: what is under way is answered, nothing new is taken, and the
-- service ends with 0.

local service = require "spec.sandbox.service"
local socket = require "socket"

describe("a sandbox that is told to end", function()
  local sandbox, folder

  before_each(function()
    folder = service.folder()
    sandbox = service.start("--data", folder)
  end)
  after_each(function()
    sandbox:stop()
    service.remove(folder)
  end)

  local function connect()
    local connection = assert(socket.connect("127.0.0.1", sandbox.port))
    connection:settimeout(20)
    return connection
  end

  -- Returns when the port refuses; `meanwhile` is done at each try.
  local function until_closed(meanwhile)
    service.await("a closed port", function()
      if meanwhile then meanwhile() end
      local one = socket.connect("127.0.0.1", sandbox.port)
      if one then one:close() end
      return one == nil
    end)
  end

  local function ended_well()
    local code, how = sandbox:stop()
    assert.same({ 0, "exit", "" }, { code, how, sandbox.complained })
  end

  -- A connection that the service has: it has answered on it.
  local function greeted()
    local connection, length = connect(), nil
    connection:send(sandbox:head("GET", "/sign/signing-sessions"))
    repeat
      local line = assert(connection:receive "*l")
      length = tonumber(line:lower():match "^content%-length: (%d+)") or length
    until line == ""
    connection:receive(length)
    return connection
  end

  -- An upload that ends when the port has closed: the answer, and for how many
  -- seconds at most nothing was sent.
  local function upload(size)
    local connection, before, longest = connect(), nil, 0
    local function send(bytes)
      connection:send(bytes)
      local now = socket.gettime()
      longest = math.max(longest, now - (before or now))
      before = now
    end
    connection:send(sandbox:head("POST", "/sign/documents", "Content-Type: "
      .. "text/plain\r\nContent-Length: " .. size .. "\r\n"))
    send "x"
    service.await("its arrival", function()
      return #sandbox:journal "?operation=uploadDocument" == 1
    end)
    local sent = 1
    sandbox:signal "TERM"
    until_closed(function()
      sent = sent + 1
      send "x"
    end)
    send(("x"):rep(size - sent))
    local answer = connection:receive "*a"
    connection:close()
    return answer and answer ~= "" and answer, longest
  end

  -- The smaller one has a byte for each try to connect, too.
  for _, size in ipairs { 4000, 5000000 } do
    it("takes an upload of " .. size .. " bytes to its end and keeps it",
      function()
        local answer, longest = upload(size)
        for _ = 1, 9 do -- once more if we were held up and seemed quiet
          if answer or longest < 1 then break end
          sandbox:stop()
          sandbox = service.start("--data", folder)
          answer, longest = upload(size)
        end
        assert.matches("^HTTP/1.1 200 ", answer)
        assert.matches("\r\n[Cc]onnection: close\r\n", answer)
        ended_well()

        sandbox = service.start("--data", folder)
        local id = answer:match '"documentId":"(.-)"'
        local status, bytes = sandbox:call("GET", "/sign/documents/" .. id)
        assert.equal(200, status)
        assert.is_true(bytes == ("x"):rep(size))
      end)
  end

  it("sends the rest of a document to who reads it", function()
    local bytes = ("0123456789abcdef"):rep(1000000)
    local document = sandbox:upload(bytes)
    local connection = connect()
    connection:send(sandbox:head("GET",
      "/sign/documents/" .. document.documentId))
    local line = connection:receive "*l"
    assert.equal("HTTP/1.1 200 OK", line)
    sandbox:signal "TERM"
    until_closed()
    while line ~= "" do line = assert(connection:receive "*l") end
    assert.is_true(bytes == connection:receive(#bytes))
    assert.equal("closed", select(2, connection:receive(1)))
    connection:close()
    ended_well()
  end)

  it("answers at once what a fault had put off", function()
    sandbox:script { { operation = "listSigningSessions", fault = "slow",
                       milliseconds = 600000 } }
    local connection = connect()
    connection:send(sandbox:head("GET", "/sign/signing-sessions"))
    service.await("its arrival", function()
      return #sandbox:journal "?operation=listSigningSessions" == 1
    end)
    sandbox:signal "TERM"
    assert.equal("HTTP/1.1 200 OK", connection:receive "*l")
    connection:close()
    ended_well()
  end)

  it("lets idle connections go, and those of a request gone quiet", function()
    local idle, quiet = connect(), connect()
    idle:send(sandbox:head("GET", "/sign/signing-sessions"))
    assert.equal("HTTP/1.1 200 OK", idle:receive "*l")
    quiet:send(sandbox:head("POST", "/sign/documents",
      "Content-Type: text/plain\r\nContent-Length: 9\r\n") .. "half")
    service.await("its arrival", function()
      return #sandbox:journal "?operation=uploadDocument" == 1
    end)
    sandbox:signal "TERM"
    ended_well()
    assert.equal("closed", select(2, quiet:receive(1)))
    idle:close()
    quiet:close()
  end)

  it("answers every request that had come on a connection it has", function()
    local request = sandbox:head("GET", "/sign/signing-sessions")
    local connections = {}
    for i = 1, 64 do connections[i] = greeted() end
    for _, connection in ipairs(connections) do connection:send(request) end
    sandbox:signal "TERM"
    for _, connection in ipairs(connections) do
      assert.equal("HTTP/1.1 200 OK", connection:receive "*l")
      connection:close()
    end
    ended_well()
  end)

  it("makes no more signatures than it has begun, and answers all", function()
    local one = sandbox:session { contents = { ("x"):rep(20000000) } }
    local fields, connections, signed, refused = {}, {}, 0, 0
    for i = 1, 100 do
      connections[i] = greeted()
      fields[i] = { title = "Agreed", documents = one.documents,
        signingSetup = { { signingFlow = "AUTHENTICATION_BASED" } } }
    end
    local _, sessions = sandbox:call("POST", "/sign/signing-sessions", fields)
    for i, session in ipairs(sessions) do
      connections[i]:send("POST /_sandbox/sessions/" .. session.id
        .. "/sign HTTP/1.1\r\nHost: localhost\r\n\r\n")
    end
    sandbox:signal "TERM"
    for _, connection in ipairs(connections) do
      local answer = connection:receive "*a"
      connection:close()
      if answer:find "^HTTP/1.1 200 .*SIGNED" then
        signed = signed + 1
      elseif answer:find "^HTTP/1.1 500 .*the sandbox ends" then
        refused = refused + 1
      end
    end
    assert.equal(100, signed + refused)
    ended_well()
  end)

  it("breaks off no answer to any of many", function()
    local session = sandbox:session()
    local request = sandbox:head("GET", "/sign/signing-sessions/" .. session.id)
    local connections = {}
    for i = 1, 64 do
      connections[i] = connect()
      connections[i]:send(request)
    end
    sandbox:signal "TERM"
    for _, connection in ipairs(connections) do
      local text, _, part = connection:receive "*a"
      text = text or part
      connection:close()
      if text ~= "" then
        local length = tonumber(text:match "[Cc]ontent%-[Ll]ength: (%d+)")
        assert.equal(length, #text:match "\r\n\r\n(.*)$")
      end
    end
    ended_well()
  end)
end)
