-- Every example runs to its end on a sandbox of its own and prints what it
-- is there to show; none calls another machine unless it is told to.

local helper = require "spec.helper"
local lfs = require "lfs"
local quoted = require "spec.support.quoted"

local LIVE = { "SIGNICAT_LIVE", "SIGNICAT_BASE_URL", "SIGNICAT_TOKEN_URL",
               "SIGNICAT_CLIENT_ID", "SIGNICAT_CLIENT_SECRET" }

-- What each prints: patterns for whole lines, in this order.
local shown = {
  upload = {
    "document\t%x+%-%x+%-7%x+%-%x+%-%x+",
    "hash\t[%w+/]+=\tverified",
    "stored\tlease%-17%.pdf\tapplication/pdf",
    "deleted",
  },
  sign_one = {
    "session\tREADY",
    "session\tSIGNED",
    "signed file\t.*/signed%.pdf",
  },
  sign_in_order = {
    "at first\tREADY\tBLOCKED",
    "then\tREADY",
    "in the end\tSIGNED",
  },
  list = {
    "a page\t10 of 280",
    "signed\t30",
    "open\t250",
  },
  errors = {
    "invalid\tfalse",
    "\t%[1%]%.title\tis required",
    "\t%[1%]%.documents\tis required",
    "\t%[1%]%.signingSetup\tis required",
    "\t%[1%]%.titel\tunknown field, did you mean `title`%?",
    "not_found\t404\tsigning_session_not_found\tfalse",
    "signicat: sessions:get: not_found %(404 [%w_]+%): .* %[trace %x+%]",
    "page of 0\tattempt 2",
    "examples/errors%.lua:%d+: sessions:list: no option 'time_out'; .*",
  },
  luv = {
    "Lease 1[78]\tSIGNED",
    "Lease 1[78]\tSIGNED",
    "nothing is left in luv's loop",
  },
  cqueues = { "SIGNED\twhile the other went on\ttrue" },
  find = {
    "ambiguous\tconnect",
    "session\tLease 17\tREADY",
    "in all\t1",
  },
  download = {
    "[\r%d %%]*\r100 %%",
    "file\t.*/lines%.txt\tverified",
    "bytes\t960000",
  },
  smoke = {
    "ok\tlist", "seen\tsessions in all\t0", "ok\tupload", "seen\thash\tSHA256",
    "ok\tmetadata", "ok\tsame bytes", "ok\tcollection", "ok\tsession",
    "seen\tstate\tREADY", "ok\tdelete session", "ok\tdelete collection",
    "ok\tdelete document", "ok\tit is gone",
  },
  event = {
    "signing%-session%.completed\t[%x-]+\tsecret 2", "204",
    "duplicate", "204",
    "signature", "400",
  },
}

local arguments = {
  sign_one = "examples/lease.pdf FOLDER/signed.pdf",
  smoke = "--session",
  download = "FOLDER",
}

-- These are no tasks: what the tasks share, and the prompt and the demos,
-- which have specs and a target of their own. Two want a Redis:
-- spec/redis_examples_spec.lua.
local others = { support = true, console = true, demo = true,
                 demo_browser = true, redis_producer = true,
                 redis_worker = true }

-- All output of an example, its exit code, and what it left in its folder.
local function run(name, variables)
  local folder, remove = helper.folder()
  local lua = lfs.symlinkattributes("/proc/self/exe", "target")
  local command = ("env -u %s %s LUA_PATH=%s LUA_CPATH=%s %s -e %s %s %s 2>&1; "
    .. "echo exit $?")
    :format(table.concat(LIVE, " -u "), variables or "",
      quoted(package.path), quoted(package.cpath), quoted(lua),
      quoted 'dofile "spec/support/loopback.lua"',
      "examples/" .. name .. ".lua",
      (arguments[name] or ""):gsub("FOLDER", folder))
  local pipe = assert(io.popen(command))
  local output, code = pipe:read "*a":match "^(.*)exit (%d+)\n$"
  pipe:close()
  local left = {}
  for _, file in ipairs(helper.names_in(folder)) do
    left[file] = helper.read(folder .. "/" .. file)
  end
  remove()
  return output, tonumber(code), left
end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
  return lines
end

describe("an example", function()
  for name, patterns in pairs(shown) do
    it("called " .. name .. " prints what it is there to show", function()
      local output, code = run(name)
      local lines = lines_of(output)
      for i, pattern in ipairs(patterns) do
        assert.truthy((lines[i] or ""):find("^" .. pattern .. "$"),
          ("line %d is not %s in:\n%s"):format(i, pattern, output))
      end
      assert.equal(#patterns, #lines, output)
      assert.equal(0, code)
    end)
  end

  it("downloads under the document's own name", function()
    local _, _, left = run "download"
    assert.is_true(left["lines.txt"] == ("A line of text.\n"):rep(60000))
  end)

  it("leaves a signed PDF where it was told to", function()
    local _, _, left = run "sign_one"
    assert.equal("%PDF-", left["signed.pdf"]:sub(1, 5))
    assert.truthy(left["signed.pdf"]:find("/ByteRange", 1, true))
  end)

  it("has its task, fewer than 40 lines, and says first where it runs",
    function()
      local count = 0
      for _, file in ipairs(helper.names_in "examples") do
        local name = file:match "^(.*)%.lua$"
        if name and not others[name] then
          count = count + 1
          local text = helper.read("examples/" .. file)
          local _, lines = text:gsub("\n", "")
          assert.is_true(lines < 40, file)
          assert.is_table(shown[name], file .. " is not run here")
          local head = text:match "^(%-%- [^\n]*\n%-%- [^\n]*)"
          assert.truthy(head and head:find("SIGNICAT_LIVE", 1, true), file)
        end
      end
      local run_here = 0
      for _ in pairs(shown) do run_here = run_here + 1 end
      assert.equal(run_here, count)
    end)

  it("uses the service only with SIGNICAT_LIVE=1 and credentials", function()
    local service = "SIGNICAT_CLIENT_ID=i SIGNICAT_CLIENT_SECRET=s "
    local output, code = run("upload", service)
    assert.equal(0, code, output)
    output, code = run("upload", service .. "SIGNICAT_LIVE=1")
    assert.equal("kept from https://api.signicat.com"
      .. "/auth/open/connect/token\n", output)
    assert.equal(3, code)
    output, code = run("upload", "SIGNICAT_LIVE=1")
    assert.truthy(output:find("SIGNICAT_CLIENT_ID is not set", 1, true),
      output)
    assert.equal(1, code)
  end)
end)
