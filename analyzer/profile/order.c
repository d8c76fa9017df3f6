/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/profile/order.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/profile/sequence_sort.h"

#define NUMBERS_MAX 3

/* ---- Strings: seven bytes at a time, and how many there are in the eighth. */

static uint64_t string_key(const void *context, uint32_t item, uint32_t depth)
{
    const struct profile *profile = context;
    const struct profile_string *string = &profile->strings.items[item];
    const uint8_t *bytes = (const uint8_t *)profile->bytes + string->offset;
    uint64_t start = (uint64_t)depth * 7, key = 0;
    uint64_t left = start < string->size ? string->size - start : 0;
    uint64_t size = left < 7 ? left : 7;
    for (uint64_t i = 0; i < 7; i++)
        key = key << 8 | (i < size ? bytes[start + i] : 0);
    return key << 8 | (left > 7 ? 8 : size);
}

static bool same_string(const void *context, uint32_t a, uint32_t b)
{
    const struct profile *profile = context;
    const struct profile_string *first = &profile->strings.items[a];
    const struct profile_string *second = &profile->strings.items[b];
    return first->size == second->size &&
           !memcmp(profile->bytes + first->offset, profile->bytes + second->offset, first->size);
}

/* ---- Rows of numbers. */

struct number_rows {
    const uint32_t (*rows)[NUMBERS_MAX];
    uint32_t width;
};

/* The lowest bit says that there are more numbers. */
static uint64_t row_key(const void *context, uint32_t item, uint32_t depth)
{
    const struct number_rows *rows = context;
    return (uint64_t)rows->rows[item][depth] << 1 | (depth + 1 < rows->width);
}

static bool same_row(const void *context, uint32_t a, uint32_t b)
{
    const struct number_rows *rows = context;
    return !memcmp(rows->rows[a], rows->rows[b], rows->width * sizeof **rows->rows);
}

/* ---- Both. */

static enum status order_items(const struct sequence_order *order, size_t count,
                               bool (*same)(const void *context, uint32_t a, uint32_t b),
                               uint32_t **ret_places)
{
    uint32_t *items = calloc(count + 1, sizeof *items);
    uint32_t *places = calloc(count + 1, sizeof *places);
    enum status status = items && places ? STATUS_OK : STATUS_NO_MEMORY;
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        items[i] = (uint32_t)i;
    if (status == STATUS_OK)
        status = sequence_sort(order, items, count, NULL);
    uint32_t place = 0;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        if (i && !same(order->context, items[i - 1], items[i]))
            place++;
        places[items[i]] = place;
    }
    free(items);
    if (status != STATUS_OK)
        free(places);
    else
        *ret_places = places;
    return status;
}

enum status order_strings(const struct profile *profile, uint32_t **ret_places)
{
    const struct sequence_order order = {.key = string_key, .context = profile, .more = 8};
    return order_items(&order, profile->strings.count, same_string, ret_places);
}

/* A signed line as a number that sorts alike. */
static uint32_t sortable(int32_t line)
{
    return (uint32_t)line ^ 0x80000000u;
}

static enum status order_rows(uint32_t (*rows)[NUMBERS_MAX], uint32_t width, size_t count,
                              uint32_t **ret_places)
{
    const struct number_rows numbers = {(const uint32_t(*)[NUMBERS_MAX])rows, width};
    const struct sequence_order order = {.key = row_key, .context = &numbers, .more = 1};
    enum status status = rows ? order_items(&order, count, same_row, ret_places) : STATUS_NO_MEMORY;
    free(rows);
    return status;
}

enum status order_functions(const struct profile *profile, const uint32_t *string_places,
                            uint32_t **ret_places)
{
    size_t count = profile->functions.count;
    uint32_t(*rows)[NUMBERS_MAX] = calloc(count + 1, sizeof *rows);
    for (size_t i = 0; rows && i < count; i++) {
        const struct profile_function *function = &profile->functions.items[i];
        rows[i][0] = string_places[function->name];
        rows[i][1] = string_places[function->file];
        rows[i][2] = sortable(function->line);
    }
    return order_rows(rows, 3, count, ret_places);
}

enum status order_functions_by_file(const struct profile *profile, const uint32_t *string_places,
                                    uint32_t **ret_places)
{
    size_t count = profile->functions.count;
    uint32_t(*rows)[NUMBERS_MAX] = calloc(count + 1, sizeof *rows);
    for (size_t i = 0; rows && i < count; i++) {
        const struct profile_function *function = &profile->functions.items[i];
        rows[i][0] = string_places[function->file];
        rows[i][1] = sortable(function->line);
        rows[i][2] = string_places[function->name];
    }
    return order_rows(rows, 3, count, ret_places);
}

enum status order_frames(const struct profile *profile, const uint32_t *function_places,
                         uint32_t **ret_places)
{
    size_t count = profile->frames.count;
    uint32_t(*rows)[NUMBERS_MAX] = calloc(count + 1, sizeof *rows);
    for (size_t i = 0; rows && i < count; i++) {
        rows[i][0] = function_places[profile->frames.items[i].function];
        rows[i][1] = sortable(profile->frames.items[i].line);
    }
    return order_rows(rows, 2, count, ret_places);
}

enum status order_places_in_files(const struct profile *profile, const uint32_t *string_places,
                                  uint32_t **ret_places)
{
    size_t count = profile->frames.count;
    uint32_t(*rows)[NUMBERS_MAX] = calloc(count + 1, sizeof *rows);
    for (size_t i = 0; rows && i < count; i++) {
        const struct profile_frame *frame = &profile->frames.items[i];
        rows[i][0] = string_places[profile->functions.items[frame->function].file];
        rows[i][1] = sortable(frame->line);
    }
    return order_rows(rows, 2, count, ret_places);
}
