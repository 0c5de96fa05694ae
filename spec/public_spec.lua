-- What programs can use: it has comments an editor reads, and no name comes
-- or goes without a word in the changelog.

local core = require "signicat.core"
local helper = require "spec.helper"
local public = require "spec.support.public"

local function sorted_keys(set)
  local keys = {}
  for key in pairs(set) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

-- Whether a block begins with prose, and the parameters and results it names.
local function read_block(block)
  local prose = (block[1] or ""):find "^%-%-%- %S" ~= nil
  local parameters, returns, kind = {}, false, nil
  for _, line in ipairs(block) do
    local name = line:match "^%-%-%-@param ([%w_]+)"
    if name then parameters[#parameters + 1] = name end
    if line:find "^%-%-%-@return " then returns = true end
    kind = kind or line:match "^%-%-%-@type (.+)"
  end
  return prose, parameters, returns, kind
end

describe("the comment on", function()
  for _, name in ipairs(sorted_keys(public.functions)) do
    it(name .. " says what it does, takes and returns", function()
      local block, wanted, does_return = public.about_function(name)
      local prose, parameters, returns = read_block(block)
      assert.is_true(prose, "no sentence")
      if wanted then assert.same(wanted, parameters) end
      assert.equal(does_return, returns)
    end)
  end

  for _, name in ipairs(sorted_keys(public.values)) do
    it(name .. " says what it is", function()
      local prose, _, _, kind = read_block(public.about_value(name))
      assert.is_true(prose, "no sentence")
      assert.is_string(kind, "no ---@type")
    end)
  end
end)

describe("a type in the comments", function()
  local classes, defined, used = public.types()

  it("is defined if it is used", function()
    local missing = {}
    for name, path in pairs(used) do
      if not defined[name] then
        missing[#missing + 1] = name .. " in " .. path
      end
    end
    assert.same({}, missing)
    assert.is_true(#sorted_keys(used) > 10)
  end)

  -- The class of each table of options.
  for call, name in pairs {
    call = "CallOptions", client = "ClientOptions", wait = "WaitOptions",
    download = "DownloadOptions", request = "RequestOptions",
    upload = "UploadSource", verify = "VerifyOptions",
    sandbox = "SandboxOptions", worker = "WorkerOptions",
    redis = "RedisOptions",
  } do
    it("names every option that " .. call .. " takes, and no other",
      function()
        local fields = {}
        local class = classes["signicat." .. name]
        while class do
          for field in pairs(class.fields) do fields[field] = true end
          class = classes[class.parent]
        end
        -- A moment has no sense as a client's default.
        if call == "client" then fields.deadline = nil end
        assert.same(sorted_keys(public.options[call]), sorted_keys(fields))
      end)
  end
end)

describe("a payload's type", function()
  local classes = public.types()

  -- What the core says of a payload with these fields and nothing right in
  -- them: which names it does not know.
  local function unknown(operation, wrap, fields)
    local payload = {}
    for name in pairs(fields) do payload[name] = false end
    local names = {}
    for _, finding in ipairs(core.validate(operation, wrap(payload), {})) do
      if finding.reason:find("unknown field", 1, true) then
        names[#names + 1] = finding.name
      end
    end
    return names
  end

  local function itself(payload) return payload end
  local function one(payload) return { payload } end
  local function within(name)
    return function(payload) return { { [name] = { payload } } } end
  end

  for name, place in pairs {
    DocumentFields = { "updateDocumentMetadata", itself },
    NewCollection = { "createDocumentCollection", itself },
    NewSession = { "createSigningSession", one },
    SessionFields = { "createSigningSession", one },
    SessionDocument = { "createSigningSession", within "documents" },
    SigningSetup = { "createSigningSession", within "signingSetup" },
  } do
    it(name .. " has only fields that the API knows", function()
      local fields = classes["signicat." .. name].fields
      assert.same({}, unknown(place[1], place[2], fields))
      assert.same(1, #unknown(place[1], place[2], { qqqq = true }))
    end)
  end
end)

-- The snapshot and the changelog have the same headings. Below one of the
-- snapshot stand the names that came with that version, and those that went,
-- with "gone " in front.
local function sections(path)
  local list, current = {}, nil
  for line in io.lines(path) do
    local heading = line:match "^## (.+)"
    if heading then
      current = { heading = heading, lines = {} }
      list[#list + 1] = current
      list[heading] = current
    elseif current and line ~= "" then
      table.insert(current.lines, line)
    end
  end
  return list
end

describe("the snapshot of public names", function()
  local snapshot = sections "spec/support/public_names.txt"
  local changelog = sections "CHANGELOG.md"

  it("is what there is; a change of it needs a note", function()
    local now, gone = {}, {}
    for _, section in ipairs(snapshot) do -- the newest first
      for _, line in ipairs(section.lines) do
        local name = line:match "^gone (.+)"
        if name then
          gone[name] = true
        elseif not gone[line] then
          now[line] = true
        end
      end
    end
    local recorded, there = sorted_keys(now), {}
    for _, name in ipairs(public.names) do there[name] = true end
    local changes = {}
    for _, name in ipairs(recorded) do
      if not there[name] then changes[#changes + 1] = "gone " .. name end
    end
    for _, name in ipairs(public.names) do
      if not now[name] then changes[#changes + 1] = name end
    end
    assert.same({}, changes, "write these lines into spec/support/"
      .. "public_names.txt and a note into CHANGELOG.md")
  end)

  it("has a note in the changelog for each name that changed", function()
    local missing = {}
    for _, section in ipairs(snapshot) do
      local notes = changelog[section.heading]
      assert.is_table(notes, "no " .. section.heading .. " in CHANGELOG.md")
      local text = table.concat(notes.lines, " "):gsub("%s+", " ")
      local all = text:match "(%d+) public names"
      if all then -- a first version lists none of them
        assert.equal(#section.lines, tonumber(all))
      end
      for _, line in ipairs(all and {} or section.lines) do
        local name = line:gsub("^gone ", "")
        if not text:find("`" .. name .. "`", 1, true) then
          missing[#missing + 1] = name
        end
      end
    end
    assert.same({}, missing)
  end)

  -- How docs/api.md writes a name.
  local function shown(name)
    local option = name:match "^option %w+%.(.+)"
    if option then return "`" .. option .. "`" end
    local class, method = name:match "^(%u%w+):(.+)"
    if class == "Sandbox" then return ":" .. method .. "(" end
    if class == "TokenStore" then return "store:" .. method .. "(" end
    if class then return class:lower() .. ":" .. method .. "(" end
    return (name:gsub("^Client", "client"):gsub("^signicat%.events", "events")
      :gsub("^signicat%.worker", "worker")
      :gsub("%.(%l+)%.(%l+)$", '.%1".%2'))
  end

  it("has every name in docs/api.md or with its host, and kinds in "
    .. "docs/errors.md", function()
    local text = helper.read "docs/api.md" .. helper.read "docs/hosts.md"
      .. helper.read "docs/redis.md"
    local errors = helper.read "docs/errors.md"
    local missing = {}
    for _, name in ipairs(public.names) do
      local kind = name:match "^kind (.+)"
      local found = kind and errors:find("| `" .. kind .. "` |", 1, true)
        or not kind and text:find(shown(name), 1, true)
      if not found then missing[#missing + 1] = name end
    end
    assert.same({}, missing)
  end)
end)
