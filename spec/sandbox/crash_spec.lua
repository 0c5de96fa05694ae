-- kill -9 under load, five times; spec/soak/sandbox_soak.lua does it fifty.

local crashing = require "spec.support.crashing"
local service = require "spec.sandbox.service"

describe("a sandbox that is killed while eight clients use it", function()
  it("loses nothing it has acknowledged, and stays whole", function()
    local folder = service.folder()
    finally(function() service.remove(folder) end)
    crashing.run(folder, 5)
  end)
end)
