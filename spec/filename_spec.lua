-- filename_spec.lua: what a document is called in a folder.

local filename = require "signicat.filename"

local ID = "f05d0dce-a7af-432b-b6b8-e455ab7c0858"

local names = {
  -- what the service says, what the file is called
  { "lease.pdf", "lease.pdf" },
  { "Mietvertrag für Åse.pdf", "Mietvertrag für Åse.pdf" },
  { "../../etc/passwd", "passwd" },
  { "/etc/passwd", "passwd" },
  { "C:\\Users\\a\\lease.pdf", "lease.pdf" },
  { "..", nil },
  { ".", nil },
  { "", nil },
  { "a/", nil },
  { " . . ", nil },
  { ".bashrc", "bashrc" },
  { "-rf", "rf" },
  { "~", nil },
  { "a\0b\n\27[31m.pdf", "a_b__[31m.pdf" },
  { "a\127b", "a_b" },
  { "a\194\155b", "a_b" },                   -- a C1 control
  { "lease\226\128\174fdp.exe", "lease_fdp.exe" }, -- turns what follows
  { 'a:b*c?d"e<f>g|h', "a_b_c_d_e_f_g_h" },
  { "lease.pdf. ", "lease.pdf" },
  { ("x"):rep(300) .. ".pdf", ("x"):rep(196) .. ".pdf" },
  { ("ø"):rep(200) .. ".pdf", ("ø"):rep(98) .. ".pdf" },
  { "a." .. ("x"):rep(300), "a." .. ("x"):rep(198) },
  { 17, nil },
}

describe("a document's name", function()
  for _, case in ipairs(names) do
    it(("is safe: %q"):format(case[1]), function()
      assert.equal(case[2], filename.safe(case[1]))
    end)
  end

  it("is its id with the ending of its media type, when it has none",
    function()
      for kind, ending in pairs {
        ["application/pdf"] = ".pdf", ["text/plain; charset=utf-8"] = ".txt",
        ["TEXT/MARKDOWN"] = ".md", ["application/xml"] = ".xml",
        ["image/png"] = ".bin", [""] = ".bin",
      } do
        assert.equal(ID .. ending, filename.of({ mimeType = kind }, ID))
      end
      assert.equal(ID .. ".bin", filename.of({}, ID))
      assert.equal(ID .. ".pdf",
        filename.of({ filename = "..", mimeType = "application/pdf" }, ID))
    end)
end)
