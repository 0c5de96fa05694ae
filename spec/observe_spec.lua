-- observe_spec.lua: what a hook is told, in which order, of which fields; and
-- that nothing it does matters to the call.

local helper = require "spec.helper"
local observe = require "signicat.observe"
local sandbox = require "signicat.sandbox"

local session = helper.session
local TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

-- A client with a hook, and the list of events it has been told.
local function observed(reply, options)
  local events, clock = {}, helper.clock()
  local all = { on_event = function(event) events[#events + 1] = event end,
                clock = clock.now, sleep = clock.sleep }
  for name, value in pairs(options or {}) do all[name] = value end
  return helper.client(reply, all), events
end

local function names(events)
  local list = {}
  for i, event in ipairs(events) do list[i] = event.name end
  return table.concat(list, " ")
end

describe("on_event", function()
  it("is told of a request and its answer", function()
    local client, events = observed { status = 204, reused = true }
    assert(client.sessions:delete(session, { trace = TRACE }))
    assert.same({
      { name = "request", operation = "sessions:delete", method = "DELETE",
        attempt = 1, trace = TRACE },
      { name = "response", operation = "sessions:delete", method = "DELETE",
        attempt = 1, trace = TRACE, status = 204, seconds = 0,
        reused = events[2].reused },
    }, events)
  end)

  it("is told of each attempt, the pauses between and the failure",
    function()
      local client, events = observed({ status = 503 }, { retries = 2 })
      local _, err = client.sessions:get(session)
      assert.equal("request response retry request response retry request "
        .. "response error", names(events))
      local last, pause = events[#events], events[3]
      assert.same({ "server", 503, 3, true, "sessions:get", err.message },
        { last.kind, last.status, last.attempts, last.retryable,
          last.operation, last.message })
      assert.same({ 1, 503 }, { pause.attempt, pause.status })
      assert.is_number(pause.delay)
    end)

  it("is told when there is no answer", function()
    local client, events = observed(function()
      return nil, { kind = "connect", phase = "dns", sent = false }
    end)
    client.sessions:get(session)
    assert.equal("request error", names(events))
    assert.same({ "connect", "dns" }, { events[2].kind, events[2].phase })
  end)

  it("is told what was not even sent", function()
    local client, events = observed { status = 500 }
    client.sessions:create({}, { trace = TRACE })
    assert.same({ "error", "invalid", TRACE },
      { names(events), events[1].kind, events[1].trace })
  end)

  it("is told of tokens, fetched and refused", function()
    local client, events = observed(function(request, n)
      if request.url:find("token", 1, true) then
        return helper.json(200, { access_token = "x" .. n,
                                  expires_in = 600 })
      end
      return { status = n < 4 and 401 or 204 }
    end, { client_id = "i", client_secret = "s" })
    assert(client.sessions:delete(session))
    assert.equal("request response token request response token request "
      .. "response token request response", names(events))
    assert.same({ "fetch", 600, "drop", "fetch" },
      { events[3].source, events[3].lifetime, events[6].source,
        events[9].source })
  end)

  it("may raise, call the client or change what it is told", function()
    local told = 0
    local client, transport
    client, transport = helper.client({ status = 204 }, {
      on_event = function(event)
        told = told + 1
        assert(client.sessions:delete(session))
        for name in pairs(event) do event[name] = nil end
        error "a hook's own fault"
      end })
    for i = 1, 2 do
      assert(client.sessions:delete(session))
      assert.equal(2 * i, told)
      assert.equal(3 * i, #transport.requests)
    end
  end)

  it("is not told of what it calls, in a task neither", function()
    local service = assert(sandbox.start())
    local client = assert(service:client())
    local told, calls = {}, 0
    local watched
    watched = client:with { on_event = function(event)
      told[#told + 1] = event.name
      if watched.sessions:list { limit = 1 } then calls = calls + 1 end
    end }
    assert(watched.sessions:list()) -- with a token from now on
    told, calls = {}, 0
    local tasks = {}
    for i = 1, 3 do
      tasks[i] = watched:async(function() return watched.sessions:list() end)
    end
    for i = 1, 3 do assert(tasks[i]:wait()) end
    assert.same({ 6, 6 }, { #told, calls })
    client:close()
    service:stop()
  end)

  it("is not told of what it calls while a task fetches the token", function()
    local service = assert(sandbox.start())
    local told, client = {}, nil
    client = assert(service:client { on_event = function(event)
      told[#told + 1] = event.name
      assert(client.sessions:list { limit = 1 })
    end })
    assert(client:async(function() return client.sessions:list() end):wait())
    -- Of the token's request, its answer, the token; the call and its answer.
    assert.same({ "request", "response", "token", "request", "response" }, told)
    client:close()
    service:stop()
  end)

  it("is not needed", function()
    assert(helper.client { status = 204 }.sessions:delete(session))
    observe.emit({}, "error", { kind = "server" })
  end)
end)

describe("an event", function()
  -- All that is told of these fields.
  local function told(about)
    local event
    local client = helper.client({ status = 204 },
      { on_event = function(it) event = it end })
    observe.emit(client, "error", about)
    return event
  end

  it("has its own fields alone, each of its own type", function()
    assert.same({ name = "error", status = 500 }, told {
      status = 500, url = "u", body = "b", headers = {}, title = "t",
      detail = "d", operation = 7, attempt = "1", retryable = "yes",
      name = "other" })
  end)

  it("has of foreign text only words", function()
    assert.same({ name = "error", code = "not_found" }, told {
      code = "not_found", trace_id = "Kari Nordmann", state = "a\nb",
      request_id = ("x"):rep(65) })
  end)
end)
