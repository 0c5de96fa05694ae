-- call_spec.lua: the path of a call over transports of anybody's making: what
-- they may return, how they may fail, and that they may yield.

local core = require "signicat.core"
local helper = require "spec.helper"
local signicat = require "signicat"

local session, document = helper.session, helper.document
local text = helper.session_text("READY", false)
local ok = helper.json(200, text)

-- A client whose transport is this function alone.
local function client_of(send, options)
  local client = helper.client(nil, options)
  client.transport = { send = send }
  return client
end

local function upload(client)
  return client.documents:upload { content = "hello", type = "text/plain" }
end

-- -- responses ----------------------------------------------------------------

describe("a transport", function()
  it("is called as a method, with a request that reads like a table",
    function()
      local transport = {}
      function transport:send(request)
        assert.equal(transport, self)
        assert.equal("GET", request.method)
        assert.equal(helper.base_url .. "/signing-sessions/" .. session,
          request.url)
        assert.equal("Bearer t", request.headers.authorization)
        assert.equal(60, request.timeout)
        assert.is_nil(request.body)
        assert.is_nil(request.sink)
        assert.is_nil(request.none)
        assert.is_nil(request[1])
        assert.is_false(request.creates)
        return ok
      end
      local client = helper.client()
      client.transport = transport
      assert(client.sessions:get(session))
    end)

  it("cannot change what was asked for", function()
    local refused = 0
    local client = client_of(function(_, request)
      for _, name in ipairs { "url", "method", "body", "headers", "x" } do
        if not pcall(function() request[name] = "x" end) then
          refused = refused + 1
        end
      end
      return ok
    end)
    assert(client.sessions:get(session))
    assert.equal(5, refused)
  end)

  it("may return more than is asked for", function()
    local client = client_of(function() return ok, "and", "more" end)
    local value, meta, more = client.sessions:get(session)
    assert.equal(session, value.id)
    assert.equal(200, meta.status)
    assert.is_nil(more)
    client = client_of(function()
      return { status = 204, reason = "No Content", headers = {}, extra = 1 }
    end)
    assert.is_true((client.sessions:delete(session)))
  end)

  it("may return a body that is a number", function()
    local client = client_of(function() return { status = 200, body = 17 } end)
    assert.equal("17", (client.documents:download(document)))
  end)

  it("may return the same table again and again", function()
    local client = client_of(function() return ok end)
    local one, meta = client.sessions:get(session)
    local other, other_meta = client.sessions:get(session)
    assert.is_true(one == other)
    assert.not_equal(meta, other_meta)
    assert.same(helper.json(200, text), ok)
  end)

  -- what is no response: the program's mistake, told at the caller's line
  local garbage = {
    { "a string", "HTTP/1.1 200 OK", "a string, not a response" },
    { "a number", 200, "a number, not a response" },
    { "true", true, "a boolean, not a response" },
    { "a function", print, "a function, not a response" },
    { "null", core.null, "a userdata, not a response" },
    { "a file", io.stdout, "a userdata, not a response" },
    { "an empty table", {}, "a response without a status" },
    { "a status in words", { status = "200" }, "a response without a status" },
    { "a status that is no number", { status = 0 / 0 },
      "a response without a status" },
    { "an endless status", { status = 1e300 }, "a response without a status" },
  }
  for _, case in ipairs(garbage) do
    local title, value, says = table.unpack(case)
    it("that returns " .. title .. " raises at the caller's line", function()
      local client = client_of(function() return value end)
      local good, message = pcall(function()
        client.sessions:get(session)
      end)
      assert.is_false(good)
      assert.equal("the transport returned " .. says,
        message:match "^spec/call_spec%.lua:%d+: (.*)$")
    end)
  end

  for title, odd in pairs {
    ["headers that are a string"] = { status = 404, headers = "x: y" },
    ["headers that are a list"] = { status = 404, headers = { "x: y" } },
    ["a header that is a table"] = { status = 404,
      headers = { ["retry-after"] = {}, ["content-type"] = {} } },
    ["a body that is a table"] = { status = 404, body = {} },
    ["a body that is false"] = { status = 404, body = false } } do
    it("may return " .. title, function()
      local _, err = client_of(function() return odd end)
        .sessions:get(session)
      assert.equal("not_found", err.kind)
    end)
  end

  it("that raises is not stopped", function()
    local thing = {}
    local client = client_of(function() error(thing) end)
    local good, raised = pcall(client.sessions.get, client.sessions, session)
    assert.is_false(good)
    assert.equal(thing, raised)
  end)
end)

-- -- failures -----------------------------------------------------------------

describe("a failure of a transport", function()
  -- what comes after nil, and the detail of the error
  for title, case in pairs {
    ["a string"] = { "no route to host", "no route to host" },
    ["a number"] = { 7, "7" },
    ["a table without kind"] = { setmetatable({}, {
      __tostring = function() return "told by a table" end }),
      "told by a table" },
    ["nothing"] = { nil, "the transport did not say why" } } do
    it(("can be %s"):format(title), function()
      local client = client_of(function() return nil, case[1] end)
      local value, err, meta = client.sessions:get(session)
      assert.is_nil(value)
      assert.is_nil(meta)
      assert.equal("connect", err.kind)
      assert.equal(case[2], err.detail)
      assert.equal("sessions:get: connect: the transport failed; see "
        .. "`detail`", err.message)
      assert.is_true(err.sent)
      assert.is_true(err.retryable)
      assert.equal(1, err.attempts)
    end)
  end

  it("can be false", function()
    local _, err = client_of(function() return false end).sessions:get(session)
    assert.equal("connect", err.kind)
  end)

  it("can be a table that says what it knows", function()
    local client = client_of(function()
      return nil, { kind = "timeout", note = "no answer", phase = "first_byte",
                    sent = true, extra = 7 }
    end)
    local _, err = client.sessions:get(session)
    assert.is_true(signicat.is_error(err))
    assert.equal("sessions:get: timeout: no answer", err.message)
    assert.equal("first_byte", err.phase)
    assert.equal(7, err.extra)
  end)

  it("of a kind that is not on the list is one of the transport", function()
    for _, kind in ipairs { "dns", "", 7, {}, true } do
      local client = client_of(function()
        return nil, { kind = kind, detail = "what it knows", sent = false }
      end)
      local _, err = client.sessions:get(session)
      assert.equal("connect", err.kind)
      assert.equal("what it knows", err.detail)
      assert.is_false(err.sent)
    end
  end)

  it("stays the transport's own table", function()
    local failure = { kind = "connect", note = "refused", sent = true }
    local client = client_of(function() return nil, failure end)
    local _, first = upload(client)
    local _, second = client.sessions:get(session)
    assert.same({ kind = "connect", note = "refused", sent = true }, failure)
    assert.equal("documents:upload", first.operation)
    assert.is_true(first.ambiguous)
    assert.equal("sessions:get", second.operation)
    assert.is_false(second.ambiguous)
  end)

  -- failure, and whether a create may have been carried out
  local cases = {
    { "refused", true }, { { kind = "timeout", sent = true }, true },
    { { kind = "cancelled", sent = true }, true },
    { { kind = "connect", sent = true, phase = "first_byte" }, true },
    { { kind = "connect", sent = true, phase = "body" }, true },
    { { kind = "connect", sent = true, phase = "send" }, false },
    { { kind = "connect", sent = false }, false },
    { { kind = "tls", sent = false, phase = "tls" }, false },
    -- who does not say may have sent it
    { { kind = "timeout" }, true }, { { kind = "strange" }, true },
  }
  for i, case in ipairs(cases) do
    local failure, ambiguous = table.unpack(case)
    it(("number %d %s"):format(i, ambiguous and "leaves a create open"
      or "says that nothing was made"), function()
      local client = client_of(function() return nil, failure end)
      local _, err = upload(client)
      assert.equal(ambiguous, err.ambiguous)
      if ambiguous then assert.is_false(err.retryable) end
      _, err = client.sessions:get(session)
      assert.is_false(err.ambiguous)
    end)
  end
end)

-- -- deadlines ----------------------------------------------------------------

describe("a call", function()
  it("with a dot for the colon says so at the caller's line", function()
    local client = helper.client { status = 204 }
    local fine, message = pcall(function()
      client.sessions.get(helper.session)
    end)
    assert.is_false(fine)
    assert.matches("^spec/call_spec%.lua:%d+: sessions:get is a method: "
      .. "call it with a colon$", message)
  end)

  it("of `request` has one body", function()
    local client = helper.client { status = 204 }
    for _, opts in ipairs { { json = {}, content = "x" },
                            { json = {}, type = "text/plain" } } do
      local fine, message = pcall(function()
        client:request("POST", "/x", opts)
      end)
      assert.is_false(fine)
      assert.matches("give either `json`, or `content` with `type`$", message)
    end
  end)

  it("ends at max_body whatever transport brings the answer", function()
    local client = helper.client { status = 200, body = ("x"):rep(11) }
    local value, err = client.documents:download(helper.document,
      { max_body = 10 })
    assert.is_nil(value)
    assert.equal("too_large", err.kind)
    assert(client.documents:download(helper.document, { max_body = 11 }))
  end)
end)

describe("a deadline", function()
  local function limit(opts, options)
    local clock = helper.clock()
    local all = { clock = clock.now }
    for name, value in pairs(options or {}) do all[name] = value end
    local client, transport = helper.client({ status = 200 }, all)
    client.documents:download(document, opts)
    return transport.requests[1] and transport.requests[1].timeout,
      #transport.requests
  end

  it("limits a call that has no other limit", function()
    assert.equal(7, (limit { deadline = 1007 }))
  end)

  it("limits a call that would take longer, and no other", function()
    assert.equal(7, (limit { deadline = 1007, timeout = 9 }))
    assert.equal(5, (limit { deadline = 1007, timeout = 5 }))
    assert.equal(7, (limit({ deadline = 1007 }, { timeout = 9 })))
  end)

  it("may be never", function()
    assert.is_nil((limit { deadline = math.huge }))
    assert.equal(5, (limit { deadline = math.huge, timeout = 5 }))
  end)

  it("that passed sends nothing", function()
    for _, deadline in ipairs { 1000, 999, -1, -math.huge } do
      local _, count = limit { deadline = deadline }
      assert.equal(0, count)
    end
    local client = helper.client()
    local _, err, meta = client.sessions:get(session,
      { deadline = client:now() - 1 })
    assert.equal("timeout", err.kind)
    assert.is_false(err.sent)
    assert.equal(0, err.attempts)
    assert.is_nil(meta)
  end)

  it("that passed does not leave a create open", function()
    local client = helper.client()
    local _, err = client.sessions:create({}, { validate = "off",
      deadline = client:now() - 1 })
    assert.equal("timeout", err.kind)
    assert.is_false(err.ambiguous)
  end)
end)

-- -- coroutines ---------------------------------------------------------------

describe("in a coroutine", function()
  it("a transport may yield until it has the answer", function()
    local client = client_of(function(_, request)
      return coroutine.yield(request.url)
    end)
    local got
    local run = coroutine.wrap(function()
      got = { client.sessions:get(session) }
      return "done"
    end)
    assert.equal(helper.base_url .. "/signing-sessions/" .. session, run())
    assert.equal("done", run(ok))
    assert.equal(session, got[1].id)
    assert.equal(200, got[2].status)
  end)

  it("it may give up after a yield", function()
    local client = client_of(function() return coroutine.yield() end)
    local run = coroutine.wrap(function()
      return select(2, upload(client))
    end)
    run()
    local err = run(nil, { kind = "timeout", sent = true })
    assert.equal("timeout", err.kind)
    assert.is_true(err.ambiguous)
  end)

  it("many calls of one client may wait at once", function()
    local client = client_of(function() return coroutine.yield() end)
    local runs = {}
    for i = 1, 20 do
      runs[i] = coroutine.wrap(function()
        return client.sessions:get(session).n
      end)
      runs[i]()
    end
    collectgarbage()
    for i = 20, 1, -1 do
      assert.equal(i, runs[i](helper.json(200, { id = session, n = i })))
    end
  end)

  it("the source of tokens and the pauses of a wait may yield, too",
    function()
      local clock = helper.clock()
      local states = { helper.session_text("READY", false),
                       helper.session_text("SIGNED", true) }
      local client = helper.client(nil, {
        auth = function() return coroutine.yield "token" end,
        clock = clock.now, sleep = function() coroutine.yield "sleep" end,
      })
      client.transport = { send = function()
        return coroutine.yield "send"
      end }
      local run = coroutine.wrap(function()
        return client.sessions:wait(session).lifecycle.state
      end)
      assert.equal("token", run())
      assert.equal("send", run("t"))
      assert.equal("sleep", run(helper.json(200, states[1])))
      assert.equal("send", run())
      assert.equal("SIGNED", run(helper.json(200, states[2])))
    end)

  it("a call that is never resumed is collected", function()
    local client = client_of(function() return coroutine.yield() end)
    local weak = setmetatable({}, { __mode = "v" })
    do
      local run = coroutine.create(function() return upload(client) end)
      weak[1] = run
      coroutine.resume(run)
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(weak[1])
  end)
end)
