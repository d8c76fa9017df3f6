/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_DIFF_FLAME_H
#define INQUEST_REPORTS_COMMANDS_DIFF_FLAME_H

#include "inquest/analyzer/diff_profile.h"
#include "reports/render/flame.h"

/* The differential picture of two recordings; everything lives in `arena`. */
enum status diff_flame_graph(const struct profile_diff *diff, bool icicle, bool reverse,
                             struct arena *arena, struct flame_graph *ret_graph,
                             struct error *err) MUST_CHECK;

#endif
