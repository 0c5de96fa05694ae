-- aside_spec.lua: what takes long once an answer is there, a file to be put on
-- the disk, a large text to be read or hashed, is done on a thread for a task;
-- it comes to the same, and nothing of it is left when nobody waits any more.

local core = require "signicat.core"
local helper = require "spec.helper"
local lfs = require "lfs"
local sandbox = require "signicat.sandbox"
local signicat = require "signicat"

local LARGE = ("0123456789abcdef"):rep(2 ^ 16) -- a MiB

describe("a call in a task", function()
  local folder, remove, service, sign, document, alone

  local function threads()
    local count = 0
    for name in lfs.dir "/proc/self/task" do
      if name:find "^%d" then count = count + 1 end
    end
    return count
  end

  -- Whether it holds within a while, without a turn.
  local function comes_true(what)
    for _ = 1, 1000 do
      if what() then return true end
      core.sleep(0.01)
    end
    return false
  end

  setup(function()
    alone = threads()
    service = assert(sandbox.start())
    assert(service:seed { sessions = 1000 })
    folder, remove = helper.folder()
  end)
  teardown(function()
    service:stop()
    remove()
  end)
  before_each(function()
    sign = assert(service:client())
    document = assert(sign.documents:upload { content = LARGE,
      type = "text/plain" })
  end)
  after_each(function()
    sign:close()
    -- A thread ends by itself, after its work was heard of.
    assert.is_true(comes_true(function() return threads() <= alone end))
  end)

  local function loop() return sign.transport.loop end

  -- Turns until a task waits for a thread; the task.
  local function until_aside(fn, ...)
    local task = sign:async(fn, ...)
    while not next(loop().asides) do
      assert.falsy(task:done())
      loop():turn(1)
    end
    return task
  end

  -- Each call, and what has to be the same in a task and outside of any.
  local calls = {
    ["a large page"] = function()
      local page, meta = sign.sessions:list { limit = 1000 }
      local ids = {}
      for i, session in ipairs(page.data) do ids[i] = session.id end
      return { #ids, table.concat(ids), page.total, meta.status }
    end,
    ["a large answer to a request of one's own"] = function()
      local page = sign:request("GET", "/signing-sessions?limit=1000")
      return { type(page), page:json() }
    end,
    ["a document"] = function()
      local bytes, meta = sign.documents:download(document)
      return { bytes == LARGE, meta.verified, meta.sha256 }
    end,
    ["a document of one's own request"] = function()
      local bytes, meta = sign:request("GET",
        "/documents/" .. document.documentId)
      return { bytes == LARGE, meta.verified, meta.sha256 }
    end,
    ["a file"] = function()
      local path, meta = sign.documents:download(document,
        { to = folder .. "/file", overwrite = true })
      return { path, helper.read(path) == LARGE, meta.verified, meta.sha256 }
    end,
  }
  for name, call in pairs(calls) do
    it("gets the same of " .. name .. " as one outside", function()
      local outside = call()
      local task = until_aside(call)
      assert.same(outside, task:wait())
      assert.same({}, loop().asides)
      assert.equal(0, sign:step(0))
    end)
  end

  it("says of a wrong document what one outside says", function()
    local other = assert(sign.documents:upload { content = "another",
      type = "text/plain" })
    local known = { documentId = document.documentId,
      documentHash = other:totable().documentHash }
    for _, options in ipairs { {}, { to = folder .. "/wrong" } } do
      local function call()
        local _, err = sign.documents:download(known, options)
        return tostring(err)
      end
      local outside = call()
      assert.matches("integrity", outside)
      assert.equal(outside, sign:async(call):wait())
    end
    assert.equal(nil, lfs.attributes(folder .. "/wrong"))
  end)

  it("says of what is no JSON what one outside says", function()
    local server, url = helper.serve "large:100000"
    local other = assert(signicat.new { token = "t", base_url = url })
    local function call()
      local _, err = other.sessions:list { limit = 1000 }
      return tostring(err)
    end
    local outside = call()
    assert.matches("protocol", outside)
    assert.equal(outside, other:async(call):wait())
    other:close()
    server:kill()
  end)

  it("lets others go on meanwhile, and several at once wait", function()
    local done = {}
    for i = 1, 20 do
      sign:async(function()
        assert(sign.documents:download(document,
          { to = folder .. "/many", overwrite = true }))
        done[i] = true
      end)
    end
    sign:run()
    assert.equal(20, #done)
    assert.is_true(helper.read(folder .. "/many") == LARGE)
  end)

  it("keeps its threads no longer than there is work", function()
    local before = threads()
    until_aside(calls["a file"])
    sign:run()
    assert.is_true(comes_true(function() return threads() == before end))
  end)

  it("keeps nothing open of a client that is closed", function()
    local function descriptors() return #helper.names_in "/proc/self/fd" end
    collectgarbage()
    collectgarbage()
    collectgarbage "stop"
    finally(function() collectgarbage "restart" end)
    local before = descriptors()
    local other = assert(service:client())
    assert(other:async(function()
      return other.documents:download(document, { to = folder .. "/kept" })
    end):wait())
    other:close()
    -- What its thread has open ends with that.
    assert.is_true(comes_true(function() return descriptors() == before end))
  end)

  it("is heard to the end when it is cancelled meanwhile", function()
    local task = until_aside(calls["a large page"])
    assert.is_true(task:cancel())
    assert.equal(1000, task:wait()[1])
  end)

  it("leaves no file, and one whole if any, when the client ends", function()
    for _ = 1, 20 do
      os.remove(folder .. "/closed")
      until_aside(function()
        sign.documents:download(document, { to = folder .. "/closed" })
      end)
      sign:close()
      assert.is_true(comes_true(function()
        for _, name in ipairs(helper.names_in(folder)) do
          if name:find "%.part$" then return false end
        end
        return true
      end))
      if lfs.attributes(folder .. "/closed") then
        assert.is_true(helper.read(folder .. "/closed") == LARGE)
      end
      sign = assert(service:client())
    end
  end)

  it("wakes whoever polls its descriptor", function()
    until_aside(calls["a large page"])
    assert.is_true(comes_true(function() return loop().multi:turn(0) end))
  end)

  it("is not held up by what was ready with it and is let go", function()
    local server, url = helper.serve "ok"
    local resting = assert(core.transfer(loop().multi))
    local before = threads()
    assert(resting:start(core.request({ base_url = url }, "getSigningSession",
      helper.session, nil, 0)))
    while not resting:done() do loop():turn(1) end
    assert.equal(200, resting:finish().status)
    assert(service:faults { { operation = "getSigningSession",
                              fault = "stall" } })
    finally(function() service:clear_faults() end)
    local stalled = sign:async(function()
      return sign.sessions:get(helper.session, { timeout = 60, retries = 0 })
    end)
    local task = until_aside(calls["a large page"])
    assert.is_true(comes_true(function() return threads() == before end))
    server:kill()
    assert.equal(1000, task:wait()[1])
    stalled:cancel()
    local _, err = stalled:wait()
    assert.equal("cancelled", err.kind) -- it was under way still
  end)

  it("leaves tasks that wait in a circle known for such", function()
    local first, second
    first = sign:async(function()
      assert(sign.documents:download(document))
      second:wait()
    end)
    second = sign:async(function() first:wait() end)
    assert.error_matches(function() sign:run() end, "wait for each other")
  end)

  it("says what the disk said", function()
    assert(lfs.mkdir(folder .. "/gone"))
    local task = sign:async(function()
      local _, err = sign.documents:download(document,
        { to = folder .. "/gone/file" })
      return err
    end)
    -- The folder goes while the document comes.
    while not task:done() do
      loop():turn(1)
      os.execute("rm -rf '" .. folder .. "/gone'")
    end
    local err = task:wait()
    assert.equal("io", err.kind)
  end)
end)
