-- stop_signals_spec.lua: SIGTERM and SIGINT, held back for a while and by a
-- worker, each in a process of its own.

local core = require "signicat.core"
local helper = require "spec.helper"
local offices = require "spec.support.office"

-- What children of ours know.
local PREPARED = [[
  local core = require "signicat.core"
  local function status(file, name)
    for line in io.lines(file) do
      local value = line:match("^" .. name .. ":%s*(%S+)")
      if value then return value end
    end
  end
  local pid = status("/proc/self/status", "Pid")
  local function send(signal) os.execute("kill -" .. signal .. " " .. pid) end
  -- The signals that this thread blocks.
  local function blocked()
    return status("/proc/thread-self/status", "SigBlk")
  end
  local before = blocked()
]]

local function run(code, prepare)
  return helper.run(PREPARED .. code, prepare)
end

describe("signals that are held", function()
  it("wait until they are looked for, however many came", function()
    assert.equal("false true true true\n", (run [[
      local signals = core.hold_signals()
      local first = signals:came()
      send "TERM" send "INT" send "TERM"
      local second, third = signals:came(), signals:came()
      print(first, second, third, signals:release()) ]]
      :gsub("\t", " ")))
  end)

  it("are let go as they were", function()
    assert.equal("0000000000004002 true false true\n", (run [[
      local signals = core.hold_signals()
      local held = blocked()
      local came = signals:release()
      signals:release()
      print(held, before == blocked(), came, signals:came() == false) ]]
      :gsub("\t", " ")))
  end)

  it("that nobody looked for do what they do", function()
    local said = run [[
      local signals = core.hold_signals()
      send "TERM"
      print "held"
      io.stdout:flush()
      signals = nil
      collectgarbage() collectgarbage()
      print "not here" ]]
    assert.matches("^held\n", said)
    assert.is_nil(said:find "not here")
  end)

  it("stay held while one more holds them, whichever goes first", function()
    assert.equal("true true true true\n", (run [[
      local one, two = core.hold_signals(), core.hold_signals()
      one = nil
      collectgarbage() collectgarbage()
      send "TERM"
      print(blocked() ~= before, two:came(), two:release(),
        blocked() == before) ]]
      :gsub("\t", " ")))
  end)

  it("are not those that the process ignores", function()
    assert.equal("0000000000000002 false\n", (run([[
      local signals = core.hold_signals()
      send "TERM"
      print(blocked(), signals:came()) ]], "trap '' TERM;")
      :gsub("\t", " ")))
  end)
end)

describe("a worker that stops on signals", function()
  local office, queue, service
  local process, pid -- a worker's, until it ended

  setup(function()
    office = offices.open()
    queue, service = office.queue, office.service
  end)

  teardown(function() office:close() end)
  before_each(function() office:clear() end)

  after_each(function()
    if pid then os.execute("kill -KILL " .. pid) end
    if process then process:stop() end
    process, pid = nil, nil
  end)

  -- Starts the example as it runs on a service, with SIGINT as a terminal
  -- leaves it and not the background; the exit code comes last.
  local function start(prepare)
    process = assert(core.spawn("sh", { "-c", ([[ exec 2>&1
      %s env --default-signal=INT SIGNICAT_LIVE=1 SIGNICAT_BASE_URL=%s/sign \
        SIGNICAT_CLIENT_ID=%s SIGNICAT_CLIENT_SECRET=%s \
        LUA_PATH="$1" LUA_CPATH="$2" "$3" examples/redis_worker.lua "$4" &
      echo $!; wait $!; echo exit $? ]]):format(prepare or "", service.url,
      service.client_id, service.client_secret), "sh",
      "./?.lua;" .. package.path, package.cpath, helper.lua,
      office.server.address }))
    pid = assert(tonumber(process:read_line(30)))
  end

  local function assert_lines(...)
    for _, line in ipairs { ... } do
      assert.equal(line, process:read_line(30))
    end
    if select(-1, ...) == "exit 0" then pid = nil end
  end

  local function send(signal)
    os.execute(("kill -%s %d"):format(signal, pid))
  end

  local function enqueue(id)
    assert(queue:enqueue(id, office.job()))
  end

  local function await(id, state)
    local ends = core.now() + 60
    while queue:status(id).state ~= state do
      assert(core.now() < ends, id .. " is not " .. state)
      core.sleep(0.01)
    end
  end

  -- Sends signals while the service stands still, with a job under way.
  local function interrupt(...)
    for i = 1, 3 do enqueue("j" .. i) end
    local release = helper.hold(service.process)
    finally(release)
    start()
    await("j1", "running")
    for _, signal in ipairs { ... } do send(signal) end
    release()
  end

  for _, signals in ipairs { { "TERM" }, { "TERM", "TERM", "INT" } } do
    it("does the job in hand, begins no other and ends well after "
      .. table.concat(signals, ", "), function()
      interrupt(table.unpack(signals))
      assert_lines("j1\tdone\t", "exit 0")
      for i = 2, 3 do
        assert.equal("queued", queue:status("j" .. i).state)
        assert.equal(0, queue:status("j" .. i).attempts)
      end
      local other = office:worker()
      for i = 2, 3 do
        assert.same({ "j" .. i, "done" }, { other:step() })
      end
    end)
  end

  for _, signal in ipairs { "TERM", "INT" } do
    it("ends well when it waits for a job at SIG" .. signal, function()
      enqueue "j1"
      start()
      await("j1", "done")
      send(signal)
      assert_lines("j1\tdone\t", "exit 0")
    end)
  end

  it("goes on where SIGTERM is ignored", function()
    start "trap '' TERM;"
    for _, id in ipairs { "j1", "j2" } do
      enqueue(id)
      await(id, "done")
      send "TERM"
    end
    send "INT"
    assert_lines("j1\tdone\t", "j2\tdone\t", "exit 0")
  end)

  it("lets go of them when an error ends it", function()
    enqueue "j1"
    assert.equal("true true\n", (run(([[
      local service = { address = %q, url = %q, id = %q, secret = %q }
      local sign = require "signicat".new { base_url = service.url .. "/sign",
        client_id = service.id, client_secret = service.secret }
      local one = require "signicat.worker".new { client = sign,
        redis = require "signicat.redis".new { nodes = { service.address } },
        stop_on_signals = true }
      local held
      pcall(one.run, one, function()
        held = blocked() ~= before
        error "of mine"
      end)
      collectgarbage() collectgarbage()
      print(held, blocked() == before) ]]):format(office.server.address,
      service.url, service.client_id, service.client_secret))
      :gsub("\t", " ")))
  end)
end)
