/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/analyzer/heap_census.h"

#include "inquest/analyzer/heap_index.h"

/* Sizes in a damaged index may add up past what fits. */
static void add(struct heap_amount *amount, uint64_t bytes)
{
    amount->count++;
    if (__builtin_add_overflow(amount->bytes, bytes, &amount->bytes))
        amount->bytes = UINT64_MAX;
}

static unsigned size_class(uint64_t bytes)
{
    return bytes ? 64 - (unsigned)__builtin_clzll(bytes) : 0;
}

enum status heap_census_take(struct heap_reader *reader, struct heap_census *ret_census,
                             struct error *err)
{
    struct heap_census census = {0};
    struct heap_object_row row;
    uint32_t objects;
    enum status status = heap_reader_counts(reader, &objects, NULL, err);
    for (uint32_t done = 0; status == STATUS_OK && done < objects; done++) {
        status = heap_reader_object(reader, done + 1, &row, err);
        if (status != STATUS_OK)
            break;
        add(&census.all, row.size);
        add(&census.classes[size_class(row.size)], row.size);
        if (row.flags & HEAP_REACHABLE)
            add(&census.reachable, row.size);
        if (row.flags & HEAP_TRACKED)
            add(&census.tracked, row.size);
    }
    if (status == STATUS_OK)
        *ret_census = census;
    return status;
}
