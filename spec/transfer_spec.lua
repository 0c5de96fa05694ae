-- The curl transfer against a real server that misbehaves on purpose.

local core = require "signicat.core"
local helper = require "spec.helper"
local sandbox = require "signicat.sandbox"
local signicat = require "signicat"

local ID = "f05d0dce-a7af-432b-b6b8-e455ab7c0858"
local SESSIONS = { {
  title = "Lease 17",
  documents = { { documentId = ID, documentCollectionId = ID,
                  action = "SIGN" } },
  signingSetup = { { signingFlow = "PKISIGNING", vendor = "NBID" } },
} }

describe("a transfer", function()
  local process, sign, url

  --- Starts the server with a plan and a client of it.
  local function serve(...)
    process, url = helper.serve(...)
    sign = assert(signicat.new { base_url = url .. "/sign", token = "ready",
                                 retries = 0 })
  end

  local function counts()
    sign:close()
    return helper.counts(url)
  end

  after_each(function()
    if sign then sign:close() end
    if process then process:kill() end
    sign, process = nil, nil
  end)

  -- The failure of a call that runs out of time, of which it gets more until
  -- all of its request was sent.
  local function after_sending(call)
    local limit = 0.25
    local err
    repeat
      limit = limit * 2
      err = select(2, call(limit))
    until err.phase == "first_byte" or limit > 30
    return err
  end

  -- What a call comes to that takes longer in all than its limit, and between
  -- bytes far less; it is made again when the server was stopped between two.
  local function in_time(call)
    local value, err
    for _ = 1, 20 do
      value, err = call()
      if value or err.kind ~= "timeout" then break end
    end
    return value, err
  end

  it("of a HEAD has no body, and leaves none to the next", function()
    serve("ok", "ok")
    local _, meta = assert(sign:request("HEAD", "/x"))
    assert.equal(200, meta.status)
    assert(sign.sessions:get(ID))
    assert.same({ GET = 1, HEAD = 1 }, counts())
  end)

  it("that is finished leaves the others that have ended in their order",
    function()
      serve("ok")
      local multi = assert(core.multi())
      local all = {}
      for i = 1, 3 do
        all[i] = assert(core.transfer(multi))
        assert(all[i]:start(core.request({ base_url = url },
          "getSigningSession", ID, nil, 0)))
        all[i]:cancel()
      end
      all[2]:finish()
      assert.same({ all[1]:key(), all[3]:key() },
        { (multi:turn(0)), (multi:turn(0)) })
      assert.is_nil((multi:turn(0)))
      multi:close()
    end)

  describe("on a reused connection that closes after the whole request",
    function()
      it("never sends a create a second time, and says it is ambiguous",
        function()
          serve("ok", "close", "list")
          assert(sign.sessions:get(ID))
          local created, err = sign.sessions:create(SESSIONS)
          assert.is_nil(created)
          assert.equal("connect", err.kind)
          assert.is_true(err.ambiguous)
          assert.is_true(err.sent)
          assert.is_false(err.retryable)
          assert.matches("the connection broke before an answer came",
            err.message)
          assert.same({ GET = 1, POST = 1 }, counts())
        end)

      it("never sends an upload from memory a second time", function()
        serve("ok", "close", "ok")
        assert(sign.sessions:get(ID))
        local _, err = sign.documents:upload { content = "Hello",
                                               type = "text/plain" }
        assert.is_true(err.ambiguous)
        assert.same({ GET = 1, POST = 1 }, counts())
      end)

      it("never sends an upload from a file a second time", function()
        local path = os.tmpname()
        local file = assert(io.open(path, "wb"))
        file:write(("a page of text\n"):rep(200000))
        file:close()
        serve("ok", "close", "ok")
        assert(sign.sessions:get(ID))
        local _, err = sign.documents:upload { path = path,
                                               type = "text/plain" }
        os.remove(path)
        assert.is_true(err.ambiguous)
        assert.same({ GET = 1, POST = 1 }, counts())
      end)

      it("never sends an upload of nothing a second time", function()
        serve("ok", "close", "ok")
        assert(sign.sessions:get(ID))
        local _, err = sign.documents:upload { content = "",
                                               type = "text/plain" }
        assert.is_true(err.ambiguous)
        assert.same({ GET = 1, POST = 1 }, counts())
      end)

      it("never sends a POST through the way out a second time", function()
        serve("ok", "close", "ok")
        assert(sign.sessions:get(ID))
        local _, err = sign:request("POST", "/x", { json = { a = 1 } })
        assert.is_true(err.ambiguous)
        assert.same({ GET = 1, POST = 1 }, counts())
      end)

      it("repeats what is safe to repeat, so that the caller never knows",
        function()
          serve("ok", "close", "ok")
          assert(sign.sessions:get(ID))
          assert(sign.sessions:get(ID))
          assert.same({ GET = 3 }, counts())
        end)

      it("repeats a POST that is said to be safe, so this can be seen at all",
        function()
          serve("ok", "close", "ok")
          assert(sign.sessions:get(ID))
          local request = assert(core.raw_request(
            { base_url = url }, "POST", "/token",
            { content = "a=b", type = "text/plain", repeatable = true }))
          assert(sign.transport:send(request))
          assert.same({ GET = 1, POST = 2 }, counts())
        end)
    end)

  it("says that a create without an answer is ambiguous", function()
    serve("close")
    local _, err = sign.sessions:create(SESSIONS)
    assert.equal("connect", err.kind)
    assert.equal("first_byte", err.phase)
    assert.is_true(err.ambiguous)
  end)

  it("says that a create which timed out after sending is ambiguous",
    function()
      serve("stall")
      local err = after_sending(function(limit)
        return sign.sessions:create(SESSIONS, { timeout = limit })
      end)
      assert.equal("timeout", err.kind)
      assert.equal("first_byte", err.phase)
      assert.is_true(err.ambiguous)
    end)

  it("says that a create whose answer was cut is ambiguous", function()
    serve("cut")
    local _, err = sign.sessions:create(SESSIONS)
    assert.equal("body", err.phase)
    assert.is_true(err.ambiguous)
  end)

  it("says that nothing was sent when nobody listens", function()
    serve("ok")
    process:kill()
    local _, err = sign.sessions:create(SESSIONS)
    assert.equal("connect", err.kind)
    assert.equal("connect", err.phase)
    assert.is_false(err.sent)
    assert.is_false(err.ambiguous)
    assert.is_true(err.retryable)
  end)

  -- What is told of a read that fails: the plan, then kind and phase.
  local failures = {
    { "close", "connect", "first_byte" },
    { "cut", "connect", "body" },
    { "cut_headers", "connect", "body" },
    { "nonsense", "protocol", "first_byte" },
    { "flood_headers", "too_large", "body" },
  }
  for _, case in ipairs(failures) do
    local plan, kind, phase = case[1], case[2], case[3]
    it("tells of a server that does `" .. plan .. "`", function()
      serve(plan)
      local session, err = sign.sessions:get(ID)
      assert.is_nil(session)
      assert.same({ kind, phase }, { err.kind, err.phase })
      assert.is_false(err.ambiguous)
    end)
  end

  it("ends a flood at max_body", function()
    serve("flood")
    local _, err = sign.sessions:get(ID, { max_body = 100000 })
    assert.equal("too_large", err.kind)
  end)

  it("keeps the status of a refusal with an endless body", function()
    serve("flood_refusal")
    local _, err = sign.sessions:get(ID)
    assert.equal("server", err.kind)
    assert.equal(500, err.status)
    assert.is_true(#err.body <= 4096)
  end)

  it("goes on after a body that was cut off at the cap", function()
    serve("flood_refusal", "ok")
    sign.sessions:get(ID)
    assert.equal(ID, assert(sign.sessions:get(ID)).id)
  end)

  it("knows a refusal of a create for one, however its body ends",
    function()
      serve("cut_refusal")
      local _, err = sign.sessions:create(SESSIONS)
      assert.same({ "auth", 401 }, { err.kind, err.status })
      assert.is_false(err.ambiguous)
    end)

  it("knows a refusal whose body is larger than max_body", function()
    serve("flood_refusal")
    local _, err = sign.sessions:get(ID, { max_body = 10 })
    assert.same({ "server", 500 }, { err.kind, err.status })
  end)

  it("says the status that came before an answer was cut", function()
    serve("cut")
    local _, err = sign.sessions:create(SESSIONS)
    assert.equal(200, err.status)
    assert.is_true(err.ambiguous)
  end)

  it("takes the smallest timeout for one", function()
    serve("stall")
    local _, err = sign.sessions:get(ID, { timeout = 0.0001 })
    assert.equal("timeout", err.kind)
    _, err = sign.sessions:get(ID, { deadline = sign:now() + 0.0001 })
    assert.equal("timeout", err.kind)
  end)

  describe("has a limit for the first byte,", function()
    it("which an answer that is late breaks", function()
      serve("stall")
      local _, err = sign.sessions:get(ID, { first_byte_timeout = 0.1,
                                             retries = 0 })
      assert.same({ "timeout", "first_byte", true, true },
        { err.kind, err.phase, err.sent, err.retryable })
      assert.matches("first_byte_timeout", tostring(err))
    end)

    it("which makes a create ambiguous", function()
      serve("stall")
      local _, err = sign.sessions:create(SESSIONS,
        { first_byte_timeout = 0.1 })
      assert.same({ "timeout", true }, { err.kind, err.ambiguous })
    end)

    it("which one in time keeps, however slowly it goes on", function()
      serve("trickle")
      assert(in_time(function()
        return sign.sessions:get(ID, { first_byte_timeout = 1, retries = 0 })
      end))
    end)

    it("which one that was there in time keeps, whoever looks late", function()
      serve("ok")
      local task
      for _ = 1, 20 do
        local before = helper.counts(url).GET or 0
        local release = helper.hold(process)
        finally(release)
        task = sign:async(function()
          return sign.sessions:get(ID, { first_byte_timeout = 0.4 })
        end)
        for _ = 1, 10 do
          sign:step()
          core.sleep(0.01)
        end
        release()
        -- This process may have been stopped meanwhile: then once more.
        if not task:done() then
          repeat until (helper.counts(url).GET or 0) > before
          core.sleep(0.5)
          break
        end
      end
      assert(task:wait())
    end)

    it("and none unless it is said", function()
      serve("late")
      assert(sign.sessions:get(ID, { retries = 0 }))
    end)
  end)

  describe("has a limit for standing still,", function()
    it("finer than a second, in the middle of a body", function()
      serve("document_stall")
      local _, err = sign.documents:download(ID, { stall_timeout = 0.2,
        first_byte_timeout = 15, retries = 0 })
      assert.same({ "timeout", "body", 200 },
        { err.kind, err.phase, err.status })
      assert.matches("stall_timeout", tostring(err))
    end)

    it("which bytes that move keep, however long it takes", function()
      serve("trickle")
      assert(in_time(function()
        return sign.sessions:get(ID, { stall_timeout = 1, retries = 0 })
      end))
    end)

    it("which goes for the first byte too, without a limit of its own",
      function()
        serve("stall")
        local _, err = sign.sessions:get(ID, { stall_timeout = 0.2,
                                               retries = 0 })
        assert.same({ "timeout", "first_byte" }, { err.kind, err.phase })
      end)

    it("which leaves the first byte to its own limit", function()
      serve("late")
      assert(sign.sessions:get(ID, { stall_timeout = 0.2,
        first_byte_timeout = 15, retries = 0 }))
    end)

    it("which does not count while Lua takes its time", function()
      serve("document")
      assert(in_time(function()
        local first = true
        return sign.documents:download(ID, { stall_timeout = 1, retries = 0,
          to = function()
            if first then core.sleep(1.2) end
            first = false
            return true
          end })
      end))
    end)

    it("which does not break a refusal whose body stands still", function()
      serve("refusal_stall")
      local _, err = sign.documents:download(ID, { stall_timeout = 0.2,
        first_byte_timeout = 15, retries = 0 })
      assert.same({ "not_found", 404 }, { err.kind, err.status })
    end)
  end)

  it("gives up a call that an error interrupted", function()
    serve("ok", "stall", "ok")
    assert(sign.sessions:get(ID))
    local transport = sign.transport
    local multi = transport.loop.multi
    transport.loop.multi = { turn = function()
      multi:turn(0.1)
      error("interrupted!", 0)
    end }
    local ok, why = pcall(sign.sessions.create, sign.sessions, SESSIONS)
    transport.loop.multi = multi
    assert.same({ false, "interrupted!" }, { ok, why })
    assert(sign.sessions:get(ID))
    assert.equal(0, multi:running())
  end)

  it("leaves no connection behind a create without a body", function()
    local service = assert(sandbox.start())
    local function descriptors()
      collectgarbage() -- of the specs before this one
      collectgarbage()
      return #helper.names_in "/proc/self/fd"
    end
    assert(service:reset())
    local before = descriptors()
    for _ = 1, 5 do assert(service:reset()) end
    assert.equal(before, descriptors())
    service:stop()
  end)

  it("passes over interim answers", function()
    serve("interim")
    local session, meta = assert(sign.sessions:get(ID))
    assert.equal(ID, session.id)
    assert.equal("yes", meta.headers["x-late"])
    assert.is_nil(meta.headers["x-early"])
  end)

  it("that had an interim answer alone has none", function()
    serve("interim_close")
    local _, err = sign.sessions:get(ID)
    assert.same({ "connect", "first_byte", true },
      { err.kind, err.phase, err.retryable })
    assert.is_nil(err.status)
    process:kill()
    serve("interim_stall")
    err = after_sending(function(limit)
      return sign.sessions:get(ID, { timeout = limit })
    end)
    assert.same({ "timeout", true }, { err.kind, err.retryable })
    assert.is_nil(err.status)
  end)

  it("keeps trailers out of the body", function()
    serve("chunked")
    assert.equal(ID, assert(sign.sessions:get(ID)).id)
  end)

  it("takes no trailer for the beginning of another answer", function()
    serve("trailing_status")
    local session, meta = assert(sign.sessions:get(ID))
    assert.same({ ID, 200 }, { session.id, meta.status })
  end)

  it("does not follow a redirect", function()
    serve("redirect", "ok")
    local _, err = sign.sessions:get(ID)
    assert.equal("protocol", err.kind)
    assert.equal(302, err.status)
    assert.same({ GET = 1 }, counts())
  end)

  it("uses a connection again, and says so", function()
    serve("ok")
    local _, first = assert(sign.sessions:get(ID))
    local _, second = assert(sign.sessions:get(ID))
    assert.is_false(first.reused)
    assert.is_true(second.reused)
    assert.is_true(second.timing.total >= second.timing.first_byte)
  end)

  it("keeps nothing of the requests before it", function()
    serve("echo")
    local function lines(...)
      return assert(sign:request(...)).lines
    end
    local get = lines("GET", "/x")
    lines("POST", "/x", { json = { a = 1 }, headers = { ["X-Once"] = "1" } })
    lines("PUT", "/x", { content = "a", type = "text/plain" })
    lines("POST", "/x")
    local delete = lines("DELETE", "/x")
    assert.same(get, lines("GET", "/x"))
    assert.equal("DELETE /sign/x HTTP/1.1", delete[1])
    delete[1] = get[1]
    assert.same(get, delete)
  end)

  it("goes to the address of each request, whatever the one before", function()
    serve("echo")
    local other, another_url = helper.serve "echo"
    local urls = { url, another_url }
    local multi = core.multi()
    local transfer = core.transfer(multi)
    for _, case in ipairs { { 1, "/a" }, { 1, "/b" }, { 1, "/c?x=1&y=%20" },
                            { 1, "/d" }, { 1, "/e%2Ff" }, { 1, "/d" },
                            { 2, "/d" }, { 2, "/a:b@c" }, { 1, "/a" } } do
      local base_url = urls[case[1]]
      transfer:start(assert(core.raw_request({ base_url = base_url }, "GET",
        case[2], {})))
      repeat multi:turn(1) until transfer:done()
      local body = assert(transfer:finish()).body
      assert.equal(("GET %s HTTP/1.1 Host: %s"):format(case[2],
        base_url:match "//(.*)"),
        body:match('"(GET [^"]*)","') .. " " .. body:match('"(Host: [^"]*)"'))
    end
    multi:close()
    other:kill()
  end)

  it("says that it was given no address", function()
    local multi = core.multi()
    local transfer = core.transfer(multi)
    transfer:start(assert(core.raw_request({ base_url = "http://:x" }, "GET",
      "/a", {})))
    repeat multi:turn(1) until transfer:done()
    local response, failure = transfer:finish()
    multi:close()
    assert.is_nil(response)
    assert.equal("invalid", failure.kind)
  end)

  it("has an answer that can be closed once it is not needed", function()
    serve("ok")
    local multi = core.multi()
    local transfer = core.transfer(multi)
    local request = assert(core.raw_request({ base_url = url }, "GET", "/x",
      {}))
    for _ = 1, 2 do
      transfer:start(request)
      repeat multi:turn(1) until transfer:done()
      local response = assert(transfer:finish())
      assert.equal(('{"id":"%s"}'):format(response.body:match "[%x-]+%-[%x-]+"),
        response.body)
      local close = debug.getmetatable(response).__close
      close(response)
      close(response)
      assert.same({ 200, "", {} }, { response.status, response.body,
                                     response.headers })
    end
    multi:close()
  end)

  it("leaves nothing behind when it is dropped while running", function()
    serve("stall")
    local multi = core.multi()
    local transfer = core.transfer(multi)
    local request = assert(core.raw_request(
      { base_url = url }, "GET", "/x", {}))
    assert.is_true(transfer:start(request))
    assert.equal(1, multi:running())
    transfer, request = nil, nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.equal(0, multi:running())
    multi:close()
  end)

  it("reports that it was cancelled when its client closes", function()
    serve("stall")
    local multi = core.multi()
    local transfer = core.transfer(multi)
    local request = assert(core.raw_request(
      { base_url = url }, "GET", "/x", {}))
    transfer:start(request)
    multi:turn(0)
    multi:close()
    multi:close()
    assert.is_true(transfer:done())
    local response, failure = transfer:finish()
    assert.is_nil(response)
    assert.equal("cancelled", failure.kind)
    assert.has_error(function() transfer:start(request) end,
      "the client is closed")
  end)

  it("cannot be started twice, and has nothing before its end", function()
    serve("stall")
    local multi = core.multi()
    local transfer = core.transfer(multi)
    local request = assert(core.raw_request(
      { base_url = url }, "GET", "/x", {}))
    assert.has_error(function() transfer:finish() end)
    transfer:start(request)
    assert.has_error(function() transfer:start(request) end)
    assert.same({}, { transfer:finish() })
    assert.is_false(transfer:done())
    multi:close()
    local _, failure = transfer:finish()
    assert.equal("cancelled", failure.kind)
  end)

  it("compares an empty document with its hash before it has a name",
    function()
      serve("empty")
      local path = os.tmpname()
      os.remove(path)
      local written, err = sign.documents:download({ documentId = ID,
        documentHash = { hash = ("A"):rep(43) .. "=" } }, { to = path })
      assert.is_nil(written)
      assert.equal("integrity", err.kind)
      assert.is_nil(io.open(path, "rb"))
      assert.equal(path, sign.documents:download(ID, { to = path }))
      assert(os.remove(path))
    end)

  it("leaves no file of a document that was cut", function()
    local folder, remove = helper.folder()
    serve("cut")
    local written, err = sign.documents:download(ID, { to = folder .. "/a" })
    assert.is_nil(written)
    assert.equal("connect", err.kind)
    assert.same({}, helper.names_in(folder))
    remove()
  end)
end)
