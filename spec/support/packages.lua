-- packages.lua: what specs of packages begin with, and what they look at.

local judges = require "spec.support.judges"
local pdf = require "spec.support.pdf"
local service = require "spec.sandbox.service"

local packages = {}

packages.CONTAINER = { "PADES_CONTAINER" }

-- A page that says some words; `more` are objects from number 6 on.
function packages.page(words, entries, more)
  local objects = {
    ("<< /Type /Catalog /Pages 2 0 R %s >>"):format(entries or ""),
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R "
      .. "/Resources << /Font << /F1 5 0 R >> >> "
      .. (more and "/Annots [6 0 R]" or "") .. " >>",
    pdf.stream(("BT /F1 12 Tf 20 100 Td (%s) Tj ET"):format(words)),
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  }
  for _, object in ipairs(more or {}) do objects[#objects + 1] = object end
  return pdf.file(objects)
end

-- A session that signs these documents of a collection, unless `fields` say
-- otherwise.
function packages.body_of(collection, ids, fields)
  local documents = {}
  for i, id in ipairs(ids) do
    documents[i] = { documentId = id, documentCollectionId = collection.id,
                     action = "SIGN" }
  end
  local session = { title = "Lease 17", documents = documents,
                    signingSetup = { { signingFlow = "AUTHENTICATION_BASED",
                      identityProviders = { { idpName = "nbid" } } } } }
  for name, value in pairs(fields or {}) do session[name] = value end
  return session
end

function packages.sign(sandbox, session, who)
  local status, answer = sandbox:sign(session, who)
  assert(status == 200, answer.detail)
  return answer
end

function packages.of_collection(sandbox, collection)
  local _, now = sandbox:call("GET",
    "/sign/document-collections/" .. collection.id)
  return now.output.packages
end

function packages.of_session(sandbox, session)
  local _, now = sandbox:call("GET", "/sign/signing-sessions/" .. session.id)
  return now.output.packages
end

function packages.read(sandbox, id)
  local status, bytes, headers = sandbox:call("GET", "/sign/documents/" .. id)
  assert(status == 200, status)
  return bytes, headers
end

-- Waits for the package of a collection, or what `show` gives of another
-- thing; its path, and what is said of it.
function packages.await(sandbox, judge, thing, show)
  local one = service.await("the package", function()
    return (show or packages.of_collection)(sandbox, thing)[1]
  end)
  assert(one.packageType == "PADES_CONTAINER")
  assert(one.packageId:find "^%x+%-%x+%-7")
  local bytes, headers = packages.read(sandbox, one.resultDocumentId)
  assert(headers["content-type"] == "application/pdf")
  return judges.write(judge:path "package.pdf", bytes), one
end

-- The attachments, as { name, bytes } in their order.
function packages.attachments(judge, path)
  local folder = judge:path "attachments"
  judges.run("rm", "-rf", folder)
  judges.run("mkdir", folder)
  local said, code = judges.run("pdfdetach", "-saveall", "-o", folder, path)
  assert(code == 0, said)
  local list = {}
  for name in judges.run("pdfdetach", "-list", path):gmatch "%d+: ([^\n]+)" do
    list[#list + 1] = { name, judges.read(folder .. "/" .. name) }
  end
  return list
end

-- The words of each page.
function packages.pages(path)
  local list = {}
  local text = judges.run("pdftotext", "-q", "-layout", path, "-")
  for words in text:gmatch "(.-)\f" do list[#list + 1] = words end
  return list
end

return packages
