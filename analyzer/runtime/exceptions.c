/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/exceptions.h"

#include <string.h>

#include "inquest/base/cycle_guard.h"
#include "inquest/base/limits.h"

/* An exception still to be written. */
struct pending {
    uint64_t addr;           /* of the instance; of any value for one not yet normalised */
    uint64_t type_addr;      /* 0: the instance's own */
    uint64_t traceback_addr; /* 0: the instance's own */
    const char *relation;    /* NULL, "cause", "context", "group" */
    const char *state;       /* "in flight", "handled", NULL for a chained one */
    int64_t parent_id;
};

struct collector {
    struct code_table *codes;
    struct python_process *process;
    struct index_writer *writer;
    int64_t thread_id;
    struct exception_totals *totals;
    int64_t position;
    ARRAY(struct pending) pending; /* a stack: the next one is last */
    ARRAY(uint64_t) seen;
    struct text text, notes;
};

static bool is_none(struct collector *collector, uint64_t addr)
{
    const struct python_type *type;
    return object_type(collector->process, addr, &type) == STATUS_OK && type->kind == KIND_NONE;
}

static uint64_t pointer_or_zero(struct collector *collector, uint64_t addr, enum python_field field)
{
    uint64_t value;
    if (!addr || !layout_has(&collector->process->layout, field) ||
        object_pointer(collector->process, addr, field, &value) != STATUS_OK || !value ||
        is_none(collector, value))
        return 0;
    return value;
}

static bool was_seen(const struct collector *collector, uint64_t addr)
{
    for (size_t i = 0; i < collector->seen.count; i++)
        if (collector->seen.items[i] == addr)
            return true;
    return false;
}

static enum status push(struct collector *collector, struct pending pending)
{
    if (!pending.addr && !pending.type_addr)
        return STATUS_OK;
    if (collector->totals->exceptions >= LIMIT_ALL_EXCEPTIONS)
        return STATUS_OK; /* said when it was reached */
    if (collector->seen.count + collector->pending.count >= LIMIT_EXCEPTIONS) {
        index_writer_warning(collector->writer, "exception",
                             "a thread has more than 4,096 chained exceptions: the rest is left "
                             "out");
        return STATUS_OK;
    }
    return array_push(&collector->pending, pending) ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---- tracebacks */

struct entry {
    struct code_info *code;
    int64_t offset;
    int32_t line;
};

static enum status read_entry(struct collector *collector, uint64_t addr, struct entry *ret_entry)
{
    const struct python_layout *layout = &collector->process->layout;
    const struct memory_image *image = collector->process->image;
    uint64_t frame_addr;
    uint32_t last, line;
    enum status status =
        memory_read_u32(image, addr + layout_get(layout, PY_traceback_lasti), &last);
    if (status == STATUS_OK)
        status = memory_read_u32(image, addr + layout_get(layout, PY_traceback_lineno), &line);
    if (status == STATUS_OK)
        status = object_pointer(collector->process, addr, PY_traceback_frame, &frame_addr);
    if (status != STATUS_OK)
        return status;
    *ret_entry = (struct entry){.offset = (int32_t)last, .line = (int32_t)line};
    if (frame_object_code(collector->codes, collector->process, frame_addr, &ret_entry->code) ==
        STATUS_NO_MEMORY)
        return STATUS_NO_MEMORY;
    return STATUS_OK;
}

static enum status write_entry(struct collector *collector, const struct entry *entry, int64_t id,
                               int64_t depth)
{
    struct source_position position = {-1, -1, -1, -1};
    if (entry->code)
        position = code_position(collector->codes, entry->code, entry->offset);
    int32_t line = entry->line > 0 ? entry->line : position.line;
    const struct index_value row[] = {
        INDEX_INT(id),
        INDEX_INT(depth),
        INDEX_STR(entry->code ? entry->code->function : "?"),
        INDEX_STR(entry->code ? entry->code->file : "?"),
        INDEX_INT_IF(line > 0, line),
        INDEX_INT_IF(position.column >= 0, position.column),
    };
    return index_writer_row(collector->writer, INDEX_TRACEBACK, row, sizeof row / sizeof *row);
}

typedef ARRAY(struct entry) entry_array;
typedef ARRAY(uint64_t) address_array;

static const char warning_loop[] = "a traceback is damaged: it runs in a circle, shown once";
static const char warning_limit[] =
    "a traceback goes on past the limit of 1,000,000 entries, or 5,000,000 of all together";
static const char warning_cut[] = "a traceback is cut: the memory of an entry is not in the core";

/* The addresses of a traceback's entries, each once. */
static enum status list_traceback(struct collector *collector, uint64_t addr, address_array *addrs)
{
    struct cycle_guard guard = {0};
    for (; addr; addr = pointer_or_zero(collector, addr, PY_traceback_next)) {
        if (!cycle_guard_step(&guard, addr)) {
            addrs->count = cycle_guard_distinct(&guard, addrs->items, addrs->count);
            index_writer_warning(collector->writer, "traceback", warning_loop);
            return STATUS_OK;
        }
        if (addrs->count >= LIMIT_TRACEBACK_ENTRIES ||
            collector->totals->entries >= LIMIT_ALL_ENTRIES) {
            index_writer_warning(collector->writer, "traceback", warning_limit);
            return STATUS_OK;
        }
        if (!array_push(addrs, addr))
            return STATUS_NO_MEMORY;
        collector->totals->entries++;
    }
    return STATUS_OK;
}

static enum status read_traceback(struct collector *collector, const address_array *addrs,
                                  entry_array *entries)
{
    for (size_t i = 0; i < addrs->count; i++) {
        struct entry entry;
        enum status status = read_entry(collector, addrs->items[i], &entry);
        if (status == STATUS_NO_MEMORY)
            return status;
        if (status != STATUS_OK) {
            index_writer_warning(collector->writer, "traceback", warning_cut);
            return STATUS_OK;
        }
        if (!array_push(entries, entry))
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

/* The chain runs from the outermost entry to where the exception was raised. */
static enum status write_traceback(struct collector *collector, uint64_t addr, int64_t id)
{
    address_array addrs = {0};
    entry_array entries = {0};
    enum status status = list_traceback(collector, addr, &addrs);
    if (status == STATUS_OK)
        status = read_traceback(collector, &addrs, &entries);
    for (size_t i = entries.count; i-- > 0 && status == STATUS_OK;)
        status = write_entry(collector, &entries.items[i], id, (int64_t)(entries.count - 1 - i));
    array_deinit(&addrs);
    array_deinit(&entries);
    return status;
}

/* ---- one exception */

#define NOTE_SEPARATOR '\x1e'

static void append_note(struct collector *collector, uint64_t note_addr)
{
    if (collector->notes.size)
        text_append_char(&collector->notes, NOTE_SEPARATOR);
    size_t start = collector->notes.size;
    const struct python_type *type;
    if (object_type(collector->process, note_addr, &type) == STATUS_OK && type->kind == KIND_STR)
        str_display(collector->process, note_addr, &collector->notes);
    else
        object_repr(collector->process, note_addr, &repr_limits_default, &collector->notes);
    for (size_t i = start; i < collector->notes.size; i++)
        if (collector->notes.data[i] == NOTE_SEPARATOR)
            collector->notes.data[i] = ' ';
}

/* __notes__ is a list in the instance's dictionary, from 3.11 on. */
static void read_notes(struct collector *collector, uint64_t addr)
{
    uint64_t list_addr, items_addr, count, note_addr;
    text_clear(&collector->notes);
    uint64_t dict_addr = pointer_or_zero(collector, addr, PY_exception_dict);
    if (!dict_addr ||
        dict_get(collector->process, dict_addr, "__notes__", &list_addr) != STATUS_OK ||
        list_items(collector->process, list_addr, &items_addr, &count) != STATUS_OK)
        return;
    for (uint64_t i = 0; i < count && i < LIMIT_EXCEPTIONS; i++)
        if (memory_read_u64(collector->process->image, items_addr + 8 * i, &note_addr) == STATUS_OK)
            append_note(collector, note_addr);
}

static bool is_exception(struct collector *collector, uint64_t addr,
                         const struct python_type **ret_type)
{
    return addr && object_type(collector->process, addr, ret_type) == STATUS_OK &&
           (*ret_type)->kind == KIND_EXCEPTION;
}

/* Those that a traceback prints: a context that a cause or `from None` hides is
 * left out. Pushed last to first, so that the cause is written next. */
static enum status push_chained(struct collector *collector, uint64_t addr, bool suppresses,
                                int64_t id)
{
    uint64_t items_addr, count = 0, member_addr;
    uint64_t members_addr = 0;
    const struct python_type *type;
    if (object_type(collector->process, addr, &type) == STATUS_OK &&
        type_derives_from(collector->process, type, "BaseExceptionGroup"))
        members_addr = pointer_or_zero(collector, addr, PY_group_exceptions);
    if (members_addr &&
        tuple_items(collector->process, members_addr, &items_addr, &count) != STATUS_OK)
        count = 0;
    enum status status = STATUS_OK;
    for (uint64_t i = count < LIMIT_EXCEPTIONS ? count : LIMIT_EXCEPTIONS;
         i-- > 0 && status == STATUS_OK;)
        if (memory_read_u64(collector->process->image, items_addr + 8 * i, &member_addr) ==
            STATUS_OK)
            status =
                push(collector,
                     (struct pending){.addr = member_addr, .relation = "group", .parent_id = id});
    uint64_t context_addr = pointer_or_zero(collector, addr, PY_exception_context);
    uint64_t cause_addr = pointer_or_zero(collector, addr, PY_exception_cause);
    if (status == STATUS_OK && !suppresses && !cause_addr)
        status =
            push(collector,
                 (struct pending){.addr = context_addr, .relation = "context", .parent_id = id});
    if (status == STATUS_OK)
        status = push(collector,
                      (struct pending){.addr = cause_addr, .relation = "cause", .parent_id = id});
    return status;
}

/* Before 3.12 an exception in flight may still be a class and any value. */
static void describe(struct collector *collector, const struct pending *pending,
                     const char **ret_type_name)
{
    const struct python_type *type;
    *ret_type_name = "?";
    text_clear(&collector->text);
    if (is_exception(collector, pending->addr, &type)) {
        *ret_type_name = type->name;
        exception_message(collector->process, pending->addr, &collector->text);
        read_notes(collector, pending->addr);
        return;
    }
    text_clear(&collector->notes);
    if (pending->type_addr && type_at(collector->process, pending->type_addr, &type) == STATUS_OK)
        *ret_type_name = type->name;
    if (!pending->addr || object_type(collector->process, pending->addr, &type) != STATUS_OK)
        return;
    if (type->kind == KIND_STR)
        str_display(collector->process, pending->addr, &collector->text);
    else if (type->kind != KIND_NONE)
        object_repr(collector->process, pending->addr, &repr_limits_default, &collector->text);
}

static enum status write_exception(struct collector *collector, const struct pending *pending)
{
    const struct python_type *type;
    const char *type_name;
    uint8_t suppress = 0;
    bool normalised = is_exception(collector, pending->addr, &type);
    describe(collector, pending, &type_name);
    uint64_t traceback_addr = pending->traceback_addr;
    if (normalised) {
        if (!traceback_addr)
            traceback_addr = pointer_or_zero(collector, pending->addr, PY_exception_traceback);
        if (memory_read_u8(collector->process->image,
                           pending->addr +
                               layout_get(&collector->process->layout, PY_exception_suppress),
                           &suppress) != STATUS_OK)
            suppress = 0;
    }
    int64_t id = ++collector->totals->exceptions;
    const struct index_value row[] = {
        INDEX_INT(id),
        INDEX_INT(collector->thread_id),
        INDEX_INT(collector->position++),
        INDEX_STR(pending->relation),
        INDEX_STR(type_name),
        INDEX_STR(text_string(&collector->text)),
        INDEX_NONE,
        INDEX_INT_IF(pending->parent_id, pending->parent_id),
        INDEX_STR(pending->state),
        INDEX_STR(collector->notes.size ? text_string(&collector->notes) : NULL),
        INDEX_INT_IF(pending->addr, pending->addr),
        INDEX_INT(suppress != 0),
    };
    enum status status =
        index_writer_row(collector->writer, INDEX_EXCEPTION, row, sizeof row / sizeof *row);
    if (status == STATUS_OK)
        status = write_traceback(collector, traceback_addr, id);
    if (status == STATUS_OK && normalised)
        status = push_chained(collector, pending->addr, suppress != 0, id);
    return status;
}

static enum status write_pending(struct collector *collector)
{
    enum status status = STATUS_OK;
    while (collector->pending.count && status == STATUS_OK) {
        if (collector->totals->exceptions >= LIMIT_ALL_EXCEPTIONS)
            return index_writer_warning(collector->writer, "exception",
                                        "there are more than 1,000,000 exceptions: the rest is "
                                        "left out");
        struct pending pending = collector->pending.items[--collector->pending.count];
        if (pending.addr && was_seen(collector, pending.addr))
            continue;
        if (!array_push(&collector->seen, pending.addr))
            return STATUS_NO_MEMORY;
        status = write_exception(collector, &pending);
    }
    return status;
}

/* ---- where a thread keeps them */

static struct pending in_flight(struct collector *collector, uint64_t state_addr)
{
    struct pending pending = {.state = "in flight"};
    if (layout_has(&collector->process->layout, PY_thread_current_exception)) {
        pending.addr = pointer_or_zero(collector, state_addr, PY_thread_current_exception);
        return pending;
    }
    pending.addr = pointer_or_zero(collector, state_addr, PY_thread_curexc_value);
    pending.type_addr = pointer_or_zero(collector, state_addr, PY_thread_curexc_type);
    pending.traceback_addr = pointer_or_zero(collector, state_addr, PY_thread_curexc_traceback);
    return pending;
}

/* The innermost except block's, through the stacks of running generators. */
static struct pending handled(struct collector *collector, uint64_t state_addr)
{
    struct pending pending = {.state = "handled"};
    struct cycle_guard guard = {0};
    uint64_t item_addr = pointer_or_zero(collector, state_addr, PY_thread_exc_info);
    while (item_addr && !pending.addr && cycle_guard_step(&guard, item_addr)) {
        pending.addr = pointer_or_zero(collector, item_addr, PY_excinfo_value);
        pending.traceback_addr = pointer_or_zero(collector, item_addr, PY_excinfo_traceback);
        item_addr = pointer_or_zero(collector, item_addr, PY_excinfo_previous);
    }
    return pending;
}

enum status exceptions_collect(struct code_table *codes, struct python_process *process,
                               uint64_t state_addr, int64_t thread_id,
                               struct exception_totals *totals, struct index_writer *writer)
{
    struct collector collector = {.codes = codes,
                                  .process = process,
                                  .writer = writer,
                                  .thread_id = thread_id,
                                  .totals = totals};
    enum status status = push(&collector, in_flight(&collector, state_addr));
    if (status == STATUS_OK)
        status = write_pending(&collector);
    if (status == STATUS_OK)
        status = push(&collector, handled(&collector, state_addr));
    if (status == STATUS_OK)
        status = write_pending(&collector);
    array_deinit(&collector.pending);
    array_deinit(&collector.seen);
    text_deinit(&collector.text);
    text_deinit(&collector.notes);
    return status;
}
