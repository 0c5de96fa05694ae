-- pages_spec.lua: long lists, page by page and session by session, over a
-- service that misbehaves in every way a list can, and over the sandbox.

local core = require "signicat.core"
local helper = require "spec.helper"
local sandbox = require "signicat.sandbox"

-- -- a service of our own ---------------------------------------------------

-- The n-th session's id: version 7, n milliseconds after 2025-01-01.
local START = 1735689600000
local function id_of(n)
  local time = START + n
  return ("%08x-%04x-7000-8000-%012x"):format(math.floor(time / 65536),
    time % 65536, n)
end

-- What a query asks for, decoded: name -> value.
local function query_of(request)
  local query = {}
  for name, value in (request.url:match "%?(.*)$" or "")
    :gmatch "([^&=]+)=([^&]*)" do
    query[name] = value:gsub("%%(%x%x)", function(digits)
      return string.char(tonumber(digits, 16))
    end)
  end
  return query
end

local function page_text(ids, total, offset)
  local items = {}
  for i, id in ipairs(ids) do items[i] = ('{"id":"%s"}'):format(id) end
  return ('{"data":[%s],"count":%d,"total":%s,"offset":%d,"limit":100}')
    :format(table.concat(items, ","), #ids, tostring(total), offset)
end

-- A client of an account with these ids. `before(request number, ids)` may
-- change the account, or return a response, a page's ids, or a failure.
local function account(ids, before, options)
  local client, transport = helper.client(function(request, n)
    local query = query_of(request)
    local offset = tonumber(query.offset) or 0
    local limit = tonumber(query.limit) or 100
    local rows = {}
    for i = offset + 1, math.min(offset + limit, #ids) do
      rows[#rows + 1] = ids[i]
    end
    local other, failure = nil, nil
    if before then other, failure = before(n, ids, rows, query) end
    if failure then return nil, failure end
    if other and other.status then return other end
    return helper.json(200, page_text(other or rows, #ids, offset))
  end, options)
  return client, transport
end

local function ids_up_to(count)
  local ids = {}
  for i = 1, count do ids[i] = id_of(i) end
  return ids
end

-- All that each gives: ids in order, and the error.
local function walk(client, query, opts)
  local seen = {}
  for session, err in client.sessions:each(query, opts) do
    if not session then return seen, err end
    seen[#seen + 1] = session.id
  end
  return seen
end

local function offsets(transport)
  local list = {}
  for i, request in ipairs(transport.requests) do
    list[i] = tonumber(query_of(request).offset) or 0
  end
  return list
end

local function first(list, count)
  local part = {}
  for i = 1, count do part[i] = list[i] end
  return part
end

-- -- each -------------------------------------------------------------------

describe("each", function()
  it("gives every session once, oldest first, and asks no more than it must",
    function()
      local client, transport = account(ids_up_to(250))
      assert.same(ids_up_to(250), walk(client))
      assert.same({ 0, 100, 200 }, offsets(transport))
      for _, request in ipairs(transport.requests) do
        assert.matches("sort=%%2BcreatedAt", request.url)
      end
    end)

  it("does nothing before its first step", function()
    local client, transport = account(ids_up_to(3))
    client.sessions:each()
    assert.equal(0, #transport.requests)
  end)

  it("gives nothing of an empty account", function()
    local client, transport = account {}
    assert.same({}, walk(client))
    assert.equal(1, #transport.requests)
  end)

  it("keeps the order that it is asked for", function()
    for _, sort in ipairs { "-createdAt", { "+dueDate", "-createdAt" } } do
      local client, transport = account(ids_up_to(3))
      walk(client, { sort = sort })
      assert.is_nil(transport.requests[1].url:find "%%2BcreatedAt")
    end
  end)

  it("leaves its query as it was", function()
    local query = { limit = 50, state = { "READY" } }
    walk(account(ids_up_to(120)), query)
    assert.same({ limit = 50, state = { "READY" } }, query)
  end)

  it("takes the filters with it to every page", function()
    local client, transport = account(ids_up_to(120))
    walk(client, { limit = 50, state = { "READY", "BLOCKED" } })
    assert.equal(3, #transport.requests)
    for _, request in ipairs(transport.requests) do
      assert.matches("state=READY&state=BLOCKED", request.url)
      assert.matches("limit=50", request.url)
    end
  end)

  it("begins at an offset that it is given", function()
    local client, transport = account(ids_up_to(250))
    local seen = walk(client, { offset = 30 })
    assert.equal(220, #seen)
    assert.same({ 30, 130, 230 }, offsets(transport))
  end)

  it("is not ended by a short page, and goes on by the rows received",
    function()
      local client, transport = account(ids_up_to(250),
        function(n, _, rows) return n < 4 and first(rows, 30) or nil end)
      assert.same(ids_up_to(250), walk(client))
      assert.same({ 0, 30, 60, 90, 190 }, offsets(transport))
    end)

  it("asks once more for an empty page before the end", function()
    local client, transport = account(ids_up_to(250),
      function(n) return n == 2 and {} or nil end)
    assert.same(ids_up_to(250), walk(client))
    assert.same({ 0, 100, 100, 200 }, offsets(transport))
  end)

  it("takes two empty pages for an error, never for the end", function()
    local client, transport = account(ids_up_to(250),
      function(n) return n > 1 and {} or nil end)
    local seen, err = walk(client)
    assert.equal(100, #seen)
    assert.equal("protocol", err.kind)
    assert.matches("a page is empty, and there are more to come",
      tostring(err))
    assert.equal(3, #transport.requests)
  end)

  it("forgives each empty page anew", function()
    local client = account(ids_up_to(250),
      function(n) return (n == 1 or n == 3 or n == 5) and {} or nil end)
    assert.same(ids_up_to(250), walk(client))
  end)

  it("takes a page that was there before for an error", function()
    local client = account(ids_up_to(250), function(n, ids)
      return n == 2 and first(ids, 100) or nil
    end)
    local seen, err = walk(client)
    assert.equal(100, #seen)
    assert.equal("protocol", err.kind)
  end)

  it("drops ids that it gave already", function()
    local client = account(ids_up_to(150), function(n, ids, rows)
      if n == 2 then rows[1] = ids[100] return rows end
    end)
    local seen = walk(client)
    assert.equal(149, #seen)
    assert.equal(id_of(102), seen[101])
  end)

  it("takes a page without a total for an error", function()
    for _, total in ipairs { "null", '"7"', "-1", "1.5" } do
      local client = account({}, function()
        return helper.json(200, page_text({ id_of(1) }, total, 0))
      end)
      local seen, err = walk(client)
      assert.same({}, seen)
      assert.equal("protocol", err.kind)
    end
  end)

  it("ends with a failure, which is given once and not raised", function()
    local client = account(ids_up_to(250), function(n)
      return n == 2 and { status = 403 } or nil
    end)
    local step = client.sessions:each()
    for _ = 1, 100 do assert.is_truthy(step()) end
    local session, err = step()
    assert.is_false(session)
    assert.equal("forbidden", err.kind)
    assert.is_nil(step())
    assert.is_nil(step())
  end)

  it("raises for what can only be a mistake, at the caller's line", function()
    local client = account {}
    for _, mistake in ipairs {
      function() client.sessions:each("READY") end,
      function() client.sessions:each({}, { timeuot = 1 }) end,
    } do
      local ok, message = pcall(mistake)
      assert.is_false(ok)
      assert.matches("^spec/pages_spec%.lua:%d+: sessions:each", message)
    end
  end)

  it("gives a query that cannot be as an error", function()
    for _, case in ipairs { { "limit", 1001 }, { "limit", "x" },
      { "limit", {} }, { "offset", -1 }, { "offset", 100001 },
      { "offset", "x" }, { "offset", 0.5 }, { "stat", "READY" } } do
      local client, transport = account(ids_up_to(3))
      local seen, err = walk(client, { [case[1]] = case[2] })
      assert.same({}, seen)
      assert.equal("invalid", err.kind)
      assert.equal(case[1], err.fields[1].name)
      assert.equal(0, #transport.requests)
    end
  end)
end)

describe("a list that changes meanwhile", function()
  it("misses none when sessions leave it as they are given", function()
    local ids = ids_up_to(250)
    local client = account(ids)
    local seen = {}
    for session in client.sessions:each { limit = 20 } do
      seen[#seen + 1] = session.id
      table.remove(ids, 1) -- its caller deleted it
    end
    assert.same(ids_up_to(250), seen)
    assert.same({}, ids)
  end)

  it("misses none when one leaves it between two pages", function()
    local client = account(ids_up_to(250), function(n, ids, rows, query)
      if n ~= 2 then return nil end
      table.remove(ids, 7)
      for i = 1, #rows do rows[i] = ids[query.offset + i] end
    end)
    assert.same(ids_up_to(250), walk(client))
  end)

  it("has those that come to it at its end", function()
    local client = account(ids_up_to(100), function(n, ids)
      if n < 3 then ids[#ids + 1] = id_of(#ids + 1) end
    end)
    local seen = walk(client, { limit = 100 })
    assert.same(ids_up_to(102), seen)
  end)

  it("does not take rows pushed on by new ones for an error", function()
    local client = account(ids_up_to(200), function(n, ids, rows, query)
      if n ~= 2 then return nil end
      for i = 1, 100 do table.insert(ids, 1, id_of(1000 + i)) end
      for i = 1, 100 do rows[i] = ids[query.offset + i] end
    end)
    assert.same(ids_up_to(200), walk(client, { sort = "-createdAt" }))
  end)
end)

describe("a page that is too large", function()
  it("is asked for in halves", function()
    local events = {}
    local client, transport = account(ids_up_to(250), function(_, _, rows)
      return #rows > 30 and { status = 413 } or nil
    end, { on_event = function(event)
      if event.name == "retry" then events[#events + 1] = event.reason end
    end })
    assert.same(ids_up_to(250), walk(client))
    assert.matches("limit=25", transport.requests[#transport.requests].url)
    assert.equal(2, #events)
  end)

  it("is an error when it has one session", function()
    local client, transport = account(ids_up_to(3), function()
      return { status = 413 }
    end)
    local seen, err = walk(client, { limit = 4 })
    assert.same({}, seen)
    assert.equal("too_large", err.kind)
    assert.equal(3, #transport.requests)
  end)

  it("is one beyond max_body, too", function()
    local client = account(ids_up_to(250))
    assert.same(ids_up_to(250), walk(client, nil, { max_body = 2000 }))
  end)
end)

-- -- page:next ----------------------------------------------------------------

describe("page:next", function()
  it("leads through a list, to nothing at its end", function()
    local client = account(ids_up_to(250))
    local sizes, page, meta = {}, client.sessions:list()
    while page do
      assert.equal(200, meta.status)
      sizes[#sizes + 1] = #page.data
      page, meta = page:next()
    end
    assert.same({ 100, 100, 50 }, sizes)
    assert.is_nil(meta)
  end)

  it("asks in the order and with the filters of the list", function()
    local client, transport = account(ids_up_to(250))
    local query = { sort = "+dueDate", state = "READY" }
    local page = assert(client.sessions:list(query))
    query.sort = nil -- the caller's again
    assert(page:next())
    assert.matches("sort=%%2BdueDate", transport.requests[2].url)
    assert.matches("state=READY", transport.requests[2].url)
  end)

  it("may be called again after a failure", function()
    local client = account(ids_up_to(250), function(n)
      return n == 2 and { status = 500 } or nil
    end)
    local page = assert(client.sessions:list())
    local none, err, meta = page:next()
    assert.is_nil(none)
    assert.equal("server", err.kind)
    assert.equal(500, meta.status)
    assert.equal(id_of(101), assert(page:next()).data[1].id)
  end)

  it("raises when what it returned was passed by", function()
    local client = account(ids_up_to(350))
    local page = assert(client.sessions:list())
    local second = assert(page:next())
    for _ = 1, 2 do
      local ok, message = pcall(function() page:next() end)
      assert.is_false(ok)
      assert.matches("^spec/pages_spec%.lua:%d+: page:next was called already",
        message)
    end
    assert(second:next())
    assert.is_false((pcall(function() second:next() end)))
  end)

  it("leaves sessions seen before out of `data`, not out of json", function()
    local client = account(ids_up_to(150), function(n, ids, rows)
      if n == 2 then rows[1] = ids[100] return rows end
    end)
    local page = assert(assert(client.sessions:list()):next())
    assert.equal(49, #page.data)
    assert.equal(50, page.count)
    assert.equal(50, #page:totable().data)
    assert.equal(core.array_mark, getmetatable(page.data))
  end)

  it("takes options of its own, else those of the list", function()
    local client, transport = account(ids_up_to(350))
    local page = assert(client.sessions:list(nil, { timeout = 7 }))
    page = assert(page:next())
    assert(page:next { timeout = 9 })
    local limits = {}
    for i, request in ipairs(transport.requests) do
      limits[i] = request.timeout
    end
    assert.same({ 7, 7, 9 }, limits)
  end)

  it("can be waited for in a coroutine, where each cannot on 5.1", function()
    local client = account(ids_up_to(250))
    local send = client.transport.send
    function client.transport.send(...)
      coroutine.yield "sending"
      return send(...)
    end
    local count, steps = 0, 0
    local task = coroutine.create(function()
      local page = assert(client.sessions:list())
      while page do
        count = count + #page.data
        page = page:next()
      end
    end)
    while coroutine.status(task) ~= "dead" do
      assert(coroutine.resume(task))
      steps = steps + 1
    end
    assert.same({ 250, 4 }, { count, steps })
  end)

  it("keeps nothing of the pages before", function()
    local client = account(ids_up_to(300))
    local kept = setmetatable({}, { __mode = "k" })
    local page = assert(client.sessions:list())
    while page do
      kept[page] = true
      page = page:next()
      collectgarbage()
      collectgarbage()
      local count = 0
      for _ in pairs(kept) do count = count + 1 end
      assert.is_true(count <= 1)
    end
  end)
end)

-- -- beyond what the service pages through ----------------------------------

describe("a list without times to go on from", function()
  -- a list of more than 100 000 rows, with ids by `id_at`
  local function long(id_at, sort)
    local client = helper.client(function(request)
      local query = query_of(request)
      local offset, ids = tonumber(query.offset) or 0, {}
      for i = 1, math.min(1000, 102000 - offset) do
        ids[i] = id_at(offset + i)
      end
      return helper.json(200, page_text(ids, 102000, offset))
    end)
    return walk(client, { limit = 1000, offset = 99500, sort = sort })
  end

  for title, case in pairs {
    ["ids that are not version 7"] = {
      function(n) return ("%08x-0000-4000-8000-000000000000"):format(n) end },
    ["another order"] = { id_of, "+dueDate" },
  } do
    it("says what to narrow: " .. title, function()
      local seen, err = long(case[1], case[2])
      assert.is_true(#seen <= 1000)
      assert.equal("unsupported", err.kind)
      assert.matches("narrow the list by createdDateFrom and createdDateTo",
        tostring(err))
    end)
  end

  it("has an error when the next part lacks sessions", function()
    local part = 0
    local client = helper.client(function(request)
      local query = query_of(request)
      if query.createdDateFrom then
        part = part + 1
        return helper.json(200, page_text({ id_of(100501) }, 1, 0))
      end
      local offset, ids = tonumber(query.offset) or 0, {}
      for i = 1, 1000 do ids[i] = id_of(offset + i) end
      return helper.json(200, page_text(ids, 101500, offset))
    end)
    local page = assert(client.sessions:list { limit = 1000, offset = 99500,
                                               sort = "+createdAt" })
    local none, err = page:next()
    assert.is_nil(none)
    assert.equal("protocol", err.kind)
    assert.matches("sessions are missing from the list", tostring(err))
    assert.equal(1, part)
    assert.equal("protocol", select(2, page:next()).kind) -- and stays one
  end)
end)

describe("over the sandbox", function()
  local service, sign

  setup(function()
    service = assert(sandbox.start())
    sign = assert(service:client())
  end)

  teardown(function()
    if sign then sign:close() end
    if service then service:stop() end
  end)

  -- How many there were, and whether one came twice.
  local function tally(query)
    local seen, count, first_title, last_title = core.idset(), 0, nil, nil
    for session, err in sign.sessions:each(query) do
      if not session then return count, err end
      assert.is_true(seen:add(session.id))
      first_title = first_title or session.title
      last_title = session.title
      count = count + 1
    end
    return count, nil, first_title, last_title
  end

  it("each gives 101 500 sessions, each once, either way", function()
    assert(service:seed { sessions = 101500 })
    local count, err, from, to = tally { limit = 1000 }
    assert.is_nil(err)
    assert.same({ 101500, "Seeded 1", "Seeded 101500" }, { count, from, to })
    count, err, from, to = tally { limit = 1000, sort = "-createdAt",
                                   offset = 99000 }
    assert.is_nil(err)
    assert.same({ 2500, "Seeded 2500", "Seeded 1" }, { count, from, to })
    assert(service:reset())
    sign:close()
    sign = assert(service:client())
  end)

  it("a session kept of each of 100 pages takes little room",
    function()
      local function room()
        collectgarbage()
        collectgarbage()
        return collectgarbage "count"
      end
      assert(service:seed { sessions = 10200 })
      assert(sign.sessions:list()) -- what a first call leaves for good
      local before = room()
      local page, kept = assert(sign.sessions:list()), {}
      for i = 1, 100 do
        kept[i] = page.data[50]
        page = assert(page:next())
      end
      page = nil
      assert.is_nil(page)
      assert.equal(100, #kept)
      local grown = room() - before
      assert.is_true(grown < 1024, grown .. " KiB")
      assert(service:reset())
      sign:close()
      sign = assert(service:client())
    end)

  it("each outlives short and empty pages, and stops at repeated ones",
    function()
      assert(service:seed { sessions = 950 })
      assert(service:faults { { operation = "listSigningSessions",
                                fault = "short_page", times = 5 } })
      assert.equal(950, (tally()))
      for i = 0, 9 do
        assert(service:clear_faults())
        assert(service:faults { { operation = "listSigningSessions",
                                  fault = "empty_page", skip = i } })
        assert.equal(950, (tally()))
      end
      for i = 1, 9 do
        assert(service:clear_faults())
        assert(service:faults { { operation = "listSigningSessions",
                                  fault = "duplicate_page", skip = i } })
        local count, err = tally()
        assert.equal(100 * i, count)
        assert.equal("protocol", err.kind)
      end
      assert(service:clear_faults())
    end)

  it("page:next has all that each has", function()
    local count, page = 0, assert(sign.sessions:list { limit = 70 })
    while page do
      count = count + #page.data
      page = page:next()
    end
    assert.equal(950, count)
  end)

  it("a list that tasks walk over together tells so, and goes on in the last",
    function()
      assert(service:reset())
      assert(service:seed { sessions = 12 })
      local begun = assert(sign.sessions:list { limit = 4 })
      local iterator = sign.sessions:each { limit = 4 }
      local walks = {
        function()
          local count, page = 0, assert(begun:next())
          while page do
            count, page = count + #page.data, page:next()
          end
          return count + #begun.data
        end,
      }
      if _VERSION ~= "Lua 5.1" or rawget(_G, "jit") then
        local given = 0
        walks[2] = function()
          for _ in iterator do given = given + 1 end
          return given
        end
      end
      for _, act in ipairs(walks) do
        local tasks = {}
        local go_on = helper.hold(service.process)
        for i = 1, 3 do tasks[i] = sign:async(act) end
        repeat sign:step(0.01) until sign.transport.loop.multi:running() == 3
        go_on()
        for i = 1, 3 do
          local done, value = pcall(tasks[i].wait, tasks[i])
          assert.equal(i == 3, done)
          if done then
            assert.equal(12, value)
          else
            assert.matches("another task has asked for the same page", value)
          end
        end
      end
    end)

  it("a loop that deletes what it gets, gets all", function()
    assert(service:reset())
    sign:close()
    sign = assert(service:client())
    assert(service:seed { sessions = 120 })
    local count = 0
    for session, err in sign.sessions:each { limit = 25 } do
      assert(session, err)
      assert(sign.sessions:delete(session))
      count = count + 1
    end
    assert.equal(120, count)
    assert.equal(0, assert(sign.sessions:list()).total)
  end)
end)
