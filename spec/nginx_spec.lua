-- nginx_spec.lua: a client inside a real nginx: in which phase it does what,
-- whom it trusts, and that nobody waits for it. LuaJIT's alone, as the Lua of
-- nginx is.

if not rawget(_G, "jit") then return end

local core = require "signicat.core"
local helper = require "spec.helper"
local nginx = require "spec.support.nginx"
local openresty = require "spec.support.openresty"
local sandbox = require "signicat.sandbox"
local socket = require "socket"

local EAGER = os.getenv "SIGNICAT_EAGER" or "build/jit/spec/eager.so"

local HELPERS = [[
  lua_shared_dict said 64k;
  lua_socket_log_errors off;
  init_by_lua_block {
    local signicat = require "signicat"
    function client(more)
      local all = { base_url = "URL/sign", client_id = "ID",
        client_secret = "SECRET", retries = 0 }
      for name, value in pairs(more or {}) do all[name] = value end
      if all.token then all.client_id, all.client_secret = nil, nil end
      return assert(signicat.new(all))
    end
    -- What a call comes to: "ok", or the error's kind and line.
    function try(sign)
      local page, err = sign.sessions:list({ limit = 1 })
      if page then return "ok" end
      return tostring(err)
    end
    function note(phase) ngx.shared.said:set(phase, try(shared)) end
    shared = client()
    INIT
  }
]]

local folder, remove, service, server

local function start(http, values, more)
  server = openresty.start(folder, ((HELPERS .. http):gsub("%u%u+",
    function(word)
      if values and values[word] then return values[word] end
      return ({ URL = service.url, ID = service.client_id,
                SECRET = service.client_secret, INIT = "",
                EVAL = openresty.EVAL })[word]
    end)), more)
end

local function eval(code)
  return openresty.eval(server.port, code)
end

local function stop()
  if server then server:stop() end
  if service then service:stop() end
  remove()
  server, service = nil, nil
end

describe("a client in nginx", function()
  before_each(function()
    folder, remove = nginx.folder()
    service = assert(sandbox.start())
  end)

  after_each(stop)

  it("calls from every phase that can wait, with nginx's sockets", function()
    start [[ server { listen 127.0.0.1:PORT; EVAL
      location = /rewrite {
        rewrite_by_lua_block { ngx.print(try(shared)) ngx.exit(200) }
      }
      location = /access {
        access_by_lua_block { ngx.print(try(shared)) ngx.exit(200) }
      }
      location = /content { content_by_lua_block { ngx.print(try(shared)) } }
      location = /timer {
        content_by_lua_block {
          local done = require "ngx.semaphore".new()
          local said
          ngx.timer.at(0, function() said = try(shared) done:post() end)
          done:wait(20)
          ngx.print(said)
        }
      }
      location = /thread {
        content_by_lua_block {
          local _, said = ngx.thread.wait(ngx.thread.spawn(try, shared))
          ngx.print(said)
        }
      }
    } ]]
    for _, phase in ipairs { "rewrite", "access", "content", "timer",
                             "thread" } do
      local _, said = openresty.get(server.port, "/" .. phase)
      assert.equal("ok", said, phase)
    end
    assert.equal("nil", eval "return shared.transport.curl")
    local _, meta = nil, eval [[
      local _, meta = shared.sessions:list({ limit = 1 })
      return meta.reused]]
    assert.equal("true", meta)
  end)

  it("says in the others what to do", function()
    nginx.certificates(folder)
    start([[
      init_worker_by_lua_block { note "init_worker" }
      server { listen 127.0.0.1:PORT; EVAL
      location = /filtered {
        content_by_lua_block { ngx.print("x") }
        header_filter_by_lua_block { note "header_filter" }
        body_filter_by_lua_block { note "body_filter" }
        log_by_lua_block { note "log" }
      }
      location = /set {
        set_by_lua_block $x { note "set" return "x" }
        return 200;
      }
    }
    server { listen unix:SOCK ssl;
      ssl_certificate server.pem;
      ssl_certificate_key server.key;
      ssl_client_hello_by_lua_block { note "ssl_client_hello" }
      ssl_certificate_by_lua_block { note "ssl_cert" }
    } ]], { SOCK = folder .. "/socket" })
    openresty.get(server.port, "/filtered")
    openresty.get(server.port, "/set")
    nginx.run("curl -sk --unix-socket " .. folder
      .. "/socket https://localhost/ -o /dev/null; true")
    for _, phase in ipairs { "init_worker", "set", "header_filter",
                             "body_filter", "log", "ssl_client_hello",
                             "ssl_cert" } do
      local said
      for _ = 1, 200 do
        said = eval("return ngx.shared.said:get('" .. phase .. "')")
        if said ~= "nil" then break end
        core.sleep(0.01)
      end
      assert.matches("unsupported", said, nil, true)
      assert.matches("phase " .. phase .. ";", said, nil, true)
      assert.matches("ngx.timer.at", said, nil, true)
    end
    assert.same({}, (assert(service:journal())))
  end)

  it("says so where C called, whether or not it has a connection", function()
    start [[ server { listen 127.0.0.1:PORT; EVAL } ]]
    local first, second, third = eval [[
      local function from_c()
        local said
        string.gsub("x", "x", function() said = try(shared) end)
        return said
      end
      local cold = from_c()
      return cold .. "\n" .. try(shared) .. "\n" .. from_c()]]
      :match "^(.-)\n(.-)\n(.*)$"
    assert.matches("unsupported: nothing can be waited for in a function that "
      .. "C calls", first, nil, true)
    assert.equal("ok", second)
    assert.equal(first, third)
    assert.equal("ok", eval "return try(shared)")
  end)

  it("stops no worker for a token that somebody fetches meanwhile", function()
    start([[ lua_shared_dict tokens 64k;
      server { listen 127.0.0.1:PORT; EVAL
      location = /filtered {
        content_by_lua_block { ngx.print("x") }
        header_filter_by_lua_block { note "header_filter" }
      }
    } ]], { INIT = [[ shared = client { token_store =
      require "signicat.token_store.nginx".new(ngx.shared.tokens) } ]] })
    assert(service:faults { { operation = "token", fault = "slow",
                              milliseconds = 2000 } })
    local fetching = openresty.ask(server.port, "/eval?code=return+try(shared)")
    local seen = false
    for _ = 1, 200 do
      seen = #assert(service:journal { operation = "token" }) > 0
      if seen then break end
      core.sleep(0.01)
    end
    assert.is_true(seen)
    openresty.get(server.port, "/filtered")
    assert.matches("phase header_filter;",
      eval "return ngx.shared.said:get('header_filter')", nil, true)
    assert.same({}, (socket.select({ fetching }, nil, 0)))
    assert.equal("ok", select(2, openresty.hear(fetching)))
    assert.equal(1, #assert(service:journal { operation = "token" }))
  end)

  it("opens no more where each request makes one", function()
    start [[ server { listen 127.0.0.1:PORT; EVAL } ]]
    assert.equal("0 more, 20 ok", eval [[
      local lfs = require "lfs"
      local function descriptors()
        local count = 0
        for _ in lfs.dir "/proc/self/fd" do count = count + 1 end
        return count
      end
      collectgarbage "stop"
      try(client())
      local before, good = descriptors(), 0
      for _ = 1, 20 do
        if try(client()) == "ok" then good = good + 1 end
      end
      local more = descriptors() - before
      collectgarbage "restart"
      return more .. " more, " .. good .. " ok"]])
  end)

  it("fetches its token where there are as many timers as may be", function()
    start [[ lua_max_running_timers 20; lua_max_pending_timers 40;
      server { listen 127.0.0.1:PORT; EVAL } ]]
    assert.equal("20 ok", eval [[
      local over, good = require "ngx.semaphore".new(), 0
      for _ = 1, 20 do
        assert(ngx.timer.at(0, function()
          if try(shared) == "ok" then good = good + 1 end
          over:post()
        end))
      end
      for _ = 1, 20 do over:wait(20) end
      return good .. " ok"]])
  end)

  it("takes libcurl while nginx starts, and on a thread of its pool",
    function()
      start([[ server { listen 127.0.0.1:PORT; EVAL
        location = /thread {
          content_by_lua_block {
            local ok, said = ngx.run_worker_thread("pool",
              "spec.support.in_thread", "try", "URL/sign", "ID", "SECRET")
            ngx.print(tostring(said))
          }
        }
      } ]], { INIT = "said_in_init = try(shared)" },
        { main = "thread_pool pool threads=1;" })
      assert.equal("ok", eval "return said_in_init")
      local _, said = openresty.get(server.port, "/thread")
      assert.equal("ok", said)
      assert.equal("ok", eval "return try(shared)")
    end)

  it("refuses libcurl where it would stop a worker, unless it is forced",
    function()
      start [[ server { listen 127.0.0.1:PORT; EVAL } ]]
      local said = eval "return try(client { transport = 'curl' })"
      assert.matches("would stop this nginx worker", said, nil, true)
      assert.matches("block_nginx", said, nil, true)
      assert.same({}, (assert(service:journal())))
      assert.equal("ok",
        eval "return try(client { transport = 'curl', block_nginx = true })")
    end)

  it("refuses at new what its sockets do not do", function()
    start [[ server { listen 127.0.0.1:PORT; EVAL } ]]
    for code, words in pairs {
      ["tls = { ca_file = '/x' }"] = "lua_ssl_trusted_certificate",
      ["proxy = 'http://p:1'"] = "there is no `proxy`",
      ["http_version = '2'"] = '`http_version` is "1.1"',
    } do
      assert.matches(words, eval("return client { " .. code .. " }"), nil, true)
      assert.matches(words, eval("return client { transport = 'nginx', "
        .. code .. " }"), nil, true)
    end
    assert.matches("nginx's phase", eval [[
      return client { transport = "nginx" } and "nginx's phase"]])
  end)

  it("runs with the lines of docs/hosts.md", function()
    local lines = helper.read "docs/hosts.md"
      :match "\n    http {\n(.-)\n    }\n"
    for _, name in ipairs { "lua_package_path", "lua_package_cpath",
                            "resolver", "lua_ssl_trusted_certificate" } do
      local count
      lines, count = lines:gsub(name .. " [^\n]*", "")
      assert.equal(1, count)
    end
    lines = lines:gsub('client_id = "...", client_secret = "..."',
      ('base_url = "%s/sign", client_id = "%s", client_secret = "%s"'):format(
        service.url, service.client_id, service.client_secret))
      :gsub("listen 80;", "listen 127.0.0.1:PORT;")
    server = openresty.start(folder, lines, { workers = 2 })
    for _ = 1, 10 do
      local _, said = openresty.get(server.port, "/")
      assert.equal("0\n", said)
    end
    assert.equal(1, #assert(service:journal { operation = "token" }))
  end)

  it("makes nobody wait: 64 calls stand still and all others are answered",
    function()
      local upstream = assert(socket.bind("127.0.0.1", 0, 128))
      local _, port = upstream:getsockname()
      start([[ server { listen 127.0.0.1:PORT; EVAL
        location = /slow {
          content_by_lua_block {
            slow = slow or client { token = "t", timeout = 60,
              base_url = "http://127.0.0.1:]] .. port .. [[/sign" }
            ngx.print(try(slow))
          }
        }
        location = /fast { content_by_lua_block { ngx.print("fast") } }
      } ]])
      upstream:settimeout(30)
      local slow, held = {}, {}
      for i = 1, 64 do
        slow[i] = openresty.ask(server.port, "/slow")
        held[i] = assert(upstream:accept())
        held[i]:settimeout(30)
        assert.matches("^GET ", held[i]:receive "*l")
      end
      for _ = 1, 200 do
        local _, said = openresty.get(server.port, "/fast")
        assert.equal("fast", said)
      end
      assert.same({}, (socket.select(slow, nil, 0)))
      local page = '{"data":[],"count":0,"total":0,"offset":0,"limit":1}'
      for i = 1, 64 do
        held[i]:send(("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
          .. "Content-Length: %d\r\n\r\n%s"):format(#page, page))
        local _, said = openresty.hear(slow[i])
        assert.equal("ok", said)
        held[i]:close()
      end
      upstream:close()
    end)
end)

describe("over TLS a client in nginx", function()
  before_each(function()
    folder, remove = nginx.folder()
  end)

  after_each(stop)

  local function reach(kind, preload)
    service = assert(sandbox.start { tls = kind })
    start([[ lua_ssl_trusted_certificate CA; lua_ssl_verify_depth 3;
      server { listen 127.0.0.1:PORT; EVAL } ]], { CA = service.ca_file,
      URL = service.url:gsub("127%.0%.0%.1", "localhost") },
      { preload = preload })
  end

  it("reaches whom nginx trusts", function()
    reach "good"
    assert.equal("ok", eval "return try(shared)")
    assert.equal("true", eval [[
      local _, meta = shared.sessions:list({ limit = 1 })
      return meta.reused]])
  end)

  for _, kind in ipairs { "wrong-name", "expired", "untrusted" } do
    it("sends nothing to one whose certificate is " .. kind, function()
      reach(kind)
      assert.matches("token: tls", eval "return try(shared)")
      assert.equal("tls false", eval [[
        local _, err = client { token = "t" }.sessions:list()
        return err.phase .. " " .. tostring(err.sent)]])
      assert.same({}, (assert(service:journal())))
      -- Nor over a connection that somebody else made who trusts anybody.
      assert.equal("ok",
        eval "return try(client { tls = { insecure = true } })")
      assert.matches("token: tls", eval "return try(shared)")
    end)
  end

  -- Which happens by itself where the worker is kept from running meanwhile.
  describe("when all of a handshake has come before it looks", function()
    it("reaches whom nginx trusts", function()
      reach("good", EAGER)
      assert.equal("ok", eval "return try(shared)")
    end)

    for _, kind in ipairs { "wrong-name", "expired", "untrusted" } do
      it("sends nothing to one whose certificate is " .. kind, function()
        reach(kind, EAGER)
        assert.matches("token: tls", eval "return try(shared)")
        assert.equal("tls false", eval [[
          local _, err = client { token = "t" }.sessions:list()
          return err.phase .. " " .. tostring(err.sent)]])
        assert.same({}, (assert(service:journal())))
      end)
    end
  end)

  it("keeps no connection with more on it than an answer", function()
    nginx.certificates(folder)
    local other = nginx.free_port()
    server = openresty.start(folder, ((HELPERS .. [[
      lua_ssl_trusted_certificate FOLDER/ca.pem;
      lua_socket_buffer_size SIZE;
      server { listen 127.0.0.1:PORT; EVAL }
      server { listen 127.0.0.1:OTHER ssl;
        ssl_certificate FOLDER/server.pem;
        ssl_certificate_key FOLDER/server.key;
        location / { content_by_lua_block {
          local size = tonumber(ngx.var.uri:match "%d+")
          local socket = ngx.req.socket(true)
          local head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            .. "Content-Length: %d\r\n\r\n"
          local length = size - #head - 2 -- which has four digits, not %d
          local excess = '"of nobody"'
          repeat
            socket:send(head:format(length) .. '"mine"' .. (" "):rep(length - 6)
              .. head:format(#excess) .. excess)
            repeat
              local line = socket:receive()
            until not line or line == ""
          until not line
        } }
      }
    ]]):gsub("%u%u+", { FOLDER = folder, OTHER = tostring(other), INIT = "",
      EVAL = openresty.EVAL, SIZE = "4k", URL = "https://localhost:" .. other,
      ID = "i", SECRET = "s" })))
    for _, size in ipairs { 2000, 4096, 8192 } do
      assert.equal("mine mine mine", eval(([[
        local sign, said = client { token = "t" }, {}
        for i = 1, 3 do said[i] = sign:request("GET", "/%d") end
        return table.concat(said, " ")]]):format(size)))
    end
  end)

  it("shows its certificate, as paths or as text, and names no pool by it",
    function()
      service = assert(sandbox.start())
      nginx.certificates(folder)
      local config = [[
        lua_ssl_trusted_certificate FOLDER/ca.pem;
        server { listen 127.0.0.1:PORT; EVAL }
        server {
          listen 127.0.0.1:OTHER ssl;
          ssl_certificate FOLDER/server.pem;
          ssl_certificate_key FOLDER/server.key;
          ssl_client_certificate FOLDER/ca.pem;
          ssl_verify_client on;
          location / { proxy_pass URL; }
        }
      ]]
      local other = nginx.free_port()
      start(config, { FOLDER = folder, OTHER = tostring(other) })
      local base = ("base_url = 'https://localhost:%d/sign', "):format(other)
      assert.matches("400", eval("return try(client { " .. base .. " })"))
      local paths = ("tls = { cert = '%s/client.pem', key = '%s/client.key' }")
        :format(folder, folder)
      assert.equal("ok", eval("return try(client { " .. base .. paths .. " })"))
      assert.equal("ok", eval(([[
        local function text(name)
          return io.open("%s/" .. name):read("*a")
        end
        one = client { %s tls = { cert = text "client.pem",
                                  key = text "client.key" } }
        return try(one)]]):format(folder, base)))
      assert.matches("^%x+$", eval [[
        local names = ""
        for _, name in pairs(one.transport.nginx.pools) do
          names = names .. name
        end
        return names]])
      assert.matches("certificate or key cannot be used", eval("return "
        .. "try(client { " .. base .. "tls = { cert = '/nowhere' } })"))
    end)
end)

describe("with names a client in nginx", function()
  local dns

  before_each(function()
    folder, remove = nginx.folder()
    service = assert(sandbox.start())
    dns = assert(core.spawn(helper.lua, { "spec/support/dns.lua" }))
  end)

  after_each(function()
    dns:stop()
    stop()
  end)

  -- Starts one with such a `resolver` line, and in front of the sandbox a
  -- server of two names; returns where that one listens, with TLS.
  local function start_with(line)
    nginx.certificates(folder)
    local port = nginx.free_port()
    start(line .. [[
      lua_ssl_trusted_certificate FOLDER/ca.pem;
      server { listen 127.0.0.1:PORT; EVAL }
      server {
        listen 127.0.0.1:OTHER ssl; # for who names neither
        ssl_reject_handshake on;
      }
      server {
        listen 127.0.0.1:OTHER ssl;
        server_name sign.test other.test;
        ssl_certificate FOLDER/server.pem;
        ssl_certificate_key FOLDER/server.key;
        location / { proxy_pass URL; }
      }
    ]], { FOLDER = folder, OTHER = tostring(port) })
    return port
  end

  local function start_resolving()
    return start_with(("resolver 127.0.0.1:%d;\n"):format(dns:read_line(10)))
  end

  -- What a call to this address comes to: its kind, phase and line.
  local function reach(base_url, more)
    return eval(([[
      local page, err = client { token = "t", base_url = %q, %s }
        .sessions:list({ limit = 1 })
      if page then return "ok" end
      return err.kind .. " " .. tostring(err.phase) .. " "
        .. tostring(err.sent) .. " " .. tostring(err)
    ]]):format(base_url, more or ""))
  end

  it("finds whom its resolver knows, over TLS by that name", function()
    local port = start_resolving()
    assert.equal("ok", eval(([[
      named = client { base_url = "https://sign.test:%d/sign" }
      return try(named)]]):format(port)))
    assert.equal("sign.test", dns:read_line(10))
    assert.equal("true", eval [[
      local _, meta = named.sessions:list({ limit = 1 })
      return meta.reused]])
    assert.equal(2, #assert(service:journal { operation =
      "listSigningSessions" }))
  end)

  it("trusts no certificate of another name", function()
    local port = start_resolving()
    assert.matches("^tls tls false ", reach(
      ("https://other.test:%d/sign"):format(port)))
    assert.same({}, (assert(service:journal())))
  end)

  it("says that its resolver does not know a name, or fails", function()
    start_resolving()
    local said = reach "https://unknown.test/sign"
    assert.matches("^connect dns false ", said)
    assert.matches("unknown.test could not be resolved", said, nil, true)
    assert.matches("/etc/hosts", said, nil, true)
    said = reach "https://failing.test/sign"
    assert.matches("^connect dns false ", said)
    assert.matches("could not look the name up", said, nil, true)
  end)

  it("waits for a silent resolver as long as for a connection", function()
    start_resolving()
    for _, limit in ipairs { "connect_timeout = 0.2", "timeout = 0.2" } do
      -- Its time may be over before it asks, where nginx is stopped for that.
      local said
      for _ = 1, 20 do
        said = reach("https://slow.test/sign", limit)
        if said:find " dns " then break end
      end
      assert.matches("^timeout dns false ", said)
      assert.matches("`resolver` did not answer (no answer within", said, nil,
        true)
    end
  end)

  it("can be cancelled meanwhile, by anybody, and closed", function()
    start_resolving()
    for _, ending in ipairs { "task:cancel()", "sign:close()" } do
      assert.equal("cancelled false true", eval(([[
        local sign = client { token = "t", base_url = "https://slow.test/sign",
                              connect_timeout = 0 }
        local err, over
        local task = sign:async(function()
          local _, failure = sign.sessions:list({ limit = 1 })
          err = failure
        end)
        local ender = sign:async(function() %s end)
        ender:wait()
        task:wait()
        return err.kind .. " " .. tostring(err.sent) .. " "
          .. tostring(task:done())]]):format(ending)))
    end
  end)

  it("says so when nginx gives up on it first", function()
    start_with(("resolver 127.0.0.1:%d;\nresolver_timeout 200ms;\n"):format(
      dns:read_line(10)))
    local said = reach "https://slow.test/sign"
    assert.matches("^timeout dns false ", said)
    assert.matches("resolver_timeout", said, nil, true)
    assert.matches("timed out", said, nil, true)
  end)

  it("is told to name a resolver when there is none", function()
    start_with ""
    local said = reach "https://sign.test/sign"
    assert.matches("^unsupported dns false ", said)
    assert.matches("add a line `resolver ADDRESS;`", said, nil, true)
    -- The one name that needs none.
    assert.equal("ok", eval(([[
      return try(client { base_url = %q })]]):format(
      service.url:gsub("127%.0%.0%.1", "localhost") .. "/sign")))
  end)
end)
