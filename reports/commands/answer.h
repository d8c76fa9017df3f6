/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_ANSWER_H
#define INQUEST_REPORTS_COMMANDS_ANSWER_H

#include "inquest/analyzer/index.h"
#include "reports/cli/command.h"
#include "reports/render/json.h"

/* Begins the object that every JSON answer is, and leaves it open: "schema":
 * "inquest/COMMAND/1", "input", and "warnings", an array of sentences. */
enum status answer_begin_json(struct json_writer *json, const char *command, const char *input,
                              struct index *index, struct error *err) MUST_CHECK;

/* The same with warnings more that the index does not hold. */
enum status answer_begin_json_with(struct json_writer *json, const char *command, const char *input,
                                   struct index *index, const char *const *warnings, size_t count,
                                   struct error *err) MUST_CHECK;

/* A line of the program's own words and of names from the dump, of a text or Markdown answer; a
 * heading stands out. `words` are not escaped yet. */
void answer_line(const struct command_run *run, const char *words, bool is_heading);

#endif
