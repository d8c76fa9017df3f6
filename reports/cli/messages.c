/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/cli/messages.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <unistd.h>

#include "inquest/base/text.h"
#include "reports/render/escape.h"

#define WARNINGS_SHOWN 10

/* In one write, so that lines of several processes don't mix. */
static void write_line(struct text *line)
{
    const char *bytes = text_string(line);
    size_t left = text_ok(line) ? line->size : 0;
    while (left) {
        ssize_t written = write(STDERR_FILENO, bytes, left);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return; /* nowhere left to say so */
        bytes += written;
        left -= (size_t)written;
    }
}

void message_print(const char *format, ...)
{
    struct text message, line;
    text_init(&message);
    text_init(&line);
    va_list arguments;
    va_start(arguments, format);
    text_vprintf(&message, format, arguments);
    va_end(arguments);
    text_append(&line, "inquest: ");
    escape_terminal(&line, text_string(&message), ESCAPE_ONE_LINE);
    text_append_char(&line, '\n');
    write_line(&line);
    text_deinit(&line);
    text_deinit(&message);
}

void warnings_print(struct index *index, const char *input, bool all)
{
    struct index_rows *rows;
    uint64_t count = 0;
    if (index_query(index, "SELECT message FROM warning ORDER BY rowid", NULL, 0, &rows, NULL) !=
        STATUS_OK)
        return;
    for (; index_rows_next(rows); count++) {
        const char *message = index_rows_text(rows, 0);
        if (message && (all || count < WARNINGS_SHOWN))
            message_print("%s: %s", input, message);
    }
    if (index_rows_finish(rows, NULL) != STATUS_OK)
        message_print("%s: the warnings in this index cannot be read", input);
    if (!all && count > WARNINGS_SHOWN)
        message_print("%s: %" PRIu64 " more warnings: see inquest info", input,
                      count - WARNINGS_SHOWN);
}
