/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_PROFILE_TREE_H
#define INQUEST_ANALYZER_PROFILE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/array.h"
#include "inquest/base/error.h"
#include "inquest/base/text.h"
#include "inquest/formats/profile.h"

/* A recording's stacks as one tree of calls or allocations, in preorder: what is
 * below node i are the nodes i + 1 up to nodes[i].end. Siblings stand in order of
 * their function's name, file and line, so one recording gives one tree, whatever
 * the order of its rows. */

enum call_node_kind {
    CALL_NODE_FUNCTION,
    CALL_NODE_ROOT,      /* node 0 */
    CALL_NODE_TRACK,     /* a process or thread: `function` is an index into profile.tracks */
    CALL_NODE_RECURSION, /* of an estimated tree: a call back into a function above it, whose
                            calls are cut. Its time is here; of a function that calls itself
                            directly none is, for that is spent as the rest of it */
};

struct call_node {
    uint32_t parent;   /* a lower index; 0 for node 0 */
    uint32_t end;      /* past the last node below it */
    uint32_t function; /* into profile.functions; PROFILE_NO_ID for the root */
    int32_t line;      /* executing; 0 where unknown, or where lines are merged */
    double self;       /* in the tree's unit: of stacks that end here, */
    double total;      /* with what is below */
    uint64_t count;    /* samples or blocks, with what is below; of an estimated tree, the
                          calls of this node alone */
    enum call_node_kind kind;
};

/* The branches right below a node that were left out. */
struct call_rest {
    double value;
    double sides[2];   /* of a tree of two recordings: of each */
    uint64_t nodes;    /* of them all */
    uint32_t branches; /* how many */
};

struct call_tree_options {
    bool by_line;  /* a function's lines are nodes of their own */
    bool by_track; /* the root's children are processes and threads */
    bool reverse;  /* the innermost frame first: what costs, then who called it */
    bool by_count; /* samples or blocks instead of weights; pstats has seconds alone */
    double least;  /* a part of the whole: smaller branches are left out (their amounts are in
                      the totals above them), and a tree of millions of nodes needs no memory
                      for what nobody will see. 0: none are */
};

struct call_tree {
    const struct profile *profile; /* borrowed: names, lines, tracks */
    const char *unit;              /* "bytes", "seconds", "samples", "blocks", "calls", … */
    const char *note;              /* what a picture of it must say: "estimated from
                                      caller/callee totals"; NULL: it is exact */
    bool is_reverse;
    bool is_cut;       /* an estimated tree that met its bound: small branches have no children */
    uint64_t left_out; /* nodes smaller than `least` */
    ARRAY(struct call_node) nodes; /* node 0 is the root, even of nothing */
    ARRAY(struct call_rest) rests; /* by node; none where none was to be left out */
};

/* Of a recording of any family. A recording of pstats holds no stacks: its tree is
 * estimated from the edges, each function's time laid at its callers' doors in
 * proportion, and `note` says so. */
enum status call_tree_build(const struct profile *profile, const struct call_tree_options *options,
                            struct call_tree *ret_tree, struct error *err) MUST_CHECK;
void call_tree_deinit(struct call_tree *tree);

/* The first node below `node`, and the one after `child` with the same parent; 0: none. */
static inline uint32_t call_tree_first_child(const struct call_tree *tree, uint32_t node)
{
    return node + 1 < tree->nodes.items[node].end ? node + 1 : 0;
}

static inline uint32_t call_tree_next_sibling(const struct call_tree *tree, uint32_t child)
{
    uint32_t next = tree->nodes.items[child].end;
    return child && next < tree->nodes.items[tree->nodes.items[child].parent].end ? next : 0;
}

/* Its name in a picture: a function's, else the file's with the line, else a track's;
 * "all" for the root. Unescaped; `ret_name` is appended to. */
void call_tree_node_name(const struct call_tree *tree, uint32_t node, struct text *ret_name);

/* A process or thread in words, also where it has no name of its own. */
void profile_track_name(const struct profile *profile, uint32_t track, struct text *ret_name);

/* What a function belongs to, for colours and groups: its package or module as the
 * file's path tells ("json.decoder", "requests.sessions"), "" where there is no file. */
void profile_module_name(const struct profile *profile, uint32_t function, struct text *ret_name);

#endif
