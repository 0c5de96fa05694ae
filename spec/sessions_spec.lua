-- sessions_spec.lua: a list of sessions in, a list out: each with its own, or
-- an error that says what came.

local helper = require "spec.helper"

local function input(title)
  return {
    title = title,
    documents = { { documentId = helper.document, action = "SIGN",
                    documentCollectionId = helper.collection } },
    signingSetup = { { signingFlow = "AUTHENTICATION_BASED" } },
  }
end

local function create(sent, answered, opts)
  local list, items = {}, {}
  for i, title in ipairs(sent) do list[i] = input(title) end
  for i, title in ipairs(answered) do
    items[i] = ('{"id":"%s","title":%s}'):format(helper.session, title)
  end
  local client = helper.client(helper.json(201,
    "[" .. table.concat(items, ",") .. "]"))
  return client.sessions:create(list, opts)
end

describe("a list of sessions", function()
  it("comes back in its order", function()
    local list, meta = create({ "a", "b" }, { '"a"', '"b"' })
    assert.equal("b", list[2].title)
    assert.equal(201, meta.status)
  end)

  for title, answered in pairs {
    ["one is missing"] = { '"a"' }, ["all are missing"] = {},
    ["there is one more"] = { '"a"', '"b"', '"c"' },
  } do
    it("is an error with what came when " .. title, function()
      local none, err, meta = create({ "a", "b" }, answered)
      assert.is_nil(none)
      assert.equal("protocol", err.kind)
      assert.is_true(err.ambiguous)
      assert.is_true(err.sent)
      assert.is_false(err.retryable)
      assert.equal("sessions:create", err.operation)
      assert.equal(#answered, #err.result)
      assert.equal(201, meta.status)
      assert.matches(("2 sessions were sent and %d came back")
        :format(#answered), err.message)
    end)
  end

  it("is an error when its titles changed places", function()
    local none, err = create({ "a", "b" }, { '"b"', '"a"' })
    assert.is_nil(none)
    assert.equal("protocol", err.kind)
    assert.equal("b", err.result[1].title)
    assert.matches("in another order", err.message)
  end)

  it("may come back with titles that are changed, the same, or gone",
    function()
      for _, answered in ipairs { { '"A"', '"B"' }, { "null", "7" } } do
        assert(create({ "a ", "b" }, answered))
      end
      assert(create({ "a", "a" }, { '"a"', '"a"' }))
    end)

  it("is the caller's again once it is sent", function()
    for _, change in ipairs {
      function(list) list[3] = input "c" end,
      function(list) list[1], list[2] = nil, nil end,
      function(list) list[1], list[2] = list[2], list[1] end,
    } do
      local list = { input "a", input "b" }
      local client = helper.client(function()
        change(list)
        return helper.json(201, ('[{"id":"%s","title":"a"},{"id":"%s",'
          .. '"title":"b"}]'):format(helper.session, helper.document))
      end)
      local made = assert(client.sessions:create(list))
      assert.equal("b", made[2].title)
    end
  end)

  it("may be anything when nobody checks it", function()
    assert(create({ 1, 2 }, { '"a"', '"b"' }, { validate = "off" }))
  end)
end)
