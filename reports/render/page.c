/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/render/page.h"

#include "inquest_config.h"
#include "reports/render/escape.h"

#define MARKUP_BYTES (6u << 10) /* of the shell, without styles and scripts */

static void hashes(struct text *text, const struct asset *first, const struct asset *const *more)
{
    text_printf(text, "'%s'", first->hash);
    for (; *more; more++)
        text_printf(text, " '%s'", (*more)->hash);
    text_append(text, "; ");
}

static void inline_parts(struct text *text, const char *element, const struct asset *first,
                         const struct asset *const *more)
{
    text_printf(text, "<%s>", element);
    text_append_n(text, first->bytes, first->size);
    text_printf(text, "</%s>\n", element);
    for (; *more; more++) {
        text_printf(text, "<%s>", element);
        text_append_n(text, (*more)->bytes, (*more)->size);
        text_printf(text, "</%s>\n", element);
    }
}

void page_begin(const struct page_shell *shell, struct text *text)
{
    text_append(text, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                      "style-src ");
    hashes(text, &asset_report_css, shell->styles);
    text_append(text, "script-src ");
    hashes(text, &asset_page_js, shell->scripts);
    text_append(text, "img-src data:; base-uri 'none'; form-action 'none'\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<meta name=\"referrer\" content=\"no-referrer\">\n"
                      "<meta name=\"generator\" content=\"inquest " INQUEST_VERSION "\">\n"
                      "<link rel=\"icon\" href=\"data:,\">\n<title>");
    escape_markup(text, shell->title, ESCAPE_ONE_LINE);
    text_append(text, "</title>\n");
    inline_parts(text, "style", &asset_report_css, shell->styles);
    text_append(text, "</head>\n<body>\n<header class=\"bar\"><div class=\"wide\">"
                      "<div class=\"brand\">inquest <span>");
    escape_markup(text, shell->kind, ESCAPE_ONE_LINE);
    text_append(text, "</span></div>\n<div class=\"tools script\" role=\"search\" hidden>"
                      "<input id=\"search\" type=\"search\" placeholder=\"Search  ( / )\" "
                      "autocomplete=\"off\" spellcheck=\"false\" aria-label=\"");
    escape_markup(text, shell->search_label, ESCAPE_ONE_LINE);
    text_append(text, "\"><output id=\"found\" class=\"found\" for=\"search\"></output>");
    text_append(text, shell->tools ? shell->tools : "");
    text_append(text,
                "<button type=\"button\" id=\"theme\">Theme: auto</button>"
                "<button type=\"button\" id=\"keys\" class=\"desk\" aria-label=\"Keys\">?</button>"
                "</div></div></header>\n<main id=\"main\" class=\"wide\">\n");
}

void page_end(const struct page_shell *shell, const char *footer, struct text *text)
{
    text_append(text, "</main>\n<footer><div class=\"wide\">");
    text_append(text, footer);
    text_append(text, "</div></footer>\n<dialog id=\"help\" aria-label=\"Keys\"><h2>Keys</h2><dl>"
                      "<dt><kbd>/</kbd></dt><dd>search; <kbd>Esc</kbd> ends it</dd>");
    for (const char *const *key = shell->keys; key && key[0]; key += 2)
        text_printf(text, "<dt>%s</dt><dd>%s</dd>", key[0], key[1]);
    text_append(text, "<dt><kbd>t</kbd></dt><dd>dark and light</dd></dl>"
                      "<button type=\"button\" id=\"close\">Close</button></dialog>\n");
    inline_parts(text, "script", &asset_page_js, shell->scripts);
    text_append(text, "</body>\n</html>\n");
}

size_t page_overhead(const struct page_shell *shell)
{
    size_t size = MARKUP_BYTES + asset_report_css.size + asset_page_js.size;
    for (const struct asset *const *style = shell->styles; *style; style++)
        size += (*style)->size;
    for (const struct asset *const *script = shell->scripts; *script; script++)
        size += (*script)->size;
    return size;
}
