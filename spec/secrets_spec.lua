-- secrets_spec.lua: where secrets go on the way, and that they go nowhere
-- else: redirects, proxies, other programs, files and memory. What is said
-- of them, errors, events and printing, is canary_spec.lua's.

local core = require "signicat.core"
local helper = require "spec.helper"
local nginx = require "spec.support.nginx"
local sandbox = require "signicat.sandbox"
local signicat = require "signicat"
local socket = require "socket"

local ID = helper.document
local TOKEN, SECRET = "CANARYbearer4f9a", "CANARYclient8d1c"
local PASSWORD = "CANARYproxy5b21"

local function spawn(...)
  local process = assert(core.spawn(helper.lua, { ... }))
  return process, assert(process:read_line(20))
end

-- -- redirects --------------------------------------------------------------

describe("a redirect to another port", function()
  local STATUSES = { 301, 302, 303, 307, 308 }
  local folder, remove, server, elsewhere

  before_each(function()
    elsewhere = assert(socket.bind("127.0.0.1", 0))
    folder, remove = nginx.folder()
    local there = ("http://127.0.0.1:%d/there"):format(
      (select(2, elsewhere:getsockname())))
    local locations = {}
    for i, status in ipairs(STATUSES) do
      locations[i] = ("location /%d/ { return %d %s; }"):format(status, status,
        there)
    end
    server = nginx.start(folder, "server { listen 127.0.0.1:PORT;\n"
      .. table.concat(locations, "\n") .. "}")
  end)
  after_each(function()
    server:stop()
    remove()
    elsewhere:close()
  end)

  for _, credential in ipairs { "token", "client_secret" } do
    it("is not followed with a " .. credential, function()
      for _, status in ipairs(STATUSES) do
        local base = ("http://127.0.0.1:%d/%d"):format(server.port, status)
        local given = { base_url = base .. "/sign", retries = 0 }
        if credential == "token" then
          given.token = TOKEN
        else
          given.client_id, given.client_secret = "id", SECRET
          given.token_url = base .. "/token"
        end
        local sign = assert(signicat.new(given))
        for _, call in ipairs {
          function() return sign.sessions:get(ID) end,
          function() return sign.documents:download(ID) end,
          function()
            return sign.documents:upload { content = "x", type = "text/plain" }
          end,
          function() return sign.documents:delete(ID) end,
        } do
          local value, err = call()
          assert.is_nil(value)
          assert.equal(status, err.status)
        end
        sign:close()
      end
      elsewhere:settimeout(0.05)
      assert.is_nil((elsewhere:accept()))
    end)
  end
end)

-- -- proxies ----------------------------------------------------------------

describe("a proxy with a password", function()
  local proxy, port, folder, remove, server
  local BASIC = core.base64("m:" .. PASSWORD)

  before_each(function()
    proxy, port = spawn("spec/support/proxy.lua", BASIC)
    folder, remove = nginx.folder()
    nginx.certificates(folder)
    server = nginx.start(folder, [[
      server {
        listen 127.0.0.1:PORT ssl;
        ssl_certificate server.pem;
        ssl_certificate_key server.key;
        default_type application/json;
        location / {
          return 200 '{"own":"$http_authorization",
            "proxy":"$http_proxy_authorization"}';
        }
      }
    ]])
  end)
  after_each(function()
    proxy:kill()
    server:stop()
    remove()
  end)

  local function client(base_url, tls)
    return assert(signicat.new { token = TOKEN, retries = 0, tls = tls,
      base_url = base_url, proxy = ("http://m:%s@127.0.0.1:%s"):format(
        PASSWORD, port) })
  end

  -- The head of a request as the proxy had it.
  local function head()
    local lines = {}
    repeat
      local line = assert(proxy:read_line(20))
      lines[#lines + 1] = line
    until line == ""
    return table.concat(lines, "\n")
  end

  it("sees its own of a tunnel, and the service the token", function()
    local sign = client(("https://127.0.0.1:%d/sign"):format(server.port),
      { ca_file = folder .. "/ca.pem" })
    local said = assert(sign:request("GET", "/x")):totable()
    sign:close()
    assert.same({ own = "Bearer " .. TOKEN, proxy = "" }, said)
    local seen = head()
    assert.matches("^CONNECT ", seen)
    assert.truthy(seen:find("Basic " .. BASIC, 1, true))
    assert.is_nil(seen:find(TOKEN, 1, true))
    assert.is_nil(seen:find("/sign", 1, true))
  end)

  it("is the only one to get it, whoever listens to the call", function()
    local events = {}
    local sign = client "http://127.0.0.1:1/sign"
    sign = sign:with { on_event = function(event)
      for _, value in pairs(event) do events[#events + 1] = tostring(value) end
    end }
    local value, err = sign.sessions:get(ID)
    assert.is_nil(value)
    for _, field in pairs(err) do events[#events + 1] = tostring(field) end
    local said = table.concat(events, "\n")
    assert.is_nil(said:find(PASSWORD, 1, true))
    assert.is_nil(said:find(BASIC, 1, true))
    assert.is_nil(said:find(TOKEN, 1, true))
    assert.truthy(head():find("Basic " .. BASIC, 1, true))
  end)
end)

-- -- other programs ---------------------------------------------------------

describe("who lists the processes of this machine", function()
  -- What anybody may read of a process, and what its user may.
  local function words_of(pid)
    local words = {}
    for _, name in ipairs { "cmdline", "environ" } do
      local file = io.open(("/proc/%s/%s"):format(pid, name), "rb")
      words[#words + 1] = file and file:read "*a" or ""
      if file then file:close() end
    end
    return table.concat(words, "\n")
  end

  -- This process and those that it started.
  local function family()
    local own = helper.read("/proc/self/stat"):match "^%d+"
    local list = { own }
    for _, name in ipairs(helper.names_in "/proc") do
      local file = name:find "^%d+$"
        and io.open("/proc/" .. name .. "/stat", "rb")
      local parent = file and file:read "*a":match "^%d+ %b() %S (%d+)"
      if file then file:close() end
      if parent == own then list[#list + 1] = name end
    end
    return list
  end

  it("sees no secret of a client or a sandbox", function()
    local service = assert(sandbox.start())
    local proxied = assert(signicat.new { token = TOKEN, retries = 0,
      base_url = "http://127.0.0.1:1/sign",
      proxy = "http://m:" .. PASSWORD .. "@127.0.0.1:1" })
    local sign = assert(service:client())
    finally(function()
      sign:close()
      proxied:close()
      service:stop()
    end)
    assert(sign.sessions:list())
    proxied.sessions:get(ID)
    local secrets = { service.client_secret, TOKEN, PASSWORD,
      (sign.token:get(sign, nil, {}):gsub("^Bearer ", "")) }
    local processes = family()
    assert.is_true(#processes >= 2)
    for _, pid in ipairs(processes) do
      local words = words_of(pid)
      for _, secret in ipairs(secrets) do
        assert.is_nil(words:find(secret, 1, true))
      end
    end
  end)
end)

-- -- files ------------------------------------------------------------------

describe("a program that calls", function()
  it("has written no file but those it was told to", function()
    local service = assert(sandbox.start())
    local folder, remove = helper.folder()
    finally(function()
      service:stop()
      remove()
    end)
    local said = helper.run(([[
      local signicat = require "signicat"
      local lfs = require "lfs"
      local sign = assert(signicat.new { base_url = %q, client_id = %q,
                                         client_secret = %q })
      local text = ("Words. "):rep(300000)
      local function names()
        local list = {}
        for name in lfs.dir(%q) do
          if name:sub(1, 1) ~= "." or #name > 2 then list[#list + 1] = name end
        end
        return table.concat(list, " ")
      end
      local function act()
        local left = text
        local document = assert(sign.documents:upload { size = #text,
          type = "text/plain", reader = function(most)
            local piece = left:sub(1, most)
            left = left:sub(#piece + 1)
            assert(names() == "", names())
            return piece ~= "" and piece or nil
          end })
        assert(sign.documents:download(document) == text)
        assert(sign.documents:download(document, { to = function()
          assert(names() == "", names())
          return true
        end }))
        assert(names() == "", names())
        local path = assert(sign.documents:download(document, { to = %q }))
        assert(lfs.attributes(path, "size") == #text)
        os.remove(path)
        return true
      end
      act()
      assert(sign:async(act):wait())
      sign:close()
      print(names())]]):format(service.url .. "/sign", service.client_id,
        service.client_secret, folder, folder),
      "HOME='" .. folder .. "' TMPDIR='" .. folder .. "'")
    assert.equal("\n", said)
  end)
end)

-- -- memory -----------------------------------------------------------------

describe("the memory of a program that has called", function()
  -- Prints what stands before a token wherever it does, a line each: Lua's
  -- heads of strings, CR LF and a header's name in what libcurl has freed, in
  -- our own list of headers that name behind a NUL, and in our own copy of the
  -- answer that it came in the end of a header before the body.
  local LOOK = [[
    local signicat = require "signicat"
    local sign = assert(signicat.new { base_url = %q, client_id = %q,
                                       client_secret = %q })
    for _ = 1, 3 do assert(sign.sessions:list()) end
    assert(sign:async(function() return sign.sessions:list() end):wait())
    local token = sign.token:get(sign, nil, {})
    local half = token:sub(-20)
    token = nil
    %s
    local memory = io.open("/proc/self/mem", "rb")
    for line in io.lines "/proc/self/maps" do
      local first, last = line:match "^(%%x+)%%-(%%x+) rw"
      first, last = tonumber(first or "", 16), tonumber(last or "", 16)
      local bytes = first and last < 2^53 and memory:seek("set", first)
        and memory:read(last - first) or ""
      local at = bytes:find(half, 1, true)
      while at do
        print("at " .. bytes:sub(math.max(1, at - 80), at - 1)
          :gsub("%%z", "0"):gsub("[^%%w%%p ]", "."))
        at = bytes:find(half, at + 1, true)
      end
    end]]

  -- A sanitizer keeps what was freed.
  local endings = os.getenv "ASAN_OPTIONS" and {}
    or { ["that is open"] = "", ["that is closed"] = "sign:close()" }
  for name, ending in pairs(endings) do
    it("has no token in our own bytes, of a client " .. name,
      function()
        local service = assert(sandbox.start())
        finally(function() service:stop() end)
        local said = helper.run(LOOK:format(service.url .. "/sign",
          service.client_id, service.client_secret, ending))
        assert.matches("^at ", said)
        assert.is_nil(said:find("0Authorization: Bearer", 1, true))
        assert.is_nil(said:find '%w%.%.{"access_token":')
      end)
  end
end)
