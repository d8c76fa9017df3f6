/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/analyzer/diff_profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/compare/diff_calls.h"

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "out of memory");
}

/* ---- Whether and how the two can be compared. */

/* pstats of a sampling profiler has samples where others have calls: those in a function
 * itself are its primitive calls. */
static bool counts_samples(const struct profile *profile)
{
    if (profile->family == PROFILE_PSTATS)
        return profile->is_sampled;
    return profile->family == PROFILE_SAMPLES && profile->unit &&
           (!strcmp(profile->unit, "samples") || !strcmp(profile->unit, "seconds") ||
            !strcmp(profile->unit, "none"));
}

static enum status check_families(const struct profile *a, const struct profile *b,
                                  struct error *err)
{
    if ((a->family == PROFILE_TRACEMALLOC) != (b->family == PROFILE_TRACEMALLOC))
        return error_set(err, STATUS_USAGE,
                         "a snapshot of memory and a recording of calls can't be compared");
    return STATUS_OK;
}

static bool same_unit(const struct profile *a, const struct profile *b)
{
    const char *first = a->unit ? a->unit : "", *second = b->unit ? b->unit : "";
    return a->family == b->family && !strcmp(first, second);
}

/* Other units, or pstats against samples: shares of the total are left to compare. */
static void scale_sides(struct profile_compare *compare, bool by_share)
{
    struct profile_pair *pair = compare->pair;
    for (size_t side = 0; side < 2; side++) {
        double whole = by_share ? 1 : pair->totals[1];
        if (!by_share && (side == 1 || !compare->options->normalize))
            continue;
        if (pair->totals[side] > 0)
            profile_pair_scale(pair, side, whole / pair->totals[side]);
    }
}

static void set_measures(struct profile_compare *compare, bool by_share)
{
    const struct profile *profile = compare->originals[1];
    enum diff_unit unit = by_share ? DIFF_SHARE : DIFF_NUMBER;
    if (profile->family == PROFILE_TRACEMALLOC) {
        compare->measures[0] = (struct diff_measure){"size", "Size", DIFF_BYTES};
        compare->measures[1] = (struct diff_measure){"count", "Blocks", DIFF_COUNT};
        return;
    }
    compare->measures[0] = (struct diff_measure){"self", "Self", unit};
    compare->measures[1] = (struct diff_measure){"total", "Total", unit};
    if (profile->family != compare->originals[0]->family)
        return; /* calls and samples are no one number */
    bool calls = profile->family == PROFILE_PSTATS && !compare->counts_samples;
    compare->measures[2] =
        (struct diff_measure){calls ? "calls" : "count", calls ? "Calls" : "Samples", DIFF_COUNT};
}

/* ---- Words. */

static bool is_mixed(const struct profile_compare *compare)
{
    return compare->originals[0]->family != compare->originals[1]->family;
}

static const char *rule_words(const struct profile_compare *compare, bool by_share)
{
    static const char *const words[] = {
        [MATCH_EXACT] = "function, whole path and line",
        [MATCH_LINE] = "function, path as Python imports it, and line",
        [MATCH_FUNCTION] = "function and path as Python imports it, whatever the line",
    };
    const struct profile_pair *pair = compare->pair;
    const char *things = compare->originals[1]->family == PROFILE_PSTATS ? "functions" : "stacks";
    const char *scaled = by_share ? "; by share of the total, for their units differ"
                         : compare->options->normalize ? "; OLD is scaled to NEW's total"
                                                       : "";
    if (is_mixed(compare))
        return arena_printf(&compare->diff->arena,
                            "%s; by share of the total, for one counts calls and the other "
                            "samples; the tree of pstats is estimated from caller/callee totals",
                            words[compare->options->rule]);
    return arena_printf(&compare->diff->arena,
                        "%s; threads and processes merged; %.1f %% of OLD and %.1f %% of NEW is in "
                        "%s that both have%s",
                        words[compare->options->rule], pair->matched[0] * 100,
                        pair->matched[1] * 100, things, scaled);
}

#define LEAST_MATCHED 0.2 /* of either's weight: below, the two are hardly one program */

static bool warn(const struct profile_compare *compare)
{
    const struct profile_pair *pair = compare->pair;
    if (is_mixed(compare) || pair->totals[0] <= 0 || pair->totals[1] <= 0 ||
        (pair->matched[0] >= LEAST_MATCHED && pair->matched[1] >= LEAST_MATCHED))
        return true;
    const char *warning = arena_printf(
        &compare->diff->arena,
        "hardly of the same program: %.1f %% of OLD and %.1f %% of NEW found a partner",
        pair->matched[0] * 100, pair->matched[1] * 100);
    return warning && array_push(&compare->diff->warnings, warning);
}

static const char *row_words(const struct profile_compare *compare, const struct diff_row *row,
                             const struct diff_table *table)
{
    const char *first = row->keys[0] ? row->keys[0] : "?";
    if (table->keys[1] && !strcmp(table->keys[1], "line") && row->keys[1])
        return arena_printf(&compare->diff->arena, "%s:%s", first, row->keys[1]);
    if (table->keys[1] && row->keys[1] && *row->keys[1])
        return arena_printf(&compare->diff->arena, "%s (%s%s%s)", first, row->keys[1],
                            row->keys[2] ? ":" : "", row->keys[2] ? row->keys[2] : "");
    return first;
}

static bool write_verdict(const struct profile_compare *compare)
{
    struct diff *diff = compare->diff;
    const struct diff_table *table = diff_table_for_people(diff, 0);
    double growth = diff->new_total - diff->old_total;
    const char *change = growth == 0           ? "is unchanged"
                         : diff->old_total > 0 ? arena_printf(&diff->arena, "%s by %.1f %%",
                                                              growth > 0 ? "grew" : "shrank",
                                                              fabs(growth) / diff->old_total * 100)
                                               : "is new";
    const char *whole = compare->originals[1]->family == PROFILE_TRACEMALLOC
                            ? "What tracemalloc counted"
                            : "The total";
    const char *begin = diff->total.unit == DIFF_SHARE
                            ? "By share of the total"
                            : arena_printf(&diff->arena, "%s %s", whole, change ? change : "");
    if (!change || !begin)
        return false;
    if (!table->rows.count || table->rows.items[0].rank == 0) {
        diff->verdict = arena_printf(&diff->arena, "%s; no row changed", begin);
        return diff->verdict != NULL;
    }
    const struct diff_row *row = &table->rows.items[0];
    const char *words = row_words(compare, row, table);
    double own = row->new_values[0] - row->old_values[0];
    const char *how = row->presence == DIFF_NEW    ? "is new"
                      : row->presence == DIFF_GONE ? "went"
                      : own >= 0                   ? "grew most"
                                                   : "shrank most";
    const char *chance = row->is_noise ? ", within what chance makes" : "";
    if (!words)
        return false;
    if (row->presence == DIFF_BOTH && row->old_values[0] > 0 && row->new_values[0] > 0)
        diff->verdict =
            arena_printf(&diff->arena, "%s; %s %s, to %.2f times what it was by itself%s", begin,
                         words, how, row->new_values[0] / row->old_values[0], chance);
    else
        diff->verdict = arena_printf(&diff->arena, "%s; %s %s%s", begin, words, how, chance);
    return diff->verdict != NULL;
}

/* ---- All. */

static const char *family_name(const struct profile *profile)
{
    static const char *const names[] = {[PROFILE_TRACEMALLOC] = "tracemalloc",
                                        [PROFILE_PSTATS] = "pstats",
                                        [PROFILE_SAMPLES] = "pyspy"};
    return names[profile->family];
}

static enum status fill_tables(struct profile_compare *compare, struct error *err)
{
    bool memory = compare->originals[1]->family == PROFILE_TRACEMALLOC;
    enum status status = diff_profile_rows(compare, err);
    if (status == STATUS_OK && memory && compare->options->by == HOTSPOT_LINE)
        status = diff_moved_lines(compare, err);
    if (status == STATUS_OK && !memory && !is_mixed(compare))
        status = diff_profile_edges(compare, err);
    return status;
}

/* What tables refuse is refused for a picture too. */
static enum status check_rows(const struct profile_compare *compare, struct error *err)
{
    enum status status = STATUS_OK;
    for (size_t side = 0; side < 2 && status == STATUS_OK; side++)
        status = hotspots_check(compare->originals[side], compare->options->by, err);
    return status;
}

static enum status fill(struct profile_compare *compare, struct profile_diff *diff, bool with_tree,
                        struct error *err)
{
    bool memory = compare->originals[1]->family == PROFILE_TRACEMALLOC;
    bool by_share = !same_unit(compare->originals[0], compare->originals[1]);
    bool tables = !compare->options->picture_only;
    compare->counts_samples =
        !by_share && counts_samples(compare->originals[0]) && counts_samples(compare->originals[1]);
    scale_sides(compare, by_share);
    set_measures(compare, by_share);
    diff->unit = by_share ? "share" : memory ? "bytes" : compare->originals[1]->unit;
    diff->diff.family = family_name(compare->originals[1]);
    diff->diff.total = (struct diff_measure){"total", "Total",
                                             by_share ? DIFF_SHARE
                                             : memory ? DIFF_BYTES
                                                      : DIFF_NUMBER};
    diff->diff.old_total = by_share ? 1 : compare->pair->totals[0];
    diff->diff.new_total = by_share ? 1 : compare->pair->totals[1];
    enum status status = tables ? fill_tables(compare, err) : check_rows(compare, err);
    if (status == STATUS_OK &&
        (with_tree || (tables && !memory && compare->originals[1]->family == PROFILE_SAMPLES)))
        status = diff_profile_tree(compare, diff, err);
    if (status != STATUS_OK)
        return status;
    diff->diff.rule = memory ? "file and line, as compare_to does" : rule_words(compare, by_share);
    return diff->diff.rule && warn(compare) && (!tables || write_verdict(compare)) ? STATUS_OK
                                                                                   : no_memory(err);
}

enum status profile_diff_make(const struct profile *old_profile, const struct profile *new_profile,
                              const struct diff_profile_options *options, bool with_tree,
                              bool reverse, struct profile_diff *ret_diff, struct error *err)
{
    struct profile_diff diff = {0};
    struct diff_profile_options chosen = *options;
    struct profile_compare compare = {.originals = {old_profile, new_profile},
                                      .options = &chosen,
                                      .diff = &diff.diff,
                                      .reverse = reverse};
    diff_init(&diff.diff);
    enum status status = check_families(old_profile, new_profile, err);
    if (status != STATUS_OK)
        return status;
    if (new_profile->family == PROFILE_TRACEMALLOC) {
        chosen.rule = MATCH_EXACT;
        chosen.row_limit = chosen.by == HOTSPOT_LINE ? 0 : chosen.row_limit;
    }
    bool estimated = old_profile->family == PROFILE_PSTATS || new_profile->family == PROFILE_PSTATS;
    if (estimated && (chosen.by == HOTSPOT_LINE || chosen.by == HOTSPOT_TRACEBACK))
        return error_set(err, STATUS_USAGE,
                         "pstats knows functions, files and modules, no lines and no tracebacks: "
                         "use --by function, file or module");
    diff.pair = calloc(1, sizeof *diff.pair);
    status = diff.pair ? profile_pair_make(old_profile, new_profile, chosen.rule,
                                           !chosen.picture_only || estimated, diff.pair, err)
                       : no_memory(err);
    if (status != STATUS_OK) {
        free(diff.pair);
        diff.pair = NULL;
    } else {
        compare.pair = diff.pair;
        status = fill(&compare, &diff, with_tree, err);
    }
    if (status == STATUS_OK)
        *ret_diff = diff;
    else
        profile_diff_deinit(&diff);
    return status;
}

void profile_diff_deinit(struct profile_diff *diff)
{
    array_deinit(&diff->nodes);
    array_deinit(&diff->rests);
    if (diff->pair)
        profile_pair_deinit(diff->pair);
    free(diff->pair);
    diff_deinit(&diff->diff);
}

const struct profile *profile_diff_names(const struct profile_diff *diff)
{
    return &diff->pair->both;
}
