/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_HTML_REPORT_H
#define INQUEST_REPORTS_COMMANDS_HTML_REPORT_H

#include "inquest/base/text.h"
#include "reports/commands/postmortem_model.h"

/* The page in the making. Text from the dump goes through html_text and
 * html_lines, and through nothing else; text_append is for our own markup. */
struct html_page {
    const struct postmortem *model;
    struct text *text;
    size_t limit; /* that text->size must not pass, for what can be cut */
    size_t cut_threads, cut_frames, cut_locals, cut_rows;
};

void html_text(struct html_page *page, const char *string);  /* one line, or an attribute */
void html_lines(struct html_page *page, const char *string); /* newlines pass */

/* html_threads.c: the <details> of one group, `open` or not. What does not fit
 * within page->limit is cut and counted; false: not even its heading did. */
bool html_group(struct html_page *page, const struct stack_group *group, size_t rank, bool open);

/* html_tables.c: each a <section>, nothing where the model has none. */
void html_memory(struct html_page *page);
void html_files(struct html_page *page);
void html_warnings(struct html_page *page);
void html_next(struct html_page *page);

#endif
