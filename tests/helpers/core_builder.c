/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/helpers/core_builder.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inquest/base/array.h"

#define PAGE 4096u

struct bytes {
    uint8_t *items;
    size_t count, capacity;
};

struct built_segment {
    uint64_t address, size, stored;
    uint8_t *bytes;
    uint32_t flags;
};

struct built_file {
    uint64_t start, end, offset;
    char *path;
};

struct core_builder {
    ARRAY(struct built_segment) segments;
    ARRAY(struct built_file) files;
    struct bytes threads[2]; /* notes: the first thread's, the others' */
    struct bytes process, siginfo, auxv, others;
    bool has_thread, is_gcore, is_extended;
    uint16_t machine;
};

static void must(bool fine)
{
    if (!fine)
        abort();
}

/* ---- Bytes. */

static uint8_t *grow(struct bytes *bytes, size_t size)
{
    must(array_reserve(bytes, size + 1));
    uint8_t *start = bytes->items + bytes->count;
    memset(start, 0, size);
    bytes->count += size;
    return start;
}

static void put(struct bytes *bytes, const void *data, size_t size)
{
    uint8_t *start = grow(bytes, size);
    if (size)
        memcpy(start, data, size);
}

static void put_u64(struct bytes *bytes, uint64_t value)
{
    put(bytes, &value, sizeof value);
}

static void put_note(struct bytes *bytes, const char *name, uint32_t type, const void *data,
                     size_t size, uint32_t claimed)
{
    uint32_t header[3] = {(uint32_t)strlen(name) + 1, claimed, type};
    put(bytes, header, sizeof header);
    put(bytes, name, strlen(name) + 1);
    grow(bytes, -(strlen(name) + 1) & 3);
    put(bytes, data, size);
    grow(bytes, -size & 3);
}

/* ---- Life. */

struct core_builder *core_builder_create(void)
{
    struct core_builder *builder = calloc(1, sizeof *builder);
    must(builder);
    builder->machine = EM_X86_64;
    return builder;
}

void core_builder_destroy(struct core_builder *builder)
{
    if (!builder)
        return;
    for (size_t i = 0; i < builder->segments.count; i++)
        free(builder->segments.items[i].bytes);
    for (size_t i = 0; i < builder->files.count; i++)
        free(builder->files.items[i].path);
    array_deinit(&builder->segments);
    array_deinit(&builder->files);
    array_deinit(&builder->threads[0]);
    array_deinit(&builder->threads[1]);
    array_deinit(&builder->process);
    array_deinit(&builder->siginfo);
    array_deinit(&builder->auxv);
    array_deinit(&builder->others);
    free(builder);
}

/* ---- Memory. */

size_t core_builder_segment(struct core_builder *builder, uint64_t address, uint64_t size,
                            uint64_t stored, const void *bytes, uint32_t flags)
{
    struct built_segment segment = {
        .address = address, .size = size, .stored = stored, .flags = flags};
    segment.bytes = calloc(1, (size_t)stored + 1);
    must(segment.bytes);
    if (bytes)
        memcpy(segment.bytes, bytes, (size_t)stored);
    must(array_push(&builder->segments, segment));
    return builder->segments.count - 1;
}

static uint8_t *stored_at(struct core_builder *builder, uint64_t address, uint64_t size)
{
    for (size_t i = 0; i < builder->segments.count; i++) {
        struct built_segment *segment = &builder->segments.items[i];
        if (address >= segment->address && address - segment->address < segment->stored &&
            size <= segment->stored - (address - segment->address))
            return segment->bytes + (address - segment->address);
    }
    abort(); /* a test pokes where nothing is stored */
}

void core_builder_poke(struct core_builder *builder, uint64_t address, const void *bytes,
                       size_t size)
{
    memcpy(stored_at(builder, address, size), bytes, size);
}

void core_builder_peek(struct core_builder *builder, uint64_t address, void *ret_bytes, size_t size)
{
    memcpy(ret_bytes, stored_at(builder, address, size), size);
}

void core_builder_poke_u32(struct core_builder *builder, uint64_t address, uint32_t value)
{
    core_builder_poke(builder, address, &value, sizeof value);
}

void core_builder_poke_u64(struct core_builder *builder, uint64_t address, uint64_t value)
{
    core_builder_poke(builder, address, &value, sizeof value);
}

void core_builder_poke_string(struct core_builder *builder, uint64_t address, const char *string)
{
    core_builder_poke(builder, address, string, strlen(string) + 1);
}

/* ---- Notes. */

static void set_registers(uint8_t *area, const struct core_registers *registers)
{
    uint64_t words[27] = {0};
    static const unsigned char place_of_r8_up[8] = {9, 8, 7, 6, 3, 2, 1, 0};
    for (size_t i = 0; i < 8; i++)
        words[place_of_r8_up[i]] = registers->r[i];
    words[4] = registers->bp;
    words[5] = registers->bx;
    words[10] = registers->ax;
    words[11] = registers->cx;
    words[12] = registers->dx;
    words[13] = registers->si;
    words[14] = registers->di;
    words[15] = registers->original_ax;
    words[16] = registers->ip;
    words[19] = registers->sp;
    words[21] = registers->thread_pointer;
    memcpy(area, words, sizeof words);
}

void core_builder_thread(struct core_builder *builder, uint32_t tid,
                         const struct core_registers *registers)
{
    uint8_t status[392] = {0};
    size_t size = builder->machine == EM_X86_64 ? 336 : 392;
    memcpy(status + 32, &tid, sizeof tid);
    if (builder->machine == EM_X86_64) {
        set_registers(status + 112, registers);
    } else {
        memcpy(status + 112 + 8 * 31, &registers->sp, 8);
        memcpy(status + 112 + 8 * 32, &registers->ip, 8);
    }
    put_note(&builder->threads[builder->has_thread], "CORE", NT_PRSTATUS, status, size,
             (uint32_t)size);
    builder->has_thread = true;
}

void core_builder_process(struct core_builder *builder, uint32_t pid, uint32_t uid,
                          const char *program, const char *arguments)
{
    uint8_t info[136] = {0};
    uint32_t parent = 1;
    memcpy(info + 16, &uid, 4);
    memcpy(info + 20, &uid, 4);
    memcpy(info + 24, &pid, 4);
    memcpy(info + 28, &parent, 4);
    memcpy(info + 40, program, strnlen(program, 15));
    memcpy(info + 56, arguments, strnlen(arguments, 79));
    builder->process.count = 0;
    put_note(&builder->process, "CORE", NT_PRPSINFO, info, sizeof info, sizeof info);
}

static void set_signal(struct core_builder *builder, int number, int code, const void *details,
                       size_t size)
{
    uint8_t info[128] = {0};
    memcpy(info, &number, 4);
    memcpy(info + 8, &code, 4);
    memcpy(info + 16, details, size);
    builder->siginfo.count = 0;
    put_note(&builder->siginfo, "CORE", NT_SIGINFO, info, sizeof info, sizeof info);
}

void core_builder_fault(struct core_builder *builder, int number, int code, uint64_t address)
{
    set_signal(builder, number, code, &address, sizeof address);
}

void core_builder_sent(struct core_builder *builder, int number, int code, uint32_t pid,
                       uint32_t uid)
{
    uint32_t sender[2] = {pid, uid};
    set_signal(builder, number, code, sender, sizeof sender);
}

void core_builder_auxv(struct core_builder *builder, uint64_t type, uint64_t value)
{
    put_u64(&builder->auxv, type);
    put_u64(&builder->auxv, value);
}

void core_builder_file(struct core_builder *builder, uint64_t start, uint64_t end,
                       uint64_t file_offset, const char *path)
{
    struct built_file file = {start, end, file_offset, strdup(path)};
    must(file.path && array_push(&builder->files, file));
}

void core_builder_note(struct core_builder *builder, const char *name, uint32_t type,
                       const void *bytes, size_t size, uint32_t claimed)
{
    put_note(&builder->others, name, type, bytes, size, claimed);
}

/* From the top: path, environment, arguments, 16 random bytes, vector, pointers. */
void core_builder_stack(struct core_builder *builder, uint64_t top, const char *const *argv,
                        size_t argc)
{
    static const char secret[] = "SECRET=never read";
    uint64_t at = top - 8, environment, pointers[64];
    must(argc && argc < 64);
    at -= strlen(argv[0]) + 1;
    core_builder_poke_string(builder, at, argv[0]);
    core_builder_auxv(builder, AT_EXECFN, at);
    at -= sizeof secret;
    environment = at;
    core_builder_poke_string(builder, at, secret);
    for (size_t i = argc; i--;) {
        at -= strlen(argv[i]) + 1;
        pointers[i] = at;
        core_builder_poke_string(builder, at, argv[i]);
    }
    at = (at & ~UINT64_C(15)) - 48;
    core_builder_auxv(builder, AT_RANDOM, at);
    core_builder_auxv(builder, AT_NULL, 0);
    at = (at & ~UINT64_C(15)) - builder->auxv.count;
    core_builder_poke(builder, at, builder->auxv.items, builder->auxv.count);
    core_builder_poke_u64(builder, at -= 8, 0);
    core_builder_poke_u64(builder, at -= 8, environment);
    core_builder_poke_u64(builder, at -= 8, 0);
    for (size_t i = argc; i--;)
        core_builder_poke_u64(builder, at -= 8, pointers[i]);
    core_builder_poke_u64(builder, at -= 8, argc);
}

void core_builder_elf_page(struct core_builder *builder, uint64_t address, uint64_t text_size,
                           const uint8_t *build_id, size_t build_id_size)
{
    Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
                         .e_type = ET_DYN,
                         .e_machine = builder->machine,
                         .e_version = 1,
                         .e_phoff = sizeof header,
                         .e_ehsize = sizeof header,
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = build_id ? 2 : 1};
    Elf64_Phdr segments[2] = {
        {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = text_size, .p_memsz = text_size},
        {.p_type = PT_NOTE, .p_offset = 0x200}};
    struct bytes note = {0};
    if (build_id)
        put_note(&note, "GNU", NT_GNU_BUILD_ID, build_id, build_id_size, (uint32_t)build_id_size);
    segments[1].p_filesz = segments[1].p_memsz = note.count;
    core_builder_poke(builder, address, &header, sizeof header);
    core_builder_poke(builder, address + sizeof header, segments, sizeof segments);
    if (note.count)
        core_builder_poke(builder, address + 0x200, note.items, note.count);
    array_deinit(&note);
}

static void add_program_header(struct core_builder *builder, uint64_t elf_page,
                               const Elf64_Phdr *added)
{
    Elf64_Ehdr header;
    core_builder_peek(builder, elf_page, &header, sizeof header);
    core_builder_poke(builder, elf_page + sizeof header + header.e_phnum * sizeof *added, added,
                      sizeof *added);
    header.e_phnum++;
    core_builder_poke(builder, elf_page, &header, sizeof header);
}

void core_builder_elf_data(struct core_builder *builder, uint64_t elf_page, uint64_t offset,
                           uint64_t size)
{
    const Elf64_Phdr data = {.p_type = PT_LOAD,
                             .p_flags = PF_R | PF_W,
                             .p_offset = offset,
                             .p_vaddr = offset,
                             .p_memsz = size};
    add_program_header(builder, elf_page, &data);
}

/* ---- Dynamic symbols: one bucket holds them all, and the filter lets all pass. */

static uint32_t hash_name(const char *name)
{
    uint32_t hash = 5381;
    for (; *name; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash;
}

static void add_dynamic_header(struct core_builder *builder, uint64_t elf_page, uint64_t at,
                               uint64_t size)
{
    const Elf64_Phdr dynamic = {.p_type = PT_DYNAMIC,
                                .p_flags = PF_R | PF_W,
                                .p_vaddr = at - elf_page,
                                .p_filesz = size,
                                .p_memsz = size};
    add_program_header(builder, elf_page, &dynamic);
}

void core_builder_symbols(struct core_builder *builder, uint64_t elf_page, uint64_t at,
                          const struct built_symbol *symbols, size_t count)
{
    const uint64_t hash_at = at + 5 * 16, table_at = hash_at + 28 + ((4 * count + 7) & ~7u);
    uint64_t names_at = table_at + 24 * (count + 1);
    uint32_t name_offset = 1;
    const uint32_t header[7] = {1, 1, 1, 0, UINT32_MAX, UINT32_MAX, 1};
    core_builder_poke(builder, hash_at, header, sizeof header);
    for (size_t i = 0; i < count; i++) {
        Elf64_Sym symbol = {.st_name = name_offset,
                            .st_info = STT_FUNC,
                            .st_shndx = 1,
                            .st_value = symbols[i].address - elf_page,
                            .st_size = symbols[i].size};
        uint32_t hash = (hash_name(symbols[i].name) & ~1u) | (i + 1 == count);
        core_builder_poke_u32(builder, hash_at + 28 + 4 * i, hash);
        core_builder_poke(builder, table_at + 24 * (i + 1), &symbol, sizeof symbol);
        core_builder_poke_string(builder, names_at + name_offset, symbols[i].name);
        name_offset += (uint32_t)strlen(symbols[i].name) + 1;
    }
    const uint64_t dynamic[10] = {DT_GNU_HASH, hash_at,  DT_SYMTAB,   table_at, DT_STRTAB,
                                  names_at,    DT_STRSZ, name_offset, DT_NULL,  0};
    core_builder_poke(builder, at, dynamic, sizeof dynamic);
    add_dynamic_header(builder, elf_page, at, sizeof dynamic);
}

/* ---- Writing. */

void core_builder_gcore(struct core_builder *builder)
{
    builder->is_gcore = true;
}

void core_builder_extended(struct core_builder *builder)
{
    builder->is_extended = true;
}

void core_builder_machine(struct core_builder *builder, uint16_t machine)
{
    builder->machine = machine;
}

static void put_files(const struct core_builder *builder, struct bytes *notes)
{
    struct bytes table = {0};
    put_u64(&table, builder->files.count);
    put_u64(&table, PAGE);
    for (size_t i = 0; i < builder->files.count; i++) {
        put_u64(&table, builder->files.items[i].start);
        put_u64(&table, builder->files.items[i].end);
        put_u64(&table, builder->files.items[i].offset / PAGE);
    }
    for (size_t i = 0; i < builder->files.count; i++)
        put(&table, builder->files.items[i].path, strlen(builder->files.items[i].path) + 1);
    put_note(notes, "CORE", NT_FILE, table.items, table.count, (uint32_t)table.count);
    array_deinit(&table);
}

static void put_notes(const struct core_builder *builder, struct bytes *notes)
{
    if (builder->is_gcore)
        put(notes, builder->process.items, builder->process.count);
    put(notes, builder->threads[0].items, builder->threads[0].count);
    if (!builder->is_gcore)
        put(notes, builder->process.items, builder->process.count);
    put(notes, builder->siginfo.items, builder->siginfo.count);
    if (builder->auxv.count)
        put_note(notes, "CORE", NT_AUXV, builder->auxv.items, builder->auxv.count,
                 (uint32_t)builder->auxv.count);
    if (builder->files.count)
        put_files(builder, notes);
    put(notes, builder->threads[1].items, builder->threads[1].count);
    put(notes, builder->others.items, builder->others.count);
}

static uint64_t page_up(uint64_t offset)
{
    return (offset + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

/* Where the parts are in the file. */
struct built_layout {
    uint64_t notes, segments, end;
};

static struct built_layout place(const struct core_builder *builder, uint64_t notes_size)
{
    size_t count = builder->segments.count + 1;
    struct built_layout layout = {.notes = sizeof(Elf64_Ehdr) + count * sizeof(Elf64_Phdr)};
    layout.segments = page_up(layout.notes + (builder->is_gcore ? 0 : notes_size));
    layout.end = layout.segments;
    for (size_t i = 0; i < builder->segments.count; i++)
        layout.end += page_up(builder->segments.items[i].stored);
    if (builder->is_gcore)
        layout.notes = layout.end;
    return layout;
}

static void put_headers(const struct core_builder *builder, uint64_t notes_size,
                        const struct built_layout *layout, struct bytes *core)
{
    bool is_extended = builder->is_extended;
    uint64_t offset = layout->segments;
    Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
                         .e_type = ET_CORE,
                         .e_machine = builder->machine,
                         .e_version = 1,
                         .e_phoff = sizeof header,
                         .e_ehsize = sizeof header,
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = is_extended ? PN_XNUM : (uint16_t)(builder->segments.count + 1),
                         .e_shentsize = is_extended ? sizeof(Elf64_Shdr) : 0,
                         .e_shnum = is_extended,
                         .e_shoff = is_extended ? layout->end : 0};
    Elf64_Phdr note = {
        .p_type = PT_NOTE, .p_offset = layout->notes, .p_filesz = notes_size, .p_align = 4};
    put(core, &header, sizeof header);
    put(core, &note, sizeof note);
    for (size_t i = 0; i < builder->segments.count; i++) {
        const struct built_segment *segment = &builder->segments.items[i];
        Elf64_Phdr load = {.p_type = PT_LOAD,
                           .p_offset = offset,
                           .p_vaddr = segment->address,
                           .p_filesz = segment->stored,
                           .p_memsz = segment->size,
                           .p_flags = segment->flags,
                           .p_align = PAGE};
        put(core, &load, sizeof load);
        offset += page_up(segment->stored);
    }
}

static void pad_page(struct bytes *bytes)
{
    grow(bytes, -bytes->count & (PAGE - 1));
}

uint8_t *core_builder_bytes(struct core_builder *builder, size_t *ret_size)
{
    struct bytes core = {0}, notes = {0};
    put_notes(builder, &notes);
    struct built_layout layout = place(builder, notes.count);
    put_headers(builder, notes.count, &layout, &core);
    if (!builder->is_gcore)
        put(&core, notes.items, notes.count);
    for (size_t i = 0; i < builder->segments.count; i++) {
        pad_page(&core);
        put(&core, builder->segments.items[i].bytes, (size_t)builder->segments.items[i].stored);
    }
    if (builder->is_gcore || builder->is_extended)
        pad_page(&core);
    if (builder->is_gcore)
        put(&core, notes.items, notes.count);
    Elf64_Shdr extension = {.sh_info = (uint32_t)builder->segments.count + 1, .sh_size = 1};
    if (builder->is_extended)
        put(&core, &extension, sizeof extension);
    array_deinit(&notes);
    *ret_size = core.count;
    return core.items;
}

void core_builder_input(struct core_builder *builder, size_t keep, struct input_file *ret_input)
{
    size_t size;
    uint8_t *bytes = core_builder_bytes(builder, &size);
    if (keep && keep < size)
        size = keep;
    /* an exact copy, so that the sanitizers see a read past its end */
    uint8_t *exact = malloc(size);
    must(exact);
    memcpy(exact, bytes, size);
    free(bytes);
    *ret_input = (struct input_file){
        .name = "test.core", .data = exact, .size = size, .stored_size = size, .fd = -1};
}

void input_bytes_free(struct input_file *input)
{
    free((void *)(uintptr_t)input->data);
    input->data = NULL;
}

void core_builder_write(struct core_builder *builder, const char *path)
{
    size_t size;
    uint8_t *bytes = core_builder_bytes(builder, &size);
    FILE *file = fopen(path, "wb");
    must(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
    free(bytes);
}
