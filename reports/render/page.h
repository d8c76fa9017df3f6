/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_RENDER_PAGE_H
#define INQUEST_REPORTS_RENDER_PAGE_H

#include "inquest/base/text.h"
#include "reports/render/assets.h"

/* What all HTML reports share: one self-contained page that asks for nothing from
 * anywhere and is whole without scripting. Its Content-Security-Policy allows its own
 * styles and scripts by their hashes, so there are no style attributes and no event
 * handlers in the markup. The styles are report.css and what `styles` adds, the
 * scripts page.js and what `scripts` adds. */

#define PAGE_LIMIT (2u << 20) /* bytes, of any page by default */

struct page_shell {
    const char *title; /* from the dump: unescaped */
    const char *kind;  /* after the brand: "postmortem" */
    const char *tools; /* markup of the bar beside search and theme; NULL: none */
    const char *search_label;
    const struct asset *styles[3], *scripts[3]; /* NULL-ended */
    const char *const *keys; /* pairs for the dialog: "<kbd>/</kbd>", "search"; NULL-ended */
};

/* Up to and with <main>. */
void page_begin(const struct page_shell *shell, struct text *text);
/* </main>, the footer (`footer` is markup, paragraphs), the dialog of keys, scripts. */
void page_end(const struct page_shell *shell, const char *footer, struct text *text);
/* Bytes that the two take, without title and footer. */
size_t page_overhead(const struct page_shell *shell);

#endif
