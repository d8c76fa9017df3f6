/* SPDX-License-Identifier: Apache-2.0 */
/* What the core lacks, in words: cut off, or never dumped. */
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "formats/core/core_parts.h"
#include "inquest/base/checked_math.h"

#define NAMES_MAX 5 /* parts that a message names */
/* Fewer bytes than these, mapped and never written to, are in most processes. */
#define UNTOUCHED_USUAL ((uint64_t)64 << 10)

/* Segments with something in common, summed up. */
struct lack {
    uint64_t bytes, segments, lowest;
    char names[400]; /* "heap (brk), libc.so.6, ..." */
    unsigned named;
    const char *more; /* after the names */
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* A thread whose stack this is; NULL where there is none. */
static const struct core_thread *thread_in(const struct core_dump *core,
                                           const struct core_segment *segment)
{
    for (size_t i = 0; i < core->threads.count; i++) {
        if (core->threads.items[i].registers.sp - segment->address < segment->size)
            return &core->threads.items[i];
    }
    return NULL;
}

static void describe(const struct core_dump *core, const struct core_segment *segment, char *name,
                     size_t size)
{
    const struct core_thread *thread;
    if (segment->region == CORE_REGION_MAIN_STACK || segment->region == CORE_REGION_HEAP)
        snprintf(name, size, "%s", core_region_name(segment->region));
    else if (segment->region == CORE_REGION_THREAD_STACK && (thread = thread_in(core, segment)))
        snprintf(name, size, "stack of thread %u", thread->tid);
    else if (segment->mapping != CORE_NO_INDEX)
        snprintf(name, size, "%.60s", base_name(core->mappings.items[segment->mapping].path));
    else
        snprintf(name, size, "memory at 0x%llx", (unsigned long long)segment->address);
}

static void lack_add(const struct core_dump *core, struct lack *lack,
                     const struct core_segment *segment, uint64_t bytes)
{
    lack->segments++;
    lack->bytes += bytes;
    lack->lowest = min_u64(lack->lowest, segment->address + segment->stored);
    if (lack->named == NAMES_MAX) {
        lack->more = ", ...";
        return;
    }
    char name[80];
    describe(core, segment, name, sizeof name);
    size_t used = strlen(lack->names), length = strlen(name);
    if (used >= length && !strcmp(lack->names + used - length, name))
        return;
    snprintf(lack->names + used, sizeof lack->names - used, "%s%s", used ? ", " : "", name);
    lack->named++;
}

/* Stacks first, then the heap, then the rest: what a reader misses most. */
static unsigned importance(enum core_region region)
{
    if (region == CORE_REGION_MAIN_STACK || region == CORE_REGION_THREAD_STACK)
        return 0;
    return region == CORE_REGION_HEAP ? 1 : 2;
}

static struct lack sum_up(const struct core_dump *core,
                          uint64_t (*lacking)(const struct core_segment *segment))
{
    struct lack lack = {.lowest = UINT64_MAX, .more = ""};
    for (unsigned rank = 0; rank < 3; rank++) {
        for (size_t i = 0; i < core->segments.count; i++) {
            const struct core_segment *segment = &core->segments.items[i];
            uint64_t bytes = importance(segment->region) == rank ? lacking(segment) : 0;
            if (bytes)
                lack_add(core, &lack, segment, bytes);
        }
    }
    return lack;
}

static uint64_t cut_off(const struct core_segment *segment)
{
    return segment->claimed - segment->stored;
}

/* Stacks and the heap are always written to: without a byte they were filtered. */
static uint64_t filtered(const struct core_segment *segment)
{
    bool is_needed = importance(segment->region) < 2;
    return is_needed && !segment->claimed && !segment->is_blank ? segment->size : 0;
}

static uint64_t blank(const struct core_segment *segment)
{
    return segment->is_blank ? segment->size : 0;
}

static uint64_t not_dumped(const struct core_segment *segment)
{
    bool writable = segment->mapping == CORE_NO_INDEX && (segment->flags & PF_W);
    return writable && importance(segment->region) == 2 ? segment->size - segment->claimed : 0;
}

static void tell_cut(struct core_parse *parse)
{
    struct lack lack = sum_up(parse->core, cut_off);
    if (parse->expected_size <= parse->elf.size)
        return;
    if (!lack.bytes) {
        core_warn(parse, "core", "the core is cut short: %s of %s bytes are there",
                  group_digits(parse->elf.size).text, group_digits(parse->expected_size).text);
        return;
    }
    core_warn(parse, "core",
              "the core is cut short: %s of %s bytes are there; %s bytes of memory, from 0x%llx "
              "on, are missing (%s%s)",
              group_digits(parse->elf.size).text, group_digits(parse->expected_size).text,
              group_digits(lack.bytes).text, (unsigned long long)lack.lowest, lack.names,
              lack.more);
}

void core_tell_missing(struct core_parse *parse)
{
    tell_cut(parse);
    struct lack lack = sum_up(parse->core, filtered);
    if (lack.segments)
        core_warn(parse, "memory",
                  "%s bytes that every process writes to were left out of the core: %s%s; see "
                  "/proc/PID/coredump_filter, bit 0",
                  group_digits(lack.bytes).text, lack.names, lack.more);
    lack = sum_up(parse->core, blank);
    if (lack.segments)
        core_warn(parse, "memory",
                  "%s bytes are zeros in the core, which in use they can't be: %s%s; gdb writes so "
                  "what it can't read, as the guard pages of glibc from 2.42 on: a core by the "
                  "kernel has them",
                  group_digits(lack.bytes).text, lack.names, lack.more);
    lack = sum_up(parse->core, not_dumped);
    if (lack.bytes >= UNTOUCHED_USUAL)
        core_warn(parse, "memory",
                  "%s bytes of writable memory, from 0x%llx on, are not in the core: never written "
                  "to, or left out by coredump_filter or MADV_DONTDUMP",
                  group_digits(lack.bytes).text, (unsigned long long)lack.lowest);
}
