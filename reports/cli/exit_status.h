/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_CLI_EXIT_STATUS_H
#define INQUEST_REPORTS_CLI_EXIT_STATUS_H

#include "inquest/base/status.h"

enum exit_status {
    EXIT_STATUS_OK = 0,
    EXIT_STATUS_TRIPPED = 1,
    EXIT_STATUS_USAGE = 2,
    EXIT_STATUS_INPUT = 3,
    EXIT_STATUS_OUTPUT = 4,
};

/* What help and man page say about each. */
struct exit_status_row {
    enum exit_status number;
    const char *meaning;
};
extern const struct exit_status_row exit_status_table[];
extern const unsigned exit_status_count;

enum exit_status exit_status_for(enum status status);

#endif
