-- process_spec.lua: a child process: how it is started, read and ended.

local core = require "signicat.core"

-- Runs shell code as a child.
local function shell(code)
  return assert(core.spawn("sh", { "-c", code }))
end

local function is_running(pid)
  local status = os.execute(("kill -0 %d 2>/dev/null"):format(pid))
  return status == true or status == 0 -- a number before Lua 5.2
end

describe("spawn", function()
  it("fails for a program that is not there", function()
    for _, program in ipairs { "/none/such-program", "no-such-program-anywhere",
                               "" } do
      local process, failure = core.spawn(program, {})
      assert.is_nil(process)
      assert.equal("io", failure.kind)
      assert.equal(program .. ": No such file or directory", failure.detail)
      assert.matches("could not be started", failure.note)
    end
  end)

  it("fails for a file that is no program", function()
    local process, failure = core.spawn("/etc/passwd", {})
    assert.is_nil(process)
    assert.equal("/etc/passwd: Permission denied", failure.detail)
  end)

  it("finds a program in PATH and passes its arguments on as they are",
    function()
      local process = assert(core.spawn("printf",
        { "%s\n", "a b", "$HOME *", "", "'\"\\", 17 }))
      for _, expected in ipairs { "a b", "$HOME *", "", "'\"\\", "17" } do
        assert.equal(expected, process:read_line(10))
      end
      process:stop()
    end)

  it("takes as many arguments as it says", function()
    local arguments = { "-c", "echo $#", "sh" }
    for i = 1, 61 do arguments[3 + i] = "x" end
    local process = assert(core.spawn("sh", arguments))
    assert.equal("61", process:read_line(10))
    process:stop()
    arguments[65] = "x"
    assert.has_error(function() core.spawn("sh", arguments) end)
  end)

  it("raises for arguments that are none", function()
    for _, arguments in ipairs { { {} }, { "a", true }, "a" } do
      assert.has_error(function() core.spawn("sh", arguments) end)
    end
    assert.has_error(function() core.spawn("sh") end)
    assert.has_error(function() core.spawn() end)
  end)

  it("gives the child no input and a pipe as descriptor 3", function()
    local process = shell(
      "cat | wc -c; test -p /dev/fd/3 && echo pipe; echo end")
    assert.equal("0", (process:read_line(10):gsub(" ", "")))
    assert.equal("pipe", process:read_line(10))
    assert.equal("end", process:read_line(10))
    process:stop()
  end)

  it("leaves the child no other descriptor of its own", function()
    local function open_in_child()
      local process = shell "ls /proc/self/fd | wc -l"
      local count = tonumber(process:read_line(10))
      process:stop()
      return count
    end
    local alone, many = open_in_child(), {}
    for i = 1, 5 do many[i] = shell "read x <&3" end
    assert.equal(alone, open_in_child())
    for i = 1, 5 do many[i]:stop() end
  end)

  it("ends a child that watches the pipe by closing it", function()
    local process = shell "trap '' TERM; cat <&3 >/dev/null; echo over; exit"
    assert.same({ nil, "timeout" }, { process:read_line(0.05) })
    local pid = process:pid()
    process:stop(10)
    assert.is_false(is_running(pid))
  end)
end)

describe("read_line", function()
  it("gives line after line, then says that it is the end", function()
    local process = shell "echo one; echo; echo two words"
    assert.equal("one", process:read_line(10))
    assert.equal("", process:read_line(10))
    assert.equal("two words", process:read_line(10))
    for _ = 1, 2 do
      assert.same({ nil, "end" }, { process:read_line(10) })
    end
    process:stop()
  end)

  it("gives a last line that has no end", function()
    local process = shell "printf 'one\\ntwo'"
    assert.equal("one", process:read_line(10))
    assert.equal("two", process:read_line(10))
    assert.same({ nil, "end" }, { process:read_line(10) })
    process:stop()
  end)

  it("gives very many lines, however they come", function()
    local process = shell(
      "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done")
    for i = 0, 2999 do
      assert.equal("line " .. i, process:read_line(10))
    end
    assert.same({ nil, "end" }, { process:read_line(10) })
    process:stop()
  end)

  it("gives a long line in pieces of 4096 bytes", function()
    local process = shell "printf '%10000d\\nnext\\n' 7"
    assert.equal((" "):rep(4096), process:read_line(10))
    assert.equal((" "):rep(4096), process:read_line(10))
    assert.equal((" "):rep(10000 - 8192 - 1) .. "7", process:read_line(10))
    assert.equal("next", process:read_line(10))
    process:stop()
  end)

  it("gives a line of just as many whole", function()
    for _, size in ipairs { 4095, 4096 } do
      local process = shell(("printf '%%%dd\\nnext\\n' 7"):format(size))
      assert.equal((" "):rep(size - 1) .. "7", process:read_line(10))
      process:stop()
    end
  end)

  it("keeps bytes that are no text", function()
    local process = shell "printf 'a\\000b\\377\\r\\n'"
    assert.equal("a\0b\255\r", process:read_line(10))
    process:stop()
  end)

  it("says when the time is up, and can be asked again", function()
    local process = shell "printf half; read x <&3"
    assert.same({ nil, "timeout" }, { process:read_line(0) })
    assert.same({ nil, "timeout" }, { process:read_line(0.05) })
    assert.same({ nil, "timeout" }, { process:read_line(-1) })
    process:stop()
  end)

  it("can wait for as long as anybody asks", function()
    local process = shell "echo one"
    assert.equal("one", process:read_line(1e9))
    assert.same({ nil, "end" }, { process:read_line(math.huge) })
    process:stop()
  end)

  it("says that it is the end of what was stopped", function()
    local process = shell "echo one; echo two; read x <&3"
    assert.equal("one", process:read_line(10))
    process:stop()
    local line, why
    repeat line, why = process:read_line(1) until not line
    assert.equal("end", why)
  end)
end)

describe("stop", function()
  it("ends the child, and does nothing the second time", function()
    local process = shell "echo up; read x <&3; sleep 60"
    assert.equal("up", process:read_line(10))
    local pid = process:pid()
    assert.is_true(is_running(pid))
    process:stop()
    assert.is_false(is_running(pid))
    assert.is_nil(process:pid())
    process:stop()
    process:kill()
  end)

  it("makes a child end that does not want to", function()
    local process = shell "trap '' TERM; echo up; while :; do sleep 0.05; done"
    assert.equal("up", process:read_line(10))
    local pid = process:pid()
    process:stop(0.05)
    assert.is_false(is_running(pid))
  end)

  it("is for children that ended by themselves, too", function()
    local process = shell "exit 3"
    assert.same({ nil, "end" }, { process:read_line(10) })
    process:stop()
    assert.is_nil(process:pid())
  end)

  it("can be kill, at once", function()
    local process = shell "trap '' TERM; echo up; while :; do sleep 0.05; done"
    assert.equal("up", process:read_line(10))
    local pid = process:pid()
    process:kill()
    assert.is_false(is_running(pid))
  end)

  it("is what the collector does", function()
    local process = shell "echo up; read x <&3"
    assert.equal("up", process:read_line(10))
    local pid = process:pid()
    process = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.is_false(is_running(pid))
  end)

  -- Only Lua 5.4 has variables that are closed, and words for them.
  if _VERSION == "Lua 5.4" then
    it("is what the end of a scope does", function()
      local scope = assert(load [[
        local process <close> = ...
        return process:read_line(10), process:pid()
      ]])
      local line, pid = scope(shell "echo up; read x <&3")
      assert.equal("up", line)
      assert.is_false(is_running(pid))
    end)
  end

  it("is a method of processes alone", function()
    local process = shell "exit"
    for _, value in ipairs { {}, io.stdout, "x" } do
      assert.has_error(function() process.stop(value) end)
      assert.has_error(function() process.read_line(value, 1) end)
    end
    process:stop()
  end)
end)
