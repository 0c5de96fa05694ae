-- Starting and ending: options, folders, restarts, the parent's pipe.

local judges = require "spec.support.judges"
local service = require "spec.sandbox.service"
local socket = require "socket"

local function exists(path)
  return select(2, judges.run("test", "-e", path)) == 0
end

local function entries(folder)
  local text = judges.run("ls", "-A", folder)
  local names = {}
  for name in text:gmatch "[^\n]+" do names[#names + 1] = name end
  return names
end

local function gone(port)
  return socket.connect("127.0.0.1", port) == nil
end

describe("the sandbox's process", function()
  local folder

  before_each(function() folder = service.folder() end)
  after_each(function() service.remove(folder) end)

  -- Runs to its own end: exit code, what it said, what it complained of.
  local function run(...)
    local one = service.launch { ... }
    return one:stop(), one.said, one.complained
  end

  it("says one line on stdout, whatever happens later", function()
    local one = service.start()
    one:session()
    one:call("GET", "/x")
    one:finish()
    assert.equal(1, select(2, one.said:gsub("\n", "")))
    assert.matches("^signicat%-sandbox ready url=http://127%.0%.0%.1:%d+ "
      .. "client_id=sandbox%-%x+ client_secret=%x+\n$", one.said)
  end)

  it("explains itself", function()
    local code, said = run "--help"
    assert.equal(0, code)
    for _, option in ipairs { "port", "data", "token-ttl", "max-upload",
                              "tls", "log", "beyond-the-service",
                              "parent-fd" } do
      assert.matches("--" .. option, said, 1, true)
    end
    assert.matches("signatureUrl", said, 1, true) -- it has a page
    code, said = run "--version"
    assert.equal(0, code)
    assert.matches("^signicat%-sandbox %d+%.%d+%.%d+\n$", said)
  end)

  for _, words in ipairs {
    { "--colour" }, { "file.pdf" }, { "--port" }, { "--port", "x" },
    { "--port", "65536" }, { "--port", "-1" }, { "--port", "" },
    { "--token-ttl", "0" }, { "--token-ttl", "3601" },
    { "--max-upload", "0" }, { "--max-upload", "1k" },
    { "--tls", "bad" }, { "--parent-fd", "77" },
  } do
    local line = table.concat(words, " ")
    it(("ends with 2 and a hint after %q"):format(line), function()
      local code, said, complained = run(table.unpack(words))
      assert.equal(2, code)
      assert.equal("", said)
      assert.is_true(#complained > 0)
    end)
  end

  it("listens where it is told", function()
    -- A port that is bound, and no more, goes to nobody who asks for any.
    local holder = assert(socket.tcp4())
    holder:setoption("reuseaddr", true)
    assert(holder:bind("127.0.0.1", 0))
    local port = tonumber((select(2, holder:getsockname())))
    local one = service.start("--port", tostring(port))
    assert.equal(port, one.port)

    local code, said, complained = run("--port", tostring(port))
    one:finish()
    holder:close()
    assert.equal(1, code)
    assert.equal("", said)
    assert.matches("port " .. port .. " cannot be used", complained, 1, true)
    assert.matches("--port", complained, 1, true)
  end)

  it("listens on 127.0.0.1 and nowhere else", function()
    local one = service.start()
    local mine = {}
    for path in judges.run("sh", "-c",
      ("for f in /proc/%d/fd/*; do readlink $f; done"):format(one.pid))
      :gmatch "socket:%[(%d+)%]" do
      mine[path] = true
    end
    local found = {}
    for _, name in ipairs { "tcp", "tcp6", "udp", "udp6" } do
      for line in (service.read("/proc/net/" .. name) or ""):gmatch "[^\n]+" do
        -- the local address, the state (0A: listens), the socket's number
        local address, port, state, inode = line:match
          "^%s*%d+: (%x+):(%x+) %x+:%x+ (%x+) %S+ %S+ %S+%s+%d+%s+%d+ (%d+)"
        if mine[inode] and (state == "0A" or name:find "udp") then
          found[#found + 1] = { name, address }
          mine[tonumber(port, 16)] = true
        end
      end
    end
    one:finish()
    -- The API's port and that of the levers.
    assert.same({ { "tcp", "0100007F" }, { "tcp", "0100007F" } }, found)
    assert.is_true(mine[one.port])
  end)

  it("keeps everything over kill -9, byte for byte", function()
    local one = service.start("--data", folder)
    local bytes = ("\0\r\n\xff%PDF"):rep(50000)
    local document = one:upload(bytes, "application/pdf")
    local session = one:session()
    local token = one.token
    assert.equal(9, (one:kill()))

    local two = service.start("--data", folder)
    finally(function() two:finish() end)
    assert.same({ one.client_id, one.client_secret },
      { two.client_id, two.client_secret })
    two.token = token
    local _, again, headers = two:call("GET",
      "/sign/documents/" .. document.documentId)
    assert.is_true(again == bytes)
    assert.equal("application/pdf", headers["content-type"])
    local status, read = two:call("GET",
      "/sign/signing-sessions/" .. session.id)
    assert.equal(200, status)
    -- The port differs, so the signature URL does; its id does not.
    local port = (":" .. one.port):gsub("%p", "%%%0")
    session.signatureUrl = session.signatureUrl:gsub(port, ":" .. two.port)
    assert.same(session, read)
  end)

  it("keeps its authority over restarts", function()
    local one = service.start("--data", folder)
    local _, first = one:call("GET", "/_sandbox/ca.pem")
    one:kill()
    local two = service.start("--data", folder)
    local _, second = two:call("GET", "/_sandbox/ca.pem")
    two:finish()
    assert.equal(first, second)
  end)

  it("sweeps what no row stands for", function()
    local one = service.start("--data", folder)
    local document = one:upload()
    -- Cut off in the middle of an upload.
    local connection = socket.connect("127.0.0.1", one.port)
    connection:send(one:head("POST", "/sign/documents",
      "Content-Type: text/plain\r\nContent-Length: 100\r\n") .. "half")
    service.await("the half document", function()
      return #entries(folder .. "/documents") == 2
    end)
    one:kill()
    connection:close()
    judges.write(folder .. "/documents/" .. service.unknown_id, "orphan")
    local two = service.start("--data", folder)
    assert.same({ document.documentId }, entries(folder .. "/documents"))
    two:finish()
  end)

  it("leaves no file of an upload that was cut off", function()
    local one = service.start("--data", folder)
    local connection = socket.connect("127.0.0.1", one.port)
    connection:send(one:head("POST", "/sign/documents",
      "Content-Type: text/plain\r\nContent-Length: 100\r\n") .. "half")
    service.await("the half document", function()
      return #entries(folder .. "/documents") == 1
    end)
    connection:close()
    service.await("its end", function()
      return #entries(folder .. "/documents") == 0
    end)
    one:finish()
  end)

  it("leaves no file of a document that is deleted", function()
    local one = service.start("--data", folder)
    one:call("DELETE", "/sign/documents/" .. one:upload().documentId)
    assert.same({}, entries(folder .. "/documents"))
    one:finish()
  end)

  it("keeps a data folder to itself", function()
    local one = service.start("--data", folder)
    local code, said, complained = run("--data", folder)
    assert.equal(1, code)
    assert.equal("", said)
    assert.matches("in use by another signicat-sandbox", complained, 1, true)
    assert.equal(200, (one:call("GET", "/sign/signing-sessions")))
    one:finish()
  end)

  -- Names, sizes, times and bytes.
  local function look()
    return (judges.run("sh", "-c", "cd " .. folder .. " && ls -lAR "
      .. "--time-style=full-iso && find . -type f -exec sha256sum {} +"))
  end

  local function refused_untouched(version, words)
    local before = look()
    local code, said, complained = run("--data", folder)
    assert.equal(1, code)
    assert.equal("", said)
    assert.matches("is of version " .. version .. ", of " .. words .. ";",
      complained, 1, true)
    assert.matches("has changed nothing", complained, 1, true)
    assert.matches("--data", complained, 1, true)
    assert.equal(before, look())
  end

  it("says what is wrong with a data folder of another version", function()
    service.start("--data", folder):finish()
    local database = folder .. "/sandbox.db"
    for version, words in pairs { [1] = "an older sandbox",
                                  [999] = "a newer sandbox",
                                  [-3] = "no sandbox" } do
      for _, mode in ipairs { "wal", "delete" } do
        judges.run("sqlite3", database, "pragma journal_mode = " .. mode,
          "pragma user_version = " .. version)
        refused_untouched(version, words)
      end
    end
  end)

  it("knows that version before it makes anything of its own", function()
    judges.run("sqlite3", folder .. "/sandbox.db",
      "create table other(x); pragma user_version = 7")
    refused_untouched(7, "a newer sandbox")
    assert.same({ "sandbox.db" }, entries(folder))
  end)

  it("knows a version that is in the log of a killed process only", function()
    service.start("--data", folder):finish()
    judges.run("sqlite3", folder .. "/sandbox.db",
      "pragma user_version = 7", "create table more(x)",
      "insert into more values(1)", ".shell kill -9 $PPID")
    assert.is_true(exists(folder .. "/sandbox.db-wal"))
    refused_untouched(7, "a newer sandbox")
  end)

  it("keeps its secrets from others", function()
    local one = service.start("--data", folder .. "/new")
    one:finish()
    local modes = judges.run("stat", "-c", "%a", folder .. "/new",
      folder .. "/new/credentials", folder .. "/new/documents")
    assert.equal("700\n600\n700\n", modes)
    -- A folder of somebody's that others may look into.
    judges.run("mkdir", "-m", "755", folder .. "/open")
    local two = service.start("--data", folder .. "/open")
    local count = 0
    for name, mode in judges.run("sh", "-c", "stat -c '%n %a' '" .. folder
        .. "/open/'*"):gmatch "(%S+) (%d+)\n" do
      count = count + 1
      assert.matches("^[67]00$", mode, name)
    end
    two:finish()
    assert.is_true(count > 3)
  end)

  local bad_folders = {
    { "below nothing", "/nowhere/at/all" }, { "that is a file", "/file" },
  }
  for _, case in ipairs(bad_folders) do
    it("says so of a data folder " .. case[1], function()
      judges.write(folder .. "/file", "x")
      local code, said, complained = run("--data", folder .. case[2])
      assert.equal(1, code)
      assert.equal("", said)
      assert.matches("^signicat%-sandbox: the data folder ", complained)
    end)
  end

  for _, name in ipairs { "sandbox.db", "credentials" } do
    it("ends with 1 and words when " .. name .. " is damaged", function()
      judges.write(folder .. "/" .. name, "not what it should be")
      local code, said, complained = run("--data", folder)
      assert.equal(1, code)
      assert.equal("", said)
      assert.matches(name, complained, 1, true)
      assert.equal("not what it should be",
        judges.read(folder .. "/" .. name))
    end)
  end

  local function in_tmp(...)
    return service.launch({ ... }, "TMPDIR=" .. folder)
  end

  local function ready(one)
    service.await("the ready line", function()
      return one:out() and one:out():find "\n"
    end)
    return one
  end

  it("removes its temporary folder at the end", function()
    local one = ready(in_tmp("--parent-fd", "0"))
    assert.equal(1, #entries(folder))
    one:finish()
    assert.same({}, entries(folder))
  end)

  it("removes it when its terminal is closed, too", function()
    local one = ready(in_tmp("--parent-fd", "0"))
    one:signal "HUP"
    service.await("its end", function() return not one:is_alive() end)
    assert.same({}, entries(folder))
    one:finish()
  end)

  it("goes on without its terminal under nohup", function()
    local one = service.start_in "nohup"
    one:signal "HUP"
    assert.equal(200, (one:call("GET", "/sign/signing-sessions")))
    assert.is_true(one:is_alive())
    one:finish()
  end)

  it("sweeps the temporary folders of killed runs, and no others", function()
    local one = ready(in_tmp("--parent-fd", "0"))
    local stale = folder .. "/" .. entries(folder)[1]
    assert.equal(9, (one:kill()))
    assert.is_true(exists(stale .. "/sandbox.db"))

    local living = ready(in_tmp("--parent-fd", "0"))
    assert.is_false(exists(stale))
    local home = folder .. "/" .. entries(folder)[1]

    -- Neither a link, nor a folder without our lock file, nor other names.
    judges.run("mkdir", "-p", folder .. "/kept",
      folder .. "/signicat-sandbox-NOLOCK",
      folder .. "/signicat-sandbox-toolong")
    for _, name in ipairs { "kept", "signicat-sandbox-toolong" } do
      judges.write(folder .. "/" .. name .. "/lock", "")
    end
    judges.run("ln", "-s", folder .. "/kept",
      folder .. "/signicat-sandbox-linked")
    ready(in_tmp("--parent-fd", "0")):finish()
    assert.is_true(exists(home .. "/sandbox.db"))
    assert.is_true(exists(folder .. "/kept/lock"))
    assert.is_true(exists(folder .. "/signicat-sandbox-NOLOCK"))
    assert.is_true(exists(folder .. "/signicat-sandbox-toolong/lock"))
    living:finish()
  end)

  for _, signal in ipairs { "TERM", "INT" } do
    it("ends cleanly at SIG" .. signal, function()
      local one = ready(in_tmp())
      one:signal(signal)
      assert.equal(0, (one:stop()))
      assert.same({}, entries(folder))
    end)
  end

  it("ends cleanly, and soon, whatever its clients are about", function()
    local patient, ending, clients = service.ending(), {}, {}
    for i = 1, 8 do
      local one = service.start()
      local sent = { "", "GET", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        one:head("POST", "/sign/documents",
          "Content-Type: text/plain\r\nContent-Length: 100\r\n") .. "half" }
      for _ = 1, 20 do
        sent[#sent + 1] = "GET / HTTP/1.1\r\nno header\r\n\r\n"
      end
      for _, bytes in ipairs(sent) do
        local client = assert(socket.connect("127.0.0.1", one.port))
        client:send(bytes)
        clients[#clients + 1] = client
      end
      one:signal "TERM"
      ending[i] = one
    end
    -- One client stalls, which is waited for; as long as for anything it would
    -- be for one that is forgotten.
    for _, one in ipairs(ending) do one:finish() end
    assert.is_true(patient:is_alive())
    patient:kill()
    for _, client in ipairs(clients) do client:close() end
  end)

  it("ends when its parent does", function()
    -- A shell in between holds the only writing end, stops and is killed.
    local log = folder .. "/log"
    local pipe = io.popen(("mkfifo %s/pipe; (exec %s --parent-fd 3 "
      .. "3<%s/pipe >%s 2>&1 </dev/null) & exec 4>%s/pipe; echo $$; "
      .. "kill -STOP $$"):format(folder, service.program, folder, log, folder))
    local parent = tonumber(pipe:read "l")
    local port = service.await("the ready line", function()
      return (service.read(log) or ""):match "127%.0%.0%.1:(%d+) .*\n"
    end)
    assert.is_false(gone(tonumber(port)))
    assert.is_true(os.execute("kill -9 " .. parent))
    service.await("the service's end", function()
      return gone(tonumber(port))
    end)
    pipe:close()
  end)

  it("goes on while its parent writes into the pipe", function()
    local one = service.start()
    one.pipe:write(("x"):rep(1000))
    one.pipe:flush()
    assert.equal(200, (one:call("GET", "/sign/signing-sessions")))
    one:finish()
  end)
end)
