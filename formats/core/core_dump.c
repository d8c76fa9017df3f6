/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/formats/core_dump.h"

#include <elf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "formats/core/core_parts.h"
#include "inquest/base/partition_point.h"

void core_warn(struct core_parse *parse, const char *area, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct core_warning warning = {area, core_text(parse, text, strlen(text))};
    if (!warning.message || !array_push(&parse->core->warnings, warning))
        parse->out_of_memory = true;
}

const char *core_text(struct core_parse *parse, const void *bytes, size_t size)
{
    struct text text;
    text_init(&text);
    text_append_bytes(&text, bytes, size);
    char *copy = text_ok(&text) ? arena_strndup(parse->arena, text_string(&text), text.size) : NULL;
    text_deinit(&text);
    if (!copy)
        parse->out_of_memory = true;
    return copy;
}

static enum status check_header(struct core_parse *parse, struct error *err)
{
    const struct input_file *input = parse->core->input;
    enum status status = elf_view_init(&parse->elf, input->data, input->size, err);
    if (status != STATUS_OK)
        return status;
    if (parse->elf.type != ET_CORE)
        return error_set(err, STATUS_CORRUPT, "an ELF file, but not a core");
    switch (parse->elf.machine) {
    case EM_X86_64: parse->core->arch = CORE_X86_64; return STATUS_OK;
    case EM_AARCH64: parse->core->arch = CORE_AARCH64; return STATUS_OK;
    default:
        return error_set(err, STATUS_UNSUPPORTED,
                         "a core of ELF machine %u: x86-64 and aarch64 are read",
                         parse->elf.machine);
    }
}

static enum status parse_parts(struct core_parse *parse, struct error *err)
{
    enum status status = check_header(parse, err);
    if (status == STATUS_OK)
        status = core_read_segments(parse, err);
    if (status == STATUS_OK)
        status = core_read_notes(parse, err);
    if (status != STATUS_OK)
        return status;
    if (!parse->core->segments.count && !parse->core->threads.count)
        return error_set(err, STATUS_CORRUPT,
                         "a core without memory and without threads: too little of it is left");
    status = core_group_files(parse, err);
    if (status == STATUS_OK)
        status = core_tie_mappings(parse, err);
    if (status != STATUS_OK)
        return status;
    core_find_program(parse);
    status = core_classify_segments(parse, err);
    if (status != STATUS_OK)
        return status;
    core_read_arguments(parse);
    core_tell_missing(parse);
    return parse->out_of_memory ? error_set(err, STATUS_NO_MEMORY, "out of memory") : STATUS_OK;
}

enum status core_dump_parse(const struct input_file *input, struct arena *arena,
                            struct core_dump *ret_core, struct error *err)
{
    struct core_dump core = {
        .input = input, .program = "", .arguments = "", .program_file = CORE_NO_INDEX};
    struct core_parse parse = {.core = &core, .arena = arena};
    enum status status = parse_parts(&parse, err);
    if (status != STATUS_OK) {
        core_dump_deinit(&core);
        error_prefix(err, "%s", input->name);
        return status;
    }
    *ret_core = core;
    return STATUS_OK;
}

void core_dump_deinit(struct core_dump *core)
{
    if (!core)
        return;
    array_deinit(&core->segments);
    array_deinit(&core->mappings);
    array_deinit(&core->files);
    array_deinit(&core->threads);
    array_deinit(&core->warnings);
}

const struct core_segment *core_find_segment(const struct core_dump *core, uint64_t address)
{
    size_t low;
    PARTITION_POINT(low, core->segments.count, core->segments.items[low].address <= address);
    if (!low)
        return NULL;
    const struct core_segment *segment = &core->segments.items[low - 1];
    return address - segment->address < segment->size ? segment : NULL;
}

const uint8_t *core_stored_bytes(const struct core_dump *core, uint64_t address, uint64_t *ret_size)
{
    const struct core_segment *segment = core_find_segment(core, address);
    if (!segment || address - segment->address >= segment->stored)
        return NULL;
    uint64_t inside = address - segment->address;
    *ret_size = segment->stored - inside;
    return core->input->data + segment->offset + inside;
}
