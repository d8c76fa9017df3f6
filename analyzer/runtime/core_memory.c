/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/core_memory.h"

#include "inquest/base/text.h"

enum status core_memory_row(struct index_writer *writer, enum core_region region,
                            const struct region_sum *sum, const char *more)
{
    struct text detail = {0};
    text_append_count(&detail, sum->mappings);
    text_append(&detail, sum->mappings == 1 ? " mapping" : " mappings");
    if (sum->missing) {
        text_append(&detail, ", ");
        text_append_size(&detail, sum->missing);
        text_append(&detail, " not in the core");
    }
    text_append(&detail, more);
    const struct index_value values[] = {INDEX_STR(core_region_name(region)), INDEX_INT(sum->bytes),
                                         INDEX_STR(text_string(&detail))};
    enum status status = text_ok(&detail) ? index_writer_row(writer, INDEX_MEMORY, values,
                                                             sizeof values / sizeof *values)
                                          : STATUS_NO_MEMORY;
    text_deinit(&detail);
    return status;
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
