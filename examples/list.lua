-- Runs on a local sandbox; on the real service only with SIGNICAT_LIVE=1 and
-- credentials. Lists sessions: a page, filtered, and all of them.
--
--     lua examples/list.lua

local support = require "examples.support"
local must = support.must

local sign, service = support.client()
if service then
  must(service:seed { sessions = 30, state = "SIGNED" })
  must(service:seed { sessions = 250 })
end

-- One page, newest first. `total` counts all that fit, not this page alone.
local page = must(sign.sessions:list { limit = 10, sort = "-createdAt" })
print("a page", page.count .. " of " .. page.total)

-- Every filter must hold; several states are alternatives.
local signed = must(sign.sessions:list { state = { "SIGNED" }, limit = 1 })
print("signed", signed.total)

-- All of them, a page at a time behind the scenes, each session once. When a
-- page cannot be had, `session` is false and `err` says why.
local count = 0
for session, err in sign.sessions:each {
  state = { "READY", "BLOCKED" }, sessionTitleLike = "seeded" } do
  must(session, err)
  count = count + 1
end
print("open", count)
sign:close()
