-- plots.lua: draws what was measured: build/bench/calls.svg and growth.svg.

local cost = require "spec.bench.cost"
local helper = require "spec.helper"

local plots = {}

local CALLS = [[
set encoding utf8
set terminal svg size 640,230 background "white" font "sans,12"
set output "calls.svg"
set title "A session read: processor time, µs"
set style fill solid
set boxwidth 0.35
set yrange [COUNT - 0.5:-0.5]
set xrange [0:*]
set xtics nomirror
set ytics nomirror scale 0
set grid xtics
unset key
plot $data using (0.5 * $2):0:(0.5 * $2):(0.3):3:ytic(1) with boxxyerror \
  linecolor rgb variable, \
  $data using 2:0:(sprintf(" %.0f", $2)) with labels left
]]

local GROWTH = [[
set terminal svg size 900,280 background "white" font "sans,12"
set output "growth.svg"
set multiplot layout 1,3
set logscale xy
set format x "10^{%L}"
set format y "10^{%L}"
set grid
set key bottom left Left reverse samplen 1
set style data linespoints
set pointsize 0.6
set title "A call while tasks wait"
set xlabel "tasks"
set ylabel "instructions"
set yrange [1e4:1e6]
plot $sleepers title "asleep", $callers title "in a call"
set yrange [*:*]
unset key
set title "A page, two fields of each read"
set xlabel "sessions"
plot $pages
set title "An upload, hashed on its way"
set xlabel "KB"
set xtics 1000
set ylabel "seconds"
plot $documents
]]

local function block(name, points)
  local lines = {}
  for i, point in ipairs(points) do
    local words = {}
    for j, value in ipairs(point) do
      words[j] = type(value) == "string" and ("%q"):format(value)
        or ("%.9g"):format(value)
    end
    lines[i] = table.concat(words, " ")
  end
  return ("$%s << END\n%s\nEND\n"):format(name, table.concat(lines, "\n"))
end

local function draw(folder, name, text)
  local path = helper.write(("%s/%s.gp"):format(folder, name), text)
  cost.run("sh", "-c", ("cd %s && gnuplot %s.gp"):format(folder, name))
  print(("Drawn: %s/%s.svg, by %s"):format(folder, name, path))
end

---@param folder string
---@param figures table what the sections returned, by their names
function plots.draw(folder, figures)
  local of, growth = figures.beside, figures.growth
  if of then
    local bars = {}
    for i, bar in ipairs {
      { "libcurl alone, no JSON", "floor", 0x999999 },
      { "lua-signicat", "session", 0x2a6f97 },
      { "LuaSocket by hand, lua-cjson", "luasocket", 0xb0b0b0 },
      { "Python: http.client, json", "python", 0xb0b0b0 },
      { "node: undici", "undici", 0xb0b0b0 },
    } do
      bars[i] = { bar[1], of("busy", bar[2]) * 1e6, bar[3] }
    end
    draw(folder, "calls", block("data", bars) .. CALLS:gsub("COUNT", #bars))
  end
  if growth then
    local text = ""
    for _, name in ipairs { "sleepers", "callers", "pages", "documents" } do
      text = text .. block(name, growth[name])
    end
    draw(folder, "growth", text .. GROWTH)
  end
end

return plots
