-- Runs on a local sandbox; on the real service only with SIGNICAT_LIVE=1 and
-- credentials. `:Sign [title]` sends the current buffer for signature and goes
-- on with editing; the signed file lies beside it. Neovim 0.7, from the root of
-- a checkout, after `make LUA_VERSION=jit`:
--
--     LUA_PATH='./?.lua;lua/?.lua;lua/?/init.lua;;' \
--       LUA_CPATH='build/jit/?.so;;' \
--       nvim --cmd 'set runtimepath^=examples/neovim' lease.txt

local sign

-- The client is made by the first command: starting Neovim costs nothing. Its
-- tasks run in Neovim's own loop, vim.loop, which is luv.
local function client()
  if sign then return sign end
  sign = require "examples.support".client()
  require "signicat.loop.luv".attach(sign)
  vim.api.nvim_create_autocmd("VimLeavePre", {
    callback = function() sign:close() end })
  return sign
end

-- In a task Neovim's functions have to wait for its main loop.
local tell = vim.schedule_wrap(function(text) vim.notify(text) end)

local let_sign = vim.schedule_wrap(function(session)
  local support = require "examples.support"
  if support.service then
    return support.let_sign(session, "Kari Nordmann")
  end
  vim.notify("to be signed at " .. session.signatureUrl)
end)

-- The task: what would block suspends it, and Neovim goes on.
local function send(title, text, path)
  local session, err = sign:sign {
    file = { content = text, type = "text/plain" },
    title = title,
    signingSetup = { { signingFlow = "AUTHENTICATION_BASED" } },
  }
  if not session then return tell(tostring(err)) end
  let_sign(session)
  session, err = sign.sessions:wait(session, { timeout = 3600 })
  if not session then return tell(tostring(err)) end
  local file
  file, err = sign.documents:download(
    session.output.signatures[1].resultDocumentId, { to = path })
  tell(file and "signed: " .. file or tostring(err))
end

vim.api.nvim_create_user_command("Sign", function(command)
  local lines = vim.api.nvim_buf_get_lines(0, 0, -1, true)
  local name, path = vim.fn.expand "%:t", vim.fn.expand "%:p"
  if path == "" then path = "document" end
  local title = command.args ~= "" and command.args
    or name ~= "" and name or "Document"
  client():async(send, title, table.concat(lines, "\n") .. "\n",
    path .. ".signed")
end, { nargs = "?", desc = "send this buffer for signature" })
