/*
 * api.h: every handler there is, and the table of routes that names them.
 */
#ifndef SANDBOX_API_H
#define SANDBOX_API_H

#include "route.h"

extern const Route api_routes[];
extern const size_t api_route_count;

RouteHandler token_issue;
RouteHandler documents_upload, documents_download, documents_delete,
    documents_metadata, documents_update;
RouteHandler collections_create, collections_get, collections_delete;
RouteHandler sessions_create, sessions_get, sessions_delete;
RouteHandler page_open, page_document, page_login, page_ask_reason,
    page_identify, page_sign, page_reject, page_cancel, page_style;
RouteHandler listing_get;
RouteHandler webhooks_add, webhooks_list, webhooks_remove, webhooks_events,
    webhooks_deliver;
RouteHandler control_open, control_sign, control_reject, control_ca;
RouteHandler levers_clock, levers_advance, levers_journal, levers_forget,
    levers_faults, levers_break, levers_mend;
RouteHandler account_seed, account_reset;

#endif
