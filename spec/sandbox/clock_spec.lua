-- The clock that tests move on, and what follows it.

local service = require "spec.sandbox.service"
local socket = require "socket"

local CLOCK <const> = "/_sandbox/clock"

describe("the sandbox's clock", function()
  local sandbox

  before_each(function() sandbox = service.start() end)
  after_each(function() sandbox:finish() end)

  local function advance(seconds)
    return sandbox:call("POST", CLOCK, { advance = seconds })
  end

  -- The system's time; os.time may be some milliseconds late.
  local function now() return math.floor(socket.gettime()) end

  -- A time that was told since `from` is so many seconds ahead.
  local function assert_ahead(seconds, from, text)
    local at = service.seconds_of(text) - seconds
    assert.is_true(from <= at and at <= now(), text)
  end

  local function assert_clock(seconds)
    local from = now()
    local _, clock = sandbox:call("GET", CLOCK)
    assert_ahead(seconds, from, clock.now)
    assert.equal(seconds, clock.advanced)
  end

  it("is the system's as long as nobody moves it", function()
    assert_clock(0)
  end)

  it("moves on by what it is told, again and again", function()
    local status, clock = advance(100)
    assert.equal(200, status)
    assert.equal(100, clock.advanced)
    advance(0)
    advance(900)
    assert_clock(1000)
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
    assert_clock(ten_years)
  end)

  -- Ends are met to a minute, which is for what happens here meanwhile.
  it("ends tokens", function()
    advance(540)
    assert.equal(200, (sandbox:call("GET", "/sign/signing-sessions")))
    advance(61)
    local status, answer = sandbox:call("GET", "/sign/signing-sessions")
    assert.equal(401, status)
    assert.equal("invalid_token", answer.code)
    sandbox:renew()
    assert.equal(200, (sandbox:call("GET", "/sign/signing-sessions")))
  end)

  it("ends signing URLs", function()
    local session = sandbox:session { signatureUrlTTL = 5 }
    local page = session.signatureUrl:sub(#sandbox.url + 1)
    advance(240)
    assert.equal(200, (sandbox:call("GET", page)))
    advance(61)
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
    local function tomorrow() return os.date("!%d %b %Y", now() + day) end
    local before, from = tomorrow(), now()
    local document, headers = sandbox:upload()
    assert_ahead(day, from, document.createdAt)
    local date = headers.date:match "^%a+, (.-) %d%d:"
    assert.is_true(date == before or date == tomorrow())
    local entry = sandbox:journal("?operation=uploadDocument")[1]
    assert_ahead(day, from, entry.at)
  end)
end)
