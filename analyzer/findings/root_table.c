/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/root_table.h"

#include <string.h>

#include "analyzer/runtime/heap_roots.h"
#include "inquest/base/partition_point.h"

static int compare_rows(const void *left, const void *right)
{
    const struct root_row *a = left, *b = right;
    if (a->object_id != b->object_id)
        return a->object_id < b->object_id ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

/* Kinds in the order in which they explain; one that we don't know comes last. */
static uint32_t rank_of(const char *kind)
{
    uint32_t rank = 0;
    while (rank < ROOT_KIND_COUNT && strcmp(root_kind_names[rank], kind) != 0)
        rank++;
    return rank;
}

/* Many roots in a row share their kind and their label. */
static const char *copy(struct root_table *table, const char *text, const char *before)
{
    if (!text)
        text = "";
    return before && strcmp(text, before) == 0 ? before : arena_strdup(&table->arena, text);
}

static bool read_row(struct root_table *table, const struct index_rows *rows)
{
    int64_t object = index_rows_integer(rows, 0);
    size_t count = table->items.count;
    const struct root_row *before = count ? &table->items.items[count - 1] : NULL;
    if (object < 1 || object > UINT32_MAX || count >= UINT32_MAX)
        return true;
    struct root_row row = {
        .object_id = (uint32_t)object,
        .kind = copy(table, index_rows_text(rows, 1), before ? before->kind : NULL),
        .label = copy(table, index_rows_text(rows, 2), before ? before->label : NULL),
    };
    if (!row.kind || !row.label)
        return false;
    row.order = (uint64_t)rank_of(row.kind) << 32 | count;
    return array_push(&table->items, row);
}

static void keep_first_rows(struct root_table *table)
{
    size_t kept = 0;
    if (table->items.count)
        qsort(table->items.items, table->items.count, sizeof *table->items.items, compare_rows);
    for (size_t i = 0; i < table->items.count; i++) {
        const struct root_row *row = &table->items.items[i];
        if (!kept || table->items.items[kept - 1].object_id != row->object_id)
            table->items.items[kept++] = *row;
    }
    table->items.count = kept;
}

enum status root_table_load(struct index *index, struct root_table *ret_table, struct error *err)
{
    struct root_table table = {0};
    struct index_rows *rows;
    enum status status = index_query(
        index, "SELECT object_id, kind, label FROM root ORDER BY rowid", NULL, 0, &rows, err);
    if (status != STATUS_OK)
        return status;
    bool added = true;
    arena_init(&table.arena);
    while (added && index_rows_next(rows))
        added = read_row(&table, rows);
    status = index_rows_finish(rows, err);
    if (status == STATUS_OK && !added)
        status = error_set(err, STATUS_NO_MEMORY, "roots: out of memory");
    if (status != STATUS_OK) {
        root_table_deinit(&table);
        return status;
    }
    keep_first_rows(&table);
    *ret_table = table;
    return STATUS_OK;
}

void root_table_deinit(struct root_table *table)
{
    array_deinit(&table->items);
    arena_deinit(&table->arena);
}

const struct root_row *root_table_find(const struct root_table *table, uint32_t object_id)
{
    size_t low;
    PARTITION_POINT(low, table->items.count, table->items.items[low].object_id < object_id);
    if (low == table->items.count || table->items.items[low].object_id != object_id)
        return NULL;
    return &table->items.items[low];
}
