/* SPDX-License-Identifier: Apache-2.0 */
/* What the core alone tells: the process, its death and its files. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "analyzer/runtime/core_abort.h"
#include "analyzer/runtime/runtime.h"

struct facts {
    const struct core_dump *core;
    const struct memory_image *image;
    struct redaction *redaction;
    struct index_writer *writer;
    struct arena arena;
};

static void meta_number(struct facts *facts, const char *key, uint64_t value)
{
    char number[24];
    snprintf(number, sizeof number, "%" PRIu64, value);
    index_writer_meta(facts->writer, key, number);
}

static void meta_text(struct facts *facts, const char *key, const char *value)
{
    if (value && *value)
        index_writer_meta(facts->writer, key, value);
}

/* ---- The input. */

static void collect_time(struct facts *facts)
{
    int64_t modified = facts->core->input->modified_ns;
    time_t seconds = (time_t)(modified / 1000000000 - (modified % 1000000000 < 0));
    struct tm parts;
    char text[64];
    if (modified && gmtime_r(&seconds, &parts) &&
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts))
        meta_text(facts, "source_mtime", text);
}

static void collect_input(struct facts *facts)
{
    const struct input_file *input = facts->core->input;
    bool is_x86 = facts->core->arch == CORE_X86_64;
    char format[64];
    snprintf(format, sizeof format, "ELF core, %s%s%s", is_x86 ? "x86-64" : "aarch64",
             input->wrapper == INPUT_PLAIN ? "" : ", in ",
             input->wrapper == INPUT_PLAIN ? "" : input_wrapper_name(input->wrapper));
    meta_text(facts, "kind", "core");
    meta_text(facts, "format", format);
    meta_text(facts, "arch", is_x86 ? "x86_64" : "aarch64");
    meta_text(facts, "source", input->name);
    if (input->wrapper != INPUT_PLAIN)
        meta_text(facts, "wrapper", input_wrapper_name(input->wrapper));
    meta_number(facts, "source_bytes", input->stored_size ? input->stored_size : input->size);
    meta_text(facts, "made_by", facts->core->made_by_gcore ? "gcore" : "kernel");
    collect_time(facts);
}

/* ---- The process. */

static void append_argument(struct facts *facts, const char *argument, struct text *text)
{
    size_t size = strlen(argument);
    if (facts->redaction)
        redaction_token(facts->redaction, "str", size, argument, size, text);
    else
        text_append_n(text, argument, size);
}

/* The program's own name stays when values are hidden; its arguments do not. */
static void collect_command(struct facts *facts)
{
    const struct core_dump *core = facts->core;
    struct text text;
    text_init(&text);
    for (size_t i = 0; i < core->argv_count; i++) {
        if (i)
            text_append_char(&text, ' ');
        if (i)
            append_argument(facts, core->argv[i], &text);
        else
            text_append(&text, core->argv[0]);
    }
    if (!core->argv_count) {
        size_t first = strcspn(core->arguments, " ");
        text_append_n(&text, core->arguments, first);
        if (core->arguments[first]) {
            text_append_char(&text, ' ');
            append_argument(facts, core->arguments + first + 1, &text);
        }
    }
    if (text_ok(&text))
        meta_text(facts, "command", text_string(&text));
    text_deinit(&text);
}

static void collect_process(struct facts *facts)
{
    const struct core_dump *core = facts->core;
    if (core->pid) {
        meta_number(facts, "pid", core->pid);
        meta_number(facts, "ppid", core->parent_pid);
        meta_number(facts, "uid", core->uid);
    }
    collect_command(facts);
    meta_text(facts, "executable", core->executable);
    meta_number(facts, "thread_count", core->threads.count);
}

/* ---- The death. */

static bool has_fault_address(const struct core_signal *signal)
{
    bool is_fault = signal->number == SIGSEGV || signal->number == SIGBUS ||
                    signal->number == SIGILL || signal->number == SIGFPE;
    return is_fault && signal->has_info && signal->code > 0 && signal->code != SI_KERNEL;
}

static void collect_signal(struct facts *facts)
{
    const struct core_signal *signal = &facts->core->signal;
    char text[32];
    if (!signal->number && !facts->core->threads.count)
        return; /* nothing is known of it */
    snprintf(text, sizeof text, "%d", signal->number);
    meta_text(facts, "signal_number", text);
    if (!signal->number)
        return;
    meta_text(facts, "signal", core_signal_name(&facts->arena, signal->number));
    meta_text(facts, "signal_text", core_signal_sentence(facts->core, facts->image, &facts->arena));
    if (signal->has_info) {
        snprintf(text, sizeof text, "%d", signal->code);
        meta_text(facts, "signal_code", text);
    }
    if (has_fault_address(signal)) {
        snprintf(text, sizeof text, "0x%" PRIx64, signal->address);
        meta_text(facts, "fault_address", text);
    }
}

static void collect_abort(struct facts *facts)
{
    if (facts->core->signal.number != SIGABRT)
        return;
    const char *source = "Py_FatalError";
    struct text text;
    text_init(&text);
    if ((abort_message_of_python(facts->image, facts->redaction, &text) ||
         abort_message_of_libc(facts->image, facts->redaction, &text, &source)) &&
        text_ok(&text)) {
        meta_text(facts, "abort_message", text_string(&text));
        meta_text(facts, "abort_source", source);
    }
    text_deinit(&text);
}

/* ---- Files. */

struct file_counts {
    unsigned programs, absent, unproven;
    struct text absent_names, unproven_names;
};

static void append_name(struct text *names, unsigned count, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (count > 6)
        return;
    text_append(names, count == 1 ? "" : ", ");
    if (count == 6)
        text_append(names, "...");
    else
        text_append_bytes(names, slash ? slash + 1 : path, strlen(slash ? slash + 1 : path));
}

static const char *source_word(enum file_source source)
{
    switch (source) {
    case FILE_PROVEN: return "proven";
    case FILE_OTHER: return "other build";
    case FILE_UNPROVEN: return "unproven";
    case FILE_MATCHED: return "unproven";
    case FILE_ABSENT: break;
    }
    return "absent";
}

/* One row. Of a file that is no program the source is unknown: nobody looked. */
static void collect_file(struct facts *facts, size_t index, struct file_counts *counts)
{
    const struct core_file *file = &facts->core->files.items[index];
    enum file_source source = memory_image_file_source(facts->image, index);
    char build_id[2 * sizeof file->build_id + 1] = "";
    for (size_t i = 0; i < file->build_id_size; i++)
        snprintf(build_id + 2 * i, 3, "%02x", file->build_id[i]);
    const struct index_value values[] = {INDEX_STR(file->path), INDEX_INT(file->start),
                                         INDEX_INT(file->end),
                                         INDEX_STR(file->build_id_size ? build_id : NULL),
                                         INDEX_STR(file->is_program ? source_word(source) : NULL)};
    index_writer_row(facts->writer, INDEX_MAPPED_FILE, values, sizeof values / sizeof *values);
    counts->programs += file->is_program;
    if (file->is_program && (source == FILE_ABSENT || source == FILE_OTHER))
        append_name(&counts->absent_names, ++counts->absent, file->path);
    if (source == FILE_UNPROVEN || source == FILE_MATCHED)
        append_name(&counts->unproven_names, ++counts->unproven, file->path);
}

static void collect_files(struct facts *facts)
{
    struct file_counts counts = {0};
    char text[1024];
    for (size_t i = 0; i < facts->core->files.count; i++)
        collect_file(facts, i, &counts);
    if (counts.absent) {
        snprintf(text, sizeof text,
                 "%u of %u programs and libraries are not at hand (%s): their constants and "
                 "symbols can't be read; name them with --exe or --sysroot",
                 counts.absent, counts.programs, text_string(&counts.absent_names));
        index_writer_warning(facts->writer, "file", text);
    }
    if (counts.unproven) {
        snprintf(text, sizeof text,
                 "the core has no build id of %u of %u programs and libraries (%s): a file is used "
                 "for one where its program headers are the core's, or --exe named it",
                 counts.unproven, counts.programs, text_string(&counts.unproven_names));
        index_writer_warning(facts->writer, "file", text);
    }
    text_deinit(&counts.absent_names);
    text_deinit(&counts.unproven_names);
}

/* ---- Warnings. */

static void collect_warnings(struct facts *facts)
{
    const struct input_file *input = facts->core->input;
    if (input->cut_short) {
        char text[256];
        snprintf(text, sizeof text,
                 "the %s stream is damaged or ends early: %" PRIu64 " bytes came out of it, and "
                 "what should follow is missing",
                 input_wrapper_name(input->wrapper), input->size);
        index_writer_warning(facts->writer, "core", text);
    }
    for (size_t i = 0; i < facts->core->warnings.count; i++)
        index_writer_warning(facts->writer, facts->core->warnings.items[i].area,
                             facts->core->warnings.items[i].message);
}

enum status collect_core_facts(const struct core_dump *core, const struct memory_image *image,
                               struct redaction *redaction, struct index_writer *writer,
                               struct error *err)
{
    struct facts facts = {.core = core, .image = image, .redaction = redaction, .writer = writer};
    arena_init(&facts.arena);
    collect_input(&facts);
    collect_process(&facts);
    collect_signal(&facts);
    collect_abort(&facts);
    collect_files(&facts);
    collect_warnings(&facts); /* last: looking at the files adds some */
    arena_deinit(&facts.arena);
    /* the writer keeps its first failure and tells it when it publishes */
    (void)err;
    return STATUS_OK;
}
