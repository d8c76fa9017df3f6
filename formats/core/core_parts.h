/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_FORMATS_CORE_CORE_PARTS_H
#define INQUEST_FORMATS_CORE_CORE_PARTS_H

#include "formats/core/elf_view.h"
#include "inquest/base/text.h"
#include "inquest/formats/core_dump.h"

/* A core while it is being parsed: the steps of core_dump_parse, in their order. */
struct core_parse {
    struct core_dump *core;
    struct arena *arena;
    struct elf_view elf;
    uint64_t expected_size; /* of the file, by its headers */
    const uint8_t *auxv;    /* NT_AUXV as it is in the core, NULL where there is none */
    size_t auxv_size;
    bool has_process_note;
    bool out_of_memory; /* sticky: asked once, at the end */
};

/* A warning; running out of memory is noted in `parse`. */
void core_warn(struct core_parse *parse, const char *area, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Bytes as UTF-8 in the arena, what isn't as "\xNN". NULL (noted) without memory. */
const char *core_text(struct core_parse *parse, const void *bytes, size_t size);

/* ---- segments.c */
/* PT_LOADs into core->segments, in order and without overlaps. */
enum status core_read_segments(struct core_parse *parse, struct error *err) MUST_CHECK;
/* Adds what only NT_FILE tells of, and ties segments to their mappings. */
enum status core_tie_mappings(struct core_parse *parse, struct error *err) MUST_CHECK;

/* ---- notes.c */
enum status core_read_notes(struct core_parse *parse, struct error *err) MUST_CHECK;

/* ---- files.c: mappings into files; the main program and its path. */
enum status core_group_files(struct core_parse *parse, struct error *err) MUST_CHECK;
void core_find_program(struct core_parse *parse);

/* ---- regions.c */
enum status core_classify_segments(struct core_parse *parse, struct error *err) MUST_CHECK;

/* ---- arguments.c */
void core_read_arguments(struct core_parse *parse);

/* ---- missing.c: warnings for what the core lacks. */
void core_tell_missing(struct core_parse *parse);

#endif
