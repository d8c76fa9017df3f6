/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/threads_rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reports/commands/stacks_model.h"
#include "reports/commands/stacks_rows.h"
#include "reports/render/escape.h"

struct rows_writer {
    struct stacks stacks; /* threads and exceptions */
    size_t *by_id;        /* the wanted threads, in order of their ids */
    size_t count;
    struct stacks_rows rows;
    struct json_writer *json;
    struct text *text;
    struct output *output;
    bool stopped; /* the output failed: nobody reads on; output_commit tells why */
};

/* ---- Which threads. */
static int compare_places(const void *a, const void *b, void *context)
{
    const struct stack_thread *threads = context;
    int64_t left = threads[*(const size_t *)a].id, right = threads[*(const size_t *)b].id;
    return left < right ? -1 : left > right;
}

static enum status choose_threads(struct index *index, const struct rows_options *options,
                                  struct rows_writer *writer, struct error *err)
{
    struct stacks_options stacks_options = {.threads_only = true, .thread = options->thread};
    enum status status = stacks_load(index, &stacks_options, &writer->stacks, err);
    if (status)
        return status;
    writer->count = writer->stacks.threads.count;
    if (options->limit && options->limit < writer->count)
        writer->count = (size_t)options->limit;
    writer->by_id = calloc(writer->count ? writer->count : 1, sizeof *writer->by_id);
    if (!writer->by_id) {
        stacks_deinit(&writer->stacks);
        return error_set(err, STATUS_NO_MEMORY, "no memory for the threads");
    }
    for (size_t i = 0; i < writer->count; i++)
        writer->by_id[i] = i;
    qsort_r(writer->by_id, writer->count, sizeof *writer->by_id, compare_places,
            writer->stacks.threads.items);
    return STATUS_OK;
}

/* Moves to the next wanted thread that the index has; *next counts through by_id. */
static const struct stack_thread *next_thread(struct rows_writer *writer, size_t *next)
{
    while (*next < writer->count && stacks_rows_next_thread(&writer->rows)) {
        const struct stack_thread *thread = &writer->stacks.threads.items[writer->by_id[*next]];
        if (thread->id == writer->rows.thread_id) {
            ++*next;
            return thread;
        }
    }
    return NULL;
}

static void drain(struct rows_writer *writer)
{
    if (writer->output && output_drain(writer->output) != STATUS_OK)
        writer->stopped = true;
}

/* ---- JSON. */
static void member_text(struct json_writer *json, const char *key, const struct index_rows *row,
                        int column)
{
    json_member_string(json, key, index_rows_text(row, column));
}

static void member_integer(struct json_writer *json, const char *key, const struct index_rows *row,
                           int column)
{
    json_key(json, key);
    if (index_rows_is_null(row, column))
        json_null(json);
    else
        json_integer(json, index_rows_integer(row, column));
}

static void member_bool(struct json_writer *json, const char *key, const struct index_rows *row,
                        int column)
{
    json_key(json, key);
    if (index_rows_is_null(row, column))
        json_null(json);
    else
        json_bool(json, index_rows_integer(row, column) != 0);
}

static void member_address(struct json_writer *json, const char *key, const struct index_rows *row,
                           int column)
{
    json_key(json, key);
    if (index_rows_is_null(row, column))
        json_null(json);
    else
        json_address(json, (uint64_t)index_rows_integer(row, column));
}

static void write_local(struct json_writer *json, const struct index_rows *row)
{
    json_begin_object(json);
    member_text(json, "name", row, LOCAL_NAME);
    member_text(json, "kind", row, LOCAL_KIND);
    member_text(json, "type", row, LOCAL_TYPE);
    member_text(json, "value", row, LOCAL_VALUE);
    member_address(json, "address", row, LOCAL_ADDRESS);
    json_end_object(json);
}

static void write_frame(struct rows_writer *writer)
{
    struct json_writer *json = writer->json;
    const struct index_rows *row = writer->rows.frames;
    json_begin_object(json);
    member_integer(json, "depth", row, FRAME_DEPTH);
    member_text(json, "kind", row, FRAME_KIND);
    member_text(json, "function", row, FRAME_FUNCTION);
    member_text(json, "file", row, FRAME_FILE);
    member_integer(json, "line", row, FRAME_LINE);
    member_integer(json, "column", row, FRAME_COLUMN);
    member_integer(json, "end_line", row, FRAME_END_LINE);
    member_integer(json, "end_column", row, FRAME_END_COLUMN);
    member_address(json, "address", row, FRAME_ADDRESS);
    member_text(json, "owner", row, FRAME_OWNER);
    json_key(json, "locals");
    json_begin_array(json);
    while (stacks_rows_next_local(&writer->rows))
        write_local(json, writer->rows.locals);
    json_end_array(json);
    json_end_object(json);
}

static void write_notes(struct json_writer *json, const char *notes)
{
    struct text line;
    text_init(&line);
    json_begin_array(json);
    while (next_note(&notes, &line))
        json_string(json, text_string(&line));
    json_end_array(json);
    json->failed |= line.failed;
    text_deinit(&line);
}

static void write_traceback(struct rows_writer *writer, const struct stack_exception *exception)
{
    struct json_writer *json = writer->json;
    json_begin_array(json);
    for (size_t i = 0; i < exception->entry_count; i++) {
        const struct traceback_entry *entry =
            &writer->stacks.entries.items[exception->first_entry + i];
        json_begin_object(json);
        json_member_integer(json, "depth", (int64_t)i);
        json_member_string(json, "function", entry->function);
        json_member_string(json, "file", entry->file);
        json_member_integer_if(json, "line", entry->line, entry->line);
        json_member_integer_if(json, "column", entry->column >= 0, entry->column);
        json_end_object(json);
    }
    json_end_array(json);
}

/* "parent" is the position of the exception that this one belongs to. */
static void write_exception(struct rows_writer *writer, const struct stack_thread *thread,
                            size_t position)
{
    struct json_writer *json = writer->json;
    const struct stack_exception *exception =
        &writer->stacks.exceptions.items[thread->first_exception + position];
    json_begin_object(json);
    json_member_integer(json, "position", (int64_t)position);
    json_key(json, "parent");
    if (exception->parent == SIZE_MAX)
        json_null(json);
    else
        json_integer(json, (int64_t)(exception->parent - thread->first_exception));
    json_member_string(json, "relation", exception->relation);
    json_member_string(json, "state", exception->state);
    json_member_string(json, "type", exception->type);
    json_member_string(json, "message", exception->message);
    json_key(json, "notes");
    write_notes(json, exception->notes);
    json_member_bool(json, "is_suppressed", exception->is_suppressed);
    json_key(json, "address");
    if (exception->address)
        json_address(json, exception->address);
    else
        json_null(json);
    json_key(json, "traceback");
    write_traceback(writer, exception);
    json_end_object(json);
}

static void write_context(struct rows_writer *writer, const struct stack_thread *thread)
{
    struct json_writer *json = writer->json;
    json_begin_array(json);
    for (size_t i = 0; i < thread->variable_count; i++) {
        const struct stack_local *variable =
            &writer->stacks.variables.items[thread->first_variable + i];
        json_begin_object(json);
        json_member_string(json, "name", variable->name);
        json_member_string(json, "type", variable->type);
        json_member_string(json, "value", variable->value);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_thread(struct rows_writer *writer, const struct stack_thread *thread)
{
    struct json_writer *json = writer->json;
    const struct index_rows *row = writer->rows.threads;
    json_begin_object(json);
    member_integer(json, "id", row, THREAD_ID);
    member_integer(json, "os_tid", row, THREAD_OS_TID);
    member_address(json, "ident", row, THREAD_IDENT);
    member_text(json, "name", row, THREAD_NAME);
    member_bool(json, "is_main", row, THREAD_IS_MAIN);
    member_bool(json, "is_crashed", row, THREAD_IS_CRASHED);
    member_bool(json, "holds_gil", row, THREAD_HOLDS_GIL);
    member_bool(json, "is_python", row, THREAD_IS_PYTHON);
    member_bool(json, "collecting", row, THREAD_COLLECTING);
    member_text(json, "state", row, THREAD_STATE);
    member_text(json, "waits_for", row, THREAD_WAITS_FOR);
    member_integer(json, "waits_for_thread_id", row, THREAD_WAITS_FOR_THREAD_ID);
    member_bool(json, "is_deadlocked", row, THREAD_IS_DEADLOCKED);
    member_text(json, "stack_note", row, THREAD_STACK_NOTE);
    json_key(json, "context");
    write_context(writer, thread);
    json_key(json, "frames");
    json_begin_array(json);
    while (!writer->stopped && stacks_rows_next_frame(&writer->rows)) {
        write_frame(writer);
        drain(writer);
    }
    json_end_array(json);
    json_key(json, "exceptions");
    json_begin_array(json);
    for (size_t i = 0; i < thread->exception_count; i++)
        write_exception(writer, thread, i);
    json_end_array(json);
    json_end_object(json);
}

static enum status open_rows(struct index *index, const struct rows_options *options,
                             bool with_locals, struct rows_writer *writer, struct error *err)
{
    enum status status = choose_threads(index, options, writer, err);
    if (status)
        return status;
    status = stacks_rows_open(index, with_locals, &writer->rows, err);
    if (status) {
        free(writer->by_id);
        stacks_deinit(&writer->stacks);
    }
    return status;
}

static enum status close_rows(struct rows_writer *writer, struct error *err)
{
    enum status status = stacks_rows_close(&writer->rows, err);
    free(writer->by_id);
    stacks_deinit(&writer->stacks);
    return status;
}

enum status threads_write_json(struct index *index, const struct rows_options *options,
                               struct json_writer *json, struct output *output, struct error *err)
{
    struct rows_writer writer = {.json = json, .output = output};
    const struct stack_thread *thread;
    size_t next = 0;
    enum status status = open_rows(index, options, !options->no_locals, &writer, err);
    if (status)
        return status;
    json_key(json, "rows");
    json_begin_array(json);
    while (!writer.stopped && (thread = next_thread(&writer, &next)))
        write_thread(&writer, thread);
    json_end_array(json);
    return close_rows(&writer, err);
}

/* ---- CSV. */
static const struct {
    const char *name;
    int column;
    bool is_frame, is_address;
} csv_columns[] = {
    {"thread_id", THREAD_ID, false, false},
    {"os_tid", THREAD_OS_TID, false, false},
    {"thread", THREAD_NAME, false, false},
    {"is_main", THREAD_IS_MAIN, false, false},
    {"is_crashed", THREAD_IS_CRASHED, false, false},
    {"holds_gil", THREAD_HOLDS_GIL, false, false},
    {"is_python", THREAD_IS_PYTHON, false, false},
    {"state", THREAD_STATE, false, false},
    {"waits_for", THREAD_WAITS_FOR, false, false},
    {"depth", FRAME_DEPTH, true, false},
    {"kind", FRAME_KIND, true, false},
    {"function", FRAME_FUNCTION, true, false},
    {"file", FRAME_FILE, true, false},
    {"line", FRAME_LINE, true, false},
    {"column", FRAME_COLUMN, true, false},
    {"owner", FRAME_OWNER, true, false},
    {"address", FRAME_ADDRESS, true, true},
};

static void write_csv_row(struct rows_writer *writer, bool has_frame)
{
    for (size_t i = 0; i < sizeof csv_columns / sizeof *csv_columns; i++) {
        const struct index_rows *row =
            csv_columns[i].is_frame ? writer->rows.frames : writer->rows.threads;
        if (i)
            text_append_char(writer->text, ',');
        if ((csv_columns[i].is_frame && !has_frame) ||
            index_rows_is_null(row, csv_columns[i].column))
            continue;
        if (csv_columns[i].is_address)
            text_printf(writer->text, "0x%" PRIx64,
                        (uint64_t)index_rows_integer(row, csv_columns[i].column));
        else
            escape_csv(writer->text, index_rows_text(row, csv_columns[i].column));
    }
    text_append(writer->text, "\r\n");
    drain(writer);
}

enum status threads_write_csv(struct index *index, const struct rows_options *options,
                              struct text *text, struct output *output, struct error *err)
{
    struct rows_writer writer = {.text = text, .output = output};
    size_t next = 0;
    enum status status = open_rows(index, options, false, &writer, err);
    if (status)
        return status;
    for (size_t i = 0; i < sizeof csv_columns / sizeof *csv_columns; i++)
        text_printf(text, "%s%s", i ? "," : "", csv_columns[i].name);
    text_append(text, "\r\n");
    while (!writer.stopped && next_thread(&writer, &next)) {
        bool has_frame = false;
        while (!writer.stopped && stacks_rows_next_frame(&writer.rows)) {
            has_frame = true;
            write_csv_row(&writer, true);
        }
        if (!has_frame)
            write_csv_row(&writer, false);
    }
    return close_rows(&writer, err);
}
