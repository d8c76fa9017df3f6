/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_RENDER_FLAME_LAYOUT_H
#define INQUEST_REPORTS_RENDER_FLAME_LAYOUT_H

#include "inquest/base/array.h"
#include "reports/render/flame.h"

#define FLAME_REST UINT32_MAX

/* One frame of the picture. */
struct flame_frame {
    uint32_t node;   /* FLAME_REST: siblings too narrow to be seen */
    uint32_t depth;  /* 0: the root */
    uint32_t count;  /* of FLAME_REST: how many siblings */
    double x, width; /* shares of the whole */
    double value;
};

struct flame_layout {
    ARRAY(struct flame_frame) frames; /* parents first, then left to right */
    double total;
    uint32_t depth;  /* of the deepest frame */
    uint64_t hidden; /* nodes that have no frame of their own */
    bool failed;
};

/* `least`: the share below which a frame is too narrow. */
void flame_layout_make(const struct flame_graph *graph, double least,
                       struct flame_layout *ret_layout);
void flame_layout_deinit(struct flame_layout *layout);

#endif
