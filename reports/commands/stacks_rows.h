/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_STACKS_ROWS_H
#define INQUEST_REPORTS_COMMANDS_STACKS_ROWS_H

#include "inquest/analyzer/index.h"

/* The index's threads, frames and locals in one ordered pass: three cursors that
 * move together, so that 100,000 frames cost three statements and not 100,000.
 * Threads come by id, frames by depth (innermost first), locals as they were
 * written. The columns are given by the enums below. */

enum thread_column {
    THREAD_ID,
    THREAD_OS_TID,
    THREAD_NAME,
    THREAD_IS_MAIN,
    THREAD_IS_CRASHED,
    THREAD_HOLDS_GIL,
    THREAD_STATE,
    THREAD_IDENT,
    THREAD_IS_PYTHON,
    THREAD_COLLECTING,
    THREAD_WAITS_FOR,
    THREAD_STACK_NOTE,
    THREAD_WAITS_FOR_THREAD_ID,
    THREAD_IS_DEADLOCKED,
};
enum frame_column {
    FRAME_ID,
    FRAME_THREAD_ID,
    FRAME_DEPTH,
    FRAME_KIND,
    FRAME_FUNCTION,
    FRAME_FILE,
    FRAME_LINE,
    FRAME_COLUMN,
    FRAME_END_LINE,
    FRAME_END_COLUMN,
    FRAME_ADDRESS,
    FRAME_OWNER,
};
enum local_column {
    LOCAL_FRAME_ID,
    LOCAL_NAME,
    LOCAL_KIND,
    LOCAL_TYPE,
    LOCAL_VALUE,
    LOCAL_ADDRESS,
};

struct stacks_rows {
    struct index_rows *threads, *frames, *locals; /* on their current rows */
    int64_t thread_id, frame_id;
    bool frame_waits, local_waits; /* the cursor stands on a row */
    bool frame_given, local_given; /* which was given out already */
    bool local_started;
    bool ordered; /* the index holds them in our order already */
};

/* The threads alone; close with index_rows_finish. */
enum status thread_rows_open(struct index *index, struct index_rows **ret_rows,
                             struct error *err) MUST_CHECK;

/* with_locals false: there is no locals cursor, stacks_rows_next_local is false. */
enum status stacks_rows_open(struct index *index, bool with_locals, struct stacks_rows *ret_rows,
                             struct error *err) MUST_CHECK;
/* The next thread; then the next frame of it; then the next local of that. Each
 * false where there is no more; what was not asked for is skipped. */
bool stacks_rows_next_thread(struct stacks_rows *rows);
bool stacks_rows_next_frame(struct stacks_rows *rows);
bool stacks_rows_next_local(struct stacks_rows *rows);
/* Closes, and tells how the reading ended. */
enum status stacks_rows_close(struct stacks_rows *rows, struct error *err) MUST_CHECK;

#endif
