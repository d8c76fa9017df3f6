/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/helpers/fake_core.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE          4096u
#define PRSTATUS_SIZE 336u

struct buffer {
    uint8_t *bytes;
    size_t size;
};

static void append(struct buffer *buffer, const void *bytes, size_t size)
{
    buffer->bytes = realloc(buffer->bytes, buffer->size + size + 1);
    assert_non_null(buffer->bytes);
    if (size)
        memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
}

static void pad(struct buffer *buffer, size_t alignment)
{
    static const uint8_t zeros[PAGE];
    append(buffer, zeros, (alignment - buffer->size % alignment) % alignment);
}

static void append_note(struct buffer *notes, uint32_t type, const void *bytes, size_t size)
{
    uint32_t header[3] = {5, (uint32_t)size, type};
    append(notes, header, sizeof(header));
    append(notes, "CORE\0\0\0", 8);
    append(notes, bytes, size);
    pad(notes, 4);
}

static void append_file_note(struct buffer *notes, const struct fake_mapping *mappings,
                             size_t count)
{
    struct buffer note = {0};
    uint64_t header[2] = {count, PAGE};
    append(&note, header, sizeof(header));
    for (size_t i = 0; i < count; i++) {
        uint64_t entry[3] = {mappings[i].start, mappings[i].end, 0};
        append(&note, entry, sizeof(entry));
    }
    for (size_t i = 0; i < count; i++)
        append(&note, mappings[i].path, strlen(mappings[i].path) + 1);
    append_note(notes, NT_FILE, note.bytes, note.size);
    free(note.bytes);
}

static void append_header(struct buffer *file, size_t segment_count)
{
    Elf64_Ehdr header = {.e_type = ET_CORE,
                         .e_machine = EM_X86_64,
                         .e_version = EV_CURRENT,
                         .e_phoff = sizeof(Elf64_Ehdr),
                         .e_ehsize = sizeof(Elf64_Ehdr),
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = (uint16_t)(segment_count + 1)};
    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    append(file, &header, sizeof(header));
}

static void build(struct buffer *file, const struct fake_segment *segments, size_t segment_count,
                  const struct fake_mapping *mappings, size_t mapping_count)
{
    struct buffer notes = {0};
    uint8_t status[PRSTATUS_SIZE] = {0};
    status[32] = 77; /* pr_pid */
    append_note(&notes, NT_PRSTATUS, status, sizeof(status));
    if (mapping_count)
        append_file_note(&notes, mappings, mapping_count);
    append_header(file, segment_count);
    size_t notes_at = file->size + (segment_count + 1) * sizeof(Elf64_Phdr);
    Elf64_Phdr program = {.p_type = PT_NOTE, .p_offset = notes_at, .p_filesz = notes.size};
    append(file, &program, sizeof(program));
    size_t data_at = (notes_at + notes.size + PAGE - 1) / PAGE * PAGE;
    for (size_t i = 0; i < segment_count; i++) {
        program = (Elf64_Phdr){.p_type = PT_LOAD,
                               .p_flags = segments[i].flags,
                               .p_offset = data_at,
                               .p_vaddr = segments[i].address,
                               .p_filesz = segments[i].stored,
                               .p_memsz = segments[i].size,
                               .p_align = PAGE};
        append(file, &program, sizeof(program));
        data_at += (segments[i].stored + PAGE - 1) / PAGE * PAGE;
    }
    append(file, notes.bytes, notes.size);
    free(notes.bytes);
    for (size_t i = 0; i < segment_count; i++) {
        pad(file, PAGE);
        append(file, segments[i].bytes, segments[i].stored);
    }
}

void fake_core_open(struct fake_core *fake, const struct fake_segment *segments,
                    size_t segment_count, const struct fake_mapping *mappings, size_t mapping_count)
{
    struct buffer file = {0};
    struct error err = {0};
    build(&file, segments, segment_count, mappings, mapping_count);
    *fake = (struct fake_core){0};
    arena_init(&fake->arena);
    fake->input =
        (struct input_file){.name = "fake core", .data = file.bytes, .size = file.size, .fd = -1};
    if (core_dump_parse(&fake->input, &fake->arena, &fake->core, &err) != STATUS_OK)
        fail_msg("the fake core: %s", err.message);
    struct memory_options options = {.sysroot = "/proc"}; /* has none of the files */
    if (memory_image_create(&fake->core, &options, &fake->arena, &fake->image, &err) != STATUS_OK)
        fail_msg("the fake core's memory: %s", err.message);
}

void fake_core_close(struct fake_core *fake)
{
    memory_image_destroy(fake->image);
    core_dump_deinit(&fake->core);
    arena_deinit(&fake->arena);
    free((void *)(uintptr_t)fake->input.data);
}
