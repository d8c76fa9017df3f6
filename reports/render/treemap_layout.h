/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_RENDER_TREEMAP_LAYOUT_H
#define INQUEST_REPORTS_RENDER_TREEMAP_LAYOUT_H

#include <stdbool.h>

#include "inquest/base/array.h"
#include "reports/render/treemap.h"

#define TREEMAP_REST UINT32_MAX

struct treemap_area {
    double x, y, width, height;
};

struct treemap_cell {
    uint32_t node;  /* TREEMAP_REST: siblings too small to be seen */
    uint32_t depth; /* 0: the root */
    uint32_t count; /* of TREEMAP_REST: how many siblings */
    bool is_box;    /* has cells of its own in it, below its header */
    double value;
    struct treemap_area area;
};

struct treemap_space {
    struct treemap_area area; /* of the root */
    double header;            /* height over a box's content; the root has none */
    double padding;           /* around that */
    double least;             /* area below which a cell can't be seen */
    size_t most;              /* cells; `least` grows until they are no more */
};

struct treemap_layout {
    ARRAY(struct treemap_cell) cells; /* parents first; those of one parent beside each other */
    double total;
    uint64_t hidden; /* nodes that have no cell of their own */
    bool failed;
};

/* The children of a box share its content in proportion to their values, in rows chosen so
 * that they come near to squares ("squarified treemaps", Bruls, Huizing and van Wijk, 2000). */
void treemap_layout_make(const struct treemap_node *nodes, size_t count,
                         const struct treemap_space *space, struct treemap_layout *ret_layout);
void treemap_layout_deinit(struct treemap_layout *layout);

#endif
