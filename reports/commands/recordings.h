/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_RECORDINGS_H
#define INQUEST_REPORTS_COMMANDS_RECORDINGS_H

#include "inquest/analyzer/profile_pstats.h"
#include "inquest/base/text.h"
#include "inquest/formats/profile.h"
#include "reports/cli/command.h"
#include "reports/render/json.h"

/* Several recordings given to one command are added up and answered as one. */

/* `profile`, which the first operand holds, becomes the sum of all operands'; the command's
 * gates are checked on it. One operand: nothing is done. STATUS_USAGE where they are not of
 * one kind and unit. */
enum status recordings_add_up(struct command_run *run, struct profile *profile,
                              struct error *err) MUST_CHECK;

/* STATUS_USAGE where the first of several operands is a core: cores have no sum. */
enum status recordings_refuse_cores(const struct command_run *run, struct error *err) MUST_CHECK;

/* Adds one more operand's file to a sum of pstats files. `ret_part`, where asked for, is the
 * caller's to end. */
enum status recordings_add_stats(struct command_run *run, struct pstats *stats, size_t operand,
                                 struct profile *ret_part, struct error *err) MUST_CHECK;

/* Who the answer is about: "dir/a.raw", "dir/a.raw and 2 more". */
void recordings_append_name(const struct options *options, struct text *text);
/* "3 files added up: a.raw, b.raw, c.raw"; nothing of one. Unescaped. */
void recordings_append_note(const struct options *options, struct text *text);
/* Begins the object that a JSON answer of `command` is, and leaves it open: "schema", "input",
 * of several recordings "inputs" too, and the profile's "warnings". */
void recordings_begin_json(const struct command_run *run, const char *command,
                           const struct profile *profile, struct json_writer *json);

#endif
