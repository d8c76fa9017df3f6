/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/stacks_model.h"

#include <inttypes.h>
#include <string.h>

#include "inquest/base/fnv.h"
#include "reports/commands/stacks_rows.h"

/* ---- Interned strings: names of functions and files recur in thousands of
 * frames, and frames are compared by them. */
struct interner {
    const char **slots;
    size_t capacity, count;
};

static uint64_t hash_string(const char *string)
{
    uint64_t hash = fnv64(FNV64_START, string, strlen(string));
    return hash ^ hash >> 29;
}

static const char **intern_slot(const struct interner *interner, const char *string)
{
    size_t slot = (size_t)hash_string(string) & (interner->capacity - 1);
    while (interner->slots[slot] && strcmp(interner->slots[slot], string) != 0)
        slot = (slot + 1) & (interner->capacity - 1);
    return &interner->slots[slot];
}

static bool intern_grow(struct interner *interner)
{
    struct interner grown = {.capacity = interner->capacity ? interner->capacity * 2 : 256};
    grown.slots = calloc(grown.capacity, sizeof *grown.slots);
    if (!grown.slots)
        return false;
    for (size_t i = 0; i < interner->capacity; i++)
        if (interner->slots[i])
            *intern_slot(&grown, interner->slots[i]) = interner->slots[i];
    grown.count = interner->count;
    free(interner->slots);
    *interner = grown;
    return true;
}

static const char *intern(struct interner *interner, struct arena *arena, const char *string)
{
    if (interner->count * 2 >= interner->capacity && !intern_grow(interner))
        return NULL;
    const char **slot = intern_slot(interner, string);
    if (!*slot && (*slot = arena_strdup(arena, string)))
        interner->count++;
    return *slot;
}

/* ---- Reading. */
struct loader {
    struct stacks *stacks;
    struct stacks_rows rows;
    struct interner interner;
    bool no_memory;
};

static const char *copy(struct loader *loader, const char *string)
{
    if (!string)
        return NULL;
    char *result = arena_strdup(&loader->stacks->arena, string);
    loader->no_memory |= !result;
    return result;
}

static const char *copy_interned(struct loader *loader, const char *string)
{
    if (!string)
        return NULL;
    const char *result = intern(&loader->interner, &loader->stacks->arena, string);
    loader->no_memory |= !result;
    return result;
}

static int32_t small(const struct index_rows *rows, int column, int32_t unknown)
{
    int64_t value = index_rows_integer(rows, column);
    if (index_rows_is_null(rows, column) || value < 0 || value > INT32_MAX)
        return unknown;
    return (int32_t)value;
}

static struct stack_thread read_thread(struct loader *loader, const struct index_rows *row)
{
    return (struct stack_thread){
        .id = index_rows_integer(row, THREAD_ID),
        .os_tid = index_rows_integer(row, THREAD_OS_TID),
        .ident = (uint64_t)index_rows_integer(row, THREAD_IDENT),
        .name = copy(loader, index_rows_text(row, THREAD_NAME)),
        .state = copy(loader, index_rows_text(row, THREAD_STATE)),
        .waits_for = copy(loader, index_rows_text(row, THREAD_WAITS_FOR)),
        .stack_note = copy(loader, index_rows_text(row, THREAD_STACK_NOTE)),
        .is_main = index_rows_integer(row, THREAD_IS_MAIN),
        .is_crashed = index_rows_integer(row, THREAD_IS_CRASHED),
        .holds_gil = index_rows_integer(row, THREAD_HOLDS_GIL),
        .is_python = index_rows_integer(row, THREAD_IS_PYTHON),
        .collecting = index_rows_integer(row, THREAD_COLLECTING),
        .waits_for_id = index_rows_integer(row, THREAD_WAITS_FOR_THREAD_ID),
        .is_deadlocked = index_rows_integer(row, THREAD_IS_DEADLOCKED),
    };
}

static struct stack_frame read_frame(struct loader *loader)
{
    const struct index_rows *row = loader->rows.frames;
    const char *kind = index_rows_text(row, FRAME_KIND);
    return (struct stack_frame){
        .id = index_rows_integer(row, FRAME_ID),
        .function = copy_interned(loader, index_rows_text(row, FRAME_FUNCTION)),
        .file = copy_interned(loader, index_rows_text(row, FRAME_FILE)),
        .owner = copy_interned(loader, index_rows_text(row, FRAME_OWNER)),
        .line = small(row, FRAME_LINE, 0),
        .column = small(row, FRAME_COLUMN, -1),
        .is_native = kind && strcmp(kind, "native") == 0,
    };
}

/* Whether a thread is the one asked for: by its number here, its native id, its
 * ident (decimal or 0x…) or its name. */
static bool is_wanted(const struct index_rows *row, const char *wanted)
{
    static const enum thread_column numbers[] = {THREAD_ID, THREAD_OS_TID, THREAD_IDENT};
    const char *name = index_rows_text(row, THREAD_NAME);
    char *end;
    if (!wanted || (name && strcmp(name, wanted) == 0))
        return true;
    unsigned long long number = strtoull(wanted, &end, 0);
    if (*wanted < '0' || *wanted > '9' || *end)
        return false;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!index_rows_is_null(row, numbers[i]) &&
            (uint64_t)index_rows_integer(row, numbers[i]) == number)
            return true;
    return false;
}

/* Threads are in order of their ids here, as the rows are. */
static enum status load_variables(struct index *index, struct loader *loader, struct error *err)
{
    struct stacks *stacks = loader->stacks;
    struct index_rows *rows;
    size_t next = 0;
    enum status status = index_query(index,
                                     "SELECT thread_id, name, type, value FROM context_variable"
                                     " WHERE thread_id IS NOT NULL ORDER BY thread_id, rowid",
                                     NULL, 0, &rows, err);
    if (status)
        return status;
    while (!loader->no_memory && index_rows_next(rows)) {
        int64_t id = index_rows_integer(rows, 0);
        while (next < stacks->threads.count && stacks->threads.items[next].id < id)
            next++;
        if (next == stacks->threads.count || stacks->threads.items[next].id != id)
            continue;
        struct stack_local variable = {.name = copy_interned(loader, index_rows_text(rows, 1)),
                                       .type = copy_interned(loader, index_rows_text(rows, 2)),
                                       .value = copy(loader, index_rows_text(rows, 3)),
                                       .kind = "context"};
        struct stack_thread *thread = &stacks->threads.items[next];
        if (!thread->variable_count++)
            thread->first_variable = stacks->variables.count;
        loader->no_memory |= !array_push(&stacks->variables, variable);
    }
    return index_rows_finish(rows, err);
}

static enum status load_threads(struct index *index, struct loader *loader, const char *wanted,
                                struct error *err)
{
    struct stacks *stacks = loader->stacks;
    struct index_rows *rows;
    enum status status = thread_rows_open(index, &rows, err);
    if (status)
        return status;
    while (!loader->no_memory && index_rows_next(rows)) {
        if (is_wanted(rows, wanted))
            loader->no_memory |= !array_push(&stacks->threads, read_thread(loader, rows));
        else
            stacks->threads_filtered++;
    }
    status = index_rows_finish(rows, err);
    if (!status && loader->no_memory)
        status = error_set(err, STATUS_NO_MEMORY, "no memory for the threads");
    if (!status && wanted && !stacks->threads.count)
        status = error_set(
            err, STATUS_USAGE,
            "no thread has the number, native id, ident or name \"%s\"; without --thread, "
            "all of them are listed",
            wanted);
    if (!status)
        status = load_variables(index, loader, err);
    return status ? status : stacks_load_exceptions(index, stacks, err);
}

/* Threads are in order of their ids here, as in the cursor. */
static enum status load_frames(struct index *index, struct loader *loader, struct error *err)
{
    struct stacks *stacks = loader->stacks;
    size_t next = 0;
    enum status status = stacks_rows_open(index, false, &loader->rows, err);
    if (status)
        return status;
    while (!loader->no_memory && stacks_rows_next_thread(&loader->rows)) {
        if (next == stacks->threads.count ||
            stacks->threads.items[next].id != loader->rows.thread_id)
            continue;
        struct stack_thread *thread = &stacks->threads.items[next++];
        thread->first_frame = stacks->frames.count;
        while (!loader->no_memory && stacks_rows_next_frame(&loader->rows))
            loader->no_memory |= !array_push(&stacks->frames, read_frame(loader));
        thread->frame_count = stacks->frames.count - thread->first_frame;
    }
    return stacks_rows_close(&loader->rows, err);
}

/* Locals of the frames that are shown, and of no others. */
struct frame_by_id {
    int64_t id;
    size_t frame;
};

static int compare_frame_ids(const void *a, const void *b)
{
    const struct frame_by_id *left = a, *right = b;
    return left->id < right->id ? -1 : left->id > right->id;
}

static enum status read_locals(struct loader *loader, const struct frame_by_id *wanted,
                               size_t wanted_count, struct error *err)
{
    struct stacks *stacks = loader->stacks;
    while (!loader->no_memory && stacks_rows_next_thread(&loader->rows))
        while (!loader->no_memory && stacks_rows_next_frame(&loader->rows)) {
            struct frame_by_id key = {.id = loader->rows.frame_id};
            const struct frame_by_id *found =
                bsearch(&key, wanted, wanted_count, sizeof *wanted, compare_frame_ids);
            if (!found)
                continue;
            struct stack_frame *frame = &stacks->frames.items[found->frame];
            frame->first_local = stacks->locals.count;
            while (!loader->no_memory && stacks_rows_next_local(&loader->rows)) {
                const struct index_rows *row = loader->rows.locals;
                struct stack_local local = {
                    .name = copy_interned(loader, index_rows_text(row, LOCAL_NAME)),
                    .kind = copy_interned(loader, index_rows_text(row, LOCAL_KIND)),
                    .type = copy_interned(loader, index_rows_text(row, LOCAL_TYPE)),
                    .value = copy(loader, index_rows_text(row, LOCAL_VALUE)),
                };
                loader->no_memory |= !array_push(&stacks->locals, local);
                frame->local_count++;
            }
        }
    return stacks_rows_close(&loader->rows, err);
}

static enum status load_locals(struct index *index, struct loader *loader, struct error *err)
{
    struct stacks *stacks = loader->stacks;
    ARRAY(struct frame_by_id) wanted = {0};
    for (size_t i = 0; i < stacks->frames.count; i++) {
        const struct stack_frame *frame = &stacks->frames.items[i];
        struct frame_by_id entry = {frame->id, i};
        if (frame->is_shown && !array_push(&wanted, entry))
            loader->no_memory = true;
    }
    if (wanted.count)
        qsort(wanted.items, wanted.count, sizeof *wanted.items, compare_frame_ids);
    enum status status = STATUS_OK;
    if (wanted.count)
        status = stacks_rows_open(index, true, &loader->rows, err);
    if (wanted.count && !status)
        status = read_locals(loader, wanted.items, wanted.count, err);
    array_deinit(&wanted);
    return status;
}

/* ---- Order of importance. */
bool stack_thread_matters(const struct stack_thread *thread)
{
    return thread->is_crashed || thread->holds_gil || thread->is_main || thread->exception_count;
}

static int rank(const struct stack_thread *thread)
{
    if (thread->is_crashed)
        return 0;
    if (thread->holds_gil)
        return 1;
    if (thread->is_main)
        return 2;
    if (thread->exception_count)
        return 3;
    return thread->is_python ? 4 : 5;
}

static int compare_threads(const void *a, const void *b)
{
    const struct stack_thread *left = a, *right = b;
    int order = rank(left) - rank(right);
    if (order)
        return order;
    return left->id < right->id ? -1 : left->id > right->id;
}

const char *stack_thread_label(struct stacks *stacks, const struct stack_thread *thread)
{
    if (thread->name && *thread->name)
        return thread->name;
    return arena_printf(&stacks->arena, "%s %" PRId64, thread->is_python ? "thread" : "C thread",
                        thread->os_tid ? thread->os_tid : thread->id);
}

/* ---- All together. */
static void limit_groups(struct stacks *stacks, uint64_t limit)
{
    if (!limit || stacks->groups.count <= limit)
        return;
    for (size_t i = (size_t)limit; i < stacks->groups.count; i++)
        stacks->threads_not_shown += stacks->groups.items[i].member_count;
    stacks->groups.count = (size_t)limit;
}

static void sort_threads(struct stacks *stacks)
{
    if (stacks->threads.count)
        qsort(stacks->threads.items, stacks->threads.count, sizeof *stacks->threads.items,
              compare_threads);
}

static enum status load(struct index *index, const struct stacks_options *options,
                        struct loader *loader, struct error *err)
{
    struct stacks *stacks = loader->stacks;
    enum status status = load_threads(index, loader, options->thread, err);
    if (!status && !options->threads_only)
        status = load_frames(index, loader, err);
    if (status)
        return status;
    sort_threads(stacks);
    if (options->threads_only)
        return STATUS_OK;
    if (loader->no_memory || !stacks_group(stacks))
        return error_set(err, STATUS_NO_MEMORY, "no memory for the threads");
    limit_groups(stacks, options->group_limit);
    if (!stacks_collapse(stacks, options))
        return error_set(err, STATUS_NO_MEMORY, "no memory for the stacks");
    if (!options->no_locals)
        status = load_locals(index, loader, err);
    if (!status && loader->no_memory)
        status = error_set(err, STATUS_NO_MEMORY, "no memory for the locals");
    return status;
}

enum status stacks_load(struct index *index, const struct stacks_options *options,
                        struct stacks *ret_stacks, struct error *err)
{
    struct stacks stacks = {0};
    struct loader loader = {.stacks = &stacks};
    arena_init(&stacks.arena);
    enum status status = load(index, options, &loader, err);
    free(loader.interner.slots);
    if (status)
        stacks_deinit(&stacks);
    else
        *ret_stacks = stacks;
    return status;
}

void stacks_deinit(struct stacks *stacks)
{
    if (!stacks)
        return;
    array_deinit(&stacks->threads);
    array_deinit(&stacks->frames);
    array_deinit(&stacks->locals);
    array_deinit(&stacks->variables);
    array_deinit(&stacks->exceptions);
    array_deinit(&stacks->entries);
    array_deinit(&stacks->groups);
    array_deinit(&stacks->members);
    array_deinit(&stacks->items);
    arena_deinit(&stacks->arena);
}
