-- What the HTTP library answers by itself, as docs/sandbox.md has it.

local service = require "spec.sandbox.service"

local HEAD <const> = " HTTP/1.1\r\nHost: localhost\r\n"
local CASES <const> = {
  -- What is sent, the answer's status, what the log has of it.
  { "GET / HTTP/1.1\r\nHost\r\n\r\n", 400, "%- / %- " },
  { "GET / HTTP/1.1\r\n\r\n", 400, "%- / %- " },
  { "GET /sign/signing-sessions\r\n\r\n", 400 },
  { "POST /sign/documents" .. HEAD .. "Content-Length: x\r\n\r\n", 400,
    "%- /sign/documents %- " },
  { "POST /sign/documents" .. HEAD .. "Content-Length: 9" .. ("9"):rep(30)
    .. "\r\n\r\n", 413, "%- /sign/documents %- " },
  { "GET " .. ("/a"):rep(40000) .. HEAD .. "\r\n", 414 },
  { "GET /" .. HEAD .. "X: " .. ("a"):rep(80000) .. "\r\n\r\n", 431,
    "%- / %- " },
  { "GET / HTTP/3.0\r\nHost: localhost\r\n\r\n", 505 },
  { "hello\r\n\r\n" },
}

describe("the sandbox, of what is not HTTP,", function()
  it("has neither id nor problem, and a line where it knows a path", function()
    local folder = service.folder()
    local log = folder .. "/log"
    local sandbox = service.start("--log", log)
    finally(function()
      sandbox:finish()
      service.remove(folder)
    end)
    local expected = {}
    for _, case in ipairs(CASES) do
      local bytes, status, line = table.unpack(case)
      local answer = sandbox:raw(bytes)
      assert.equal(status, tonumber(answer:match "^HTTP/1.1 (%d+)"))
      assert.is_nil(answer:lower():find "x%-request%-id")
      assert.is_nil(answer:find("problem+json", 1, true))
      expected[#expected + 1] = line
    end
    -- Lines come when an answer is through; one is the token's.
    local lines = service.await("the log", function()
      local found = {}
      for line in service.read(log):gmatch "[^\n]+" do
        found[#found + 1] = line
      end
      return #found > #expected and found
    end)
    assert.equal(#expected + 1, #lines)
    table.sort(lines)
    local at = 1
    for _, line in ipairs(lines) do
      if not line:find(" token - done", 1, true) then
        assert.matches("^%S+ %x+ " .. expected[at] .. ".* gone$", line)
        at = at + 1
      end
    end
  end)
end)
