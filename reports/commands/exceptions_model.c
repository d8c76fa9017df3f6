/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "inquest/base/limits.h"
#include "reports/commands/stacks_model.h"

enum exception_column {
    EXCEPTION_ID,
    EXCEPTION_THREAD_ID,
    EXCEPTION_RELATION,
    EXCEPTION_STATE,
    EXCEPTION_TYPE,
    EXCEPTION_MESSAGE,
    EXCEPTION_NOTES,
    EXCEPTION_ADDRESS,
    EXCEPTION_SUPPRESSED,
    EXCEPTION_PARENT,
};
static const char exception_sql[] =
    "SELECT id, thread_id, relation, state, type, message, notes, address, is_suppressed,"
    " parent_id FROM exception ORDER BY thread_id, position, id";

static const char traceback_sql[] =
    "SELECT exception_id, function, file, line, \"column\" FROM traceback"
    " ORDER BY exception_id, depth, rowid";

/* For looking up threads and exceptions by id. */
struct by_id {
    int64_t id;
    size_t place;
};

static int compare_ids(const void *a, const void *b)
{
    const struct by_id *left = a, *right = b;
    return left->id < right->id ? -1 : left->id > right->id;
}

typedef ARRAY(struct by_id) by_id_array;

static const struct by_id *find(const by_id_array *array, int64_t id)
{
    struct by_id key = {.id = id};
    return array->count ? bsearch(&key, array->items, array->count, sizeof key, compare_ids) : NULL;
}

static void sort(by_id_array *array)
{
    if (array->count)
        qsort(array->items, array->count, sizeof *array->items, compare_ids);
}

static const char *copy(struct stacks *stacks, const struct index_rows *row, int column, bool *ok)
{
    const char *string = index_rows_text(row, column);
    const char *result = string ? arena_strdup(&stacks->arena, string) : NULL;
    *ok &= !string || result;
    return result;
}

static struct stack_exception read_exception(struct stacks *stacks, const struct index_rows *row,
                                             bool *ok)
{
    return (struct stack_exception){
        .id = index_rows_integer(row, EXCEPTION_ID),
        .thread_id = index_rows_integer(row, EXCEPTION_THREAD_ID),
        .relation = copy(stacks, row, EXCEPTION_RELATION, ok),
        .state = copy(stacks, row, EXCEPTION_STATE, ok),
        .type = copy(stacks, row, EXCEPTION_TYPE, ok),
        .message = copy(stacks, row, EXCEPTION_MESSAGE, ok),
        .notes = copy(stacks, row, EXCEPTION_NOTES, ok),
        .address = (uint64_t)index_rows_integer(row, EXCEPTION_ADDRESS),
        .is_suppressed = index_rows_integer(row, EXCEPTION_SUPPRESSED),
        .parent = SIZE_MAX,
    };
}

/* The parent is looked for among the same thread's earlier exceptions only, so
 * that a damaged index can't make a circle of them. */
static size_t find_parent(const struct stacks *stacks, const struct stack_thread *thread,
                          const struct index_rows *row)
{
    if (index_rows_is_null(row, EXCEPTION_PARENT))
        return SIZE_MAX;
    int64_t id = index_rows_integer(row, EXCEPTION_PARENT);
    for (size_t i = stacks->exceptions.count; i-- > thread->first_exception;)
        if (stacks->exceptions.items[i].id == id)
            return i;
    return SIZE_MAX;
}

static enum status load_rows(struct index *index, struct stacks *stacks, const by_id_array *threads,
                             by_id_array *exceptions, struct error *err)
{
    struct index_rows *rows;
    bool ok = true;
    enum status status = index_query(index, exception_sql, NULL, 0, &rows, err);
    if (status)
        return status;
    while (ok && index_rows_next(rows)) {
        const struct by_id *found = find(threads, index_rows_integer(rows, EXCEPTION_THREAD_ID));
        if (!found)
            continue;
        struct stack_thread *thread = &stacks->threads.items[found->place];
        if (thread->exception_count == LIMIT_EXCEPTIONS) /* no index of ours has more */
            continue;
        struct stack_exception exception = read_exception(stacks, rows, &ok);
        struct by_id entry = {exception.id, stacks->exceptions.count};
        if (!thread->exception_count)
            thread->first_exception = stacks->exceptions.count;
        exception.parent = find_parent(stacks, thread, rows);
        ok = ok && array_push(&stacks->exceptions, exception) && array_push(exceptions, entry);
        thread->exception_count++;
    }
    status = index_rows_finish(rows, err);
    if (!status && !ok)
        status = error_set(err, STATUS_NO_MEMORY, "no memory for the exceptions");
    return status;
}

/* File names and functions recur in tracebacks: the last entry's copy is reused. */
static const char *copy_again(struct stacks *stacks, const struct index_rows *row, int column,
                              const char *last, bool *ok)
{
    const char *string = index_rows_text(row, column);
    if (string && last && strcmp(string, last) == 0)
        return last;
    return copy(stacks, row, column, ok);
}

static enum status load_tracebacks(struct index *index, struct stacks *stacks,
                                   const by_id_array *exceptions, struct error *err)
{
    struct index_rows *rows;
    struct traceback_entry last = {0};
    bool ok = true;
    enum status status = index_query(index, traceback_sql, NULL, 0, &rows, err);
    if (status)
        return status;
    while (ok && index_rows_next(rows)) {
        const struct by_id *found = find(exceptions, index_rows_integer(rows, 0));
        if (!found)
            continue;
        struct stack_exception *exception = &stacks->exceptions.items[found->place];
        int64_t line = index_rows_integer(rows, 3), column = index_rows_integer(rows, 4);
        struct traceback_entry entry = {
            .function = copy_again(stacks, rows, 1, last.function, &ok),
            .file = copy_again(stacks, rows, 2, last.file, &ok),
            .line = line > 0 && line <= INT32_MAX ? (int32_t)line : 0,
            .column = index_rows_is_null(rows, 4) || column < 0 || column > INT32_MAX
                          ? -1
                          : (int32_t)column,
        };
        if (!exception->entry_count)
            exception->first_entry = stacks->entries.count;
        exception->entry_count++;
        ok = ok && array_push(&stacks->entries, entry);
        last = entry;
    }
    status = index_rows_finish(rows, err);
    if (!status && !ok)
        status = error_set(err, STATUS_NO_MEMORY, "no memory for the tracebacks");
    return status;
}

enum status stacks_load_exceptions(struct index *index, struct stacks *stacks, struct error *err)
{
    by_id_array threads = {0}, exceptions = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < stacks->threads.count; i++) {
        struct by_id entry = {stacks->threads.items[i].id, i};
        ok = array_push(&threads, entry);
    }
    sort(&threads);
    enum status status = ok ? load_rows(index, stacks, &threads, &exceptions, err)
                            : error_set(err, STATUS_NO_MEMORY, "no memory for the threads");
    sort(&exceptions);
    if (!status)
        status = load_tracebacks(index, stacks, &exceptions, err);
    array_deinit(&threads);
    array_deinit(&exceptions);
    return status;
}

bool next_note(const char **notes, struct text *note)
{
    static const char separator[] = "\x1e";
    if (!*notes)
        return false;
    size_t size = strcspn(*notes, separator);
    text_clear(note);
    text_append_n(note, *notes, size);
    *notes = (*notes)[size] ? *notes + size + 1 : NULL;
    return true;
}
