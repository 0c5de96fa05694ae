-- The service does not begin where packages could not be shown.

local judges = require "spec.support.judges"
local service = require "spec.sandbox.service"

describe("without its fonts, the sandbox", function()
  it("does not start, says what to install, and leaves no folder", function()
    local folder = service.folder()
    finally(function() service.remove(folder) end)
    local config = judges.write(folder .. "/fonts.conf",
      ("<fontconfig><dir>%s</dir></fontconfig>"):format(folder))
    local font = judges.run("fc-match", "-f", "%{file}", "DejaVu Sans")
    for _ = 1, 2 do -- none at all, then one of two
      assert.equal("signicat-sandbox: the fonts DejaVu Sans and DejaVu Sans "
        .. "Mono are not found, and a package's evidence is set in them; "
        .. "install them (on Debian: fonts-dejavu-core)\n",
        (judges.run("env", "FONTCONFIG_FILE=" .. config, "timeout", "60",
          service.program, "--data", folder .. "/data")))
      assert.is_nil(service.read(folder .. "/data/sandbox.db"))
      judges.run("cp", font, folder)
    end
  end)
end)
