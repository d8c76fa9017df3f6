/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_OUTLINE_H
#define INQUEST_REPORTS_COMMANDS_OUTLINE_H

#include "reports/cli/command.h"

#define OUTLINE_LEAST 0.01 /* of all, for a line */

/* A line of a tree as text: its share of all, its amount in words, and its name as far right
 * as it is deep, cut to the terminal. */
void outline_line(struct command_run *run, double share, const char *amount, size_t amount_width,
                  size_t depth, const char *name);

#endif
