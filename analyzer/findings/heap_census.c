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

/* What is too much; no more than there is, whatever a damaged index says. */
static void take_off(struct heap_amount *amount, uint64_t bytes)
{
    amount->bytes -= bytes < amount->bytes ? bytes : amount->bytes;
}

static enum status take_off_shared(struct index *index, struct heap_reader *reader,
                                   struct heap_census *census, struct error *err)
{
    struct heap_object_row row;
    struct index_rows *rows;
    enum status status =
        index_query(index, "SELECT object_id, bytes FROM shared_size", NULL, 0, &rows, err);
    if (status != STATUS_OK)
        return status;
    while (status == STATUS_OK && index_rows_next(rows)) {
        uint64_t bytes = (uint64_t)index_rows_integer(rows, 1);
        status = heap_reader_object(reader, (uint32_t)index_rows_integer(rows, 0), &row, err);
        if (status != STATUS_OK)
            break;
        take_off(&census->all, bytes);
        take_off(&census->classes[size_class(row.size)], bytes);
        if (row.flags & HEAP_REACHABLE)
            take_off(&census->reachable, bytes);
        if (row.flags & HEAP_TRACKED)
            take_off(&census->tracked, bytes);
    }
    enum status ended = index_rows_finish(rows, status == STATUS_OK ? err : NULL);
    return status == STATUS_OK ? ended : status;
}

enum status heap_census_take(struct index *index, struct heap_reader *reader,
                             struct heap_census *ret_census, struct error *err)
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
        status = take_off_shared(index, reader, &census, err);
    if (status == STATUS_OK)
        *ret_census = census;
    return status;
}
