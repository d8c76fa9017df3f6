/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "analyzer/profile/order.h"
#include "analyzer/profile/sequence_sort.h"
#include "inquest/analyzer/profile_pstats.h"

static enum status find_places(const struct profile *profile, uint32_t **ret_places)
{
    uint32_t *strings = NULL;
    enum status status = order_strings(profile, &strings);
    if (status == STATUS_OK)
        status = order_functions_by_file(profile, strings, ret_places);
    free(strings);
    return status;
}

static enum status fill(struct pstats_edges *edges, const struct profile *profile, bool callers)
{
    size_t count = profile->calls.count;
    struct keyed_item *items = calloc(2 * count + 1, sizeof *items);
    uint32_t *places = NULL;
    enum status status = items ? find_places(profile, &places) : STATUS_NO_MEMORY;
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++) {
        const struct profile_call *call = &profile->calls.items[i];
        uint32_t at = callers ? call->callee : call->caller;
        uint32_t other = callers ? call->caller : call->callee;
        items[i] = (struct keyed_item){(uint64_t)at << 32 | places[other], i};
        edges->first[at + 1]++;
    }
    if (status == STATUS_OK)
        keyed_sort(items, items + count, count);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        edges->calls[i] = items[i].item;
    for (size_t i = 0; status == STATUS_OK && i < profile->functions.count; i++)
        edges->first[i + 1] += edges->first[i];
    free(items);
    free(places);
    return status;
}

enum status pstats_edges_init(struct pstats_edges *edges, const struct pstats *stats, bool callers,
                              struct error *err)
{
    const struct profile *profile = &stats->profile;
    edges->first = calloc(profile->functions.count + 2, sizeof *edges->first);
    edges->calls = calloc(profile->calls.count + 1, sizeof *edges->calls);
    enum status status =
        edges->first && edges->calls ? fill(edges, profile, callers) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        return status;
    pstats_edges_deinit(edges);
    return error_set(err, status, "%s", status_name(status));
}

void pstats_edges_deinit(struct pstats_edges *edges)
{
    free(edges->first);
    free(edges->calls);
    *edges = (struct pstats_edges){0};
}
