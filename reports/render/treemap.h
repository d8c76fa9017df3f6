/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_RENDER_TREEMAP_H
#define INQUEST_REPORTS_RENDER_TREEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/render/table.h"

/* A tree of amounts as one SVG: each node an area as large as its value, inside its
 * parent's, the largest at the upper left. The file is whole by itself: it needs no
 * scripts, can stand inside <img>, and follows the reader's dark or light. */

/* Strings are unescaped, one line each; NULL is "". */
struct treemap_node {
    uint32_t parent;    /* a lower index; 0 for node 0, which holds all others */
    double value;       /* with what is in it */
    const char *name;   /* on it */
    const char *brief;  /* where that has no room; NULL: the name */
    bool is_number;     /* brief is one, which would be another if it was cut */
    const char *detail; /* for who points at it */
    const char *key;    /* what it belongs to, a package: one key has one hue in every
                           picture; "": grey */
    const char *part;   /* of that, a file: chooses the tint; NULL: the middle one */
};

struct treemap {
    const char *title, *subtitle;
    const char *description;          /* what the areas mean, for who can't see them */
    enum column_kind unit;            /* how values are written */
    const char *unit_name;            /* after a plain number, "blocks"; NULL: nothing */
    const struct treemap_node *nodes; /* of siblings the largest first */
    size_t count;
};

/* Appends the picture, a file of its own. Siblings too small to be seen are one area, and
 * counted in the description. */
void treemap_render(const struct treemap *map, struct text *text);
/* As an element of a page that has asset_flame_page_css, in fewer cells where it would take
 * more than `limit` bytes. */
void treemap_render_inline(const struct treemap *map, size_t limit, struct text *text);

#endif
