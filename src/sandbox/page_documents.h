/*
 * page_documents.h: a session's documents, for its signer to read.
 */
#ifndef SANDBOX_PAGE_DOCUMENTS_H
#define SANDBOX_PAGE_DOCUMENTS_H

#include "html.h"
#include "page_case.h"
#include "reply.h"

/* All of them in order; false when they cannot be had. */
bool page_documents_write(const Case *signing, Html *html);
/* The bytes of one; the first is number 1. False: there is none such, or it
 * cannot be had, and the reply is empty. */
bool page_documents_send(const Case *signing, const char *number, Reply *reply);

#endif
