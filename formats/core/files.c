/* SPDX-License-Identifier: Apache-2.0 */
/* From the mappings of NT_FILE to files: the mappings of one path together, and
 * of programs and libraries the build id and the load bias, from the first page
 * of each, which the kernel dumps unless coredump_filter says otherwise. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "formats/core/core_parts.h"
#include "inquest/base/checked_math.h"
#include "inquest/base/cleanup.h"
#include "inquest/base/limits.h"
#include "inquest/base/partition_point.h"

#define PAGE_MASK  (~UINT64_C(0xFFF))
#define CANDIDATES 8 /* mappings of a file's start that are looked at */

/* A mapping to be sorted by file. */
struct named_mapping {
    const char *path;
    uint64_t start;
    uint32_t mapping;
    bool deleted;
};

static int compare_names(const struct named_mapping *a, const struct named_mapping *b)
{
    int order = a->path == b->path ? 0 : strcmp(a->path, b->path);
    return order ? order : (int)a->deleted - (int)b->deleted;
}

static int compare_named(const void *left, const void *right)
{
    const struct named_mapping *a = left, *b = right;
    int order = compare_names(a, b);
    if (order)
        return order;
    return a->start < b->start ? -1 : a->start > b->start;
}

/* ---- One file's ELF header page. */

/* Whether a mapping of the group is where `bias` puts the code. A copy of the
 * file that was merely mapped to be read has none. */
static bool bias_fits(const struct core_dump *core, const struct elf_view *view, uint64_t bias,
                      const struct named_mapping *group, size_t count)
{
    struct elf_segment segment;
    for (uint32_t i = 0; i < 64 && elf_view_segment(view, i, &segment); i++) {
        if (segment.type != PT_LOAD || !(segment.flags & PF_X))
            continue;
        uint64_t address = (segment.address & PAGE_MASK) + bias;
        size_t low;
        PARTITION_POINT(low, count, group[low].start < address);
        return low < count && group[low].start == address &&
               core->mappings.items[group[low].mapping].file_offset == (segment.offset & PAGE_MASK);
    }
    return false;
}

static bool view_mapping(const struct core_dump *core, const struct core_mapping *mapping,
                         struct elf_view *ret_view)
{
    uint64_t size;
    const uint8_t *bytes = core_stored_bytes(core, mapping->start, &size);
    return bytes && elf_view_init(ret_view, bytes, size, NULL) == STATUS_OK;
}

/* Behind the last page that the program headers ask for; 0 where none is to be written. */
static uint64_t data_end(const struct elf_view *view, uint64_t bias)
{
    struct elf_segment segment;
    uint64_t last = 0, end;
    for (uint32_t i = 0; i < 64 && elf_view_segment(view, i, &segment); i++) {
        if (segment.type == PT_LOAD && segment.flags & PF_W &&
            checked_add_u64(segment.address, segment.size, &end))
            last = max_u64(last, end);
    }
    return last ? (last + bias + ~PAGE_MASK) & PAGE_MASK : 0;
}

static void read_elf_header(const struct core_dump *core, const struct named_mapping *group,
                            size_t count, struct core_file *file)
{
    unsigned candidates = 0;
    for (size_t i = 0; i < count && candidates < CANDIDATES; i++) {
        const struct core_mapping *mapping = &core->mappings.items[group[i].mapping];
        struct elf_view view;
        uint64_t address, bias;
        if (mapping->file_offset || !view_mapping(core, mapping, &view) ||
            !elf_view_address(&view, 0, &address))
            continue;
        candidates++;
        bias = mapping->start - address;
        bool fits = bias_fits(core, &view, bias, group, count);
        if (file->is_elf && !fits)
            continue;
        file->is_elf = true;
        file->bias = bias;
        file->header = mapping->start;
        file->data_end = fits ? data_end(&view, bias) : 0;
        file->build_id_size = elf_view_build_id(&view, file->build_id);
        if (fits)
            return;
    }
}

/* ---- Grouping. */

/* Files as they are found, by name, to be sorted by address. */
struct found_file {
    struct core_file file;
    uint32_t number; /* in order of names */
};
struct found_files {
    struct found_file *items;
    size_t count, capacity;
};

static int compare_found(const void *left, const void *right)
{
    const struct found_file *a = left, *b = right;
    if (a->file.start != b->file.start)
        return a->file.start < b->file.start ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static bool add_file(struct core_dump *core, struct found_files *found,
                     const struct named_mapping *group, size_t count)
{
    struct found_file next = {.number = (uint32_t)found->count};
    next.file.path = group[0].path;
    next.file.start = group[0].start;
    next.file.deleted = group[0].deleted;
    for (size_t i = 0; i < count; i++) {
        struct core_mapping *mapping = &core->mappings.items[group[i].mapping];
        next.file.end = max_u64(next.file.end, mapping->end);
        mapping->file = next.number; /* turned into the index once all are sorted */
    }
    read_elf_header(core, group, count, &next.file);
    return array_push(found, next);
}

static bool find_files(struct core_dump *core, struct named_mapping *named, size_t count,
                       struct found_files *found)
{
    for (size_t i = 0; i < count; i++) {
        const struct core_mapping *mapping = &core->mappings.items[i];
        named[i] =
            (struct named_mapping){mapping->path, mapping->start, (uint32_t)i, mapping->deleted};
    }
    qsort(named, count, sizeof *named, compare_named);
    for (size_t start = 0, end; start < count; start = end) {
        for (end = start + 1; end < count && !compare_names(&named[start], &named[end]);)
            end++;
        if (!add_file(core, found, named + start, end - start))
            return false;
    }
    return true;
}

static bool keep_files(struct core_dump *core, const struct found_files *found)
{
    CLEANUP_FREE uint32_t *index_of = calloc(found->count, sizeof *index_of);
    if (!index_of || !array_reserve(&core->files, found->count))
        return false;
    for (size_t i = 0; i < found->count; i++) {
        index_of[found->items[i].number] = (uint32_t)i;
        core->files.items[core->files.count++] = found->items[i].file;
    }
    for (size_t i = 0; i < core->mappings.count; i++)
        core->mappings.items[i].file = index_of[core->mappings.items[i].file];
    return true;
}

enum status core_group_files(struct core_parse *parse, struct error *err)
{
    struct core_dump *core = parse->core;
    size_t count = core->mappings.count;
    if (!count)
        return STATUS_OK;
    CLEANUP_FREE struct named_mapping *named = calloc(count, sizeof *named);
    struct found_files found = {0};
    bool fine = named && find_files(core, named, count, &found);
    if (fine) {
        qsort(found.items, found.count, sizeof *found.items, compare_found);
        fine = keep_files(core, &found);
    }
    array_deinit(&found);
    return fine ? STATUS_OK
                : error_set(err, STATUS_NO_MEMORY, "out of memory for the mapped files");
}

/* ---- The main program. */

static uint32_t file_at(const struct core_dump *core, uint64_t address)
{
    if (!address)
        return CORE_NO_INDEX;
    const struct core_mapping *mapping = core_find_mapping(core, address);
    return mapping ? mapping->file : CORE_NO_INDEX;
}

/* AT_EXECFN: the path given to execve; of a script, the script's. */
static const char *exec_name(struct core_parse *parse)
{
    uint64_t size;
    const uint8_t *bytes = core_stored_bytes(parse->core, parse->core->exec_name_addr, &size);
    if (!bytes || !parse->core->exec_name_addr)
        return NULL;
    const uint8_t *end = memchr(bytes, 0, (size_t)min_u64(size, LIMIT_C_STRING_BYTES));
    return end && end > bytes ? core_text(parse, bytes, (size_t)(end - bytes)) : NULL;
}

void core_find_program(struct core_parse *parse)
{
    struct core_dump *core = parse->core;
    uint32_t file = file_at(core, core->entry);
    if (file == CORE_NO_INDEX)
        file = file_at(core, core->program_headers);
    const char *name = exec_name(parse);
    for (size_t i = 0; name && file == CORE_NO_INDEX && i < core->files.count; i++) {
        if (!strcmp(core->files.items[i].path, name))
            file = (uint32_t)i;
    }
    core->program_file = file;
    core->executable = file == CORE_NO_INDEX ? name : core->files.items[file].path;
}

const struct core_mapping *core_find_mapping(const struct core_dump *core, uint64_t address)
{
    size_t low;
    PARTITION_POINT(low, core->mappings.count, core->mappings.items[low].start <= address);
    if (!low || address >= core->mappings.items[low - 1].end)
        return NULL;
    return &core->mappings.items[low - 1];
}
