-- cancelling_spec.lua: what ends with a task that is cancelled, and what it
-- leaves as it is.

local core = require "signicat.core"
local helper = require "spec.helper"
local sandbox = require "signicat.sandbox"
local signicat = require "signicat"

local ID = helper.session

describe("cancelling", function()
  local process, url, sign

  local function serve(...)
    process, url = helper.serve(...)
    sign = assert(signicat.new { token = "t", retries = 0,
      base_url = url .. "/sign" })
  end
  after_each(function()
    sign:close()
    process:kill()
  end)

  -- Starts a task and steps for a while, and until `reached` if that is given.
  local function begin(fn, reached)
    local task = sign:async(fn)
    for i = 1, 2000 do
      sign:step(0.01)
      core.sleep(0.005)
      if i >= 20 and (reached == nil or reached()) then break end
    end
    assert.is_false(task:done())
    return task
  end

  it("ends a call that waits for its answer", function()
    serve "stall"
    local task = begin(function() return sign.sessions:get(ID) end)
    assert.is_true(task:cancel())
    assert.is_false(task:cancel())
    local session, err = task:wait()
    assert.is_nil(session)
    assert.same({ "cancelled", false, true },
      { err.kind, err.ambiguous, err.sent })
    assert.matches("its task was cancelled, or its client closed", err.message)
    assert.is_false(task:cancel())
  end)

  it("says of a create that was sent that it is ambiguous", function()
    serve "stall"
    local task = begin(function()
      return sign.sessions:create { { title = "x", documents = { {
        documentId = helper.document, documentCollectionId = helper.collection,
        action = "SIGN" } }, signingSetup = { {
          signingFlow = "AUTHENTICATION_BASED" } } } }
    end)
    task:cancel()
    local err = select(2, task:wait())
    assert.same({ "cancelled", true }, { err.kind, err.ambiguous })
  end)

  it("never begins what was not begun", function()
    serve "ok"
    local begun
    local task = sign:async(function() begun = true end)
    task:cancel()
    sign:run()
    assert.is_nil(begun)
    assert.equal("cancelled", select(2, task:wait()).kind)
  end)

  it("ends a pause, and all calls that would follow", function()
    serve("close", "ok")
    sign:close()
    sign = assert(signicat.new { token = "t", base_url = url .. "/sign",
      should_retry = function() return 1e5 end }) -- after so many seconds
    local first, second
    local task = begin(function()
      first = select(2, sign.sessions:get(ID))
      second = select(2, sign.sessions:get(ID))
    end, function() return sign.transport.loop.sleepers.count == 1 end)
    assert.is_true(task:cancel())
    task:wait()
    assert.same({ "cancelled", "cancelled" }, { first.kind, second.kind })
    assert.is_false(second.sent)
  end)

  it("ends a wait for another task, which goes on", function()
    serve("stall", "ok")
    local other = sign:async(function() return sign.sessions:get(ID) end)
    local task = begin(function() return other:wait() end)
    task:cancel()
    assert.equal("cancelled", select(2, task:wait()).kind)
    assert.is_false(other:done())
    other:cancel()
    other:wait()
  end)

  it("ends what a map began", function()
    serve "stall"
    local results, errors
    local task = begin(function()
      results, errors = sign:map({ ID, ID, ID, ID }, function(id)
        return sign.sessions:get(id)
      end, { limit = 2 })
    end)
    task:cancel()
    sign:run()
    assert.same({}, results)
    for i = 1, 4 do assert.equal("cancelled", errors[i].kind) end
  end)

  it("lets a map that begins afterwards send nothing", function()
    serve("stall", "ok")
    local errors
    local task = begin(function()
      sign.sessions:get(ID)
      errors = select(2, sign:map({ 1, 2, 3 }, function()
        return sign:request("POST", "/x", { json = {} })
      end))
    end)
    task:cancel()
    sign:run()
    for i = 1, 3 do assert.equal("cancelled", errors[i].kind) end
    assert.equal(nil, assert(sign:request("GET", "/count")).POST)
  end)

  it("reaches a call whose reader pauses or calls at that time", function()
    local ways = { function() sign.sleep(60) end,
                   function() sign.sessions:get(ID) end }
    for _, pause in ipairs(ways) do
      serve "stall"
      local pieces = { "abc", "def" }
      local task = begin(function()
        return sign.documents:upload { type = "text/plain", size = 6,
          reader = function()
            if #pieces == 2 then pause() end
            return table.remove(pieces)
          end }
      end)
      assert.is_true(task:cancel())
      local _, err = task:wait()
      assert.equal("cancelled", err.kind)
      sign:close()
      process:kill()
    end
    serve "ok"
  end)

  it("leaves nothing of a pause behind", function()
    serve "ok"
    local list = {}
    for i = 1, 100 do
      list[i] = sign:async(function() sign.sleep(1e5) end)
    end
    sign:step()
    for i = 1, 100 do list[i]:cancel() end
    assert.equal(0, sign:step())
    assert.equal(0, sign.transport.loop.sleepers.count)
    assert.equal(nil, sign:timeout())
  end)

  it("ends nothing but its own", function()
    serve("ok", "stall")
    local other = begin(function()
      return sign.sessions:wait(ID, { timeout = 0, first_delay = 1e5,
        max_delay = 1e5 })
    end, function() return sign.transport.loop.sleepers.count == 1 end)
    local task = begin(function() return sign.sessions:get(ID) end)
    assert.is_true(task:cancel())
    sign:step()
    assert.is_true(task:done())
    assert.is_false(other:done())
    other:cancel()
    sign:run()
  end)

  it("comes with closing the client", function()
    serve "stall"
    local task = begin(function() return sign.sessions:get(ID) end)
    local waiter = begin(function() return task:wait() end)
    sign:close()
    for _, each in ipairs { task, waiter } do
      assert.is_true(each:done())
      local value, err = each:wait()
      assert.same({ nil, "cancelled" }, { value, err.kind })
    end
  end)

  it("comes with closing the client, which tells of creates that were sent",
    function()
      serve "ok"
      sign:close()
      local service = assert(sandbox.start())
      finally(function() service:stop() end)
      assert(service:faults { { operation = "uploadDocument",
        fault = "stall" } })
      sign = assert(service:client())
      local create = begin(function()
        sign.documents:upload { content = "x", type = "text/plain" }
        error "this is never reached"
      end, function()
        local seen = service:journal { operation = "uploadDocument" }[1]
        return seen and seen.status ~= signicat.null
      end)
      local waiter = begin(function() return create:wait() end)
      local idle = begin(function() sign.sleep(1e5) end)
      sign:close()
      for task, ambiguous in pairs { [create] = true, [idle] = false,
        [waiter] = false } do
        local _, err = task:wait()
        assert.same({ "cancelled", ambiguous, ambiguous },
          { err.kind, err.sent, err.ambiguous })
        assert.matches("the client was closed", err.message)
      end
    end)

  it("removes the part of a file when the client is closed", function()
    serve "document_stall"
    local folder, remove = helper.folder()
    local task = begin(function()
      return sign.documents:download(ID, { to = folder .. "/a" })
    end, function() return #helper.names_in(folder) == 1 end)
    assert.equal(1, #helper.names_in(folder))
    sign:close()
    local left = helper.names_in(folder)
    remove()
    assert.same({}, left)
    assert.equal("cancelled", select(2, task:wait()).kind)
  end)

  it("that closes the client leaves the main program its pause", function()
    serve "ok"
    sign:async(function() sign:close() end)
    local turns, turn = 0, sign.transport.loop.turn
    sign.transport.loop.turn = function(...)
      turns = turns + 1
      return turn(...)
    end
    local began = core.now()
    sign.sleep(0.2)
    assert.is_true(core.now() - began >= 0.2)
    assert.is_true(turns < 10, turns)
  end)

  it("is done to what a raising function left under way", function()
    serve("stall", "ok")
    local task = sign:async(function()
      return sign.documents:upload { type = "text/plain", size = 9,
        reader = function() error("torn", 0) end }
    end)
    assert.has_error(function() task:wait() end, "torn")
    assert.equal(0, sign.transport.loop.multi:running())
  end)
end)
