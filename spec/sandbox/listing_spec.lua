-- The list of signing sessions: filters, order, paging.

local service = require "spec.sandbox.service"

describe("the sandbox's list of sessions", function()
  local sandbox, titles
  local marks = {} -- times between the creations
  local today = os.time() -- for all specs, though midnight comes

  local function due(days)
    return os.date("!%Y-%m-%dT00:00:00Z", today + days * 86400)
  end

  setup(function()
    sandbox = service.start()
    local made = {}
    local function add(title, fields)
      fields.title = title
      made[title] = sandbox:session(fields)
      -- A session's id and its document's are made at other moments than
      -- its creation; the document uploaded next is certainly later.
      marks[title] = sandbox:upload().createdAt
    end
    add("Lease 1", { dueDate = due(3) })
    add("lease 2", { dueDate = due(1) })
    add("SØKNAD", {})
    add("Deed", { dueDate = due(2), subsequentTo = { made["Lease 1"].id } })
    add("No", {})
    assert(sandbox:reject(made.No) == 200)
  end)
  teardown(function() sandbox:finish() end)

  local function list(query)
    local status, page = sandbox:call("GET", "/sign/signing-sessions" .. query)
    assert.equal(200, status)
    titles = {}
    for i, session in ipairs(page.data) do titles[i] = session.title end
    assert.equal(#titles, page.count)
    return page
  end

  local orders = {
    { "", "No Deed SØKNAD lease 2 Lease 1" },
    { "?sort=-createdAt", "No Deed SØKNAD lease 2 Lease 1" },
    { "?sort=%2BcreatedAt", "Lease 1 lease 2 SØKNAD Deed No" },
    { "?sort=+createdAt", "Lease 1 lease 2 SØKNAD Deed No" },
    { "?sort=createdAt", "Lease 1 lease 2 SØKNAD Deed No" },
    { "?sort=%2BdueDate", "lease 2 Deed Lease 1 SØKNAD No" },
    { "?sort=-dueDate", "Lease 1 Deed lease 2 No SØKNAD" },
    { "?sort=-dueDate,%2BcreatedAt", "Lease 1 Deed lease 2 SØKNAD No" },
    { "?sort=-dueDate&sort=%2BcreatedAt", "Lease 1 Deed lease 2 SØKNAD No" },
    { "?sort=-createdAt,-createdAt", "No Deed SØKNAD lease 2 Lease 1" },
  }
  for _, order in ipairs(orders) do
    it("is in order with " .. order[1], function()
      list(order[1])
      assert.equal(order[2], table.concat(titles, " "))
    end)
  end

  local filters = {
    { "state=READY", "Lease 1 lease 2 SØKNAD" },
    { "state=READY&state=BLOCKED", "Lease 1 lease 2 SØKNAD Deed" },
    { "state=REJECTED,BLOCKED", "Deed No" },
    { "state=SIGNED", "" },
    { "sessionTitleLike=lease", "Lease 1 lease 2" },
    { "sessionTitleLike=LEASE+2", "lease 2" },
    { "sessionTitleLike=s%C3%B8k", "SØKNAD" },
    { "sessionTitleLike=%25", "" },
    { "sessionTitleLike=_", "" },
    { "sessionTitleLike=", "Lease 1 lease 2 SØKNAD Deed No" },
    { "sessionTitleLike=lease&state=BLOCKED", "" },
    { "dueDateFrom=" .. due(2), "Lease 1 Deed" },
    { "dueDateTo=" .. due(2), "lease 2 Deed" },
    { "dueDateFrom=" .. due(2) .. "&dueDateTo=" .. due(2), "Deed" },
    { "dueDateTo=9999-12-31T23:59:59Z", "Lease 1 lease 2 Deed" },
    { "dueDateFrom=0001-01-01T00:00:00%2B02:00", "Lease 1 lease 2 Deed" },
    { "signicat-accountId=a-x&other=1", "Lease 1 lease 2 SØKNAD Deed No" },
  }
  for _, filter in ipairs(filters) do
    it("holds what fits " .. filter[1], function()
      local page = list("?sort=%2BcreatedAt&" .. filter[1])
      assert.equal(filter[2], table.concat(titles, " "))
      assert.equal(#titles, page.total)
    end)
  end

  it("is bounded by times of creation", function()
    list("?sort=%2BcreatedAt&createdDateTo=" .. marks["lease 2"])
    assert.equal("Lease 1 lease 2", table.concat(titles, " "))
    list("?sort=%2BcreatedAt&createdDateFrom=" .. marks["lease 2"]
      .. "&createdDateTo=" .. marks.Deed)
    assert.equal("SØKNAD Deed", table.concat(titles, " "))
  end)

  it("comes in pages that add up", function()
    local page = list "?sort=%2BcreatedAt&limit=2&offset=0"
    assert.same({ 2, 0, 2, 5 },
      { page.limit, page.offset, page.count, page.total })
    assert.equal("Lease 1 lease 2", table.concat(titles, " "))
    list "?sort=%2BcreatedAt&limit=2&offset=2"
    assert.equal("SØKNAD Deed", table.concat(titles, " "))
    page = list "?sort=%2BcreatedAt&limit=2&offset=4"
    assert.same({ 2, 4, 1, 5 },
      { page.limit, page.offset, page.count, page.total })
    page = list "?offset=100000&limit=1000"
    assert.same({ 1000, 100000, 0, 5 },
      { page.limit, page.offset, page.count, page.total })
    assert.same({}, page.data)
  end)

  it("uses 100 and 0 when nothing is said", function()
    local page = list ""
    assert.same({ 100, 0 }, { page.limit, page.offset })
  end)

  it("shows each session as reading it does", function()
    for _, session in ipairs(list("").data) do
      local _, read = sandbox:call("GET",
        "/sign/signing-sessions/" .. session.id)
      assert.same(read, session)
    end
  end)

  local refusals = {
    { "limit=0" }, { "limit=1001" }, { "limit=x" }, { "limit=" },
    { "limit=-1" }, { "limit=99999999999999999999" }, { "limit=1.5" },
    { "offset=-1" }, { "offset=100001" }, { "offset=1&offset=2" },
    { "state=OPEN" }, { "state=" }, { "state=READY," }, { "state=ready" },
    { "sort=title" }, { "sort=" }, { "sort=%2B" }, { "sort=-createdAt,x" },
    { "sort=--createdAt" },
    { "createdDateFrom=2024-01-01" }, { "createdDateTo=x" },
    { "dueDateFrom=" }, { "dueDateTo=2024-13-01T00:00:00Z" },
  }
  for _, refusal in ipairs(refusals) do
    it("is refused with " .. refusal[1], function()
      local status, answer = sandbox:call("GET",
        "/sign/signing-sessions?" .. refusal[1])
      assert.equal(400, status)
      assert.equal("invalid_request_parameter", answer.code)
      assert.equal(refusal[1]:match "^%w+", answer.invalidParams[1].name)
    end)
  end

  it("is refused with a query that cannot be read", function()
    for _, query in ipairs { "?state=%", "?state=%0", "?state=%00",
                             "?state=%ff", "?" .. ("a&"):rep(200) } do
      local status, answer = sandbox:call("GET",
        "/sign/signing-sessions" .. query)
      assert.equal(400, status)
      assert.equal("bad_request", answer.code)
    end
  end)
end)
