/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ANALYZER_VIRTUAL_FIXTURE_H
#define TESTS_ANALYZER_VIRTUAL_FIXTURE_H

#include "inquest/analyzer/index.h"
#include "inquest/base/text.h"
#include "tests/helpers/random_heap.h"

/* Indexes of random heaps, and what the tables `object` and `ref` are asked. Failures
 * fail the test. */

/* A file of this process's own. */
const char *virtual_scratch_path(void);
/* `path` NULL: in memory; `plain`: ordinary tables. */
struct index *virtual_index(const struct random_heap *heap, const char *path, bool plain);
/* All rows as one text; how it ended. */
enum status virtual_run(struct index *index, const char *sql, struct text *rows_text,
                        struct error *err) MUST_CHECK;

/* Queries: those without an order have one row, or ask for one. Valid until the next. */
extern const size_t virtual_shape_count;
const char *virtual_shape(size_t number, unsigned one, unsigned two);

#endif
