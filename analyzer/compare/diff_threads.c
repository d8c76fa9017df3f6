/* SPDX-License-Identifier: Apache-2.0 */
/* Threads and tasks of two dumps: which came and went, and which stand where they stood. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/compare/diff_core.h"

/* Columns: what tells it apart in one process, its name, its stack, its innermost frame,
 * frames. */
#define STACK_OF(frames, owner)                                                                    \
    "(SELECT group_concat(line, char(10)) FROM (SELECT coalesce(function, '') || ' ' || "          \
    "coalesce(file, '') || ' ' || coalesce(line, '') AS line FROM " frames " f WHERE f." owner     \
    " = t.id ORDER BY depth)), "                                                                   \
    "(SELECT coalesce(function, '?') || ' (' || coalesce(file, '?') || ':' || coalesce(line, 0) "  \
    "|| ')' FROM " frames " f WHERE f." owner " = t.id ORDER BY depth LIMIT 1), "                  \
    "(SELECT count(*) FROM " frames " f WHERE f." owner " = t.id)"

struct runner {
    const char *identity, *name, *stack, *place;
    double frames;
};

struct runners {
    ARRAY(struct runner) items;
};

static int compare_runners(const void *left, const void *right)
{
    const struct runner *a = left, *b = right;
    int order = strcmp(a->identity, b->identity);
    return order ? order : strcmp(a->name, b->name);
}

static const char *column(const struct index_rows *rows, int at, struct arena *arena)
{
    const char *text = index_rows_text(rows, at);
    return arena_strdup(arena, text ? text : "");
}

static enum status load(struct index *index, const char *sql, bool by_identity, struct arena *arena,
                        struct runners *runners, struct error *err)
{
    struct index_rows *rows;
    bool ok = true;
    enum status status = index_query(index, sql, NULL, 0, &rows, err);
    if (status != STATUS_OK)
        return status;
    while (ok && index_rows_next(rows)) {
        struct runner runner = {by_identity ? column(rows, 0, arena) : "", column(rows, 1, arena),
                                column(rows, 2, arena), column(rows, 3, arena),
                                index_rows_real(rows, 4)};
        ok = runner.identity && runner.name && runner.stack && runner.place &&
             array_push(&runners->items, runner);
    }
    status = index_rows_finish(rows, err);
    if (runners->items.count)
        qsort(runners->items.items, runners->items.count, sizeof *runners->items.items,
              compare_runners);
    return ok ? status : error_set(err, STATUS_NO_MEMORY, "out of memory");
}

/* Stuck ones first, then new and gone ones; what runs on is only counted. */
static bool add_row(struct diff_table *table, const struct runner *before,
                    const struct runner *after)
{
    bool stuck = before && after && *after->stack && !strcmp(before->stack, after->stack);
    const struct runner *one = after ? after : before;
    struct diff_row row = {
        .stack = DIFF_NO_STACK,
        .keys = {one->name,
                 stuck     ? "same frame"
                 : !before ? "new"
                 : !after  ? "gone"
                           : "moved on",
                 one->place},
        .old_values = {before ? before->frames : 0},
        .new_values = {after ? after->frames : 0},
        .presence = !before  ? DIFF_NEW
                    : !after ? DIFF_GONE
                             : DIFF_BOTH,
        .rank = stuck     ? 3
                : !before ? 2
                : !after  ? 1
                          : 0,
    };
    return array_push(&table->rows, row);
}

static bool merge(const struct runners *old_side, const struct runners *new_side,
                  struct diff_table *table)
{
    size_t i = 0, j = 0;
    bool ok = true;
    while (ok && (i < old_side->items.count || j < new_side->items.count)) {
        const struct runner *before = i < old_side->items.count ? &old_side->items.items[i] : NULL;
        const struct runner *after = j < new_side->items.count ? &new_side->items.items[j] : NULL;
        int order = !before ? 1 : !after ? -1 : compare_runners(before, after);
        ok = add_row(table, order <= 0 ? before : NULL, order >= 0 ? after : NULL);
        i += order <= 0;
        j += order >= 0;
    }
    return ok;
}

static enum status compare(const struct core_pair *pair, const char *name, const char *title,
                           const char *first_key, const char *sql, struct error *err)
{
    struct runners old_side = {0}, new_side = {0};
    struct diff_table *table = diff_add_table(pair->diff, name, title);
    if (!table)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    table->keys[0] = first_key;
    table->keys[1] = "change";
    table->keys[2] = "frame";
    table->measures[0] = (struct diff_measure){"frames", "Frames", DIFF_COUNT};
    struct arena *arena = &pair->diff->arena;
    bool by_identity = pair->is_one_process && pair->is_one_pid;
    enum status status = load(pair->old_index, sql, by_identity, arena, &old_side, err);
    if (status == STATUS_OK)
        status = load(pair->new_index, sql, by_identity, arena, &new_side, err);
    if (status == STATUS_OK && !merge(&old_side, &new_side, table))
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    array_deinit(&old_side.items);
    array_deinit(&new_side.items);
    diff_sort(table);
    return status;
}

enum status diff_threads(const struct core_pair *pair, struct error *err)
{
    enum status status =
        compare(pair, "threads", "Threads: same frame, new, gone", "thread",
                "SELECT t.os_tid, coalesce(t.name, 'thread ' || t.os_tid), " STACK_OF(
                    "frame", "thread_id") " FROM thread t",
                err);
    if (status != STATUS_OK)
        return status;
    return compare(pair, "tasks", "Tasks: same frame, new, gone", "task",
                   "SELECT t.address, coalesce(t.name, '?'), " STACK_OF("task_frame",
                                                                        "task_id") " FROM task t",
                   err);
}
