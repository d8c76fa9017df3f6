/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_HEAP_MEMORY_H
#define INQUEST_ANALYZER_RUNTIME_HEAP_MEMORY_H

#include "analyzer/runtime/heap_facts.h"

/* The table `memory` of a core whose heap was analysed: where each byte went that the
 * process had mapped, each counted once. Needs heap->type as heap_build left it, and what
 * the roots lead to. Counting may go on beside what only reads the heap; it is over when
 * the rows are written. Damage of malloc's chunks, and sums that are not what is mapped,
 * become warnings. */
struct memory_count;

enum status heap_memory_count(const struct core_dump *core, const struct heap *heap,
                              const uint64_t *reached, struct memory_count **ret_count) MUST_CHECK;
enum status heap_memory_write(const struct memory_count *count,
                              struct index_writer *writer) MUST_CHECK;
void heap_memory_destroy(struct memory_count *count);

#endif
