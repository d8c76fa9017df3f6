/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_OBJECT_VALUES_H
#define INQUEST_ANALYZER_OBJECT_VALUES_H

#include "inquest/analyzer/session.h"

/* Values of single objects, read from the core that an index is of: an index holds those of
 * variables and of the largest objects alone. */
struct object_values;

/* Opens the core: the input itself, or for an index the file that it was made from, where it is
 * still what it was, under its old name or beside the index. Of the options input, sysroot,
 * executable, redact and progress count. STATUS_UNSUPPORTED with a sentence where values are not
 * to be had (redacted, gone, changed, came through a pipe, compressed and large); other
 * failures as those of session_open. */
enum status object_values_open(const struct session_options *options, struct index *index,
                               struct object_values **ret_values, struct error *err) MUST_CHECK;
void object_values_close(struct object_values *values); /* NULL: nothing */

/* The bounded repr of the object at `address`, valid until the next call; NULL: out of memory. */
const char *object_values_get(struct object_values *values, uint64_t address);

#endif
