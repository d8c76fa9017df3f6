/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/dominator_columns.h"

#include <stdlib.h>

#include "inquest/analyzer/heap_index.h"

static bool allocate(struct dominator_columns *columns, uint32_t **ret_dominator)
{
    size_t count = (size_t)columns->count + 2;
    columns->type = malloc(count * sizeof *columns->type);
    columns->retained = malloc(count * sizeof *columns->retained);
    columns->label = calloc(count, sizeof *columns->label);
    columns->first = calloc(count, sizeof *columns->first);
    *ret_dominator = malloc(count * sizeof **ret_dominator);
    return columns->type && columns->retained && columns->label && columns->first && *ret_dominator;
}

static enum status read_objects(struct heap_reader *reader, struct dominator_columns *columns,
                                uint32_t *dominator, struct error *err)
{
    struct heap_object_row row;
    for (uint32_t done = 0; done < columns->count; done++) {
        uint32_t id = done + 1;
        enum status status = heap_reader_object(reader, id, &row, err);
        if (status != STATUS_OK)
            return status;
        columns->type[id] = row.type_id;
        columns->retained[id] = row.retained;
        bool above = row.dominator_id && row.dominator_id <= columns->count;
        dominator[id] = above ? row.dominator_id : 0;
        if (!above)
            columns->label[id] = row.flags & HEAP_REACHABLE ? 1 : 0;
    }
    return STATUS_OK;
}

/* The first labelled reference from each dominator to what it dominates. */
static enum status read_labels(struct heap_reader *reader, struct dominator_columns *columns,
                               const uint32_t *dominator, struct error *err)
{
    struct heap_walk walk;
    struct heap_edge edge;
    enum status status = STATUS_OK;
    heap_walk_start(reader, HEAP_REFERENCES, 1, columns->count, &walk);
    while (status == STATUS_OK && heap_walk_next(&walk, &edge)) {
        uint32_t target = edge.target_id;
        uint64_t number;
        if (target <= columns->count && edge.source_id && dominator[target] == edge.source_id &&
            !columns->label[target])
            status = heap_walk_label(&walk, &number, &columns->label[target], err);
    }
    struct error end;
    enum status ended = heap_walk_finish(&walk, &end);
    if (status != STATUS_OK || ended == STATUS_OK)
        return status;
    if (err)
        *err = end;
    return ended;
}

/* Counts, then places: children keep their order of id. first[] is two places ahead
 * while they are counted, one while they are placed. */
static bool order_children(struct dominator_columns *columns, const uint32_t *dominator)
{
    uint32_t *first = columns->first;
    columns->order = malloc(((size_t)columns->count + 1) * sizeof *columns->order);
    if (!columns->order)
        return false;
    for (uint32_t done = 0; done < columns->count; done++)
        if (dominator[done + 1] + UINT64_C(2) <= columns->count + UINT64_C(1))
            first[dominator[done + 1] + 2]++;
    for (uint64_t i = 2; i <= columns->count + UINT64_C(1); i++)
        first[i] += first[i - 1];
    for (uint32_t done = 0; done < columns->count; done++)
        columns->order[first[dominator[done + 1] + 1]++] = done + 1;
    return true;
}

enum status dominator_columns_read(struct heap_reader *reader,
                                   struct dominator_columns *ret_columns, struct error *err)
{
    struct dominator_columns columns = {0};
    uint32_t *dominator = NULL;
    enum status status = heap_reader_counts(reader, &columns.count, NULL, err);
    if (status == STATUS_OK && !allocate(&columns, &dominator))
        status = error_set(err, STATUS_NO_MEMORY, "dominators: out of memory");
    if (status == STATUS_OK)
        status = read_objects(reader, &columns, dominator, err);
    if (status == STATUS_OK)
        status = read_labels(reader, &columns, dominator, err);
    if (status == STATUS_OK && !order_children(&columns, dominator))
        status = error_set(err, STATUS_NO_MEMORY, "dominators: out of memory");
    free(dominator);
    if (status == STATUS_OK)
        *ret_columns = columns;
    else
        dominator_columns_deinit(&columns);
    return status;
}

void dominator_columns_deinit(struct dominator_columns *columns)
{
    free(columns->type);
    free(columns->retained);
    free(columns->label);
    free(columns->first);
    free(columns->order);
    *columns = (struct dominator_columns){0};
}
