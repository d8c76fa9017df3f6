/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_CLI_HELP_H
#define INQUEST_REPORTS_CLI_HELP_H

#include "inquest/base/text.h"
#include "reports/cli/command.h"

/* Three forms of what the tables of commands and options say. */

/* command NULL: the whole program's. */
void help_render(struct text *text, const struct command *command);
/* The completion for bash. */
void completion_render(struct text *text);
/* inquest.1, in the man macros of roff. */
void man_render(struct text *text);

/* "-o, --output FILE" */
void option_spelling(struct text *text, const struct option *option);
/* What it does, and what it takes of a command that has these formats. */
void option_words(struct text *text, const struct option *option, unsigned formats);

#define PROGRAM_SUMMARY "why a Python program died, from what it left behind"
#define PROGRAM_DETAILS                                                                            \
    "inquest reads the core dump of a CPython process (3.8 to 3.15) and says why it died and "     \
    "what every thread was doing. It needs neither gdb nor debug symbols, and runs nothing that "  \
    "the dump names. An input is recognised by its content; it may be wrapped in gzip, lz4 or "    \
    "zstd, and - is standard input. The first command on a dump indexes it, later ones find the "  \
    "index in the cache."

#endif
