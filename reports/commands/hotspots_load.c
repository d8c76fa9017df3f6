/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "inquest/analyzer/profile_filter.h"
#include "reports/commands/heap_answer.h"
#include "reports/commands/hotspots_answer.h"
#include "reports/commands/recordings.h"

#define TEXT_ROWS 20
/* every pattern with every domain, and those that exclude */
#define FILTERS_MAX (OPTION_LIST_MOST * OPTION_LIST_MOST + 2 * OPTION_LIST_MOST)

/* ---- Words of the command line. */

static const struct {
    const char *word;
    enum hotspot_by by;
} groupings[] = {
    {"function", HOTSPOT_FUNCTION}, {"line", HOTSPOT_LINE},     {"file", HOTSPOT_FILE},
    {"module", HOTSPOT_MODULE},     {"thread", HOTSPOT_THREAD}, {"traceback", HOTSPOT_TRACEBACK},
};

static enum status choose_grouping(struct hotspots_answer *answer, struct error *err)
{
    const char *word = answer->run->options->by;
    if (!word)
        word = answer->profile->family == PROFILE_TRACEMALLOC ? "line" : "function";
    for (size_t i = 0; i < sizeof groupings / sizeof *groupings; i++) {
        if (!strcmp(groupings[i].word, word)) {
            answer->by = groupings[i].by;
            answer->by_word = groupings[i].word;
            return STATUS_OK;
        }
    }
    return error_set(err, STATUS_USAGE,
                     "--by takes one of function, line, file, module, thread, traceback here, not "
                     "'%s'",
                     word);
}

static const struct {
    const char *word;
    enum hotspot_sort sort;
} sorts[] = {
    {"self", HOTSPOT_BY_SELF},        {"total", HOTSPOT_BY_TOTAL},   {"count", HOTSPOT_BY_COUNT},
    {"size", HOTSPOT_BY_TOTAL},       {"name", HOTSPOT_BY_NAME},     {"file", HOTSPOT_BY_FILE},
    {"line", HOTSPOT_BY_LINE},        {"time", HOTSPOT_BY_SELF},     {"tottime", HOTSPOT_BY_SELF},
    {"cumulative", HOTSPOT_BY_TOTAL}, {"cumtime", HOTSPOT_BY_TOTAL}, {"calls", HOTSPOT_BY_COUNT},
    {"ncalls", HOTSPOT_BY_COUNT},     {"samples", HOTSPOT_BY_COUNT}, {"filename", HOTSPOT_BY_FILE},
};

static enum status choose_sort(struct hotspots_answer *answer, struct error *err)
{
    const char *word = answer->run->options->sort;
    bool snapshot = answer->profile->family == PROFILE_TRACEMALLOC;
    answer->options.sort = snapshot ? HOTSPOT_BY_TOTAL : HOTSPOT_BY_SELF;
    if (!word)
        return STATUS_OK;
    for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++) {
        if (!strcmp(sorts[i].word, word)) {
            answer->options.sort = sorts[i].sort;
            return STATUS_OK;
        }
    }
    return error_set(
        err, STATUS_USAGE,
        "--sort takes one of self, total, size, count, name, file, line here, not '%s'", word);
}

static enum status choose_total(struct hotspots_answer *answer, struct error *err)
{
    bool snapshot = answer->profile->family == PROFILE_TRACEMALLOC;
    unsigned cumulative = answer->run->options->cumulative;
    answer->options.total = snapshot ? HOTSPOT_INNERMOST : HOTSPOT_ONCE;
    if (!cumulative)
        return STATUS_OK;
    if (!snapshot)
        return error_set(err, STATUS_USAGE,
                         "--cumulative is for snapshots of tracemalloc; here total counts a "
                         "function once");
    if (answer->by == HOTSPOT_TRACEBACK)
        return error_set(err, STATUS_USAGE, "--cumulative has no meaning by traceback");
    answer->options.total = cumulative == CUMULATIVE_ONCE ? HOTSPOT_ONCE : HOTSPOT_EACH_TIME;
    return STATUS_OK;
}

/* ---- Filters. */

/* "PATTERN:12" is a line of the files; a colon before anything else is the pattern's. */
static bool parse_place(struct arena *arena, const char *text, struct profile_filter *filter)
{
    const char *colon = strrchr(text, ':');
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
    filter->line = -1;
    filter->pattern = text;
    if (!digits || colon[1 + digits] || digits > 9)
        return true;
    filter->line = atol(colon + 1);
    filter->pattern = arena_strndup(arena, text, (size_t)(colon - text));
    return filter->pattern;
}

static enum status parse_domain(const char *text, int64_t *ret_domain, struct error *err)
{
    size_t digits = strspn(text, "0123456789");
    if (!digits || text[digits] || digits > 10)
        return error_set(err, STATUS_USAGE, "a domain is a whole number, not '%s'", text);
    *ret_domain = atoll(text);
    return STATUS_OK;
}

struct filters {
    struct profile_filter items[FILTERS_MAX];
    size_t count;
};

/* Patterns, each in each of the domains. */
static enum status add_filters(struct hotspots_answer *answer, struct filters *filters,
                               const struct option_list *patterns,
                               const struct option_list *domains, bool inclusive, struct error *err)
{
    size_t pattern_count = patterns->count ? patterns->count : domains->count ? 1 : 0;
    for (size_t i = 0; i < pattern_count; i++) {
        for (size_t j = 0; j < (domains->count ? domains->count : 1); j++) {
            struct profile_filter filter = {.inclusive = inclusive,
                                            .line = -1,
                                            .domain = -1,
                                            .all_frames = answer->run->options->all_frames};
            enum status status = STATUS_OK;
            if (patterns->count && !parse_place(&answer->arena, patterns->items[i], &filter))
                status = error_set(err, STATUS_NO_MEMORY, "out of memory");
            if (status == STATUS_OK && domains->count)
                status = parse_domain(domains->items[j], &filter.domain, err);
            if (status != STATUS_OK)
                return status;
            filters->items[filters->count++] = filter;
        }
    }
    return STATUS_OK;
}

/* Inclusive patterns and domains narrow each other down; what is excluded is excluded
 * by either. */
static enum status apply_filters(struct hotspots_answer *answer, struct profile *profile,
                                 struct error *err)
{
    const struct options *options = answer->run->options;
    const struct option_list none = {.count = 0};
    struct filters *filters = arena_alloc(&answer->arena, sizeof *filters);
    if (!filters)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    if ((options->domain.count || options->not_domain.count) &&
        profile->family != PROFILE_TRACEMALLOC)
        return error_set(err, STATUS_USAGE, "only snapshots of tracemalloc have domains");
    enum status status =
        add_filters(answer, filters, &options->filter, &options->domain, true, err);
    if (status == STATUS_OK)
        status = add_filters(answer, filters, &options->exclude, &none, false, err);
    if (status == STATUS_OK)
        status = add_filters(answer, filters, &none, &options->not_domain, false, err);
    return status == STATUS_OK ? profile_filter_apply(profile, filters->items, filters->count, err)
                               : status;
}

/* ---- Recordings. */

static const char *fact_of(const struct profile *profile, const char *key)
{
    for (size_t i = 0; i < profile->facts.count; i++)
        if (!strcmp(profile->facts.items[i].key, key))
            return profile->facts.items[i].value;
    return NULL;
}

/* "Sun Nov 22 13:12:52 2026    NAME", in the reader's own time as pstats writes it. */
static char *file_line(struct arena *arena, const struct profile *profile, const char *input)
{
    const char *modified = fact_of(profile, "source_mtime");
    struct tm parts = {0};
    char words[64];
    if (!modified || !strptime(modified, "%Y-%m-%dT%H:%M:%SZ", &parts))
        return arena_strdup(arena, input);
    time_t seconds = timegm(&parts);
    if (!localtime_r(&seconds, &parts) ||
        !strftime(words, sizeof words, "%a %b %e %H:%M:%S %Y", &parts))
        return arena_strdup(arena, input);
    return arena_printf(arena, "%s    %s", words, input);
}

static enum status note_file(struct hotspots_answer *answer, const struct profile *profile,
                             size_t operand, struct error *err)
{
    const char *input = answer->run->options->operands[operand];
    char *line = file_line(&answer->arena, profile, input);
    if (!line)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    answer->files[answer->file_count++] = line;
    return STATUS_OK;
}

static enum status add_recording(struct hotspots_answer *answer, size_t operand, struct error *err)
{
    struct profile other;
    enum status status = recordings_add_stats(answer->run, &answer->stats, operand, &other, err);
    if (status != STATUS_OK)
        return status;
    status = note_file(answer, &other, operand, err);
    profile_deinit(&other);
    return status;
}

/* The first, then the last down to the second, which is Stats.add's order. */
static enum status load_stats(struct hotspots_answer *answer, struct error *err)
{
    const struct options *options = answer->run->options;
    answer->files = arena_alloc(&answer->arena, options->operand_count * sizeof *answer->files);
    if (!answer->files)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    answer->has_stats = true;
    answer->has_loaded = false;
    enum status status = pstats_init(&answer->stats, &answer->loaded, err);
    if (status == STATUS_OK)
        status = note_file(answer, &answer->stats.profile, 0, err);
    for (size_t i = options->operand_count; status == STATUS_OK && i-- > 1;)
        status = add_recording(answer, i, err);
    if (status == STATUS_OK && options->operand_count > 1)
        status = command_check_gates(answer->run, &answer->stats.profile, err);
    if (status == STATUS_OK && options->strip_dirs)
        status = pstats_strip_dirs(&answer->stats, err);
    if (status == STATUS_OK)
        status = apply_filters(answer, &answer->stats.profile, err);
    answer->profile = &answer->stats.profile;
    return status;
}

static enum status load_recording(struct hotspots_answer *answer, struct error *err)
{
    const struct options *options = answer->run->options;
    enum status status = command_open_profile(answer->run, 0, &answer->loaded, err);
    if (status != STATUS_OK)
        return status;
    answer->has_loaded = true;
    answer->profile = &answer->loaded;
    if (answer->loaded.family == PROFILE_PSTATS)
        return load_stats(answer, err);
    if (options->strip_dirs || options->restrictions.count)
        return error_set(err, STATUS_USAGE, "%s: --strip-dirs and --restrict are for pstats files",
                         options->operands[0]);
    status = recordings_add_up(answer->run, &answer->loaded, err);
    return status == STATUS_OK ? apply_filters(answer, &answer->loaded, err) : status;
}

/* ---- Rows. */

/* Of pstats by function or line: its own order, with its own ties. */
static enum status choose_stats(struct hotspots_answer *answer, struct error *err)
{
    const struct options *options = answer->run->options;
    struct pstats_list list;
    const char *sort = options->sort ? options->sort : "self,total";
    enum status status =
        pstats_choose(&answer->stats, sort, options->reverse_order, options->restrictions.items,
                      options->restrictions.count, &list, err);
    if (status != STATUS_OK)
        return status;
    answer->row_count = list.rows.count;
    answer->stat_rows =
        arena_alloc(&answer->arena, list.rows.count * sizeof *answer->stat_rows + 1);
    if (answer->stat_rows)
        memcpy(answer->stat_rows, list.rows.items, list.rows.count * sizeof *answer->stat_rows);
    else
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    pstats_list_deinit(&list);
    return status;
}

/* Of rows, 0 for all. */
static size_t shown_limit(const struct hotspots_answer *answer)
{
    bool people = answer->run->format & (FORMAT_TEXT | FORMAT_MARKDOWN);
    int64_t limit = limit_or(answer->run->options, people ? TEXT_ROWS : -1);
    return limit > 0 ? (size_t)limit : 0;
}

static enum status load_rows(struct hotspots_answer *answer, struct error *err)
{
    const struct options *options = answer->run->options;
    bool by_stats =
        answer->has_stats && (answer->by == HOTSPOT_FUNCTION || answer->by == HOTSPOT_LINE);
    if (answer->relation) {
        enum status status = call_relations_find(
            answer->profile, options->callers ? options->callers : options->callees,
            options->callers, &answer->relations, err);
        answer->row_count = status == STATUS_OK ? answer->relations.rows.count : 0;
        return status;
    }
    if (options->restrictions.count && !by_stats)
        return error_set(err, STATUS_USAGE, "--restrict is for functions of pstats files");
    enum status status = by_stats ? STATUS_OK : choose_sort(answer, err);
    answer->options.by = answer->by;
    answer->options.ascending = options->reverse_order;
    answer->options.limit = shown_limit(answer);
    if (by_stats)
        answer->options.sort = HOTSPOT_NO_ROWS;
    if (status == STATUS_OK)
        status = hotspots_build(answer->profile, &answer->options, &answer->hotspots, err);
    answer->row_count = answer->hotspots.rows.count;
    return status == STATUS_OK && by_stats ? choose_stats(answer, err) : status;
}

/* The largest stacks, where a recording has stacks worth showing. */
static enum status load_paths(struct hotspots_answer *answer, struct error *err)
{
    struct hotspot_options options = {
        .by = HOTSPOT_TRACEBACK, .sort = HOTSPOT_BY_TOTAL, .limit = HOTSPOT_PATHS};
    bool deep = false;
    for (size_t i = 0; !deep && i < answer->profile->stacks.count; i++)
        deep = answer->profile->stacks.items[i].depth > 1;
    if (!deep || answer->has_stats || answer->relation || answer->by == HOTSPOT_TRACEBACK ||
        !(answer->run->format & (FORMAT_TEXT | FORMAT_MARKDOWN)))
        return STATUS_OK;
    return hotspots_build(answer->profile, &options, &answer->paths, err);
}

enum status hotspots_load(struct hotspots_answer *answer, struct error *err)
{
    const struct options *options = answer->run->options;
    if (options->callers && options->callees)
        return error_set(err, STATUS_USAGE, "--callers and --callees are two questions");
    enum status status = load_recording(answer, err);
    if (status != STATUS_OK || answer->run->format == FORMAT_PSTATS)
        return status;
    answer->unit = unit_view(answer->profile->unit);
    answer->relation = options->callers ? "callers" : options->callees ? "callees" : NULL;
    status = choose_grouping(answer, err);
    if (status == STATUS_OK)
        status = choose_total(answer, err);
    if (status == STATUS_OK)
        status = load_rows(answer, err);
    if (status == STATUS_OK)
        status = load_paths(answer, err);
    size_t limit = shown_limit(answer);
    answer->shown_count = limit && limit < answer->row_count ? limit : answer->row_count;
    return status;
}
