-- The twelve operations and all that can go wrong on the way: what the caller
-- is told of each fault, and how often the sandbox was asked.
--
-- SIGNICAT_SHOW_FAULTS=1 prints the table as it was seen.

local core = require "signicat.core"
local gateway = require "spec.support.gateway"
local sandbox = require "signicat.sandbox"

local SHOW = os.getenv "SIGNICAT_SHOW_FAULTS"
local NONE = "not applicable"
local WAIT = 3 -- seconds of Retry-After; nobody sleeps them

-- A cell is the kind of error, or "ok". Then follow
--   :n  requests that the service saw without retries, when that is not one
--   ?   the error is ambiguous
--   +   with retries there is one more request, and success
-- Without a plus, retries change nothing.
local DIRECT = [[
fault             upload      create      download    other       delete
refused           connect:0+  connect:0+  connect:0+  connect:0+  connect:0+
reset             connect?    connect?    connect+    connect+    connect+
reset-reused      connect?    connect?    ok:2        ok:2        ok:2
closed            connect?    connect?    connect+    connect+    connect+
closed-reused     connect?    connect?    ok:2        ok:2        ok:2
lost-answer       connect?    connect?    connect+    connect+    connect+
lost-reused       connect?    connect?    ok:2        ok:2        ok:2
401-once          ok:2        ok:2        ok:2        ok:2        ok:2
429-seconds       rate_limit+ rate_limit+ rate_limit+ rate_limit+ rate_limit+
429-date          rate_limit+ rate_limit+ rate_limit+ rate_limit+ rate_limit+
429               rate_limit  rate_limit  rate_limit+ rate_limit+ rate_limit+
503-seconds       server+     server+     server+     server+     server+
503-date          server+     server+     server+     server+     server+
503               server?     server?     server+     server+     server+
503-html          server?     server?     server+     server+     server+
500               server?     server?     server+     server+     server+
slow              timeout?    timeout?    timeout+    timeout+    timeout+
stall             timeout?    timeout?    timeout+    timeout+    timeout+
cut               connect?    connect?    connect+    connect+    connect+
flood             too_large?  too_large?  too_large   too_large   too_large
length-too-long   connect?    connect?    connect+    connect+    ok
length-too-short  protocol?   protocol?   integrity   protocol    ok
redirect          protocol    protocol    protocol    protocol    protocol
nonsense          protocol?   protocol?   integrity   protocol    protocol
html              protocol?   protocol?   integrity   protocol    protocol
wrong-hash        integrity   n/a         integrity   ok          n/a
empty-page        n/a         n/a         n/a         ok          n/a
short-page        n/a         n/a         n/a         ok          n/a
duplicate-page    n/a         n/a         n/a         ok          n/a
]]

-- The same over HTTP/2, through a gateway: to it a service that hangs up is a
-- 502 of its own.
local THROUGH_GATEWAY = [[
fault             upload      create      download    other       delete
refused           server:0?   server:0?   server:0+   server:0+   server:0+
reset             server?     server?     server+     server+     server+
reset-reused      server?     server?     server+     server+     server+
closed            server?     server?     server+     server+     server+
closed-reused     server?     server?     server+     server+     server+
lost-answer       server?     server?     server+     server+     server+
lost-reused       server?     server?     server+     server+     server+
401-once          ok:2        ok:2        ok:2        ok:2        ok:2
429-seconds       rate_limit+ rate_limit+ rate_limit+ rate_limit+ rate_limit+
429-date          rate_limit+ rate_limit+ rate_limit+ rate_limit+ rate_limit+
429               rate_limit  rate_limit  rate_limit+ rate_limit+ rate_limit+
503-seconds       server+     server+     server+     server+     server+
503-date          server+     server+     server+     server+     server+
503               server?     server?     server+     server+     server+
503-html          server?     server?     server+     server+     server+
500               server?     server?     server+     server+     server+
slow              timeout?    timeout?    timeout+    timeout+    timeout+
stall             timeout?    timeout?    timeout+    timeout+    timeout+
cut               connect?    connect?    connect+    connect+    server+
flood             too_large?  too_large?  too_large   too_large   too_large
length-too-long   connect?    connect?    connect+    connect+    ok
length-too-short  protocol?   protocol?   integrity   protocol    ok
redirect          protocol    protocol    protocol    protocol    protocol
nonsense          protocol?   protocol?   integrity   protocol    protocol
html              protocol?   protocol?   integrity   protocol    protocol
wrong-hash        integrity   n/a         integrity   ok          n/a
empty-page        n/a         n/a         n/a         ok          n/a
short-page        n/a         n/a         n/a         ok          n/a
duplicate-page    n/a         n/a         n/a         ok          n/a
]]

-- How each comes about. Its `rule` is the sandbox's; `only` one operation of
-- a column has it; `reused`: on a connection that has served before; `waits`:
-- so long before the next attempt.
local FAULTS = {
  ["refused"] = { rule = { fault = "refuse" } },
  ["reset"] = { rule = { fault = "reset" } },
  ["reset-reused"] = { rule = { fault = "reset" }, reused = true },
  ["closed"] = { rule = { fault = "close" } },
  ["closed-reused"] = { rule = { fault = "close" }, reused = true },
  ["lost-answer"] = { rule = { fault = "lost_answer" } },
  ["lost-reused"] = { rule = { fault = "lost_answer" }, reused = true },
  ["401-once"] = { rule = { fault = "status", status = 401 },
                   credentials = true },
  ["429-seconds"] = { waits = WAIT, rule = { fault = "status", status = 429,
                                             retry_after = WAIT } },
  ["429-date"] = { waits = WAIT, rule = { fault = "status", status = 429,
                                          retry_after = "date:+" .. WAIT } },
  ["429"] = { rule = { fault = "status", status = 429 } },
  ["503-seconds"] = { waits = WAIT, rule = { fault = "status", status = 503,
                                             retry_after = WAIT } },
  ["503-date"] = { waits = WAIT, rule = { fault = "status", status = 503,
                                          retry_after = "date:+" .. WAIT } },
  ["503"] = { rule = { fault = "status", status = 503 } },
  ["503-html"] = { rule = { fault = "status", status = 503, body = "html" } },
  ["500"] = { rule = { fault = "status", status = 500 } },
  ["slow"] = { rule = { fault = "slow", milliseconds = 60000 },
               impatient = true },
  ["stall"] = { rule = { fault = "stall" }, impatient = true },
  ["cut"] = { rule = { fault = "cut" } },
  ["flood"] = { rule = { fault = "flood" }, max_body = 100000 },
  ["length-too-long"] = { rule = { fault = "wrong_length", by = 7 } },
  ["length-too-short"] = { rule = { fault = "wrong_length", by = -7 } },
  ["redirect"] = { rule = { fault = "redirect", location = "/elsewhere" } },
  ["nonsense"] = { rule = { fault = "not_json" } },
  ["html"] = { rule = { fault = "html" } },
  ["wrong-hash"] = { rule = { fault = "wrong_hash" },
                     only = { other = "getDocumentInfo" } },
  ["empty-page"] = { rule = { fault = "empty_page" },
                     only = { other = "listSigningSessions" } },
  ["short-page"] = { rule = { fault = "short_page" },
                     only = { other = "listSigningSessions" } },
  ["duplicate-page"] = { rule = { fault = "duplicate_page" },
                         only = { other = "listSigningSessions" } },
}

-- -- reading the table ------------------------------------------------------

-- The rows as lists of words, the head first.
local function rows_of(text)
  local rows = {}
  for line in text:gmatch "[^\n]+" do
    local words = {}
    for word in line:gmatch "%S+" do words[#words + 1] = word end
    rows[#rows + 1] = words
  end
  return rows
end

-- What a cell says of a call, without and with retries.
local function promises(cell)
  local kind, requests, ambiguous, again =
    cell:match "^([%a_]+):?(%d*)(%??)(%+?)$"
  requests = tonumber(requests) or 1
  local plain = { kind = kind, requests = requests }
  if kind ~= "ok" then
    plain.ambiguous = ambiguous == "?"
    -- What did not arrive was not sent, unless a gateway answered.
    plain.sent = requests > 0 or kind == "server"
  end
  if again == "" then return plain, plain end
  return plain, { kind = "ok", requests = requests + 1 }
end

-- -- the operations ---------------------------------------------------------

local TEXT = "Words to be signed, and enough of them to be cut in two.\n"

-- What calls need: a document, a collection and a session to read, and new
-- ones to delete.
local function new_store(sign)
  local store = {}
  function store.document()
    return assert(sign.documents:upload { content = TEXT,
                                          type = "text/plain" })
  end
  function store.collection()
    return assert(sign.collections:create(store.wanted_collection))
  end
  function store.session()
    return assert(sign.sessions:create(store.wanted_sessions))[1]
  end
  local document = store.document()
  store.wanted_collection = {
    documents = { { documentId = document.documentId } } }
  local collection = store.collection()
  store.wanted_sessions = { {
    title = "Lease 17",
    documents = { { documentId = document.documentId,
                    documentCollectionId = collection.id, action = "SIGN" } },
    signingSetup = { { signingFlow = "PKISIGNING", vendor = "NBID" } },
  } }
  store.kept = { document = document, collection = collection,
                 session = store.session() }
  return store
end

-- Each: the column, the call, and what it deletes.
local OPERATIONS = {
  uploadDocument = { "upload", function(sign)
    return sign.documents:upload { content = TEXT, type = "text/plain" }
  end },
  createDocumentCollection = { "create", function(sign, store)
    return sign.collections:create(store.wanted_collection)
  end },
  createSigningSession = { "create", function(sign, store)
    return sign.sessions:create(store.wanted_sessions)
  end },
  getDocument = { "download", function(sign, store)
    return sign.documents:download(store.kept.document)
  end },
  getDocumentInfo = { "other", function(sign, store)
    return sign.documents:metadata(store.kept.document)
  end },
  getDocumentCollection = { "other", function(sign, store)
    return sign.collections:get(store.kept.collection)
  end },
  getSigningSession = { "other", function(sign, store)
    return sign.sessions:get(store.kept.session)
  end },
  listSigningSessions = { "other", function(sign)
    return sign.sessions:list { limit = 2 }
  end },
  updateDocumentMetadata = { "other", function(sign, store)
    return sign.documents:update(store.kept.document, { title = "Lease" })
  end },
  deleteDocument = { "delete", function(sign, _, target)
    return sign.documents:delete(target)
  end, "document" },
  deleteDocumentCollection = { "delete", function(sign, _, target)
    return sign.collections:delete(target)
  end, "collection" },
  deleteSigningSession = { "delete", function(sign, _, target)
    return sign.sessions:delete(target)
  end, "session" },
}

-- The cell of an operation, or that there is none.
local function cell_of(head, row, operation)
  local column = OPERATIONS[operation][1]
  local only = FAULTS[row[1]].only
  if only and only[column] and only[column] ~= operation then return NONE end
  for i, name in ipairs(head) do
    if name == column then return row[i] == "n/a" and NONE or row[i] end
  end
end

local function sorted_names(list)
  local names = {}
  for name in pairs(list) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- -- one call ---------------------------------------------------------------

local function copy(list, more)
  local all = {}
  for name, value in pairs(list) do all[name] = value end
  for name, value in pairs(more or {}) do all[name] = value end
  return all
end

-- Several times what a call takes here, so that only a fault runs out of it.
local function measure_patience(sign)
  local slowest = 0
  for _ = 1, 5 do
    local start = core.now()
    assert(sign.sessions:list { limit = 2 })
    slowest = math.max(slowest, core.now() - start)
  end
  return math.max(0.1, 20 * slowest)
end

-- Prints a line of the table: what was expected, and what was seen without
-- retries and with them.
local function show(way, fault, operation, cell, seen)
  if not SHOW then return end
  local words = {}
  for i, one in ipairs(seen or {}) do
    words[i] = ("%s%s, %d seen"):format(one.kind, one.ambiguous and "?" or "",
      one.requests)
  end
  print(("%-8s %-16s %-24s %-14s %s"):format(way, fault, operation, cell,
    table.concat(words, "; ")))
end

local function describe_way(way)
  local rows = rows_of(way.expected)
  local head = table.remove(rows, 1)
  local operations = sorted_names(OPERATIONS)
  local service, front, reach, plain, store, token, patience

  setup(function()
    service = assert(sandbox.start())
    reach = {}
    if way.gateway then
      front = gateway.start(service.url)
      reach = { base_url = front.url .. "/sign", http_version = "2",
                tls = { ca_file = front.ca_file } }
    end
    plain = assert(service:client(reach))
    if way.gateway then
      local _, meta = assert(plain.sessions:list())
      assert.equal("HTTP/2.0", meta.headers["x-protocol"])
    end
    store = new_store(plain)
    token = plain.token:get(plain, nil, {}):match "^Bearer (.+)$"
    patience = measure_patience(plain)
  end)

  teardown(function()
    if plain then plain:close() end
    if front then front:stop() end
    if service then service:stop() end
  end)

  -- A client whose next request is the first of its connection, or not.
  local function new_client(fault, retries)
    local slept = {}
    local sign = assert(service:client(copy(reach, {
      token = not fault.credentials and token or nil,
      retries = retries,
      timeout = fault.impatient and patience or nil,
      max_body = fault.max_body,
      random = function() return 0 end,
      sleep = function(seconds)
        slept[#slept + 1] = seconds
        if fault.rule.fault == "refuse" then service:clear_faults() end
      end,
    })))
    if fault.credentials or fault.reused then
      assert(sign.sessions:list { limit = 1 })
    end
    return sign, slept
  end

  local function script(fault, operation)
    if fault.rule.fault == "refuse" then
      return service:faults { fault.rule }
    end
    return service:faults { copy(fault.rule, {
      operation = operation,
      reused_only = not way.gateway and fault.reused or nil }) }
  end

  -- Whether all of the script has struck; takes it away.
  local function struck(fault)
    local left = assert(service:faults_left())
    assert(service:clear_faults())
    return #left == 0 or fault.rule.fault == "refuse"
  end

  local function total()
    return assert(plain.sessions:list { limit = 1 }).total
  end

  -- What is seen of a call that a fault strikes.
  local function try(fault, operation, retries)
    local act, kind = OPERATIONS[operation][2], OPERATIONS[operation][3]
    local target = kind and store[kind]()
    local sign, slept = new_client(fault, retries)
    local sessions = total()
    assert(service:clear_journal())
    assert(script(fault, operation))
    local value, err = act(sign, store, target)
    sign:close()
    assert.is_true(struck(fault))
    local journal = assert(service:journal { operation = operation })
    if operation == "createSigningSession" then
      assert.is_true(total() <= sessions + 1)
    end
    local seen = { kind = "ok", requests = #journal }
    if value == nil then
      seen.kind, seen.ambiguous, seen.sent = err.kind, err.ambiguous, err.sent
    end
    return seen, slept
  end

  it("none is missing here, nor is a cell empty", function()
    assert.same(sorted_names(core.operations), operations)
    local named = {}
    for _, row in ipairs(rows) do
      assert.equal(#head, #row, row[1])
      named[row[1]] = true
      for _, operation in ipairs(operations) do
        local cell = cell_of(head, row, operation)
        assert.is_true(cell == NONE or promises(cell).kind ~= nil, cell)
      end
    end
    assert.same(sorted_names(FAULTS), sorted_names(named))
  end)

  for _, row in ipairs(rows) do
    local fault = FAULTS[row[1]]
    for _, operation in ipairs(operations) do
      local cell = cell_of(head, row, operation)
      if cell == NONE then
        it(("%s cannot meet %s"):format(operation, row[1]), function()
          local none, err = script(fault, operation)
          assert.is_nil(none)
          assert.equal("invalid", err.kind)
          show(way.name, row[1], operation, cell)
        end)
      else
        it(("%s tells of %s: %s"):format(operation, row[1], cell), function()
          local without, with = promises(cell)
          local seen, slept = try(fault, operation, 0)
          assert.same(without, seen)
          assert.same({}, slept)
          local again
          again, slept = try(fault, operation, 2)
          assert.same(with, again)
          if with ~= without then
            assert.same({ fault.waits or 0 }, slept)
          end
          show(way.name, row[1], operation, cell, { seen, again })
        end)
      end
    end
  end
end

describe("of the twelve operations over HTTP/1.1", function()
  describe_way { name = "HTTP/1.1", expected = DIRECT }
end)

describe("of the twelve operations over HTTP/2", function()
  describe_way { name = "HTTP/2", expected = THROUGH_GATEWAY, gateway = true }
end)

describe("of the twelve operations with a certificate that is", function()
  local ID = "d1234567-89ab-cdef-0123-456789abcdef"
  local store = {
    wanted_collection = { documents = { { documentId = ID } } },
    wanted_sessions = { {
      title = "Lease 17",
      documents = { { documentId = ID, documentCollectionId = ID,
                      action = "SIGN" } },
      signingSetup = { { signingFlow = "PKISIGNING", vendor = "NBID" } },
    } },
    kept = { document = ID, collection = ID, session = ID },
  }
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
      for _, version in ipairs { "1.1", "2" } do
        for _, operation in ipairs(sorted_names(OPERATIONS)) do
          local sign = assert(service:client(copy(reach, {
            token = "kept-to-itself", http_version = version })))
          local value, err = OPERATIONS[operation][2](sign, store, ID)
          sign:close()
          assert.is_nil(value)
          assert.same({ "tls", false, false, 1 },
            { err.kind, err.sent, err.ambiguous, err.attempts }, operation)
          show("TLS/" .. version, kind, operation, "tls:0", { {
            kind = err.kind, requests = #assert(service:journal()) } })
        end
      end
      assert.same({}, (assert(service:journal())))
    end)
  end
end)
