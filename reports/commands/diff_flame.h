/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_DIFF_FLAME_H
#define INQUEST_REPORTS_COMMANDS_DIFF_FLAME_H

#include "inquest/analyzer/diff_profile.h"
#include "inquest/analyzer/diff_retained.h"
#include "reports/render/flame.h"

#define DIFF_FLAME_LEAST 0.0004 /* of all: narrower than half a pixel */

/* The differential picture of two recordings; everything lives in `arena`. */
enum status diff_flame_graph(const struct profile_diff *diff, bool icicle, bool reverse,
                             struct arena *arena, struct flame_graph *ret_graph,
                             struct error *err) MUST_CHECK;

/* The differential picture of two cores' retained memory. */
enum status diff_retained_graph(struct index *old_index, struct index *new_index, bool icicle,
                                struct arena *arena, struct flame_graph *ret_graph,
                                struct error *err) MUST_CHECK;

#endif
