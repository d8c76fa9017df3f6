/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_CORE_MEMORY_H
#define INQUEST_ANALYZER_RUNTIME_CORE_MEMORY_H

#include "inquest/analyzer/index.h"
#include "inquest/formats/core_dump.h"

/* The table `memory` from the core alone, by region: of a core whose heap is not
 * analysed; heap_memory.h has the other. The writer keeps its first failure. */
void core_memory_write(const struct core_dump *core, struct index_writer *writer);

struct region_sum {
    uint64_t bytes, missing, mappings; /* missing: of the bytes, those not in the core */
};
/* One row; `more` follows in its detail, "" for nothing. */
enum status core_memory_row(struct index_writer *writer, enum core_region region,
                            const struct region_sum *sum, const char *more);

#endif
