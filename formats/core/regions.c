/* SPDX-License-Identifier: Apache-2.0 */
/* What each segment was for, told by what backs it and what points into it. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "formats/core/core_parts.h"
#include "inquest/base/checked_math.h"
#include "inquest/base/cleanup.h"

/* The kernel puts the heap at most this far behind the program (32 MiB, 1 GiB
 * from Linux 6.x on), at random. */
#define HEAP_DISTANCE_MAX ((UINT64_C(1) << 30) + (UINT64_C(64) << 20))
#define KERNEL_HALF       (UINT64_C(1) << 63)

static const char *const region_names[CORE_REGION_COUNT] = {
    [CORE_REGION_PROGRAM_TEXT] = "main program: code and constants",
    [CORE_REGION_PROGRAM_DATA] = "main program: data",
    [CORE_REGION_LIBRARY_TEXT] = "libraries: code and constants",
    [CORE_REGION_LIBRARY_DATA] = "libraries: data",
    [CORE_REGION_MAPPED_FILES] = "mapped files",
    [CORE_REGION_HEAP] = "heap (brk)",
    [CORE_REGION_MAIN_STACK] = "main thread's stack",
    [CORE_REGION_THREAD_STACK] = "thread stacks",
    [CORE_REGION_ANONYMOUS] = "anonymous mappings",
    [CORE_REGION_RESERVED] = "reserved, no access",
    [CORE_REGION_KERNEL] = "kernel pages (vdso, vvar, vsyscall)",
};

const char *core_region_name(enum core_region region)
{
    return region < CORE_REGION_COUNT ? region_names[region] : "unknown";
}

static bool contains(const struct core_segment *segment, uint64_t address)
{
    return address - segment->address < segment->size;
}

static bool is_anonymous(const struct core_segment *segment)
{
    return segment->mapping == CORE_NO_INDEX;
}

static enum core_region region_of_file(const struct core_dump *core,
                                       const struct core_segment *segment)
{
    uint32_t file = core->mappings.items[segment->mapping].file;
    bool is_data = segment->flags & PF_W;
    if (file == core->program_file)
        return is_data ? CORE_REGION_PROGRAM_DATA : CORE_REGION_PROGRAM_TEXT;
    if (core->files.items[file].is_program)
        return is_data ? CORE_REGION_LIBRARY_DATA : CORE_REGION_LIBRARY_TEXT;
    return CORE_REGION_MAPPED_FILES;
}

/* .bss goes on, anonymous, where the written data of a program ends. */
static bool may_be_bss(const struct core_segment *segment, const struct core_segment *before)
{
    return before && is_anonymous(segment) && (segment->flags & PF_W) && !is_anonymous(before) &&
           (before->flags & PF_W) && before->address + before->size == segment->address;
}

/* Where the .bss that `segment` begins with would end. */
static uint64_t bss_end(const struct core_dump *core, const struct core_segment *before,
                        const struct core_segment *segment)
{
    uint64_t end = core->files.items[core->mappings.items[before->mapping].file].data_end;
    return end ? end : segment->address + segment->size;
}

static bool is_bss(const struct core_dump *core, const struct core_segment *segment,
                   const struct core_segment *before)
{
    return may_be_bss(segment, before) &&
           (before->region == CORE_REGION_PROGRAM_DATA ||
            before->region == CORE_REGION_LIBRARY_DATA) &&
           bss_end(core, before, segment) > segment->address;
}

/* What was mapped right behind a .bss is one segment with it: it becomes one of its own. */
static bool split_from_bss(struct core_dump *core)
{
    for (size_t i = 1; i < core->segments.count; i++) {
        struct core_segment *segment = &core->segments.items[i];
        uint64_t first = may_be_bss(segment, segment - 1)
                             ? bss_end(core, segment - 1, segment) - segment->address
                             : 0;
        if (!first || first >= segment->size) /* wraps where there is no .bss */
            continue;
        if (!array_reserve(&core->segments, 1))
            return false;
        segment = &core->segments.items[i];
        memmove(segment + 1, segment, (core->segments.count++ - i) * sizeof *segment);
        segment->size = first;
        segment->claimed = min_u64(segment->claimed, first);
        segment->stored = min_u64(segment->stored, first);
        segment[1].address += segment->size;
        segment[1].size -= segment->size;
        segment[1].offset += segment->claimed;
        segment[1].claimed -= segment->claimed;
        segment[1].stored -= segment->stored;
        if (!segment[1].stored)
            segment[1].offset = 0; /* so that nothing points outside */
    }
    return true;
}

static void mark_programs(struct core_dump *core)
{
    for (size_t i = 0; i < core->files.count; i++)
        core->files.items[i].is_program = core->files.items[i].is_elf;
    for (size_t i = 0; i < core->segments.count; i++) {
        const struct core_segment *segment = &core->segments.items[i];
        if (!is_anonymous(segment) && (segment->flags & PF_X))
            core->files.items[core->mappings.items[segment->mapping].file].is_program = true;
    }
}

static void classify_simple(struct core_dump *core)
{
    for (size_t i = 0; i < core->segments.count; i++) {
        struct core_segment *segment = &core->segments.items[i];
        if (segment->address >= KERNEL_HALF || (core->vdso && contains(segment, core->vdso)))
            segment->region = CORE_REGION_KERNEL;
        else if (!is_anonymous(segment))
            segment->region = region_of_file(core, segment);
        else if (is_bss(core, segment, i ? segment - 1 : NULL))
            segment->region = segment[-1].region;
        else
            segment->region = segment->flags ? CORE_REGION_ANONYMOUS : CORE_REGION_RESERVED;
    }
}

/* vvar lies right below the vdso, readable and never stored. */
static void classify_vvar(struct core_dump *core)
{
    const struct core_segment *vdso = core->vdso ? core_find_segment(core, core->vdso) : NULL;
    if (!vdso)
        return;
    for (size_t i = (size_t)(vdso - core->segments.items); i; i--) {
        struct core_segment *below = &core->segments.items[i - 1];
        if (!is_anonymous(below) || below->claimed || below->flags != PF_R ||
            below->address + below->size != core->segments.items[i].address)
            return;
        below->region = CORE_REGION_KERNEL;
    }
}

static void classify_heap(struct core_dump *core)
{
    uint64_t end = 0;
    for (size_t i = 0; i < core->segments.count; i++) {
        struct core_segment *segment = &core->segments.items[i];
        bool of_program = segment->region == CORE_REGION_PROGRAM_TEXT ||
                          segment->region == CORE_REGION_PROGRAM_DATA;
        if (of_program) {
            end = segment->address + segment->size;
        } else if (end && segment->region != CORE_REGION_RESERVED) {
            if (is_anonymous(segment) && segment->region == CORE_REGION_ANONYMOUS &&
                (segment->flags & PF_W) && segment->address - end <= HEAP_DISTANCE_MAX)
                segment->region = CORE_REGION_HEAP;
            return;
        }
    }
}

static int compare_addresses(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static void set_stack(struct core_segment *segment, enum core_region region)
{
    if (segment->region == CORE_REGION_ANONYMOUS && (segment->flags & PF_W))
        segment->region = region;
}

/* From its pointer on no stack is all zeros. gdb writes them where it can't read, and one
 * guard page that the kernel doesn't tell of, as glibc has them from 2.42 on, is enough. */
static void drop_blank_stack(const struct core_dump *core, struct core_segment *segment,
                             uint64_t stack_pointer)
{
    uint64_t size;
    const uint8_t *bytes = core_stored_bytes(core, stack_pointer, &size);
    if (!bytes || segment->stored < segment->size || bytes[0] ||
        memcmp(bytes, bytes + 1, size - 1) != 0)
        return;
    segment->is_blank = true;
    segment->claimed = segment->stored = 0;
}

static void classify_stacks(struct core_dump *core, const uint64_t *stack_pointers)
{
    size_t next = 0, count = core->threads.count;
    for (size_t i = 0; i < core->segments.count; i++) {
        struct core_segment *segment = &core->segments.items[i];
        if (core->exec_name_addr && contains(segment, core->exec_name_addr))
            set_stack(segment, CORE_REGION_MAIN_STACK);
        while (next < count && stack_pointers[next] < segment->address)
            next++;
        if (next < count && contains(segment, stack_pointers[next])) {
            set_stack(segment, CORE_REGION_THREAD_STACK);
            drop_blank_stack(core, segment, stack_pointers[next]);
        }
    }
}

enum status core_classify_segments(struct core_parse *parse, struct error *err)
{
    struct core_dump *core = parse->core;
    size_t count = core->threads.count;
    CLEANUP_FREE uint64_t *stack_pointers = calloc(count + 1, sizeof *stack_pointers);
    if (!stack_pointers)
        return error_set(err, STATUS_NO_MEMORY, "out of memory for the stacks");
    for (size_t i = 0; i < count; i++)
        stack_pointers[i] = core->threads.items[i].registers.sp;
    if (!split_from_bss(core))
        return error_set(err, STATUS_NO_MEMORY, "out of memory for the segments");
    qsort(stack_pointers, count, sizeof *stack_pointers, compare_addresses);
    mark_programs(core);
    classify_simple(core);
    classify_vvar(core);
    classify_heap(core);
    classify_stacks(core, stack_pointers);
    return STATUS_OK;
}
