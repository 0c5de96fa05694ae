-- A reply that is read and written again means the same to the sandbox, which
-- has another parser than we: what it made of the first text, and of the text
-- that we made of its answer, is compared.

local core = require "signicat.core"
local payloads = require "spec.support.payloads"
local sandbox = require "signicat.sandbox"

-- Every character that JSON has to escape, and the first and last ones of
-- each length.
local function odd_text()
  local all = { '"\\/\127', "\194\128\223\191\224\160\128\237\159\191",
    "\238\128\128\239\191\189\226\128\168\240\144\128\128\244\143\191\191" }
  for code = 1, 31 do all[#all + 1] = string.char(code) end
  return table.concat(all)
end

describe("a reply that is read and written again", function()
  local service, sign

  setup(function()
    service = assert(sandbox.start())
    sign = assert(service:client())
  end)

  teardown(function()
    if sign then sign:close() end
    if service then service:stop() end
  end)

  --- A session with every field, of ids that exist.
  local function session()
    local document = assert(sign.documents:upload { content = "a lease",
                                                    type = "text/plain" })
    local collection = assert(sign.collections:create {
      documents = { { documentId = document.documentId } } })
    local made = payloads.session()
    made.documents = { { documentId = document.documentId, action = "SIGN",
                         documentCollectionId = collection.id } }
    made.subsequentTo, made.packageTo = {}, {}
    made.externalReference = core.null
    made.signer.validations = {}
    made.signingSetup[1].additionalParameters = { [odd_text()] = odd_text(),
                                                  [""] = "" }
    made.title = odd_text()
    return made
  end

  --- What the sandbox keeps of a session that it is sent.
  local function kept(sent)
    local sessions = assert(sign.sessions:create { sent })
    return assert(sign.sessions:get(sessions[1])):totable()
  end

  it("is the same session to the sandbox", function()
    local sent = session()
    local first = kept(sent)
    for name, value in pairs(sent) do assert.same(value, first[name]) end
    local again = {}
    for name in pairs(sent) do again[name] = first[name] end
    local second = kept(again)
    for name in pairs(sent) do assert.same(first[name], second[name]) end
  end)

  it("is the same text to the sandbox, whichever of its fields", function()
    local document = assert(sign.documents:upload { content = "a lease",
                                                    type = "text/plain" })
    local names = { filename = odd_text(), title = "\1" .. odd_text(),
                    description = odd_text():rep(9) }
    assert(sign.documents:update(document, names))
    for _ = 1, 2 do
      local metadata = assert(sign.documents:metadata(document))
      for name, text in pairs(names) do assert.equal(text, metadata[name]) end
      assert(sign.documents:update(document, {
        filename = metadata.filename, title = metadata.title,
        description = metadata.description }))
    end
  end)
end)
