/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_CLI_OUTPUT_H
#define INQUEST_REPORTS_CLI_OUTPUT_H

#include <stdbool.h>

#include "inquest/base/error.h"
#include "inquest/base/text.h"

/* Where an answer goes: standard output, or a file that appears under its name
 * only when it is whole (written beside it, mode 0600, then renamed). */
struct output;

/* path NULL: standard output. */
enum status output_open(const char *path, struct output **ret_output, struct error *err) MUST_CHECK;
/* Append to this; it is written out by output_drain and output_commit. */
struct text *output_text(struct output *output);
/* Writes the text out once enough of it has gathered: call it between rows, so
 * that a long answer needs little memory. The first failure is kept, so the
 * result may be left for output_commit. */
enum status output_drain(struct output *output);
/* As output_drain, now. */
enum status output_flush(struct output *output);
/* Writes what is left and puts the file under its name. The output is gone either
 * way. Where the reader of a pipe went away the error has no message: it is no
 * news to anybody. */
enum status output_commit(struct output *output, struct error *err) MUST_CHECK;
/* Drops what was written to a file. */
void output_destroy(struct output *output);

#endif
