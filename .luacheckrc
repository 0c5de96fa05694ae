std = "lua54"
max_line_length = 80
codes = true
include_files = { "lua", "spec", "examples", "*.rockspec" }
files["spec"] = { std = "+busted" }
files["*.rockspec"] = { std = "+rockspec" }
