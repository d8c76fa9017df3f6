/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_ANSWER_H
#define INQUEST_REPORTS_COMMANDS_ANSWER_H

#include "inquest/analyzer/index.h"
#include "reports/render/json.h"

/* Begins the object that every JSON answer is, and leaves it open: "schema":
 * "inquest/COMMAND/1", "input", and "warnings", an array of sentences. */
enum status answer_begin_json(struct json_writer *json, const char *command, const char *input,
                              struct index *index, struct error *err) MUST_CHECK;

#endif
