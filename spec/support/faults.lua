-- faults.lua: the operations and all that can go wrong on the way: the one
-- table of what a caller is told of each fault, and a bench that tries it.
--
-- A bench sees a cell as the table writes it, so that the two are compared as
-- words. It knows no busted, because it runs in nginx's workers too.

local core = require "signicat.core"
local http = require "socket.http"
local lfs = require "lfs"

local faults = {}

local WAIT = 3 -- seconds of Retry-After; nobody sleeps them
local LIMIT = 60 -- seconds by the client's clock that a call may take

-- A cell is the kind of error, or "ok". Then follow
--   :n  requests that the service saw without retries, when that is not one
--   ?   the error is ambiguous
--   +   with retries there is one more request, and success
--   *   with retries each attempt fails alike
-- Without a plus or a star, retries change nothing. A row is of every way to
-- reach the service and to wait for it, but where one of its own follows, with
-- dashes where it says the same. "h2" is over HTTP/2, through a gateway, to
-- which a service that hangs up is a 502. "file" and "writer" are where a
-- document may go: for these there is no cap, and a writer cannot begin again.
-- luacheck: push no max line length
local TABLE = [[
way    fault            upload      create      download    other       delete      token
any    unresolved       connect:0*  connect:0*  connect:0*  connect:0*  connect:0*  connect:0*
any    untrusted        tls:0       tls:0       tls:0       tls:0       tls:0       tls:0
any    no-tls           tls:0       tls:0       tls:0       tls:0       tls:0       tls:0
any    refused          connect:0+  connect:0+  connect:0+  connect:0+  connect:0+  connect:0+
h2     refused          server:0?   server:0?   server:0+   server:0+   server:0+   server:0+
any    reset            connect?    connect?    connect+    connect+    connect+    connect+
h2     reset            server?     server?     server+     server+     server+     server+
any    reset-reused     connect?    connect?    ok:2        ok:2        ok:2        ok:2
h2     reset-reused     server?     server?     server+     server+     server+     server+
any    closed           connect?    connect?    connect+    connect+    connect+    connect+
h2     closed           server?     server?     server+     server+     server+     server+
any    closed-reused    connect?    connect?    ok:2        ok:2        ok:2        ok:2
h2     closed-reused    server?     server?     server+     server+     server+     server+
any    lost-answer      connect?    connect?    connect+    connect+    connect+    connect+
h2     lost-answer      server?     server?     server+     server+     server+     server+
any    lost-reused      connect?    connect?    ok:2        ok:2        ok:2        ok:2
h2     lost-reused      server?     server?     server+     server+     server+     server+
any    401-once         ok:2        ok:2        ok:2        ok:2        ok:2        auth
any    401              auth:2      auth:2      auth:2      auth:2      auth:2      auth
any    403              forbidden   forbidden   forbidden   forbidden   forbidden   auth
any    404              not_found   not_found   not_found   not_found   not_found   not_found
any    409              conflict    conflict    conflict    conflict    conflict    conflict
any    429-seconds      rate_limit+ rate_limit+ rate_limit+ rate_limit+ rate_limit+ rate_limit+
any    429-date         rate_limit+ rate_limit+ rate_limit+ rate_limit+ rate_limit+ rate_limit+
any    429-late         rate_limit  rate_limit  rate_limit  rate_limit  rate_limit  rate_limit
any    429              rate_limit  rate_limit  rate_limit+ rate_limit+ rate_limit+ rate_limit+
any    503-seconds      server+     server+     server+     server+     server+     server+
any    503-date         server+     server+     server+     server+     server+     server+
any    503-late         server      server      server      server      server      server
any    503              server?     server?     server+     server+     server+     server+
any    503-html         server?     server?     server+     server+     server+     server+
any    500              server?     server?     server+     server+     server+     server+
any    slow             timeout?    timeout?    timeout+    timeout+    timeout+    timeout+
any    stall            timeout?    timeout?    timeout+    timeout+    timeout+    timeout+
writer stall            -           -           timeout     -           -           -
any    cut              connect?    connect?    connect+    connect+    connect+    connect+
h2     cut              connect?    connect?    connect+    connect+    server+     connect+
writer cut              -           -           connect     -           -           -
any    flood            too_large?  too_large?  too_large   too_large   too_large   too_large
file   flood            -           -           timeout+    -           -           -
writer flood            -           -           timeout     -           -           -
any    length-too-long  connect?    connect?    connect+    connect+    ok          connect+
writer length-too-long  -           -           connect     -           -           -
any    length-too-short protocol?   protocol?   integrity   protocol    ok          protocol
any    redirect         protocol    protocol    protocol    protocol    protocol    protocol
any    nonsense         protocol?   protocol?   integrity   protocol    protocol    protocol
any    html             protocol?   protocol?   integrity   protocol    protocol    protocol
any    wrong-hash       integrity   n/a         integrity   ok          n/a         n/a
any    empty-page       n/a         n/a         n/a         ok          n/a         n/a
any    short-page       n/a         n/a         n/a         ok          n/a         n/a
any    duplicate-page   n/a         n/a         n/a         ok          n/a         n/a
]]
-- luacheck: pop

-- How each comes about. Its `rule` is the sandbox's; `only` one operation of
-- a column has it; `reused`: on a connection that has served before;
-- `credentials`: with a token that is fetched; `waits`: so long before the
-- next attempt; `limit`: what the call may take, if not LIMIT; `impatient`:
-- the first attempt is; `times`: it strikes so often, but for the token's;
-- `elsewhere`: where the service is looked for instead, and is not.
local FAULTS = {
  -- An empty label: nobody is asked for such a name.
  ["unresolved"] = { elsewhere = function()
    return "https://nobody..test:1"
  end },
  ["untrusted"] = { elsewhere = function(way) return way.untrusted end },
  ["no-tls"] = { elsewhere = function(_, service)
    return (service.control or service.url):gsub("^http:", "https:"), nil
  end },
  ["refused"] = { rule = { fault = "refuse" } },
  ["reset"] = { rule = { fault = "reset" } },
  ["reset-reused"] = { rule = { fault = "reset" }, reused = true },
  ["closed"] = { rule = { fault = "close" } },
  ["closed-reused"] = { rule = { fault = "close" }, reused = true },
  ["lost-answer"] = { rule = { fault = "lost_answer" } },
  ["lost-reused"] = { rule = { fault = "lost_answer" }, reused = true },
  ["401-once"] = { rule = { fault = "status", status = 401 },
                   credentials = true },
  ["401"] = { rule = { fault = "status", status = 401 }, times = 2,
              credentials = true },
  ["403"] = { rule = { fault = "status", status = 403 } },
  ["404"] = { rule = { fault = "status", status = 404 } },
  ["409"] = { rule = { fault = "status", status = 409 } },
  ["429-seconds"] = { waits = WAIT, rule = { fault = "status", status = 429,
                                             retry_after = WAIT } },
  ["429-date"] = { waits = WAIT, rule = { fault = "status", status = 429,
                                          retry_after = "date:+" .. WAIT } },
  ["429-late"] = { limit = WAIT - 1, rule = { fault = "status", status = 429,
                                              retry_after = WAIT } },
  ["429"] = { rule = { fault = "status", status = 429 } },
  ["503-seconds"] = { waits = WAIT, rule = { fault = "status", status = 503,
                                             retry_after = WAIT } },
  ["503-date"] = { waits = WAIT, rule = { fault = "status", status = 503,
                                          retry_after = "date:+" .. WAIT } },
  ["503-late"] = { limit = WAIT - 1, rule = { fault = "status", status = 503,
                                              retry_after = WAIT } },
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

-- -- the operations ---------------------------------------------------------

local TEXT = "Words to be signed, and enough of them to be cut in two.\n"

--- A reader of it that can begin again.
local function reader()
  local given = false
  return function()
    if given then return nil end
    given = true
    return TEXT
  end, function()
    given = false
    return true
  end
end

-- Each: its title, its column, the call, the API's name if that is not the
-- title, what it deletes. `more`: another way for the bytes of one before;
-- `to`: where these go, if not to memory.
local OPERATIONS = {
  { "uploadDocument", "upload", function(sign, _, _, opts)
    return sign.documents:upload({ content = TEXT, type = "text/plain" },
      opts)
  end },
  { "uploadDocument of a file", "upload", function(sign, store, _, opts)
    return sign.documents:upload({ path = store.file, type = "text/plain" },
      opts)
  end, name = "uploadDocument", more = true },
  { "uploadDocument of a reader", "upload", function(sign, _, _, opts)
    local read, rewind = reader()
    return sign.documents:upload({ reader = read, rewind = rewind,
      size = #TEXT, type = "text/plain" }, opts)
  end, name = "uploadDocument", more = true },
  { "createDocumentCollection", "create", function(sign, store, _, opts)
    return sign.collections:create(store.wanted_collection, opts)
  end },
  { "createSigningSession", "create", function(sign, store, _, opts)
    return sign.sessions:create(store.wanted_sessions, opts)
  end },
  { "getDocument", "download", function(sign, store, _, opts)
    return sign.documents:download(store.kept.document, opts)
  end },
  { "getDocument to a file", "download", function(sign, store, _, opts)
    opts.to = store.folder .. "/document"
    local path, err = sign.documents:download(store.kept.document, opts)
    if not path then return nil, err end
    local file = assert(io.open(path, "rb"))
    local text = file:read "*a"
    file:close()
    assert(os.remove(path))
    return text == TEXT or nil, { kind = "another file" }
  end, name = "getDocument", more = true,
    to = "file" },
  { "getDocument to a writer", "download", function(sign, store, _, opts)
    opts.to = function() return true end
    return sign.documents:download(store.kept.document, opts)
  end, name = "getDocument", more = true,
    to = "writer" },
  { "getDocumentInfo", "other", function(sign, store, _, opts)
    return sign.documents:metadata(store.kept.document, opts)
  end },
  { "getDocumentCollection", "other", function(sign, store, _, opts)
    return sign.collections:get(store.kept.collection, opts)
  end },
  { "getSigningSession", "other", function(sign, store, _, opts)
    return sign.sessions:get(store.kept.session, opts)
  end },
  { "listSigningSessions", "other", function(sign, _, _, opts)
    return sign.sessions:list({ limit = 2 }, opts)
  end },
  { "updateDocumentMetadata", "other", function(sign, store, _, opts)
    return sign.documents:update(store.kept.document, { title = "Lease" },
      opts)
  end },
  { "deleteDocument", "delete", function(sign, _, target, opts)
    return sign.documents:delete(target, opts)
  end, deletes = "document" },
  { "deleteDocumentCollection", "delete", function(sign, _, target, opts)
    return sign.collections:delete(target, opts)
  end, deletes = "collection" },
  { "deleteSigningSession", "delete", function(sign, _, target, opts)
    return sign.sessions:delete(target, opts)
  end, deletes = "session" },
  { "token", "token", function(sign, _, _, opts)
    return sign.sessions:list({ limit = 1 }, opts)
  end },
}

-- One of each column, for a short form.
local CHOSEN = {
  ["uploadDocument of a reader"] = true, ["createSigningSession"] = true,
  ["getDocument to a file"] = true, ["listSigningSessions"] = true,
  ["deleteSigningSession"] = true, ["token"] = true,
}

-- -- reading the table ------------------------------------------------------

-- way -> fault -> column -> cell; and the faults in their order.
local function read_table()
  local cells, order, head = {}, {}, nil
  for line in TABLE:gmatch "[^\n]+" do
    local words = {}
    for word in line:gmatch "%S+" do words[#words + 1] = word end
    head = head or words
    assert(#words == #head, line)
    local way, fault = words[1], words[2]
    if way == "any" then order[#order + 1] = fault end
    cells[way] = cells[way] or {}
    cells[way][fault] = {}
    for i = 3, #head do cells[way][fault][head[i]] = words[i] end
  end
  return cells, order
end

local CELLS, ORDER = read_table()

--- What the table says of an operation and a fault.
local function cell_of(reach, fault, operation)
  local only = FAULTS[fault].only
  only = only and only[operation[2]]
  if only and only ~= (operation.name or operation[1]) then return "n/a" end
  for _, way in ipairs { operation.to or reach, reach } do
    local cell = (CELLS[way][fault] or {})[operation[2]] or "-"
    if cell ~= "-" then return cell end
  end
  return CELLS.any[fault][operation[2]]
end

--- The cells of a way to reach the service.
---@param reach string "any" or "h2"
---@param amount string "all", or "some": one operation of each column
---@return table[] cells each: fault, operation (its title), expected
function faults.cells(reach, amount)
  local list = {}
  for _, fault in ipairs(ORDER) do
    for _, operation in ipairs(OPERATIONS) do
      local title = operation[1]
      if amount == "all" or amount == "some" and CHOSEN[title] then
        list[#list + 1] = { fault = fault, operation = title,
                            expected = cell_of(reach, fault, operation) }
      end
    end
  end
  return list
end

--- All names that there are, for whoever checks that none is missing: the
--- API's operations, the faults with a row or a recipe, and the sandbox's.
---@return table<string, true> operations
---@return table<string, true> rows
---@return table<string, true> recipes
---@return table<string, true> rules
function faults.names()
  local operations, rows, recipes, rules = {}, {}, {}, {}
  for _, one in ipairs(OPERATIONS) do operations[one.name or one[1]] = true end
  for _, fault in ipairs(ORDER) do rows[fault] = true end
  for fault, recipe in pairs(FAULTS) do
    recipes[fault] = true
    if recipe.rule then rules[recipe.rule.fault] = true end
  end
  return operations, rows, recipes, rules
end

--- Calls each of the operations, with ids that nobody has.
---@param id string
---@param try fun(title: string, act: fun(sign): any, any)
function faults.each_operation(id, try)
  local store = faults.wanted { document = id, collection = id, session = id }
  for _, one in ipairs(OPERATIONS) do
    if not one.more then
      try(one[1], function(sign) return one[3](sign, store, id) end)
    end
  end
end

-- -- the bench --------------------------------------------------------------

--- What calls need that read or create.
---@param kept table document, collection, session
function faults.wanted(kept)
  local document = core.resource_id(kept.document)
  return { kept = kept,
    wanted_collection = { documents = { { documentId = document } } },
    wanted_sessions = { {
      title = "Lease 17",
      documents = { { documentId = document, action = "SIGN",
        documentCollectionId = core.resource_id(kept.collection) } },
      signingSetup = { { signingFlow = "PKISIGNING", vendor = "NBID" } },
    } } }
end

local function copy(list, more)
  local all = {}
  for name, value in pairs(list) do all[name] = value end
  for name, value in pairs(more or {}) do all[name] = value end
  return all
end

local function names_in(folder)
  local names = {}
  for name in lfs.dir(folder) do
    if name ~= "." and name ~= ".." then names[#names + 1] = name end
  end
  return names
end

-- Of this process; one of them is what reads them.
local function descriptors()
  return #names_in "/proc/self/fd"
end

local NEIGHBOURS = 3

--- How a caller waits. In a crowd other tasks of the same client call beside
--- it; `disturbed` of the client says why those failed.
local WAITS = {
  blocking = function(_, fn, ...) return fn(...) end,
  task = function(sign, fn, ...) return sign:async(fn, ...):wait() end,
  crowd = function(sign, fn, ...)
    local task, others, disturbed = sign:async(fn, ...), {}, {}
    for i = 1, sign.neighbour and NEIGHBOURS or 0 do
      others[i] = sign:async(sign.neighbour)
    end
    local value, err = task:wait()
    for _, other in ipairs(others) do
      local fine, why = other:wait()
      if not fine then disturbed[#disturbed + 1] = why.kind end
    end
    sign.disturbed = disturbed
    return value, err
  end,
}

local Bench = {}
Bench.__index = Bench

--- New objects to delete.
local make = {
  document = function(self)
    return assert(self.plain.documents:upload { content = TEXT,
                                                type = "text/plain" })
  end,
  collection = function(self)
    return assert(self.plain.collections:create(self.store.wanted_collection))
  end,
  session = function(self)
    return assert(self.plain.sessions:create(self.store.wanted_sessions))[1]
  end,
}

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

--- A bench over a sandbox of its own.
---@param service signicat.Sandbox
---@param way table waits, a name in WAITS; reach, "any" or "h2"; options,
--- what its clients need; folder, for files; untrusted, the address of another
--- service, whose authority is unknown; in nginx keep(client, lasts), whether
--- its connections last from the next call on, and settle(), which waits a
--- little for others to end
function faults.bench(service, way)
  local self = setmetatable({ service = service, way = way,
    wait = WAITS[way.waits], lines = setmetatable({}, { __mode = "k" }),
    inbox = way.folder .. "/in" }, Bench)
  assert(lfs.mkdir(self.inbox))
  local file = assert(io.open(way.folder .. "/words", "wb"))
  file:write(TEXT)
  file:close()
  self.plain = assert(service:client(way.options))
  assert(service:clear_faults())
  local document = make.document(self)
  local collection = assert(self.plain.collections:create {
    documents = { { documentId = document.documentId } } })
  self.store = faults.wanted { document = document, collection = collection }
  self.store.kept.session = make.session(self)
  self.store.file, self.store.folder = way.folder .. "/words", self.inbox
  self.token = self.plain.token:get(self.plain, nil, {})
    :match "^Bearer (.+)$"
  self.patience = measure_patience(self.plain)
  -- Whatever ran before leaves to the collector must not go in between.
  collectgarbage()
  collectgarbage()
  self.descriptors = descriptors()
  return self
end

--- What stands in the way of another call by libcurl, as it is seen now.
local function note_lines(self, sign)
  local loop = sign.transport.loop
  for _, line in pairs(loop and loop.lines or {}) do self.lines[line] = true end
end

--- What the tasks of a crowd do: nothing that the fault strikes. Where it is
--- the token's, all wait for that.
local function neighbour(self, sign, operation)
  if operation[1] == "token" then return nil end
  local kept = self.store.kept
  return function()
    if operation[1] == "getDocumentCollection" then
      return sign.documents:metadata(kept.document, { retries = 0 })
    end
    return sign.collections:get(kept.collection, { retries = 0 })
  end
end

--- Where a client looks for the service.
local function address(self, fault, fetches)
  if not fault.elsewhere then return nil end
  local url = fault.elsewhere(self.way, self.service)
  if fetches then return { token_url = url .. "/auth/open/connect/token" } end
  return { base_url = url .. "/sign" }
end

local function is_refused(fault)
  return fault.rule and fault.rule.fault == "refuse"
end

--- Whether something comes true within a while.
local function comes_true(self, what)
  for _ = 1, 5000 do
    if what() then return true end
    if self.way.settle then self.way.settle() else core.sleep(0.002) end
  end
  return false
end

--- Descriptors that are left. Connections that nginx keeps end a moment after
--- their client, as does a thread that has done its work.
local function count_left(self)
  local function left() return descriptors() - self.descriptors end
  return comes_true(self, function() return left() <= 0 end) and 0 or left()
end

--- Whether a fault has struck. The service may see a request after its client
--- has given up, and then it strikes that.
local function has_struck(self, sent)
  local function struck() return #assert(self.service:faults_left()) == 0 end
  if not sent then return struck() end
  return comes_true(self, struck)
end

--- A client whose next request is the first of its connection, or not; what
--- it slept; and its clock, which only that moves.
local function new_client(self, fault, operation, retries)
  local slept, clock = {}, { time = 1000 }
  local service = self.service
  local fetches = operation[1] == "token"
  local options = copy(self.way.options, address(self, fault, fetches))
  local sign = assert(service:client(copy(options, {
    token = not (fault.credentials or fetches) and self.token or nil,
    retries = retries,
    max_body = fault.max_body,
    clock = function() return clock.time end,
    random = function() return 0 end,
    sleep = function(seconds)
      slept[#slept + 1] = seconds
      clock.time = clock.time + seconds
      -- Not by a client: this may be a task of another one.
      if is_refused(fault) then
        assert(http.request { method = "DELETE",
          url = (service.control or service.url) .. "/_sandbox/faults" })
      end
    end,
  })))
  sign.neighbour = neighbour(self, sign, operation)
  if fault.reused and self.way.keep then self.way.keep(sign, true) end
  if fault.reused or fault.credentials and not fetches then
    assert(self.wait(sign, sign.sessions.list, sign.sessions, { limit = 1 }))
    if fetches then clock.time = clock.time + 1e6 end -- the token's end
  end
  if fault.impatient or operation.to and fault.max_body then
    local transport = sign.transport
    local send, patience = transport.send, self.patience
    transport.send = function(_, request)
      request.timeout, patience = patience or request.timeout, nil
      return send(transport, request)
    end
  end
  return sign, slept, clock
end

--- Has a fault strike an operation once; false, err when it never does.
local function script(self, fault, operation)
  local rule = fault.rule
  if not rule then return true end
  if not is_refused(fault) then
    rule = copy(rule, { operation = operation.name or operation[1],
      times = operation[1] ~= "token" and fault.times or nil,
      reused_only = self.way.reach ~= "h2" and fault.reused or nil })
  end
  return self.service:faults { rule }
end

--- Sessions there are.
local function total(self)
  return assert(self.plain.sessions:list { limit = 1 }).total
end

--- Has what was too short a patience for a fault to strike be a longer one;
--- false when it was not that.
local function learn_patience(self, fault)
  if not fault.impatient or self.patience >= 2 then return false end
  self.patience = 4 * self.patience
  return true
end

--- What is seen of a call that a fault strikes: a cell without the plus, and
--- words for what should not be; how many requests there were, and what was
--- slept.
local function try(self, fault, operation, retries)
  local service, words = self.service, {}
  local function blame(text, ...) words[#words + 1] = text:format(...) end
  local target = operation.deletes and make[operation.deletes](self)
  local counts = operation[1] == "createSigningSession"
  local sessions = counts and total(self)
  local sign, slept, clock = new_client(self, fault, operation, retries)
  assert(service:clear_journal())
  assert(script(self, fault, operation))
  local limit = clock.time + (fault.limit or LIMIT)
  local value, err = self.wait(sign, operation[3], sign, self.store, target,
    { deadline = limit })
  local others = sign.disturbed
  if others and others[1] and not (fault.elsewhere or is_refused(fault)) then
    blame("others: %s", table.concat(others, " "))
  end
  if clock.time > limit then blame "past its deadline" end
  local struck = is_refused(fault)
    or has_struck(self, value == nil and err.sent)
  assert(service:clear_faults())
  if not struck then
    if learn_patience(self, fault) then
      note_lines(self, sign)
      sign:close()
      return try(self, fault, operation, retries)
    end
    blame "not struck"
  end
  local requests = #assert(service:journal {
    operation = operation.name or operation[1] })
  if counts and total(self) > sessions + 1 then blame "created twice" end

  local cell = value == nil and err.kind or "ok"
  if requests ~= 1 then cell = cell .. ":" .. requests end
  if value == nil and err.ambiguous then cell = cell .. "?" end
  -- What did not arrive was not sent, unless a gateway answered.
  if value == nil and err.sent ~= (requests > 0 or err.kind == "server") then
    blame("sent: %s", tostring(err.sent))
  end

  slept = copy(slept)
  if self.way.keep then self.way.keep(sign, false) end
  clock.time = clock.time + 10 -- nobody remembers a failure so long
  local again, why = self.wait(sign, sign.sessions.list, sign.sessions,
    { limit = 1 })
  if fault.elsewhere and not again then again = why.kind == err.kind end
  if not again then blame("unusable: %s", tostring(why)) end
  note_lines(self, sign)
  local idle = sign.transport.loop and sign.transport.idle
  local most = others and 1 + NEIGHBOURS or 1
  if idle and (#idle < 1 or #idle > most) then
    blame("%d handles at rest", #idle)
  end
  for _, line in ipairs(idle or {}) do
    if line.owner then blame "a handle has an owner" end
  end
  sign:close()
  local left = names_in(self.inbox)
  if #left > 0 then blame("left %s", table.concat(left, ", ")) end
  local still_open = count_left(self)
  if still_open ~= 0 then blame("%d descriptors left", still_open) end
  table.insert(words, 1, cell)
  return table.concat(words, ", "), requests, slept
end

local function find(title)
  for _, one in ipairs(OPERATIONS) do
    if one[1] == title then return one end
  end
end

--- Tries one cell, without retries and with them; see Bench:see.
local function see(self, name, title)
  local fault, operation = FAULTS[name], find(title)
  if cell_of(self.way.reach, name, operation) == "n/a" then
    local list, err = script(self, fault, operation)
    assert(self.service:clear_faults())
    return list and "may happen" or err.kind == "invalid" and "n/a"
      or tostring(err)
  end
  local plain, requests, slept = try(self, fault, operation, 0)
  if #slept > 0 then plain = plain .. ", slept" end
  local again, more
  again, more, slept = try(self, fault, operation, 2)
  if again == plain and #slept == 0 then return plain end
  if fault.elsewhere and again == plain and #slept == 2 then
    return plain .. "*"
  end
  local once = #slept == 1 and slept[1] == (fault.waits or 0)
  local all = requests + 1
  if once and more == all and again == (all == 1 and "ok" or "ok:" .. all) then
    return plain .. "+"
  end
  return ("%s, then %s, slept %s"):format(plain, again,
    table.concat(slept, " "))
end

--- Tries one cell. What gave up before its fault could strike shows nothing:
--- the machine is busy, and it is tried with more patience.
---@param name string of the fault
---@param title string of the operation
---@return string cell as the table has it, with words for what is wrong
function Bench:see(name, title)
  local seen = see(self, name, title)
  for _ = 1, FAULTS[name].impatient and 3 or 0 do
    if not seen:find("not struck", 1, true) then break end
    self.patience = 2 * self.patience
    seen = see(self, name, title)
  end
  return seen
end

--- What is left of all that was tried, in words; "nothing" is right.
---@param wait fun() some milliseconds
function Bench:rest(wait)
  local words = {}
  self.plain:close()
  collectgarbage()
  collectgarbage()
  if next(self.lines) then words[1] = "handles" end
  for _ = 1, 1000 do
    if descriptors() <= self.descriptors then break end
    wait()
  end
  if descriptors() > self.descriptors then
    words[#words + 1] = descriptors() - self.descriptors .. " descriptors"
  end
  return words[1] and table.concat(words, ", ") or "nothing"
end

return faults
