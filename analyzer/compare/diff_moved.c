/* SPDX-License-Identifier: Apache-2.0 */
/* A line that only moved is a loss and a gain to compare_to. Here the lines of one file that
 * OLD alone has and those that NEW alone has are paired: by the shift that explains most of
 * them, then by the next one, as long as their numbers are alike. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/compare/diff_calls.h"

#define MOST_LINES 300                /* of one file and side: all pairs are looked at */
#define ALIKE      2.0                /* the larger number of blocks over the smaller */
#define FARTHEST   ((int64_t)1 << 20) /* lines */
#define PASSES     16 /* shifts of one file; each explains as large a part of what is left */

struct line {
    int32_t line;
    size_t row; /* in the table */
    bool taken;
};

struct lines {
    ARRAY(struct line) items;
};

static int compare_lines(const void *left, const void *right)
{
    const struct line *a = left, *b = right;
    return (a->line > b->line) - (a->line < b->line);
}

static bool is_alike(const struct diff_row *old_row, const struct diff_row *new_row)
{
    double a = old_row->old_values[1], b = new_row->new_values[1];
    return fmax(a, b) <= ALIKE * fmin(a, b);
}

struct shift {
    int32_t by;
    size_t pairs;
};

/* The shift between most free pairs whose numbers are alike; the smallest of several. */
static bool best_shift(const struct diff_table *table, const struct lines *gone,
                       const struct lines *fresh, struct shift *ret_shift)
{
    int64_t low =
        (int64_t)fresh->items.items[0].line - gone->items.items[gone->items.count - 1].line;
    int64_t high =
        (int64_t)fresh->items.items[fresh->items.count - 1].line - gone->items.items[0].line;
    struct shift best = {0};
    low = low > -FARTHEST ? low : -FARTHEST;
    high = high < FARTHEST ? high : FARTHEST;
    *ret_shift = best;
    if (low > high)
        return true;
    uint32_t *pairs = calloc((size_t)(high - low + 1), sizeof *pairs);
    for (size_t i = 0; pairs && i < gone->items.count; i++) {
        const struct line *from = &gone->items.items[i];
        for (size_t j = 0; !from->taken && j < fresh->items.count; j++) {
            const struct line *to = &fresh->items.items[j];
            int64_t by = (int64_t)to->line - from->line;
            if (to->taken || by < low || by > high ||
                !is_alike(&table->rows.items[from->row], &table->rows.items[to->row]))
                continue;
            size_t count = ++pairs[by - low];
            if (count > best.pairs || (count == best.pairs && llabs(by) < abs(best.by)))
                best = (struct shift){(int32_t)by, count};
        }
    }
    *ret_shift = best;
    bool ok = pairs != NULL;
    free(pairs);
    return ok;
}

/* OLD's numbers go into NEW's row; OLD's own row ends. */
static bool join(struct arena *arena, struct diff_table *table, struct line *from, struct line *to)
{
    struct diff_row *old_row = &table->rows.items[from->row];
    struct diff_row *new_row = &table->rows.items[to->row];
    memcpy(new_row->old_values, old_row->old_values, sizeof new_row->old_values);
    new_row->old_size = old_row->old_size;
    new_row->presence = DIFF_BOTH;
    new_row->rank = fabs(new_row->new_values[0] - new_row->old_values[0]);
    new_row->note = arena_printf(arena, "moved from line %d", (int)from->line);
    old_row->presence = DIFF_BOTH;
    old_row->rank = -1; /* taken out below */
    from->taken = to->taken = true;
    return new_row->note != NULL;
}

static bool join_by(struct arena *arena, struct diff_table *table, struct lines *gone,
                    struct lines *fresh, int32_t shift)
{
    for (size_t i = 0, j = 0; i < gone->items.count && j < fresh->items.count;) {
        struct line *from = &gone->items.items[i], *to = &fresh->items.items[j];
        int64_t target = (int64_t)from->line + shift;
        if (from->taken || target < to->line) {
            i++;
        } else if (to->taken || target > to->line) {
            j++;
        } else {
            if (is_alike(&table->rows.items[from->row], &table->rows.items[to->row]) &&
                !join(arena, table, from, to))
                return false;
            i++;
            j++;
        }
    }
    return true;
}

static bool join_file(struct arena *arena, struct diff_table *table, struct lines *gone,
                      struct lines *fresh)
{
    struct shift shift;
    bool ok = true;
    if (!gone->items.count || !fresh->items.count || gone->items.count > MOST_LINES ||
        fresh->items.count > MOST_LINES)
        return true;
    qsort(gone->items.items, gone->items.count, sizeof *gone->items.items, compare_lines);
    qsort(fresh->items.items, fresh->items.count, sizeof *fresh->items.items, compare_lines);
    size_t left = gone->items.count < fresh->items.count ? gone->items.count : fresh->items.count;
    for (unsigned pass = 0; ok && left && pass < PASSES; pass++) {
        ok = best_shift(table, gone, fresh, &shift);
        if (!ok || !shift.pairs || shift.pairs < left / PASSES)
            break; /* what few pairs share is chance */
        ok = join_by(arena, table, gone, fresh, shift.by);
        left -= shift.pairs < left ? shift.pairs : left;
    }
    return ok;
}

/* Rows by file, for one pass over them. */
struct by_file {
    const char *file;
    size_t row;
};

static int compare_files(const void *left, const void *right)
{
    const struct by_file *a = left, *b = right;
    int order = strcmp(a->file ? a->file : "", b->file ? b->file : "");
    return order ? order : (a->row > b->row) - (a->row < b->row);
}

static bool join_all(struct arena *arena, struct diff_table *table)
{
    size_t count = table->rows.count;
    struct by_file *order = malloc((count + 1) * sizeof *order);
    struct lines gone = {0}, fresh = {0};
    bool ok = order != NULL;
    for (size_t i = 0; ok && i < count; i++)
        order[i] = (struct by_file){table->rows.items[i].keys[0], i};
    if (ok)
        qsort(order, count, sizeof *order, compare_files);
    for (size_t i = 0, end; ok && i < count; i = end) {
        gone.items.count = fresh.items.count = 0;
        for (end = i; ok && end < count && !strcmp(order[end].file, order[i].file); end++) {
            const struct diff_row *row = &table->rows.items[order[end].row];
            struct line line = {row->keys[1] ? atoi(row->keys[1]) : 0, order[end].row, false};
            if (row->presence != DIFF_BOTH && line.line > 0)
                ok = array_push(row->presence == DIFF_NEW ? &fresh.items : &gone.items, line);
        }
        ok = ok && join_file(arena, table, &gone, &fresh);
    }
    array_deinit(&gone.items);
    array_deinit(&fresh.items);
    free(order);
    return ok;
}

enum status diff_moved_lines(const struct profile_compare *compare, struct error *err)
{
    struct diff_table *moved =
        diff_add_table(compare->diff, "moved", "Lines, those that moved as one row");
    if (!moved)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    const struct diff_table *rows = &compare->diff->tables.items[0];
    memcpy(moved->keys, rows->keys, sizeof moved->keys);
    memcpy(moved->key_is_number, rows->key_is_number, sizeof moved->key_is_number);
    memcpy(moved->measures, rows->measures, sizeof moved->measures);
    bool ok = true;
    for (size_t i = 0; ok && i < rows->rows.count; i++)
        ok = array_push(&moved->rows, rows->rows.items[i]);
    ok = ok && join_all(&compare->diff->arena, moved);
    size_t kept = 0;
    for (size_t i = 0; i < moved->rows.count; i++)
        if (moved->rows.items[i].rank >= 0)
            moved->rows.items[kept++] = moved->rows.items[i];
    if (kept == moved->rows.count && ok) { /* nothing moved */
        array_deinit(&moved->rows);
        compare->diff->tables.count--;
        return STATUS_OK;
    }
    moved->rows.count = kept;
    diff_sort(moved);
    return ok ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}
