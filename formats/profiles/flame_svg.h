/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMATS_PROFILES_FLAME_SVG_H
#define FORMATS_PROFILES_FLAME_SVG_H

#include "formats/profiles/stack_tree.h"

/* A frame of the picture. Positions are samples where the file tells them, else
 * pixels or percents. */
struct flame_rect {
    double x, width, y;
    double weight, children; /* its own number; that of the frames right above it */
    uint32_t frame, node;    /* node: PROFILE_NO_ID before it is in the tree */
    bool has_numbers;        /* fg:x and fg:w */
};

struct flame_picture {
    ARRAY(struct flame_rect) rects;
    bool is_exact;   /* all have fg:x and fg:w */
    bool is_percent; /* x and width without those are percents */
};

/* What the arrangement of the rectangles gave. */
struct flame_arrangement {
    double total;      /* of the outermost frames */
    uint64_t orphans;  /* frames on no other frame: left out */
    uint64_t overfull; /* frames with more above them than they have */
};

/* Makes a tree of the picture: rows by y, parents by x. The frame that spans all
 * and is called `all` is the root, no frame. Sorts picture->rects. */
enum status flame_picture_arrange(struct flame_picture *picture, uint32_t all,
                                  struct stack_tree *tree,
                                  struct flame_arrangement *ret_arrangement) MUST_CHECK;

#endif
