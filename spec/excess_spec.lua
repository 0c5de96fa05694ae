-- excess_spec.lua: a server that sends more than it announced, over TLS, where
-- the rest lies in OpenSSL's buffer. Without TLS transport_cases.lua has it.
-- An nginx that runs Lua is the server.

if not rawget(_G, "jit") then return end

local helper = require "spec.helper"
local nginx = require "spec.support.nginx"
local openresty = require "spec.support.openresty"
local signicat = require "signicat"

local HTTP = [[
  init_by_lua_block {
    function answer(id)
      local body = '{"id":"' .. id .. '"}'
      return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        .. "Content-Length: " .. #body .. "\r\n\r\n", body
    end
  }
  server {
    listen 127.0.0.1:PORT ssl;
    ssl_certificate server.pem;
    ssl_certificate_key server.key;
    location / {
      content_by_lua_block {
        local socket = ngx.req.socket(true)
        local mode = ngx.var.arg_mode
        local head, body = answer("SESSION")
        local more = table.concat({ answer("of nobody") })
        socket:send(head)
        ngx.sleep(0.05)
        if mode == "one" then
          socket:send(body .. more)
        else
          socket:send(body)
        end
        while socket:receive("*l") do
          -- Another request on this connection.
          for line in function() return socket:receive("*l") end do
            if line == "" then break end
          end
          socket:send(head .. body)
        end
      }
    }
  }
]]

describe("what comes behind an answer over TLS", function()
  local folder, remove, server, sign

  setup(function()
    folder, remove = nginx.folder()
    nginx.certificates(folder)
    server = openresty.start(folder, (HTTP:gsub("SESSION", helper.session)))
  end)
  teardown(function()
    server:stop()
    remove()
  end)
  before_each(function()
    sign = assert(signicat.new { token = "t", retries = 0,
      base_url = ("https://127.0.0.1:%d/sign"):format(server.port),
      http_version = "1.1", tls = { ca_file = folder .. "/ca.pem" } })
  end)
  after_each(function() sign:close() end)

  -- The ids of two answers, and whether the second came on the connection of
  -- the first.
  local function ask(mode)
    local first = assert(sign:request("GET", "/x", { query = { mode = mode } }))
    local second, meta = assert(sign:request("GET", "/x"))
    return { first.id, second.id, meta.reused }
  end

  it("is no answer to the next request", function()
    assert.same({ helper.session, helper.session, false }, ask "one")
  end)

  it("if it is nothing ends no connection", function()
    assert.same({ helper.session, helper.session, true }, ask "none")
  end)
end)
