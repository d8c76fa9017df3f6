/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/stacks_rows.h"

static const char thread_sql[] =
    "SELECT id, os_tid, name, is_main, is_crashed, holds_gil, state, ident, is_python,"
    " collecting, waits_for, stack_note, waits_for_thread_id, is_deadlocked FROM thread"
    " ORDER BY id";

#define FRAME_SQL                                                                                  \
    "SELECT id, thread_id, depth, kind, function, file, line, \"column\", end_line, end_column,"   \
    " address, owner FROM frame ORDER BY "

/* An index written by us holds both tables in the wanted order, and sorting a
 * table of hundreds of thousands of rows costs more than all else together. */
static const char frame_sql_ordered[] = FRAME_SQL "id";
static const char frame_sql[] = FRAME_SQL "thread_id, depth, id";
static const char local_sql_ordered[] =
    "SELECT frame_id, name, kind, type, value, address, 0, 0 FROM local ORDER BY rowid";
static const char local_sql[] =
    "SELECT l.frame_id, l.name, l.kind, l.type, l.value, l.address, f.thread_id, f.depth"
    " FROM local AS l JOIN frame AS f ON f.id = l.frame_id"
    " ORDER BY f.thread_id, f.depth, f.id, l.rowid";

enum { LOCAL_THREAD_ID = LOCAL_ADDRESS + 1, LOCAL_DEPTH };

static enum status run(struct index *index, const char *sql, struct index_rows **ret_rows,
                       struct error *err)
{
    return index_query(index, sql, NULL, 0, ret_rows, err);
}

enum status thread_rows_open(struct index *index, struct index_rows **ret_rows, struct error *err)
{
    return run(index, thread_sql, ret_rows, err);
}

/* Whether the two columns of the rows only ever grow, as a pair. */
static enum status is_ordered(struct index *index, const char *sql, bool *ordered,
                              struct error *err)
{
    struct index_rows *rows;
    int64_t last_major = INT64_MIN, last_minor = INT64_MIN;
    enum status status = run(index, sql, &rows, err);
    if (status)
        return status;
    while (*ordered && index_rows_next(rows)) {
        int64_t major = index_rows_integer(rows, 0), minor = index_rows_integer(rows, 1);
        if (major < last_major || (major == last_major && minor < last_minor))
            *ordered = false;
        last_major = major;
        last_minor = minor;
    }
    return index_rows_finish(rows, err);
}

enum status stacks_rows_open(struct index *index, bool with_locals, struct stacks_rows *ret_rows,
                             struct error *err)
{
    struct stacks_rows rows = {.ordered = true};
    enum status status =
        is_ordered(index, "SELECT thread_id, depth FROM frame ORDER BY id", &rows.ordered, err);
    if (!status && rows.ordered && with_locals)
        status =
            is_ordered(index, "SELECT frame_id, 0 FROM local ORDER BY rowid", &rows.ordered, err);
    if (!status)
        status = thread_rows_open(index, &rows.threads, err);
    if (!status)
        status = run(index, rows.ordered ? frame_sql_ordered : frame_sql, &rows.frames, err);
    if (!status && with_locals)
        status = run(index, rows.ordered ? local_sql_ordered : local_sql, &rows.locals, err);
    if (status) {
        index_rows_finish(rows.threads, NULL);
        index_rows_finish(rows.frames, NULL);
        return status;
    }
    rows.frame_waits = index_rows_next(rows.frames);
    *ret_rows = rows;
    return STATUS_OK;
}

bool stacks_rows_next_thread(struct stacks_rows *rows)
{
    if (!index_rows_next(rows->threads))
        return false;
    rows->thread_id = index_rows_integer(rows->threads, THREAD_ID);
    return true;
}

bool stacks_rows_next_frame(struct stacks_rows *rows)
{
    while (rows->frame_waits) {
        int64_t thread_id = index_rows_integer(rows->frames, FRAME_THREAD_ID);
        if (thread_id > rows->thread_id)
            return false;
        if (thread_id == rows->thread_id && !rows->frame_given) {
            rows->frame_given = true;
            rows->frame_id = index_rows_integer(rows->frames, FRAME_ID);
            return true;
        }
        rows->frame_waits = index_rows_next(rows->frames);
        rows->frame_given = false;
    }
    return false;
}

/* Where the local on the cursor stands to the current frame: <0 before it. */
static int compare_to_frame(const struct stacks_rows *rows)
{
    int64_t frame_id = index_rows_integer(rows->locals, LOCAL_FRAME_ID);
    if (!rows->ordered) {
        int64_t thread_id = index_rows_integer(rows->locals, LOCAL_THREAD_ID);
        int64_t depth = index_rows_integer(rows->locals, LOCAL_DEPTH);
        int64_t frame_depth = index_rows_integer(rows->frames, FRAME_DEPTH);
        if (thread_id != rows->thread_id)
            return thread_id < rows->thread_id ? -1 : 1;
        if (depth != frame_depth)
            return depth < frame_depth ? -1 : 1;
    }
    return frame_id < rows->frame_id ? -1 : frame_id > rows->frame_id;
}

bool stacks_rows_next_local(struct stacks_rows *rows)
{
    if (!rows->locals)
        return false;
    if (!rows->local_started) {
        rows->local_started = true;
        rows->local_waits = index_rows_next(rows->locals);
    } else if (rows->local_given) {
        rows->local_waits = index_rows_next(rows->locals);
    }
    rows->local_given = false;
    while (rows->local_waits) {
        int order = compare_to_frame(rows);
        if (order > 0)
            return false;
        if (order == 0)
            return rows->local_given = true;
        rows->local_waits = index_rows_next(rows->locals);
    }
    return false;
}

enum status stacks_rows_close(struct stacks_rows *rows, struct error *err)
{
    enum status threads = index_rows_finish(rows->threads, err);
    enum status frames = index_rows_finish(rows->frames, threads ? NULL : err);
    enum status locals = index_rows_finish(rows->locals, threads || frames ? NULL : err);
    return threads ? threads : frames ? frames : locals;
}
