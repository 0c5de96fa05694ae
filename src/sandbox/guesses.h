/*
 * guesses.h: what is not stated about the service anywhere, a name each.
 *
 * The rest of the sandbox follows what is published. Where nothing is, a
 * choice had to be made; a better fact is one line to change. Values and
 * switches are here. Guesses that are lists or code have `guess` in their
 * names: guess_initial_output (sessions.c), guess_order and guess_once
 * (listing.c), guess_providers (providers.c), guess_vendors
 * (session_rules.c), guess_delay (outbox.c), guess_due (state.c). Codes and
 * titles that are guesses are marked in the table of problem.c.
 */
#ifndef SANDBOX_GUESSES_H
#define SANDBOX_GUESSES_H

#include "problem.h"

/* No maximum is published; a run may set its own with --max-upload. */
#define GUESS_MAX_UPLOAD (100u * 1024 * 1024)
/* "text/plain; charset=utf-8" is taken, and answered as it was sent. */
#define GUESS_MEDIA_PARAMETERS_ACCEPTED true
#define GUESS_EMPTY_UPLOAD PROBLEM_BAD_REQUEST

/* An id in a body that names nothing; in a path it is certain. */
#define GUESS_UNKNOWN_DOCUMENT PROBLEM_DOCUMENT_NOT_FOUND
#define GUESS_UNKNOWN_COLLECTION PROBLEM_COLLECTION_NOT_FOUND
#define GUESS_UNKNOWN_SESSION PROBLEM_SESSION_NOT_FOUND
/* A document that exists, but not in the collection named beside it. */
#define GUESS_NOT_IN_COLLECTION PROBLEM_INVALID_PARAMETER
/* A session on a collection whose package is due, made or refused. */
#define GUESS_CLOSED_COLLECTION PROBLEM_CONFLICT
/* A document in a collection or a result; a collection in a session. */
#define GUESS_DELETE_IN_USE PROBLEM_CONFLICT

/* Unknown fields are refused in the outermost object of a request and
 * ignored (but kept) further down. */
#define GUESS_TOP_LEVEL_IS_CLOSED true
/* A name twice in one object, and U+0000 in a string, are refused. */
#define GUESS_JSON_FLAGS JSON_REJECT_DUPLICATES

/* signatureUrlTTL when none was sent: thirty days. */
#define GUESS_URL_TTL_MINUTES (30 * 24 * 60)
/* PKISIGNING has to say which vendor, and one of those known. */
#define GUESS_PKISIGNING_NEEDS_VENDOR true
/* The vendor whose PKISIGNING gives XML instead of PDF signatures. */
#define GUESS_XML_VENDOR "SBID"
/* PKISIGNING with any other vendor takes PDFs only. */
#define GUESS_PKISIGNING_OF_TEXT PROBLEM_BAD_REQUEST
/* AUTHENTICATION_BASED takes nothing that is signed already. */
#define GUESS_SIGNED_ALREADY PROBLEM_BAD_REQUEST
/* The media type that an XAdES result is answered with. */
#define GUESS_XADES_MIME "application/xml"

/* How long who has identified before the documents stays known. */
#define GUESS_VISIT_MINUTES 30

/* A field without + or - in front sorts upwards. */
#define GUESS_SORT_SIGN_OPTIONAL true
/* Sessions without a due date come last, whichever way is sorted. */
#define GUESS_SORT_ABSENT " NULLS LAST"

/* Events: who sends them, whose they are, how they are signed, how long they
 * are tried and how often. The header and the signature are what programs
 * in use assume; the delays (in seconds) are nobody's. */
#define GUESS_EVENT_SENDER "sign"
#define GUESS_EVENT_ACCOUNT "a-sandbox"
#define GUESS_EVENT_HEADER "X-Signicat-Signature"
#define GUESS_EVENT_LIFE WHEN_DAY
#define GUESS_EVENT_FIRST_DELAY 10
#define GUESS_EVENT_MOST_DELAY 3600

/* A token request without the scope is refused. */
#define GUESS_SCOPE_REQUIRED true

#endif
