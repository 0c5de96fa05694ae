-- Texts in Markdown, as the signer's page has them.

local person = require "spec.sandbox.person"
local service = require "spec.sandbox.service"

describe("the signer's page", function()
  local sandbox

  setup(function() sandbox = service.start() end)
  teardown(function() sandbox:finish() end)

  local function make(fields) return person.session(sandbox, fields) end

  -- What is shown of a text in Markdown, and what it has to be in HTML.
  local markdown = {
    { "# One\n## Two\n####### Seven", "<h4>One</h4>\n<h5>Two</h5>\n"
      .. "<p>####### Seven</p>" },
    { "One\ntwo\n\nthree", "<p>One<br>\ntwo</p>\n<p>three</p>" },
    { "- one\n- two\n  more", "<ul>\n<li>one<li>two<br>\nmore</ul>" },
    { "7. Seven\n9) Nine", '<ol>\n<li value="7">Seven<li value="9">Nine</ol>' },
    { "> said\n> so", "<blockquote>said<br>\nso</blockquote>" },
    { "above\n***\nbelow", "<p>above</p>\n<hr>\n<p>below</p>" },
    { "```hidden?\n# <b>\n``` no\n```\nend",
      "<pre>\nhidden?\n# &lt;b&gt;\n``` no\n</pre>\n<p>end</p>" },
    { "**bold *and* more** `a*b*`", "<p><strong>bold <em>and</em> more"
      .. "</strong> <code>a*b*</code></p>" },
    { "2 * 3 * 4, a_b_c, **no, \\*as is\\*", "<p>2 * 3 * 4, a_b_c, **no, "
      .. "*as is*</p>" },
    { "[text](javascript:alert(1)) ![x](http://y)",
      "<p>[text](javascript:alert(1)) ![x](http://y)</p>" },
    { "<i onclick='x'>*<b>*", "<p>&lt;i onclick=&#39;x&#39;&gt;"
      .. "<em>&lt;b&gt;</em></p>" },
    { "one\r\ntwo\rthree\r\n", "<p>one<br>\ntwo\rthree</p>" },
    { "open ```\n```", "<p>open ```</p>\n<pre>\n</pre>" },
  }
  it("renders Markdown, and hides nothing of it", function()
    local kari = person.new(sandbox)
    for _, case in ipairs(markdown) do
      kari:open(make { contents = { case[1] },
                       mime = "text/markdown; charset=utf-8" })
      assert.equal(case[2], kari.page:match
        '<div class="prose"[^>]*>\n(.-)\n</div>')
    end
  end)

  it("survives Markdown that is nothing but signs", function()
    local kari = person.new(sandbox)
    for _, signs in ipairs { "*", "**", "* ", "`", "\\", "> ", "- ", "1. ",
                             "```\n", "# ", "*a", "**a ", "_" } do
      kari:open(make { mime = "text/markdown",
        contents = { signs:rep(200000 // #signs) } })
      assert.equal(200, kari.status)
      assert.equal("documents", kari:view())
    end
  end)
end)
