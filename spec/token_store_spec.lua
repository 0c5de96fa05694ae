-- token_store_spec.lua: the stores that share a token between clients.

local helper = require "spec.helper"

local session = helper.session
local TOKEN_URL = "https://sign.example/auth/open/connect/token"


