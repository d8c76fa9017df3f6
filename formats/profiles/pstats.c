/* SPDX-License-Identifier: Apache-2.0 */
/* A file of pstats: one marshalled dict, without a header.
 *
 *   KEY                       VALUE
 *   (file, line, name)        (cc, nc, tt, ct, {(file, line, name): caller, …})
 *   ('__sampled__',)          True: written by a sampling profiler (3.15)
 *
 * cc counts primitive calls, nc all of them; tt is the time in the function itself, ct
 * with what it called, in seconds. A caller is (nc, cc, tt, ct), the counts the other
 * way round, or an int: nc alone (module profile, and sampled files). Built-ins
 * have the file "~" or "", and line 0. `python -m profile` has a code object for a name.
 *
 * Source: CPython, Lib/pstats.py, profile.py, cProfile.py, profiling/sampling. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/profiles/formats.h"
#include "formats/profiles/marshal.h"
#include "inquest/base/bytes_reader.h"
#include "inquest/base/checked_math.h"
#include "inquest/base/limits.h"
#include "inquest/base/text.h"

/* code, consts, names, varnames, freevars, cellvars, filename, name | lnotab;
 * code, consts, names, localsplusnames, localspluskinds, filename, name, qualname |
 * linetable, exceptiontable. Nothing in a file tells which; one of them fits. */
static const struct code_layout new_code = {5, 8, 2, 5, 6}; /* 3.11 to 3.15 */
static const struct code_layout old_code = {6, 8, 1, 6, 7}; /* 3.8 to 3.10 */

#define FEW_CALLERS 16

/* ---- recognising */

/* A dict whose first key is a tuple of three or of one that begins with a string. An
 * empty dict is the profile of nothing. */
bool pstats_recognise(const uint8_t *bytes, uint64_t size)
{
    if (size < 2 || (bytes[0] & 0x7F) != '{')
        return false;
    if (bytes[1] == '0')
        return size == 2;
    uint64_t count_size = (bytes[1] & 0x7F) == ')' ? 1 : 4;
    if (size < 3 + count_size || ((bytes[1] & 0x7F) != ')' && (bytes[1] & 0x7F) != '('))
        return false;
    uint32_t count = count_size == 1 ? bytes[2] : load_u32(bytes + 2);
    return (count == 1 || count == 3) && memchr("zZaAuts", bytes[2 + count_size] & 0x7F, 7);
}

/* ---- values */

static bool whole_of(struct marshal_value value, int64_t *ret_whole)
{
    if (value.kind == MARSHAL_INT) {
        *ret_whole = value.whole;
        return true;
    }
    /* counts that a tool divided, or summed as floats: 2^53 is exact, and far above */
    if (value.kind != MARSHAL_FLOAT || !(fabs(value.number) <= 9007199254740992.0) ||
        value.number != trunc(value.number))
        return false;
    *ret_whole = (int64_t)value.number;
    return true;
}

static bool number_of(struct marshal_value value, double *ret_number)
{
    if (value.kind != MARSHAL_INT && value.kind != MARSHAL_FLOAT)
        return false;
    *ret_number = value.kind == MARSHAL_INT ? (double)value.whole : value.number;
    return true;
}

static bool numbers_of(const struct marshal_value items[4], struct marshal_numbers *ret_numbers)
{
    return whole_of(items[0], &ret_numbers->counts[0]) &&
           whole_of(items[1], &ret_numbers->counts[1]) &&
           number_of(items[2], &ret_numbers->times[0]) &&
           number_of(items[3], &ret_numbers->times[1]);
}

static enum status fail_memory(struct marshal *marshal)
{
    return marshal_fail(marshal, STATUS_NO_MEMORY, "%s", status_name(STATUS_NO_MEMORY));
}

/* Where a folded value is kept: place 0, there from the start, serves for those that
 * nothing can refer to, as they are used at once. */
#define KEEP(array, frame, value, ret_id)                                                          \
    ((frame)->reference != PROFILE_NO_ID                                                           \
         ? (*(ret_id) = (uint32_t)(array)->count, array_push((array), (value)))                    \
         : ((array)->items[0] = (value), *(ret_id) = 0, true))

/* ---- what closed objects mean */

static enum status close_function(struct marshal *marshal, const struct marshal_frame *frame,
                                  struct marshal_value *ret_value)
{
    const struct marshal_value *items = frame->items;
    if (items[0].kind != MARSHAL_STRING || items[1].kind != MARSHAL_INT ||
        (items[2].kind != MARSHAL_STRING && items[2].kind != MARSHAL_CODE) ||
        items[1].whole < INT32_MIN || items[1].whole > INT32_MAX)
        return STATUS_OK;
    uint32_t function = 0;
    enum status status = profile_add_function(marshal->profile, items[2].id, items[0].id,
                                              (int32_t)items[1].whole, &function);
    if (status != STATUS_OK)
        return marshal_fail(marshal, status, "%s", status_name(status));
    *ret_value = (struct marshal_value){.kind = MARSHAL_FUNCTION, .id = function};
    return STATUS_OK;
}

enum status pstats_close_tuple(struct marshal *marshal, const struct marshal_frame *frame,
                               struct marshal_value *ret_value)
{
    struct marshal_numbers numbers;
    const struct marshal_value *items = frame->items;
    uint32_t id = 0;
    if (frame->count == 3)
        return close_function(marshal, frame, ret_value);
    if (frame->count == 1 && items[0].kind == MARSHAL_STRING) {
        if (!strcmp(profile_text(marshal->profile, items[0].id), "__sampled__"))
            ret_value->kind = MARSHAL_SAMPLED;
    } else if (frame->count == 4 && numbers_of(items, &numbers)) {
        if (!KEEP(&marshal->calls, frame, numbers, &id))
            return fail_memory(marshal);
        *ret_value = (struct marshal_value){.kind = MARSHAL_CALL, .id = id};
    } else if (frame->count == 5 && items[4].kind == MARSHAL_CALLERS &&
               numbers_of(items, &numbers)) {
        struct marshal_stat stat = {numbers, items[4].id};
        if (!KEEP(&marshal->stats, frame, stat, &id))
            return fail_memory(marshal);
        *ret_value = (struct marshal_value){.kind = MARSHAL_STAT, .id = id};
    }
    return STATUS_OK;
}

/* Sets the function's entry; *ret_old is what it was. */
static bool swap_entry(const struct profile *profile, struct marshal_map *map, uint32_t function,
                       uint32_t entry, uint32_t *ret_old)
{
    if (function >= map->count) {
        size_t added = profile->functions.count - map->count;
        if (!array_reserve(map, added))
            return false;
        memset(map->items + map->count, 0, added * sizeof *map->items);
        map->count += added;
    }
    *ret_old = map->items[function];
    map->items[function] = entry;
    return true;
}

static enum status fail_twice(struct marshal *marshal, uint32_t function, const char *what)
{
    const struct profile *profile = marshal->profile;
    uint32_t name = profile->functions.items[function].name;
    return marshal_fail(marshal, STATUS_CORRUPT, "%s %.100s comes twice: the file is damaged", what,
                        profile_text(profile, name));
}

/* The keys of a dict differ. Few are compared with each other; of many, each function
 * remembers its last call. */
static enum status check_callers(struct marshal *marshal, const struct marshal_callers *callers)
{
    const struct profile *profile = marshal->profile;
    if (callers->count < 2)
        return STATUS_OK;
    const struct profile_call *calls = &profile->calls.items[callers->first];
    if (callers->count <= FEW_CALLERS) {
        for (uint32_t i = 1; i < callers->count; i++)
            for (uint32_t j = 0; j < i; j++)
                if (calls[i].caller == calls[j].caller)
                    return fail_twice(marshal, calls[i].caller, "the caller");
        return STATUS_OK;
    }
    for (uint32_t i = 0; i < callers->count; i++) {
        uint32_t place = (uint32_t)(callers->first + i + 1), old = 0;
        if (!swap_entry(profile, &marshal->call_of, calls[i].caller, place, &old))
            return fail_memory(marshal);
        if (old > callers->first)
            return fail_twice(marshal, calls[i].caller, "the caller");
    }
    return STATUS_OK;
}

enum status pstats_close_callers(struct marshal *marshal, const struct marshal_frame *frame,
                                 struct marshal_value *ret_value)
{
    uint32_t id = 0;
    enum status status = check_callers(marshal, &frame->callers);
    if (status != STATUS_OK)
        return status;
    if (!KEEP(&marshal->callers, frame, frame->callers, &id))
        return fail_memory(marshal);
    *ret_value = (struct marshal_value){.kind = MARSHAL_CALLERS, .id = id};
    return STATUS_OK;
}

static bool is_in_key(const struct marshal *marshal)
{
    if (marshal->depth < 2)
        return false;
    const struct marshal_frame *parent = &marshal->frames[marshal->depth - 2];
    return parent->container == CONTAINER_TUPLE && parent->count == 3 && parent->done == 2;
}

/* The repr of a code object without its address, which was that of another process. More than
 * one in a file are numbered: their keys differ, whatever their names. */
enum status pstats_close_code(struct marshal *marshal, const struct marshal_frame *frame,
                              struct marshal_value *ret_value)
{
    if (!is_in_key(marshal) || frame->items[0].kind != MARSHAL_STRING ||
        frame->items[1].kind != MARSHAL_STRING)
        return STATUS_OK;
    const struct profile *profile = marshal->profile;
    uint32_t file = frame->items[0].id, name = frame->items[1].id, id = 0;
    struct text text;
    text_init(&text);
    text_append(&text, "<code object ");
    text_append_n(&text, profile_text(profile, name), profile->strings.items[name].size);
    text_append(&text, ", file \"");
    text_append_n(&text, profile_text(profile, file), profile->strings.items[file].size);
    text_printf(&text, "\", line %" PRId32 ">", frame->line);
    if (marshal->code_keys++)
        text_printf(&text, " (%u)", marshal->code_keys);
    enum status status = text_ok(&text) ? STATUS_OK : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = profile_add_string(marshal->profile, text_string(&text), text.size, &id);
    text_deinit(&text);
    if (status != STATUS_OK)
        return marshal_fail(marshal, status, "%s", status_name(status));
    *ret_value = (struct marshal_value){.kind = MARSHAL_CODE, .id = id};
    return STATUS_OK;
}

/* ---- pairs */

enum status pstats_add_call(struct marshal *marshal, struct marshal_frame *frame,
                            const struct profile_call *call)
{
    struct profile *profile = marshal->profile;
    if (profile->calls.count >= PROFILE_NO_ID)
        return marshal_fail(marshal, STATUS_OVER_LIMIT, "more than 2^32 calls");
    if (!array_push(&profile->calls, *call))
        return fail_memory(marshal);
    frame->callers.count++;
    return STATUS_OK;
}

static enum status add_caller(struct marshal *marshal, struct marshal_frame *frame,
                              struct marshal_value key, struct marshal_value value)
{
    struct profile_call call = {.caller = key.id, .callee = PROFILE_NO_ID};
    if (key.kind != MARSHAL_FUNCTION || (value.kind != MARSHAL_CALL && value.kind != MARSHAL_INT))
        return marshal_fail(marshal, STATUS_UNSUPPORTED,
                            "a caller is no function with a count or four numbers: this is no "
                            "file of pstats");
    if (value.kind == MARSHAL_CALL) {
        const struct marshal_numbers *numbers = &marshal->calls.items[value.id];
        call.calls = numbers->counts[0];
        call.primitive_calls = numbers->counts[1];
        call.self = numbers->times[0];
        call.total = numbers->times[1];
    } else {
        call.is_count = true;
        call.calls = value.whole;
    }
    return pstats_add_call(marshal, frame, &call);
}

/* The calls of a dict become the callee's. One that several stats share is copied; no
 * profiler writes that, so a file can't make many of few. */
static enum status take_callers(struct marshal *marshal, struct marshal_callers *callers,
                                uint32_t callee, uint64_t *ret_first)
{
    struct profile *profile = marshal->profile;
    if (callers->is_taken && callers->count) {
        if (callers->count > marshal->size - min_u64(marshal->size, profile->calls.count))
            return marshal_fail(marshal, STATUS_OVER_LIMIT,
                                "functions share their callers more often than the file is long: "
                                "the file is damaged");
        if (!array_reserve(&profile->calls, callers->count))
            return fail_memory(marshal);
        memcpy(profile->calls.items + profile->calls.count, profile->calls.items + callers->first,
               callers->count * sizeof *profile->calls.items);
        *ret_first = profile->calls.count;
        profile->calls.count += callers->count;
    } else {
        *ret_first = callers->first;
        callers->is_taken = true;
    }
    for (uint32_t i = 0; i < callers->count; i++)
        profile->calls.items[*ret_first + i].callee = callee;
    return STATUS_OK;
}

/* The function has its stat now; whether it had none before. */
static bool mark_stat(struct marshal *marshal, uint32_t function, bool *ret_is_new)
{
    size_t word = function / 64;
    uint64_t bit = UINT64_C(1) << function % 64;
    while (marshal->has_stat.count <= word)
        if (!array_push(&marshal->has_stat, UINT64_C(0)))
            return false;
    *ret_is_new = !(marshal->has_stat.items[word] & bit);
    marshal->has_stat.items[word] |= bit;
    return true;
}

static enum status add_stat(struct marshal *marshal, uint32_t function,
                            const struct marshal_stat *source)
{
    struct profile *profile = marshal->profile;
    struct marshal_callers *callers = &marshal->callers.items[source->callers];
    struct profile_stat stat = {
        .function = function,
        .calls = source->numbers.counts[1],
        .primitive_calls = source->numbers.counts[0],
        .self = source->numbers.times[0],
        .total = source->numbers.times[1],
        .call_count = callers->count,
    };
    enum status status = take_callers(marshal, callers, function, &stat.first_call);
    if (status != STATUS_OK)
        return status;
    bool is_new = false;
    if (!array_push(&profile->stats, stat) || !mark_stat(marshal, function, &is_new))
        return fail_memory(marshal);
    if (!is_new)
        return fail_twice(marshal, function, "the function");
    return STATUS_OK;
}

enum status pstats_add_pair(struct marshal *marshal, struct marshal_frame *frame,
                            struct marshal_value key, struct marshal_value value)
{
    if (frame->container == CONTAINER_CALLERS)
        return add_caller(marshal, frame, key, value);
    if (key.kind == MARSHAL_SAMPLED) {
        marshal->profile->is_sampled = true;
        return STATUS_OK;
    }
    if (key.kind == MARSHAL_FUNCTION && value.kind == MARSHAL_STAT)
        return add_stat(marshal, key.id, &marshal->stats.items[value.id]);
    return marshal_fail(marshal, STATUS_UNSUPPORTED,
                        "entry %u is no function with four numbers and its callers: this is no "
                        "file of pstats",
                        frame->done);
}

/* ---- the file */

static void marshal_deinit(struct marshal *marshal)
{
    free(marshal->frames);
    array_deinit(&marshal->references);
    array_deinit(&marshal->wide);
    array_deinit(&marshal->calls);
    array_deinit(&marshal->callers);
    array_deinit(&marshal->stats);
    array_deinit(&marshal->has_stat);
    array_deinit(&marshal->call_of);
}

struct attempt {
    enum status status;
    bool has_code;
    size_t left; /* bytes after the object */
};

static struct attempt read_file(const struct input_file *input, const struct code_layout *layout,
                                struct progress *progress, struct profile *profile,
                                struct error *err)
{
    profile->family = PROFILE_PSTATS;
    profile->format = "pstats";
    profile->unit = "seconds";
    struct marshal marshal = {
        .input = input,
        .data = input->data,
        .size = (size_t)input->size,
        .profile = profile,
        .progress = progress,
        .err = err,
        .layout = layout,
    };
    struct attempt attempt = {0};
    bool ready = array_push(&marshal.calls, (struct marshal_numbers){0}) &&
                 array_push(&marshal.callers, (struct marshal_callers){0}) &&
                 array_push(&marshal.stats, (struct marshal_stat){0});
    attempt.status = ready ? marshal_run(&marshal) : fail_memory(&marshal);
    attempt.has_code = marshal.has_code;
    attempt.left = marshal.size - marshal.position;
    marshal_deinit(&marshal);
    return attempt;
}

static bool is_whole(const struct attempt *attempt)
{
    return attempt->status == STATUS_OK && !attempt->left;
}

/* The better of two: whole, then read at all, then the one that got further. */
static bool is_better(const struct attempt *one, const struct attempt *other)
{
    if (is_whole(one) != is_whole(other))
        return is_whole(one);
    if ((one->status == STATUS_OK) != (other->status == STATUS_OK))
        return one->status == STATUS_OK;
    return one->left < other->left;
}

/* The newer layout of code, and where that does not come out even the older. */
enum status pstats_parse(const struct input_file *input, struct progress *progress,
                         struct profile *profile, struct error *err)
{
    struct attempt attempt = read_file(input, &new_code, progress, profile, err);
    if (attempt.has_code && !is_whole(&attempt)) {
        struct profile other;
        struct error other_error = {0};
        profile_init(&other);
        struct attempt second = read_file(input, &old_code, progress, &other, &other_error);
        if (is_better(&second, &attempt)) {
            struct profile first = *profile;
            *profile = other;
            other = first;
            attempt = second;
            if (err)
                *err = other_error;
        }
        profile_deinit(&other);
    }
    if (attempt.status == STATUS_OK && attempt.left)
        attempt.status = profile_add_warning(profile, "profile",
                                             "%zu bytes follow the profile and were not read, as "
                                             "marshal.load does not",
                                             attempt.left);
    return attempt.status;
}
