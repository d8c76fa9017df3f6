/* SPDX-License-Identifier: Apache-2.0 */
/* A line that only moved is a loss and a gain to compare_to, and one that another moved onto is a
 * change. Here the lines of a file's two versions are paired by how they stand to each other; a
 * file that is under another folder now is paired with its namesake. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/compare/diff_calls.h"
#include "analyzer/compare/line_align.h"

#define SUFFIX_PARTS 3 /* of a path, that a namesake has in common, where that tells one */

/* A row's half, OLD's or NEW's. */
struct half {
    const char *file;
    struct counted_line line;
    size_t row;
    size_t partner; /* of the other side's halves; HALF_NONE */
};
#define HALF_NONE SIZE_MAX

/* Halves of one file, side by side. */
struct group {
    size_t first, count;
    bool is_paired;
};

struct side {
    ARRAY(struct half) halves; /* by file and line */
    ARRAY(struct group) groups;
};

struct mover {
    struct arena *arena;
    struct diff_table *table;
    struct side sides[2];
    bool is_moved; /* some line is */
};

/* ---- Halves. */

static int compare_halves(const void *left, const void *right)
{
    const struct half *a = left, *b = right;
    int order = strcmp(a->file, b->file);
    return order ? order : (a->line.line > b->line.line) - (a->line.line < b->line.line);
}

static bool collect_side(struct mover *mover, size_t number, enum diff_presence without)
{
    struct side *side = &mover->sides[number];
    for (size_t i = 0; i < mover->table->rows.count; i++) {
        const struct diff_row *row = &mover->table->rows.items[i];
        const double *values = number ? row->new_values : row->old_values;
        struct half half = {.file = row->keys[0] ? row->keys[0] : "",
                            .line = {row->keys[1] ? atoi(row->keys[1]) : 0, values[0], values[1]},
                            .row = i,
                            .partner = HALF_NONE};
        if (row->presence != without && !array_push(&side->halves, half))
            return false;
    }
    if (side->halves.count)
        qsort(side->halves.items, side->halves.count, sizeof *side->halves.items, compare_halves);
    for (size_t first = 0, end; first < side->halves.count; first = end) {
        const struct half *halves = side->halves.items;
        for (end = first + 1;
             end < side->halves.count && !strcmp(halves[end].file, halves[first].file);)
            end++;
        if (!array_push(&side->groups, ((struct group){first, end - first, false})))
            return false;
    }
    return true;
}

static const char *group_file(const struct mover *mover, size_t side, size_t group)
{
    return mover->sides[side].halves.items[mover->sides[side].groups.items[group].first].file;
}

/* ---- Pairing. */

/* Same lines on both sides: nothing moved. */
static bool is_same(const struct half *old_halves, const struct half *new_halves, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (old_halves[i].line.line != new_halves[i].line.line)
            return false;
    }
    return true;
}

static bool pair_lines(struct mover *mover, const struct group *old_group,
                       const struct group *new_group)
{
    struct half *old_halves = mover->sides[0].halves.items + old_group->first;
    struct half *new_halves = mover->sides[1].halves.items + new_group->first;
    size_t old_count = old_group->count, new_count = new_group->count;
    struct counted_line *lines = malloc((old_count + new_count) * sizeof *lines);
    uint32_t *old_of = malloc(new_count * sizeof *old_of);
    bool ok = lines && old_of;
    for (size_t i = 0; ok && i < old_count + new_count; i++)
        lines[i] = i < old_count ? old_halves[i].line : new_halves[i - old_count].line;
    if (ok && old_count == new_count && is_same(old_halves, new_halves, new_count)) {
        for (uint32_t j = 0; j < new_count; j++)
            old_of[j] = j;
    } else if (ok) {
        ok = lines_align(lines, old_count, lines + old_count, new_count, old_of);
    }
    for (size_t j = 0; ok && j < new_count; j++) {
        if (old_of[j] == LINE_NONE)
            continue;
        new_halves[j].partner = old_group->first + old_of[j];
        old_halves[old_of[j]].partner = new_group->first + j;
        mover->is_moved |= old_halves[old_of[j]].row != new_halves[j].row;
    }
    free(lines);
    free(old_of);
    return ok;
}

static bool pair_groups(struct mover *mover, size_t old_group, size_t new_group)
{
    struct group *a = &mover->sides[0].groups.items[old_group];
    struct group *b = &mover->sides[1].groups.items[new_group];
    a->is_paired = b->is_paired = true;
    return pair_lines(mover, a, b);
}

static bool pair_same_files(struct mover *mover)
{
    bool ok = true;
    for (size_t i = 0, j = 0;
         ok && i < mover->sides[0].groups.count && j < mover->sides[1].groups.count;) {
        int order = strcmp(group_file(mover, 0, i), group_file(mover, 1, j));
        if (!order)
            ok = pair_groups(mover, i, j);
        i += order <= 0;
        j += order >= 0;
    }
    return ok;
}

/* ---- Files under another folder. */

struct namesake {
    const char *suffix; /* the last parts of its path */
    size_t side, group;
};

static const char *path_suffix(const char *path, size_t parts)
{
    const char *at = path + strlen(path);
    while (at > path && (at[-1] != '/' || --parts))
        at--;
    return at;
}

static int compare_namesakes(const void *left, const void *right)
{
    const struct namesake *a = left, *b = right;
    int order = strcmp(a->suffix, b->suffix);
    if (!order)
        order = (a->side > b->side) - (a->side < b->side);
    return order ? order : (a->group > b->group) - (a->group < b->group);
}

/* Pairs files without a partner whose last `parts` parts only one of each side has. */
static bool pair_namesakes(struct mover *mover, size_t parts)
{
    ARRAY(struct namesake) names = {0};
    bool ok = true;
    for (size_t side = 0; side < 2; side++) {
        for (size_t i = 0; ok && i < mover->sides[side].groups.count; i++) {
            struct namesake name = {path_suffix(group_file(mover, side, i), parts), side, i};
            if (!mover->sides[side].groups.items[i].is_paired && *name.suffix)
                ok = array_push(&names, name);
        }
    }
    if (names.count)
        qsort(names.items, names.count, sizeof *names.items, compare_namesakes);
    for (size_t first = 0, end; ok && first < names.count; first = end) {
        const struct namesake *group = names.items + first;
        for (end = first + 1; end < names.count && !strcmp(names.items[end].suffix, group->suffix);)
            end++;
        if (end - first == 2 && group[0].side != group[1].side)
            ok = pair_groups(mover, group[0].group, group[1].group);
    }
    array_deinit(&names);
    return ok;
}

/* ---- Rows. */

static const char *note(struct mover *mover, const struct half *from, const struct half *to)
{
    if (!strcmp(from->file, to->file))
        return arena_printf(mover->arena, "moved from line %d", (int)from->line.line);
    return arena_printf(mover->arena, "moved from %s:%d", from->file, (int)from->line.line);
}

static void set_rank(struct diff_row *row)
{
    double change = row->new_values[0] - row->old_values[0];
    if (row->is_exact)
        change = row->new_size > row->old_size ? (double)(row->new_size - row->old_size)
                                               : (double)(row->old_size - row->new_size);
    row->rank = fabs(change);
}

/* NEW's row with OLD's numbers of its partner, in another row of `rows`. */
static bool join(struct mover *mover, const struct diff_row *rows, const struct half *from,
                 const struct half *to, struct diff_row *row)
{
    const struct diff_row *old_row = &rows[from->row];
    memcpy(row->old_values, old_row->old_values, sizeof row->old_values);
    row->old_size = old_row->old_size;
    row->presence = DIFF_BOTH;
    row->note = note(mover, from, to);
    set_rank(row);
    return row->note != NULL;
}

static void leave_alone(struct diff_row *row, enum diff_presence presence)
{
    row->presence = presence;
    if (presence == DIFF_NEW) {
        memset(row->old_values, 0, sizeof row->old_values);
        row->old_size = 0;
    } else {
        memset(row->new_values, 0, sizeof row->new_values);
        row->new_size = 0;
    }
    set_rank(row);
}

/* The table's rows again, from halves. */
static bool remake_rows(struct mover *mover, const struct diff_row *rows)
{
    const struct side *old_side = &mover->sides[0], *new_side = &mover->sides[1];
    bool ok = true;
    mover->table->rows.count = 0;
    for (size_t j = 0; ok && j < new_side->halves.count; j++) {
        const struct half *half = &new_side->halves.items[j];
        struct diff_row row = rows[half->row];
        if (half->partner == HALF_NONE)
            leave_alone(&row, DIFF_NEW);
        else if (old_side->halves.items[half->partner].row != half->row)
            ok = join(mover, rows, &old_side->halves.items[half->partner], half, &row);
        ok = ok && array_push(&mover->table->rows, row);
    }
    for (size_t i = 0; ok && i < old_side->halves.count; i++) {
        struct diff_row row = rows[old_side->halves.items[i].row];
        if (old_side->halves.items[i].partner != HALF_NONE)
            continue;
        leave_alone(&row, DIFF_GONE);
        ok = array_push(&mover->table->rows, row);
    }
    return ok;
}

/* ---- All. */

/* Lines that moved have found their partner. */
static void count_matched(const struct mover *mover, const struct diff_row *rows,
                          struct profile_pair *pair)
{
    for (size_t number = 0; number < 2; number++) {
        const struct side *side = &mover->sides[number];
        double matched = 0, all = 0;
        for (size_t i = 0; i < side->halves.count; i++) {
            const struct half *half = &side->halves.items[i];
            double weight = number ? rows[half->row].new_values[0] : rows[half->row].old_values[0];
            all += weight;
            matched += half->partner == HALF_NONE ? 0 : weight;
        }
        if (all > 0)
            pair->matched[number] = matched / all;
    }
}

static bool pair_all(struct mover *mover)
{
    bool ok = collect_side(mover, 0, DIFF_NEW) && collect_side(mover, 1, DIFF_GONE) &&
              pair_same_files(mover);
    for (size_t parts = SUFFIX_PARTS; ok && parts; parts--)
        ok = pair_namesakes(mover, parts);
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
    struct mover mover = {.arena = &compare->diff->arena, .table = &compare->diff->tables.items[0]};
    bool ok = pair_all(&mover);
    mover.table = moved;
    if (ok && mover.is_moved) {
        count_matched(&mover, rows->rows.items, compare->pair);
        ok = remake_rows(&mover, rows->rows.items);
        diff_sort(moved);
    } else {
        compare->diff->tables.count--;
    }
    for (size_t side = 0; side < 2; side++) {
        array_deinit(&mover.sides[side].halves);
        array_deinit(&mover.sides[side].groups);
    }
    return ok ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}
