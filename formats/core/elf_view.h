/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_FORMATS_CORE_ELF_VIEW_H
#define INQUEST_FORMATS_CORE_ELF_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/error.h"

/* A little-endian 64-bit ELF file, or as much of one as is there. Borrows its bytes. */
struct elf_view {
    const uint8_t *data;
    uint64_t size;
    uint16_t type, machine;
    uint64_t program_headers, sections; /* offsets of the tables */
    uint32_t program_header_count, program_header_size;
    uint32_t section_count, section_size, section_names; /* counts with their extensions */
    bool lacks_header_count;                             /* the extension of e_phnum is not there */
};

struct elf_segment { /* a program header */
    uint32_t type, flags;
    uint64_t offset, address, stored, size;
};

struct elf_section {
    uint32_t name, type, link;
    uint64_t flags, address, offset, size, entry_size;
};

/* STATUS_CORRUPT where there is no ELF header, STATUS_UNSUPPORTED for 32 bits or
 * big endian. The tables may lie outside of what is there. */
enum status elf_view_init(struct elf_view *view, const uint8_t *data, uint64_t size,
                          struct error *err) MUST_CHECK;
/* False where the header is not within the bytes. */
bool elf_view_segment(const struct elf_view *view, uint32_t index, struct elf_segment *ret_segment);
bool elf_view_section(const struct elf_view *view, uint32_t index, struct elf_section *ret_section);
/* A section's bytes; NULL where they are not all there. */
const uint8_t *elf_view_section_bytes(const struct elf_view *view,
                                      const struct elf_section *section);
/* NULL where the name is not there. */
const char *elf_view_section_name(const struct elf_view *view, const struct elf_section *section);

/* Where `file_offset` is meant to be mapped (p_vaddr terms); false: nowhere. */
bool elf_view_address(const struct elf_view *view, uint64_t file_offset, uint64_t *ret_address);
/* GNU build id; returns its size, 0 where there is none (or none within the bytes). */
size_t elf_view_build_id(const struct elf_view *view, uint8_t ret_id[64]);

/* ---- Notes, of cores and of programs. */
struct elf_note {
    uint32_t type;
    const char *name; /* not terminated */
    size_t name_size; /* without its NUL */
    const uint8_t *data;
    size_t size;
};
struct elf_note_reader {
    const uint8_t *data;
    size_t size, position;
    uint32_t lost; /* bytes that a note claimed past the end; 0: all fine */
};
/* False at the end. A note that claims more than there is ends it: `lost`. */
bool elf_note_next(struct elf_note_reader *reader, struct elf_note *ret_note);
bool elf_note_is(const struct elf_note *note, const char *name, uint32_t type);

#endif
