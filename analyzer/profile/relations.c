/* SPDX-License-Identifier: Apache-2.0 */
/* Who calls a function, and whom it calls. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/profile/amounts.h"
#include "analyzer/profile/order.h"
#include "inquest/analyzer/profile_hotspots.h"
#include "inquest/base/text.h"

/* ---- Names. */

static bool is_same(const struct profile *profile, uint32_t string, const char *text, size_t size)
{
    return profile->strings.items[string].size == size &&
           !memcmp(profile_text(profile, string), text, size);
}

/* "file:line", and "file:line(name)" as pstats writes it. */
static bool is_place(const struct profile *profile, const struct profile_function *function,
                     int32_t line, const char *name)
{
    size_t file_size = profile->strings.items[function->file].size, size = strlen(name);
    char digits[24];
    int length = snprintf(digits, sizeof digits, ":%d", line);
    if (size < file_size + (size_t)length || !is_same(profile, function->file, name, file_size) ||
        memcmp(name + file_size, digits, (size_t)length) != 0)
        return false;
    const char *rest = name + file_size + length;
    size_t left = strlen(rest);
    return !left || (left > 2 && rest[0] == '(' && rest[left - 1] == ')' &&
                     is_same(profile, function->name, rest + 1, left - 2));
}

/* pstats shows "<built-in method len>" as "{built-in method len}". */
static bool is_shown_built_in(const struct profile *profile,
                              const struct profile_function *function, const char *name)
{
    size_t size = strlen(name), own = profile->strings.items[function->name].size;
    const char *text = profile_text(profile, function->name);
    return size > 2 && size == own && name[0] == '{' && name[size - 1] == '}' && text[0] == '<' &&
           text[own - 1] == '>' && !memcmp(text + 1, name + 1, size - 2);
}

bool profile_answers_to(const struct profile *profile, uint32_t id, int32_t line, const char *name)
{
    const struct profile_function *function = &profile->functions.items[id];
    size_t size = strlen(name);
    if (profile->strings.items[function->name].size)
        return is_same(profile, function->name, name, size) ||
               is_place(profile, function, function->line, name) ||
               (line && is_place(profile, function, line, name)) ||
               is_shown_built_in(profile, function, name);
    return is_same(profile, function->file, name, size) || is_place(profile, function, line, name);
}

/* ---- Sums by the one at the other end, in `rows`: a row for each, and a last one for
 * nobody. */

struct search {
    const struct profile *profile;
    bool callers;
    bool by_frame;    /* of a snapshot, whose places are lines */
    uint8_t *matched; /* by frame, or of pstats by function */
    struct call_relation *rows;
    size_t row_count; /* without the last */
    uint32_t *seen;   /* the last stack of each row, + 1 */
    struct call_relations *found;
};

static uint32_t key_of(const struct search *search, uint32_t frame)
{
    return search->by_frame ? frame : search->profile->frames.items[frame].function;
}

static void add_stack(struct search *search, uint32_t id, double weight, uint64_t count)
{
    const struct profile_stack *stack = &search->profile->stacks.items[id];
    const uint32_t *frames = search->profile->stack_frames.items + stack->first;
    bool is_on = false;
    for (uint32_t i = 0; i < stack->depth; i++) {
        if (!search->matched[frames[i]])
            continue;
        is_on = true;
        if (!search->callers && i + 1 == stack->depth)
            continue;
        size_t key = search->callers && !i
                         ? search->row_count
                         : key_of(search, frames[search->callers ? i - 1 : i + 1]);
        struct call_relation *row = &search->rows[key];
        if (search->seen[key] != id + 1) {
            search->seen[key] = id + 1;
            row->total += weight;
            row->count += count;
        }
        if (i + (search->callers ? 1 : 2) == stack->depth)
            row->self += weight;
    }
    if (!is_on)
        return;
    search->found->total += weight;
    search->found->count += count;
    if (search->matched[frames[stack->depth - 1]])
        search->found->self += weight;
}

static enum status add_stacks(struct search *search)
{
    struct amounts amounts;
    enum status status = amounts_init(&amounts, search->profile);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < search->profile->stacks.count; i++) {
        if (amounts.counts[i] || amounts.weights[i] > 0)
            add_stack(search, i, amounts.weights[i], amounts.counts[i]);
    }
    amounts_deinit(&amounts);
    return status;
}

static void add_calls(struct search *search)
{
    const struct profile *profile = search->profile;
    for (size_t i = 0; i < profile->calls.count; i++) {
        const struct profile_call *call = &profile->calls.items[i];
        if (!search->matched[search->callers ? call->callee : call->caller])
            continue;
        struct call_relation *row = &search->rows[search->callers ? call->caller : call->callee];
        row->self += call->self;
        row->total += call->total;
        row->count += call->calls > 0 ? (uint64_t)call->calls : 0;
    }
    for (size_t i = 0; i < profile->stats.count; i++) {
        const struct profile_stat *stat = &profile->stats.items[i];
        if (!search->matched[stat->function])
            continue;
        search->found->self += stat->self;
        search->found->total += stat->total;
        search->found->count += stat->calls > 0 ? (uint64_t)stat->calls : 0;
    }
}

static enum status match(struct search *search, const char *name)
{
    const struct profile *profile = search->profile;
    bool pstats = profile->family == PROFILE_PSTATS;
    size_t count = pstats ? profile->functions.count : profile->frames.count;
    uint8_t *named = calloc(profile->functions.count + 1, 1);
    search->matched = calloc(count + 1, 1);
    if (!named || !search->matched) {
        free(named);
        return STATUS_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t function = pstats ? i : profile->frames.items[i].function;
        int32_t line = pstats ? 0 : profile->frames.items[i].line;
        search->matched[i] = profile_answers_to(profile, function, line, name);
        if (search->matched[i] && (search->by_frame || !named[function])) {
            named[function] = 1;
            search->found->matched++;
        }
    }
    free(named);
    return STATUS_OK;
}

static enum status allocate_rows(struct search *search)
{
    search->row_count =
        search->by_frame ? search->profile->frames.count : search->profile->functions.count;
    search->rows = calloc(search->row_count + 1, sizeof *search->rows);
    search->seen = calloc(search->row_count + 1, sizeof *search->seen);
    return search->rows && search->seen ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---- The largest first. */

struct places {
    const uint32_t *of; /* in the order of names */
};

static uint32_t place_of(const struct places *places, const struct call_relation *row)
{
    return row->frame_or_function == PROFILE_NO_ID ? 0 : places->of[row->frame_or_function] + 1;
}

static int compare_relations(const void *a, const void *b, void *context)
{
    const struct call_relation *first = a, *second = b;
    if (first->total != second->total)
        return first->total < second->total ? 1 : -1;
    if (first->self != second->self)
        return first->self < second->self ? 1 : -1;
    uint32_t left = place_of(context, first), right = place_of(context, second);
    return (left > right) - (left < right);
}

static enum status collect(struct search *search)
{
    struct call_relations *found = search->found;
    for (size_t i = 0; i <= search->row_count; i++) {
        struct call_relation row = search->rows[i];
        row.frame_or_function = i < search->row_count ? (uint32_t)i : PROFILE_NO_ID;
        bool is_found = row.count || row.total > 0 || row.self > 0;
        if (is_found && !array_push(&found->rows, row))
            return STATUS_NO_MEMORY;
    }
    uint32_t *strings = NULL, *functions = NULL, *frames = NULL;
    enum status status = order_strings(search->profile, &strings);
    if (status == STATUS_OK)
        status = order_functions(search->profile, strings, &functions);
    if (status == STATUS_OK && search->by_frame)
        status = order_frames(search->profile, functions, &frames);
    struct places places = {search->by_frame ? frames : functions};
    if (status == STATUS_OK && found->rows.count)
        qsort_r(found->rows.items, found->rows.count, sizeof *found->rows.items, compare_relations,
                &places);
    free(strings);
    free(functions);
    free(frames);
    return status;
}

static enum status find(struct search *search, const char *name)
{
    enum status status = match(search, name);
    if (status != STATUS_OK || !search->found->matched)
        return status;
    status = allocate_rows(search);
    if (status == STATUS_OK && search->profile->family == PROFILE_PSTATS)
        add_calls(search);
    else if (status == STATUS_OK)
        status = add_stacks(search);
    return status == STATUS_OK ? collect(search) : status;
}

enum status call_relations_find(const struct profile *profile, const char *name, bool callers,
                                struct call_relations *ret_relations, struct error *err)
{
    struct call_relations found = {0};
    struct search search = {.profile = profile,
                            .callers = callers,
                            .by_frame = profile->family == PROFILE_TRACEMALLOC,
                            .found = &found};
    enum status status = find(&search, name);
    free(search.matched);
    free(search.rows);
    free(search.seen);
    if (status == STATUS_OK && !found.matched)
        status = error_set(err, STATUS_USAGE,
                           "it has no function '%s'; a name as hotspots writes "
                           "it, or FILE:LINE",
                           name);
    else if (status != STATUS_OK)
        error_set(err, status, "%s", status_name(status));
    if (status == STATUS_OK)
        *ret_relations = found;
    else
        call_relations_deinit(&found);
    return status;
}

void call_relations_deinit(struct call_relations *relations)
{
    if (relations)
        array_deinit(&relations->rows);
}
