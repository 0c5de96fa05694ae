/*
 * page_text.h: the words on the signer's page, in the languages of
 * `ui.language`.
 */
#ifndef SANDBOX_PAGE_TEXT_H
#define SANDBOX_PAGE_TEXT_H

typedef enum PageLanguage {
  PAGE_DA,
  PAGE_DE,
  PAGE_EN,
  PAGE_FI,
  PAGE_NB,
  PAGE_NN,
  PAGE_SV,
  PAGE_LANGUAGES
} PageLanguage;

/* Where a notice has a second word, it follows: TEXT_BLOCKED + 1 says more. */
typedef enum PageText {
  TEXT_NO_EFFECT,
  TEXT_SKIP,
  TEXT_DUE,
  TEXT_DOCUMENTS,
  TEXT_TO_SIGN,
  TEXT_TO_VIEW,
  TEXT_DOCUMENT,
  TEXT_OPEN,
  TEXT_NO_VIEWER,
  TEXT_NOT_SHOWN,
  TEXT_SIGNATURE,
  TEXT_AGREE,
  TEXT_SIGN,
  TEXT_CANCEL,
  TEXT_REJECT,
  TEXT_IDENTIFY_FIRST,
  TEXT_CHOOSE,
  TEXT_LOG_IN_WITH,
  TEXT_STAND_IN,
  TEXT_NAME,
  TEXT_NATIONAL_ID,
  TEXT_OPTIONAL,
  TEXT_LOG_IN,
  TEXT_LOG_IN_AND_SIGN,
  TEXT_BACK,
  TEXT_REASON,
  TEXT_FINAL,
  TEXT_CONTINUE,
  TEXT_OPEN_AGAIN,
  /* What is wrong with a form. */
  TEXT_MUST_AGREE,
  TEXT_BAD_NAME,
  TEXT_OTHER_PERSON,
  TEXT_LONG_REASON,
  /* Notices, with what more there is to say. */
  TEXT_BLOCKED,
  TEXT_BLOCKED_MORE,
  TEXT_SIGNED,
  TEXT_SIGNED_MORE,
  TEXT_REJECTED,
  TEXT_REJECTED_MORE,
  TEXT_EXPIRED,
  TEXT_EXPIRED_MORE,
  TEXT_OVERDUE,
  TEXT_OVERDUE_MORE,
  TEXT_UNKNOWN,
  TEXT_UNKNOWN_MORE,
  TEXT_DONE,
  TEXT_DONE_MORE,
  TEXT_CANCELLED,
  TEXT_CANCELLED_MORE,
  TEXT_STALE,
  TEXT_STALE_MORE,
  TEXT_FAILED,
  TEXT_FAILED_MORE,
  PAGE_TEXTS
} PageText;

const char *page_text(PageLanguage language, PageText text);
/* As in ui.language and in HTML; NULL and what is unknown is English. */
PageLanguage page_language(const char *code);
const char *page_language_code(PageLanguage language);
/* The first that is known in an Accept-Language header, which may be NULL. */
PageLanguage page_language_accepted(const char *header);

#endif
