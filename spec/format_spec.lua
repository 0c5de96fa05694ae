-- format_spec.lua: ids, dates and URLs, seen through the fields that have
-- them.

local core = require "signicat.core"
local payloads = require "spec.support.payloads"

local uuid = payloads.uuid

local forms = {
  {
    name = "an id",
    path = "[1].documents[1].documentId",
    reason = "must be an id of the form 8-4-4-4-12 hexadecimal digits",
    good = {
      uuid,
      uuid:upper(),
      "00000000-0000-0000-0000-000000000000",
      "ffffffff-ffff-ffff-ffff-ffffffffffff",
      "0197e3d2-0c6e-7b0a-9b7e-1f2d3c4b5a69", -- version 7, as live ones are
    },
    bad = {
      "",
      uuid:sub(1, -2),
      uuid .. "0",
      uuid .. "\n",
      uuid .. "\0",
      "{" .. uuid .. "}",
      "urn:uuid:" .. uuid,
      (uuid:gsub("%-", "")),
      (uuid:gsub("d", "g")),
      (uuid:gsub("%-", "+")),
      "d123456-789ab-cdef-0123-456789abcdef",
    },
  },
  {
    name = "a date and time",
    path = "[1].dueDate",
    reason = "must be a date and time like 2025-04-01T17:32:28Z",
    good = {
      "2023-04-12T10:30:00Z",
      "2023-04-12t10:30:00z",
      "2023-04-12T10:30:00+02:00",
      "2023-04-12T10:30:00-23:59",
      "2023-04-12T10:30:00-00:00",
      "2023-04-12T10:30:00.1Z",
      "2025-07-07T10:31:26.355228387Z",
      "2024-02-29T00:00:00Z",
      "2000-02-29T00:00:00Z",
      "0000-02-29T00:00:00Z",
      "2023-12-31T23:59:59Z",
      "2016-12-31T23:59:60Z",
      "2017-01-01T00:59:60+01:00", -- the same second
      "1990-12-31T15:59:60-08:00",
    },
    bad = {
      "",
      "2023-04-12",
      "10:30:00Z",
      "2023-04-12T10:30Z",
      "2023-04-12T10:30:00",
      "2023-04-12 10:30:00Z",
      "2023-4-12T10:30:00Z",
      "23-04-12T10:30:00Z",
      "+2023-04-12T10:30:00Z",
      "2023-00-12T10:30:00Z",
      "2023-13-12T10:30:00Z",
      "2023-04-00T10:30:00Z",
      "2023-04-31T10:30:00Z",
      "2023-02-29T10:30:00Z",
      "1900-02-29T10:30:00Z",
      "2023-04-12T24:00:00Z",
      "2023-04-12T10:60:00Z",
      "2023-04-12T10:30:61Z",
      "2023-04-12T10:30:60Z", -- no leap second in the middle of a day
      "2016-12-31T23:59:60+01:00",
      "2023-04-12T10:30:00.Z",
      "2023-04-12T10:30:00,5Z",
      "2023-04-12T10:30:00.1234567890Z",
      "2023-04-12T10:30:00.5",
      "2023-04-12T10:30:00+0200",
      "2023-04-12T10:30:00+02",
      "2023-04-12T10:30:00+24:00",
      "2023-04-12T10:30:00+02:60",
      "2023-04-12T10:30:00 02:00",
      "2023-04-12T10:30:00UTC",
      "2023-04-12T10:30:00ZZ",
      "2023-04-12T10:30:00Z\0",
      "2023-04-12T10:30:-1Z",
    },
  },
  {
    name = "a URL",
    path = "[1].redirectSettings.success",
    reason = "must be an absolute URL without spaces",
    good = {
      "https://shop.example/ok",
      "HTTPS://shop.example",
      "http://127.0.0.1:8080/ok?order=17&step=2#end",
      "https://[::1]:8443/",
      "https://user@shop.example/",
      "https://bücher.example/größe",
      "com.shop-app.v2+x://signed?order=17",
      "shopapp:signed",
    },
    bad = {
      "",
      "/ok",
      "shop.example/ok",
      "//shop.example/ok",
      "https:",
      "https:/ok",
      "https://",
      "https:///ok",
      "https://?order=17",
      "https://#end",
      "https://:8443/ok",
      "https://user@/ok",
      "http://user@:80",
      "https://shop.example/a b",
      "https://shop.example/\n",
      "https://shop.example/\0",
      "https://shop.example/\127",
      "https://shop.example/\255",
      " https://shop.example/",
      ":signed",
      "1app:signed",
      "shop_app:signed",
      "shopapp:",
    },
  },
}

local function check(path, value)
  local payload = payloads.set({ payloads.session() }, path, value)
  return core.validate("createSigningSession", payload, { now = 1.75e9 })
end

for _, form in ipairs(forms) do
  describe(form.name, function()
    for _, value in ipairs(form.good) do
      it(("may be %q"):format(value), function()
        assert.is_nil(check(form.path, value))
      end)
    end

    for _, value in ipairs(form.bad) do
      it(("cannot be %q"):format(value), function()
        assert.same({ { name = form.path, reason = form.reason } },
                    check(form.path, value))
      end)
    end

    it("is a string", function()
      for _, value in ipairs { 17, true, {}, { uuid }, print } do
        assert.same({ { name = form.path, reason = form.reason } },
                    check(form.path, value))
      end
    end)
  end)
end

describe("a due date", function()
  local now = 1743528748 -- 2025-04-01T17:32:28Z
  local function due(date)
    local payload = payloads.set({ payloads.session() }, "[1].dueDate", date)
    return core.validate("createSigningSession", payload, { now = now })
  end
  local too_far = {
    { name = "[1].dueDate", reason = "must be at most 45 days ahead" },
  }

  it("may lie in the past, which is the server's to judge", function()
    assert.is_nil(due "2025-04-01T17:32:27Z")
    assert.is_nil(due "1969-12-31T23:59:59Z")
    assert.is_nil(due "0000-01-01T00:00:00Z")
  end)

  it("may be 46 days ahead, one of them for clocks that differ", function()
    assert.is_nil(due "2025-05-16T17:32:28Z")
    assert.is_nil(due "2025-05-17T17:32:28Z")
    assert.same(too_far, due "2025-05-17T17:32:29Z")
    assert.same(too_far, due "9999-12-31T23:59:59Z")
  end)

  it("is compared in UTC", function()
    assert.is_nil(due "2025-05-17T19:32:28+02:00")
    assert.same(too_far, due "2025-05-17T19:32:29+02:00")
    assert.is_nil(due "2025-05-17T07:02:28-10:30")
    assert.same(too_far, due "2025-05-17T07:02:29-10:30")
  end)

  it("is compared with the host's clock when none is given", function()
    local function check_in(days)
      local date = os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() + days * 86400)
      local payload = payloads.set({ payloads.session() }, "[1].dueDate", date)
      return core.validate("createSigningSession", payload)
    end
    assert.is_nil(check_in(45))
    assert.same(too_far, check_in(47))
  end)
end)
