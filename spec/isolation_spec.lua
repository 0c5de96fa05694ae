-- Nothing of the environment leads a client, the sandbox or an example to
-- another host: everything below points to a decoy, which must stay alone.

local helper = require "spec.helper"
local signicat = require "signicat"

local NAMES = {
  "SIGNICAT_BASE_URL", "SIGNICAT_TOKEN_URL", "http_proxy", "https_proxy",
  "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy",
}

describe("with an environment that points elsewhere", function()
  local decoy, url

  setup(function() decoy, url = helper.serve "ok" end)

  teardown(function()
    decoy:kill()
  end)

  --- The requests that the decoy was asked.
  local function requests_at_decoy()
    local sum = 0
    for _, count in pairs(helper.counts(url)) do sum = sum + count end
    return sum
  end

  local function environment()
    local words = { "no_proxy= NO_PROXY=",
                    "SIGNICAT_CLIENT_ID=false SIGNICAT_CLIENT_SECRET=false" }
    for _, name in ipairs(NAMES) do
      words[#words + 1] = name .. "=" .. url
    end
    return table.concat(words, " ")
  end

  it("runs the whole loop without asking there", function()
    local before = requests_at_decoy()
    local pipe = assert(io.popen(("env %s '%s' spec/support/loop.lua 2>&1")
      :format(environment(), helper.lua)))
    local output = pipe:read("*a")
    pipe:close()
    assert.equal("READY\n", output)
    assert.equal(before, requests_at_decoy())
  end)

  it("would be seen there if it asked", function()
    local before = requests_at_decoy()
    local client = assert(signicat.new {
      base_url = url, token = "ready" })
    client.sessions:get("f05d0dce-a7af-432b-b6b8-e455ab7c0858")
    client:close()
    assert.equal(before + 1, requests_at_decoy())
  end)
end)
