-- The clock that tests move on, and what follows it.

local service = require "spec.sandbox.service"

local CLOCK <const> = "/_sandbox/clock"

describe("the sandbox's clock", function()
  local sandbox

  before_each(function() sandbox = service.start() end)
  after_each(function() sandbox:finish() end)

  local function advance(seconds)
    return sandbox:call("POST", CLOCK, { advance = seconds })
  end

  -- Seconds since 1970 of a time as the sandbox writes it.
  local function seconds_of(text)
    local year, month, day, hour, min, sec = text:match
      "^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)[%d.]*Z$"
    local as_local = os.time { year = year, month = month, day = day,
                               hour = hour, min = min, sec = sec,
                               isdst = false }
    local utc = os.date("!*t", as_local)
    utc.isdst = false
    return as_local + (as_local - os.time(utc))
  end

  local function ahead()
    local _, clock = sandbox:call("GET", CLOCK)
    return seconds_of(clock.now) - os.time(), clock.advanced
  end

  it("is the system's as long as nobody moves it", function()
    local by, advanced = ahead()
    assert.is_true(math.abs(by) <= 20)
    assert.equal(0, advanced)
  end)

  it("moves on by what it is told, again and again", function()
    local status, clock = advance(100)
    assert.equal(200, status)
    assert.equal(100, clock.advanced)
    advance(0)
    advance(900)
    local by, advanced = ahead()
    assert.is_true(math.abs(by - 1000) <= 20)
    assert.equal(1000, advanced)
  end)

  it("refuses to go back, by pieces, too far, or with other words", function()
    local ten_years = 3650 * 86400
    for _, body in ipairs {
      {}, { advance = -1 }, { advance = 0.5 }, { advance = "1" },
      { advance = ten_years + 1 }, { advance = 1, to = 2 }, { to = 2 },
    } do
      assert.equal(400, (sandbox:call("POST", CLOCK, body)))
    end
    assert.equal(200, (advance(ten_years)))
    assert.equal(400, (advance(1)))
    assert.equal(ten_years, select(2, ahead()))
  end)

  it("ends tokens", function()
    advance(599)
    assert.equal(200, (sandbox:call("GET", "/sign/signing-sessions")))
    advance(2)
    local status, answer = sandbox:call("GET", "/sign/signing-sessions")
    assert.equal(401, status)
    assert.equal("invalid_token", answer.code)
    sandbox:renew()
    assert.equal(200, (sandbox:call("GET", "/sign/signing-sessions")))
  end)

  it("ends signing URLs", function()
    local session = sandbox:session { signatureUrlTTL = 5 }
    local page = session.signatureUrl:sub(#sandbox.url + 1)
    advance(299)
    assert.equal(200, (sandbox:call("GET", page)))
    advance(2)
    assert.equal(410, (sandbox:call("GET", page)))
  end)

  it("lets due dates pass", function()
    local session = sandbox:session {
      dueDate = os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() + 3600),
      signingSetup = { { signingFlow = "AUTHENTICATION_BASED" } },
    }
    advance(3602)
    local status, answer = sandbox:sign(session)
    assert.equal(409, status)
    assert.matches("due date", answer.detail, 1, true)
  end)

  it("allows due dates as far ahead of it as of the present", function()
    local due = os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() + 60 * 86400)
    advance(20 * 86400)
    sandbox:renew()
    assert.equal("READY", sandbox:session { dueDate = due }.lifecycle.state)
  end)

  it("is what things are created by, and the Date of answers", function()
    local day = 86400
    advance(day)
    sandbox:renew()
    local function tomorrow() return os.date("!%d %b %Y", os.time() + day) end
    local before = tomorrow()
    local document, headers = sandbox:upload()
    local by = seconds_of(document.createdAt) - os.time()
    assert.is_true(math.abs(by - day) <= 20)
    local date = headers.date:match "^%a+, (.-) %d%d:"
    assert.is_true(date == before or date == tomorrow())
    local entry = sandbox:journal("?operation=uploadDocument")[1]
    assert.is_true(math.abs(seconds_of(entry.at) - os.time() - day) <= 20)
  end)
end)
