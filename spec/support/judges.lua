-- judges.lua: programs nobody here wrote, asked about signed documents.
--
-- pdfsig (poppler on NSS), openssl, qpdf, xmlsec1, and pkijs and xadesjs on
-- Node.js; each answer is reduced to what a spec asserts. Everything happens
-- in one temporary folder.
-- pdfsig's exit code says little, so its text is read.

local files = require "spec.support.files"
local quoted = require "spec.support.quoted"

local judges = {}
judges.__index = judges

-- Both outputs together, and the exit code.
function judges.run(...)
  local words = {}
  for i, word in ipairs { ... } do words[i] = quoted(word) end
  -- Lua 5.1 does not tell how a child ended, so the shell does.
  local pipe = assert(io.popen(table.concat(words, " ") .. " 2>&1; "
    .. "code=$?; echo; echo $code", "r"))
  local text, code = pipe:read "*a":match "^(.*)\n(%d+)\n$"
  pipe:close()
  return text, tonumber(code)
end

judges.read, judges.write = files.read, files.write

local function must(...)
  local text, code = judges.run(...)
  return assert(code == 0 and text, text)
end

function judges.new()
  local folder = must("mktemp", "-d"):gsub("%s+$", "")
  return setmetatable({ folder = folder }, judges)
end

function judges:path(name)
  return self.folder .. "/" .. name
end

function judges:close()
  must("rm", "-r", self.folder)
end

-- Has them trust that authority and no other.
function judges:trust(ca)
  self.ca, self.nss = ca, "sql:" .. self:path "nss"
  must("mkdir", self:path "nss")
  must("certutil", "-N", "-d", self.nss, "--empty-password")
  must("certutil", "-A", "-d", self.nss, "-n", "ca", "-t", "CT,C,C", "-i", ca)
end

-- One that trusts the authority of a running sandbox (spec/sandbox/service).
function judges.of(sandbox)
  local self = judges.new()
  local _, ca = sandbox:call("GET", "/_sandbox/ca.pem")
  self:trust(judges.write(self:path "ca.pem", ca))
  return self
end

-- What pdfsig says of each signature, as lists of its lines. Without
-- -no-ocsp: with it, poppler 22.12 reports an error code it left behind
-- itself; no certificate here names an address to ask anyway.
function judges:signatures(path)
  local text = judges.run("pdfsig", "-nssdir", self.nss, path)
  local found = {}
  for line in text:gmatch "[^\n]+" do
    if line:find "^Signature #" then
      found[#found + 1] = {}
    elseif #found > 0 then
      local signature = found[#found]
      local name, value = line:match "^  %- ([^:]+): (.*)"
      if name then
        signature[name] = value
      else
        signature[line:match "^  %- (.*)" or line] = true
      end
    end
  end
  return found
end

-- The last signature's covered bytes and its CMS, as files with these letters
-- in their names.
function judges:take_apart(path, letters)
  letters = letters or ""
  local bytes = judges.read(path)
  local first, second, third, fourth
  for a, b, c, d in bytes:gmatch
    "/ByteRange%s*%[%s*(%d+)%s+(%d+)%s+(%d+)%s+(%d+)%s*%]" do
    first, second = tonumber(a), tonumber(b)
    third, fourth = tonumber(c), tonumber(d)
  end
  local hex = bytes:sub(second + 2, third - 1)
  local der = hex:gsub("%x%x", function(pair)
    return string.char(tonumber(pair, 16))
  end)
  -- What follows its end is padding; two bytes give the length.
  der = der:sub(1, der:byte(3) * 256 + der:byte(4) + 4)
  local parts = {
    size = #bytes, ranges = { first, second, third, fourth },
    content = self:path("content" .. letters),
    cms = self:path("cms" .. letters),
  }
  judges.write(parts.content, bytes:sub(first + 1, first + second)
    .. bytes:sub(third + 1, third + fourth))
  judges.write(parts.cms, der)
  return parts
end

-- Whether openssl accepts the last signature as CAdES, and its words.
function judges:cades(path)
  local parts = self:take_apart(path)
  local text, code = judges.run("openssl", "cms", "-verify", "-binary",
    "-inform", "DER", "-in", parts.cms, "-content", parts.content,
    "-CAfile", self.ca, "-cades", "-purpose", "any", "-out", "/dev/null",
    "-signer", self:path "signer.pem")
  return code == 0 and text:find "CAdES Verification successful" ~= nil, text
end

-- Whether pkijs or xadesjs accept each of these signatures, by the authority,
-- and their words, as { accepted, words }. Node.js takes long to start: ask of
-- many at once.
local function ask_node(self, kind, count, paths)
  local ca = self:path "ca.der"
  must("openssl", "x509", "-in", self.ca, "-outform", "DER", "-out", ca)
  local text, code = judges.run("env", "JUDGES=build/judges", "node",
    "spec/judges/judge.mjs", kind, ca, table.unpack(paths))
  local found = {}
  for verdict, words in text:gmatch "(%a+) ([^\n]*)\n" do
    found[#found + 1] = { verdict == "yes", words }
  end
  assert(code == 0 and #found == count, text)
  return found
end

-- Of the last signatures of these PDFs.
function judges:pkijs(paths)
  local parts_of = {}
  for i, path in ipairs(paths) do
    local parts = self:take_apart(path, "-" .. i)
    parts_of[#parts_of + 1] = parts.cms
    parts_of[#parts_of + 1] = parts.content
  end
  return ask_node(self, "cms", #paths, parts_of)
end

-- Of these XAdES files.
function judges:xadesjs(paths)
  return ask_node(self, "xades", #paths, paths)
end

-- Whether xmlsec1 accepts an XAdES file, by a certificate inside that the
-- authority vouches for, both references being right; and its words.
function judges:xades(path)
  local text, code = judges.run("xmlsec1", "--verify",
    "--id-attr:Id", "http://www.w3.org/2000/09/xmldsig#:Object",
    "--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties",
    "--trusted-pem", self.ca, "--enabled-key-data", "x509", path)
  return code == 0 and text:find("References (ok/all): 2/2", 1, true) ~= nil,
    text
end

-- Whether openssl accepts a time-stamp token over these bytes; its words; the
-- time it tells, in seconds.
function judges:timestamp(token, bytes)
  local path = judges.write(self:path "token.der", token)
  local text, code = judges.run("openssl", "ts", "-verify", "-token_in",
    "-in", path, "-data", judges.write(self:path "stamped.bin", bytes),
    "-CAfile", self.ca)
  local shown = judges.run("openssl", "ts", "-reply", "-token_in",
    "-token_out", "-in", path, "-text")
  return code == 0 and text:find "Verification: OK" ~= nil, text,
    shown:match "Time stamp: ([^\n]+)"
end

-- The elements of a DER value of definite length, each as { tag, inside,
-- whole }.
local function elements(der)
  local found, at = {}, 1
  while at <= #der do
    local tag, size = der:byte(at, at + 1)
    local head = 2
    if size > 127 then
      head, size = size - 126, 0
      for i = at + 2, at + head - 1 do size = size * 256 + der:byte(i) end
    end
    found[#found + 1] = { tag, der:sub(at + head, at + head + size - 1),
                          der:sub(at, at + head + size - 1) }
    at = at + head + size
  end
  return found
end

-- The time-stamp token of a PDF's last signature and what it is made over,
-- the signature's value.
function judges:stamp_in(path)
  local message = elements(judges.read(self:take_apart(path).cms))[1]
  local signed_data = elements(elements(message[2])[2][2])[1]
  local parts = elements(signed_data[2])
  local infos = elements(parts[#parts][2])
  local info = elements(infos[1][2])
  local unsigned, value = info[#info], info[#info - 1]
  assert(unsigned[1] == 0xA1 and value[1] == 4, "no unsigned attribute")
  local attribute = elements(elements(unsigned[2])[1][2])
  return elements(attribute[2][2])[1][3], value[2]
end

-- The last signature's certificate as openssl prints it.
function judges:certificate(path)
  assert(self:cades(path))
  return must("openssl", "x509", "-noout", "-text", "-nameopt",
    "utf8,sep_comma_plus", "-in", self:path "signer.pem")
end

return judges
