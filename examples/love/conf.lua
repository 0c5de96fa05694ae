-- With SDL_VIDEODRIVER=dummy there is no screen, and everything else goes on.
function love.conf(t)
  t.identity = "signicat-example"
  t.window.title = "Lease 17"
  t.modules.audio, t.modules.sound = false, false
  if os.getenv "SDL_VIDEODRIVER" == "dummy" then
    t.window = nil
    t.modules.window, t.modules.graphics = false, false
  end
end
