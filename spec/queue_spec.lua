-- queue_spec.lua: the order in which a queue gives back what was put into it.

local queue = require "signicat.queue"

describe("a queue", function()
  local function taken(all)
    local names = {}
    for value in queue.take, all do names[#names + 1] = value.name end
    return table.concat(names)
  end

  local function of(names, link)
    local all = queue.new(link or "next")
    for name in names:gmatch "." do queue.put(all, { name = name }) end
    return all
  end

  it("gives back first what came first", function()
    assert.equal("abc", taken(of "abc"))
    assert.is_nil(queue.take(queue.new "next"))
  end)

  it("serves again when it was empty", function()
    local all = of "ab"
    assert.equal("ab", taken(all))
    assert.is_false(all.first)
    queue.put(all, { name = "c" })
    assert.equal("c", taken(all))
  end)

  it("takes what comes between two that go", function()
    local all = of "ab"
    assert.equal("a", queue.take(all).name)
    queue.put(all, { name = "c" })
    assert.equal("bc", taken(all))
  end)

  it("takes another one's behind its own, and leaves it empty", function()
    for names, parts in pairs { abcd = { "ab", "cd" }, ab = { "ab", "" },
                                cd = { "", "cd" }, [""] = { "", "" } } do
      local all, other = of(parts[1]), of(parts[2])
      queue.join(all, other)
      assert.is_false(other.first)
      queue.put(all, { name = "z" })
      assert.equal(names .. "z", taken(all))
    end
  end)

  it("has a value beside another queue of another link", function()
    local value = { name = "a" }
    local one, other = queue.new "next", queue.new "after"
    queue.put(one, value)
    queue.put(other, value)
    queue.put(other, { name = "b" })
    assert.equal("a", taken(one))
    assert.equal("ab", taken(other))
  end)

  it("forgets all that is in it", function()
    local all = of "abc"
    queue.empty(all)
    assert.equal("", taken(all))
  end)
end)
