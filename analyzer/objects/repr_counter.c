/* SPDX-License-Identifier: Apache-2.0 */
/* collections.Counter: a dict that prints its entries by count, the largest first. */
#include "analyzer/objects/repr.h"

/* Larger ones are written in the order of the dict. */
#define SORTED_MAX 100000

struct counted {
    uint64_t key, value;
    int64_t count;
    size_t position;
};

static int by_count(const void *left, const void *right)
{
    const struct counted *a = left, *b = right;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return a->position < b->position ? -1 : 1;
}

/* The entries sorted; NULL where they can't be: the caller writes a plain dict. */
static struct counted *sorted_entries(struct repr *repr, uint64_t addr, uint64_t count)
{
    struct dict_iterator iterator;
    struct counted *entries = NULL, *entry;
    enum status status;
    size_t i = 0;
    if (count > SORTED_MAX || dict_iterate(repr->process, addr, &iterator) != STATUS_OK ||
        iterator.count < count || !(entries = calloc(count, sizeof *entries)))
        return NULL;
    for (; i < count; i++) {
        entry = &entries[i];
        entry->position = i;
        if (!dict_next(repr->process, &iterator, &entry->key, &entry->value, &status) ||
            int_read(repr->process, entry->value, &entry->count) != STATUS_OK)
            break;
    }
    if (i < count) {
        free(entries);
        return NULL;
    }
    qsort(entries, count, sizeof *entries, by_count);
    return entries;
}

static void repr_sorted(struct repr *repr, uint64_t addr, const struct counted *entries,
                        uint64_t count)
{
    if (!repr_enter(repr, addr, NULL))
        return;
    text_append_char(repr->text, '{');
    for (uint64_t i = 0; i < count && repr_next_item(repr, i, count); i++) {
        repr_value(repr, entries[i].key);
        text_append(repr->text, ": ");
        repr_value(repr, entries[i].value);
    }
    text_append_char(repr->text, '}');
    repr_leave(repr);
}

void repr_counter(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    uint64_t count;
    enum status status = dict_count(repr->process, addr, &count);
    if (status != STATUS_OK) {
        repr_unreadable(repr, type->name, addr, status);
        return;
    }
    text_printf(repr->text, "%s(", type->short_name);
    struct counted *entries = count ? sorted_entries(repr, addr, count) : NULL;
    if (entries)
        repr_sorted(repr, addr, entries, count);
    else if (count)
        repr_dict(repr, type, addr);
    free(entries);
    text_append_char(repr->text, ')');
}
