/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_RENDER_CYCLE_SVG_H
#define INQUEST_REPORTS_RENDER_CYCLE_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/text.h"

/* Objects and the references among them as SVG: one below the other, the next one's
 * reference between them, all others as arcs on the right. Same input, same bytes. */

/* Strings are unescaped, one line each. */
struct cycle_node {
    const char *name;   /* its type */
    const char *detail; /* for who points at it; NULL: none */
    bool is_instance;   /* of a class of the program: stands out */
};

struct cycle_arrow {
    uint32_t source, target; /* nodes */
    const char *label;       /* ".children", "[0]"; NULL: none */
};

struct cycle_drawing {
    const char *title, *subtitle;
    const struct cycle_node *nodes;
    size_t node_count;
    const struct cycle_arrow *arrows;
    size_t arrow_count;
    uint64_t more; /* objects of the cycle that are not among the nodes */
};

/* Appends one SVG with all drawings, one below the other. `alone`: a file of its own,
 * on white; else for within a page: no background, text in the page's colour, and
 * neither styles nor ids, so that no Content-Security-Policy minds it. */
void cycle_svg_render(const struct cycle_drawing *drawings, size_t count, bool alone,
                      struct text *text);

#endif
