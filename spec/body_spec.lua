-- body_spec.lua: the files at both ends of a call: a part that is read while
-- it is sent, a target that appears whole or not at all.

local helper = require "spec.helper"
local lfs = require "lfs"

local document = helper.document

describe("a file that is sent", function()
  local folder, remove, path

  before_each(function()
    folder, remove = helper.folder()
    path = helper.write(folder .. "/a.txt", "hello")
  end)
  after_each(function() remove() end)

  -- Uploads it with something done to the file before it is read.
  local function upload(meanwhile)
    local client = helper.client()
    local body
    client.transport = { send = function(_, request)
      meanwhile()
      body = request.body
      return helper.json(200, { documentId = document })
    end }
    local value, meta = client.documents:upload { path = path }
    return body, value, meta
  end

  it("is the one that was opened, even when its name is gone", function()
    local body, value = upload(function() os.remove(path) end)
    assert.equal("hello", body)
    assert.equal(document, value.documentId)
  end)

  it("is as long as it was, however it grows", function()
    local body, _, meta = upload(function()
      helper.write(path, "hello, and more")
    end)
    assert.equal("hello", body)
    assert.equal(helper.hello_hash, meta.sha256)
  end)
end)

describe("a target", function()
  local folder, remove, path

  before_each(function()
    folder, remove = helper.folder()
    path = folder .. "/a"
  end)
  after_each(function() remove() end)

  -- Downloads to it; `reply` is the response or a function that makes it.
  local function download(reply, overwrite, given)
    local client = helper.client(reply or { status = 200, body = "hello" })
    return client.documents:download(given or document,
      { to = path, overwrite = overwrite })
  end

  local function fails(kind, reply, overwrite, given)
    local value, err = download(reply, overwrite, given)
    assert.is_nil(value)
    assert.equal(kind, err.kind)
    return err
  end

  it("is given back when it is written", function()
    local value, meta = download()
    assert.equal(path, value)
    assert.equal("hello", helper.read(path))
    assert.equal(helper.hello_hash, meta.sha256)
    assert.same({ "a" }, helper.names_in(folder))
  end)

  it("may have no bytes, or very many", function()
    assert(download { status = 200 })
    assert.equal("", helper.read(path))
    assert(os.remove(path))
    local bytes = ("\0\r\n\255"):rep(2 ^ 20)
    assert(download { status = 200, body = bytes })
    assert.is_true(bytes == helper.read(path))
  end)

  it("is not there while its bytes come", function()
    local seen
    assert(download(function()
      seen = helper.names_in(folder)
      return { status = 200, body = "hello" }
    end))
    assert.same({}, seen)
  end)

  it("does not appear when the call fails", function()
    fails("not_found", { status = 404, body = "hello" })
    fails("server", { status = 500 })
    fails("protocol", { status = 302 })
    fails("connect", function() return nil, "refused" end)
    fails("integrity", nil, false,
      { id = document, documentHash = { hash = ("A"):rep(43) .. "=" } })
    assert.same({}, helper.names_in(folder))
  end)

  it("that exists is not called for", function()
    helper.write(path, "old")
    local called = false
    local err = fails("io", function() called = true end)
    assert.is_false(called)
    assert.is_false(err.sent)
    assert.equal("old", helper.read(path))
  end)

  it("that came meanwhile stays as it is", function()
    local err = fails("io", function()
      helper.write(path, "theirs")
      return { status = 200, body = "hello" }
    end)
    assert.equal(path .. ": File exists", err.detail)
    assert.equal("theirs", helper.read(path))
    assert.same({ "a" }, helper.names_in(folder))
  end)

  it("that came meanwhile leaves a create open", function()
    local client = helper.client(function()
      helper.write(path, "theirs")
      return { status = 201, body = "hello" }
    end)
    local value, err = client:request("POST", "/x", { json = {}, to = path })
    assert.is_nil(value)
    assert.equal("io", err.kind)
    assert.is_true(err.ambiguous)
  end)

  it("that is replaced leaves its mode to the new file", function()
    helper.write(path, "old")
    for _, mode in ipairs { "600", "640", "444" } do
      os.execute("chmod " .. mode .. " '" .. path .. "'")
      local before = lfs.attributes(path, "permissions")
      assert(download(nil, true))
      assert.equal(before, lfs.attributes(path, "permissions"))
    end
  end)

  it("that is a link stays one, and what it leads to is replaced", function()
    local real = helper.write(folder .. "/real", "old")
    assert(lfs.link("real", path, true))
    assert(download(nil, true))
    assert.equal("link", lfs.symlinkattributes(path, "mode"))
    assert.equal("hello", helper.read(real))
    assert.same({ "a", "real" }, helper.names_in(folder))
  end)

  it("that is a link to nowhere is not called for", function()
    assert(lfs.link("nowhere", path, true))
    local called = false
    fails("io", function() called = true end)
    fails("io", function() called = true end, true)
    assert.is_false(called)
  end)

  it("may have the longest name there can be", function()
    path = folder .. "/" .. ("n"):rep(255)
    assert.equal(path, (download()))
    assert.equal("hello", helper.read(path))
  end)

  it("is replaced with overwrite", function()
    helper.write(path, "old and longer")
    assert.equal(path, (download(nil, true)))
    assert.equal("hello", helper.read(path))
    assert.same({ "a" }, helper.names_in(folder))
  end)

  it("is made with overwrite, too", function()
    assert.equal(path, (download(nil, true)))
    assert.equal("hello", helper.read(path))
  end)

  it("with overwrite keeps the old bytes when the call fails", function()
    helper.write(path, "old")
    fails("server", { status = 500, body = "hello" }, true)
    fails("integrity", nil, true,
      { id = document, documentHash = { hash = ("A"):rep(43) .. "=" } })
    fails("connect", function() return nil, "refused" end, true)
    assert.equal("old", helper.read(path))
    assert.same({ "a" }, helper.names_in(folder))
  end)

  it("whose folder goes away is told of, and nothing raises", function()
    local err = fails("io", function()
      assert(lfs.rmdir(folder))
      return { status = 200, body = "hello" }
    end)
    assert(lfs.mkdir(folder))
    assert.equal(path .. ": No such file or directory", err.detail)
    assert.is_nil(tostring(err):find(path, 1, true))
    assert.is_true(err.sent)
  end)

  it("that becomes a folder is told of", function()
    local err = fails("io", function()
      assert(lfs.mkdir(path))
      return { status = 200, body = "hello" }
    end, true)
    assert.equal(path .. ": Is a directory", err.detail)
    assert.same({ "a" }, helper.names_in(folder))
    assert(lfs.rmdir(path))
  end)

  -- The rest needs a process of its own: limits and masks are a process's.
  local program = [[
    local helper = require "spec.helper"
    local client = helper.client { status = 200, body = ("x"):rep(%d) }
    require("lfs").chdir(%q)
    local to, err = client.documents:download(helper.document,
      { to = %q, overwrite = true })
    io.write(to or err.kind, " ", err and err.detail or "")
  ]]

  it("that has no room keeps the old bytes, and leaves nothing", function()
    helper.write(path, "old")
    -- Blocks of 512 or 1024 bytes; the signal would be the process's end.
    local output = helper.run(program:format(100000, folder, path),
      "trap '' XFSZ; ulimit -f 8;")
    assert.equal("io " .. path .. ": File too large", output:match "^io .*")
    assert.equal("old", helper.read(path))
    assert.same({ "a" }, helper.names_in(folder))
  end)

  for mask, permissions in pairs { ["022"] = "rw-r--r--",
                                   ["077"] = "rw-------",
                                   ["002"] = "rw-rw-r--" } do
    it("has the permissions that umask " .. mask .. " leaves", function()
      helper.run(program:format(5, folder, path), "umask " .. mask .. ";")
      assert.equal("xxxxx", helper.read(path))
      assert.equal(permissions, lfs.attributes(path, "permissions"))
    end)
  end

  it("may be named from the current folder", function()
    local output = helper.run(program:format(5, folder, "b"))
    assert.matches("^b ", output)
    assert.same({ "b" }, helper.names_in(folder))
  end)
end)
