-- support.lua: the examples', whose client trusts the authorities in the file
-- that SPEC_CA names: for a sandbox with a certificate of its own making.

local support = dofile "examples/support.lua"
local client = support.client

function support.client()
  return client { tls = { ca_file = os.getenv "SPEC_CA" } }
end

return support
