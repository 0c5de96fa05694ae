-- forking_spec.lua: what a client leaves alone in its host: the signals, the
-- locale, the output, and after a fork its parent's connections. The host is
-- spec/forking/forking_host.c.

local helper = require "spec.helper"
local lfs = require "lfs"
local nginx = require "spec.support.nginx"
local openresty = require "spec.support.openresty"

local host = os.getenv "SIGNICAT_FORKING_HOST"
  or "build/5.4/spec/forking_host"

local PRELUDE = [[
local url, ca_file, http_version = ...
local signicat = require "signicat"
local sign = assert(signicat.new { base_url = url, token = "t", retries = 0,
  tls = ca_file ~= "" and { ca_file = ca_file } or nil,
  http_version = http_version })
local ID = "f05d0dce-a7af-432b-b6b8-e455ab7c0858"
local function get() return sign.sessions:get(ID) end
local function reused() return select(2, assert(get())).reused end
-- Runs a function in a child; its end is that of the script.
local function child(act)
  io.stdout:flush()
  local pid = fork()
  if pid > 0 then return pid end
  local ok, raised = pcall(act)
  if not ok then print(raised) end
  leave(ok and 0 or 1)
end
]]

describe("a host", function()
  local folder, remove, server

  before_each(function() folder, remove = nginx.folder() end)
  after_each(function()
    if server then server:kill() end
    server = nil
    remove()
  end)

  -- A server that misbehaves so; its address.
  local function serve(...)
    local url
    server, url = helper.serve(...)
    return url
  end

  -- Its output, and how it ended.
  local function run(code, url, ...)
    local path = helper.write(folder .. "/script.lua", PRELUDE .. code)
    local pipe = assert(io.popen(("LUA_PATH='%s' LUA_CPATH='%s' timeout 60 "
      .. "'%s' %s %s '%s' %s 2>&1; echo $?"):format(package.path,
        package.cpath, host, path, url, (...) or "", select(2, ...) or "")))
    local output, code_of = pipe:read "*a":match "^(.*)(%d+)\n$"
    pipe:close()
    return output, code_of
  end

  local function assert_run(wanted, code, ...)
    local output, exit = run(code, ...)
    assert.same({ wanted, "0" }, { output, exit })
  end

  describe("that makes calls", function()
    it("keeps its signals, its locale and its output", function()
      assert_run("", [[
        local before = state()
        for _ = 1, 20 do get() end
        for _ = 1, 20 do sign:async(get) end
        sign:run()
        sign:close()
        assert(before == state(), before .. "\n" .. state())
      ]], serve("ok", "close", "nonsense", "cut", "ok"))
    end)

    -- A call whose connection breaks as it is written to.
    local broken = [[
      local before = state()
      break_connections()
      local _, err = get()
      assert(err.kind == "connect", tostring(err))
      assert(before == state(), before .. "\n" .. state())
    ]]

    it("lives on when a connection breaks that is written to", function()
      assert_run("", broken, serve "ok")
    end)

    it("keeps a SIGPIPE that waited before", function()
      assert_run("", "pend() local first = state() assert(get())" .. broken
        .. "assert(first == state())", serve "ok")
    end)
  end)

  describe("that forks", function()
    -- Each way for a child to part from a client that it inherited.
    local ways = {
      ["calls with it"] = "assert(reused() == false) assert(reused())",
      ["closes it"] = "sign:close()",
      ["leaves it to the collector"] = "sign = nil collectgarbage() "
        .. "collectgarbage()",
      ["does nothing with it"] = "",
    }
    local code = [[
      assert(reused() == false)
      assert(wait(child(function() %s end)) == 0)
      assert(reused(), "another connection")
    ]]

    for way, act in pairs(ways) do
      it("keeps its connection when the child " .. way, function()
        assert_run("", code:format(act), serve "ok")
      end)
    end

    for _, version in ipairs { "1.1", "2" } do
      it("keeps its connection over TLS and HTTP/" .. version, function()
        nginx.certificates(folder)
        local front = nginx.start(folder, [[
          log_format serial '$connection';
          server {
            listen 127.0.0.1:PORT ssl http2;
            access_log serials serial;
            ssl_certificate server.pem;
            ssl_certificate_key server.key;
            default_type application/json;
            location / {
              return 200 '{"id":"f05d0dce-a7af-432b-b6b8-e455ab7c0858"}';
            }
          }
        ]])
        for _, act in pairs(ways) do
          assert_run("", code:format(act),
            "https://127.0.0.1:" .. front.port, folder .. "/ca.pem", version)
        end
        front:stop()
        -- Four hosts and one child that called.
        local serials, count = {}, 0
        for serial in io.lines(folder .. "/serials") do
          count = count + (serials[serial] and 0 or 1)
          serials[serial] = true
        end
        assert.equal(5, count)
      end)
    end

    it("goes on with its tasks; the child's copies end", function()
      assert_run("cancelled\ntrue\n3\n", [[
        local answers = 0
        local function count() if get() then answers = answers + 1 end end
        local task = sign:async(count)
        local waiting = sign:async(function() task:wait() count() end)
        repeat sign:step(0) until sign.transport.loop.multi:running() > 0
        local pid = child(function()
          local _, err = task:wait()
          print(err.kind)
          assert(sign:step(0) == 0 and waiting:done() and answers == 0)
          print(assert(reused() == false))
        end)
        sign:run()
        assert(wait(pid) == 0)
        assert(answers == 2)
        local counts = sign:request("GET", "/count")
        print(counts.GET)
      ]], serve("late", "ok"))
    end)

    -- A document is on its way to a file, or being put there.
    for stage, way in pairs {
      ["comes"] = { "(size() or 0) < 2^16", "halves" },
      ["is put on the disk"] = { "not next(loop.asides)", "large" },
    } do
      it("keeps the file that " .. stage .. "; the child has none", function()
        assert_run("cancelled\n", ([[
          local loop, lfs = sign.transport.loop, require "lfs"
          local folder = FOLDER
          local function size()
            for name in lfs.dir(folder) do
              if name:find "%.part$" then
                return lfs.attributes(folder .. "/" .. name, "size")
              end
            end
          end
          local task = sign:async(function()
            return sign.documents:download(ID, { to = folder .. "/document" })
          end)
          while WAITS do loop:turn(1) end
          local pid = child(function()
            local _, err = task:wait()
            print(err.kind)
            task = nil
            collectgarbage() collectgarbage()
            sign:close()
          end)
          assert(wait(pid) == 0)
          assert(sign:request("GET", "/count")) -- has the rest come
          assert(task:wait())
          assert(not size())
          assert(lfs.attributes(folder .. "/document", "size") == 2^20)
        ]]):gsub("WAITS", way[1]):gsub("FOLDER", ("%q"):format(folder)),
          serve(("%s:%d"):format(way[2], 2 ^ 20)))
      end)
    end

    -- What a task does after it forked, with `is_child`.
    for what, act in pairs {
      ["calls"] = "local is_old = reused() assert(not (is_child and is_old))",
      ["sleeps"] = "sign.sleep(0.01)",
      ["yields"] = "coroutine.yield()",
      ["starts a task and waits for it"] = "assert(sign:async(get):wait())",
      ["waits for one of its parent's"] = [[
        local session, err = late:wait()
        assert(is_child and err.kind == "cancelled" or session)
      ]],
    } do
      it("may do so in a task that " .. what .. "; it alone goes on in both",
        function()
          local output = run(([[
            local others, forked, late = 0, false, nil
            for _ = 1, 6 do
              sign:async(function()
                assert(get())
                if forked then
                  others = others + 1
                  return
                end
                forked = true
                io.stdout:flush()
                local pid = fork()
                local is_child = pid == 0
                if is_child then others = 0 end
                ACT
                if is_child then
                  print("the child went on", others)
                  leave(0)
                end
                assert(wait(pid) == 0)
              end)
            end
            late = sign:async(function()
              repeat sign.sleep(0.01) until forked
              return get()
            end)
            sign:run()
            print("the parent went on", others)
          ]]):gsub("ACT", (act:gsub("%%", "%%%%"))), serve "ok")
          assert.equal("the child went on\t0\nthe parent went on\t5\n", output)
        end)
    end

    it("may do so in a hook that hears of a task that raised", function()
      local output = run([[
        local is_child, pid, calls = false, nil, 0
        local hooked = sign:with { on_event = function(event)
          if event.operation ~= "async" then return end
          pid = fork()
          is_child, calls = pid == 0, 0
        end }
        for _ = 1, 6 do
          hooked:async(function()
            assert(get())
            if not pid then error "torn" end
            calls = calls + 1
          end)
        end
        repeat sign:step() until sign.transport.loop.multi:running() == 6
        sign:step() -- what was begun leaves
        local other = assert(signicat.new { base_url = url, token = "t" })
        repeat until other:request("GET", "/count").GET == 6 -- are answered
        pcall(sign.run, sign)
        if is_child then leave(calls) end
        print(wait(pid), calls)
      ]], serve("held:7", "ok"))
      assert.equal("0\t5\n", output)
    end)

    it("goes on with a call that the child only hears end", function()
      assert_run("cancelled\n", [[
        local pid
        local sent, size = 0, 2^20
        local document, err = sign.documents:upload { size = size,
          type = "text/plain", reader = function(wanted)
            if sent == size then return nil end
            if sent == 0 then pid = fork() end
            local piece = ("x"):rep(math.min(wanted, 65536, size - sent))
            sent = sent + #piece
            return piece
          end }
        if pid == 0 then print(err.kind) leave(0) end
        assert(wait(pid) == 0)
        assert(document, tostring(err))
        assert(sign:request("GET", "/count").POST == 1)
      ]], serve "stored")
    end)
  end)

  -- LuaJIT's alone, as the Lua of nginx is.
  if rawget(_G, "jit") then
    it("that is nginx may call as it starts, and in its workers", function()
      local front = openresty.start(folder, ([[
        init_by_lua_block {
          sign = assert(require "signicat".new { base_url = "SERVER",
            token = "t", transport = "curl", block_nginx = true })
          function reused()
            return tostring(select(2, assert(sign:request("GET", "/"))).reused)
          end
          first = reused() .. " " .. reused()
        }
        server {
          listen 127.0.0.1:PORT;
          location / {
            content_by_lua_block {
              ngx.say(first, " ", reused(), " ", reused())
            }
          }
        }
      ]]):gsub("SERVER", (serve "ok")), { workers = 1 })
      local _, page = openresty.get(front.port, "/")
      front:stop()
      assert.equal("false true false true\n", page)
    end)
  end
end)

describe("the module", function()
  local path
  for pattern in package.cpath:gmatch "[^;]+" do
    local name = pattern:gsub("%?", "signicat/core")
    path = path or lfs.attributes(name) and name
  end

  it("shows no symbol but the one that Lua looks for", function()
    assert.equal("luaopen_signicat_core\n", nginx.run("nm -D --defined-only "
      .. path .. " | cut -d ' ' -f 3"))
  end)

  it("is linked with no Lua and cannot be unloaded", function()
    local text = nginx.run("readelf -d " .. path)
    assert.truthy(text:find("libcurl", 1, true))
    assert.falsy(text:find("liblua", 1, true))
    assert.truthy(text:find("NODELETE", 1, true))
  end)
end)
