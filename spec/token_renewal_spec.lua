-- token_renewal_spec.lua: a token that is refused, and one that many ask for
-- at the same time.

local helper = require "spec.helper"

local session = helper.session
local TOKEN_URL = "https://sign.example/auth/open/connect/token"




