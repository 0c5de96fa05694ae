-- in_neovim.lua: what an editor's user does, in a headless Neovim: writes a
-- buffer, sends it for signature, and goes on writing until it is signed.
--
--     nvim --clean --headless --cmd 'set rtp^=examples/neovim'
--       -c 'luafile spec/support/in_neovim.lua' -c 'qa!'
--
-- Prints each message with how many lines were written since the one before.

local support = require "examples.support"

local written, before, ended = 0, 0, false

function vim.notify(text)
  io.stdout:write(text, "\t", written - before, "\n")
  io.stdout:flush()
  before = written
  ended = not text:find "^to be signed"
end

vim.cmd("file " .. vim.env.SPEC_FILE)
vim.api.nvim_buf_set_lines(0, 0, -1, true, { "A lease." })
vim.cmd "Sign Lease 17"

local timer = vim.loop.new_timer()
timer:start(0, 2, vim.schedule_wrap(function()
  vim.api.nvim_buf_set_lines(0, -1, -1, true, { "Another line." })
  written = written + 1
  support.shown()
end))
vim.wait(60000, function() return ended end, 5)
timer:close()
io.stdout:write("lines\t", tostring(vim.api.nvim_buf_line_count(0)
  == written + 1), "\n")
