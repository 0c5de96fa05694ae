-- What of an account's secrets and of people's data lies where in a data
-- folder and the log: each has its places, and is in no other.

local lfs = require "lfs"
local service = require "spec.sandbox.service"

-- Where something may be as it stands, by the names of files in the data
-- folder; `log` is that of requests. What is not said is nowhere. In a result
-- a signer's name is part of a certificate, which is not its text.
local PLACES <const> = {
  ["the access token"] = {},
  ["the client secret"] = { credentials = true },
  ["a signing URL's id"] = {},
  ["a webhook's secret"] = { database = true },
  ["a document"] = { documents = true },
  ["a document's title"] = { database = true },
  ["a document's description"] = { database = true },
  ["a session's title"] = { database = true },
  ["a signer's number"] = { database = true },
  ["a signer's name"] = { database = true },
  ["a signer's mail"] = { database = true },
  ["a signer's mobile"] = { database = true },
  ["a redirect's URL"] = { database = true },
  ["a document's filename"] = { database = true },
  ["an external reference"] = { database = true },
  ["a text to agree to"] = { database = true },
  ["a reason to reject"] = { database = true },
  ["the authority's key"] = { ["authority.pem"] = true },
}

local function place_of(path)
  local name = path:match "[^/]+$"
  if path:find "/documents/" then return "documents" end
  if name:find "^sandbox%.db" then return "database" end
  return name
end

local function each_file(folder, visit)
  for name in lfs.dir(folder) do
    local path = folder .. "/" .. name
    if name ~= "." and name ~= ".." then
      if lfs.attributes(path, "mode") == "directory" then
        each_file(path, visit)
      else
        visit(path)
      end
    end
  end
end

describe("the sandbox's data folder and log", function()
  local folder, sandbox

  before_each(function()
    folder = service.folder()
    sandbox = service.start("--data", folder, "--log", folder .. "/log")
  end)
  after_each(function()
    sandbox:stop()
    service.remove(folder)
  end)

  -- Where each of these words is found.
  local function find(words)
    local found = {}
    for what in pairs(words) do found[what] = {} end
    each_file(folder, function(path)
      local bytes = service.read(path)
      for what, word in pairs(words) do
        if bytes:find(word, 1, true) then
          found[what][place_of(path)] = true
        end
      end
    end)
    return found
  end

  it("have secrets and people's data in their places only", function()
    local words = {
      ["the access token"] = sandbox.token,
      ["the client secret"] = sandbox.client_secret,
      ["a webhook's secret"] = "CANARYwebhook",
      ["a document"] = "CANARYcontent",
      ["a document's title"] = "CANARYtitle",
      ["a document's description"] = "CANARYdescription",
      ["a session's title"] = "CANARYsession",
      ["a signer's number"] = "19010112345",
      ["a signer's name"] = "CANARYNordmann",
      ["a signer's mail"] = "CANARYmail@shop.example",
      ["a signer's mobile"] = "+4790001234",
      ["a redirect's URL"] = "https://shop.example/CANARYback",
      ["a document's filename"] = "CANARYfile.txt",
      ["an external reference"] = "CANARYreference",
      ["a text to agree to"] = "CANARYagreed",
      ["a reason to reject"] = "CANARYreason",
      ["the authority's key"] = "PRIVATE KEY",
    }
    assert.equal(201, (sandbox:call("POST", "/_sandbox/webhooks",
      { url = "http://127.0.0.1:1/", secret = words["a webhook's secret"] })))
    local document = sandbox:upload(words["a document"] .. " and more")
    assert.equal(200, (sandbox:call("PATCH", "/sign/documents/"
      .. document.documentId .. "/metadata", {
        title = words["a document's title"],
        filename = words["a document's filename"],
        description = words["a document's description"] })))
    local fields = { title = words["a session's title"],
      contents = { words["a document"] },
      signingSetup = { { signingFlow = "AUTHENTICATION_BASED" } },
      signText = words["a text to agree to"],
      externalReference = words["an external reference"],
      signer = {
        nationalIdentificationNumber = words["a signer's number"],
        email = words["a signer's mail"],
        mobile = words["a signer's mobile"] },
      redirectSettings = { success = words["a redirect's URL"],
                           cancel = words["a redirect's URL"],
                           error = words["a redirect's URL"] } }
    local signed, rejected = sandbox:session(fields), sandbox:session(fields)
    words["a signing URL's id"] = signed.signatureUrl:match "sessionId=(.*)$"
    sandbox:call("GET", "/sign/signing-sessions?sessionTitleLike="
      .. words["a session's title"])
    sandbox:call("GET", signed.signatureUrl:match "^%a+://[^/]+(.*)$")
    sandbox:call("GET", "/sign/documents/" .. words["a signer's number"])
    sandbox:call("POST", "/sign/documents", words["a document"],
      { ["Content-Type"] = words["a signer's name"] })
    sandbox:sign(signed, { name = words["a signer's name"] })
    sandbox:call("POST", "/_sandbox/sessions/" .. rejected.id .. "/reject",
      { reason = words["a reason to reject"] })
    sandbox:call("GET", "/sign/documents", nil, { Authorization = "Bearer "
      .. words["the client secret"] })
    sandbox:finish()
    for what, word in pairs(words) do
      assert.is_nil(sandbox.said:gsub("^[^\n]*\n", ""):find(word, 1, true),
        what)
    end
    assert.same(PLACES, find(words))
  end)

  it("are for their owner alone", function()
    sandbox:upload()
    each_file(folder, function(path)
      assert.equal("rw-------", lfs.attributes(path, "permissions"), path)
    end)
  end)
end)
