/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <stdlib.h>

#include "formats/core/core_parts.h"
#include "inquest/base/checked_math.h"
#include "inquest/base/limits.h"

/* What was wrong with the program headers, counted, to be said once. */
struct segment_faults {
    uint64_t absurd;      /* sizes that can't be */
    uint64_t overlapping; /* segments */
    uint64_t overlapped;  /* bytes left out */
};

/* A cut-off core has lost section header 0, which holds a count of 65,535 or
 * more. The kernel writes the notes right after the program headers. */
static void derive_header_count(struct core_parse *parse)
{
    struct elf_view *elf = &parse->elf;
    struct elf_segment first;
    if (elf_view_segment(elf, 0, &first) && first.type == PT_NOTE && elf->program_header_size &&
        first.offset > elf->program_headers)
        elf->program_header_count = (uint32_t)min_u64(
            (first.offset - elf->program_headers) / elf->program_header_size, LIMIT_SEGMENTS);
    core_warn(parse, "segment",
              "the number of segments is at the core's end, which is missing: %s are taken from "
              "the place of the notes",
              group_digits(elf->program_header_count).text);
}

static void note_extent(struct core_parse *parse, const struct elf_segment *header)
{
    uint64_t end;
    if (checked_add_u64(header->offset, header->stored, &end))
        parse->expected_size = max_u64(parse->expected_size, end);
}

static enum status add_segment(struct core_parse *parse, const struct elf_segment *header,
                               struct segment_faults *faults, struct error *err)
{
    struct core_segment segment = {.address = header->address,
                                   .size = header->size,
                                   .offset = header->offset,
                                   .claimed = header->stored,
                                   .flags = header->flags & (PF_R | PF_W | PF_X),
                                   .mapping = CORE_NO_INDEX};
    bool absurd = false;
    if (segment.size > -segment.address - 1) { /* the last byte of all is never mapped */
        segment.size = -segment.address - 1;
        absurd = true;
    }
    if (segment.claimed > segment.size) {
        segment.claimed = segment.size;
        absurd = true;
    }
    faults->absurd += absurd;
    if (!segment.size)
        return STATUS_OK;
    if (segment.offset < parse->elf.size)
        segment.stored = min_u64(segment.claimed, parse->elf.size - segment.offset);
    else
        segment.offset = 0; /* so that nothing points outside */
    if (!array_push(&parse->core->segments, segment))
        return error_set(err, STATUS_NO_MEMORY, "out of memory for the segments");
    return STATUS_OK;
}

static int compare_segments(const void *left, const void *right)
{
    const struct core_segment *a = left, *b = right;
    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    if (a->stored != b->stored) /* where two begin together, the fuller one counts */
        return a->stored > b->stored ? -1 : 1;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static void sort_segments(struct core_dump *core)
{
    bool sorted = true;
    for (size_t i = 1; i < core->segments.count && sorted; i++)
        sorted = compare_segments(&core->segments.items[i - 1], &core->segments.items[i]) <= 0;
    if (!sorted)
        qsort(core->segments.items, core->segments.count, sizeof *core->segments.items,
              compare_segments);
}

/* A segment ends where the next one begins: one flipped bit in a size must not
 * swallow its neighbours. */
static void remove_overlaps(struct core_dump *core, struct segment_faults *faults)
{
    struct core_segment *items = core->segments.items;
    size_t kept = 0;
    for (size_t i = 0; i < core->segments.count; i++) {
        if (kept && items[kept - 1].address == items[i].address) {
            faults->overlapping++;
            faults->overlapped += items[i].size;
            continue;
        }
        struct core_segment *before = kept ? &items[kept - 1] : NULL;
        if (before && items[i].address - before->address < before->size) {
            uint64_t room = items[i].address - before->address;
            faults->overlapping++;
            faults->overlapped += before->size - room;
            before->size = room;
            before->claimed = min_u64(before->claimed, room);
            before->stored = min_u64(before->stored, room);
        }
        items[kept++] = items[i];
    }
    core->segments.count = kept;
}

static void tell_faults(struct core_parse *parse, const struct segment_faults *faults)
{
    if (faults->absurd)
        core_warn(parse, "segment",
                  "segments with sizes that can't be: %s; the part that can is used",
                  group_digits(faults->absurd).text);
    if (faults->overlapping)
        core_warn(parse, "segment",
                  "segments that overlap others: %s; %s bytes of them are left out, so memory "
                  "there may be read wrongly",
                  group_digits(faults->overlapping).text, group_digits(faults->overlapped).text);
}

enum status core_read_segments(struct core_parse *parse, struct error *err)
{
    struct elf_view *elf = &parse->elf;
    struct segment_faults faults = {0};
    struct elf_segment header;
    uint32_t read = 0;
    if (elf->lacks_header_count)
        derive_header_count(parse);
    uint32_t count = elf->program_header_count;
    if (count > LIMIT_SEGMENTS) {
        core_warn(parse, "segment", "%s segments are claimed; the first %s are read",
                  group_digits(count).text, group_digits(LIMIT_SEGMENTS).text);
        count = LIMIT_SEGMENTS;
    }
    for (; read < count && elf_view_segment(elf, read, &header); read++) {
        if (header.type != PT_LOAD && header.type != PT_NOTE)
            continue;
        note_extent(parse, &header);
        enum status status =
            header.type == PT_LOAD ? add_segment(parse, &header, &faults, err) : STATUS_OK;
        if (status != STATUS_OK)
            return status;
    }
    if (read < count)
        core_warn(parse, "segment",
                  "%s of %s program headers are there: the memory of the others can't be read",
                  group_digits(read).text, group_digits(count).text);
    sort_segments(parse->core);
    remove_overlaps(parse->core, &faults);
    tell_faults(parse, &faults);
    return STATUS_OK;
}

/* ---- Mappings of NT_FILE without a segment: gcore leaves out what it does not
 * store, the kernel does not. */

struct segment_list {
    struct core_segment *items;
    size_t count, capacity;
};

static bool push(struct segment_list *list, const struct core_segment *segment)
{
    return array_push(list, *segment);
}

/* The parts of mapping `index` that no segment covers, from *next_segment on. */
static bool add_implied(const struct core_dump *core, uint32_t index, uint64_t *covered,
                        size_t *next_segment, struct segment_list *list)
{
    const struct core_mapping *mapping = &core->mappings.items[index];
    uint64_t position = max_u64(mapping->start, *covered);
    while (position < mapping->end) {
        const struct core_segment *segment =
            *next_segment < core->segments.count ? &core->segments.items[*next_segment] : NULL;
        if (segment && segment->address + segment->size <= position) {
            if (!push(list, segment))
                return false;
            ++*next_segment;
            continue;
        }
        if (segment && segment->address <= position) { /* goes on past this mapping perhaps */
            position = segment->address + segment->size;
            continue;
        }
        uint64_t end = segment ? min_u64(segment->address, mapping->end) : mapping->end;
        struct core_segment implied = {.address = position,
                                       .size = end - position,
                                       .flags = PF_R,
                                       .mapping = index,
                                       .is_implied = true};
        if (!push(list, &implied))
            return false;
        position = end;
    }
    *covered = position;
    return true;
}

static void tie_to_mappings(struct core_dump *core)
{
    size_t next = 0;
    for (size_t i = 0; i < core->segments.count; i++) {
        struct core_segment *segment = &core->segments.items[i];
        while (next < core->mappings.count && core->mappings.items[next].end <= segment->address)
            next++;
        if (next < core->mappings.count &&
            core->mappings.items[next].start < segment->address + segment->size)
            segment->mapping = (uint32_t)next;
    }
}

enum status core_tie_mappings(struct core_parse *parse, struct error *err)
{
    struct core_dump *core = parse->core;
    struct segment_list list = {0};
    size_t next = 0;
    uint64_t covered = 0;
    bool fine = true;
    for (uint32_t i = 0; i < core->mappings.count && fine; i++)
        fine = add_implied(core, i, &covered, &next, &list);
    for (; next < core->segments.count && fine; next++)
        fine = push(&list, &core->segments.items[next]);
    if (!fine) {
        free(list.items);
        return error_set(err, STATUS_NO_MEMORY, "out of memory for the segments");
    }
    free(core->segments.items);
    core->segments.items = list.items;
    core->segments.count = list.count;
    core->segments.capacity = list.capacity;
    tie_to_mappings(core);
    return STATUS_OK;
}
