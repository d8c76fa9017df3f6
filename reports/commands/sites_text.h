/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_SITES_TEXT_H
#define INQUEST_REPORTS_COMMANDS_SITES_TEXT_H

#include "reports/cli/command.h"

/* Where the dead process was running tracemalloc: a heading and the lines that
 * allocated most, as text or Markdown; nothing where it was not. `limit` 0: all. */
enum status sites_render(const struct command_run *run, struct index *index, uint64_t limit,
                         struct error *err) MUST_CHECK;

#endif
