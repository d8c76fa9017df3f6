/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/analyzer/suspect_rules.h"

/* More parts than these are told as the one thing that holds them. */
#define MOST_PARTS 3

static bool is_large(const struct suspect_candidate *candidate, double share, uint64_t bytes)
{
    return candidate->share >= share && candidate->retained >= bytes;
}

/* Whether `candidate` is in `whole`. Parents are a forest, but a damaged index may
 * say otherwise. */
static bool is_within(const struct suspect_candidate *candidates, size_t count, size_t candidate,
                      size_t whole)
{
    int64_t parent = candidates[candidate].parent;
    for (size_t steps = 0; steps < count && parent >= 0 && (uint64_t)parent < count; steps++) {
        if ((size_t)parent == whole)
            return true;
        parent = candidates[parent].parent;
    }
    return false;
}

/* A structure is told in place of its parts where they are many or little of it. */
static bool is_told_whole(const struct suspect_candidate *candidates, size_t count, size_t whole)
{
    uint64_t bytes = 0, parts = 0;
    for (size_t i = 0; i < count; i++) {
        if (!candidates[i].is_alarm || candidates[i].is_structure ||
            !is_within(candidates, count, i, whole))
            continue;
        parts++;
        if (__builtin_add_overflow(bytes, candidates[i].retained, &bytes))
            bytes = UINT64_MAX;
    }
    return parts > MOST_PARTS || bytes < candidates[whole].retained / 2;
}

void suspect_rules_apply(struct suspect_candidate *candidates, size_t count, double least_share,
                         uint64_t least_bytes)
{
    for (size_t i = 0; i < count; i++)
        candidates[i].is_alarm =
            !candidates[i].is_structure && is_large(&candidates[i], least_share, least_bytes);
    for (size_t i = 0; i < count; i++) {
        struct suspect_candidate *whole = &candidates[i];
        if (whole->is_structure && is_large(whole, least_share, least_bytes))
            whole->is_alarm = is_told_whole(candidates, count, i);
    }
    /* of structures within structures the outermost is told; then its parts are not */
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; candidates[i].is_alarm && j < count; j++)
            if (j != i && candidates[j].is_structure && candidates[j].is_alarm &&
                is_within(candidates, count, i, j))
                candidates[i].is_alarm = false;
}
