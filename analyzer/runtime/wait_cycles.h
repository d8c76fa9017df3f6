/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_WAIT_CYCLES_H
#define INQUEST_ANALYZER_RUNTIME_WAIT_CYCLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/status.h"

struct wait_edge {
    uint32_t from, to;
};

struct wait_graph {
    const struct wait_edge *edges; /* ascending by from */
    size_t edge_count;
    uint32_t count;         /* of those that wait */
    const bool *can_go_on;  /* each: something else than the others may wake it */
    const bool *awaits_any; /* each: one of its edges is enough */
};

/* Of those that wait for each other the ones that can never go on because they
 * wait for themselves, through others. ret_in_cycle has `count` items. */
enum status wait_cycles_find(const struct wait_graph *graph, bool *ret_in_cycle) MUST_CHECK;

#endif
