/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/analyzer/object_values.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/runtime/runtime.h"
#include "analyzer/runtime/value_memo.h"
#include "inquest/base/text.h"
#include "inquest/formats/input_file.h"

/* A core in a wrapper is unwrapped whole for one value: not where that takes longer than
 * somebody waits. */
#define MOST_WRAPPED_BYTES (UINT64_C(256) << 20)

struct object_values {
    struct text path;
    struct input_file input;
    struct arena arena;
    struct core_dump core;
    struct memory_image *image;
    struct python_process process;
    bool has_input, has_core, has_process;
    struct value_memo memo;
};

void object_values_close(struct object_values *values)
{
    if (!values)
        return;
    value_memo_deinit(&values->memo);
    if (values->has_process)
        python_process_deinit(&values->process);
    memory_image_destroy(values->image);
    if (values->has_core)
        core_dump_deinit(&values->core);
    arena_deinit(&values->arena);
    if (values->has_input)
        input_file_close(&values->input);
    text_deinit(&values->path);
    free(values);
}

/* ---- Which file. */

static bool is_core_of(const char *path, struct index *index)
{
    const char *recorded = index_meta(index, "fingerprint");
    char fingerprint[33];
    return recorded && input_file_peek(path) == INPUT_CORE &&
           input_file_fingerprint(path, fingerprint, NULL) == STATUS_OK &&
           !strcmp(recorded, fingerprint);
}

/* The input, the file that the index was made from, or one of that name beside the index.
 * UNSUPPORTED where none is the core. */
static enum status find_core(const char *input, struct index *index, struct text *path)
{
    const char *source = index_meta(index, "source"), *folder_end = strrchr(input, '/');
    if (is_core_of(input, index)) {
        text_append(path, input);
    } else if (source && is_core_of(source, index)) {
        text_append(path, source);
    } else if (source) {
        const char *name = strrchr(source, '/');
        text_append_n(path, input, folder_end ? (size_t)(folder_end - input) + 1 : 0);
        text_append(path, name ? name + 1 : source);
        if (text_ok(path) && !is_core_of(text_string(path), index))
            return STATUS_UNSUPPORTED;
    }
    if (!text_ok(path))
        return STATUS_NO_MEMORY;
    return path->size ? STATUS_OK : STATUS_UNSUPPORTED;
}

static bool is_large_and_wrapped(struct index *index)
{
    const char *bytes = index_meta(index, "source_bytes");
    return index_meta(index, "wrapper") && bytes && strtoull(bytes, NULL, 10) > MOST_WRAPPED_BYTES;
}

static enum status choose_core(const char *input, struct index *index, struct text *path,
                               struct error *err)
{
    const char *redacted = index_meta(index, "redacted");
    if (redacted && !strcmp(redacted, "1"))
        return error_set(err, STATUS_UNSUPPORTED, "values are redacted");
    if (!strcmp(input, "-"))
        return error_set(err, STATUS_UNSUPPORTED,
                         "most values are not known: what comes through a pipe is read once");
    enum status status = find_core(input, index, path);
    if (status == STATUS_UNSUPPORTED)
        return error_set(err, status,
                         "most values are not known: the core that the index is of is not at its "
                         "place, nor beside the index, or has changed");
    if (status == STATUS_OK && is_large_and_wrapped(index))
        return error_set(err, STATUS_UNSUPPORTED,
                         "most values are not known: the core is compressed and large; unwrap it "
                         "to see them");
    return status == STATUS_OK ? status : error_set(err, status, "out of memory");
}

/* ---- Opening. */

static enum status open_core(struct object_values *values, const struct session_options *options,
                             struct error *err)
{
    const struct memory_options memory = {.sysroot = options->sysroot,
                                          .executable = options->executable};
    enum status status =
        input_file_open(text_string(&values->path), options->progress, &values->input, err);
    values->has_input = status == STATUS_OK;
    if (status == STATUS_OK)
        status = core_dump_parse(&values->input, &values->arena, &values->core, err);
    values->has_core = status == STATUS_OK;
    if (status == STATUS_OK)
        status = memory_image_create(&values->core, &memory, &values->arena, &values->image, err);
    if (status == STATUS_OK)
        status = python_discover(values->image, &values->arena, &values->process, err);
    values->has_process = status == STATUS_OK;
    return status;
}

enum status object_values_open(const struct session_options *options, struct index *index,
                               struct object_values **ret_values, struct error *err)
{
    struct object_values *values = calloc(1, sizeof *values);
    if (!values)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    arena_init(&values->arena);
    enum status status = choose_core(options->input, index, &values->path, err);
    if (status == STATUS_OK)
        status = open_core(values, options, err);
    if (status == STATUS_OK)
        *ret_values = values;
    else
        object_values_close(values);
    return status;
}

const char *object_values_get(struct object_values *values, uint64_t address)
{
    const struct value_memo_entry *entry = value_memo_get(&values->memo, &values->process, address);
    return text_ok(&entry->text) ? text_string(&entry->text) : NULL;
}
