-- What evidence says of a signature, and which documents are whose.

local judges = require "spec.support.judges"
local packages = require "spec.support.packages"
local person = require "spec.sandbox.person"
local service = require "spec.sandbox.service"

local PDF <const> = "application/pdf"

describe("a package's", function()
  local sandbox, judge

  setup(function()
    sandbox = service.start()
    judge = judges.of(sandbox)
  end)
  teardown(function()
    judge:close()
    sandbox:finish()
  end)

  -- Signs as that person at the signer's page.
  local function sign_at_page(session, who)
    local kari = person.new(sandbox):open(session)
    kari:ask("login", "&idpName=" .. who.idpName)
    assert.equal(200, kari:send("sign", who).status)
  end

  -- The last page of the package of a session with that setup, signed so.
  local function evidence(setup, who, sign)
    local id = sandbox:upload(packages.page "Agreed", PDF).documentId
    local collection = sandbox:collect({ id }, packages.CONTAINER)
    local session = sandbox:create_session(packages.body_of(collection,
      { id }, { signingSetup = { setup } }))
    if sign then
      sign(session, who)
    else
      packages.sign(sandbox, session, who)
    end
    local shown = packages.pages((packages.await(sandbox, judge, collection)))
    return shown[#shown]
  end

  it("evidence names the provider that was chosen, and no other", function()
    local based = { signingFlow = "AUTHENTICATION_BASED", identityProviders = {
      { idpName = "nbid" }, { idpName = "mitid" } } }
    assert.matches("Method +AUTHENTICATION_BASED, mitid\n",
      evidence(based, { idpName = "mitid" }))
    assert.matches("Method +AUTHENTICATION_BASED, mitid\n",
      evidence(based, { idpName = "mitid", name = "Kari" }, sign_at_page))
    -- One that acts as the signer and does not say has taken the first.
    assert.matches("Method +AUTHENTICATION_BASED, nbid\n", evidence(based))
    assert.matches("Method +PKISIGNING, NBID\n",
      evidence { signingFlow = "PKISIGNING", vendor = "NBID" })
    based.identityProviders = nil -- all that the account has
    assert.matches("Method +AUTHENTICATION_BASED, ftn\n",
      evidence(based, { idpName = "ftn" }))
  end)

  it("evidence is of no provider that the session does not have", function()
    for _, setup in ipairs {
      { signingFlow = "AUTHENTICATION_BASED",
        identityProviders = { { idpName = "nbid" } } },
      { signingFlow = "PKISIGNING", vendor = "NBID",
        identityProviders = { { idpName = "mitid" } } } } do
      local session = sandbox:session { signingSetup = { setup } }
      local status, answer = sandbox:sign(session, { idpName = "mitid" })
      assert.equal(400, status)
      assert.equal("idpName", answer.invalidParams[1].name)
      assert.equal("READY", sandbox:state(session).state)
    end
  end)

  it("evidence is never left out, though it has to wait", function()
    local folder = service.folder()
    local one = service.start("--data", folder)
    local kept = sandbox
    sandbox = one
    finally(function()
      sandbox = kept
      if one.pipe then one:stop() end
      service.remove(folder)
    end)
    local id = sandbox:upload(packages.page "Agreed", PDF).documentId
    local collection = sandbox:collect({ id }, packages.CONTAINER)
    local body = packages.body_of(collection, { id })
    local first = sandbox:create_session(body)
    local second = sandbox:create_session(body)
    packages.sign(sandbox, first, { name = "First" })
    -- A record that cannot be told of, as when memory ends.
    local function spoil(value)
      local said, code = judges.run("sqlite3", "-cmd", ".timeout 30000",
        folder .. "/sandbox.db",
        ("UPDATE signature SET signer = %s WHERE session = '%s'")
        :format(value, first.id))
      assert.equal(0, code, said)
    end
    spoil "CAST(x'ff' AS TEXT)"
    packages.sign(sandbox, second, { name = "Second" })
    evidence { signingFlow = "PKISIGNING", vendor = "NBID" } -- made behind it
    assert.same({}, packages.of_collection(sandbox, collection))
    spoil "'First'"
    sandbox:call("POST", "/_sandbox/clock", { advance = 10 })
    local shown = packages.pages((packages.await(sandbox, judge, collection)))
    assert.equal(3, #shown)
    assert.matches("First", shown[2], 1, true)
    one:finish()
  end)

  it("documents are those of its collection, shared ones in each", function()
    local shared = packages.page "Shared"
    local ids, collections = {}, {}
    for i, bytes in ipairs { shared, packages.page "Mine",
                             packages.page "Yours" } do
      ids[i] = sandbox:upload(bytes, PDF).documentId
    end
    for i = 1, 2 do
      collections[i] = sandbox:collect({ ids[1], ids[i + 1] },
        packages.CONTAINER)
    end
    -- One session signs the shared one for both, two others sign the rest.
    local body = packages.body_of(collections[1], { ids[1] })
    body.documents[2] = packages.body_of(collections[2], { ids[1] })
      .documents[1]
    local both = sandbox:create_session(body)
    for i, collection in ipairs(collections) do
      packages.sign(sandbox, sandbox:create_session(packages.body_of(
        collection, { ids[i + 1] })), { name = "Owner " .. i })
      assert.same({}, packages.of_collection(sandbox, collection))
    end
    packages.sign(sandbox, both, { name = "Witness" })
    for i, collection in ipairs(collections) do
      local path = packages.await(sandbox, judge, collection)
      local shown = packages.pages(path)
      assert.equal(4, #shown)
      assert.matches("Shared", shown[1], 1, true)
      assert.matches(({ "Mine", "Yours" })[i], shown[2], 1, true)
      assert.matches("Owner " .. i, shown[3], 1, true)
      assert.matches("Witness", shown[4], 1, true)
      local files = packages.attachments(judge, path)
      assert.equal(4, #files)
      assert.is_true(files[1][2] == shared)
      for n = 3, 4 do
        assert.is_true((judge:xades(judges.write(judge:path "one.xml",
          files[n][2]))))
      end
    end
  end)
end)
