/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/analyzer/diff.h"

#include <stdlib.h>
#include <string.h>

void diff_init(struct diff *diff)
{
    *diff = (struct diff){0};
    arena_init(&diff->arena);
}

void diff_deinit(struct diff *diff)
{
    if (!diff)
        return;
    for (size_t i = 0; i < diff->tables.count; i++)
        array_deinit(&diff->tables.items[i].rows);
    array_deinit(&diff->tables);
    array_deinit(&diff->warnings);
    arena_deinit(&diff->arena);
}

struct diff_table *diff_add_table(struct diff *diff, const char *name, const char *title)
{
    struct diff_table table = {.name = name, .title = title};
    return array_push(&diff->tables, table) ? &diff->tables.items[diff->tables.count - 1] : NULL;
}

size_t diff_key_count(const struct diff_table *table)
{
    size_t count = 0;
    while (count < DIFF_KEYS && table->keys[count])
        count++;
    return count;
}

size_t diff_measure_count(const struct diff_table *table)
{
    size_t count = 0;
    while (count < DIFF_MEASURES && table->measures[count].name)
        count++;
    return count;
}

static int compare_rows(const void *left, const void *right)
{
    const struct diff_row *a = left, *b = right;
    if (a->rank < b->rank || a->rank > b->rank)
        return a->rank < b->rank ? 1 : -1;
    for (size_t i = 0; i < DIFF_KEYS; i++) {
        const char *first = a->keys[i] ? a->keys[i] : "", *second = b->keys[i] ? b->keys[i] : "";
        int order = strcmp(first, second);
        if (order)
            return order;
    }
    return 0;
}

const struct diff_table *diff_table_for_people(const struct diff *diff, size_t place)
{
    size_t first = 0;
    for (size_t i = 1; i < diff->tables.count; i++) {
        if (!strcmp(diff->tables.items[i].name, "moved"))
            first = i;
    }
    return &diff->tables.items[!place ? first : place <= first ? place - 1 : place];
}

void diff_sort(struct diff_table *table)
{
    if (table->rows.count)
        qsort(table->rows.items, table->rows.count, sizeof *table->rows.items, compare_rows);
}
