/*
 * page_style.c: the stylesheet of the signer's page.
 *
 * One column that fits any width; nothing is shown by colour alone.
 */
#include "api.h"
#include "reply.h"

#include <string.h>

static const char style[] =
    "*{box-sizing:border-box}\n"
    "html{font:1.0625rem/1.5 system-ui,sans-serif;color:#1c2430;"
    "background:#f1f3f6;overflow-wrap:anywhere;"
    "-webkit-text-size-adjust:100%}\n"
    "body{margin:0}\n"
    "header{background:#ffdf7e;color:#3d2c00;padding:.5rem 1rem;"
    "text-align:center;font-size:.9rem}\n"
    "header strong{margin-right:.5rem}\n"
    "main{max-width:46rem;width:calc(100% - 2rem);margin:1.5rem "
    "auto;padding:1.5rem 2rem 2rem;"
    "background:#fff;border:1px solid #d9dee6;border-radius:.75rem}\n"
    "#documents{max-width:60rem}\n"
    "h1{font-size:1.6rem;line-height:1.25;margin:.25rem 0 1rem}\n"
    "h2{font-size:1.2rem;margin:1.75rem 0 .75rem}\n"
    "h3{font-size:1.05rem;margin:0;flex:1 1 12rem}\n"
    "p{margin:.75rem 0}\n"
    "a{color:#0b57a4}\n"
    ".of{color:#4a5568;margin:0}\n"
    ".documents{list-style:none;margin:0;padding:0}\n"
    ".documents li{border:1px solid #d9dee6;border-left:.4rem solid #8a94a6;"
    "border-radius:.5rem;padding:1rem;margin:0 0 1.25rem}\n"
    ".documents .sign{border-left-color:#17633a}\n"
    ".documents li>div{display:flex;flex-wrap:wrap;gap:.5rem;"
    "align-items:baseline;margin-bottom:.75rem}\n"
    ".documents li>p:last-child{margin:.5rem 0 0;font-size:.95rem}\n"
    ".mark{margin:0;padding:.1rem .6rem;border-radius:1rem;font-size:.875rem;"
    "background:#e6e9ee;color:#333c4a}\n"
    ".sign .mark{background:#d6f0e0;color:#0d4526;font-weight:600}\n"
    "object,pre{display:block;width:100%;border:1px solid #d9dee6;"
    "background:#fbfcfd;border-radius:.25rem}\n"
    "object{height:70vh;min-height:20rem}\n"
    "pre{margin:0;padding:1rem;max-height:70vh;overflow:auto;"
    "white-space:pre-wrap;font:inherit}\n"
    "#signature{border-top:1px solid #d9dee6;margin-top:2rem}\n"
    ".text{white-space:pre-wrap;padding:.75rem 1rem;background:#f4f6f9;"
    "border-left:.25rem solid #0b57a4}\n"
    ".box{display:flex;gap:.75rem;align-items:flex-start}\n"
    ".box input{width:1.5rem;height:1.5rem;flex:none;margin:0}\n"
    "form p>label{font-weight:600}\n"
    "form .box label{font-weight:400}\n"
    "input:not([type=checkbox]),textarea{display:block;width:100%;"
    "max-width:28rem;font:inherit;color:inherit;padding:.6rem .75rem;"
    "margin-top:.25rem;border:1px solid #6b7686;border-radius:.375rem;"
    "background:#fff}\n"
    "textarea{max-width:none}\n"
    "[aria-invalid=true]{border:2px solid #b3261e}\n"
    "button,a.main{display:inline-block;font:inherit;font-weight:600;"
    "min-height:2.75rem;padding:.55rem 1.5rem;border-radius:.375rem;"
    "border:1px solid #0b57a4;background:#fff;color:#0b57a4;cursor:pointer;"
    "text-decoration:none}\n"
    "button.main,a.main{background:#0b57a4;color:#fff}\n"
    "button:hover,a.main:hover{box-shadow:0 0 0 2px #a9cdf2}\n"
    ":focus-visible{outline:3px solid #d9730d;outline-offset:2px}\n"
    ".others{display:flex;flex-wrap:wrap;gap:.75rem;margin-top:1rem}\n"
    ".providers{list-style:none;padding:0;margin:0}\n"
    ".providers button{width:100%;max-width:28rem;text-align:left;"
    "margin-bottom:.75rem}\n"
    ".error{padding:.75rem 1rem;background:#fdecea;color:#8c1d18;"
    "border-left:.25rem solid #b3261e}\n"
    ".skip{position:absolute;clip-path:inset(50%);width:1px;"
    "height:1px;overflow:hidden;white-space:nowrap}\n"
    ".skip:focus{clip-path:none;width:auto;height:auto;padding:.5rem 1rem;"
    "background:#fff;z-index:1}\n"
    "@media(max-width:40em){main{margin:0;width:auto;border:0;border-radius:0;"
    "padding:1rem}.main,.others form,.others button{width:100%;"
    "text-align:center}.others form{flex:1 1 8rem}}\n";

void page_style(struct Request *request, Reply *reply) {
  (void)request;
  reply_text(reply, 200, "text/css; charset=utf-8", style);
  reply->policy = strdup("default-src 'none'");
}
