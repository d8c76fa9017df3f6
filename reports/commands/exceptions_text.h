/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_EXCEPTIONS_TEXT_H
#define INQUEST_REPORTS_COMMANDS_EXCEPTIONS_TEXT_H

#include "inquest/base/text.h"
#include "reports/commands/stacks_model.h"

struct exception_format {
    bool color;
    size_t max_entries; /* of one traceback; the middle of a longer one is left out; 0: all */
};

/* Appends the exception and all that belongs to it as Python itself prints it:
 * causes and contexts first, groups as trees, notes, repeated lines folded.
 * `exception` is an index into stacks->exceptions. */
void exception_render(const struct stacks *stacks, size_t exception,
                      const struct exception_format *format, struct text *text);

/* "ValueError: no such order" on one line, `__main__.` left off; unescaped. */
void exception_title(const struct stack_exception *exception, struct text *text);

#endif
