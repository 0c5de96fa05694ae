std = "lua54"
max_line_length = 80
codes = true
include_files = {
  "lua/**/*.lua", "spec/**/*.lua", "examples/**/*.lua", "*.rockspec",
}
-- What users load keeps to what every Lua from 5.1 on has.
files["lua"] = { std = "min" }
-- Redis runs this one.
files["lua/signicat/worker/functions.lua"] = {
  read_globals = { "redis", "cjson" },
}
files["spec"] = { std = "+busted" }
files["*.rockspec"] = { std = "+rockspec" }
-- What a prompt is given has to be global.
files["examples/console.lua"] = { globals = { "signicat", "sandbox", "sign" } }
