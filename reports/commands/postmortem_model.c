/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/postmortem_model.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reports/commands/stacks_words.h"
#include "reports/render/table.h"

#define MAX_FACT_BYTES  2000 /* of a command line or an abort message */
#define SAFE_IN_A_SHELL "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=@%+,-"

const char *postmortem_meta(const struct postmortem *postmortem, const char *key)
{
    for (size_t i = 0; i < postmortem->meta.count; i++)
        if (strcmp(postmortem->meta.items[i].title, key) == 0)
            return postmortem->meta.items[i].value;
    return NULL;
}

const char *shell_word(struct arena *arena, const char *word)
{
    struct text text;
    if (*word && *word != '-' && !word[strspn(word, SAFE_IN_A_SHELL)])
        return word;
    text_init(&text);
    text_append(&text, *word == '-' && word[1] ? "./'" : "'");
    for (; *word; word++) {
        if (*word == '\'')
            text_append(&text, "'\\''");
        else
            text_append_char(&text, *word);
    }
    text_append(&text, "'");
    const char *result = text_ok(&text) ? arena_strdup(arena, text_string(&text)) : NULL;
    text_deinit(&text);
    return result;
}

/* ---- Rows of the index. */
struct builder {
    struct postmortem *model;
    struct index *index;
    struct error *err;
    bool no_memory;
};

typedef void (*row_reader)(struct builder *builder, const struct index_rows *row);

static enum status read_all(struct builder *builder, const char *sql, row_reader reader)
{
    struct index_rows *rows;
    enum status status = index_query(builder->index, sql, NULL, 0, &rows, builder->err);
    if (status)
        return status;
    while (!builder->no_memory && index_rows_next(rows))
        reader(builder, rows);
    return index_rows_finish(rows, builder->err);
}

static const char *copy(struct builder *builder, const struct index_rows *row, int column)
{
    const char *string = index_rows_text(row, column);
    const char *result = string ? arena_strdup(&builder->model->arena, string) : NULL;
    builder->no_memory |= string && !result;
    return result;
}

static void read_meta(struct builder *builder, const struct index_rows *row)
{
    struct fact fact = {copy(builder, row, 0), copy(builder, row, 1)};
    if (fact.title)
        builder->no_memory |= !array_push(&builder->model->meta, fact);
}

static void read_warning(struct builder *builder, const struct index_rows *row)
{
    struct model_warning warning = {copy(builder, row, 0), copy(builder, row, 1)};
    builder->no_memory |= !array_push(&builder->model->warnings, warning);
}

/* Guard pages and arenas not yet used are address space, and would dwarf what the
 * process really stored. */
static void read_memory(struct builder *builder, const struct index_rows *row)
{
    struct postmortem *model = builder->model;
    struct memory_region region = {.region = copy(builder, row, 0),
                                   .bytes = index_rows_integer(row, 1),
                                   .detail = copy(builder, row, 2)};
    region.is_reserved = region.region && strncmp(region.region, "reserved", 8) == 0;
    int64_t *total = region.is_reserved ? &model->memory_reserved : &model->memory_total;
    if (region.bytes <= 0 || __builtin_add_overflow(*total, region.bytes, total))
        return;
    builder->no_memory |= !array_push(&model->memory, region);
}

static void read_file(struct builder *builder, const struct index_rows *row)
{
    struct mapped_file file = {.path = copy(builder, row, 0),
                               .start = (uint64_t)index_rows_integer(row, 1),
                               .end = (uint64_t)index_rows_integer(row, 2),
                               .build_id = copy(builder, row, 3),
                               .source = copy(builder, row, 4)};
    builder->no_memory |= !array_push(&builder->model->files, file);
}

static enum status read_tables(struct builder *builder)
{
    static const struct {
        const char *sql;
        row_reader reader;
    } tables[] = {
        {"SELECT key, value FROM meta ORDER BY key", read_meta},
        {"SELECT area, message FROM warning ORDER BY rowid", read_warning},
        {"SELECT region, bytes, detail FROM memory"
         " ORDER BY region LIKE 'reserved%', bytes DESC, rowid",
         read_memory},
        {"SELECT path, start, \"end\", build_id, source FROM mapped_file ORDER BY start, path",
         read_file},
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        enum status status = read_all(builder, tables[i].sql, tables[i].reader);
        if (status)
            return status;
    }
    for (size_t i = 0; i < builder->model->memory.count; i++) {
        struct memory_region *region = &builder->model->memory.items[i];
        if (!region->is_reserved)
            region->share = (double)region->bytes / (double)builder->model->memory_total;
    }
    return STATUS_OK;
}

/* ---- Facts. */
static void add_fact(struct builder *builder, const char *title, const struct text *value)
{
    struct postmortem *model = builder->model;
    if (!value->size)
        return;
    struct text bounded = {.limit = MAX_FACT_BYTES};
    text_append_n(&bounded, text_string(value), value->size);
    struct fact fact = {
        title, arena_printf(&model->arena, "%s%s", text_string(&bounded), bounded.cut ? "…" : "")};
    builder->no_memory |=
        !text_ok(value) || !text_ok(&bounded) || !fact.value || !array_push(&model->facts, fact);
    text_deinit(&bounded);
}

static void append_meta(struct text *text, const struct postmortem *model, const char *before,
                        const char *key, const char *after)
{
    const char *value = postmortem_meta(model, key);
    if (value && *value)
        text_printf(text, "%s%s%s%s", text->size ? ", " : "", before, value, after);
}

/* A number of seconds since 1970 as a date; anything else as it is. */
static void append_time(struct text *text, const char *value)
{
    char *end;
    struct tm tm;
    char date[40];
    long long seconds = value ? strtoll(value, &end, 10) : 0;
    if (!value || !*value)
        return;
    time_t when = (time_t)seconds;
    if ((!*end || *end == '.') && seconds > 100000000 && gmtime_r(&when, &tm) &&
        strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S UTC", &tm))
        text_append(text, date);
    else
        text_append(text, value);
}

static void append_core(struct text *text, const struct postmortem *model)
{
    const char *bytes = postmortem_meta(model, "source_bytes");
    const char *time = postmortem_meta(model, "source_mtime");
    append_meta(text, model, "", "source", "");
    if (bytes && *bytes) {
        text_append(text, text->size ? ", " : "");
        format_bytes(text, strtoll(bytes, NULL, 10));
    }
    if (time && *time) {
        text_append(text, text->size ? ", " : "");
        append_time(text, time);
    }
}

static void append_thread_counts(struct text *text, const struct postmortem *model)
{
    size_t python = 0;
    for (size_t i = 0; i < model->stacks.threads.count; i++)
        python += model->stacks.threads.items[i].is_python;
    size_t c_only = model->stacks.threads.count - python;
    format_count(text, (int64_t)python);
    text_append(text, c_only ? " of Python, " : " of Python");
    if (c_only) {
        format_count(text, (int64_t)c_only);
        text_append(text, " of C only");
    }
}

static void collect_facts(struct builder *builder)
{
    static const struct {
        const char *title;
        struct {
            const char *before, *key, *after;
        } parts[4];
    } facts[] = {
        {"Command", {{"", "command", ""}}},
        {"Signal", {{"", "signal_text", ""}}},
        {"Abort message", {{"", "abort_message", ""}, {"from ", "abort_source", ""}}},
        {"Python", {{"", "python_version", ""}}},
        {"Build", {{"", "python_build", ""}}},
        {"Found by", {{"", "python_how", ""}}},
        {"Executable", {{"", "executable", ""}}},
        {"Process",
         {{"pid ", "pid", ""}, {"parent ", "ppid", ""}, {"uid ", "uid", ""}, {"", "arch", ""}}},
    };
    struct text text;
    text_init(&text);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        text_clear(&text);
        for (size_t j = 0; j < 4 && facts[i].parts[j].key; j++)
            append_meta(&text, builder->model, facts[i].parts[j].before, facts[i].parts[j].key,
                        facts[i].parts[j].after);
        add_fact(builder, facts[i].title, &text);
    }
    text_clear(&text);
    append_thread_counts(&text, builder->model);
    add_fact(builder, "Threads", &text);
    text_clear(&text);
    append_core(&text, builder->model);
    append_meta(&text, builder->model, "made by ", "made_by", "");
    add_fact(builder, "Core", &text);
    text_deinit(&text);
}

/* ---- What to do next. */
static void add_step(struct builder *builder, const char *reason, const char *format, ...)
    PRINTF_LIKE(3, 4);

static void add_step(struct builder *builder, const char *reason, const char *format, ...)
{
    struct postmortem *model = builder->model;
    struct next_step step = {.reason = reason};
    struct text text;
    va_list arguments;
    text_init(&text);
    va_start(arguments, format);
    text_vprintf(&text, format, arguments);
    va_end(arguments);
    step.command = text_ok(&text) ? arena_strdup(&model->arena, text_string(&text)) : NULL;
    builder->no_memory |= !step.command || !array_push(&model->next, step);
    text_deinit(&text);
}

/* The innermost frame of the crashed thread, 0: none. */
static int64_t crashed_frame(const struct postmortem *model)
{
    if (!model->crashed)
        return 0;
    const struct stack_thread *thread = group_first(&model->stacks, model->crashed);
    return thread->frame_count ? model->stacks.frames.items[thread->first_frame].id : 0;
}

static bool lacks_files(const struct postmortem *model)
{
    for (size_t i = 0; i < model->files.count; i++) {
        const char *source = model->files.items[i].source;
        if (source && (strcmp(source, "absent") == 0 || strcmp(source, "other build") == 0))
            return true;
    }
    return false;
}

static void collect_next(struct builder *builder)
{
    struct postmortem *model = builder->model;
    bool is_pipe = strcmp(model->input, "-") == 0; /* it can't be read twice */
    const char *input = is_pipe ? "CORE" : shell_word(&model->arena, model->input);
    int64_t frame = crashed_frame(model);
    if (!input) {
        builder->no_memory = true;
        return;
    }
    if (model->crashed)
        add_step(builder, "its whole stack, values in full",
                 "inquest threads %s --thread %" PRId64 " --verbose", input,
                 group_first(&model->stacks, model->crashed)->id);
    add_step(builder, "every thread", "inquest threads %s --limit 0", input);
    if (frame)
        add_step(builder, "any fact by SQL: the locals where it died",
                 "inquest query %s 'SELECT name, type, value FROM local WHERE frame_id = %" PRId64
                 "'",
                 input, frame);
    add_step(builder, "this as one page to pass on", "inquest postmortem %s -o report.html", input);
    if (lacks_files(model))
        add_step(builder, "again, with the files of the machine it ran on",
                 "inquest postmortem %s --sysroot DIR", input);
}

/* ---- All together. */
static void find_main_parts(struct postmortem *model)
{
    const struct stacks *stacks = &model->stacks;
    model->exception = SIZE_MAX;
    for (size_t i = 0; i < stacks->groups.count && !model->crashed; i++)
        if (group_first(stacks, &stacks->groups.items[i])->is_crashed)
            model->crashed = &stacks->groups.items[i];
    for (size_t i = 0; i < stacks->threads.count && model->exception == SIZE_MAX; i++)
        if (stacks->threads.items[i].exception_count)
            model->exception = stacks->threads.items[i].first_exception;
}

/* A redacted command hides even the script, but names of files stay: the file
 * that the main thread began in tells. */
static void name_program(struct postmortem *model)
{
    const char *redacted = postmortem_meta(model, "redacted");
    model->program = verdict_program(&model->arena, postmortem_meta(model, "command"),
                                     postmortem_meta(model, "executable"));
    if (!redacted || strcmp(redacted, "1") != 0)
        return;
    for (size_t i = 0; i < model->stacks.threads.count; i++) {
        const struct stack_thread *thread = &model->stacks.threads.items[i];
        if (!thread->is_main || !thread->frame_count)
            continue;
        size_t outermost = thread->first_frame + thread->frame_count - 1;
        if (model->stacks.frames.items[outermost].file)
            model->program = model->stacks.frames.items[outermost].file;
    }
}

static enum status build(struct builder *builder, const struct postmortem_options *options)
{
    struct postmortem *model = builder->model;
    enum status status =
        stacks_load(builder->index, &options->stacks, &model->stacks, builder->err);
    if (!status)
        status = deadlocks_load(builder->index, &model->stacks, &model->arena, &model->deadlocks,
                                builder->err);
    if (!status)
        status = read_tables(builder);
    if (status)
        return status;
    model->input = arena_strdup(&model->arena, options->input);
    if (builder->no_memory || !model->input)
        return error_set(builder->err, STATUS_NO_MEMORY, "no memory for the report");
    find_main_parts(model);
    name_program(model);
    if (!verdict_decide(model))
        return error_set(builder->err, STATUS_NO_MEMORY, "no memory for the report");
    collect_facts(builder);
    collect_next(builder);
    if (builder->no_memory)
        return error_set(builder->err, STATUS_NO_MEMORY, "no memory for the report");
    return STATUS_OK;
}

enum status postmortem_build(struct index *index, const struct postmortem_options *options,
                             struct postmortem *ret_postmortem, struct error *err)
{
    struct postmortem model = {0};
    struct builder builder = {.model = &model, .index = index, .err = err};
    arena_init(&model.arena);
    enum status status = build(&builder, options);
    if (status) {
        postmortem_deinit(&model);
        return status;
    }
    *ret_postmortem = model;
    return STATUS_OK;
}

void postmortem_deinit(struct postmortem *postmortem)
{
    if (!postmortem)
        return;
    stacks_deinit(&postmortem->stacks);
    deadlocks_deinit(&postmortem->deadlocks);
    array_deinit(&postmortem->facts);
    array_deinit(&postmortem->meta);
    array_deinit(&postmortem->memory);
    array_deinit(&postmortem->files);
    array_deinit(&postmortem->warnings);
    array_deinit(&postmortem->next);
    arena_deinit(&postmortem->arena);
}
