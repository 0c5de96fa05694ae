-- browser.lua: a real Chromium, driven over the WebDriver protocol.
--
-- chromedriver listens on a port of 127.0.0.1 and runs a browser without a
-- window, which finds no host but this machine and asks nobody for updates.
-- Both end with `close`: the driver is ended by its process id, and takes its
-- browser along.

local cjson = require "cjson"
local http = require "socket.http"
local ltn12 = require "ltn12"
local service = require "spec.sandbox.service"

local browser = {}
browser.__index = browser

local ELEMENT <const> = "element-6066-11e4-a52e-4f735466cecf"

browser.keys = { tab = "\u{E004}", enter = "\u{E007}", space = " " }

local arguments = {
  "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
  "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-domain-reliability",
  "--disable-sync", "--disable-extensions", "--no-pings",
  "--disable-default-apps", "--disable-client-side-phishing-detection",
  "--disable-features=OptimizationHints,MediaRouter,Translate,"
    .. "AutofillServerCommunication,CertificateTransparencyComponentUpdater",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
  "--lang=en",
}

-- One command; what it answers, or an error with the driver's own words.
local function send(self, method, path, body)
  local pieces = {}
  local text = type(body) == "table" and cjson.encode(body) or body
  if method == "POST" then text = text or "{}" end
  local done, status = http.request {
    method = method, url = self.url .. path,
    headers = { ["Content-Type"] = "application/json",
                ["Content-Length"] = text and #text, Connection = "close" },
    source = text and ltn12.source.string(text),
    sink = ltn12.sink.table(pieces),
  }
  if not done then error(tostring(status), 3) end
  local answer = cjson.decode(table.concat(pieces)).value
  if status ~= 200 then
    error(("%s %s: %s"):format(path, answer.error, answer.message), 3)
  end
  if answer == cjson.null then return nil end
  return answer
end

local function start_driver(self)
  self.scratch = service.folder()
  -- The driver's profiles, too, go where `close` removes them.
  local program = ("echo $$ >%s/pid; exec env TMPDIR=%s HOME=%s "
    .. "chromedriver --port=0 >%s/out 2>&1"):format(self.scratch,
    self.scratch, self.scratch, self.scratch)
  self.pipe = assert(io.popen(program, "w"))
  local port = service.await("chromedriver", function()
    return (service.read(self.scratch .. "/out") or "")
      :match "started successfully on port (%d+)"
  end)
  self.url = "http://127.0.0.1:" .. port
  self.pid = tonumber(service.read(self.scratch .. "/pid"))
end

-- Has the browser, whose home that folder is, trust an authority as a person
-- would who adds it to theirs.
local function trust(folder, ca_file)
  local keys = folder .. "/.pki/nssdb"
  for _, words in ipairs { "-N --empty-password", "-A -t C,, -n ca -i "
    .. ca_file } do
    assert(os.execute(("mkdir -p %s && certutil -d sql:%s %s"):format(keys,
      keys, words)))
  end
end

-- A browser; it trusts that authority, if one is given.
function browser.open(ca_file)
  local self = setmetatable({}, browser)
  start_driver(self)
  if ca_file then trust(self.scratch, ca_file) end
  local words = { "--window-size=1100,900" }
  for i, word in ipairs(arguments) do words[i + 1] = word end
  local opened = send(self, "POST", "/session", {
    capabilities = { alwaysMatch = {
      ["goog:chromeOptions"] = { args = words },
      ["goog:loggingPrefs"] = { browser = "ALL" } } } })
  self.url = self.url .. "/session/" .. opened.sessionId
  return self
end

function browser:close()
  pcall(send, self, "DELETE", "")
  os.execute(("kill %d"):format(self.pid))
  self.pipe:close()
  -- The last of the browser's own processes may write there for a while.
  service.await("the browser's end", function()
    return pcall(service.remove, self.scratch)
  end)
end

function browser:get(url) send(self, "POST", "/url", { url = url }) end
function browser:address() return send(self, "GET", "/url") end
function browser:title() return send(self, "GET", "/title") end
function browser:back() send(self, "POST", "/back") end

-- The first element that a CSS selector finds; waits for it a while, since a
-- click may have begun to lead to another page.
function browser:find(selector)
  return service.await(selector, function()
    local found = send(self, "POST", "/elements",
      { using = "css selector", value = selector })
    return found[1] and found[1][ELEMENT]
  end)
end

function browser:count(selector)
  return #send(self, "POST", "/elements",
    { using = "css selector", value = selector })
end

function browser:text(selector)
  return send(self, "GET", "/element/" .. self:find(selector) .. "/text")
end

function browser:click(selector)
  send(self, "POST", "/element/" .. self:find(selector) .. "/click")
end

function browser:type(selector, text)
  send(self, "POST", "/element/" .. self:find(selector) .. "/value",
    { text = text })
end

-- Keys, one after the other, to whatever has the focus.
function browser:press(...)
  local actions = {}
  for _, key in ipairs { ... } do
    actions[#actions + 1] = { type = "keyDown", value = key }
    actions[#actions + 1] = { type = "keyUp", value = key }
  end
  send(self, "POST", "/actions", { actions = { {
    type = "key", id = "keyboard", actions = actions } } })
end

-- What an expression of the browser's language is, looked at by the driver;
-- the page itself runs none.
function browser:look(expression)
  return send(self, "POST", "/execute/sync", ('{"script":%s,"args":[]}')
    :format(cjson.encode("return " .. expression)))
end

-- A command of Chromium's own.
function browser:command(name, parameters)
  return send(self, "POST", "/goog/cdp/execute", ('{"cmd":"%s","params":%s}')
    :format(name, parameters and cjson.encode(parameters) or "{}"))
end

-- Looks like a phone of that width from the next page on, or, without one,
-- like itself again.
function browser:phone(width)
  if not width then
    return self:command "Emulation.clearDeviceMetricsOverride"
  end
  self:command("Emulation.setDeviceMetricsOverride",
    { width = width, height = 780, deviceScaleFactor = 1, mobile = true })
end

-- What the browser has said of its pages since it was asked last: scripts
-- that failed, files that were missing, rules that were broken.
function browser:complaints()
  local list = {}
  for i, entry in ipairs(send(self, "POST", "/se/log",
    { type = "browser" })) do
    list[i] = entry.message
  end
  return list
end

-- Role and name of what has a role, as assistive programs are told.
function browser:accessible()
  local list = {}
  for _, node in ipairs(self:command("Accessibility.getFullAXTree").nodes) do
    if not node.ignored and node.role then
      list[#list + 1] = { role = node.role.value,
                          name = node.name and node.name.value or "" }
    end
  end
  return list
end

-- A picture of the window, or of the whole page, as PNG bytes.
function browser:picture(whole)
  local taken = self:command("Page.captureScreenshot",
    { format = "png", captureBeyondViewport = whole or false })
  return (require "mime".unb64(taken.data))
end

return browser
