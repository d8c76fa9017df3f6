/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_PROFILE_FLAME_H
#define INQUEST_REPORTS_COMMANDS_PROFILE_FLAME_H

#include "inquest/analyzer/profile_tree.h"
#include "inquest/base/arena.h"
#include "reports/cli/command.h"
#include "reports/render/flame.h"

#define PROFILE_FLAME_LEAST 0.0004 /* of all: narrower than half a pixel */

/* How a recording's unit is shown: its name in words, what a value is multiplied with,
 * and the kind of number that it is then. */
struct unit_view {
    enum column_kind kind;
    double factor;
    const char *name; /* "samples"; NULL where the kind's own form says it */
};

struct unit_view unit_view(const char *unit);
/* "1.2 s", "3.4 MiB", "120 samples" */
void unit_amount(const struct unit_view *view, double value, struct text *text);

/* A picture of a call tree. Nodes too small to be seen have no names. Everything lives in
 * `arena`; `input` is the file's name. */
enum status profile_flame_graph(const struct call_tree *tree, const char *input, bool icicle,
                                struct arena *arena, struct flame_graph *ret_graph,
                                struct error *err) MUST_CHECK;

/* What was left out of a tree, for its picture: times `factor`, in `arena`; NULL for none. False:
 * out of memory. */
bool flame_rests(const struct call_rest *rests, size_t count, double factor, struct arena *arena,
                 const struct flame_rest **ret_rests);

/* "/usr/lib/python3.11/json/decoder.py:353", "" for what has no file. */
void profile_place(const struct profile *profile, uint32_t function, int32_t line,
                   struct text *text);

/* A line of an outline: share, amount, and the name as far right as it is deep. */
void profile_outline_line(struct command_run *run, const struct unit_view *view, double value,
                          double all, size_t depth, const char *name);

/* flamegraph of a recording: SVG, an outline, JSON. */
enum status profile_flamegraph(struct command_run *run, const struct profile *profile,
                               struct error *err) MUST_CHECK;

#endif
