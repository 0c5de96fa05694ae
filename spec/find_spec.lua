-- find_spec.lua: looking for what an ambiguous create may have left, and
-- telling "there is none" from "could not look".

local helper = require "spec.helper"
local sandbox = require "signicat.sandbox"

local ID = "0197e3d2-0c6e-7b0a-9b7e-%012d"

-- A page of sessions with these references, of so many in all.
local function page(references, total)
  local items = {}
  for i, reference in ipairs(references) do
    items[i] = ('{"id":"%s","externalReference":%s}')
      :format(ID:format(i + (total or 0)), reference)
  end
  return helper.json(200, ('{"data":[%s],"total":%d,"count":%d}')
    :format(table.concat(items, ","), total or #references, #references))
end

describe("sessions:find", function()
  it("gives the newest session with the reference", function()
    local client, transport = helper.client(page { '"a"', '"b"', '"b"' })
    local found, meta = client.sessions:find { externalReference = "b" }
    assert.equal(ID:format(2), found.id)
    assert.equal(200, meta.status)
    assert.matches("sort=%-createdAt", transport.requests[1].url)
  end)

  it("looks for what was asked, whatever the table says by then", function()
    for _, later in ipairs { false, "a" } do
      local wanted = { externalReference = "b" }
      local client = helper.client(function()
        wanted.externalReference = later or nil
        return page { "null", '"a"', '"b"' }
      end)
      assert.equal(ID:format(3), assert(client.sessions:find(wanted)).id)
    end
  end)

  it("reads on until it is found", function()
    local pages = { page({ '"a"' }, 3), page({ "null" }, 3) }
    local last = helper.json(200, '{"data":[{"id":"' .. helper.session
      .. '","externalReference":"c"}],"total":3}')
    local replies = { pages[1], helper.json(200, '{"data":[{"id":"'
      .. helper.collection .. '"}],"total":3}'), last }
    local client, transport = helper.client(function(_, n)
      return replies[n]
    end)
    local found = assert(client.sessions:find { externalReference = "c" })
    assert.equal(helper.session, found.id)
    assert.equal(3, #transport.requests)
  end)

  -- since, and what is sent of it
  for title, case in pairs {
    ["a date-time"] = { "2025-04-01T17:32:28Z", "2025-04-01T17:32:28Z" },
    ["seconds"] = { 1743528748, "2025-04-01T17:32:28.000Z" },
    ["parts of a second"] = { 1743528748.25, "2025-04-01T17:32:28.250Z" },
  } do
    it("goes down to " .. title, function()
      local client, transport = helper.client(page {})
      client.sessions:find { externalReference = "b", since = case[1] }
      local sent = transport.requests[1].url:match "createdDateFrom=([^&]*)"
      assert.equal(case[2], (sent:gsub("%%3A", ":")))
    end)
  end

  it("says that there is none when it has seen them all", function()
    local client = helper.client(page { '"a"', "null", "1" })
    local none, err, meta = client.sessions:find {
      externalReference = "1", since = 0 }
    assert.is_nil(none)
    assert.equal("not_found", err.kind)
    assert.is_nil(err.status)
    assert.equal("sessions:find", err.operation)
    assert.equal(200, meta.status)
    assert.equal("signicat: sessions:find: not_found: no session since then "
      .. "has this externalReference", tostring(err))
  end)

  -- what fails, and its kind: never not_found
  for status, kind in pairs { [401] = "auth", [403] = "forbidden",
                              [404] = "protocol", [410] = "protocol",
                              [500] = "server", [503] = "server" } do
    it("says with " .. status .. " that it could not look", function()
      local client = helper.client { status = status }
      local none, err, meta = client.sessions:find { externalReference = "a" }
      assert.is_nil(none)
      assert.equal(kind, err.kind)
      assert.equal(status, err.status)
      assert.equal(status, meta.status)
    end)
  end

  it("says so when a later page fails, or is empty before the end", function()
    for _, reply in ipairs { { status = 500 }, page({}, 2) } do
      local client = helper.client(function(_, n)
        return n == 1 and page({ '"a"' }, 2) or reply
      end)
      local none, err = client.sessions:find { externalReference = "b" }
      assert.is_nil(none)
      assert.is_not.equal("not_found", err.kind)
    end
  end)

  it("raises for what can only be a mistake", function()
    local client = helper.client { status = 500 }
    -- what is wrong, and what is said of it
    local cases = {
      { {}, "`externalReference` is required" },
      { { externalReference = "" }, "option 'externalReference' must be" },
      { { externalReference = 7 }, "option 'externalReference' must be" },
      { { externalReference = "a", since = "yesterday" }, "option 'since'" },
      { { externalReference = "a", since = 1 / 0 }, "option 'since'" },
      { { externalReference = "a", since = {} }, "option 'since'" },
      { { externalRefrence = "a" }, "did you mean 'externalReference'" },
    }
    for _, case in ipairs(cases) do
      local ok, message = pcall(function() client.sessions:find(case[1]) end)
      assert.is_false(ok)
      assert.matches("^spec/find_spec%.lua:%d+: sessions:find: ", message)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end
  end)

  it("finds what was created although its answer was lost", function()
    local service = assert(sandbox.start())
    finally(function() service:stop() end)
    local sign = assert(service:client())
    finally(function() sign:close() service:stop() end)
    local document = assert(sign.documents:upload {
      content = "Agreed", type = "text/plain" })
    local bundle = assert(sign.collections:create {
      documents = { { documentId = document.documentId } } })
    local function create(reference)
      return sign.sessions:create { {
        title = "Lease", externalReference = reference,
        documents = { { documentId = document.documentId, action = "SIGN",
                        documentCollectionId = bundle.id } },
        signingSetup = { { signingFlow = "AUTHENTICATION_BASED" } },
      } }
    end
    local since = sign.wall_clock() - 60
    assert(service:faults { { operation = "createSigningSession",
                              fault = "lost_answer" } })
    local none, err = create "lease-17"
    assert.is_nil(none)
    assert.is_true(err.ambiguous)
    assert(service:seed { sessions = 250 })
    local found = assert(sign.sessions:find {
      externalReference = "lease-17", since = since })
    assert.equal("lease-17", found.externalReference)
    local missing, why = sign.sessions:find {
      externalReference = "lease-18", since = since }
    assert.is_nil(missing)
    assert.equal("not_found", why.kind)
    assert.equal(251, assert(sign.sessions:list()).total)
  end)
end)
