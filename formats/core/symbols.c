/* SPDX-License-Identifier: Apache-2.0 */
/* Symbols and sections of the mapped programs and libraries.
 *
 *   Elf64_Sym     OFFSET SIZE MEANING
 *                      0    4 st_name     4  1 st_info    6 2 st_shndx
 *                      8    8 st_value   16  8 st_size
 *   DT_GNU_HASH        0    4 buckets     4  4 first symbol hashed
 *                      8    4 words of the filter, 8 bytes each
 *                     12    4 shift of the filter
 *                     16      filter, buckets (4 bytes each), one hash (4 bytes) for
 *                             each symbol; its lowest bit ends a bucket's chain */
#include <elf.h>
#include <string.h>

#include "formats/core/image.h"
#include "inquest/base/bytes_reader.h"
#include "inquest/base/checked_math.h"

#define DYNAMIC_ENTRIES_MAX 4096u
#define CHAIN_MAX           65536u
#define SEGMENTS_MAX        256u
#define SYMBOL_BYTES        24u
/* Of a file: real ones have tens of sections and two tables. Keeps a forged one cheap. */
#define SECTIONS_MAX      65536u
#define SYMBOL_TABLES_MAX 8u

struct symbol_value {
    uint64_t value, size;
};

static bool is_usable_symbol(const uint8_t *symbol)
{
    unsigned type = symbol[4] & 0xF;
    return load_u16(symbol + 6) != SHN_UNDEF && type != STT_TLS && type != STT_SECTION &&
           type != STT_FILE;
}

/* ---- Dynamic symbols, read from the dead process's memory: a table that the
 * loader made, in the core; the rest there too or in the file. */

/* The loader of glibc turns the table's addresses into run-time ones, where it can. */
static uint64_t at_run_time(uint64_t address, uint64_t bias)
{
    return address < bias ? address + bias : address;
}

static void read_dynamic_entry(struct dynamic_table *table, uint64_t tag, uint64_t value,
                               uint64_t bias)
{
    switch (tag) {
    case DT_SYMTAB: table->symbols = at_run_time(value, bias); break;
    case DT_STRTAB: table->strings = at_run_time(value, bias); break;
    case DT_STRSZ: table->strings_size = value; break;
    case DT_GNU_HASH: table->gnu_hash = at_run_time(value, bias); break;
    }
}

static void read_dynamic(const struct memory_image *image, uint64_t address, uint64_t size,
                         uint64_t bias, struct dynamic_table *table)
{
    uint64_t count = min_u64(size / 16, DYNAMIC_ENTRIES_MAX);
    for (uint64_t i = 0; i < count; i++) {
        uint8_t entry[16];
        if (memory_read(image, address + 16 * i, entry, sizeof entry) != STATUS_OK ||
            load_u64(entry) == DT_NULL)
            break;
        read_dynamic_entry(table, load_u64(entry), load_u64(entry + 8), bias);
    }
    table->is_known = table->symbols && table->strings && table->gnu_hash;
}

/* The ELF header: of the file at hand, else the page in the core. */
static bool find_header(const struct memory_image *image, uint32_t index, struct elf_view *ret_view,
                        uint64_t *ret_bias)
{
    const struct image_file *file = image_file_at_hand(image, index);
    const struct core_file *known = &image->core->files.items[index];
    if (file) {
        *ret_view = file->view;
        *ret_bias = file->bias;
        return true;
    }
    uint64_t size;
    const uint8_t *bytes =
        known->is_elf ? core_stored_bytes(image->core, known->header, &size) : NULL;
    *ret_bias = known->bias;
    return bytes && elf_view_init(ret_view, bytes, size, NULL) == STATUS_OK;
}

static struct dynamic_table find_dynamic(const struct memory_image *image, uint32_t index)
{
    struct dynamic_table table = {0};
    struct elf_view view;
    struct elf_segment segment;
    uint64_t bias;
    if (!find_header(image, index, &view, &bias))
        return table;
    for (uint32_t i = 0; i < SEGMENTS_MAX && elf_view_segment(&view, i, &segment); i++) {
        if (segment.type == PT_DYNAMIC) {
            read_dynamic(image, segment.address + bias, segment.size, bias, &table);
            break;
        }
    }
    return table;
}

static const struct dynamic_table *dynamic_of(const struct memory_image *image, uint32_t index)
{
    struct image_file *state = &image->files[index];
    if (!atomic_load_explicit(&state->is_dynamic_settled, memory_order_acquire)) {
        struct dynamic_table table = find_dynamic(image, index);
        pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&image->lock;
        pthread_mutex_lock(lock);
        if (!atomic_load_explicit(&state->is_dynamic_settled, memory_order_relaxed)) {
            state->dynamic = table;
            atomic_store_explicit(&state->is_dynamic_settled, true, memory_order_release);
        }
        pthread_mutex_unlock(lock);
    }
    return &state->dynamic;
}

static uint32_t gnu_hash(const char *name)
{
    uint32_t hash = 5381;
    for (const unsigned char *c = (const unsigned char *)name; *c; c++)
        hash = hash * 33 + *c;
    return hash;
}

static bool name_is(const struct memory_image *image, const struct dynamic_table *table,
                    uint32_t offset, const char *name)
{
    size_t size = strlen(name) + 1;
    if (table->strings_size &&
        (offset >= table->strings_size || size > table->strings_size - offset))
        return false;
    const uint8_t *bytes = memory_view(image, table->strings + offset, size);
    return bytes && !memcmp(bytes, name, size);
}

static bool symbol_is(const struct memory_image *image, const struct dynamic_table *table,
                      uint32_t index, const char *name, struct symbol_value *ret)
{
    uint8_t symbol[SYMBOL_BYTES];
    if (memory_read(image, table->symbols + (uint64_t)SYMBOL_BYTES * index, symbol,
                    sizeof symbol) != STATUS_OK ||
        !is_usable_symbol(symbol) || !name_is(image, table, load_u32(symbol), name))
        return false;
    *ret = (struct symbol_value){load_u64(symbol + 8), load_u64(symbol + 16)};
    return true;
}

static bool walk_chain(const struct memory_image *image, const struct dynamic_table *table,
                       uint64_t hashes, uint32_t first, uint32_t index, const char *name,
                       struct symbol_value *ret)
{
    uint32_t wanted = gnu_hash(name), hash;
    for (unsigned steps = 0; steps < CHAIN_MAX && index >= first; steps++, index++) {
        if (memory_read_u32(image, hashes + 4 * (uint64_t)(index - first), &hash) != STATUS_OK)
            return false;
        if ((hash | 1) == (wanted | 1) && symbol_is(image, table, index, name, ret))
            return true;
        if (hash & 1)
            return false;
    }
    return false;
}

static bool find_dynamic_symbol(const struct memory_image *image, const struct dynamic_table *table,
                                const char *name, struct symbol_value *ret)
{
    uint8_t header[16];
    uint64_t filter;
    uint32_t index, hash = gnu_hash(name);
    if (!table->is_known || memory_read(image, table->gnu_hash, header, sizeof header) != STATUS_OK)
        return false;
    uint32_t buckets = load_u32(header), first = load_u32(header + 4);
    uint32_t words = load_u32(header + 8), shift = load_u32(header + 12);
    if (!buckets || !words || (words & (words - 1)) || shift > 31)
        return false;
    uint64_t filter_at = table->gnu_hash + 16, buckets_at = filter_at + 8 * (uint64_t)words;
    if (memory_read_u64(image, filter_at + 8 * (uint64_t)(hash / 64 & (words - 1)), &filter) !=
            STATUS_OK ||
        !(filter >> (hash & 63) & 1) || !(filter >> (hash >> shift & 63) & 1) ||
        memory_read_u32(image, buckets_at + 4 * (uint64_t)(hash % buckets), &index) != STATUS_OK)
        return false;
    return walk_chain(image, table, buckets_at + 4 * (uint64_t)buckets, first, index, name, ret);
}

/* ---- Symbols of the file's sections. */

static bool scan_table(const struct elf_view *view, const struct elf_section *section,
                       const char *name, struct symbol_value *ret)
{
    struct elf_section strings;
    const uint8_t *symbols = elf_view_section_bytes(view, section), *names;
    if (!symbols || section->entry_size < SYMBOL_BYTES ||
        !elf_view_section(view, section->link, &strings) ||
        !(names = elf_view_section_bytes(view, &strings)))
        return false;
    size_t size = strlen(name) + 1;
    for (uint64_t at = 0; section->size - at >= SYMBOL_BYTES;) {
        uint32_t offset = load_u32(symbols + at);
        if (offset < strings.size && size <= strings.size - offset &&
            !memcmp(names + offset, name, size) && is_usable_symbol(symbols + at)) {
            *ret = (struct symbol_value){load_u64(symbols + at + 8), load_u64(symbols + at + 16)};
            return true;
        }
        if (section->size - at < section->entry_size)
            break;
        at += section->entry_size;
    }
    return false;
}

static bool find_section_symbol(const struct elf_view *view, const char *name,
                                struct symbol_value *ret)
{
    static const uint32_t types[] = {SHT_SYMTAB, SHT_DYNSYM};
    struct elf_section section;
    unsigned tables = 0;
    for (size_t t = 0; t < 2; t++) {
        for (uint32_t i = 0; i < SECTIONS_MAX && elf_view_section(view, i, &section); i++) {
            if (section.type != types[t])
                continue;
            if (++tables > SYMBOL_TABLES_MAX)
                return false;
            if (scan_table(view, &section, name, ret))
                return true;
        }
    }
    return false;
}

/* ---- What is asked. */

static bool base_name_begins(const char *path, const char *prefix)
{
    const char *slash = strrchr(path, '/');
    return !strncmp(slash ? slash + 1 : path, prefix, strlen(prefix));
}

static bool find_in_file(const struct memory_image *image, uint32_t index, const char *name,
                         uint64_t *ret_address, uint64_t *ret_size)
{
    struct symbol_value symbol;
    const struct image_file *file = image_file_at_hand(image, index);
    if (!find_dynamic_symbol(image, dynamic_of(image, index), name, &symbol) &&
        !(file && find_section_symbol(&file->view, name, &symbol)))
        return false;
    *ret_address = symbol.value + image->files[index].bias;
    *ret_size = symbol.size;
    return true;
}

enum status memory_find_symbol(const struct memory_image *image, const char *file_prefix,
                               const char *symbol, uint64_t *ret_address, uint64_t *ret_size)
{
    for (size_t i = 0; i < image->search_count; i++) {
        uint32_t index = image->search_order[i];
        const char *path = image->core->files.items[index].path;
        if ((!file_prefix || base_name_begins(path, file_prefix)) &&
            find_in_file(image, index, symbol, ret_address, ret_size))
            return STATUS_OK;
    }
    return STATUS_NOT_IN_DUMP;
}

enum status memory_find_section(const struct memory_image *image, const char *section,
                                uint64_t *ret_address, uint64_t *ret_size)
{
    for (size_t i = 0; i < image->search_count; i++) {
        const struct image_file *file = image_file_at_hand(image, image->search_order[i]);
        struct elf_section found;
        for (uint32_t s = 0; file && s < SECTIONS_MAX && elf_view_section(&file->view, s, &found);
             s++) {
            const char *name = elf_view_section_name(&file->view, &found);
            if (name && (found.flags & SHF_ALLOC) && !strcmp(name, section)) {
                *ret_address = found.address + file->bias;
                *ret_size = found.size;
                return STATUS_OK;
            }
        }
    }
    return STATUS_NOT_IN_DUMP;
}
