/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_COMPARE_JOINED_H
#define INQUEST_ANALYZER_COMPARE_JOINED_H

#include "inquest/analyzer/diff.h"

/* Runs one statement on both indexes and joins the rows by key. The statement's columns
 * are the table's keys, then its measures; rows of one key are added up. Each row's rank
 * is the first measure's growth. Appends to table->rows, unsorted. */
enum status joined_rows(struct index *old_index, struct index *new_index, const char *sql,
                        struct arena *arena, struct diff_table *table,
                        struct error *err) MUST_CHECK;

#endif
