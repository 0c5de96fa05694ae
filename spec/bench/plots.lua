local plots = {}
function plots.draw() end
return plots
