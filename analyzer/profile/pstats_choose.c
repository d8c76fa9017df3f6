/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting and restricting. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/profile/order.h"
#include "analyzer/profile/restriction.h"
#include "analyzer/profile/sequence_sort.h"
#include "inquest/analyzer/profile_pstats.h"

/* ---- Keys. */

enum field {
    FIELD_PRIMITIVE,
    FIELD_CALLS,
    FIELD_SELF,
    FIELD_TOTAL,
    FIELD_FILE,
    FIELD_LINE,
    FIELD_NAME,
    FIELD_STANDARD_NAME
};

struct sort_key {
    const char *word;
    enum field fields[3];
    int field_count;
    const char *words; /* what pstats calls it */
};

/* In pstats' order, on which the meaning of abbreviations rests; the last ones are of a
 * sampled recording, and of other commands, and have none. */
static const struct sort_key keys[] = {
    {"calls", {FIELD_CALLS}, 1, "call count"},
    {"ncalls", {FIELD_CALLS}, 1, "call count"},
    {"cumtime", {FIELD_TOTAL}, 1, "cumulative time"},
    {"cumulative", {FIELD_TOTAL}, 1, "cumulative time"},
    {"filename", {FIELD_FILE}, 1, "file name"},
    {"line", {FIELD_LINE}, 1, "line number"},
    {"module", {FIELD_FILE}, 1, "file name"},
    {"name", {FIELD_NAME}, 1, "function name"},
    {"nfl", {FIELD_NAME, FIELD_FILE, FIELD_LINE}, 3, "name/file/line"},
    {"pcalls", {FIELD_PRIMITIVE}, 1, "primitive call count"},
    {"stdname", {FIELD_STANDARD_NAME}, 1, "standard name"},
    {"time", {FIELD_SELF}, 1, "internal time"},
    {"tottime", {FIELD_SELF}, 1, "internal time"},
    {"samples", {FIELD_CALLS}, 1, "sample count"},
    {"nsamples", {FIELD_CALLS}, 1, "sample count"},
    {"psamples", {FIELD_PRIMITIVE}, 1, "primitive call count"},
    {"self", {FIELD_SELF}, 1, "internal time"},
    {"total", {FIELD_TOTAL}, 1, "cumulative time"},
    {"count", {FIELD_CALLS}, 1, "call count"},
};
#define KEYS          (sizeof keys / sizeof *keys)
#define ABBREVIABLE   13
#define SHORTENED_MAX 128 /* beginnings of all words together */
#define FIELDS_MAX    64

/* The numbers of the old profiler, where one stands alone. */
static const char *const old_keys[] = {"stdname", "calls", "time", "cumulative"};

/* A word or a beginning of one, and what it means. */
struct shortened {
    const char *word;
    size_t size;
    const struct sort_key *key; /* NULL: several words, so none */
};

static struct shortened *find_shortened(struct shortened *known, size_t count, const char *word,
                                        size_t size)
{
    for (size_t i = 0; i < count; i++)
        if (known[i].size == size && !memcmp(known[i].word, word, size))
            return &known[i];
    return NULL;
}

/* Python shortens each word letter by letter until it meets what an earlier one was
 * shortened to: that means nothing from then on, and what is shorter still means the
 * earlier one. */
static const struct sort_key *find_abbreviation(const char *word, size_t size)
{
    struct shortened known[SHORTENED_MAX], *found;
    size_t count = 0;
    for (size_t i = 0; i < ABBREVIABLE; i++) {
        for (size_t left = strlen(keys[i].word); left; left--) {
            found = find_shortened(known, count, keys[i].word, left);
            if (found) {
                found->key = NULL;
                break;
            }
            if (count < SHORTENED_MAX)
                known[count++] = (struct shortened){keys[i].word, left, &keys[i]};
        }
    }
    found = find_shortened(known, count, word, size);
    return found ? found->key : NULL;
}

static const struct sort_key *find_key(const char *word, size_t size)
{
    for (size_t i = 0; i < KEYS; i++) {
        if (strlen(keys[i].word) == size && !memcmp(word, keys[i].word, size))
            return &keys[i];
    }
    return find_abbreviation(word, size);
}

struct sorting {
    const struct profile *profile;
    enum field fields[FIELDS_MAX];
    int field_count;
    uint32_t *places;   /* of strings, in order; NULL where nobody asks */
    uint32_t *standard; /* of standard names, by row; the same */
};

static enum status unknown_key(const char *word, size_t size, struct error *err)
{
    return error_set(err, STATUS_USAGE,
                     "--sort takes no '%.*s' here; keys are calls, cumulative, filename, line, "
                     "module, name, nfl, pcalls, stdname, time and other names of pstats",
                     (int)size, word);
}

static enum status parse_sort(const char *sort, struct sorting *sorting, struct text *words,
                              struct error *err)
{
    if (!strcmp(sort, "-1") || (strlen(sort) == 1 && *sort >= '0' && *sort <= '2'))
        sort = old_keys[atoi(sort) + 1];
    for (const char *word = sort; word;) {
        size_t size = strcspn(word, ",");
        const struct sort_key *key = find_key(word, size);
        if (!key || sorting->field_count + key->field_count > FIELDS_MAX)
            return unknown_key(word, size, err);
        for (int i = 0; i < key->field_count; i++)
            sorting->fields[sorting->field_count++] = key->fields[i];
        text_printf(words, "%s%s", word == sort ? "" : ", ", key->words);
        word = word[size] ? word + size + 1 : NULL;
    }
    return STATUS_OK;
}

/* ---- Sorting: numbers descending, text and lines ascending, ties as the file has
 * them. */

/* The key of a signed number: keys order as the numbers do. */
static uint64_t rising(int64_t number)
{
    return (uint64_t)number ^ UINT64_C(1) << 63;
}

/* The largest first, what is no number last. */
static uint64_t falling(double number)
{
    uint64_t bits;
    if (isnan(number))
        return UINT64_MAX;
    number += 0.0; /* -0 is 0 */
    memcpy(&bits, &number, sizeof bits);
    return bits >> 63 ? bits : ~bits ^ UINT64_C(1) << 63;
}

static uint64_t key_of(const struct sorting *sorting, enum field field, uint32_t row)
{
    const struct profile_stat *stat = &sorting->profile->stats.items[row];
    const struct profile_function *function = &sorting->profile->functions.items[stat->function];
    switch (field) {
    case FIELD_PRIMITIVE: return ~rising(stat->primitive_calls);
    case FIELD_CALLS: return ~rising(stat->calls);
    case FIELD_SELF: return falling(stat->self);
    case FIELD_TOTAL: return falling(stat->total);
    case FIELD_LINE: return rising(function->line);
    case FIELD_FILE: return sorting->places[function->file];
    case FIELD_NAME: return sorting->places[function->name];
    case FIELD_STANDARD_NAME: return sorting->standard[row];
    }
    return 0;
}

static bool needs(const struct sorting *sorting, enum field field)
{
    for (int i = 0; i < sorting->field_count; i++)
        if (sorting->fields[i] == field)
            return true;
    return false;
}

/* Adds each row's name to `names`: row by row, the strings that they are. */
static enum status name_rows(const struct profile *profile, struct profile *names, uint32_t *rows)
{
    struct text name;
    enum status status = STATUS_OK;
    text_init(&name);
    for (size_t i = 0; status == STATUS_OK && i < profile->stats.count; i++) {
        text_clear(&name);
        pstats_standard_name(profile, profile->stats.items[i].function, &name);
        status = text_ok(&name) ? profile_add_string(names, text_string(&name), name.size, &rows[i])
                                : STATUS_NO_MEMORY;
    }
    text_deinit(&name);
    return status;
}

static enum status order_names(struct sorting *sorting)
{
    size_t count = sorting->profile->stats.count;
    struct profile names;
    uint32_t *places = NULL;
    sorting->standard = calloc(count + 1, sizeof *sorting->standard);
    if (!sorting->standard)
        return STATUS_NO_MEMORY;
    profile_init(&names);
    enum status status = name_rows(sorting->profile, &names, sorting->standard);
    if (status == STATUS_OK)
        status = order_strings(&names, &places);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        sorting->standard[i] = places[sorting->standard[i]];
    free(places);
    profile_deinit(&names);
    return status;
}

/* By the last field first: what is equal in one keeps the order of those after it. */
static enum status sort_by_fields(const struct sorting *sorting, uint32_t *rows, size_t count)
{
    struct keyed_item *items = calloc(2 * count + 1, sizeof *items);
    if (!items)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        items[i].item = rows[i];
    for (int field = sorting->field_count; field-- > 0;) {
        for (size_t i = 0; i < count; i++)
            items[i].key = key_of(sorting, sorting->fields[field], items[i].item);
        keyed_sort(items, items + count, count);
    }
    for (size_t i = 0; i < count; i++)
        rows[i] = items[i].item;
    free(items);
    return STATUS_OK;
}

static enum status sort_rows(struct sorting *sorting, uint32_t *rows, size_t count)
{
    enum status status = STATUS_OK;
    if (needs(sorting, FIELD_FILE) || needs(sorting, FIELD_NAME))
        status = order_strings(sorting->profile, &sorting->places);
    if (status == STATUS_OK && needs(sorting, FIELD_STANDARD_NAME))
        status = order_names(sorting);
    return status == STATUS_OK ? sort_by_fields(sorting, rows, count) : status;
}

/* ---- Restricting. */

static enum status apply_pattern(const struct pstats *stats, const struct restriction *restriction,
                                 struct pstats_list *list)
{
    struct text name;
    size_t kept = 0;
    text_init(&name);
    for (size_t i = 0; i < list->rows.count; i++) {
        uint32_t row = list->rows.items[i];
        text_clear(&name);
        pstats_standard_name(&stats->profile, stats->profile.stats.items[row].function, &name);
        if (regexec(&restriction->pattern, text_string(&name), 0, NULL, 0) == 0)
            list->rows.items[kept++] = row;
    }
    bool ok = text_ok(&name);
    text_deinit(&name);
    list->rows.count = kept;
    return ok ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status apply(const struct pstats *stats, const char *words,
                         const struct restriction *restriction, struct pstats_list *list)
{
    size_t before = list->rows.count;
    enum status status = STATUS_OK;
    if (restriction->kind == RESTRICTION_PATTERN && !restriction->is_valid) {
        text_append(&list->message, "   <Invalid regular expression ");
        restriction_repr(words, restriction, &list->message);
        text_append(&list->message, ">\n");
        return status;
    }
    if (restriction->kind == RESTRICTION_PATTERN)
        status = apply_pattern(stats, restriction, list);
    else if (restriction->kind == RESTRICTION_PART && restriction->part < 1)
        list->rows.count = (size_t)((double)before * restriction->part + .5);
    else if (restriction->kind == RESTRICTION_COUNT && restriction->count >= 0 &&
             (uint64_t)restriction->count < before)
        list->rows.count = (size_t)restriction->count;
    if (list->rows.count == before)
        return status;
    text_printf(&list->message, "   List reduced from %zu to %zu due to restriction <", before,
                list->rows.count);
    restriction_repr(words, restriction, &list->message);
    text_append(&list->message, ">\n");
    return status;
}

static enum status restrict_rows(const struct pstats *stats, const char *const *restrictions,
                                 size_t count, struct pstats_list *list, struct error *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        struct restriction restriction;
        status = restriction_parse(restrictions[i], &restriction, err);
        if (status != STATUS_OK)
            return status;
        status = apply(stats, restrictions[i], &restriction, list);
        restriction_deinit(&restriction);
        if (status != STATUS_OK)
            return error_set(err, status, "%s", status_name(status));
    }
    return status;
}

/* ---- Both. */

static enum status order_list(const struct pstats *stats, const char *sort, bool reverse,
                              struct pstats_list *list, struct error *err)
{
    struct sorting sorting = {.profile = &stats->profile};
    size_t count = stats->profile.stats.count;
    if (!sort) {
        text_append(&list->message, "   Random listing order was used\n");
        return STATUS_OK;
    }
    text_append(&list->message, "   Ordered by: ");
    enum status status = parse_sort(sort, &sorting, &list->message, err);
    text_append_char(&list->message, '\n');
    if (status == STATUS_OK) {
        status = sort_rows(&sorting, list->rows.items, count);
        if (status != STATUS_OK)
            error_set(err, status, "%s", status_name(status));
    }
    for (size_t i = 0; reverse && i < count / 2; i++) {
        uint32_t row = list->rows.items[i];
        list->rows.items[i] = list->rows.items[count - 1 - i];
        list->rows.items[count - 1 - i] = row;
    }
    free(sorting.places);
    free(sorting.standard);
    return status;
}

enum status pstats_choose(const struct pstats *stats, const char *sort, bool reverse,
                          const char *const *restrictions, size_t count,
                          struct pstats_list *ret_list, struct error *err)
{
    struct pstats_list list = {0};
    size_t rows = stats->profile.stats.count;
    text_init(&list.message);
    if (!array_reserve(&list.rows, rows))
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < rows; i++)
        list.rows.items[i] = (uint32_t)i;
    list.rows.count = rows;
    enum status status = order_list(stats, sort, reverse, &list, err);
    if (status == STATUS_OK)
        status = restrict_rows(stats, restrictions, count, &list, err);
    if (status == STATUS_OK)
        *ret_list = list;
    else
        pstats_list_deinit(&list);
    return status;
}

void pstats_list_deinit(struct pstats_list *list)
{
    array_deinit(&list->rows);
    text_deinit(&list->message);
}
