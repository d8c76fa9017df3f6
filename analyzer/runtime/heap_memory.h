/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_HEAP_MEMORY_H
#define INQUEST_ANALYZER_RUNTIME_HEAP_MEMORY_H

#include "analyzer/runtime/heap_facts.h"

/* The table `memory` of a core whose heap was analysed: where each byte went that the
 * process had mapped, each counted once. Needs heap->type as heap_build left it. Damage
 * of malloc's chunks, and sums that are not what is mapped, become warnings. */
enum status heap_memory_write(const struct core_dump *core, const struct heap *heap,
                              const struct heap_facts *facts,
                              struct index_writer *writer) MUST_CHECK;

#endif
