/*
 * page_view.c: the frame around every view, and the views.
 */
#include "page_view.h"

#include "page_documents.h"
#include "problem.h"
#include "providers.h"
#include "return_url.h"

#include <stdlib.h>
#include <string.h>

/* English, on every page, whatever its language. */
#define NO_EFFECT "Sandbox, no legal effect"

/* Of a field that the error is about; without quotes, for they are escaped. */
#define WRONG " aria-invalid=true aria-describedby=error"

static const char *word(const PageView *view, PageText text) {
  return page_text(view->signing->language, text);
}

/* --- the frame ---------------------------------------------------------- */

static bool begin(const PageView *view, Html *html, const char *name,
                  const char *title) {
  if (!html_open(html)) return false;
  html_print(html,
             "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n"
             "<meta charset=\"utf-8\">\n"
             "<meta name=\"viewport\" content=\"width=device-width\">\n"
             "<title>%s</title>\n"
             "<link rel=\"stylesheet\" href=\"/sign/page.css\">\n"
             "<link rel=\"icon\" href=\"data:,\">\n"
             "</head>\n<body>\n",
             page_language_code(view->signing->language), title);
  if (strcmp(name, "documents") == 0)
    html_print(html, "<a class=\"skip\" href=\"#signature\">%s</a>\n",
               word(view, TEXT_SKIP));
  html_print(html,
             "<header><strong lang=\"en\">" NO_EFFECT "</strong>\n"
             "<span>%s</span></header>\n<main id=\"%s\">\n",
             word(view, TEXT_NO_EFFECT), name);
  return true;
}

/* Whatever is not named here is not loaded, run or sent. */
static char *policy(const json_t *request) {
  char *text = NULL;
  size_t size;
  FILE *file = open_memstream(&text, &size);
  if (!file) return NULL;
  fputs("default-src 'none'; style-src 'self'; object-src 'self'; "
        "frame-src 'self'; img-src data:; base-uri 'none'; "
        "frame-ancestors 'none'; form-action 'self'",
        file);
  return_url_origins(request, file);
  if (fclose(file) == 0) return text;
  free(text);
  return NULL;
}

static void end(const PageView *view, Html *html, int status) {
  Reply *reply = view->reply;
  html_print(html, "</main>\n</body>\n</html>\n");
  char *page = html_close(html);
  char *allowed = policy(view->signing->request);
  if (!page || !allowed) {
    problem_internal(reply);
    free(allowed);
  } else {
    reply_text(reply, status, "text/html; charset=utf-8", page);
    reply->policy = allowed;
    reply->no_store = true;
    if (view->visit) visit_greet(view->visit, reply);
  }
  free(page);
}

static const char *session_title(const PageView *view) {
  return case_string(view->signing, "title");
}

/* The view's name before the session's, for tabs and screen readers. */
static bool begin_titled(const PageView *view, Html *html, const char *name,
                         PageText title) {
  char *text = NULL;
  size_t size;
  FILE *file = open_memstream(&text, &size);
  if (!file) return false;
  fprintf(file, "%s: %s", word(view, title), session_title(view));
  bool good = fclose(file) == 0 && begin(view, html, name, text);
  free(text);
  return good;
}

/* --- pieces of forms ---------------------------------------------------- */

static void begin_form(const PageView *view, Html *html, const char *action) {
  char token[SECRET_HASH_SIZE];
  visit_token(view->visit, token);
  html_print(html,
             "<form method=\"post\" action=\"/sign/%s\">\n"
             "<input type=\"hidden\" name=\"sessionId\" value=\"%s\">\n"
             "<input type=\"hidden\" name=\"token\" value=\"%s\">\n",
             action, view->signing->url_id, token);
}

/* A form that only asks for another view. */
static void begin_link_form(const PageView *view, Html *html,
                            const char *action) {
  html_print(html,
             "<form method=\"get\" action=\"/sign/%s\">\n"
             "<input type=\"hidden\" name=\"sessionId\" value=\"%s\">\n",
             action, view->signing->url_id);
}

static void button(const PageView *view, Html *html, const char *kind,
                   PageText text) {
  html_print(html, "<button class=\"%s\">%s</button>\n", kind,
             word(view, text));
}

static void show_error(const PageView *view, Html *html, PageText error) {
  if (error != PAGE_NO_ERROR)
    html_print(html, "<p class=\"error\" role=\"alert\" id=\"error\">%s</p>\n",
               word(view, error));
}

static void cancel_form(const PageView *view, Html *html) {
  begin_form(view, html, "cancel");
  button(view, html, "plain", TEXT_CANCEL);
  html_print(html, "</form>\n");
}

static void back_link(const PageView *view, Html *html) {
  html_print(html, "<p><a href=\"/sign/?sessionId=%s\">%s</a></p>\n",
             view->signing->url_id, word(view, TEXT_BACK));
}

/* --- the documents ------------------------------------------------------ */

static void show_due(const PageView *view, Html *html) {
  char text[WHEN_SIZE];
  if (view->signing->due == WHEN_NONE) return;
  when_format(view->signing->due, text);
  html_print(html, "<p>%s <time datetime=\"%s\">", word(view, TEXT_DUE), text);
  text[10] = text[16] = '\0'; /* 2026-01-31T12:00:00Z: the day, the minute */
  html_print(html, "%s %s UTC</time></p>\n", text, text + 11);
}

static void show_consent(const PageView *view, Html *html, PageText error) {
  const char *text = case_string(view->signing, "signText");
  if (!text || !*text) return;
  html_print(html,
             "<p class=\"text\" dir=\"auto\" id=\"text\">%s</p>\n"
             "<p class=\"box\"><input type=\"checkbox\" name=\"agreed\" "
             "value=\"yes\" id=\"agreed\" required "
             "aria-describedby=\"text%s\">\n"
             "<label for=\"agreed\">%s</label></p>\n",
             text, error == PAGE_NO_ERROR ? "" : " error",
             word(view, TEXT_AGREE));
}

static void show_choices(const PageView *view, Html *html, PageText error) {
  html_print(html, "<section id=\"signature\" tabindex=\"-1\">\n<h2>%s</h2>\n",
             word(view, TEXT_SIGNATURE));
  show_error(view, html, error);
  begin_link_form(view, html, "login");
  show_consent(view, html, error);
  button(view, html, "main", TEXT_SIGN);
  html_print(html, "</form>\n<div class=\"others\">\n");
  cancel_form(view, html);
  begin_link_form(view, html, "reject");
  button(view, html, "plain", TEXT_REJECT);
  html_print(html, "</form>\n</div>\n</section>\n");
}

void page_view_documents(const PageView *view, PageText error) {
  Html html;
  const char *title = case_string(view->signing, "title");
  if (!begin(view, &html, "documents", title)) {
    problem_internal(view->reply);
    return;
  }
  html_print(&html, "<h1 dir=\"auto\">%s</h1>\n", title);
  show_due(view, &html);
  bool good = page_documents_write(view->signing, &html);
  show_choices(view, &html, error);
  end(view, &html, error == PAGE_NO_ERROR ? 200 : 400);
  if (!good) problem_internal(view->reply);
}

/* --- the login ---------------------------------------------------------- */

/* The name that people know it by, where it is one of the known. */
static const char *provider_name(const char *provider) {
  static const char *const names[][2] = {{"nbid", "BankID (NO)"},
                                         {"NBID", "BankID (NO)"},
                                         {"sbid", "BankID (SE)"},
                                         {"SBID", "BankID (SE)"},
                                         {"mitid", "MitID"},
                                         {"ftn", "Finnish Trust Network"},
                                         {"idin", "iDIN"},
                                         {"digid", "DigiD"},
                                         {"eherkenning", "eHerkenning"},
                                         {"AUDKENNI", "Auðkenni"},
                                         {"BUYPASS", "Buypass"},
                                         {"MOBILEID", "Mobile-ID"},
                                         {"SMARTID", "Smart-ID"}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(provider, names[i][0]) == 0) return names[i][1];
  return provider;
}

static void show_providers(const PageView *view, Html *html,
                           const PageLogin *login) {
  json_t *providers = providers_of(view->signing->request, login->first);
  size_t i;
  const json_t *each;
  html_print(html, "<h1>%s</h1>\n", word(view, TEXT_CHOOSE));
  begin_link_form(view, html, login->first ? "" : "login");
  if (login->agreed)
    html_print(html, "<input type=\"hidden\" name=\"agreed\" value=\"yes\">\n");
  html_print(html, "<ul class=\"providers\">\n");
  json_array_foreach(providers, i, each) {
    const char *name = json_string_value(each);
    html_print(html,
               "<li><button name=\"idpName\" value=\"%s\">%s</button></li>\n",
               name, provider_name(name));
  }
  html_print(html, "</ul>\n</form>\n");
  json_decref(providers);
}

static void show_number(const PageView *view, Html *html,
                        const PageLogin *login) {
  CaseNumber number = case_number(view->signing);
  bool required = number == CASE_NUMBER_REQUIRED;
  bool wrong = login->error == TEXT_OTHER_PERSON;
  if (number == CASE_NUMBER_NOT_ASKED) return;
  html_print(html, "<p><label for=\"number\">%s", word(view, TEXT_NATIONAL_ID));
  if (!required) html_print(html, " (%s)", word(view, TEXT_OPTIONAL));
  html_print(html,
             "</label>\n<input id=\"number\" name=\"number\" value=\"%s\" "
             "maxlength=\"64\" autocomplete=\"off\"%s%s></p>\n",
             login->number, required ? " required" : "", wrong ? WRONG : "");
}

static void show_login(const PageView *view, Html *html,
                       const PageLogin *login) {
  bool wrong = login->error == TEXT_BAD_NAME;
  html_print(html, "<h1>%s %s</h1>\n<p>%s</p>\n", word(view, TEXT_LOG_IN_WITH),
             provider_name(login->provider), word(view, TEXT_STAND_IN));
  show_error(view, html, login->error);
  begin_form(view, html, login->first ? "identify" : "sign");
  html_print(html, "<input type=\"hidden\" name=\"idpName\" value=\"%s\">\n",
             login->provider);
  if (login->agreed)
    html_print(html, "<input type=\"hidden\" name=\"agreed\" value=\"yes\">\n");
  html_print(html,
             "<p><label for=\"name\">%s</label>\n"
             "<input id=\"name\" name=\"name\" value=\"%s\" required "
             "maxlength=\"64\" autocomplete=\"name\"%s></p>\n",
             word(view, TEXT_NAME), login->name, wrong ? WRONG : "");
  show_number(view, html, login);
  button(view, html, "main", login->first ? TEXT_LOG_IN : TEXT_LOG_IN_AND_SIGN);
  html_print(html, "</form>\n");
}

void page_view_login(const PageView *view, const PageLogin *login) {
  Html html;
  PageText title = login->first ? TEXT_LOG_IN : TEXT_SIGN;
  if (!begin_titled(view, &html, login->first ? "identify" : "login", title)) {
    problem_internal(view->reply);
    return;
  }
  html_print(&html, "<p class=\"of\" dir=\"auto\">%s</p>\n",
             case_string(view->signing, "title"));
  if (login->first)
    html_print(&html, "<p>%s</p>\n", word(view, TEXT_IDENTIFY_FIRST));
  if (login->provider)
    show_login(view, &html, login);
  else
    show_providers(view, &html, login);
  if (login->first) {
    html_print(&html, "<div class=\"others\">\n");
    cancel_form(view, &html);
    html_print(&html, "</div>\n");
  } else {
    back_link(view, &html);
  }
  end(view, &html, login->error == PAGE_NO_ERROR ? 200 : 400);
}

/* --- no ----------------------------------------------------------------- */

void page_view_reject(const PageView *view, const char *reason,
                      PageText error) {
  Html html;
  if (!begin_titled(view, &html, "reject", TEXT_REJECT)) {
    problem_internal(view->reply);
    return;
  }
  html_print(&html,
             "<p class=\"of\" dir=\"auto\">%s</p>\n<h1>%s</h1>\n<p>%s</p>\n",
             case_string(view->signing, "title"), word(view, TEXT_REJECT),
             word(view, TEXT_FINAL));
  show_error(view, &html, error);
  begin_form(view, &html, "reject");
  html_print(&html,
             "<p><label for=\"reason\">%s (%s)</label>\n"
             "<textarea id=\"reason\" name=\"reason\" rows=\"4\" "
             "maxlength=\"2048\"%s>\n%s</textarea></p>\n",
             word(view, TEXT_REASON), word(view, TEXT_OPTIONAL),
             error == PAGE_NO_ERROR ? "" : WRONG, reason);
  button(view, &html, "main", TEXT_REJECT);
  html_print(&html, "</form>\n");
  back_link(view, &html);
  end(view, &html, error == PAGE_NO_ERROR ? 200 : 400);
}

/* --- notices ------------------------------------------------------------ */

void page_view_notice(const PageView *view, const PageNotice *notice) {
  Html html;
  const char *title = word(view, notice->title);
  if (!begin(view, &html, notice->name, title)) {
    problem_internal(view->reply);
    return;
  }
  if (view->signing->request && view->signing->status != CASE_EXPIRED)
    html_print(&html, "<p class=\"of\" dir=\"auto\">%s</p>\n",
               case_string(view->signing, "title"));
  html_print(&html, "<h1>%s</h1>\n<p>%s</p>\n", title,
             word(view, notice->title + 1));
  if (notice->detail)
    html_print(&html, "<p lang=\"en\">%s</p>\n", notice->detail);
  if (notice->onward)
    html_print(&html, "<p><a class=\"main\" href=\"%s\">%s</a></p>\n",
               notice->onward, word(view, notice->link));
  end(view, &html, notice->status);
}
