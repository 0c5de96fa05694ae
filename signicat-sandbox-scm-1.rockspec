rockspec_format = "3.0"
package = "signicat-sandbox"
version = "scm-1"

source = { url = "git+file://." }

description = {
  summary = "A local service with the Signicat Sign API v2, for trying things",
  detailed = [[
One executable, signicat-sandbox, that answers as the service does and signs
for real, with an authority of its own and no legal effect. It needs no
account and no network. Not affiliated with Signicat.]],
  license = "MIT",
}

dependencies = { "lua >= 5.1, < 5.5" }

-- The Makefile finds the libraries it needs through pkg-config.
build = {
  type = "make",
  build_target = "sandbox",
  install_target = "install-sandbox",
  install_variables = { BINDIR = "$(BINDIR)" },
}
