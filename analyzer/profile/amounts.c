/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/profile/amounts.h"

#include <stdlib.h>

static void add(struct amounts *amounts, uint32_t stack, double weight, uint64_t count)
{
    amounts->weights[stack] += weight;
    amounts->counts[stack] += count;
    amounts->whole += weight;
    amounts->whole_count += count;
}

enum status amounts_init(struct amounts *amounts, const struct profile *profile)
{
    *amounts = (struct amounts){0};
    amounts->weights = calloc(profile->stacks.count + 1, sizeof *amounts->weights);
    amounts->counts = calloc(profile->stacks.count + 1, sizeof *amounts->counts);
    if (profile->family == PROFILE_TRACEMALLOC)
        amounts->sizes = calloc(profile->stacks.count + 1, sizeof *amounts->sizes);
    if (!amounts->weights || !amounts->counts ||
        (profile->family == PROFILE_TRACEMALLOC && !amounts->sizes)) {
        amounts_deinit(amounts);
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < profile->traces.count; i++) {
        const struct profile_trace *trace = &profile->traces.items[i];
        add(amounts, trace->stack, (double)trace->size, trace->count);
        amounts_add(&amounts->whole_size, trace->size);
        if (amounts->sizes)
            amounts_add(&amounts->sizes[trace->stack], trace->size);
    }
    for (size_t i = 0; i < profile->samples.count; i++) {
        const struct profile_sample *sample = &profile->samples.items[i];
        add(amounts, sample->stack, sample->weight, sample->count);
    }
    return STATUS_OK;
}

void amounts_deinit(struct amounts *amounts)
{
    free(amounts->weights);
    free(amounts->counts);
    free(amounts->sizes);
    *amounts = (struct amounts){0};
}
