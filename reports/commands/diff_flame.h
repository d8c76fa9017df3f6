/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_DIFF_FLAME_H
#define INQUEST_REPORTS_COMMANDS_DIFF_FLAME_H

#include "inquest/analyzer/diff_profile.h"
#include "inquest/analyzer/diff_retained.h"
#include "reports/render/flame.h"

/* The differential picture of two recordings; everything lives in `arena`. */
enum status diff_flame_graph(const struct profile_diff *diff, bool icicle, bool reverse,
                             struct arena *arena, struct flame_graph *ret_graph,
                             struct error *err) MUST_CHECK;

/* The differential picture of two cores' retained memory. */
enum status diff_retained_graph(struct index *old_index, struct index *new_index, bool icicle,
                                struct arena *arena, struct flame_graph *ret_graph,
                                struct error *err) MUST_CHECK;

/* flamegraph.c: "shop.cache.SESSIONS: dict", "40,000 × shop.models.Session" */
void retained_node_name(const struct retained_node *node, struct text *text);

#endif
