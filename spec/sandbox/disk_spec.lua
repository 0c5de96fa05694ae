-- A disk that is full or cannot be written: refused in plain words, nothing
-- of what was acknowledged lost, and well again when the disk is.
--
-- A full disk is a limit of the process's own files, which any user may set
-- and lift; where mounting is allowed, also a small disk of its own. Root may
-- write where modes forbid it, so its service is started without that power.

local crowd = require "spec.support.crowd"
local judges = require "spec.support.judges"
local service = require "spec.sandbox.service"

local IS_ROOT <const> = judges.run("id", "-u") == "0\n"
local LIKE_OTHERS <const> = IS_ROOT
  and "setpriv --bounding-set=-dac_override,-dac_read_search" or ""
local MOUNT <const> = "unshare --map-root-user --mount sh -c "

local function can_mount()
  return os.execute(MOUNT .. "'mount -t tmpfs none /tmp' 2>/dev/null") == true
end

local function integrity(folder)
  return (judges.run("sqlite3", folder .. "/sandbox.db",
    "pragma integrity_check"))
end

describe("the sandbox on a disk", function()
  local sandbox, folder

  before_each(function() folder = service.folder() end)
  after_each(function()
    if sandbox then sandbox:stop() end
    sandbox = nil
    judges.run("chmod", "-R", "u+w", folder)
    service.remove(folder)
  end)

  -- As much of each kind as there is to be lost.
  local function fill()
    local made = { document = sandbox:upload(("lease "):rep(5000)) }
    made.collection = sandbox:collect { made.document.documentId }
    local authentication = { { signingFlow = "AUTHENTICATION_BASED" } }
    made.ready = sandbox:session { signingSetup = authentication }
    made.other = sandbox:session { signingSetup = authentication }
    local status
    status, made.signed = sandbox:sign(sandbox:session {
      signingSetup = authentication })
    assert.equal(200, status)
    return made
  end

  local function session_path(session)
    return "/sign/signing-sessions/" .. session.id
  end

  -- All of it is there as it was answered.
  local function holds(made)
    local id = made.document.documentId
    local status, bytes = sandbox:call("GET", "/sign/documents/" .. id)
    assert.equal(200, status)
    assert.is_true(bytes == ("lease "):rep(5000))
    assert.same(made.collection, select(2, sandbox:call("GET",
      "/sign/document-collections/" .. made.collection.id)))
    assert.equal("READY", sandbox:state(made.ready).state)
    assert.equal("READY", sandbox:state(made.other).state)
    assert.equal("SIGNED", sandbox:state(made.signed).state)
    assert.equal(200, (sandbox:call("GET", "/sign/documents/"
      .. made.signed.output.signatures[1].resultDocumentId)))
  end

  -- Everything that would be stored, as calls.
  local function writes(made)
    return {
      upload = { "POST", "/sign/documents", ("y"):rep(100000),
                 { ["Content-Type"] = "text/plain" } },
      describe = { "PATCH", "/sign/documents/" .. made.document.documentId
                   .. "/metadata", { title = "New" } },
      collect = { "POST", "/sign/document-collections",
                  { documents = { { documentId = made.document.documentId } } }
                },
      create = { "POST", "/sign/signing-sessions", { {
        title = "New", documents = made.ready.documents,
        signingSetup = made.ready.signingSetup } } },
      sign = { "POST", "/_sandbox/sessions/" .. made.ready.id .. "/sign" },
      reject = { "POST", "/_sandbox/sessions/" .. made.other.id .. "/reject" },
      delete = { "DELETE", session_path(made.other) },
      subscribe = { "POST", "/_sandbox/webhooks",
                    { url = "http://127.0.0.1:9/", secret = "s" } },
      seed = { "POST", "/_sandbox/seed", { sessions = 10 } },
    }
  end

  it("that is full refuses with 507 what it cannot keep", function()
    sandbox = service.start("--data", folder)
    local made = fill()
    local function limit(bytes)
      local said, code = judges.run("prlimit", "--pid", tostring(sandbox.pid),
        "--fsize=" .. bytes .. ":")
      assert.equal(0, code, said)
    end
    local before = judges.run("ls", folder .. "/documents")
    limit "0"
    for name, call in pairs(writes(made)) do
      local status, answer = sandbox:call(table.unpack(call))
      assert.equal(507, status, name)
      assert.equal("insufficient_storage", answer.code, name)
      assert.matches("disk", answer.detail)
    end
    assert.equal(507, (sandbox:ask_token {
      grant_type = "client_credentials", scope = "signicat-api",
      client_id = sandbox.client_id, client_secret = sandbox.client_secret }))
    holds(made)
    assert.equal(before, (judges.run("ls", folder .. "/documents")))

    limit "unlimited" -- and there is room again
    holds(made)
    assert.equal(200, (sandbox:sign(made.other)))
    made.other = made.ready
    sandbox:upload()
    sandbox:kill()
    assert.equal("ok\n", integrity(folder))
    sandbox = service.start("--data", folder)
    holds(made)
  end)

  it("that fills up in the middle of it is no different", function()
    sandbox = service.start("--data", folder)
    local made = fill()
    -- Files may still grow to this: it is met in the middle of a document,
    -- and of what the store writes about it.
    judges.run("prlimit", "--pid", tostring(sandbox.pid), "--fsize=400000:")
    local status, answer = sandbox:call("POST", "/sign/documents",
      ("y"):rep(3000000), { ["Content-Type"] = "text/plain" })
    assert.same({ 507, "insufficient_storage" }, { status, answer.code })
    local kept = {}
    for _ = 1, 500 do
      status, answer = sandbox:call("POST", "/sign/documents", "kept",
        { ["Content-Type"] = "text/plain" })
      if status ~= 200 then break end
      kept[#kept + 1] = answer.documentId
    end
    assert.equal(507, status)
    assert.is_true(#kept > 0)
    holds(made)
    sandbox:kill()
    assert.equal("ok\n", integrity(folder))
    sandbox = service.start("--data", folder)
    holds(made)
    for _, id in ipairs(kept) do
      assert.equal("kept", select(2, sandbox:call("GET",
        "/sign/documents/" .. id)))
    end
    local files = select(2, judges.run("ls", folder .. "/documents")
      :gsub("\n", "")) + 0
    local rows = tonumber((judges.run("sqlite3", folder .. "/sandbox.db",
      "select count(*) from document")))
    assert.equal(rows, files)
  end)

  it("that cannot be written refuses with 500 what it cannot keep", function()
    sandbox = service.start_in(LIKE_OTHERS, "--data", folder)
    local made = fill()
    judges.run("chmod", "-R", "a-w", folder)
    for _, name in ipairs { "upload", "sign", "seed" } do
      local status, answer = sandbox:call(table.unpack(writes(made)[name]))
      assert.equal(500, status, name)
      assert.equal("internal_server_error", answer.code, name)
    end
    holds(made)
    judges.run("chmod", "-R", "u+w", folder)
    sandbox:upload()
    sandbox:kill()
    assert.equal("ok\n", integrity(folder))
    sandbox = service.start("--data", folder)
    holds(made)
  end)

  it("that can be written again is, whichever thread had met it", function()
    sandbox = service.start_in(LIKE_OTHERS, "--data", folder)
    judges.run("chmod", "-R", "a-w", folder)
    -- Connections at the same time are of all threads, of which most have
    -- not used the store yet.
    crowd.run(sandbox, 16, function(client)
      assert.equal(200, (client:call("GET", "/sign/signing-sessions")))
    end)
    judges.run("chmod", "-R", "u+w", folder)
    crowd.run(sandbox, 16, function(client)
      assert.equal(200, (client:call("POST", "/sign/documents", "Agreed",
        "text/plain")))
    end)
  end)

  it("that cannot be written is refused at the start in plain words",
    function()
      service.start("--data", folder):finish()
      judges.run("chmod", "-R", "a-w", folder)
      local one = service.launch({ "--data", folder }, LIKE_OTHERS)
      assert.equal(1, (one:stop()))
      assert.equal("", one.said)
      assert.matches("choose one that you can write to", one.complained, 1,
        true)
    end)

  if can_mount() then
    it("of its own that is really full refuses with 507", function()
      local data = folder .. "/small"
      judges.run("mkdir", data)
      sandbox = service.start_in(MOUNT .. ("'mount -t tmpfs -o size=3m none %s "
        .. "&& exec \"$0\" \"$@\"'"):format(data), "--data", data)
      local made = fill()
      local status, answer, kept = nil, nil, {}
      for _ = 1, 100 do
        status, answer = sandbox:call("POST", "/sign/documents",
          ("z"):rep(100000), { ["Content-Type"] = "text/plain" })
        if status ~= 200 then break end
        kept[#kept + 1] = answer.documentId
      end
      assert.same({ 507, "insufficient_storage" }, { status, answer.code })
      assert.is_true(#kept > 0)
      holds(made)
      for _, id in ipairs(kept) do
        assert.is_true(select(2, sandbox:call("GET", "/sign/documents/" .. id))
          == ("z"):rep(100000))
      end
    end)
  end
end)
