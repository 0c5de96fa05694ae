-- person.lua: a person at the signer's page, as the requests of a browser:
-- its cookie, the page it was answered with and what it may send from there.

local person = {}
person.__index = person

person.FORM = "application/x-www-form-urlencoded"

-- Where a session may send its signer back to.
person.REDIRECTS = {
  success = "https://shop.example/ok?order=17#top",
  cancel = "https://shop.example/no", error = "https://shop.example/err",
}

function person.encode(text)
  return (text:gsub("[^%w]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

-- The signer logs in at a provider.
person.SETUP = { { signingFlow = "AUTHENTICATION_BASED",
                   identityProviders = { { idpName = "nbid" } } } }

-- What asks who it is before the documents are shown.
person.IDENTIFY_FIRST = { enabled = true,
                          identityProviders = { { idpName = "sbid" } } }

-- A session with that setup; `fields` as service:session has them.
function person.session(sandbox, fields)
  local all = { signingSetup = person.SETUP }
  for name, value in pairs(fields or {}) do all[name] = value end
  return sandbox:session(all)
end

function person.new(sandbox)
  return setmetatable({ sandbox = sandbox }, person)
end

-- One who has a new session open.
function person.at(sandbox, fields)
  return person.new(sandbox):open(person.session(sandbox, fields))
end

-- Requests return the person, who then has the answer: `status`, `page`,
-- `headers` and `location`.
function person:request(method, path, body, headers)
  headers = headers or {}
  headers.Authorization, headers.Cookie = false, self.cookie
  if body then headers["Content-Type"] = person.FORM end
  local status, page, answered = self.sandbox:call(method, path, body, headers)
  local set = answered["set-cookie"]
  if set then self.cookie = set:match "^[^;]+" end
  self.status, self.page, self.headers = status, page, answered
  self.location = answered.location
  return self
end

function person:open(session)
  self.id = session.signatureUrl:match "sessionId=(.*)"
  return self:request("GET", "/sign/?sessionId=" .. self.id)
end

function person:ask(step, query)
  return self:request("GET", ("/sign/%s?sessionId=%s%s"):format(step,
    self.id, query or ""))
end

-- Sends the form of that action that the page holds, or held at `token`.
function person:send(action, fields, token)
  token = token or self.page:match('action="/sign/' .. action
    .. '".-name="token" value="(%x+)"')
  local body = { "sessionId=" .. self.id, token and "token=" .. token }
  for name, value in pairs(fields or {}) do
    body[#body + 1] = name .. "=" .. person.encode(value)
  end
  return self:request("POST", "/sign/" .. action, table.concat(body, "&"))
end

function person:sign(name, fields)
  self:ask("login", "&agreed=yes")
  fields = fields or { agreed = "yes" }
  fields.name = name or "Kari Nordmann"
  return self:send("sign", fields)
end

function person:view() return self.page:match '<main id="(%w+)">' end

-- What every form in the page carries.
function person:token()
  return self.page:match 'name="token" value="(%x+)"'
end

return person
