-- counts.lua: busted's plain output, closed by the line `N passed, N failed`.
--
-- The counts are busted's own. What could not even start, a file that does
-- not load or a setup that raises, counts as failed. Listeners of "exit" that
-- subscribe later print below it.

return function(options)
  local busted = require "busted"
  local handler = require "busted.outputHandlers.plainTerminal"(options)
  busted.subscribe({ "exit" }, function()
    print(("%d passed, %d failed"):format(handler.successesCount,
      handler.failuresCount + handler.errorsCount))
    return nil, true
  end)
  return handler
end
