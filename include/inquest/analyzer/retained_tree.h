/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RETAINED_TREE_H
#define INQUEST_ANALYZER_RETAINED_TREE_H

#include "inquest/analyzer/index.h"
#include "inquest/base/arena.h"
#include "inquest/base/array.h"

/* Retained memory down the dominator tree, small enough to look at. Siblings of one
 * type at one place ("[…]", ".basket") are one node, and so are their children, all
 * the way down; an instance and its __dict__ are one node; a chain of objects that
 * hold one another by the same attribute is one node; what is too small or too deep
 * is one node at the end of its siblings. */

enum retained_kind {
    RETAINED_ALL,     /* node 0: every object */
    RETAINED_ROOTS,   /* the objects that only roots of one kind hold: `label` names it */
    RETAINED_OBJECT,  /* one object */
    RETAINED_GROUP,   /* `count` siblings of one type */
    RETAINED_SMALLER, /* `count` siblings that are not told one by one */
};

/* Strings are unescaped and live in the tree; "" where there is none. */
struct retained_node {
    enum retained_kind kind;
    uint32_t parent;      /* a lower index; 0 for node 0 */
    uint32_t object_id;   /* of RETAINED_OBJECT, else 0 */
    uint64_t address;     /* of RETAINED_OBJECT */
    uint64_t count;       /* objects that it stands for, without those below it */
    uint64_t value, self; /* bytes: with and without what is below it */
    const char *label;    /* the step from its parent, as Python would write it */
    const char *path;     /* from a root; "[…]" for any item */
    const char *type;     /* its name */
    const char *module;   /* the nearest on the way up that is not builtins */
};

struct retained_tree {
    ARRAY(struct retained_node) nodes; /* parents first, then siblings by value */
    struct arena arena;
};

struct retained_options {
    double least;       /* share of the whole below which a node is not told */
    unsigned max_depth; /* 0: 64 */
};

/* One pass over the index's objects and references, about 32 bytes an object.
 * STATUS_NOT_IN_DUMP for an index without a heap. */
enum status retained_tree_build(struct index *index, const struct retained_options *options,
                                struct retained_tree *ret_tree, struct error *err) MUST_CHECK;
void retained_tree_deinit(struct retained_tree *tree);

#endif
