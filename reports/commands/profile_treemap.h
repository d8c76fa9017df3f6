/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_PROFILE_TREEMAP_H
#define INQUEST_REPORTS_COMMANDS_PROFILE_TREEMAP_H

#include "inquest/analyzer/profile_treemap.h"
#include "reports/cli/command.h"
#include "reports/render/treemap.h"

/* A picture of a recording's places; a file's only line is drawn in its stead. Everything
 * lives in `arena`; `input` is the file's name. */
enum status profile_treemap_picture(const struct place_tree *tree, const char *input,
                                    struct arena *arena, struct treemap *ret_map,
                                    struct error *err) MUST_CHECK;

/* flamegraph --treemap of a recording: SVG, an outline, JSON. */
enum status profile_treemap(struct command_run *run, const struct profile *profile,
                            struct error *err) MUST_CHECK;

#endif
