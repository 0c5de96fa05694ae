-- head_spec.lua: what the nginx transport makes of an answer's head.

local head = require "signicat.transport.head"

local function parse(text)
  return head.parse((text:gsub("\n", "\r\n")))
end

describe("the head of an answer", function()
  it("ends behind its empty line, with either end of line", function()
    for _, text in ipairs { "HTTP/1.1 200 OK\r\nA: b\r\n\r\n", "a\nb\n\n",
                            "a\n\r\n" } do
      assert.equal(#text + 1, head.ending(text .. "body\n\n"))
    end
    assert.is_nil(head.ending "HTTP/1.1 200 OK\r\nA: b\r\n")
  end)

  it("is taken apart, names in lower case and repeated ones joined", function()
    local it = assert(parse "HTTP/1.1 200 OK\nETag:  \"x\" \nA: 1\nA: 2\n\n")
    assert.same({ status = 200, minor = 1,
      lines = "ETag:  \"x\" \r\nA: 1\r\nA: 2\r\n",
      fields = { etag = '"x"', a = "1, 2" } }, it)
  end)

  for _, text in ipairs { "HTTP/1.1 204\n\n", "HTTP/1.1 204 \n\n",
                          "HTTP/1.0 204 No Content\n\n" } do
    it("may begin " .. text:match "[^\n]*", function()
      assert.equal(204, assert(parse(text)).status)
    end)
  end

  for name, text in pairs {
    ["greets"] = "Good morning!\n\n",
    ["is of another HTTP"] = "HTTP/2 200\n\n",
    ["has a status of two digits"] = "HTTP/1.1 20 OK\n\n",
    ["has a status of four digits"] = "HTTP/1.1 2000 OK\n\n",
    ["folds a line"] = "HTTP/1.1 200 OK\nA: b\n c\n\n",
    ["has a space before a colon"] = "HTTP/1.1 200 OK\nA : b\n\n",
    ["has a line without a colon"] = "HTTP/1.1 200 OK\nA\n\n",
    ["has a NUL"] = "HTTP/1.1 200 OK\nA: b\0c\n\n",
  } do
    it("is none when it " .. name, function()
      local it, reason = parse(text)
      assert.is_nil(it)
      assert.is_string(reason)
    end)
  end
end)

describe("the body behind a head", function()
  local function framing(lines, method, status)
    local it = assert(parse("HTTP/1.1 " .. (status or 200) .. " X\n" .. lines
      .. "\n"))
    return { head.framing(it, method or "GET") }
  end

  for _, case in ipairs {
    { { "length", 5 }, "Content-Length: 5\n" },
    { { "length", 0 }, "Content-Length: 0\n" },
    { { "length", 5 }, "Content-Length: 5, 5\n" },
    { { "length", 5 }, "Content-Length: 5\nContent-Length: 5\n" },
    { { "chunked" }, "Transfer-Encoding: Chunked\n" },
    { { "close" }, "" },
    { { "none" }, "Content-Length: 5\n", "HEAD" },
    { { "none" }, "Content-Length: 5\n", "GET", 304 },
    { { "none" }, "", "DELETE", 204 },
    { { "none" }, "", "GET", 103 },
  } do
    it(("of %q, %s, %s is %s"):format(case[2], case[3] or "GET",
      case[4] or 200, case[1][1]), function()
      assert.same(case[1], framing(case[2], case[3], case[4]))
    end)
  end

  for _, lines in ipairs {
    "Content-Length: 5\nContent-Length: 6\n", "Content-Length: -5\n",
    "Content-Length: +5\n", "Content-Length: 0x5\n", "Content-Length: \n",
    "Content-Length: 5, \n", "Content-Length: 9999999999999999\n",
    "Transfer-Encoding: gzip, chunked\n", "Transfer-Encoding: identity\n",
    "Transfer-Encoding: chunked\nContent-Length: 5\n",
  } do
    it(("of %q has no end that is sure"):format(lines), function()
      assert.is_nil(framing(lines)[1])
      assert.is_string(framing(lines)[2])
    end)
  end
end)

describe("a connection", function()
  local function kept(text)
    return head.keeps_alive(assert(parse(text)))
  end

  it("is kept by HTTP/1.1, unless it says close", function()
    assert.is_true(kept "HTTP/1.1 200 OK\n\n")
    assert.is_true(kept "HTTP/1.1 200 OK\nConnection: closer\n\n")
    assert.is_false(kept "HTTP/1.1 200 OK\nConnection: x, Close\n\n")
    assert.is_false(kept "HTTP/1.0 200 OK\nConnection: keep-alive\n\n")
  end)
end)

describe("a chunk's first line", function()
  it("says a size in hexadecimal digits, and no other way", function()
    for line, size in pairs { ["0"] = 0, ["1aF"] = 431, ["5;a=b"] = 5,
                              ["5 ; a"] = 5, ["00005"] = 5 } do
      assert.equal(size, head.chunk_size(line), line)
    end
    for _, line in ipairs { "", "x", "-5", "0x5", "5 5", ";", "+5",
                            "1000000000000" } do
      assert.is_nil(head.chunk_size(line), line)
    end
  end)
end)
