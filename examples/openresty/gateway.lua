-- The gateway of nginx.conf. A document passes through it in pieces, in both
-- directions: no worker holds a whole one, and none waits for the service.

local signicat = require "signicat"

local client = assert(signicat.from_env {
  token_store = require "signicat.token_store.nginx".new(
    ngx.shared.signicat_tokens),
})

-- Which events were handled, for all workers, and how to forget one.
local seen, forget = signicat.events.shared(ngx.shared.events)
local secret = os.getenv "SIGNICAT_EVENT_SECRET"
-- Seconds: for how long an event under way is not taken again, should whoever
-- has it die; and one that was handled.
local HANDLING, HANDLED = 10, 86400

local gateway = {}

-- What a kind of error is to whoever asked us; all others are a bad gateway.
local STATUS = { invalid = 400, too_large = 413, unsupported = 415,
                 not_found = 404, busy = 503, rate_limit = 503,
                 timeout = 504 }

-- The error's line is safe to log; its details are nobody else's.
local function fail(err)
  ngx.log(ngx.ERR, tostring(err))
  ngx.status = STATUS[err.kind] or 502
  ngx.say("this cannot be done now")
end

-- Whoever has a ticket gets the signed document, so nobody may guess one.
local function new_ticket()
  local file = assert(io.open("/dev/urandom", "rb"))
  local ticket = file:read(16):gsub(".", function(c)
    return ("%02x"):format(c:byte())
  end)
  file:close()
  return ticket
end

-- The request's body as an upload: read as it is sent on, which ngx_lua does
-- for HTTP/1 alone.
local function body_of_request()
  local socket = ngx.req.socket()
  local left = tonumber(ngx.var.http_content_length)
  return socket and { size = left, type = ngx.var.content_type,
    reader = function(most)
      if left == 0 then return nil end
      local piece, reason = socket:receive(math.min(most, left))
      if not piece then return nil, reason end
      left = left - #piece
      return piece
    end }
end

-- POST /sign?title=...: uploads the body, and sends the signer to sign it.
function gateway.sign()
  local document = ngx.var.http_host and body_of_request()
  if not document then return ngx.exit(ngx.HTTP_BAD_REQUEST) end
  local ticket = new_ticket()
  local back = ngx.var.scheme .. "://" .. ngx.var.http_host .. "/result/"
    .. ticket
  local session, err = client:sign {
    file = document,
    title = ngx.var.arg_title and ngx.unescape_uri(ngx.var.arg_title)
      or "Document",
    signingSetup = { { signingFlow = "PKISIGNING", vendor = "NBID" } },
    redirectSettings = { success = back, cancel = back, error = back },
  }
  if not session then return fail(err) end
  ngx.shared.signings:set(ticket, session.id, 30 * 86400)
  ngx.redirect(session.signatureUrl, ngx.HTTP_SEE_OTHER)
end

-- GET /result/TICKET: the signed document, or how far it is.
function gateway.result()
  local id = ngx.shared.signings:get(ngx.var.uri:match("[^/]*$"))
  if not id then return ngx.exit(ngx.HTTP_NOT_FOUND) end
  local session, err = client.sessions:get(id)
  if not session then return fail(err) end
  local state = session.lifecycle.state
  if state ~= "SIGNED" then
    ngx.status = session.lifecycle.stateIsFinal and 410 or 202
    return ngx.say(state)
  end
  local begun = false
  local done
  done, err = client.documents:download(
    session.output.signatures[1].resultDocumentId,
    { to = function(piece)
      if not begun then ngx.header.content_type = "application/octet-stream" end
      begun = true
      ngx.print(piece)
      return ngx.flush(true)
    end })
  if done then return end
  if not begun then return fail(err) end
  ngx.log(ngx.ERR, tostring(err))
  return ngx.exit(ngx.ERROR) -- ends the connection: it is not the whole
end

-- Reads a session that is signed, and keeps what was signed in `results`, in
-- all in less time than the sender of an event waits.
local function fetch(id)
  local deadline = client:now() + 4
  local session, err = client.sessions:get(id, { deadline = deadline })
  if not session then return nil, err end
  for _, signature in ipairs(session.output.signatures) do
    local result, done = signature.resultDocumentId
    done, err = client.documents:download(result, { overwrite = true,
      to = ngx.config.prefix() .. "results/" .. result, deadline = deadline })
    if not done then return nil, err end
  end
  return true
end

-- POST /events: an event. One that is not answered with success comes again,
-- with the timestamp that it had, so only its end is judged; `seen` drops
-- what was handled.
function gateway.event()
  if not secret then return ngx.exit(ngx.HTTP_NOT_FOUND) end
  ngx.req.read_body()
  local event, err = signicat.events.verify(ngx.req.get_body_data() or "",
    ngx.req.get_headers(), {
      scheme = "body-hmac-sha256", secrets = secret, tolerance = "off",
      seen = function(id) return seen(id, HANDLING) end })
  if not event then
    if err.kind == "duplicate" then return ngx.exit(ngx.HTTP_NO_CONTENT) end
    ngx.log(ngx.ERR, tostring(err))
    return ngx.exit(err.retryable and 503 or 400)
  end
  local ran, done = true, true
  if event.eventName == "signing-session.completed" then
    ran, done, err = pcall(fetch, event.eventData.id)
  end
  forget(event.id)
  if ran and done then
    seen(event.id, HANDLED)
    return ngx.exit(ngx.HTTP_NO_CONTENT)
  end
  ngx.log(ngx.ERR, tostring(err or done))
  return ngx.exit(503)
end

return gateway
