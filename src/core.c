/*
 * core.c: luaopen_signicat_core, the table of contents of the C core.
 *
 * Nobody includes this file and it keeps no state: what lives longer than a
 * call lives in a Lua state or in an object.
 */
#include "compat.h"

#include "aside.h"
#include "download.h"
#include "error.h"
#include "event.h"
#include "exchange.h"
#include "idset.h"
#include "json_read.h"
#include "json_write.h"
#include "message.h"
#include "multi.h"
#include "nearest.h"
#include "object.h"
#include "operation.h"
#include "process.h"
#include "request.h"
#include "resource.h"
#include "response.h"
#include "stop_signals.h"
#include "system.h"
#include "tickets.h"
#include "transfer.h"
#include "validate.h"

#include <dlfcn.h>

static const luaL_Reg functions[] = {
    /* a call, in the order of its steps */
    {"validate", core_validate},
    {"request", request_new},
    {"raw_request", request_raw},
    {"header_lines", message_header_lines},
    {"decode", response_decode},
    {"resource_id", resource_id},
    {"attach", resource_attach},
    {"idset", idset_new},
    /* events */
    {"hmac_sha256", event_hmac},
    {"hmac_matches", event_hmac_matches},
    /* the curl transport */
    {"multi", multi_new},
    {"transfer", transfer_new},
    /* transports with sockets of their own; and a request's methods */
    {"response", exchange_response},
    /* failures */
    {"error", error_new},
    {"is_error", error_is},
    {"misuse", error_misuse},
    {"nearest", core_nearest},
    /* JSON */
    {"json_decode", json_decode},
    {"json_encode", json_encode},
    /* the machine */
    {"now", system_now},
    {"wall_clock", system_wall_clock},
    {"sleep", system_sleep},
    {"forks", system_forks},
    {"is_yieldable", system_is_yieldable},
    {"random", system_random},
    {"base64", system_base64},
    {"parse_time", system_parse_time},
    {"format_time", system_format_time},
    {"spawn", process_spawn},
    {"hold_signals", stop_signals_hold},
    {"is_folder", download_is_folder},
    {NULL, NULL}};

/*
 * A resolver thread of libcurl may outlive the Lua state that loaded us, so
 * we stay where we are, however we were linked.
 */
static void stay_loaded(void) {
  Dl_info self;
  if (dladdr(functions, &self) != 0)
    dlopen(self.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
int luaopen_signicat_core(lua_State *L) {
  stay_loaded();
  sc_error_define(L);
  sc_message_define(L);
  sc_exchange_define(L);
  sc_resource_define(L);
  sc_transfer_define(L);
  sc_multi_define(L);
  sc_tickets_define(L);
  sc_aside_define(L);
  sc_process_define(L);
  sc_stop_signals_define(L);
  sc_idset_define(L);
  lua_newtable(L);
  sc_setfuncs(L, functions);
  sc_operations_push(L);
  lua_setfield(L, -2, "operations");
  sc_error_push_kinds(L);
  lua_setfield(L, -2, "kinds");
  sc_json_push_array_mark(L);
  lua_setfield(L, -2, "array_mark");
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  return 1;
}
