/*
 * page.c: the signer's page: what a browser may ask for, and what follows.
 *
 *   GET  /sign/?sessionId=          the documents, or why there are none
 *   GET  /sign/document?...&number= one of them, as a file
 *   GET  /sign/login                choose a provider, log in to sign
 *   GET  /sign/reject               ask for a reason
 *   POST /sign/identify, sign, reject, cancel
 *
 * Every request reads the session anew, so a page that was kept open or gone
 * back to can do nothing that its session does not allow now. What changes
 * anything comes by POST with the token of its browser, and goes through
 * signing.c and state.c as a call of the API's would.
 */
#include "api.h"
#include "label.h"
#include "page_documents.h"
#include "page_view.h"
#include "problem.h"
#include "providers.h"
#include "request.h"
#include "return_url.h"
#include "signing.h"
#include "state.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define MOST_NAME 64 /* characters: what a certificate's name may have */
#define MOST_REASON 2048

/* One request for the page. */
typedef struct Page {
  const Request *request;
  Reply *reply;
  Query form;
  const Query *sent; /* the form, or the query of the URL */
  Case signing;
  Visit visit;
  PageView view;
} Page;

static const char *field(const Page *page, const char *name) {
  bool again;
  const char *text = query_value(page->sent, name, &again);
  return text ? text : "";
}

static bool is_agreed(const Page *page) {
  return strcmp(field(page, "agreed"), "yes") == 0;
}

/* What has to be agreed to before anything is signed is. */
static bool needs_agreement(const Page *page) {
  const char *text = case_string(&page->signing, "signText");
  return text && *text && !is_agreed(page);
}

/* --- where a page ends --------------------------------------------------- */

/* `then` (may be NULL) is a link to that target, or to the page itself. */
static void notice(const Page *page, int status, const char *name,
                   PageText title, const char *then) {
  PageNotice all = {
      .status = status, .name = name, .title = title, .link = TEXT_CONTINUE};
  char *onward = NULL;
  if (then && *then)
    onward = return_url(page->signing.request, then, page->signing.session);
  else if (then &&
           asprintf(&onward, "/sign/?sessionId=%s", page->signing.url_id) < 0)
    onward = NULL;
  if (then && !*then) all.link = TEXT_OPEN_AGAIN;
  all.onward = onward;
  page_view_notice(&page->view, &all);
  free(onward);
}

/* What there is to say of a session that cannot be signed: its state is in
 * the way (409), its time is over (410), or there is none (404). */
static void say_status(const Page *page) {
  switch (page->signing.status) {
  case CASE_OPEN: break;
  case CASE_UNKNOWN: notice(page, 404, "unknown", TEXT_UNKNOWN, NULL); break;
  case CASE_EXPIRED: notice(page, 410, "expired", TEXT_EXPIRED, "error"); break;
  case CASE_BLOCKED: notice(page, 409, "blocked", TEXT_BLOCKED, ""); break;
  case CASE_SIGNED: notice(page, 409, "signed", TEXT_SIGNED, "success"); break;
  case CASE_REJECTED:
    notice(page, 409, "rejected", TEXT_REJECTED, "cancel");
    break;
  case CASE_OVERDUE: notice(page, 410, "overdue", TEXT_OVERDUE, "error"); break;
  case CASE_FAILED: notice(page, 500, "failed", TEXT_FAILED, NULL); break;
  }
}

static void redirect(const Page *page, const char *url) {
  reply_empty(page->reply, 303);
  page->reply->location = strdup(url);
  page->reply->no_store = true;
}

/* Sends the browser on, or says `title` where there is nowhere to go. */
static void leave(const Page *page, const char *which, const char *name,
                  PageText title) {
  char *url = return_url(page->signing.request, which, page->signing.session);
  if (url)
    redirect(page, url);
  else
    notice(page, 200, name, title, strcmp(which, "cancel") == 0 ? "" : NULL);
  free(url);
}

/* --- who may see what ---------------------------------------------------- */

static bool read_form(Page *page) {
  const Request *request = page->request;
  page->sent = &request->query;
  if (request->match.route->body != ROUTE_FORM) return true;
  page->sent = &page->form;
  return query_read(&page->form, request->body ? request->body : "",
                    request->body_size);
}

static bool check_token(const Page *page) {
  if (page->request->match.route->body != ROUTE_FORM ||
      visit_has_token(&page->visit, field(page, "token")))
    return true;
  notice(page, 403, "stale", TEXT_STALE, "");
  return false;
}

/* A login with nothing filled in yet. */
static PageLogin empty_login(const Page *page, bool first) {
  PageLogin login = {.first = first, .agreed = is_agreed(page)};
  json_t *providers = providers_of(page->signing.request, first);
  const char *chosen = field(page, "idpName");
  if (providers_have(providers, chosen))
    login.provider = chosen;
  else if (json_array_size(providers) == 1) /* the request holds it, too */
    login.provider = json_string_value(json_array_get(providers, 0));
  login.name = login.number = "";
  login.error = PAGE_NO_ERROR;
  json_decref(providers);
  return login;
}

/* Whether the documents may be shown; otherwise the reply asks who it is. */
static bool is_known(const Page *page) {
  char name[VISIT_NAME_SIZE];
  if (!case_pre_authenticates(&page->signing)) return true;
  int found = visit_name(&page->visit, name);
  if (found > 0) return true;
  if (found < 0) {
    notice(page, 500, "failed", TEXT_FAILED, NULL);
    return false;
  }
  PageLogin login = empty_login(page, true);
  page_view_login(&page->view, &login);
  return false;
}

/* Says how the session stands now, when another was quicker; nobody was: it
 * failed. */
static void say_overtaken(Page *page) {
  Case now = case_open(page->request->service, page->signing.url_id, NULL);
  case_close(&page->signing);
  page->signing = now;
  if (now.status == CASE_OPEN) page->signing.status = CASE_FAILED;
  say_status(page);
}

static bool open_page(Page *page, Request *request, Reply *reply) {
  *page = (Page){.request = request, .reply = reply};
  bool readable = read_form(page);
  const char *accepted = request_header(request, "Accept-Language");
  page->signing = case_open(
      request->service, readable ? field(page, "sessionId") : NULL, accepted);
  page->visit = visit_of(request, page->signing.session);
  page->view.signing = &page->signing;
  page->view.reply = reply;
  if (page->signing.request) page->view.visit = &page->visit;
  if (page->signing.status == CASE_OPEN) return check_token(page);
  say_status(page);
  return false;
}

static void close_page(Page *page) {
  case_close(&page->signing);
  query_clear(&page->form);
}

/* --- looking ------------------------------------------------------------- */

void page_open(Request *request, Reply *reply) {
  Page page;
  if (open_page(&page, request, reply) && is_known(&page)) {
    if (state_open(request->service->store, page.signing.session) == STATE_DONE)
      page_view_documents(&page.view, PAGE_NO_ERROR);
    else
      say_overtaken(&page);
  }
  close_page(&page);
}

void page_document(Request *request, Reply *reply) {
  Page page;
  if (open_page(&page, request, reply) && is_known(&page) &&
      !page_documents_send(&page.signing, field(&page, "number"), reply))
    notice(&page, 404, "unknown", TEXT_UNKNOWN, "");
  close_page(&page);
}

void page_login(Request *request, Reply *reply) {
  Page page;
  char name[VISIT_NAME_SIZE] = "";
  if (open_page(&page, request, reply) && is_known(&page)) {
    PageLogin login = empty_login(&page, false);
    visit_name(&page.visit, name);
    login.name = name;
    if (needs_agreement(&page))
      page_view_documents(&page.view, TEXT_MUST_AGREE);
    else
      page_view_login(&page.view, &login);
  }
  close_page(&page);
}

void page_ask_reason(Request *request, Reply *reply) {
  Page page;
  if (open_page(&page, request, reply) && is_known(&page))
    page_view_reject(&page.view, "", PAGE_NO_ERROR);
  close_page(&page);
}

/* --- acting -------------------------------------------------------------- */

/* The login as it was filled in; false: it is asked for again. */
static bool read_login(const Page *page, bool first, PageLogin *login) {
  *login = empty_login(page, first);
  login->name = field(page, "name");
  login->number = field(page, "number");
  size_t length = text_length(login->name);
  if (label_is_blank(login->name) || length > MOST_NAME)
    login->error = TEXT_BAD_NAME;
  else if (!case_is_signer(&page->signing, login->number))
    login->error = TEXT_OTHER_PERSON;
  if (login->provider && login->error == PAGE_NO_ERROR) return true;
  page_view_login(&page->view, login);
  return false;
}

void page_identify(Request *request, Reply *reply) {
  Page page;
  PageLogin login;
  if (open_page(&page, request, reply) && read_login(&page, true, &login)) {
    char url[64];
    snprintf(url, sizeof url, "/sign/?sessionId=%s", page.signing.url_id);
    if (visit_identify(&page.visit, login.name))
      redirect(&page, url);
    else
      notice(&page, 500, "failed", TEXT_FAILED, NULL);
  }
  close_page(&page);
}

/* A document that cannot be signed, or a fault: no word of the API's own
 * about what a signer is told. */
static void say_failed(const Page *page, const Reply *why) {
  json_t *problem = json_loadb(why->body, why->size, 0, NULL);
  char *url = return_url(page->signing.request, "error", page->signing.session);
  PageNotice all = {.status = why->status,
                    .name = "failed",
                    .title = TEXT_FAILED,
                    .detail =
                        json_string_value(json_object_get(problem, "detail"))};
  if (url)
    redirect(page, url);
  else
    page_view_notice(&page->view, &all);
  free(url);
  json_decref(problem);
}

static void sign(Page *page, const PageLogin *login) {
  Reply answer = {0};
  const SigningWho who = {login->name, login->provider};
  signing_sign(page->request->service, page->signing.session, &who, &answer);
  if (answer.status == 200)
    leave(page, "success", "done", TEXT_DONE);
  else if (answer.status == 409)
    say_overtaken(page);
  else
    say_failed(page, &answer);
  reply_clear(&answer);
}

void page_sign(Request *request, Reply *reply) {
  Page page;
  PageLogin login;
  if (open_page(&page, request, reply) && is_known(&page)) {
    if (needs_agreement(&page))
      page_view_documents(&page.view, TEXT_MUST_AGREE);
    else if (read_login(&page, false, &login))
      sign(&page, &login);
  }
  close_page(&page);
}

/* A signer who has rejected ends at a page of the service's. */
static void reject(Page *page, const char *reason) {
  switch (state_reject(page->request->service->store, page->signing.session,
                       *reason ? reason : NULL)) {
  case STATE_DONE:
    notice(page, 200, "rejected", TEXT_REJECTED, "cancel");
    break;
  case STATE_FAILED: notice(page, 500, "failed", TEXT_FAILED, NULL); break;
  default: say_overtaken(page);
  }
}

void page_reject(Request *request, Reply *reply) {
  Page page;
  if (open_page(&page, request, reply) && is_known(&page)) {
    const char *reason = field(&page, "reason");
    if (text_length(reason) > MOST_REASON)
      page_view_reject(&page.view, reason, TEXT_LONG_REASON);
    else
      reject(&page, reason);
  }
  close_page(&page);
}

void page_cancel(Request *request, Reply *reply) {
  Page page;
  if (open_page(&page, request, reply))
    leave(&page, "cancel", "cancelled", TEXT_CANCELLED);
  close_page(&page);
}
