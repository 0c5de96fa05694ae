std = "lua54"
max_line_length = 80
codes = true
include_files = {
  "lua/**/*.lua", "spec/**/*.lua", "examples/**/*.lua", "*.rockspec",
}
-- What users load keeps to what every Lua from 5.1 on has.
files["lua"] = { std = "min" }
-- What runs inside nginx only.
local in_nginx = { read_globals = { "ngx" } }
files["lua/signicat/transport/exchange.lua"] = in_nginx
files["lua/signicat/transport/choose.lua"] = in_nginx
files["lua/signicat/transport/names.lua"] = in_nginx
files["lua/signicat/transport/nginx.lua"] = in_nginx
files["lua/signicat/token_store/nginx.lua"] = in_nginx
files["lua/signicat/tasks/nginx.lua"] = in_nginx
files["spec/support/in_nginx.lua"] = in_nginx
files["examples/openresty/*.lua"] = { globals = { "ngx" } }
files["examples/love/*.lua"] = { std = "+love" }
files["spec/support/held/*.lua"] = { globals = { "love" } }
files["examples/neovim/**/*.lua"] = { read_globals = { "vim" } }
files["spec/support/in_neovim.lua"] = { globals = { "vim" } }
-- Redis runs this one.
files["lua/signicat/worker/functions.lua"] = {
  read_globals = { "redis", "cjson" },
}
files["spec"] = { std = "+busted" }
files["*.rockspec"] = { std = "+rockspec" }
-- What a prompt is given has to be global.
files["examples/console.lua"] = { globals = { "signicat", "sandbox", "sign" } }
