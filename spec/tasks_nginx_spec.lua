-- tasks_nginx_spec.lua: tasks as light threads of a real nginx, and calls
-- that are ended from outside. LuaJIT's alone, as the Lua of nginx is.

if not rawget(_G, "jit") then return end

local helper = require "spec.helper"
local lfs = require "lfs"
local nginx = require "spec.support.nginx"
local openresty = require "spec.support.openresty"

local ID = "f05d0dce-a7af-432b-b6b8-e455ab7c0858"

local HTTP = [[
  lua_socket_log_errors off;
  init_by_lua_block {
    id = "SESSION"
    function client(port, more)
      local all = { token = "t", retries = 0,
        base_url = "http://127.0.0.1:" .. port .. "/sign" }
      for name, value in pairs(more or {}) do all[name] = value end
      if all.auth then all.token = nil end
      return assert(require "signicat".new(all))
    end
    -- What a call came to, in one word.
    function word(value, err)
      return value and "ok" or tostring(err and err.kind)
    end
    -- Waits until some call of a client has come so far: until its exchange
    -- has that, or more of it than 0.
    function until_some(sign, name)
      while true do
        for it in pairs(sign.transport.nginx.running) do
          if it[name] and it[name] ~= 0 then return end
        end
        ngx.sleep(0.001)
      end
    end
    local _
    _, async_in_init = pcall(function() return client(1):async(word) end)
  }
  server { listen 127.0.0.1:PORT; EVAL
    location = /slow { content_by_lua_block { ngx.sleep(0.2) ngx.print(1) } }
  }
]]

describe("a task in nginx", function()
  local folder, remove, server, process, port

  setup(function()
    folder, remove = nginx.folder()
    server = openresty.start(folder, (HTTP:gsub("%u%u+",
      { EVAL = openresty.EVAL, SESSION = ID })))
  end)

  teardown(function()
    server:stop()
    remove()
  end)

  after_each(function()
    if process then process:kill() end
    process = nil
  end)

  local function serve(...)
    local _
    process, _, port = helper.serve(...)
  end

  -- Runs code that has `sign`, `async` and `port`.
  local function eval(code)
    return openresty.eval(server.port, ([[
      local port = %s
      local sign = client(port)
      local function async(...) return sign:async(...) end
    ]]):format(port or 1) .. code)
  end

  it("gives what its function returned, to all who wait", function()
    assert.equal("1 nil 3 1 nil 3", eval [[
      local task = async(function(...) ngx.sleep(0.02) return ... end,
        1, nil, 3)
      local other = async(function() return task:wait() end)
      local a, b, c = task:wait()
      local d, e, f = other:wait()
      return ("%s %s %s %s %s %s"):format(a, tostring(b), c, d,
        tostring(e), f)]])
  end)

  it("is one of a map, which keeps the order", function()
    serve "ok"
    assert.equal("ok ok ok nil 0", eval [[
      local results, errors = sign:map({ id, id, id }, function(each)
        return sign.sessions:get(each)
      end, { limit = 2 })
      sign:run()
      return word(results[1]) .. " " .. word(results[2]) .. " "
        .. word(results[3]) .. " " .. tostring(errors) .. " " .. sign:step(1)]])
  end)

  it("does not begin where C called, nor does anything wait there", function()
    serve "ok"
    local where = "a function that C calls, such as one given to string.gsub "
      .. "or table.sort, or a file that `require` runs; call outside\n"
    assert.equal("0 "
      .. ("client:async: no light thread starts in " .. where):rep(2)
      .. ("attempt to yield across C-call boundary\n"):rep(2)
      .. "ok", eval [[
      local begun, told = 0, {}
      local function count() begun = begun + 1 end
      local task = async(ngx.sleep, 0.01)
      for i, act in ipairs {
        function() async(count) end,
        function() sign:map({ 1, 2 }, count) end,
        function() sign.sleep(0.01) end,
        function() task:wait() end,
      } do
        string.gsub("x", "x", function()
          told[i] = select(2, pcall(act)):gsub("^.-:%d+: ", "")
        end)
      end
      return begun .. " " .. table.concat(told, "\n") .. "\n"
        .. word(sign.sessions:get(id))]])
  end)

  it("hands on what its function raised", function()
    assert.equal("false mine true", eval [[
      local task = async(function() error("mine", 0) end)
      local ok, raised = pcall(task.wait, task)
      return tostring(ok) .. " " .. raised .. " " .. tostring(task:done())]])
  end)

  it("calls while others do", function()
    serve "late"
    assert.equal("ok ok true", eval [[
      local first = async(function() return sign.sessions:get(id) end)
      local second = async(function() return sign.sessions:get(id) end)
      local undone = not first:done() and not second:done()
      return word(first:wait()) .. " " .. word(second:wait()) .. " "
        .. tostring(undone)]])
  end)

  it("is cancelled in the middle of a call, which returns", function()
    serve "stall"
    assert.equal("cancelled true cancelled", eval [[
      local inner
      local task = async(function()
        local value, err = sign.sessions:get(id, { timeout = 60 })
        inner = word(value, err)
        return value, err
      end)
      until_some(sign, "handed_over")
      task:cancel()
      local said = word(task:wait())
      task:cancel()
      return said .. " " .. tostring(task:done()) .. " " .. inner]])
  end)

  it("is cancelled anywhere else, by who started it", function()
    assert.equal("cancelled true", eval [[
      local task = async(function() ngx.sleep(60) end)
      task:cancel()
      return word(task:wait()) .. " " .. tostring(task:done())]])
    assert.equal("true false cancelled", eval [[
      local go = require "ngx.semaphore".new()
      local task = async(function()
        go:wait(20)
        return sign.sessions:get(id)
      end)
      local first, again
      async(function() first, again = task:cancel(), task:cancel() end):wait()
      go:post()
      return ("%s %s %s"):format(tostring(first), tostring(again),
        word(task:wait()))]])
  end)

  it("says whether it was cancelled by that", function()
    assert.equal("true false false", eval [[
      local task = async(function() sign.sleep(60) end)
      local done = async(function() end)
      return ("%s %s %s"):format(tostring(task:cancel()),
        tostring(task:cancel()), tostring(done:cancel()))]])
  end)

  it("makes no call after one that was cancelled", function()
    serve("stall", "ok")
    assert.equal("cancelled cancelled cancelled", eval [[
      local said = {}
      local task = async(function()
        for i = 1, 2 do said[i] = word(sign.sessions:get(id)) end
        local page, err = sign:with{}.sessions:list()
        said[3] = word(page, err)
      end)
      until_some(sign, "handed_over")
      task:cancel()
      task:wait()
      return table.concat(said, " ")]])
    assert.equal("1", eval "return sign:request('GET', '/count').GET")
  end)

  it("pauses for as long as a number can say", function()
    assert.equal("false", eval [[
      local tasks = {}
      for i, long in ipairs { 5e6, 1e12, math.huge } do
        tasks[i] = async(sign.sleep, long)
      end
      for _, short in ipairs { 0, -1, 0/0, -math.huge } do sign.sleep(short) end
      ngx.sleep(0.05)
      local over = false
      for _, task in ipairs(tasks) do over = not task:cancel() or over end
      return tostring(over)]])
  end)

  it("ends a pause, and a wait for another task, which goes on", function()
    assert.equal("woke cancelled false cancelled", eval [[
      local said
      local sleeper = async(function()
        sign.sleep(60)
        said = "woke"
        return sign.sessions:get(id)
      end)
      local other = async(function() return sleeper:wait() end)
      other:cancel()
      local waited = word(other:wait())
      local ended = tostring(sleeper:done())
      sleeper:cancel()
      local value = word(sleeper:wait())
      return ("%s %s %s %s"):format(said, waited, ended, value)]])
  end)

  it("ends what it maps when it is cancelled", function()
    serve "stall"
    assert.equal("cancelled cancelled, 2 ended, 3 errors", eval [[
      local ended, mapped = {}, nil
      local task = async(function()
        local _, errors = sign:map({ id, id, id }, function(each)
          local value, err = sign.sessions:get(each)
          ended[#ended + 1] = word(value, err)
          return value, err
        end, { limit = 2 })
        mapped = #errors
        for i = 1, 3 do assert(errors[i].kind == "cancelled") end
      end)
      until_some(sign, "handed_over")
      async(function() task:cancel() end)
      task:wait()
      while #ended < 3 do ngx.sleep(0.001) end
      return ("%s, %d ended, %d errors"):format(table.concat(ended, " ", 1, 2),
        #ended - 1, mapped)]])
  end)

  it("ends its wait for a token that another one fetches", function()
    assert.equal("cancelled false", eval [[
      local mine = assert(require "signicat".new { retries = 0,
        base_url = "http://127.0.0.1:1/sign",
        auth = function() ngx.sleep(60) return "t" end })
      local first = async(function() return mine.sessions:get(id) end)
      local second = async(function() return mine.sessions:get(id) end)
      ngx.sleep(0.05)
      second:cancel()
      local said = word(second:wait())
      said = said .. " " .. tostring(first:done())
      first:cancel()
      return said]])
  end)

  it("waits for no token whose fetch raised", function()
    serve "ok"
    assert.equal("no vault ok", eval [[
      local raised
      local mine = assert(require "signicat".new { retries = 0,
        base_url = "http://127.0.0.1:" .. port .. "/sign",
        auth = function()
          if raised then return "t" end
          raised = true
          error("no vault", 0)
        end })
      local function get()
        return mine.sessions:get(id, { deadline = mine:now() + 30 })
      end
      local _, message = pcall(get)
      return message .. " " .. word(mine:async(get):wait())]])
  end)

  it("cannot wait for itself", function()
    assert.matches("a task cannot wait for itself", eval [[
      local task
      task = async(function()
        ngx.sleep(0)
        return select(2, pcall(task.wait, task))
      end)
      return task:wait()]])
  end)

  it("is for phases that can wait, and for no event loop", function()
    assert.matches("no light thread starts in nginx's phase init; start a "
      .. "function with ngx.timer.at", eval "return async_in_init")
    for _, name in ipairs { "descriptor", "timeout" } do
      assert.matches("client:" .. name .. " is for an event loop", eval(
        "return select(2, pcall(sign." .. name .. ", sign))"))
    end
  end)

  it("is what it was when it ended, also when it could not be cancelled",
    function()
      serve "late"
      assert.equal("1 nil ok nil", eval [[
        local capture = async(function()
          local answer = ngx.location.capture "/slow"
          return answer.body
        end)
        local own = async(function()
          return coroutine.wrap(function()
            return word(sign.sessions:get(id))
          end)()
        end)
        ngx.sleep(0.05)
        capture:cancel()
        own:cancel()
        local body, err = capture:wait()
        local said, why = own:wait()
        return ("%s %s %s %s"):format(body, tostring(err), said,
          tostring(why))]])
    end)

  it("is cancelled in a call of another client's", function()
    serve "stall"
    assert.equal("cancelled true cancelled true", eval [[
      local other = client(port)
      local function create()
        return other:request("POST", "/x", { json = { a = 1 } })
      end
      local first, second = async(create), async(create)
      ngx.sleep(0.1)
      first:cancel()
      async(function() second:cancel() end)
      local _, err = first:wait()
      local _, also = second:wait()
      return ("%s %s %s %s"):format(err.kind, tostring(err.ambiguous),
        also.kind, tostring(also.ambiguous))]])
  end)

  it("leaves nothing behind in a thread that lives on", function()
    assert.is_true(tonumber(eval [[
      local function grow()
        for _ = 1, 2000 do
          async(function() end)
          sign:map({ 1, 2 }, function() ngx.sleep(0) end)
        end
        collectgarbage()
        return collectgarbage "count"
      end
      return -grow() + grow()]]) < 200)
  end)

  it("has no say over whoever gets its coroutine after it", function()
    serve "ok"
    -- nginx's later versions give a light thread's coroutine to another.
    assert.equal("begun", eval [[
      local running = coroutine.running
      same = running()
      coroutine.running = function() return same end
      kept = async(ngx.sleep, 60)
      coroutine.running = running
      ngx.print "begun"
      ngx.exit(200)]])
    assert.equal("true ok", eval [[
      local running = coroutine.running
      local was_cancelled = kept:cancel()
      coroutine.running = function() return same end
      local said = word(sign.sessions:get(id))
      coroutine.running = running
      return tostring(was_cancelled) .. " " .. said]])
  end)

  it("leaves no part of a file when it is cancelled", function()
    serve "document_stall"
    lfs.mkdir(folder .. "/got")
    assert.equal("cancelled", eval(([[
      local task = async(function()
        return sign.documents:download(id, { to = "%s/got/a" })
      end)
      until_some(sign, "got")
      task:cancel()
      return word(task:wait())]]):format(folder)))
    assert.same({}, helper.names_in(folder .. "/got"))
  end)

  it("waits for a file to be on the disk, which a thread sees to", function()
    serve "large:100000"
    lfs.mkdir(folder .. "/disk")
    assert.equal("100000 true", eval(([[
      local slept, sleep = 0, ngx.sleep
      ngx.sleep = function(...) slept = slept + 1 return sleep(...) end
      local path = sign.documents:download(id, { to = "%s/disk/a" })
      ngx.sleep = sleep
      local file = io.open(path)
      local size = file:seek "end"
      file:close()
      return size .. " " .. tostring(slept > 0)]]):format(folder)))
  end)

  -- What its worker's memory peaks at, beyond what it did before, in KiB.
  local PEAK = [[
    local function peak()
      local file = io.open "/proc/self/status"
      local text = file:read "*a"
      file:close()
      return tonumber(text:match "VmHWM:%s+(%d+)")
    end
    collectgarbage()
    local before = peak()
  ]]

  it("takes no more of a document than its writer has taken", function()
    serve "large:100000000"
    local grown, size = eval(PEAK .. [[
      local size, pieces = 0, 0
      sign.documents:download(id, { to = function(bytes)
        size, pieces = size + #bytes, pieces + 1
        if pieces < 50 then ngx.sleep(0.01) end
        return true
      end })
      return peak() - before .. " " .. size]]):match "^(%d+) (%d+)$"
    assert.equal("100000000", size)
    assert.is_true(tonumber(grown) < 32 * 1024, grown)
  end)

  it("asks a reader for no more than it has sent", function()
    serve "stored"
    local grown, said = eval(PEAK .. [[
      local left = 1e8
      local said = word(sign.documents:upload { type = "text/plain",
        size = left, reader = function(most)
          if left == 0 then return nil end
          local piece = ("x"):rep(math.min(most, left))
          left = left - #piece
          return piece
        end })
      return peak() - before .. " " .. said]]):match "^(%d+) (%l+)$"
    assert.equal("ok", said)
    assert.is_true(tonumber(grown) < 32 * 1024, grown)
  end)

  it("gives way to others where its socket never makes it wait", function()
    serve("stored", "large:64000000")
    assert.equal("ok true ok true", eval [[
      local slept, sleep = 0, ngx.sleep
      ngx.sleep = function(...) slept = slept + 1 return sleep(...) end
      local sent = word(sign.documents:upload { content = ("x"):rep(6.4e7),
                                                type = "text/plain" })
      local first = slept
      local got = word(sign.documents:download(id,
        { to = function() return true end }))
      ngx.sleep = sleep
      return ("%s %s %s %s"):format(sent, tostring(first >= 60), got,
        tostring(slept - first >= 60))]])
  end)

  it("is ambiguous about a create that it left", function()
    serve "stall"
    assert.equal("cancelled true", eval [[
      local task = async(function()
        return sign:request("POST", "/x", { json = { a = 1 } })
      end)
      until_some(sign, "handed_over")
      task:cancel()
      local value, err = task:wait()
      return word(value, err) .. " " .. tostring(err.ambiguous)]])
  end)

  it("ends with its client in a pause, and while it waits for a token",
    function()
      serve("ok")
      assert.equal(("cancelled "):rep(4), eval [[
        local tasks = {}
        local function start(more, name, opts)
          local mine = client(port, more)
          local function act()
            return mine.sessions[name](mine.sessions, id, opts)
          end
          tasks[#tasks + 1] = mine:async(act)
          if more and more.auth then tasks[#tasks + 1] = mine:async(act) end
          return mine
        end
        local clients = {
          start({ base_url = "http://127.0.0.1:1/sign", retries = 1 }, "get",
            { should_retry = function() return 0.1 end }),
          start(nil, "wait", { first_delay = 0.1 }),
          start({ auth = function() ngx.sleep(0.1) return "t" end }, "get"),
        }
        ngx.sleep(0.05)
        for _, each in ipairs(clients) do each:close() end
        local said = ""
        for _, task in ipairs(tasks) do
          said = said .. word(task:wait()) .. " "
        end
        return said]])
    end)

  it("ends with its client while it waits, in whatever it does", function()
    serve("stall")
    assert.equal("cancelled", eval [[
      local task = async(function()
        return sign.sessions:get(id, { timeout = 60 })
      end)
      until_some(sign, "handed_over")
      sign:close()
      return word(task:wait())]])
    process:kill()
    serve("early_stall")
    assert.equal("cancelled", eval [[
      local task = async(function()
        return sign.documents:upload { content = ("x"):rep(5e7),
                                       type = "text/plain" }
      end)
      until_some(sign, "sent_any")
      sign:close()
      return word(task:wait())]])
  end)
end)
