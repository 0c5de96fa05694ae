-- What closing_host runs: a call that gives up while the name is looked up.

local signicat = require "signicat"

local client = assert(signicat.new {
  base_url = "https://slow.example", token = "unused", retries = 0 })
local _, err = client.sessions:list({}, { timeout = 0.3 })
return err.kind .. " " .. err.phase
