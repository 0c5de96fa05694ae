-- Hard PDFs over HTTP, and the process that reads them, caught at its work.

local cjson = require "cjson"
local judges = require "spec.support.judges"
local lfs = require "lfs"
local pdf = require "spec.support.pdf"
local receiver = require "spec.support.receiver"
local service = require "spec.sandbox.service"
local socket = require "socket"

local PAGE <const> = pdf.file {
  "<< /Type /Catalog /Pages 2 0 R >>",
  "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
  "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R "
    .. "/Resources << /Font << /F1 5 0 R >> >> >>",
  pdf.stream "BT /F1 12 Tf 20 100 Td (Agreed) Tj ET",
  "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
}

describe("the sandbox's press", function()
  local sandbox, judge, scratch

  local function start(...)
    return service.start_in(service.holding(scratch .. "/hold"), ...)
  end

  -- Processes with such a member in their order stand still, until `let_go`.
  local function hold_back(member)
    judges.write(scratch .. "/hold", member)
  end

  local function let_go() os.remove(scratch .. "/hold") end

  setup(function()
    scratch = service.folder()
    sandbox = start()
    judge = judges.of(sandbox)
  end)
  after_each(let_go)
  teardown(function()
    judge:close()
    sandbox:finish()
    service.remove(scratch)
  end)

  local function session_of(bytes)
    return sandbox:session { contents = { bytes }, mime = "application/pdf" }
  end

  -- What qpdf makes of the page with these arguments.
  local function made(...)
    local path = judge:path "made.pdf"
    local words, code = judges.run("qpdf",
      judges.write(judge:path "page.pdf", PAGE), path, ...)
    assert.equal(0, code, words)
    return judges.read(path)
  end

  local function encrypted(user)
    local path = judge:path "made.pdf"
    local words, code = judges.run("qpdf", "--encrypt", user, "owner", "256",
      "--", judges.write(judge:path "page.pdf", PAGE), path)
    assert.equal(0, code, words)
    return judges.read(path)
  end

  local kinds = {
    { "that is linearised", function() return made "--linearize" end },
    { "with object streams", function()
      return made "--object-streams=generate"
    end },
    { "that anybody may open, though it is encrypted", function()
      return encrypted ""
    end },
    { "whose table of objects is wrong", function()
      return (PAGE:gsub("0000000%d%d%d 00000 n", "0000000007 00000 n"))
    end },
  }
  for _, case in ipairs(kinds) do
    local name, make = table.unpack(case)
    it("has a PDF signed " .. name, function()
      local status, answer = sandbox:sign(session_of(make()))
      assert.equal(200, status, answer.detail)
      local _, bytes = sandbox:call("GET", "/sign/documents/"
        .. answer.output.signatures[1].resultDocumentId)
      local path = judges.write(judge:path "signed.pdf", bytes)
      local signature = judge:signatures(path)[1]
      assert.equal("Signature is Valid.", signature["Signature Validation"])
      assert.is_true(signature["Total document signed"])
      assert.matches("Agreed", (judges.run("pdftotext", "-q", path, "-")))
    end)
  end

  local refused = {
    { "that asks for a password", function() return encrypted "user" end,
      "without a password" },
    { "whose end is missing", function() return PAGE:sub(1, -60) end,
      "cut off" },
    { "that is none", function() return "Agreed" end, "not a PDF" },
  }
  for _, case in ipairs(refused) do
    local name, make, words = table.unpack(case)
    it("refuses a PDF " .. name .. ", and says why", function()
      local session = session_of(make())
      local status, answer, headers = sandbox:sign(session)
      assert.equal(422, status)
      assert.equal("unprocessable_document", answer.code)
      assert.equal("application/problem+json", headers["content-type"])
      assert.matches(words, answer.detail, 1, true)
      assert.equal("READY", sandbox:state(session).state)
    end)
  end

  -- The processes that the service has started, by pid.
  local function children()
    local found = {}
    local folder = ("/proc/%d/task"):format(sandbox.pid)
    for thread in lfs.dir(folder) do
      local text = service.read(folder .. "/" .. thread .. "/children")
      for pid in (text or ""):gmatch "%d+" do found[#found + 1] = pid end
    end
    return found
  end

  local function signal(name, pid)
    return os.execute(("kill -%s %s 2>/dev/null"):format(name, pid))
  end

  -- Too many objects, and no table: it takes a while to read.
  local function heavy()
    local objects = { PAGE:match "^(.-)xref" }
    for number = 6, 500000 do
      objects[#objects + 1] = ("%d 0 obj\n<< /Kept [1 2 3] >>\nendobj\n")
        :format(number)
    end
    objects[#objects + 1] = "trailer\n<< /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"
    return table.concat(objects)
  end

  -- Begins to sign it; the connection.
  local function begin(session)
    local connection = assert(socket.connect("127.0.0.1", sandbox.port))
    connection:send(("POST /_sandbox/sessions/%s/sign HTTP/1.1\r\n"
      .. "Host: localhost\r\nConnection: close\r\n\r\n"):format(session.id))
    return connection
  end

  -- The pid of a process that is held back, unless it is in `but`.
  local function catch(but)
    return service.await("a process", function()
      for _, pid in ipairs(children()) do
        local stat = service.read("/proc/" .. pid .. "/stat") or ""
        if not (but and but[pid]) and stat:find "%) T " then return pid end
      end
    end)
  end

  -- Begins to sign it and holds back the process that reads it: that process,
  -- and the connection.
  local function caught(session)
    hold_back "sign"
    local connection = begin(session)
    local pid = catch()
    let_go()
    return pid, connection
  end

  it("reads four PDFs at a time, and keeps nobody else waiting", function()
    local sessions, connections, stopped = {}, {}, {}
    for i = 1, 6 do sessions[i] = session_of(PAGE) end
    hold_back "sign"
    for i = 1, 6 do connections[i] = begin(sessions[i]) end
    for _ = 1, 4 do stopped[catch(stopped)] = true end
    for _ = 1, 16 do -- connections, over all threads of the server
      assert.equal(200, (sandbox:call("GET", "/sign/signing-sessions?limit=1")))
    end
    sandbox:renew()
    sandbox:upload()
    assert.equal(4, #children())
    let_go()
    for pid in pairs(stopped) do
      assert.is_true(signal("CONT", pid))
    end
    for _, connection in ipairs(connections) do
      assert.matches("^HTTP/1.1 200", connection:receive "*a")
      connection:close()
    end
  end)

  it("gives the process that reads a PDF limits, and no more than it needs",
    function()
      local pid, connection = caught(session_of(PAGE))
      local command = service.read("/proc/" .. pid .. "/cmdline")
      local files = {}
      for name in lfs.dir("/proc/" .. pid .. "/fd") do
        files[#files + 1] = tonumber(name)
      end
      local limits = service.read("/proc/" .. pid .. "/limits")
      signal("CONT", pid)
      assert.matches("^HTTP/1.1 200", connection:receive "*a")
      connection:close()
      assert.equal("signicat-sandbox\0--press\0", command)
      if not service.program:find "asan" then -- which takes terabytes
        assert.matches("Max address space +2147483648 ", limits)
      end
      assert.matches("Max core file size +0 ", limits)
      -- SIGXCPU says why; were both the same, SIGKILL would come.
      assert.matches("Max cpu time +60 +61 ", limits)
      for _, file in ipairs(files) do assert.is_true(file <= 5, file) end
    end)

  it("refuses a PDF that really takes longer than it may", function()
    local session = session_of(heavy())
    local pid, connection = caught(session)
    local said, code = judges.run("prlimit", "--pid", pid, "--cpu=1:2")
    assert.equal(0, code, said)
    signal("CONT", pid)
    local answer = connection:receive "*a"
    connection:close()
    assert.matches("^HTTP/1.1 422", answer)
    assert.matches("takes too long", answer, 1, true)
    assert.equal("READY", sandbox:state(session).state)
  end)

  it("refuses a PDF that takes longer without working, and leaves no process",
    function()
      local said, code = judges.run(os.getenv "PRESS_HOST"
        or "build/press_host")
      assert.equal("refused: The PDF was not read within 1 seconds.\n", said)
      assert.equal(0, code)
    end)

  for _, name in ipairs { "ABRT", "XCPU", "KILL" } do
    it("refuses a PDF that ends that process with SIG" .. name, function()
      local session = session_of(PAGE)
      local pid, connection = caught(session)
      signal(name, pid)
      signal("CONT", pid)
      local answer = connection:receive "*a"
      connection:close()
      assert.matches("^HTTP/1.1 422", answer)
      assert.matches(name == "XCPU" and "takes too long" or "by signal %d+",
        answer)
      assert.equal("READY", sandbox:state(session).state)
      assert.equal(200, (sandbox:sign(session)))
    end)
  end

  -- Signs what is packaged then; gives its packages, and the session.
  local function begin_package(bytes)
    local session = sandbox:session {
      contents = { bytes or PAGE }, mime = "application/pdf",
      packageTo = { "PADES_CONTAINER" },
      signingSetup = { { signingFlow = "AUTHENTICATION_BASED" } },
    }
    assert.equal(200, (sandbox:sign(session)))
    return function()
      local _, now = sandbox:call("GET",
        "/sign/signing-sessions/" .. session.id)
      return now.output.packages
    end, session
  end

  it("answers as of no session when it is deleted meanwhile, documents and all",
    function()
      local session = sandbox:session { contents = { PAGE, PAGE },
                                        mime = "application/pdf" }
      local pid, connection = caught(session)
      sandbox:reset()
      signal("CONT", pid)
      local answer = connection:receive "*a"
      connection:close()
      assert.matches("^HTTP/1.1 404 .*signing_session_not_found", answer)
    end)

  -- Kills the process that makes a package, which `again` has begun; one that
  -- tries again is held back.
  local function break_it(again)
    hold_back "reason" -- which a signature has none of
    local packages = again()
    local pid = catch()
    signal("KILL", pid)
    service.await("its end", function()
      return not service.read("/proc/" .. pid .. "/stat")
    end)
    return packages
  end

  local function break_package() return break_it(begin_package) end

  -- Whoever was held back before `let_go` goes on, too.
  local function await_package(packages)
    let_go()
    return service.await("the package", function()
      for _, pid in ipairs(children()) do signal("CONT", pid) end
      return packages()[1]
    end)
  end

  it("has a package made again when that process was killed", function()
    local packages = break_package()
    assert.same({}, packages())
    sandbox:call("POST", "/_sandbox/clock", { advance = 10 })
    await_package(packages)
  end)

  it("has it made after a restart, whose clock is not ahead", function()
    local folder = service.folder()
    local kept = sandbox
    finally(function()
      sandbox = kept
      service.remove(folder)
    end)
    sandbox = start("--data", folder)
    sandbox:call("POST", "/_sandbox/clock", { advance = 86400 })
    sandbox:renew()
    local packages = break_package()
    assert.same({}, packages())
    sandbox:kill()
    let_go()
    sandbox = start("--data", folder)
    local one = sandbox
    await_package(packages)
    one:finish()
  end)

  it("has no package become another session's when its own is deleted",
    function()
      hold_back "reason"
      local _, session = begin_package()
      local pid = catch()
      let_go()
      assert.equal(204, (sandbox:call("DELETE",
        "/sign/signing-sessions/" .. session.id)))
      local packages = begin_package((PAGE:gsub("Agreed", "Others")))
      signal("CONT", pid)
      local one = service.await("the package", function()
        return packages()[1]
      end)
      local _, bytes = sandbox:call("GET",
        "/sign/documents/" .. one.resultDocumentId)
      local path = judges.write(judge:path "package.pdf", bytes)
      assert.matches("Others", (judges.run("pdftotext", "-q", path, "-")))
    end)

  it("gives up a package when that process was ended three times, and says so",
    function()
      local one, kept, inbox = start(), sandbox, receiver.open()
      sandbox = one
      finally(function()
        sandbox = kept
        inbox:close()
      end)
      assert.equal(201, (one:call("POST", "/_sandbox/webhooks",
        { url = inbox.url, secret = "s",
          events = { "package.completed", "package.failed" } })))
      local packages, session
      break_it(function() packages, session = begin_package() end)
      for _ = 1, 2 do
        assert.equal("", one:err())
        break_it(function()
          one:call("POST", "/_sandbox/clock", { advance = 10 })
        end)
      end
      local event = cjson.decode(inbox:take().raw)
      assert.equal("package.failed", event.eventName)
      assert.not_equal(session.id, event.eventData.id)
      assert.same({}, packages())
      let_go()
      one:call("POST", "/_sandbox/clock", { advance = 1000 })
      one:renew()
      local later = begin_package(PAGE)
      service.await("a later package", function() return later()[1] end)
      assert.same({}, packages()) -- it was not taken up again
      event = cjson.decode(inbox:take().raw)
      assert.same({ "package.completed", later()[1].packageId },
        { event.eventName, event.eventData.id })
      assert.equal(0, (one:stop()))
      assert.matches("^signicat%-sandbox: no package of session "
        .. session.id:gsub("%-", "%%-") .. ": .* signal 9%.\n$",
        one.complained)
    end)

  -- The specs above, but of a service on this folder.
  local function on(folder)
    local kept = sandbox
    sandbox = start("--data", folder)
    return sandbox, function() sandbox = kept end
  end

  it("has a package that a stop breaks off made after the next start",
    function()
      local folder = service.folder()
      local one, back = on(folder)
      finally(function()
        back()
        service.remove(folder)
      end)
      hold_back "reason"
      local packages = begin_package()
      local pid = catch() -- it would never come to its end
      let_go()
      one:finish()
      assert.is_nil(service.read("/proc/" .. pid .. "/stat"))
      local said = judges.run("sqlite3", folder .. "/sandbox.db",
        "select attempts, next_try from package")
      assert.equal("0|0\n", said)
      one = on(folder)
      service.await("the package", function() return packages()[1] end)
      one:finish()
    end)

  it("answers at a stop who waits for a PDF that is not read yet", function()
    local folder = service.folder()
    local one, back = on(folder)
    finally(function()
      back()
      service.remove(folder)
    end)
    local session = session_of(PAGE)
    local _, connection = caught(session)
    one:signal "TERM"
    assert.matches("^HTTP/1.1 500 .*the sandbox ends", connection:receive "*a")
    connection:close()
    one:finish()
    one = on(folder)
    assert.equal("READY", sandbox:state(session).state)
    one:finish()
  end)

  it("ends that process with itself", function()
    local one = start()
    local kept = sandbox
    sandbox = one
    local session = session_of(PAGE)
    local pid, connection = caught(session)
    sandbox = kept
    one:kill()
    connection:close()
    service.await("its end", function()
      local stat = service.read("/proc/" .. pid .. "/stat")
      return not stat or stat:find "%) Z "
    end)
  end)
end)
