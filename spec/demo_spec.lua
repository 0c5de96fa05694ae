-- What `make demo` runs: the example, and the judges of its result, who have
-- to refuse what is not signed or not as it was signed.

local helper = require "spec.helper"

describe("the demo", function()
  local folder, remove

  -- The exit code and the output of a program of ours.
  local function run(program, ...)
    local words = { "lua5.4", program, ... }
    local pipe = assert(io.popen(table.concat(words, " ") .. " 2>&1"))
    local output = pipe:read "*a"
    local _, _, code = pipe:close()
    return code, output
  end

  setup(function()
    folder, remove = helper.folder()
    local code, output = run("examples/demo.lua", "examples/lease.pdf", folder)
    assert(code == 0, output)
  end)

  teardown(function()
    remove()
  end)

  it("makes a signed PDF that others find valid", function()
    local code, output = run("spec/support/verify.lua", folder .. "/ca.pem",
      folder .. "/signed.pdf")
    assert.equal(0, code, output)
    assert.truthy(output:find("Signature is Valid", 1, true))
    assert.truthy(output:find("Certificate is Trusted", 1, true))
    assert.truthy(output:find("CAdES Verification successful", 1, true))
  end)

  it("makes a sealed package of it", function()
    local code, output = run("spec/support/verify.lua", folder .. "/ca.pem",
      folder .. "/package.pdf")
    assert.equal(0, code, output)
    assert.truthy(output:find("Sandbox merchant", 1, true))
  end)

  it("fails on a PDF that was altered, and on one never signed", function()
    local bytes = helper.read(folder .. "/signed.pdf")
    local altered = helper.write(folder .. "/altered.pdf",
      bytes:sub(1, 999) .. "~" .. bytes:sub(1001))
    for _, path in ipairs { altered, "examples/lease.pdf" } do
      assert.equal(1, (run("spec/support/verify.lua", folder .. "/ca.pem",
        path)))
    end
  end)

  it("says in words why a file cannot be signed", function()
    local path = helper.write(folder .. "/words.pdf", "no PDF at all")
    local code, output = run("examples/demo.lua", path, folder)
    assert.equal(1, code)
    assert.truthy(output:find("unprocessable_document", 1, true), output)
    assert.falsy(output:find("stack traceback", 1, true), output)
  end)
end)
