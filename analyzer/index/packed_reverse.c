/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/index/packed_reverse.h"

#include <string.h>

#include "analyzer/index/packed_references.h"

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

/* first[i + 2]: how many references go to i. */
static enum status count_targets(const struct heap_references *references,
                                 struct reverse_rows *reverse)
{
    for (uint64_t i = 0; i < references->count; i++) {
        uint32_t target = references->target[i];
        if (target >= reverse->objects)
            return STATUS_USAGE;
        reverse->first[(uint64_t)target + 2]++;
    }
    return STATUS_OK;
}

/* Moves first[target + 1] from a row's start to its end. */
static enum status place(const struct heap_references *references, struct reverse_rows *reverse)
{
    for (uint32_t source = 0; source < reverse->objects; source++) {
        uint64_t start = references->first[source], degree = references->first[source + 1] - start;
        const uint32_t *target = references->target + start;
        bool is_long = degree > PACKED_PART;
        uint32_t number = source;
        enum status status = is_long ? number_parts(reverse, source, degree, &number) : STATUS_OK;
        if (status != STATUS_OK)
            return status;
        for (uint64_t i = 0; i < degree; i++)
            reverse->source[reverse->first[(uint64_t)target[i] + 1]++] =
                is_long ? number + (uint32_t)(i / PACKED_PART) : source;
    }
    return STATUS_OK;
}

enum status reverse_rows_make(uint32_t objects, const struct heap_references *references,
                              struct reverse_rows *ret_reverse)
{
    struct reverse_rows reverse = {.objects = objects};
    size_t count = (size_t)references->count;
    reverse.first = calloc((size_t)objects + 2, sizeof *reverse.first);
    reverse.source = count <= SIZE_MAX / sizeof *reverse.source - 1
                         ? malloc((count + 1) * sizeof *reverse.source)
                         : NULL;
    enum status status =
        reverse.first && reverse.source ? count_targets(references, &reverse) : STATUS_NO_MEMORY;
    for (size_t i = 2; status == STATUS_OK && i < (size_t)objects + 2; i++)
        reverse.first[i] += reverse.first[i - 1];
    if (status == STATUS_OK)
        status = place(references, &reverse);
    if (status == STATUS_OK)
        *ret_reverse = reverse;
    else
        reverse_rows_deinit(&reverse);
    return status;
}

void reverse_rows_deinit(struct reverse_rows *reverse)
{
    free(reverse->first);
    free(reverse->source);
    array_deinit(&reverse->parts);
    reverse->first = NULL;
    reverse->source = NULL;
}
