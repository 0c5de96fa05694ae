-- What the house promises about its own files and tools: the lists that have
-- to match them, what no file may say, and what `make deps` does where.

local helper = require "spec.helper"
local lfs = require "lfs"
local quoted = require "spec.support.quoted"

-- All output of a shell command, and its exit code.
local function shell(command)
  local pipe = assert(io.popen("{ " .. command .. "; } 2>&1"))
  local output = pipe:read "*a"
  local _, _, code = pipe:close()
  return output, code
end

local function lines(command)
  local found = {}
  for line in shell(command):gmatch "[^\n]+" do found[#found + 1] = line end
  return found
end

local function rockspec(path)
  local values = {}
  assert(loadfile(path, "t", values))()
  return values
end

describe("the rockspec", function()
  local modules = rockspec "signicat-scm-1.rockspec".build.modules

  it("lists every C file of the module", function()
    local listed = modules["signicat.core"].sources
    assert.same(lines "LC_ALL=C ls src/*.c", listed)
  end)

  it("lists every Lua file under the name that require wants", function()
    local listed = {}
    for name, path in pairs(modules) do
      if type(path) == "string" then listed[path] = name end
    end
    local wanted = {}
    for _, path in ipairs(lines "find lua -name '*.lua'") do
      wanted[path] = path:match "^lua/(.*)%.lua$":gsub("/init$", "")
        :gsub("/", ".")
    end
    assert.same(wanted, listed)
  end)

  it("of a release has its version and its tag, and is else the same",
    function()
      local version = require "signicat"._VERSION
      local url = "git+https://a.example/b"
      local said, code = shell("env -u MAKEFLAGS -u MAKELEVEL make rockspecs "
        .. "URL=" .. url)
      assert.equal(0, code, said)
      for _, name in ipairs { "signicat", "signicat-sandbox" } do
        local released = rockspec(("build/rocks/%s-%s-1.rockspec")
          :format(name, version))
        assert.equal(version .. "-1", released.version)
        assert.same({ url = url, tag = "v" .. version }, released.source)
        local scm = rockspec(name .. "-scm-1.rockspec")
        scm.version, scm.source = released.version, released.source
        assert.same(scm, released)
      end
    end)

  it("has the sandbox built by targets the Makefile has", function()
    local build = rockspec "signicat-sandbox-scm-1.rockspec".build
    local makefile = helper.read "Makefile"
    for _, target in ipairs { build.build_target, build.install_target } do
      assert.truthy(makefile:find("\n" .. target .. ":", 1, true))
    end
  end)
end)

describe("a tracked file", function()
  local tracked = lines "git ls-files"

  it("lies where the house has a room for it", function()
    local rooms = {}
    for name in ("src lua spec examples docs README.md CHANGELOG.md LICENSE "
      .. "Makefile signicat-scm-1.rockspec signicat-sandbox-scm-1.rockspec")
      :gmatch "%S+" do
      rooms[name] = true
    end
    for _, path in ipairs(tracked) do
      assert.truthy(rooms[path:match "^[^/]+"] or path:find "^%.", path)
    end
  end)

  it("names no folder of one machine and has no open end", function()
    -- In two parts, so as not to say them itself.
    local never = { "/ho" .. "me/", "/ro" .. "ot/", "TO" .. "DO",
                    "FIX" .. "ME" }
    local pending = " pen" .. "ding("
    -- Somebody else's texts, which need not lie here.
    local may_be_absent = { ["spec/json_suite_spec.lua"] = true }
    assert.is_true(#tracked > 0)
    for _, path in ipairs(tracked) do
      local bytes = helper.read(path)
      for _, words in ipairs(never) do
        assert.falsy(bytes:find(words, 1, true), path .. ": " .. words)
      end
      assert.falsy(bytes:find(pending, 1, true) and not may_be_absent[path],
        path .. ":" .. pending)
    end
  end)
end)

describe("the runner's last line", function()
  it("counts what passed, failed and could not start", function()
    local folder, remove = helper.folder()
    local path = helper.write(folder .. "/sample_spec.lua", [[
      describe("a", function()
        it("passes", function() end)
        it("fails", function() assert.is_true(false) end)
        it("raises", function() error "as meant" end)
      end)
      describe("b", function()
        setup(function() error "as meant" end)
        it("never starts", function() end)
      end)
    ]])
    local output, code = shell("lua5.4 /usr/bin/busted "
      .. "-o spec/support/counts.lua " .. quoted(path))
    remove()
    assert.equal("1 passed, 3 failed", output:match "([^\n]*)\n$")
    assert.equal(1, code)
  end)
end)

describe("make install", function()
  it("puts what require finds, and uninstall takes all of it", function()
    local folder, remove = helper.folder()
    local prefix = folder .. "/a prefix"
    local make = "env -u MAKEFLAGS -u MAKELEVEL make -s PREFIX="
      .. quoted(prefix) .. " "
    local said, code = shell(make .. "install")
    assert.equal(0, code, said)
    local output = shell(("cd / && LUA_PATH=%s LUA_CPATH=%s lua5.4 -e %s")
      :format(quoted(prefix .. "/share/lua/5.4/?.lua;" .. prefix
        .. "/share/lua/5.4/?/init.lua"),
      quoted(prefix .. "/lib/lua/5.4/?.so"),
      quoted [[
        local service = assert(require "signicat.sandbox".start())
        local pid = service.process:pid()
        local file = io.open("/proc/" .. pid .. "/cmdline")
        print(file:read "a":match "^[^\0]*")
        service:stop()
      ]]))
    assert.equal(prefix .. "/bin/signicat-sandbox\n", output)
    said, code = shell(make .. "uninstall")
    assert.equal(0, code, said)
    assert.same({}, helper.names_in(folder))
    remove()
  end)
end)

describe("make deps", function()
  local folder, remove

  -- Programs that stand in for the system's, and for all others of its kind.
  local function program(name, script)
    helper.write(folder .. "/" .. name, "#!/bin/sh\n" .. script .. "\n")
    assert(os.execute("chmod +x " .. quoted(folder .. "/" .. name)))
  end

  before_each(function()
    folder, remove = helper.folder()
    for _, name in ipairs { "env", "flock", "ls" } do
      assert(lfs.link("/usr/bin/" .. name, folder .. "/" .. name, true))
    end
    program("id", "echo 1000")
    program("apt-get", 'echo "apt-get $*" >&2')
    program("dpkg-query",
      'case "$*" in *gcc) ;; *) printf " installed " ;; esac')
  end)

  after_each(function()
    remove()
  end)

  local function deps(set, environment)
    return shell(("env -u CI %s PATH=%s /bin/sh spec/support/deps.sh %s")
      :format(environment or "", quoted(folder), set))
  end

  it("calls nothing when all is there", function()
    program("dpkg-query", 'printf " installed "')
    local output, code = deps "build"
    assert.equal("", output)
    assert.equal(0, code)
  end)

  it("installs without recommends and removals, as root", function()
    program("id", "echo 0")
    local output, code = deps "build"
    assert.truthy(output:find("apt-get install -y --no-install-recommends "
      .. "--no-remove gcc\n", 1, true), output)
    assert.equal(1, code, "gcc is still missing")
  end)

  it("takes sudo where there is one", function()
    program("sudo", 'echo "sudo $*"')
    assert.truthy(deps "build":find "sudo env [^\n]*apt%-get install")
  end)

  it("explains where it may not install", function()
    local output, code = deps "build"
    assert.truthy(output:find("missing: gcc", 1, true), output)
    assert.truthy(output:find("root or sudo", 1, true), output)
    assert.falsy(output:find("apt-get install -y", 1, true), output)
    assert.equal(1, code)
  end)

  it("explains and goes on where there is no Debian, but not in CI", function()
    os.remove(folder .. "/dpkg-query")
    local output, code = deps "build"
    assert.truthy(output:find("not Debian", 1, true), output)
    assert.equal(0, code)
    output, code = deps("build", "CI=true")
    assert.truthy(output:find("not Debian", 1, true), output)
    assert.equal(1, code)
  end)
end)
