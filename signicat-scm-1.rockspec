rockspec_format = "3.0"
package = "signicat"
version = "scm-1"

source = { url = "git+file://." }

description = {
  summary = "A client for the Signicat Sign API v2",
  detailed = [=[
Uploads documents, opens signing sessions and fetches what was signed, from
any program that has a Lua. The rock signicat-sandbox is a local service to
try it with. Not affiliated with Signicat.]=],
  license = "MIT",
}

dependencies = { "lua >= 5.1, < 5.5" }

-- Without headers: Debian keeps curl.h where luarocks does not look, but the
-- compiler does.
external_dependencies = {
  CURL = { library = "curl" },
  CRYPTO = { library = "crypto" },
}

build = {
  type = "builtin",
  modules = {
    ["signicat.core"] = {
      defines = { "_GNU_SOURCE" },
      libraries = { "curl", "crypto", "m" },
      sources = {
        "src/address.c",
        "src/alarms.c",
        "src/body.c",
        "src/breakdown.c",
        "src/buffer.c",
        "src/collections.c",
        "src/connection.c",
        "src/core.c",
        "src/digest.c",
        "src/documents.c",
        "src/download.c",
        "src/error.c",
        "src/event.c",
        "src/exchange.c",
        "src/fill.c",
        "src/finding.c",
        "src/forks.c",
        "src/format.c",
        "src/idset.c",
        "src/json_number.c",
        "src/json_read.c",
        "src/json_value.c",
        "src/json_write.c",
        "src/message.c",
        "src/multi.c",
        "src/nearest.c",
        "src/object.c",
        "src/operation.c",
        "src/part.c",
        "src/process.c",
        "src/request.c",
        "src/resource.c",
        "src/response.c",
        "src/schema.c",
        "src/scratch.c",
        "src/sessions.c",
        "src/shape.c",
        "src/sigpipe.c",
        "src/sockets.c",
        "src/streams.c",
        "src/system.c",
        "src/transfer.c",
        "src/upload.c",
        "src/validate.c",
        "src/watch.c",
        "src/wire.c",
      },
    },
    ["signicat.address"] = "lua/signicat/address.lua",
    ["signicat.call"] = "lua/signicat/call.lua",
    ["signicat.collections"] = "lua/signicat/collections.lua",
    ["signicat.connection"] = "lua/signicat/connection.lua",
    ["signicat.documents"] = "lua/signicat/documents.lua",
    ["signicat.environment"] = "lua/signicat/environment.lua",
    ["signicat.events"] = "lua/signicat/events.lua",
    ["signicat.filename"] = "lua/signicat/filename.lua",
    ["signicat.find"] = "lua/signicat/find.lua",
    ["signicat.heap"] = "lua/signicat/heap.lua",
    signicat = "lua/signicat/init.lua",
    ["signicat.loop.cqueues"] = "lua/signicat/loop/cqueues.lua",
    ["signicat.loop.luv"] = "lua/signicat/loop/luv.lua",
    ["signicat.observe"] = "lua/signicat/observe.lua",
    ["signicat.options"] = "lua/signicat/options.lua",
    ["signicat.pages"] = "lua/signicat/pages.lua",
    ["signicat.redis"] = "lua/signicat/redis.lua",
    ["signicat.retry"] = "lua/signicat/retry.lua",
    ["signicat.sandbox"] = "lua/signicat/sandbox.lua",
    ["signicat.sessions"] = "lua/signicat/sessions.lua",
    ["signicat.settings"] = "lua/signicat/settings.lua",
    ["signicat.sign"] = "lua/signicat/sign.lua",
    ["signicat.strict"] = "lua/signicat/strict.lua",
    ["signicat.tasks"] = "lua/signicat/tasks.lua",
    ["signicat.tasks.nginx"] = "lua/signicat/tasks/nginx.lua",
    ["signicat.token"] = "lua/signicat/token.lua",
    ["signicat.token_store.memory"] = "lua/signicat/token_store/memory.lua",
    ["signicat.token_store.nginx"] = "lua/signicat/token_store/nginx.lua",
    ["signicat.token_store.redis"] = "lua/signicat/token_store/redis.lua",
    ["signicat.transport.choose"] = "lua/signicat/transport/choose.lua",
    ["signicat.transport.curl"] = "lua/signicat/transport/curl.lua",
    ["signicat.transport.exchange"] = "lua/signicat/transport/exchange.lua",
    ["signicat.transport.head"] = "lua/signicat/transport/head.lua",
    ["signicat.transport.nginx"] = "lua/signicat/transport/nginx.lua",
    ["signicat.transport.streams"] = "lua/signicat/transport/streams.lua",
    ["signicat.types"] = "lua/signicat/types.lua",
    ["signicat.wait"] = "lua/signicat/wait.lua",
    ["signicat.withhold"] = "lua/signicat/withhold.lua",
    ["signicat.worker"] = "lua/signicat/worker.lua",
    ["signicat.worker.functions"] = "lua/signicat/worker/functions.lua",
    ["signicat.worker.jobs"] = "lua/signicat/worker/jobs.lua",
    ["signicat.worker.queue"] = "lua/signicat/worker/queue.lua",
    ["signicat.worker.steps"] = "lua/signicat/worker/steps.lua",
  },
}
