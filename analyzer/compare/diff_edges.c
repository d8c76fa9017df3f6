/* SPDX-License-Identifier: Apache-2.0 */
/* Calls from one function to another, by change of what they took. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/compare/diff_calls.h"
#include "inquest/analyzer/profile_edges.h"

#define MOST_EDGES 200 /* rows of the table */

static int compare_edges(const void *left, const void *right)
{
    const struct profile_edge *a = left, *b = right;
    double first = fabs(a->totals[1] - a->totals[0]), second = fabs(b->totals[1] - b->totals[0]);
    if (first < second || first > second)
        return first < second ? 1 : -1;
    if (a->caller != b->caller)
        return a->caller < b->caller ? -1 : 1;
    return (a->callee > b->callee) - (a->callee < b->callee);
}

/* The edges that changed most, in order, go to `kept`, which has room for twice as many as
 * are told; returns how many. One pass: there may be millions. */
static size_t largest_edges(const struct profile_edges *edges, struct profile_edge *kept)
{
    size_t count = 0;
    for (size_t i = 0; i < edges->items.count; i++) {
        const struct profile_edge *edge = &edges->items.items[i];
        if (edge->totals[0] == edge->totals[1])
            continue;
        kept[count++] = *edge;
        if (count == 2 * MOST_EDGES) {
            qsort(kept, count, sizeof *kept, compare_edges);
            count = MOST_EDGES;
        }
    }
    if (count)
        qsort(kept, count, sizeof *kept, compare_edges);
    return count < MOST_EDGES ? count : MOST_EDGES;
}

static bool add_row(const struct profile_compare *compare, const struct profile_edge *edge,
                    struct diff_table *table)
{
    const struct profile *both = &compare->pair->both;
    struct arena *arena = &compare->diff->arena;
    bool was = edge->totals[0] != 0 || edge->counts[0] != 0;
    bool is = edge->totals[1] != 0 || edge->counts[1] != 0;
    struct diff_row row = {
        .stack = DIFF_NO_STACK,
        .keys = {pair_text(arena, both, both->functions.items[edge->caller].name),
                 pair_text(arena, both, both->functions.items[edge->callee].name),
                 pair_text(arena, both, both->functions.items[edge->callee].file)},
        .old_values = {edge->totals[0], edge->counts[0]},
        .new_values = {edge->totals[1], edge->counts[1]},
        .presence = !was  ? DIFF_NEW
                    : !is ? DIFF_GONE
                          : DIFF_BOTH,
        .rank = fabs(edge->totals[1] - edge->totals[0]),
    };
    return row.keys[0] && row.keys[1] && row.keys[2] && array_push(&table->rows, row);
}

enum status diff_profile_edges(const struct profile_compare *compare, struct error *err)
{
    struct profile_edges edges = {0};
    struct diff_table *table =
        diff_add_table(compare->diff, "edges", "Calls, by change of what they took");
    bool ok = table && profile_edges_add(&edges, &compare->pair->sides[0], 0) == STATUS_OK &&
              profile_edges_add(&edges, &compare->pair->sides[1], 1) == STATUS_OK;
    if (ok) {
        table->keys[0] = "caller";
        table->keys[1] = "function";
        table->keys[2] = "file";
        table->measures[0] = compare->measures[1];
        table->measures[1] = compare->measures[2];
        struct profile_edge kept[2 * MOST_EDGES];
        size_t count = largest_edges(&edges, kept);
        for (size_t i = 0; ok && i < count; i++)
            ok = add_row(compare, &kept[i], table);
    }
    profile_edges_deinit(&edges);
    return ok ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}
