-- stream_spec.lua: what Lua supplies and takes while a document is under way:
-- readers, writers, progress; and documents that break off.

local helper = require "spec.helper"
local sandbox = require "signicat.sandbox"
local signicat = require "signicat"

local ID = helper.document
local TEXT = ("To be signed, with care. "):rep(20000) -- 500 000 bytes

-- Gives the text in pieces of at most `max` bytes.
local function reader_of(text)
  local at = 1
  return function(max)
    if at > #text then return nil end
    local piece = text:sub(at, at + max - 1)
    at = at + #piece
    return piece
  end, function() at = 1 end
end

local function collector()
  local parts = {}
  return parts, function(bytes)
    parts[#parts + 1] = bytes
    return true
  end
end

describe("with the sandbox,", function()
  local service, sign

  setup(function()
    service = assert(sandbox.start())
    sign = assert(service:client())
  end)
  teardown(function()
    sign:close()
    service:stop()
  end)

  local function upload(fields, opts)
    fields.type = fields.type or "text/plain"
    return sign.documents:upload(fields, opts)
  end

  local function uploads_seen()
    return #assert(service:journal { operation = "uploadDocument" })
  end

  describe("a reader", function()
    it("supplies a document of its size, hashed on the way", function()
      local document, meta = assert(upload { reader = reader_of(TEXT),
                                             size = #TEXT })
      assert.is_true(meta.verified)
      assert.is_true(TEXT == assert(sign.documents:download(document)))
    end)

    it("may give pieces of any length", function()
      local lengths, at, turn = { 1, 7, 200000, 3, 299989 }, 1, 0
      local _, meta = assert(upload { size = 500000, reader = function()
        turn = turn + 1
        if not lengths[turn] then return nil end
        local piece = TEXT:sub(at, at + lengths[turn] - 1)
        at = at + #piece
        return piece
      end })
      assert.is_true(meta.verified)
    end)

    it("may be of nothing, and is not asked then", function()
      local asked = false
      local _, err = upload { size = 0, reader = function() asked = true end }
      assert.equal(400, err.status) -- the service wants more than that
      assert.is_false(asked)
    end)

    -- What is wrong with it, the reader, what is said of it.
    local wrong = {
      { "that ends early", reader_of(TEXT:sub(2)), "invalid",
        "ended 1 bytes before its `size`" },
      { "that goes on in a piece of its own", reader_of(TEXT .. "x"),
        "invalid", "has more bytes than its `size`" },
      { "that goes on in the same piece", function()
        return TEXT .. "x"
      end, "invalid", "has more bytes than its `size`" },
      { "that gives nothing", function() return "" end, "invalid",
        "must give a string that is not empty, or nil at its end" },
      { "that gives a number", function() return 17 end, "invalid",
        "must give a string that is not empty, or nil at its end" },
    }
    for _, case in ipairs(wrong) do
      it(case[1] .. " uploads nothing", function()
        local before = uploads_seen()
        local document, err = upload { reader = case[2], size = #TEXT }
        assert.is_nil(document)
        assert.equal(case[3], err.kind)
        assert.same({ { name = "reader", reason = case[4] } }, err.fields)
        assert.is_false(err.ambiguous)
        for i, seen in ipairs(assert(service:journal {
          operation = "uploadDocument" })) do
          assert.is_true(i <= before or seen.status ~= 201)
        end
      end)
    end

    it("that fails is an io error with its reason", function()
      local _, err = upload { size = 10, reader = function()
        return nil, "the tape is torn"
      end }
      assert.same({ "io", "the tape is torn", false },
        { err.kind, err.detail, err.ambiguous })
      assert.is_nil(tostring(err):find("torn", 1, true))
    end)

    it("raises what it raises, and the client goes on", function()
      local reason = { "an object" }
      local ok, raised = pcall(upload, { size = 10,
        reader = function() error(reason) end })
      assert.is_false(ok)
      assert.equal(reason, raised)
      assert.equal(0, sign.transport.loop.multi:running())
      assert(upload { content = "x" })
    end)

    it("may call the client", function()
      local inner
      local _, meta = assert(upload { size = 5, reader = function()
        if inner then return nil end
        inner = assert(upload { content = "another" })
        return "hello"
      end })
      assert.equal(helper.hello_hash, meta.sha256)
      assert.equal("another", (sign.documents:download(inner)))
    end)

    it("may call the client when that has no connection yet", function()
      local fresh = assert(service:client())
      local called
      assert(fresh.documents:upload { type = "text/plain", size = 5,
        reader = function()
          if called then return nil end
          called = assert(fresh.documents:upload { type = "text/plain",
                                                   content = "x" })
          return "hello"
        end })
      assert.truthy(called)
      fresh:close()
    end)

    it("may yield to whoever runs the call", function()
      local thread = coroutine.wrap(function()
        local next_piece, ended = nil, false
        local _, meta = assert(upload { size = 5, reader = function(max)
          if ended then return nil end
          next_piece = coroutine.yield(max)
          ended = true
          return next_piece
        end })
        return meta.sha256
      end)
      assert.equal(5, thread())
      assert(sign.documents:metadata((assert(upload { content = "x" }))))
      assert.equal(helper.hello_hash, thread("hello"))
    end)

    it("goes on where the connection did not when it can rewind", function()
      local reader, rewind = reader_of(TEXT)
      assert(service:faults { { operation = "uploadDocument", fault = "status",
        status = 503, retry_after = 0 } })
      local _, meta = assert(upload({ reader = reader, rewind = rewind,
        size = #TEXT }, { max_retry_after = 1 }))
      assert.is_true(meta.verified)
      assert.equal(2, meta.attempts)
    end)

    it("is never begun twice without rewind", function()
      assert(service:faults { { operation = "uploadDocument", fault = "status",
        status = 503, retry_after = 0 } })
      local _, err = upload { reader = reader_of(TEXT), size = #TEXT }
      assert.same({ "server", 503, 1 }, { err.kind, err.status, err.attempts })
      assert(service:clear_faults())
    end)

    it("without rewind is told that its token was refused", function()
      local process, url = helper.serve("api", "cut_refusal", "api")
      finally(function() process:kill() end)
      local own = assert(signicat.new { base_url = url .. "/sign",
        token_url = url .. "/connect/token", client_id = "c",
        client_secret = "a long secret" })
      local function send()
        return own.documents:upload { type = "text/plain", size = 5,
                                      reader = (reader_of "hello") }
      end
      local _, err = send()
      assert.same({ "auth", 401, 1 }, { err.kind, err.status, err.attempts })
      assert(send())
      own:close()
      assert.same({ POST = 4 }, helper.counts(url))
    end)
  end)

  describe("a writer", function()
    local document

    setup(function()
      document = assert(upload { content = TEXT })
    end)

    it("takes a document in pieces", function()
      local parts, writer = collector()
      local done, meta = assert(sign.documents:download(document,
        { to = writer }))
      assert.is_true(done)
      assert.is_true(meta.verified)
      assert.is_true(TEXT == table.concat(parts))
    end)

    it("that fails is an io error with its reason", function()
      for _, reason in ipairs { "no room", false } do
        local done, err = sign.documents:download(document, { to = function()
          return nil, reason or nil
        end })
        assert.is_nil(done)
        assert.equal("io", err.kind)
        assert.equal(reason or "it returned nothing; it returns true when "
          .. "it took the bytes", err.detail)
        assert.is_false(err.retryable)
      end
    end)

    it("that fails at the last bytes fails the download", function()
      local small = assert(upload { content = "hello" })
      local _, err = sign.documents:download(small, { to = function()
        return nil, "no"
      end })
      assert.same({ "io", "no" }, { err.kind, err.detail })
    end)

    it("raises what it raises", function()
      local ok, raised = pcall(sign.documents.download, sign.documents,
        document, { to = function() error("full", 0) end })
      assert.same({ false, "full" }, { ok, raised })
    end)

    it("may yield, and others call meanwhile", function()
      local thread = coroutine.wrap(function()
        local parts, writer = collector()
        assert(sign.documents:download(document, { to = function(bytes)
          coroutine.yield(#bytes)
          return writer(bytes)
        end }))
        return parts
      end)
      local parts, all = thread(), 0
      while type(parts) == "number" do
        all = all + parts
        assert(sign.documents:metadata(document))
        parts = thread()
      end
      assert.equal(#TEXT, all)
      assert.is_true(TEXT == table.concat(parts))
    end)

    it("loses nothing to who had its connection before", function()
      local text = ("x"):rep(100000)
      local note = assert(sign.documents:upload { content = text,
                                                  type = "text/plain" })
      local left, got = {}, 0
      for i = 1, 12 do
        left[i] = coroutine.create(function()
          assert(sign.documents:download(note, { retries = 0,
            to = function(bytes)
              got = got + #bytes
              coroutine.yield()
              return true
            end }))
        end)
      end
      while #left > 0 do
        for i = #left, 1, -1 do
          local done, raised = coroutine.resume(left[i])
          assert(done, tostring(raised))
          if coroutine.status(left[i]) == "dead" then table.remove(left, i) end
        end
      end
      assert.equal(12 * #text, got)
    end)

    it("is told when the bytes are not those of the hash", function()
      local done, err = sign.documents:download({
        documentId = document.documentId,
        documentHash = { hash = helper.hello_hash },
      }, { to = function() return true end })
      assert.is_nil(done)
      assert.equal("integrity", err.kind)
      assert.matches("the writer has them", tostring(err))
    end)

    it("hears nothing of a refusal", function()
      local parts, writer = collector()
      local _, err = sign.documents:download(ID, { to = writer })
      assert.equal("not_found", err.kind)
      assert.same({}, parts)
    end)

    it("is served by a transport that knows no writers", function()
      local client = helper.client { status = 200, body = "hello" }
      local parts, writer = collector()
      assert.is_true((client.documents:download(ID, { to = writer })))
      assert.same({ "hello" }, parts)
      local _, err = client.documents:download(ID, { to = function()
        return nil, "no"
      end })
      assert.same({ "io", "no" }, { err.kind, err.detail })
    end)
  end)

  describe("on_progress", function()
    local function log()
      local seen = {}
      return seen, function(done, total)
        seen[#seen + 1] = { done, total }
      end
    end

    -- Never goes back, ends with all of it.
    local function climbs(seen)
      assert.is_true(#seen >= 1)
      for i = 2, #seen do assert.is_true(seen[i][1] > seen[i - 1][1]) end
      assert.same({ #TEXT, #TEXT }, seen[#seen])
      -- In whole bytes, in words, too.
      assert.equal(tostring(#TEXT), tostring(seen[#seen][1]))
      assert.equal(tostring(#TEXT), tostring(seen[#seen][2]))
    end

    it("is told of an upload", function()
      local seen, on_progress = log()
      assert(upload({ content = TEXT }, { on_progress = on_progress }))
      climbs(seen)
      seen, on_progress = log()
      assert(upload({ reader = reader_of(TEXT), size = #TEXT },
        { on_progress = on_progress }))
      climbs(seen)
    end)

    it("is told of a download", function()
      local document = assert(upload { content = TEXT })
      local folder, remove = helper.folder()
      for _, to in ipairs { folder .. "/a", function() return true end,
                            false } do
        local seen, on_progress = log()
        assert(sign.documents:download(document,
          { to = to or nil, on_progress = on_progress }))
        climbs(seen)
      end
      remove()
    end)

    it("cancels with false", function()
      local document = assert(upload { content = TEXT:rep(20) })
      local folder, remove = helper.folder()
      local _, err = sign.documents:download(document, { to = folder .. "/a",
        on_progress = function() return false end })
      assert.equal("cancelled", err.kind)
      collectgarbage()
      collectgarbage()
      assert.same({}, helper.names_in(folder))
      remove()
    end)
  end)

  describe("a folder", function()
    local folder, remove

    before_each(function() folder, remove = helper.folder() end)
    after_each(function() remove() end)

    local function named(name)
      local document = assert(upload { content = "hello" })
      if name then
        assert(sign.documents:update(document, { filename = name }))
      end
      return document
    end

    it("gets a document under its own name", function()
      local path, meta = assert(sign.documents:download(
        named "lease 17.txt", { to = folder }))
      assert.equal(folder .. "/lease 17.txt", path)
      assert.is_true(meta.verified)
      assert.equal("hello", helper.read(path))
    end)

    it("gets nothing outside of it", function()
      local path = assert(sign.documents:download(
        named "../../lease.txt", { to = folder .. "/" }))
      assert.equal(folder .. "/lease.txt", path)
    end)

    it("gets a document without a name under its id", function()
      local document = named(nil)
      local path, meta = assert(sign.documents:download(document.documentId,
        { to = folder }))
      assert.equal(folder .. "/" .. document.documentId .. ".txt", path)
      assert.is_true(meta.verified)
    end)

    it("keeps what it has", function()
      local document = named "a.txt"
      assert(sign.documents:download(document, { to = folder }))
      local _, err = sign.documents:download(document, { to = folder })
      assert.equal("io", err.kind)
      assert(sign.documents:download(document,
        { to = folder, overwrite = true }))
    end)

    it("gets what was called for it, whatever its options are told next",
      function()
        local other, remove_other = helper.folder()
        local options, tasks = {}, {}
        local documents = { named "1.txt", named "2.txt" }
        for i, to in ipairs { folder, other } do
          tasks[i] = sign:async(function()
            options.to = to
            return sign.documents:download(documents[i], options)
          end)
        end
        assert.same({ folder .. "/1.txt", other .. "/2.txt" },
          { (tasks[1]:wait()), (tasks[2]:wait()) })
        assert.same({ "2.txt" }, helper.names_in(other))
        remove_other()
      end)

    it("gets nothing of a document that is not there", function()
      local _, err = sign.documents:download(ID, { to = folder })
      assert.equal("not_found", err.kind)
      assert.same({}, helper.names_in(folder))
    end)
  end)
end)

describe("a document that breaks off", function()
  local process, sign, url
  local WHOLE = ("0123456789abcdef"):rep(40000)
  local folder, remove

  local function serve(...)
    process, url = helper.serve(...)
    sign = assert(signicat.new { base_url = url .. "/sign", token = "ready",
      sleep = function() end, random = function() return 0 end })
  end

  local function counts()
    sign:close()
    return helper.counts(url)
  end

  before_each(function() folder, remove = helper.folder() end)
  after_each(function()
    sign:close()
    process:kill()
    remove()
  end)

  local function to_file(opts)
    opts = opts or {}
    opts.to = folder .. "/a"
    return sign.documents:download(ID, opts)
  end

  it("is continued in a file", function()
    serve("document_cut", "document_cut", "document")
    local path, meta = assert(to_file())
    assert.is_true(WHOLE == helper.read(path))
    assert.same({ 206, 3 }, { meta.status, meta.attempts })
    assert.same({ "a" }, helper.names_in(folder))
    assert.same({ GET = 3, ranges = 2 }, counts())
  end)

  it("is continued for a writer, each byte once", function()
    serve("document_cut", "document_cut", "document")
    local parts, writer = collector()
    local seen = 0
    assert(sign.documents:download(ID, { to = writer,
      on_progress = function(done, total)
        assert.is_true(done >= seen and total == #WHOLE)
        seen = done
      end }))
    assert.equal(#WHOLE, seen)
    assert.is_true(WHOLE == table.concat(parts))
    assert.same({ GET = 3, ranges = 2 }, counts())
  end)

  it("is continued after it stood still", function()
    serve("document_stall", "document")
    -- More than two attempts where the server is stopped in the second.
    local path, meta = assert(to_file { stall_timeout = 0.5, retries = 9,
                                        first_byte_timeout = 15 })
    assert.is_true(WHOLE == helper.read(path))
    assert.is_true(meta.attempts > 1)
    assert.same({ GET = meta.attempts, ranges = meta.attempts - 1 }, counts())
  end)

  it("begins again in a file when it is another one by now", function()
    serve("document_cut", "another_document")
    local path, meta = assert(to_file())
    assert.is_true(WHOLE == helper.read(path))
    assert.equal(200, meta.status)
    assert.same({ GET = 2, ranges = 1 }, counts())
  end)

  it("fails a writer when it is another one by now", function()
    serve("document_cut", "another_document")
    local parts, writer = collector()
    local _, err = sign.documents:download(ID, { to = writer })
    assert.same({ "connect", false }, { err.kind, err.retryable })
    assert.equal(#WHOLE / 2, #table.concat(parts))
  end)

  for _, plan in ipairs { "weak_document_cut", "plain_document_cut" } do
    it("begins again in a file after " .. plan, function()
      serve(plan, "document")
      assert.is_true(WHOLE == helper.read(assert(to_file())))
      assert.same({ GET = 2 }, counts())
    end)

    it("fails a writer after " .. plan, function()
      serve(plan, "document")
      local _, writer = collector()
      local _, err = sign.documents:download(ID, { to = writer })
      assert.same({ "connect", "body", false },
        { err.kind, err.phase, err.retryable })
      assert.same({ GET = 1 }, counts())
    end)
  end

  it("leaves nothing when all attempts fail", function()
    serve("document_cut")
    local _, err = to_file()
    assert.equal(3, err.attempts)
    assert.same({}, helper.names_in(folder))
  end)

  it("is not continued with retries = 0", function()
    serve("document_cut", "document")
    local _, err = to_file { retries = 0 }
    assert.equal("connect", err.kind)
    assert.same({ GET = 1 }, counts())
  end)

  for _, plan in ipairs { "part", "short_rest", "long_rest",
                          "rest_of_another" } do
    it("is not continued with a " .. plan, function()
      serve("document_cut", plan)
      local _, err = to_file()
      assert.same({ "protocol", 206 }, { err.kind, err.status })
      assert.same({}, helper.names_in(folder))
    end)

    it("is not whole for a writer after a " .. plan, function()
      serve("document_cut", plan)
      local _, writer = collector()
      local _, err = sign.documents:download(ID, { to = writer })
      assert.same({ "protocol", 206 }, { err.kind, err.status })
    end)
  end

  it("is not taken for whole when only a part came", function()
    serve("part")
    local _, err = to_file()
    assert.equal("protocol", err.kind)
    local parts, writer = collector()
    _, err = sign.documents:download(ID, { to = writer })
    assert.same({ "protocol", {} }, { err.kind, parts })
    _, err = sign.documents:download(ID)
    assert.equal("protocol", err.kind)
    assert.same({}, helper.names_in(folder))
  end)
end)
