/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/analyzer/session.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/index/cache.h"
#include "analyzer/index/index_open.h"
#include "analyzer/profile/profile_index.h"
#include "analyzer/runtime/core_memory.h"
#include "analyzer/runtime/heap_facts.h"
#include "analyzer/runtime/runtime.h"
#include "inquest/base/cleanup.h"
#include "inquest/base/limits.h"
#include "inquest/formats/input_file.h"
#include "inquest_config.h"

/* What a build holds from the dump's bytes up; each part needs the ones above. */
struct build {
    const struct session_options *options;
    struct input_file input;
    struct arena arena;
    struct core_dump core;
    struct memory_image *image;
    struct python_process process;
    struct redaction *redaction;
    bool has_input, has_core, has_process;
    struct index_writer *writer;
};

static void build_deinit(struct build *build)
{
    index_writer_destroy(build->writer);
    if (build->has_process)
        python_process_deinit(&build->process);
    redaction_destroy(build->redaction);
    memory_image_destroy(build->image);
    if (build->has_core)
        core_dump_deinit(&build->core);
    arena_deinit(&build->arena);
    if (build->has_input)
        input_file_close(&build->input);
}

/* Errors name the input, once. */
static enum status name_input(const struct session_options *options, enum status status,
                              struct error *err)
{
    size_t size = strlen(options->input);
    if (err && (strncmp(err->message, options->input, size) != 0 || err->message[size] != ':'))
        error_prefix(err, "%s", options->input);
    return status;
}

/* ---- Facts about Python and about this index. */

static void version_text(uint32_t hex, char *buffer, size_t size)
{
    static const char *const levels[16] = {[0xA] = "a", [0xB] = "b", [0xC] = "rc"};
    unsigned major = hex >> 24, minor = hex >> 16 & 0xFF, micro = hex >> 8 & 0xFF;
    const char *level = levels[hex >> 4 & 0xF];
    if (level)
        snprintf(buffer, size, "%u.%u.%u%s%u", major, minor, micro, level, (unsigned)(hex & 0xF));
    else
        snprintf(buffer, size, "%u.%u.%u", major, minor, micro);
}

/* What sys.version says after the number: the day of the build and the compiler. Up
 * to 3.9 it takes two lines. */
static void collect_python_build(struct build *build)
{
    struct python_process *process = &build->process;
    uint64_t sys_dict, version;
    struct text text, build_text;
    text_init(&text);
    text_init(&build_text);
    if (object_pointer(process, process->interp_addr, PY_interp_sysdict, &sys_dict) == STATUS_OK &&
        dict_get(process, sys_dict, "version", &version) == STATUS_OK &&
        str_read(process, version, LIMIT_NAME_BYTES, &text) == STATUS_OK && text_ok(&text)) {
        const char *rest = strchr(text_string(&text), ' ');
        for (rest = rest ? rest + 1 : ""; *rest; rest++) {
            if (*rest != '\n')
                text_append_char(&build_text, *rest);
        }
        if (build_text.size && text_ok(&build_text))
            index_writer_meta(build->writer, "python_build", text_string(&build_text));
    }
    text_deinit(&build_text);
    text_deinit(&text);
}

static void collect_python_facts(struct build *build)
{
    char version[32];
    version_text(build->process.layout.version_hex, version, sizeof version);
    index_writer_meta(build->writer, "python_version", version);
    index_writer_meta(build->writer, "python_how", build->process.how);
    if (build->process.warning)
        index_writer_warning(build->writer, "python", build->process.warning);
    collect_python_build(build);
}

/* The state of all files that the answers may depend on beside the dump; `core` NULL:
 * a recording depends on none. */
static uint64_t files_state(const struct session_options *options, const struct core_dump *core)
{
    uint64_t state = options->executable ? cache_file_state(NULL, options->executable) : 0;
    for (size_t i = 0; core && i < core->files.count; i++)
        state += cache_file_state(options->sysroot, core->files.items[i].path);
    return state;
}

static void collect_index_facts(struct build *build, const char *parts)
{
    struct index_writer *writer = build->writer;
    char number[32];
    snprintf(number, sizeof number, "%d", INDEX_SCHEMA_VERSION);
    index_writer_meta(writer, "schema", number);
    index_writer_meta(writer, "tool", "inquest " INQUEST_VERSION);
    index_writer_meta(writer, "redacted", build->options->redact ? "1" : "0");
    index_writer_meta(writer, "parts", parts);
    index_writer_meta(writer, "fingerprint", build->input.fingerprint);
    snprintf(number, sizeof number, "%016" PRIx64, files_state(build->options, &build->core));
    index_writer_meta(writer, "files_state", number);
}

/* ---- Building. */

/* A core without a Python that we can read still has threads of C. */
static enum status discover(struct build *build, struct error *err)
{
    struct error reason = {0};
    enum status status = python_discover(build->image, &build->arena, &build->process, &reason);
    build->has_process = status == STATUS_OK;
    if (status == STATUS_NO_MEMORY)
        return error_set(err, status, "%s", reason.message);
    if (build->has_process)
        build->process.redaction = build->redaction;
    else
        index_writer_warning(build->writer, "python", reason.message);
    return STATUS_OK;
}

static enum status collect(struct build *build, struct error *err)
{
    const struct core_dump *core = &build->core;
    enum status status =
        collect_core_facts(core, build->image, build->redaction, build->writer, err);
    if (status == STATUS_OK)
        status = discover(build, err);
    if (status != STATUS_OK)
        return status;
    collect_index_facts(build, build->options->heap ? "stacks heap" : "stacks");
    if (build->has_process)
        collect_python_facts(build);
    struct python_process *process = build->has_process ? &build->process : NULL;
    status = collect_stacks(core, process, build->writer, build->options->progress, err);
    if (status == STATUS_OK && process && build->options->heap) /* with its own table memory */
        return collect_heap(core, process, build->writer, build->options->plain,
                            build->options->progress, err);
    core_memory_write(core, build->writer);
    return status;
}

static enum status build_core(struct build *build, struct error *err)
{
    const struct session_options *options = build->options;
    const struct memory_options memory = {.sysroot = options->sysroot,
                                          .executable = options->executable};
    if (options->redact) {
        build->redaction = redaction_create();
        if (!build->redaction)
            return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    enum status status = core_dump_parse(&build->input, &build->arena, &build->core, err);
    if (status != STATUS_OK)
        return status;
    build->has_core = true;
    status = memory_image_create(&build->core, &memory, &build->arena, &build->image, err);
    return status == STATUS_OK ? collect(build, err) : status;
}

/* ---- Recordings. */

static enum status add_number(struct profile *profile, const char *key, uint64_t value)
{
    char number[24];
    snprintf(number, sizeof number, "%" PRIu64, value);
    return profile_add_fact(profile, key, number);
}

/* Where the recording comes from, as an index's meta has it. */
static enum status add_source_facts(const struct input_file *input, struct profile *profile)
{
    int64_t modified = input->modified_ns;
    time_t seconds = (time_t)(modified / 1000000000 - (modified % 1000000000 < 0));
    struct tm parts;
    char time[64];
    enum status status = profile_add_fact(profile, "source", input->name);
    if (status == STATUS_OK)
        status = add_number(profile, "source_bytes",
                            input->stored_size ? input->stored_size : input->size);
    if (status == STATUS_OK && input->wrapper != INPUT_PLAIN)
        status = profile_add_fact(profile, "wrapper", input_wrapper_name(input->wrapper));
    if (status == STATUS_OK && modified && gmtime_r(&seconds, &parts) &&
        strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%SZ", &parts))
        status = profile_add_fact(profile, "source_mtime", time);
    return status;
}

/* Values of variables; of facts, what a command line may hold. */
static void redact_profile(struct profile *profile)
{
    size_t kept = 0;
    for (size_t i = 0; i < profile->locals.count; i++)
        profile->locals.items[i].value = 0;
    for (size_t i = 0; i < profile->facts.count; i++) {
        if (strcmp(profile->facts.items[i].key, "command") != 0)
            profile->facts.items[kept++] = profile->facts.items[i];
    }
    profile->facts.count = kept;
}

static enum status parse_profile(const struct session_options *options,
                                 const struct input_file *input, struct profile *ret_profile,
                                 struct error *err)
{
    struct profile profile;
    enum status status = profile_parse(input, options->progress, &profile, err);
    if (status != STATUS_OK)
        return name_input(options, status, err);
    if (options->redact)
        redact_profile(&profile);
    status = add_source_facts(input, &profile);
    if (status != STATUS_OK) {
        profile_deinit(&profile);
        return error_set(err, status, "%s: %s", options->input, status_name(status));
    }
    *ret_profile = profile;
    return STATUS_OK;
}

static enum status build_profile(struct build *build, struct error *err)
{
    struct profile profile;
    enum status status = parse_profile(build->options, &build->input, &profile, err);
    if (status != STATUS_OK)
        return status;
    collect_index_facts(build, "recording");
    status = profile_index_write(&profile, build->writer, build->options->progress, err);
    profile_deinit(&profile);
    return status;
}

/* ---- What the input turns out to be. */

static enum status refuse_input(const struct session_options *options, struct error *err)
{
    return error_set(err, STATUS_UNSUPPORTED,
                     "%s: not a format that inquest knows: ELF core dumps, snapshots of "
                     "tracemalloc, pstats files, recordings of py-spy and others like them, and "
                     "the indexes that inquest load writes; plain or in gzip, lz4 or zstd",
                     options->input);
}

static enum status refuse_redaction(const struct session_options *options, struct index *index,
                                    struct error *err)
{
    const char *redacted = index_meta(index, "redacted");
    if (!options->redact || (redacted && !strcmp(redacted, "1")))
        return STATUS_OK;
    return error_set(err, STATUS_USAGE,
                     "%s: this index holds values; --redact works on the dump that it is of",
                     options->input);
}

/* A copy is what the index is: with ordinary tables or without. */
static enum status refuse_plain(const struct session_options *options, struct index *index,
                                struct error *err)
{
    const char *kind = index_meta(index, "kind");
    struct index_rows *rows;
    bool is_packed = false;
    if (!options->plain || !kind || strcmp(kind, "core") != 0)
        return STATUS_OK;
    enum status status = index_query(index,
                                     "SELECT 1 FROM sqlite_schema WHERE name = 'object' AND"
                                     " sql LIKE 'CREATE VIRTUAL %'",
                                     NULL, 0, &rows, err);
    if (status != STATUS_OK)
        return status;
    is_packed = index_rows_next(rows);
    status = index_rows_finish(rows, err);
    if (status != STATUS_OK || !is_packed)
        return status;
    return error_set(err, STATUS_USAGE,
                     "%s: the tables of this index are packed; --plain works on the dump that it "
                     "is of",
                     options->input);
}

/* An index given as input: as it is, or copied to where one is asked for. */
static enum status use_index(const struct session_options *options, struct index *index,
                             struct index **ret_index, struct error *err)
{
    enum status status = refuse_redaction(options, index, err);
    if (status == STATUS_OK)
        status = refuse_plain(options, index, err);
    if (status == STATUS_OK && !options->output) {
        *ret_index = index;
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        status = index_copy(index, options->output, ret_index, err);
    index_close(index);
    return status;
}

static void release_input(void *context)
{
    input_file_close(context);
    free(context);
}

/* An index from a pipe or in a wrapper: read where its plain bytes are. */
static enum status open_wrapped_index(struct build *build, struct index **ret_index,
                                      struct error *err)
{
    struct input_file *input = malloc(sizeof *input);
    if (!input)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    *input = build->input;
    build->has_input = false;
    struct index *index;
    enum status status = index_open_bytes(build->options->input, input->data, input->size,
                                          release_input, input, &index, err);
    return status == STATUS_OK ? use_index(build->options, index, ret_index, err) : status;
}

static enum status build_from_input(struct build *build, struct index **ret_index,
                                    struct error *err)
{
    const struct session_options *options = build->options;
    enum status status = input_file_open(options->input, options->progress, &build->input, err);
    if (status != STATUS_OK)
        return name_input(options, status, err);
    build->has_input = true;
    switch (input_file_kind(&build->input)) {
    case INPUT_CORE: status = build_core(build, err); break;
    case INPUT_PROFILE: status = build_profile(build, err); break;
    case INPUT_INDEX: return open_wrapped_index(build, ret_index, err);
    default: return refuse_input(options, err);
    }
    if (status == STATUS_OUTPUT) /* it names the output already */
        return status;
    if (status != STATUS_OK)
        return name_input(options, status, err);
    struct index_writer *writer = build->writer;
    build->writer = NULL;
    return index_writer_publish(writer, ret_index, err);
}

/* `path` NULL: in memory. `cache_problem` NULL: nothing to say about the cache. */
static enum status build_index(const struct session_options *options, const char *path,
                               const char *cache_problem, struct index **ret_index,
                               struct error *err)
{
    struct build build = {.options = options};
    arena_init(&build.arena);
    enum status status = index_writer_create(path, &build.writer, err);
    if (status == STATUS_OK && cache_problem)
        index_writer_warning(build.writer, "cache", cache_problem);
    if (status == STATUS_OK)
        status = build_from_input(&build, ret_index, err);
    build_deinit(&build);
    return status;
}

/* ---- The cache. */

/* Whether the files of the dead process are as they were when the index was made. */
static bool files_unchanged(const struct session_options *options, struct index *index)
{
    const char *recorded = index_meta(index, "files_state");
    struct index_rows *rows;
    char now[32];
    uint64_t state = options->executable ? cache_file_state(NULL, options->executable) : 0;
    if (!recorded ||
        index_query(index, "SELECT path FROM mapped_file", NULL, 0, &rows, NULL) != STATUS_OK)
        return false;
    while (index_rows_next(rows)) {
        const char *path = index_rows_text(rows, 0);
        state += path ? cache_file_state(options->sysroot, path) : 0;
    }
    snprintf(now, sizeof now, "%016" PRIx64, state);
    return index_rows_finish(rows, NULL) == STATUS_OK && !strcmp(recorded, now);
}

static bool open_cached(const struct session_options *options, const char *path,
                        const char *fingerprint, struct index **ret_index)
{
    struct index *index;
    if (index_open(path, &index, NULL) != STATUS_OK)
        return false;
    const char *recorded = index_meta(index, "fingerprint");
    if (recorded && !strcmp(recorded, fingerprint) && files_unchanged(options, index)) {
        *ret_index = index;
        return true;
    }
    index_close(index);
    return false;
}

/* No cache is no reason to give no answer. */
static enum status build_uncached(const struct session_options *options, const struct error *reason,
                                  struct index **ret_index, struct error *err)
{
    char message[sizeof reason->message + 64];
    snprintf(message, sizeof message, "the cache is not usable, so the index was not kept: %s",
             reason->message);
    return build_index(options, NULL, message, ret_index, err);
}

static enum status open_through_cache(const struct session_options *options,
                                      struct index **ret_index, struct error *err)
{
    char fingerprint[33];
    enum status status = input_file_fingerprint(options->input, fingerprint, err);
    if (status != STATUS_OK)
        return name_input(options, status, err);
    struct cache_key key = {.fingerprint = fingerprint,
                            .sysroot = options->sysroot,
                            .executable = options->executable,
                            .redact = options->redact,
                            .heap = true};
    char CLEANUP_FREE *path = NULL, CLEANUP_FREE *stacks_path = NULL;
    struct error reason = {0};
    status = cache_path(&key, &path, &reason);
    if (status != STATUS_OK)
        return build_uncached(options, &reason, ret_index, err);
    /* an index with the heap has the stacks too */
    if (open_cached(options, path, fingerprint, ret_index))
        return STATUS_OK;
    key.heap = false;
    if (!options->heap) {
        status = cache_path(&key, &stacks_path, &reason);
        if (status != STATUS_OK)
            return build_uncached(options, &reason, ret_index, err);
        if (open_cached(options, stacks_path, fingerprint, ret_index))
            return STATUS_OK;
    }
    status = build_index(options, options->heap ? path : stacks_path, NULL, ret_index, &reason);
    if (status == STATUS_OUTPUT)
        return build_uncached(options, &reason, ret_index, err);
    if (status != STATUS_OK && err)
        *err = reason;
    return status;
}

/* ---- What the input is. */

/* A regular file is looked at first: a pipe could be read only once. */
static bool is_regular(const char *path)
{
    struct stat status;
    return strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static bool is_database(const char *path)
{
    static const char magic[16] = "SQLite format 3"; /* with its NUL */
    char head[sizeof magic];
    int CLEANUP_CLOSE fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, head, sizeof head) == sizeof head &&
           !memcmp(head, magic, sizeof magic);
}

static enum status open_dump(const struct session_options *options, bool regular,
                             struct index **ret_index, struct error *err)
{
    if (options->output || options->no_cache || !regular)
        return build_index(options, options->output, NULL, ret_index, err);
    return open_through_cache(options, ret_index, err);
}

enum status session_open(const struct session_options *options, struct index **ret_index,
                         struct error *err)
{
    bool regular = is_regular(options->input);
    if (regular && is_database(options->input)) {
        struct index *index;
        enum status status = index_open(options->input, &index, err);
        return status == STATUS_OK ? use_index(options, index, ret_index, err) : status;
    }
    enum status status = open_dump(options, regular, ret_index, err);
    if (status == STATUS_OK)
        index_set_name(*ret_index, options->input);
    return status;
}

/* ---- A recording without an index of it. */

static enum status read_index(const struct session_options *options, struct index *index,
                              struct profile *ret_profile, struct error *err)
{
    enum status status = refuse_redaction(options, index, err);
    if (status == STATUS_OK && !profile_index_is(index))
        status = error_set(err, STATUS_UNSUPPORTED,
                           "%s: %s needs a recording (tracemalloc, pstats, py-spy); this is an "
                           "index of a core",
                           options->input, options->command ? options->command : "this command");
    else if (status == STATUS_OK)
        status = profile_index_read(index, ret_profile, err);
    index_close(index);
    return status == STATUS_OK ? status : name_input(options, status, err);
}

/* The bytes are the caller's. */
static void release_nothing(void *context)
{
    (void)context;
}

static enum status read_wrapped_index(const struct session_options *options,
                                      const struct input_file *input, struct profile *ret_profile,
                                      struct error *err)
{
    struct index *index;
    enum status status = index_open_bytes(options->input, input->data, input->size, release_nothing,
                                          NULL, &index, err);
    return status == STATUS_OK ? read_index(options, index, ret_profile, err) : status;
}

static enum status read_input(const struct session_options *options, const struct input_file *input,
                              struct profile *ret_profile, struct error *err)
{
    switch (input_file_kind(input)) {
    case INPUT_PROFILE: return parse_profile(options, input, ret_profile, err);
    case INPUT_INDEX: return read_wrapped_index(options, input, ret_profile, err);
    case INPUT_CORE:
        return error_set(err, STATUS_UNSUPPORTED,
                         "%s: %s needs a recording (tracemalloc, pstats, py-spy); this is a core",
                         options->input, options->command ? options->command : "this command");
    default: return refuse_input(options, err);
    }
}

enum status session_open_profile(const struct session_options *options, struct profile *ret_profile,
                                 struct error *err)
{
    struct input_file input;
    if (is_regular(options->input) && is_database(options->input)) {
        struct index *index;
        enum status status = index_open(options->input, &index, err);
        return status == STATUS_OK ? read_index(options, index, ret_profile, err) : status;
    }
    enum status status = input_file_open(options->input, options->progress, &input, err);
    if (status != STATUS_OK)
        return name_input(options, status, err);
    status = read_input(options, &input, ret_profile, err);
    input_file_close(&input);
    return status;
}

enum status session_profile_of(struct index *index, struct profile *ret_profile, struct error *err)
{
    if (!profile_index_is(index))
        return error_set(err, STATUS_UNSUPPORTED, "is of a core, not of a recording");
    return profile_index_read(index, ret_profile, err);
}

enum session_content session_content(const char *input)
{
    struct index *index;
    if (!is_regular(input))
        return SESSION_PIPE;
    switch (input_file_peek(input)) {
    case INPUT_CORE: return SESSION_CORE;
    case INPUT_INDEX: break;
    default: return SESSION_RECORDING;
    }
    if (index_open(input, &index, NULL) != STATUS_OK) /* wrapped, or damaged: it is told later */
        return SESSION_CORE;
    bool recording = profile_index_is(index);
    index_close(index);
    return recording ? SESSION_RECORDING : SESSION_CORE;
}
