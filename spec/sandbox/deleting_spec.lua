-- What deleting answers: every cell of the table in docs/sandbox.md.

local service = require "spec.sandbox.service"

local PDF <const> = service.read "examples/lease.pdf"
local SETUP <const> = { { signingFlow = "AUTHENTICATION_BASED" } }

-- The table as it stands: a list of { row's name, { [state] = cell } }.
local function read_table()
  local rows, states = {}, nil
  for line in service.read "docs/sandbox.md":gmatch "[^\n]+" do
    local cells = {}
    for cell in line:gmatch "|%s*([^|]-)%s*%f[|]" do
      cells[#cells + 1] = cell
    end
    if cells[1] == "DELETE of" then
      states = cells
    elseif states and cells[1] and not cells[1]:find "^%-%-%-" then
      local row = {}
      for i = 2, #cells do row[states[i]] = cells[i] end
      rows[#rows + 1] = { cells[1], row }
    elseif states and not cells[1] then
      break
    end
  end
  return rows
end

describe("deleting in the sandbox", function()
  local sandbox

  setup(function() sandbox = service.start() end)
  teardown(function() sandbox:finish() end)

  local function delete(path)
    return (sandbox:call("DELETE", "/sign/" .. path))
  end

  local function session_over(collection, document, before)
    return sandbox:create_session {
      title = "Lease 17", signingSetup = SETUP, subsequentTo = before,
      packageTo = { "PADES_CONTAINER" },
      documents = { { documentId = document, action = "SIGN",
                      documentCollectionId = collection } },
    }
  end

  -- The documents that the packages of both are, once they are made.
  local function packages(made)
    local found = {}
    for name, path in pairs {
      session = "signing-sessions/" .. made.session,
      collection = "document-collections/" .. made.collection } do
      found[name] = service.await("a package", function()
        local _, owner = sandbox:call("GET", "/sign/" .. path)
        return owner.output.packages[1]
      end).resultDocumentId
    end
    return found
  end

  -- A document, its collection and a session over it in that state; and what
  -- the table's rows are about.
  local function make(state)
    local made = { document = sandbox:upload(PDF, "application/pdf")
      .documentId }
    made.collection = sandbox:collect({ made.document },
      { "PADES_CONTAINER" }).id
    if state == "no session" then return made end
    local before
    if state == "BLOCKED" then before = { sandbox:session().id } end
    local session = session_over(made.collection, made.document, before)
    made.session = session.id
    if state == "SIGNED" or state == "deleted" then
      local _, signed = sandbox:sign(session)
      made.result = signed.output.signatures[1].resultDocumentId
      made.packages = packages(made)
    elseif state == "REJECTED" then
      sandbox:reject(session)
    end
    return made
  end

  -- In its state, whatever that took.
  local function settle(made, state)
    if state == "deleted" then
      assert.equal(204, delete("signing-sessions/" .. made.session))
    elseif made.session then
      assert.equal(state, sandbox:state({ id = made.session }).state)
    end
  end

  -- Rows: from what there is to the path to delete.
  local rows = {
    ["a document of no collection"] = function()
      return "documents/" .. sandbox:upload().documentId
    end,
    ["a document of the session's collection"] = function(made)
      return "documents/" .. made.document
    end,
    ["a document, when its collection was deleted"] = function(made, state)
      if state == "deleted" or state == "no session" then
        assert.equal(204, delete("document-collections/" .. made.collection))
      end
      return "documents/" .. made.document
    end,
    ["the session's collection"] = function(made)
      return "document-collections/" .. made.collection
    end,
    ["a result of the session"] = function(made)
      return "documents/" .. made.result
    end,
    ["the package of the session"] = function(made)
      return "documents/" .. made.packages.session
    end,
    ["the package of the session's collection"] = function(made)
      return "documents/" .. made.packages.collection
    end,
    ["the session"] = function(made)
      return "signing-sessions/" .. made.session
    end,
    ["the session, when another waits for it"] = function(made)
      return "signing-sessions/" .. made.session
    end,
  }

  -- One that waits for the session has to be made while that is there.
  local function wait_for(made)
    return sandbox:session { subsequentTo = { made.session },
                             signingSetup = SETUP }
  end

  it("is told in a table of which each row is known here", function()
    local found = {}
    for _, row in ipairs(read_table()) do found[row[1]] = true end
    for name in pairs(rows) do assert.is_true(found[name], name) end
    for name in pairs(found) do assert.is_function(rows[name], name) end
  end)

  for _, row in ipairs(read_table()) do
    local name, cells = row[1], row[2]
    for state, cell in pairs(cells) do
      if cell ~= "-" then
        it(("answers %s to %s: %s"):format(cell, name, state), function()
          local made = make(state)
          local waiting = name:find "waits" and wait_for(made)
          settle(made, state)
          local path = rows[name](made, state)
          assert.equal(tonumber(cell), delete(path))
          local metadata = path:find "^documents/" and "/metadata" or ""
          assert.equal(cell == "409" and 200 or 404,
            (sandbox:call("GET", "/sign/" .. path .. metadata)))
          if cell == "204" then assert.equal(404, delete(path)) end
          if waiting then
            local signed = state == "SIGNED" or state == "deleted"
            assert.equal(signed and "READY" or "BLOCKED",
              sandbox:state(waiting).state)
          end
        end)
      end
    end
  end

  for _, kind in ipairs { "documents", "document-collections",
                          "signing-sessions" } do
    it("answers 404 for what never was: " .. kind, function()
      assert.equal(404, delete(kind .. "/" .. service.unknown_id))
    end)
  end
end)
