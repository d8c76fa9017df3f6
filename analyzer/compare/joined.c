/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/compare/joined.h"

#include <stdlib.h>
#include <string.h>

struct side_row {
    const char *keys[DIFF_KEYS];
    double values[DIFF_MEASURES];
};

struct side {
    ARRAY(struct side_row) rows;
};

static int compare_keys(const struct side_row *a, const struct side_row *b)
{
    for (size_t i = 0; i < DIFF_KEYS; i++) {
        const char *first = a->keys[i] ? a->keys[i] : "", *second = b->keys[i] ? b->keys[i] : "";
        int order = strcmp(first, second);
        if (order)
            return order;
    }
    return 0;
}

static int compare_rows(const void *left, const void *right)
{
    return compare_keys(left, right);
}

static enum status load_side(struct index *index, const char *sql, const struct diff_table *table,
                             struct arena *arena, struct side *side, struct error *err)
{
    size_t keys = diff_key_count(table), measures = diff_measure_count(table);
    struct index_rows *rows;
    enum status status = index_query(index, sql, NULL, 0, &rows, err);
    if (status != STATUS_OK)
        return status;
    bool ok = true;
    while (ok && index_rows_next(rows)) {
        struct side_row row = {0};
        for (size_t i = 0; i < keys && ok; i++) {
            const char *text = index_rows_text(rows, (int)i);
            row.keys[i] = text ? arena_strdup(arena, text) : NULL;
            ok = !text || row.keys[i];
        }
        for (size_t i = 0; i < measures; i++)
            row.values[i] = index_rows_real(rows, (int)(keys + i));
        ok = ok && array_push(&side->rows, row);
    }
    status = index_rows_finish(rows, err);
    if (!ok)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    if (side->rows.count)
        qsort(side->rows.items, side->rows.count, sizeof *side->rows.items, compare_rows);
    return status;
}

/* Adds up the rows of the key at *at, and steps past them. */
static const struct side_row *take_key(const struct side *side, size_t *at, double *sums)
{
    const struct side_row *first = &side->rows.items[*at];
    for (; *at < side->rows.count && compare_keys(first, &side->rows.items[*at]) == 0; ++*at)
        for (size_t i = 0; i < DIFF_MEASURES; i++)
            sums[i] += side->rows.items[*at].values[i];
    return first;
}

static bool merge(const struct side *old_side, const struct side *new_side,
                  struct diff_table *table)
{
    size_t old_at = 0, new_at = 0;
    while (old_at < old_side->rows.count || new_at < new_side->rows.count) {
        int order = old_at == old_side->rows.count   ? 1
                    : new_at == new_side->rows.count ? -1
                                                     : compare_keys(&old_side->rows.items[old_at],
                                                                    &new_side->rows.items[new_at]);
        struct diff_row row = {.stack = DIFF_NO_STACK,
                               .presence = order < 0   ? DIFF_GONE
                                           : order > 0 ? DIFF_NEW
                                                       : DIFF_BOTH};
        const struct side_row *key = NULL;
        if (order <= 0)
            key = take_key(old_side, &old_at, row.old_values);
        if (order >= 0)
            key = take_key(new_side, &new_at, row.new_values);
        memcpy(row.keys, key->keys, sizeof row.keys);
        row.rank = row.new_values[0] - row.old_values[0];
        if (!array_push(&table->rows, row))
            return false;
    }
    return true;
}

enum status joined_rows(struct index *old_index, struct index *new_index, const char *sql,
                        struct arena *arena, struct diff_table *table, struct error *err)
{
    struct side old_side = {0}, new_side = {0};
    enum status status = load_side(old_index, sql, table, arena, &old_side, err);
    if (status == STATUS_OK)
        status = load_side(new_index, sql, table, arena, &new_side, err);
    if (status == STATUS_OK && !merge(&old_side, &new_side, table))
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    array_deinit(&old_side.rows);
    array_deinit(&new_side.rows);
    return status;
}
