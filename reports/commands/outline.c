/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/outline.h"

#include "reports/commands/heap_answer.h"
#include "reports/render/escape.h"

#define INDENT     2
#define LEAST_NAME 20 /* columns, however deep it is */

void outline_line(struct command_run *run, double share, const char *amount, size_t amount_width,
                  size_t depth, const char *name)
{
    struct text *text = output_text(run->answer), words = {0};
    size_t width = answer_width(run), used = 7 + 2 + amount_width + 2 + depth * INDENT;
    format_share(&words, share);
    text_printf(text, "%7s  %*s  %*s", text_string(&words), (int)amount_width, amount,
                (int)(depth * INDENT), "");
    text_clear(&words);
    escape_terminal(&words, name, ESCAPE_ONE_LINE);
    append_fitted(text, text_string(&words),
                  !width                      ? SIZE_MAX
                  : width > used + LEAST_NAME ? width - used
                                              : LEAST_NAME,
                  false);
    text_append_char(text, '\n');
    text->failed |= words.failed;
    text_deinit(&words);
}
