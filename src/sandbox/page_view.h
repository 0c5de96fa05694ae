/*
 * page_view.h: the signer's page, one function for each of its views.
 *
 * Each fills the reply with a whole page for a browser: no script, nothing
 * from elsewhere, never kept in a cache.
 */
#ifndef SANDBOX_PAGE_VIEW_H
#define SANDBOX_PAGE_VIEW_H

#include "page_case.h"
#include "reply.h"
#include "visit.h"

typedef struct PageView {
  const Case *signing;
  const Visit *visit; /* NULL: a notice about no session */
  Reply *reply;
} PageView;

#define PAGE_NO_ERROR PAGE_TEXTS

/* The documents, and what to do with them. `error` is about the box. */
void page_view_documents(const PageView *view, PageText error);

/* A login, before the documents (`first`) or to sign. */
typedef struct PageLogin {
  bool first, agreed;
  const char *provider; /* NULL: to be chosen */
  const char *name, *number;
  PageText error;
} PageLogin;
void page_view_login(const PageView *view, const PageLogin *login);

void page_view_reject(const PageView *view, const char *reason, PageText error);

/* Says `title` and what follows it in page_text.h, then `detail` (may be
 * NULL). `onward` (may be NULL) is where a link with that text leads. */
typedef struct PageNotice {
  int status;
  const char *name; /* in the page's source, for tests */
  PageText title;
  const char *detail;
  PageText link;
  const char *onward;
} PageNotice;
void page_view_notice(const PageView *view, const PageNotice *notice);

#endif
