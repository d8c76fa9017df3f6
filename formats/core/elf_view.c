/* SPDX-License-Identifier: Apache-2.0 */
/* ELF, 64 bits, little endian (System V ABI, chapters 4 and 5; elf(5)).
 *
 *   header          OFFSET SIZE MEANING
 *                        0    4 0x7f "ELF"
 *                        4    1 class: 2 is 64 bits
 *                        5    1 byte order: 1 is little endian
 *                       16    2 e_type       18  2 e_machine
 *                       32    8 e_phoff      40  8 e_shoff
 *                       54    2 e_phentsize  56  2 e_phnum
 *                       58    2 e_shentsize  60  2 e_shnum  62 2 e_shstrndx
 *   program header       0    4 p_type        4  4 p_flags
 *                        8    8 p_offset     16  8 p_vaddr
 *                       32    8 p_filesz     40  8 p_memsz
 *   section header       0    4 sh_name       4  4 sh_type   8 8 sh_flags
 *                       16    8 sh_addr      24  8 sh_offset 32 8 sh_size
 *                       40    4 sh_link      44  4 sh_info   56 8 sh_entsize
 *   note                 0    4 n_namesz      4  4 n_descsz  8 4 n_type
 *                       12    name, then desc, each padded to 4 bytes
 *
 * Counts that do not fit are in section header 0: e_phnum 0xffff is in sh_info,
 * e_shnum 0 in sh_size, e_shstrndx 0xffff in sh_link. */
#include "formats/core/elf_view.h"

#include <elf.h>
#include <string.h>

#include "inquest/base/bytes_reader.h"
#include "inquest/base/checked_math.h"

#define HEADER_BYTES         64
#define PROGRAM_HEADER_BYTES 56
#define SECTION_BYTES        64
#define PAGE_MASK            (~UINT64_C(0xFFF))
/* Of a program: real ones have a dozen. Keeps a core with a million forged
 * programs linear. */
#define PROGRAM_SEGMENTS_MAX 256u
#define PROGRAM_NOTES_BYTES  ((uint64_t)64 << 10)

/* Entry `index` of a table, NULL where it is not all there. */
static const uint8_t *table_entry(const struct elf_view *view, uint64_t table, uint32_t index,
                                  uint32_t entry_size, uint32_t needed)
{
    uint64_t offset;
    if (!table || entry_size < needed || !checked_mul_add_u64(index, entry_size, table, &offset) ||
        offset > view->size || view->size - offset < needed)
        return NULL;
    return view->data + offset;
}

/* The counts that the header has no room for. */
static void read_extensions(struct elf_view *view)
{
    const uint8_t *first = table_entry(view, view->sections, 0, view->section_size, SECTION_BYTES);
    uint32_t headers = first ? load_u32(first + 44) : 0;
    if (view->program_header_count == PN_XNUM) {
        view->lacks_header_count = headers < PN_XNUM;
        view->program_header_count = view->lacks_header_count ? PN_XNUM : headers;
    }
    if (!first)
        return;
    uint64_t sections = load_u64(first + 32);
    if (!view->section_count && sections <= UINT32_MAX)
        view->section_count = (uint32_t)sections;
    if (view->section_names == SHN_XINDEX)
        view->section_names = load_u32(first + 40);
}

enum status elf_view_init(struct elf_view *view, const uint8_t *data, uint64_t size,
                          struct error *err)
{
    if (size < HEADER_BYTES || memcmp(data, ELFMAG, SELFMAG) != 0)
        return error_set(err, STATUS_CORRUPT, "no ELF header");
    if (data[EI_CLASS] != ELFCLASS64)
        return error_set(err, STATUS_UNSUPPORTED, "a 32-bit ELF file: only 64-bit ones are read");
    if (data[EI_DATA] != ELFDATA2LSB)
        return error_set(err, STATUS_UNSUPPORTED,
                         "a big-endian ELF file: only little-endian ones are read");
    *view = (struct elf_view){.data = data,
                              .size = size,
                              .type = load_u16(data + 16),
                              .machine = load_u16(data + 18),
                              .program_headers = load_u64(data + 32),
                              .sections = load_u64(data + 40),
                              .program_header_size = load_u16(data + 54),
                              .program_header_count = load_u16(data + 56),
                              .section_size = load_u16(data + 58),
                              .section_count = load_u16(data + 60),
                              .section_names = load_u16(data + 62)};
    read_extensions(view);
    return STATUS_OK;
}

bool elf_view_segment(const struct elf_view *view, uint32_t index, struct elf_segment *ret_segment)
{
    const uint8_t *entry = table_entry(view, view->program_headers, index,
                                       view->program_header_size, PROGRAM_HEADER_BYTES);
    if (!entry || index >= view->program_header_count)
        return false;
    *ret_segment = (struct elf_segment){.type = load_u32(entry),
                                        .flags = load_u32(entry + 4),
                                        .offset = load_u64(entry + 8),
                                        .address = load_u64(entry + 16),
                                        .stored = load_u64(entry + 32),
                                        .size = load_u64(entry + 40)};
    return true;
}

bool elf_view_section(const struct elf_view *view, uint32_t index, struct elf_section *ret_section)
{
    const uint8_t *entry =
        table_entry(view, view->sections, index, view->section_size, SECTION_BYTES);
    if (!entry || index >= view->section_count)
        return false;
    *ret_section = (struct elf_section){.name = load_u32(entry),
                                        .type = load_u32(entry + 4),
                                        .flags = load_u64(entry + 8),
                                        .address = load_u64(entry + 16),
                                        .offset = load_u64(entry + 24),
                                        .size = load_u64(entry + 32),
                                        .link = load_u32(entry + 40),
                                        .entry_size = load_u64(entry + 56)};
    return true;
}

const uint8_t *elf_view_section_bytes(const struct elf_view *view,
                                      const struct elf_section *section)
{
    if (section->type == SHT_NOBITS || section->offset > view->size ||
        section->size > view->size - section->offset)
        return NULL;
    return view->data + section->offset;
}

const char *elf_view_section_name(const struct elf_view *view, const struct elf_section *section)
{
    struct elf_section names;
    const uint8_t *bytes;
    if (!elf_view_section(view, view->section_names, &names) ||
        !(bytes = elf_view_section_bytes(view, &names)) || section->name >= names.size ||
        !memchr(bytes + section->name, 0, (size_t)(names.size - section->name)))
        return NULL;
    return (const char *)bytes + section->name;
}

bool elf_view_address(const struct elf_view *view, uint64_t file_offset, uint64_t *ret_address)
{
    struct elf_segment segment;
    for (uint32_t i = 0; i < PROGRAM_SEGMENTS_MAX && elf_view_segment(view, i, &segment); i++) {
        uint64_t first = segment.offset & PAGE_MASK;
        if (segment.type == PT_LOAD && segment.stored && file_offset >= first &&
            file_offset - first < segment.stored + (segment.offset - first)) {
            *ret_address = segment.address + (file_offset - segment.offset);
            return true;
        }
    }
    return false;
}

size_t elf_view_build_id(const struct elf_view *view, uint8_t ret_id[64])
{
    struct elf_segment segment;
    for (uint32_t i = 0; i < PROGRAM_SEGMENTS_MAX && elf_view_segment(view, i, &segment); i++) {
        if (segment.type != PT_NOTE || segment.offset >= view->size)
            continue;
        uint64_t size = min_u64(segment.stored, view->size - segment.offset);
        struct elf_note_reader reader = {.data = view->data + segment.offset,
                                         .size = (size_t)min_u64(size, PROGRAM_NOTES_BYTES)};
        for (struct elf_note note; elf_note_next(&reader, &note);) {
            if (elf_note_is(&note, "GNU", NT_GNU_BUILD_ID) && note.size && note.size <= 64) {
                memcpy(ret_id, note.data, note.size);
                return note.size;
            }
        }
    }
    return 0;
}

static size_t padding(size_t size)
{
    return -size & 3;
}

bool elf_note_next(struct elf_note_reader *reader, struct elf_note *ret_note)
{
    struct bytes_reader bytes = {reader->data, reader->size, reader->position};
    uint32_t name_size, size, type;
    const uint8_t *name, *data;
    if (bytes_read_u32(&bytes, &name_size) != STATUS_OK ||
        bytes_read_u32(&bytes, &size) != STATUS_OK || bytes_read_u32(&bytes, &type) != STATUS_OK)
        return false;
    uint64_t claimed = (uint64_t)name_size + padding(name_size) + size;
    if (claimed > bytes_reader_left(&bytes) ||
        bytes_read_view(&bytes, name_size, &name) != STATUS_OK ||
        bytes_skip(&bytes, padding(name_size)) != STATUS_OK ||
        bytes_read_view(&bytes, size, &data) != STATUS_OK) {
        reader->lost = (uint32_t)min_u64(claimed - bytes_reader_left(&bytes), UINT32_MAX);
        return false;
    }
    /* the last note's padding may be missing */
    size_t pad = (size_t)min_u64(padding(size), bytes_reader_left(&bytes));
    reader->position = bytes.position + pad;
    *ret_note = (struct elf_note){.type = type,
                                  .name = (const char *)name,
                                  .name_size = strnlen((const char *)name, name_size),
                                  .data = data,
                                  .size = size};
    return true;
}

bool elf_note_is(const struct elf_note *note, const char *name, uint32_t type)
{
    return note->type == type && note->name_size == strlen(name) &&
           !memcmp(note->name, name, note->name_size);
}
