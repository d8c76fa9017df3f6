/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_CLI_PROGRESS_BAR_H
#define INQUEST_REPORTS_CLI_PROGRESS_BAR_H

#include <stdbool.h>
#include <stdint.h>

#include "inquest/base/progress.h"
#include "inquest/base/text.h"

/* One line on standard error that is drawn over itself: what is being done, how
 * far it is, how fast it goes and how long it will take. Only for terminals. */
struct progress_bar {
    struct progress progress; /* to be handed down; first, so that it leads back here */
    const char *stage;        /* the one that is drawn; NULL: none yet */
    int64_t started_ns, drawn_ns;
    uint64_t started_at; /* `done` when the stage began */
};

void progress_bar_init(struct progress_bar *bar);
/* Takes the line off the terminal, if there is one. */
void progress_bar_clear(struct progress_bar *bar);

/* The line as it is drawn, apart from the terminal so that it can be tested.
 * `seconds` since the stage began, in which `done - started_at` was done. */
void progress_bar_line(struct text *text, const char *stage, const char *unit, uint64_t done,
                       uint64_t total, uint64_t started_at, double seconds, unsigned width);

#endif
