-- exchange_spec.lua: a request's bytes as a transport written in Lua gets
-- them, and what it makes a response of.

local core = require "signicat.core"
local helper = require "spec.helper"

local ID = helper.document
local SETTINGS = { base_url = helper.base_url }

local function upload(source)
  source.type = "text/plain"
  return assert(core.request(SETTINGS, "uploadDocument", nil, source,
    core.wall_clock()))
end

local function download(to)
  return assert(core.request({ base_url = helper.base_url, to = to },
    "getDocument", ID, nil, core.wall_clock()))
end

-- All pieces of a body that lies in memory or in a file.
local function drain(request)
  local pieces, last = {}, false
  while not last do
    pieces[#pieces + 1], last = assert(request:read())
  end
  return table.concat(pieces), #pieces
end

local function respond(fields)
  local all = { status = 200, lines = "", body = {}, timing = {} }
  for name, value in pairs(fields) do all[name] = value end
  return core.response(all)
end

describe("a request, to a transport with sockets of its own,", function()
  local folder, remove

  before_each(function() folder, remove = helper.folder() end)
  after_each(function() remove() end)

  it("gives its body in pieces of 64 KiB, from the beginning each time",
    function()
      local text = ("0123456789"):rep(20000)
      local path = helper.write(folder .. "/a", text)
      for _, source in ipairs { { content = text }, { path = path } } do
        local request = upload(source)
        for _ = 1, 2 do
          assert.is_true(request:begin())
          local bytes, count = drain(request)
          assert.is_true(bytes == text)
          assert.equal(4, count)
        end
        request:close()
      end
      os.remove(path)
    end)

  it("gives one empty piece of a body of nothing, and of none", function()
    for _, request in ipairs { upload { content = "" },
                               assert(core.raw_request(SETTINGS, "GET", "/x",
                                 {})) } do
      assert.is_true(request:begin())
      assert.same({ "", true }, { request:read() })
    end
  end)

  it("says that its file became shorter", function()
    local path = helper.write(folder .. "/a", "0123456789")
    local request = upload { path = path }
    assert.is_true(request:begin())
    helper.write(path, "0")
    local piece, failure
    repeat piece, failure = request:read() until not piece
    assert.equal("io", failure.kind)
    request:close()
    os.remove(path)
  end)

  it("asks a reader for what is missing, and to begin again", function()
    local request = upload { reader = function() end, size = 5,
                             rewind = function() end }
    assert.is_true(request:begin())
    assert.same({ 5, false }, { request:wanted() })
    request:feed "hel"
    assert.is_nil((request:wanted()))
    assert.same({ "hel", false }, { request:read() })
    assert.same({ 2, false }, { request:wanted() })
    assert.is_true(request:begin())
    assert.same({ 5, true }, { request:wanted() })
    request:feed "hello"
    assert.same({ "hello", true }, { request:read() })
    assert.is_nil((request:wanted()))
    assert.is_function(request:streams().reader)
  end)

  it("begins no body again that cannot", function()
    local request = upload { reader = function() end, size = 5 }
    assert.is_true(request:begin())
    request:feed "h"
    request:read()
    local begun, failure = request:begin()
    assert.is_nil(begun)
    assert.equal("io", failure.kind)
  end)

  it("hashes what it gave", function()
    local request = upload { content = "hello" }
    assert.is_true(request:begin())
    drain(request)
    local body = ('{"documentId":"%s","documentHash":{"hash":"%s",'
      .. '"hashAlgorithm":"SHA256"}}'):format(ID, helper.hello_hash)
    local _, meta = assert(core.decode(request, respond { body = { body } }))
    assert.same({ helper.hello_hash, true }, { meta.sha256, meta.verified })
  end)

  it("writes a document to its file, and names it in the end", function()
    local request = download(folder .. "/b")
    assert.is_true(request:begin())
    assert.is_true(request:receive(200, "", 5))
    assert.is_true(request:write "he")
    assert.is_true(request:write "llo")
    assert.same({ 5, 5 }, { request:moved() })
    assert.is_nil(io.open(folder .. "/b"))
    local path, meta = assert(core.decode(request, respond {}))
    assert.equal(helper.hello_hash, meta.sha256)
    assert.equal("hello", helper.read(path))
    os.remove(path)
  end)

  it("has a writer take before there is more", function()
    local request = download(function() return true end)
    assert.is_true(request:begin())
    assert.is_true(request:receive(200, ""))
    assert.is_true(request:write(("a"):rep(65536)))
    assert.is_false(request:write "b")
    assert.equal(65536, #request:take())
    assert.is_nil((request:take()))
    assert.is_true(request:write "b")
    assert.equal("b", request:take())
  end)

  it("goes on where a document broke off, and only there", function()
    local request = download(folder .. "/c")
    local lines = 'Accept-Ranges: bytes\r\nETag: "x"\r\n'
    assert.is_true(request:begin())
    assert.is_true(request:receive(200, lines, 5))
    request:write "he"
    local failure = { kind = "connect" }
    request:broke(failure, true)
    assert.is_nil(failure.retryable)
    assert.is_true(request:begin())
    assert.same({ 2, '"x"' }, { request:range() })
    local taken, misfit = request:receive(206, "Content-Range: bytes 3-4/5\r\n",
      2)
    assert.is_nil(taken)
    assert.equal("protocol", misfit.kind)
    assert.is_true(request:receive(206, "Content-Range: bytes 2-4/5\r\n", 3))
    request:write "llo"
    local path = assert(core.decode(request, respond { status = 206 }))
    assert.equal("hello", helper.read(path))
    os.remove(path)
  end)

  it("forgets a part that nothing goes on from", function()
    local request = download(folder .. "/d")
    assert.is_true(request:begin())
    assert.is_true(request:receive(200, "", 5))
    request:write "he"
    request:broke({ kind = "connect" }, true)
    assert.is_nil((request:range()))
    assert.same({}, helper.names_in(folder))
    request = download(function() return true end)
    assert.is_true(request:begin())
    assert.is_true(request:receive(200, "", 5))
    request:write "he"
    local failure = { kind = "connect" }
    request:broke(failure, false)
    assert.is_false(failure.retryable)
  end)

  it("says its limits", function()
    local request = assert(core.request({ base_url = helper.base_url,
      connect_timeout = 1, first_byte_timeout = 2, stall_timeout = 3,
      max_body = 4 }, "getSigningSession", ID))
    assert.same({ 1, 2, 3, 4 }, { request:limits() })
  end)

  it("takes no other object for one", function()
    local method = upload { content = "" }.read
    for _, other in ipairs { core.response { body = {}, timing = {} }, {},
                             "x" } do
      assert.is_false((pcall(method, other)))
    end
  end)
end)

describe("a response made of its parts", function()
  it("reads like one of curl's", function()
    local response = respond { status = 201, lines = "A: 1\r\nB: 2\r\n",
      body = { "ab", "", "c" }, reused = true, resent = true,
      timing = { connect = 0.5, total = 2 } }
    assert.equal(201, response.status)
    assert.same({ a = "1", b = "2" }, response.headers)
    assert.equal("abc", response.body)
    assert.same({ true, true, 1 },
      { response.reused, response.resent, response.attempts })
    assert.same({ name_lookup = 0, connect = 0.5, tls = 0, first_byte = 0,
                  total = 2 }, response.timing)
  end)

  it("is refused without a body or timing", function()
    for _, fields in ipairs { {}, { body = {} }, { body = "x" } } do
      assert.is_false((pcall(core.response, fields)))
    end
  end)

  it("joins a header that came twice with a comma", function()
    assert.same({ ["x-a"] = "1, 2, 3", ["x-b"] = "4" }, respond {
      lines = "X-A: 1\r\nx-b: 4\r\nx-a: 2\r\nX-A: 3\r\n" }.headers)
  end)

  it("has the fields it was given and takes two more", function()
    local response = respond { status = 201, reused = true,
      lines = "X-Request-Id: r-1\r\n", body = { "a", "b" },
      timing = { total = 2 } }
    response.attempts, response.repeated = 3, true
    local read = {}
    for _, name in ipairs { "status", "reused", "resent", "request_id", "body",
                            "attempts", "repeated", "sha256", "verified",
                            "colour", 7 } do
      read[name] = response[name]
    end
    assert.same({ status = 201, reused = true, resent = false,
      request_id = "r-1", body = "ab", attempts = 3, repeated = true }, read)
    assert.equal(2, response.timing.total)
    assert.is_nil(respond({}).request_id)
    response.request_id = nil
    assert.is_nil(response.request_id)
    assert.has_error(function() response.request_id = "r-2" end,
      "a response has no writable field 'request_id'")
    assert.has_error(function() response.status = 200 end,
      "a response has no writable field 'status'")
  end)
end)
