-- request_file_spec.lua: the files of a call, as request.c opens them: what
-- an upload sends and under which type, what a download may write to.

local core = require "signicat.core"
local helper = require "spec.helper"
local lfs = require "lfs"

local document = helper.document

local function encode(operation, id, payload, settings)
  settings = settings or {}
  settings.base_url = helper.base_url
  return core.request(settings, operation, id, payload, 0)
end

-- The finding of a request that was not made.
local function refused(request, failure)
  assert.is_nil(request)
  assert.equal("invalid", failure.kind)
  assert.equal(1, #failure.fields)
  return failure.fields[1].name, failure.fields[1].reason
end

describe("an upload", function()
  local folder, remove

  setup(function()
    folder, remove = helper.folder()
    helper.write(folder .. "/ten.txt", "0123456789")
    helper.write(folder .. "/empty.txt", "")
    os.execute("mkfifo '" .. folder .. "/pipe.txt'")
    lfs.link("loop.txt", folder .. "/loop.txt", true)
  end)
  teardown(function() remove() end)

  local function upload(source)
    return encode("uploadDocument", nil, source)
  end

  it("has its file closed once the document is stored", function()
    local sign = helper.client(helper.json(200, { documentId = document }))
    local function descriptors() return #helper.names_in "/proc/self/fd" end
    collectgarbage()
    collectgarbage "stop"
    finally(function() collectgarbage "restart" end)
    local before = descriptors()
    assert(sign.documents:upload { path = folder .. "/ten.txt" })
    assert.equal(before, descriptors())
    sign:close()
  end)

  local function part(name, offset, length)
    return upload { path = folder .. "/" .. name, offset = offset,
                    length = length }
  end

  it("sends content byte by byte as it is", function()
    local bytes = "\0\r\n\255%PDF"
    assert.equal(bytes,
      upload { content = bytes, type = "application/pdf" }.body)
  end)

  -- offset, length, and the bytes that are sent
  local parts = {
    { nil, nil, "0123456789" }, { 0, 10, "0123456789" },
    { 3, nil, "3456789" }, { nil, 4, "0123" }, { 3, 4, "3456" },
    { 9, 1, "9" }, { 10, nil, "" }, { 2.0, 3.0, "234" },
  }
  for _, case in ipairs(parts) do
    local offset, length, bytes = table.unpack(case, 1, 3)
    it(("from offset %s for %s bytes is %q"):format(tostring(offset),
      tostring(length), bytes), function()
        assert.equal(bytes, part("ten.txt", offset, length).body)
      end)
  end

  it("can be read twice from its first byte", function()
    local request = part("ten.txt", 2, 5)
    assert.equal("23456", request.body)
    assert.equal("23456", request.body)
  end)

  it("of an empty file has an empty body", function()
    assert.equal("", part("empty.txt").body)
  end)

  it("larger than any buffer comes whole", function()
    local bytes = ("0123456789abcdef"):rep(20000)
    helper.write(folder .. "/large.txt", bytes)
    assert.equal(bytes, part("large.txt").body)
  end)

  -- name, offset, length: parts that are not there, and what is no file
  local impossible = {
    { "ten.txt", 11, nil }, { "ten.txt", 0, 11 }, { "ten.txt", 10, 1 },
    { "ten.txt", 2^53, nil }, { "ten.txt", 1, 2^53 },
    { "empty.txt", 0, 1 }, { "empty.txt", 1, nil }, { "pipe.txt" },
  }
  for _, case in ipairs(impossible) do
    local name, offset, length = table.unpack(case, 1, 3)
    it(("refuses %s from %s for %s"):format(name, tostring(offset),
      tostring(length)), function()
      local field, reason = refused(part(name, offset, length))
      assert.equal("path", field)
      assert.equal("must be a regular file that has all of the part", reason)
    end)
  end

  it("refuses a device", function()
    assert.equal("path", (refused(upload {
      path = "/dev/zero", type = "text/plain" })))
  end)

  local unreadable = {
    { "a missing file", "none.txt", "No such file or directory" },
    { "a folder", "", "Is a directory" },
    { "a link to itself", "loop.txt", "Too many levels of symbolic links" },
    { "a file below a file", "ten.txt/x.txt", "Not a directory" },
    { "too long a name", ("x"):rep(300), "File name too long" },
  }
  for _, case in ipairs(unreadable) do
    local title, name, reason = table.unpack(case)
    it("fails with io for " .. title, function()
      local path = folder .. "/" .. name
      local request, failure = upload { path = path, type = "text/plain" }
      assert.is_nil(request)
      assert.equal("io", failure.kind)
      assert.equal(path .. ": " .. reason, failure.detail)
      assert.equal("the file to upload could not be read (" .. reason .. ")",
        failure.note)
    end)
  end

  -- a file's name and the type it stands for
  local guessed = {
    ["a.pdf"] = "application/pdf", ["a.PDF"] = "application/pdf",
    ["a.b.txt"] = "text/plain", ["a.md"] = "text/markdown",
    ["a.Markdown"] = "text/markdown",
  }
  for name, media_type in pairs(guessed) do
    it("guesses " .. media_type .. " from " .. name, function()
      helper.write(folder .. "/" .. name, "x")
      assert.equal(media_type, part(name).headers["content-type"])
    end)
  end

  for _, name in ipairs { "a.docx", "a", "pdf", "a.pdf.", "a.pdf/x" } do
    it("guesses nothing from " .. name, function()
      local field, reason = refused(part(name))
      assert.equal("type", field)
      assert.matches("^must be given: the file's extension is not", reason)
    end)
  end

  it("of content guesses nothing", function()
    local field, reason = refused(upload { content = "x" })
    assert.equal("type", field)
    assert.matches("^must be given with `content`", reason)
  end)

  for _, media_type in ipairs {
    "application/pdf", "text/plain; charset=utf-8", "APPLICATION/PDF",
    "application/vnd.some-day+json", "image/png" } do
    it("sends the type " .. media_type .. " as given", function()
      assert.equal(media_type, upload { content = "x", type = media_type }
        .headers["content-type"])
      assert.equal(media_type, upload {
        path = folder .. "/ten.txt", type = media_type,
      }.headers["content-type"])
    end)
  end

  for _, media_type in ipairs { "", "pdf", "a/b\r\nX-Evil: 1", "a/b\n",
                                "a/\127b", "a/b\0" } do
    it(("refuses the type %q"):format(media_type), function()
      local field, reason = refused(upload {
        content = "x", type = media_type })
      assert.equal("type", field)
      assert.equal("must be a media type such as text/plain", reason)
    end)
  end

  it("raises for a path with a NUL in it", function()
    assert.has_error(function() upload { path = "a.pdf\0.txt" } end)
  end)
end)

describe("a target", function()
  local folder, remove

  setup(function()
    folder, remove = helper.folder()
    helper.write(folder .. "/there", "old")
  end)
  teardown(function() remove() end)

  local function target(path, overwrite)
    return encode("getDocument", document, nil,
      { to = path, overwrite = overwrite })
  end

  it("is named and not opened", function()
    assert.equal(folder .. "/new", target(folder .. "/new").sink)
    assert.same({ "there" }, helper.names_in(folder))
  end)

  it("that exists is refused", function()
    local request, failure = target(folder .. "/there")
    assert.is_nil(request)
    assert.equal("io", failure.kind)
    assert.equal(folder .. "/there", failure.detail)
    assert.matches("overwrite = true", failure.note)
  end)

  it("that exists is taken with overwrite", function()
    assert.equal(folder .. "/there", target(folder .. "/there", true).sink)
    assert.equal("old", helper.read(folder .. "/there"))
  end)

  it("that is a folder is refused, overwrite or not", function()
    for _, overwrite in ipairs { false, true } do
      local request, failure = target(folder, overwrite)
      assert.is_nil(request)
      assert.equal("io", failure.kind)
      assert.equal(folder .. ": Is a directory", failure.detail)
    end
  end)

  local hopeless = {
    { "below a file", "/there/x", "Not a directory" },
    { "in a missing folder", "/none/x", "No such file or directory" },
    { "with an empty name", "/none/", "No such file or directory" },
  }
  for _, case in ipairs(hopeless) do
    local title, name, reason = table.unpack(case)
    it(title .. " is refused", function()
      local request, failure = target(folder .. name)
      assert.is_nil(request)
      assert.equal("io", failure.kind)
      assert.equal(folder .. name .. ": " .. reason, failure.detail)
    end)
  end

  it("in the current folder or the root needs no slash in between",
    function()
      assert.equal("no-such-file", target("no-such-file").sink)
      local request, failure = target("/no-such-file")
      assert.is_true(request ~= nil or failure.kind == "io")
    end)

  it("that is a device or a pipe is refused, even with overwrite", function()
    os.execute("mkfifo '" .. folder .. "/pipe'")
    for _, path in ipairs { "/dev/null", "/dev/full", folder .. "/pipe" } do
      local request, failure = target(path, true)
      assert.is_nil(request)
      assert.equal("io", failure.kind)
      assert.equal(path .. ": Operation not supported", failure.detail)
    end
  end)

  it("raises for a path with a NUL in it", function()
    assert.has_error(function() target(folder .. "/a\0b") end)
  end)
end)
