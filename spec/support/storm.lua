-- storm.lua: very many calls, a day by the clocks of both sides, and faults
-- at random; every outcome is held against what the service saw.
--
-- Calls come in batches, each with a script of faults, one after the other or
-- in tasks. Each has something that no other of its batch has, so that the
-- journal's entries are told apart: an id, an offset, or the size of its body.
-- What the service did is known from those entries: a fault strikes before an
-- operation is carried out or after it.

local core = require "signicat.core"
local lfs = require "lfs"
local sandbox = require "signicat.sandbox"

local storm = {}

local DAY = 86400
local BATCH = 1000 -- calls; the journal keeps ten times as many requests
local OBJECTS = 120 -- of each kind: the most calls of an operation in a batch
local SCRIPT = 300 -- faults of a batch
local TASKS = 8
local PATIENCE = 0.5 -- seconds, for answers that never come
local LIFETIME = 600 -- seconds, of a token
local LARGEST = 100000 -- bytes of an answer

-- How often each strikes, in proportion; those that take PATIENCE are rare.
local WEIGHTS = {
  { 10, { fault = "close" } },
  { 10, { fault = "close", reused_only = true } },
  { 10, { fault = "reset" } },
  { 10, { fault = "reset", reused_only = true } },
  { 10, { fault = "lost_answer" } },
  { 10, { fault = "lost_answer", reused_only = true } },
  { 5, { fault = "status", status = 401 } },
  { 5, { fault = "status", status = 404 } },
  { 5, { fault = "status", status = 409 } },
  { 5, { fault = "status", status = 429 } },
  { 5, { fault = "status", status = 429, retry_after = 3 } },
  { 5, { fault = "status", status = 503 } },
  { 5, { fault = "status", status = 503, retry_after = "date:+3" } },
  { 5, { fault = "status", status = 503, body = "html" } },
  { 5, { fault = "status", status = 500, body = "nonsense" } },
  { 5, { fault = "redirect", location = "/elsewhere" } },
  { 5, { fault = "html" } },
  { 5, { fault = "not_json" } },
  { 5, { fault = "cut" } },
  { 2, { fault = "flood" } },
  { 5, { fault = "wrong_length", by = 7 } },
  { 5, { fault = "wrong_length", by = -7 } },
  { 5, { fault = "wrong_hash" }, { "uploadDocument", "getDocument",
                                   "getDocumentInfo" } },
  { 5, { fault = "short_page" }, { "listSigningSessions" } },
  { 1, { fault = "slow", milliseconds = 1200 * PATIENCE } },
  { 1, { fault = "stall" } },
}

-- Faults that strike what was carried out.
local AFTER = { lost_answer = true, slow = true, stall = true, cut = true,
  flood = true, wrong_length = true, wrong_hash = true, short_page = true }

-- Those whose answer cannot be taken for a success: of what it is short, or
-- other than it says, one notices; where no body is looked at, none is.
local NO_ANSWER = { lost_answer = true, stall = true, cut = true, flood = true,
                    wrong_length = true, wrong_hash = true }
local NOT_LOOKED_AT = { wrong_length = "^delete", wrong_hash = "DocumentInfo$" }

--- Numbers by chance, the same on every Lua.
local function dice(seed)
  local state = seed % 2147483647
  if state == 0 then state = 1 end
  return function(most)
    state = state * 16807 % 2147483647
    return state % most + 1
  end
end

-- -- the calls --------------------------------------------------------------

local function text(size)
  return ("Words. "):rep(math.ceil(size / 7)):sub(1, size)
end

local function new_session(self, reference, padding)
  local kept = self.kept
  return { {
    title = ("x"):rep(padding), externalReference = reference,
    documents = { { documentId = kept.document, action = "SIGN",
                    documentCollectionId = kept.collection } },
    signingSetup = { { signingFlow = "PKISIGNING", vendor = "NBID" } },
  } }
end

local function new_collection(self, padding)
  return { documents = { { documentId = self.kept.document,
                           description = ("x"):rep(padding) } } }
end

--- Each makes the n-th call of its operation in a batch: `mark`, what its
--- requests have in the journal; `act`, the call; `check`, whether its value is
--- the right one. A create also has the family it `makes` one of, whose id is
--- what `check` returns; a session has its `reference`.
local CALLS = {}

function CALLS.uploadDocument(self, n)
  local content = text(self.sizes.uploadDocument + n)
  return { mark = #content, makes = "documents",
    act = function(sign)
      return sign.documents:upload { content = content, type = "text/plain" }
    end,
    check = function(document) return document.documentId end }
end

function CALLS.createDocumentCollection(self, n)
  return { mark = self.sizes.createDocumentCollection + n,
    makes = "collections",
    act = function(sign)
      return sign.collections:create(new_collection(self, n))
    end,
    check = function(collection) return collection.id end }
end

function CALLS.createSigningSession(self, n)
  local reference = ("%04d-%04d"):format(self.batch, n)
  return { mark = self.sizes.createSigningSession + n, makes = "sessions",
    reference = reference,
    act = function(sign)
      return sign.sessions:create(new_session(self, reference, n))
    end,
    check = function(list)
      return #list == 1 and list[1].externalReference == reference
        and list[1].id
    end }
end

function CALLS.listSigningSessions(_, n)
  return { mark = n,
    act = function(sign)
      return sign.sessions:list { offset = n, limit = 5 }
    end,
    check = function(page) return page.offset == n end }
end

--- Of an object that is there for the whole storm.
local function read(family, method, more)
  return function(self, n)
    local object = self.objects[family][n]
    local id = core.resource_id(object)
    return { mark = id,
      act = function(sign)
        return sign[family][method](sign[family], object, more)
      end,
      check = function(value)
        return value == true or value.id == id or value.documentId == id
          or value == self.text
      end }
  end
end

CALLS.getDocument = read("documents", "download")
CALLS.getDocumentInfo = read("documents", "metadata")
CALLS.updateDocumentMetadata = read("documents", "update", { title = "Storm" })
CALLS.getDocumentCollection = read("collections", "get")
CALLS.getSigningSession = read("sessions", "get")

--- Of one that a call has made; none when there is none.
local function delete(family)
  return function(self)
    local id = table.remove(self.made[family])
    return id and { mark = id,
      act = function(sign) return sign[family]:delete(id) end,
      check = function(value) return value end }
  end
end

CALLS.deleteDocument = delete "documents"
CALLS.deleteDocumentCollection = delete "collections"
CALLS.deleteSigningSession = delete "sessions"

local NAMES = {}
for name in pairs(CALLS) do NAMES[#NAMES + 1] = name end
table.sort(NAMES)

--- What an entry of the journal has in common with its call.
local function mark_of(entry)
  local operation = entry.operation
  if operation:find "^upload" or operation:find "^create" then
    return operation .. " " .. ("%d"):format(entry.bodySize)
  end
  local id = operation == "listSigningSessions"
    and entry.query:match "offset=(%d+)"
    or entry.path:match "%x+%-%x+%-%x+%-%x+%-%x+"
  return operation .. " " .. id
end

-- -- the beginning ----------------------------------------------------------

--- A storm over a sandbox of its own.
---@param seed integer
---@param calls integer
function storm.new(seed, calls)
  local self = { seed = seed, calls = calls, roll = dice(seed), batch = 0,
    clock = 1000, service = assert(sandbox.start()), told = {}, kinds = {},
    made = { documents = {}, collections = {}, sessions = {} },
    objects = { documents = {}, collections = {}, sessions = {} },
    sizes = { uploadDocument = 2000 }, text = text(2000), requests = 0,
    faults = 0, unseen = 0 }
  local service = self.service
  local plain = assert(service:client { timeout = 60 })
  self.plain = plain
  local function upload()
    return assert(plain.documents:upload { content = self.text,
                                           type = "text/plain" })
  end
  self.kept = { document = upload().documentId }
  self.kept.collection = assert(plain.collections:create {
    documents = { { documentId = self.kept.document } } }).id
  for i = 1, OBJECTS do
    local objects = self.objects
    objects.documents[i] = upload()
    objects.collections[i] = assert(plain.collections:create(
      new_collection(self, 1))).id
    objects.sessions[i] = assert(plain.sessions:create(
      new_session(self, "0000-0000", 1)))[1].id
  end
  for _, name in ipairs { "createDocumentCollection",
                          "createSigningSession" } do
    self.sizes[name] = assert(service:journal { operation = name })[OBJECTS]
      .bodySize - 1
  end
  self.client = assert(service:client {
    timeout = PATIENCE, max_body = LARGEST,
    clock = function() return self.clock end,
    random = function() return self.roll(1000) / 1001 end,
    sleep = function(seconds) self.clock = self.clock + seconds end,
  })
  return self
end

-- -- a batch ----------------------------------------------------------------

local function script(self)
  local rules = {}
  local all = 0
  for _, one in ipairs(WEIGHTS) do all = all + one[1] end
  for i = 1, SCRIPT do
    local left, chosen = self.roll(all), nil
    for _, one in ipairs(WEIGHTS) do
      left = left - one[1]
      chosen = chosen or left <= 0 and one or nil
    end
    local rule = {}
    for name, value in pairs(chosen[2]) do rule[name] = value end
    local only = chosen[3] or NAMES
    rule.operation = only[self.roll(#only)]
    rule.skip = self.roll(80) - 1
    rules[i] = rule
  end
  for i = 1, 3 do -- each costs the calls of a second
    rules[#rules + 1] = { operation = "token", fault = ({ "close", "status",
      "not_json" })[i], status = i == 2 and 503 or nil, skip = i - 1 }
  end
  assert(self.service:faults(rules))
end

local function plan(self)
  local list, counts = {}, {}
  while #list < BATCH do
    local name = NAMES[self.roll(#NAMES)]
    local n = (counts[name] or 0) + 1
    if n <= OBJECTS then
      local call = CALLS[name](self, n)
      if call then
        counts[name] = n
        call.mark, call.entries = name .. " " .. call.mark, {}
        list[#list + 1] = call
      end
    end
  end
  return list
end

local function run(self, list)
  local pace = (DAY * BATCH / self.calls - LIFETIME) / BATCH
  local function act(call)
    self.clock = self.clock + pace
    call.value, call.more = call.act(self.client)
    call.checked = call.value and call.check(call.value)
    return true
  end
  if self.batch % 2 == 0 then
    self.client:map(list, act, { limit = TASKS })
  else
    for _, call in ipairs(list) do act(call) end
  end
end

-- -- the reckoning ----------------------------------------------------------

--- Everything that is known of a call, for whoever has to find out.
local function describe(self, call, words)
  local lines = { ("%s: %s (SIGNICAT_SEED=%d, batch %d)"):format(words,
    call.mark, self.seed, self.batch),
    call.value and "ok" or tostring(call.more),
    ("ambiguous %s, sent %s, attempts %s"):format(
      tostring(call.more.ambiguous), tostring(call.more.sent),
      tostring(call.more.attempts)) }
  for _, entry in ipairs(call.entries) do
    lines[#lines + 1] = ("%s %s, turn %d of connection %d"):format(
      tostring(entry.status), tostring(entry.fault), entry.turn,
      entry.connection)
  end
  return table.concat(lines, "\n  ")
end

--- Whether the service carried out what an entry is of.
local function is_done(entry)
  local fault = type(entry.fault) == "string" and entry.fault
  if fault then return AFTER[fault] or false end
  return entry.status >= 200 and entry.status < 300
end

--- Whether an entry's answer is one that a success may come of.
local function is_answered(entry)
  local fault = type(entry.fault) == "string" and entry.fault
  if not NO_ANSWER[fault] then return true end
  local but = NOT_LOOKED_AT[fault]
  return but and entry.operation:find(but) ~= nil
end

--- Whether a success may come of what the service saw: of its last request if
--- it made something, else of any, for one that was given up and sent again may
--- reach the service after the one that answers it.
local function is_acknowledged(call)
  local entries = call.entries
  for i = call.makes and #entries or 1, #entries do
    if is_done(entries[i]) and is_answered(entries[i]) then return true end
  end
  return false
end

--- What is wrong with the outcome of a call; nil if nothing is.
local function judge(call)
  local entries, done, first_done = call.entries, 0, nil
  for i, entry in ipairs(entries) do
    if is_done(entry) then
      done, first_done = done + 1, first_done or i
    end
  end
  call.done = done > 0
  local last, creates = entries[#entries], call.makes ~= nil
  if creates and first_done and first_done < #entries then
    return "sent again after it was carried out"
  end
  if call.value then
    if not call.checked then return "the answer of another call" end
    if not last then return "a success of which the service knows nothing" end
    -- What was deleted by a request without an answer is not there.
    local repeated = call.more.repeated and last.status == 404 and #entries > 1
    if not repeated and not is_acknowledged(call) then
      return "a success that was not acknowledged"
    end
  else
    local err = call.more
    if creates and done > 0 and not err.ambiguous
      and err.kind ~= "integrity" then
      return "carried out, and said not to be"
    end
    if err.ambiguous and not creates then return "ambiguous, and harmless" end
    -- A status of 5xx, or an end without one, leaves it open, as does an answer
    -- that came too late to be heard.
    local is_heard = err.kind ~= "timeout" or err.status
    if err.ambiguous and is_heard and last and (type(last.fault) ~= "string"
      or last.fault == "redirect"
      or last.fault == "status" and last.status < 500) then
      return "ambiguous, and refused"
    end
    if err.operation == "token" then
      return last and last.status ~= 401 and "sent, without a token" or nil
    end
  end
  -- libcurl repeats each attempt up to five times, on connections that ended.
  -- What it sends on one that the service has just closed nobody sees.
  local attempts = call.more.attempts
  call.unseen = math.max(0, attempts - #entries)
  if #entries > 6 * attempts then return "more requests than attempts" end
end

local function is_open(entry)
  return type(entry.status) ~= "number" and type(entry.fault) ~= "string"
end

--- The journal, once the service is done with all there is in it: what it
--- answers slowly has its entry's end when it is answered. That a client has
--- gone in the middle of a body it notices after half a minute at the latest;
--- such a request, which was not whole, has no answer, and is left out.
local function journal(self, by_mark)
  local entries, open
  local ends = core.now() + 35
  repeat
    entries, open = assert(self.service:journal()), false
    for _, entry in ipairs(entries) do open = open or is_open(entry) end
    if open then core.sleep(0.01) end
  until not open or core.now() > ends
  for i = #entries, 1, -1 do
    local entry = entries[i]
    local is_whole = entry.operation == "token" or by_mark[mark_of(entry)]
    if is_open(entry) and is_whole then
      error "the service does not end a request"
    end
    if not is_whole and type(entry.status) ~= "number" then
      table.remove(entries, i)
    end
  end
  return entries
end

--- The sessions of this batch, as the service lists them, by reference.
local function listed(self)
  local counts = {}
  local mine = ("^%04d%%-"):format(self.batch)
  for session in self.plain.sessions:each({ sort = "-createdAt" }) do
    local reference = session.externalReference
    if not reference or not reference:find(mine) then break end
    counts[reference] = (counts[reference] or 0) + 1
  end
  return counts
end

local function reckon(self, list)
  local by_mark = {}
  for _, call in ipairs(list) do by_mark[call.mark] = call end
  for _, entry in ipairs(journal(self, by_mark)) do
    if entry.operation ~= "token" then
      local call = by_mark[mark_of(entry)]
      if not call then error("a request of no call: " .. mark_of(entry)) end
      call.entries[#call.entries + 1] = entry
      self.requests = self.requests + 1
    end
    if type(entry.fault) == "string" then self.faults = self.faults + 1 end
  end
  for _, call in ipairs(list) do
    local wrong = judge(call)
    if wrong then error(describe(self, call, wrong), 0) end
    self.unseen = self.unseen + (call.unseen or 0)
    local word = call.value and "ok"
      or call.more.kind .. (call.more.ambiguous and "?" or "")
    self.kinds[word] = (self.kinds[word] or 0) + 1
    if call.value and call.makes then
      table.insert(self.made[call.makes], call.checked)
    end
  end
  assert(self.service:clear_faults())
  local counts = listed(self)
  for _, call in ipairs(list) do
    if call.reference and (counts[call.reference] or 0)
      ~= (call.done and 1 or 0) then
      error(describe(self, call, ("listed %d times"):format(
        counts[call.reference] or 0)), 0)
    end
  end
end

--- Makes the calls of one batch and holds them against the journal; raises
--- what does not match.
function storm.batch(self)
  self.batch = self.batch + 1
  assert(self.service:clear_journal())
  local list = plan(self)
  script(self)
  run(self, list)
  reckon(self, list)
  -- Tokens end on both sides, so that none is refused with a body unread.
  self.clock = self.clock + LIFETIME
  assert(self.service:advance(math.floor(DAY * BATCH / self.calls)))
end

--- How many batches there are.
function storm.batches(self) return self.calls / BATCH end

-- -- what it costs ----------------------------------------------------------

local function count_in(folder)
  local count = 0
  for _ in lfs.dir(folder) do count = count + 1 end
  return count
end

--- What this process has now.
---@return table resident, of its memory, and lua, of that: KiB; descriptors
function storm.weigh()
  collectgarbage()
  collectgarbage()
  local file = assert(io.open "/proc/self/status")
  local status = file:read "*a"
  file:close()
  return { resident = tonumber(status:match "VmRSS:%s+(%d+) kB"),
           lua = collectgarbage "count",
           descriptors = count_in "/proc/self/fd" }
end

--- Ends the client and the service.
function storm.stop(self)
  self.client:close()
  self.plain:close()
  self.service:stop()
end

return storm
