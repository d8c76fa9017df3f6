/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/index/packed_reverse.h"

#include <string.h>

#include "analyzer/index/packed_references.h"

/* ---- The rows, where none came along. */

/* first[i + 2]: how many references go to i. */
static void count_targets(const struct heap_references *references, uint64_t *first)
{
    for (uint64_t i = 0; i < references->count; i++)
        first[(uint64_t)references->target[i] + 2]++;
}

static uint64_t degree_of(const struct heap_references *references, uint32_t source)
{
    return heap_references_first(references, (uint64_t)source + 1) -
           heap_references_first(references, source);
}

/* Moves first[target + 1] from a row's start to its end. */
static void place(const struct heap_references *references, uint32_t objects, uint64_t *first,
                  uint32_t *sources)
{
    uint64_t edge = 0;
    for (uint32_t source = 0; source < objects; source++)
        for (uint64_t degree = degree_of(references, source); degree > 0; degree--)
            sources[first[(uint64_t)references->target[edge++] + 1]++] = source;
}

static enum status make_rows(const struct heap_references *references, struct reverse_rows *reverse)
{
    size_t count = (size_t)references->count;
    uint64_t *first = calloc((size_t)reverse->objects + 2, sizeof *first);
    reverse->first = NULL;
    reverse->own_first = first;
    reverse->own_source = count <= SIZE_MAX / sizeof *reverse->source - 1
                              ? malloc((count + 1) * sizeof *reverse->source)
                              : NULL;
    if (!first || !reverse->own_source)
        return STATUS_NO_MEMORY;
    count_targets(references, first);
    for (size_t i = 2; i < (size_t)reverse->objects + 2; i++)
        first[i] += first[i - 1];
    place(references, reverse->objects, first, reverse->own_source);
    reverse->source = reverse->own_source;
    return STATUS_OK;
}

static bool targets_are_sound(uint32_t objects, const struct heap_references *references)
{
    bool sound = true;
    uint32_t last = 0;
    for (uint64_t i = 0; i < references->count; i++)
        sound &= references->target[i] < objects;
    for (size_t i = 0; i < references->more_count; i++) {
        const struct heap_more_reference *more = &references->more[i];
        sound &= more->target < objects && more->source < objects && more->source >= last;
        last = more->source;
    }
    return sound;
}

/* ---- Parts of long rows. */

/* The number that stands for each part of a source's row, from the first on. */
static enum status number_parts(struct reverse_rows *reverse, uint32_t source, uint64_t degree,
                                uint32_t *ret_number)
{
    uint64_t parts = (degree + PACKED_PART - 1) / PACKED_PART;
    size_t number = reverse->objects + reverse->parts.count;
    if (parts > UINT32_MAX - number)
        return STATUS_OVER_LIMIT;
    if (!array_reserve(&reverse->parts, (size_t)parts))
        return STATUS_NO_MEMORY;
    for (uint32_t part = 0; part < parts; part++)
        reverse->parts.items[reverse->parts.count++] =
            (struct reverse_part){.source = source, .part = part};
    *ret_number = (uint32_t)number;
    return STATUS_OK;
}

/* Where a target's row first has `source` itself: those of its references that come
 * before it there have been numbered already. False: not at all. */
static bool find_source(const struct reverse_rows *reverse, uint32_t target, uint32_t source,
                        uint64_t *ret_position)
{
    uint64_t low = reverse_rows_start(reverse, target);
    uint64_t end = reverse_rows_start(reverse, (uint64_t)target + 1), high = end;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        bool is_numbered = reverse->source[middle] >= reverse->objects;
        uint32_t there = reverse_rows_source(reverse, middle).source;
        if (there < source || (there == source && is_numbered))
            low = middle + 1;
        else
            high = middle;
    }
    *ret_position = low;
    return low < end && reverse->source[low] == source;
}

/* Puts the parts' numbers in place of a source with a long row. */
static enum status number_row(struct reverse_rows *reverse,
                              const struct heap_references *references, uint32_t source,
                              uint64_t degree)
{
    uint64_t start = heap_references_first(references, source);
    uint64_t strong = degree_of(references, source);
    uint64_t position;
    uint32_t number;
    enum status status = number_parts(reverse, source, degree, &number);
    for (uint64_t i = 0; i < strong && status == STATUS_OK; i++) {
        if (find_source(reverse, references->target[start + i], source, &position))
            reverse->source[position] = number + (uint32_t)(i / PACKED_PART);
        else
            status = STATUS_USAGE;
    }
    return status;
}

static enum status number_rows(struct reverse_rows *reverse,
                               const struct heap_references *references)
{
    enum status status = STATUS_OK;
    size_t more = 0;
    for (uint32_t source = 0; source < reverse->objects && status == STATUS_OK; source++) {
        uint64_t degree = degree_of(references, source);
        for (; more < references->more_count && references->more[more].source == source; more++)
            degree++;
        if (degree > PACKED_PART)
            status = number_row(reverse, references, source, degree);
    }
    return status;
}

/* ---- More. */

static int compare_more(const void *left, const void *right)
{
    const struct reverse_more *a = left, *b = right;
    if (a->target != b->target)
        return a->target < b->target ? -1 : 1;
    if (a->from.source != b->from.source)
        return a->from.source < b->from.source ? -1 : 1;
    return (a->from.part > b->from.part) - (a->from.part < b->from.part);
}

static enum status sort_more(struct reverse_rows *reverse, const struct heap_references *references)
{
    uint64_t position = 0;
    if (!references->more_count)
        return STATUS_OK;
    if (!array_reserve(&reverse->more, references->more_count))
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < references->more_count; i++) {
        uint32_t source = references->more[i].source;
        if (!i || references->more[i - 1].source != source)
            position = degree_of(references, source);
        reverse->more.items[reverse->more.count++] = (struct reverse_more){
            references->more[i].target, {source, (uint32_t)(position++ / PACKED_PART)}};
    }
    qsort(reverse->more.items, reverse->more.count, sizeof *reverse->more.items, compare_more);
    return STATUS_OK;
}

enum status reverse_rows_make(uint32_t objects, const struct heap_references *references,
                              struct reverse_rows *ret_reverse)
{
    struct reverse_rows reverse = {.objects = objects,
                                   .first = references->reverse_first,
                                   .source = references->reverse_source};
    enum status status = targets_are_sound(objects, references) ? STATUS_OK : STATUS_USAGE;
    if (status == STATUS_OK && (!reverse.first || !reverse.source))
        status = make_rows(references, &reverse);
    if (status == STATUS_OK)
        status = number_rows(&reverse, references);
    if (status == STATUS_OK)
        status = sort_more(&reverse, references);
    if (status == STATUS_OK)
        *ret_reverse = reverse;
    else
        reverse_rows_deinit(&reverse);
    return status;
}

void reverse_rows_deinit(struct reverse_rows *reverse)
{
    free(reverse->own_first);
    free(reverse->own_source);
    array_deinit(&reverse->parts);
    array_deinit(&reverse->more);
    reverse->own_first = NULL;
    reverse->own_source = NULL;
}
