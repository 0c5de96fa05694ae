-- What `make demo` and `make demo-browser` run: the examples, and the judges
-- of their results, who have to refuse what is not signed or not as it was
-- signed. The person in front of the browser is played by its driver.

local browser = require "spec.support.browser"
local helper = require "spec.helper"
local service = require "spec.sandbox.service"

-- The exit code and the output of a program of ours.
local function run(program, ...)
  local words = { "lua5.4", program, ... }
  local pipe = assert(io.popen(table.concat(words, " ") .. " 2>&1"))
  local output = pipe:read "*a"
  local _, _, code = pipe:close()
  return code, output
end

describe("the demo", function()
  local folder, remove

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

describe("the demo in a browser", function()
  -- Opens the page that the demo prints, in a browser of its own; what `act`
  -- does there is what the person does. The demo's exit code and all it said.
  local function play(folder, act)
    local pipe = assert(io.popen("echo $$; exec lua5.4 "
      .. "examples/demo_browser.lua examples/lease.pdf " .. folder .. " 2>&1"))
    local said, url, pid = {}, nil, pipe:read "l"
    for line in pipe:lines() do
      said[#said + 1] = line
      url = line:match "http://%S+"
      if url then break end
    end
    local person = url and browser.open()
    local good, why = pcall(function()
      person:get(url)
      act(person)
    end)
    if person then person:close() end
    -- Whatever went wrong, the demo must not wait an hour.
    if not good and url then os.execute("kill " .. pid) end
    said[#said + 1] = pipe:read "a"
    local _, _, code = pipe:close()
    assert(good, why)
    return code, table.concat(said, "\n")
  end

  it("prints where to sign, waits, and has a PDF others find valid", function()
    local folder, remove = helper.folder()
    finally(remove)
    local code, output = play(folder, function(person)
      person:click "#agreed"
      person:click "#signature button.main"
      person:type("#name", "Kari Nordmann")
      person:click "#login button.main"
      person:find "#done"
    end)
    assert.equal(0, code, output)
    assert.matches("The session is SIGNED", output, 1, true)
    code, output = run("spec/support/verify.lua", folder .. "/ca.pem",
      folder .. "/signed.pdf")
    assert.equal(0, code, output)
    assert.matches("Kari Nordmann", output, 1, true)
  end)

  it("ends with a word when the person rejects", function()
    local folder, remove = helper.folder()
    finally(remove)
    local code, output = play(folder, function(person)
      person:click "form[action='/sign/reject'] button"
      person:click "#reject button.main"
      person:find "#rejected"
    end)
    assert.equal(1, code)
    assert.matches("rejected", output, 1, true)
    assert.is_nil(service.read(folder .. "/signed.pdf"))
  end)
end)
