/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/core_memory.h"

#include <inttypes.h>
#include <stdio.h>

enum status core_memory_row(struct index_writer *writer, enum core_region region,
                            const struct region_sum *sum, const char *more)
{
    char detail[512], missing[64] = "";
    if (sum->missing)
        snprintf(missing, sizeof missing, ", %" PRIu64 " bytes not in the core", sum->missing);
    snprintf(detail, sizeof detail, "%" PRIu64 " mapping%s%s%s", sum->mappings,
             sum->mappings == 1 ? "" : "s", missing, more);
    const struct index_value values[] = {INDEX_STR(core_region_name(region)), INDEX_INT(sum->bytes),
                                         INDEX_STR(detail)};
    return index_writer_row(writer, INDEX_MEMORY, values, sizeof values / sizeof *values);
}

void core_memory_write(const struct core_dump *core, struct index_writer *writer)
{
    struct region_sum sums[CORE_REGION_COUNT] = {{0}};
    for (size_t i = 0; i < core->segments.count; i++) {
        const struct core_segment *segment = &core->segments.items[i];
        struct region_sum *sum = &sums[segment->region];
        sum->bytes += segment->size;
        sum->missing += segment->size - segment->stored;
        sum->mappings++;
    }
    for (int region = 0; region < CORE_REGION_COUNT; region++) {
        if (sums[region].mappings)
            core_memory_row(writer, (enum core_region)region, &sums[region], "");
    }
}
