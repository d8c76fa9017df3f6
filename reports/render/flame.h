/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_RENDER_FLAME_H
#define INQUEST_REPORTS_RENDER_FLAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/render/table.h"

/* A tree of amounts as one SVG: each node a frame as wide as its value, above its
 * parent (below it in an icicle). The file is whole by itself: it shows everything
 * without scripts and inside <img>, asks for nothing from anywhere, follows the
 * reader's dark or light, and zooms, searches and takes keys where scripts run. */

/* Strings are unescaped, one line each; NULL is "". */
struct flame_node {
    uint32_t parent;    /* a lower index; 0 for node 0, which holds all others */
    double value;       /* with what is below it; never less than that */
    const char *name;   /* in the frame */
    const char *detail; /* for who points at it */
    const char *key;    /* what it belongs to, a module: one key has one colour in every
                           picture, and keys of one package are alike; "": grey */
};

/* How a node changed, for a differential picture: in the graph's unit. */
struct flame_change {
    double old_total, new_total, old_self, new_self;
};

/* Branches right below a node that are too narrow for any picture and are no nodes here. */
struct flame_rest {
    double value;
    uint64_t nodes;
    uint32_t branches;
};

struct flame_graph {
    const char *title, *subtitle;
    const char *description; /* what the widths mean, for who can't see them */
    enum column_kind unit;   /* how values are written */
    const char *unit_name;   /* after a plain number, "samples"; NULL: nothing */
    bool icicle;
    const struct flame_node *nodes; /* in the order in which siblings stand */
    size_t count;
    /* By node; NULL: colours by key. A frame's colour says how it changed with all that is
     * above it, the stripe at its foot how it changed itself. */
    const struct flame_change *changes;
    const struct flame_rest *rests; /* by node; NULL: all branches are here */
};

/* Appends the picture, a file of its own. Frames too narrow to be seen are one frame at
 * the end of their siblings, and counted in the description. */
void flame_render(const struct flame_graph *graph, struct text *text);
/* As an element of a page that has asset_flame_page_css and asset_flame_js. */
void flame_render_inline(const struct flame_graph *graph, struct text *text);

#endif
