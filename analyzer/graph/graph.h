/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_GRAPH_GRAPH_H
#define INQUEST_ANALYZER_GRAPH_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/error.h"

/* The object graph as integers: who refers to whom, and nothing about what the
 * nodes are. A node is an id 0..n-1 (in address order: neighbours in memory are
 * neighbours here, which is worth a factor of ten). All passes read the same
 * rows, none recurses, none takes more than O((n + m) log n) on any graph, and
 * no result depends on the number of threads. Functions that can fail leave
 * their outputs alone then; every result has its _deinit, which takes zeroed
 * ones too.
 *
 * Bytes, n nodes, m edges    result                    beside it, while running
 *   forward rows             4n + 4m                   -
 *   graph_reverse            4n + 4m                   -
 *   graph_reach              n/8                       4n
 *   graph_paths              4n (8n with depth)        4n
 *   graph_components         n/5 + 8 x those in cycles 4n + 16 x depth + 4 x open nodes
 *   graph_garbage_roots      4 x roots                 n/8
 *   graph_dominators         8n                        4n + 16 x nodes that refer to any
 *     and _measure           12n                       4n
 *   graph_retained           8n, 4n (the caller's)     -
 * The highest point is graph_paths once all else is there: 36n + 8m bytes with both
 * rows, 52 an object at two references each; graph_dominators takes 32n + 8m on the way.
 * Worth running at the same time (graph_run): reverse and components, then
 * the dominators and paths. */

#define GRAPH_MAX_NODES (UINT32_MAX - 4) /* so that ids stay below these, and the passes' own: */
#define GRAPH_ROOT      UINT32_MAX       /* in parent[] and idom[]: held by the root itself */
#define GRAPH_NONE      (UINT32_MAX - 1) /* not reached; in no component; no such root */

/* ---- memory.c: ends an array that a function below hands out bare, NULL too. */
void graph_free(void *array);

/* ---- rows.c: compressed sparse rows. Edges of node v are targets[graph_first(v)] up
 * to, not including, targets[graph_end(v)]. An edge given twice is there twice. */
struct graph {
    uint32_t node_count;
    uint64_t edge_count;
    uint32_t *narrow; /* where rows begin: node_count + 1 entries; or else */
    uint64_t *wide;   /* the same for 2^32 edges and more */
    uint32_t *targets;
};

/* Room for rows of so many, in which nothing is set. */
enum status graph_alloc_rows(uint32_t node_count, uint64_t edge_count, struct graph *ret_graph,
                             struct error *err) MUST_CHECK;
void graph_deinit(struct graph *graph);

/* `node` may be node_count. */
static inline uint64_t graph_first(const struct graph *graph, uint64_t node)
{
    return graph->narrow ? graph->narrow[node] : graph->wide[node];
}

static inline void graph_set_first(const struct graph *graph, uint64_t node, uint64_t edge)
{
    if (graph->narrow)
        graph->narrow[node] = (uint32_t)edge;
    else
        graph->wide[node] = edge;
}

static inline uint64_t graph_end(const struct graph *graph, uint32_t node)
{
    return graph_first(graph, node + UINT64_C(1));
}

/* Edges from a node, each as often as it was given. */
static inline uint64_t graph_degree(const struct graph *graph, uint32_t node)
{
    return graph_end(graph, node) - graph_first(graph, node);
}

/* Takes the rows of the sources begin..end-1, in ascending order; a source that
 * is left out has an empty row. Several builders over adjoining ranges can be
 * filled at once by different threads and are joined by graph_build. Grows by
 * an eighth, and what is not written to takes no memory. */
struct graph_builder {
    uint64_t node_count; /* of the whole graph */
    uint64_t begin, end; /* the sources that this builder takes */
    uint64_t source;     /* whose row is open */
    uint64_t *first;     /* of begin..source, counted from this builder's first edge */
    uint32_t *targets;
    uint64_t edge_count, capacity;
};

/* `edges_expected` is a hint, 0 without one. STATUS_OVER_LIMIT above
 * GRAPH_MAX_NODES; STATUS_USAGE where the range is not within the graph. */
enum status graph_builder_init(struct graph_builder *builder, uint64_t node_count, uint64_t begin,
                               uint64_t end, uint64_t edges_expected, struct error *err) MUST_CHECK;
void graph_builder_deinit(struct graph_builder *builder);

/* Appends source -> targets[0..count-1]. STATUS_USAGE, and nothing appended,
 * where `source` is below the last one or out of range, or a target is no node. */
enum status graph_builder_edges(struct graph_builder *builder, uint32_t source,
                                const uint32_t *targets, uint64_t count,
                                struct error *err) MUST_CHECK;

/* As graph_builder_edges, for one edge. */
static inline enum status MUST_CHECK graph_builder_edge(struct graph_builder *builder,
                                                        uint32_t source, uint32_t target,
                                                        struct error *err)
{
    if (source != builder->source || builder->edge_count == builder->capacity ||
        target >= builder->node_count)
        return graph_builder_edges(builder, source, &target, 1, err);
    builder->targets[builder->edge_count++] = target;
    return STATUS_OK;
}

/* Joins builders whose ranges make up 0..node_count, in order, and empties
 * them. One builder's arrays become the graph's as they are; of several, the
 * later ones are copied behind the first and freed one by one. On failure the
 * builders are good for graph_builder_deinit only. */
enum status graph_build(struct graph_builder builders[], size_t count, struct graph *ret_graph,
                        struct error *err) MUST_CHECK;

/* ---- reverse.c: the same edges by target: sources of node v are sources[i] from
 * graph_sources_first(v) up to that of v + 1, ascending. */
struct graph_sources {
    uint32_t node_count;
    uint64_t edge_count;
    uint32_t *narrow; /* where rows begin: node_count + 1 entries; or else */
    uint64_t *wide;   /* the same for 2^32 edges and more */
    uint32_t *sources;
};

/* Two threads take half of the targets each. Wide also where it need not be if `is_wide`. */
enum status graph_reverse(const struct graph *forward, bool is_wide, unsigned threads,
                          struct graph_sources *ret_reverse, struct error *err) MUST_CHECK;
void graph_sources_deinit(struct graph_sources *reverse);

static inline uint64_t graph_sources_first(const struct graph_sources *reverse, uint64_t node)
{
    return reverse->narrow ? reverse->narrow[node] : reverse->wide[node];
}

/* ---- tasks.c: runs tasks at the same time, at most `threads` (1: in order, on
 * the caller's). All are run, also where one fails; the first failure in the
 * order of the list is the result. Each task has an error of its own. */
struct graph_task {
    enum status (*run)(void *context, struct error *err);
    void *context;
};
#define GRAPH_MAX_TASKS 16

enum status graph_run(const struct graph_task tasks[], unsigned count, unsigned threads,
                      struct error *err) MUST_CHECK;

/* ---- The nodes that hold all others. A node may be listed more than once.
 * STATUS_USAGE from every pass where one is no node. */
struct graph_roots {
    const uint32_t *nodes;
    const uint8_t *classes; /* 0 the best; NULL: all alike. For graph_paths only */
    uint32_t count;
};

/* ---- reach.c: a bitmap of the nodes that some root leads to;
 * graph_free it. */
static inline bool graph_bit(const uint64_t *bits, uint32_t node)
{
    return bits[node >> 6] >> (node & 63) & 1;
}

enum status graph_reach(const struct graph *forward, const struct graph_roots *roots,
                        uint64_t **ret_reached, struct error *err) MUST_CHECK;

/* Goes on from more roots: all that they lead to over nodes that are not marked yet. */
enum status graph_reach_more(const struct graph *forward, const struct graph_roots *roots,
                             uint64_t *reached, struct error *err) MUST_CHECK;

/* ---- paths.c: one shortest path from a root to each node. Of paths of equal
 * length, the one whose root has the lowest class, then comes first in the list
 * of roots, then whose edges come first in their rows. */
struct graph_paths {
    uint32_t *parent;  /* GRAPH_ROOT for roots, GRAPH_NONE where nothing leads to */
    uint32_t *depth;   /* edges from the root; GRAPH_NONE not reached; NULL if not asked */
    uint64_t *entries; /* node << 32 | its index in the list of roots, ascending */
    uint32_t entry_count;
    uint32_t reached; /* nodes */
};

enum status graph_paths(const struct graph *forward, const struct graph_roots *roots,
                        bool with_depth, struct graph_paths *ret_paths,
                        struct error *err) MUST_CHECK;
void graph_paths_deinit(struct graph_paths *paths);
/* Index in the list of roots of the root by which `node`, one whose parent is
 * GRAPH_ROOT, is held; GRAPH_NONE for other nodes. */
uint32_t graph_paths_root(const struct graph_paths *paths, uint32_t node);

/* ---- components.c: strongly connected components that hold a cycle: of two
 * nodes or more, or of one that refers to itself. Numbered by smallest member. */
struct graph_components {
    uint32_t node_count;
    uint32_t count;        /* components */
    uint32_t member_count; /* nodes in all of them */
    uint64_t *in_cycle;    /* bitmap over nodes */
    uint32_t *rank;        /* members before each word of the bitmap */
    uint32_t *of_member;   /* component of each member, members in ascending order */
    uint32_t *first;       /* count + 1: where each component's members begin */
    uint32_t *members;     /* nodes by component, ascending in each */
};

enum status graph_components(const struct graph *forward, struct graph_components *ret_components,
                             struct error *err) MUST_CHECK;
void graph_components_deinit(struct graph_components *components);

/* How many members are before this one. */
static inline uint32_t graph_member_rank(const struct graph_components *components, uint32_t node)
{
    uint64_t below = components->in_cycle[node >> 6] & ((UINT64_C(1) << (node & 63)) - 1);
    return components->rank[node >> 6] + (uint32_t)__builtin_popcountll(below);
}

/* The component of a node, GRAPH_NONE where it is in no cycle. */
static inline uint32_t graph_component_of(const struct graph_components *components, uint32_t node)
{
    if (!graph_bit(components->in_cycle, node))
        return GRAPH_NONE;
    return components->of_member[graph_member_rank(components, node)];
}

/* ---- garbage.c: the fewest nodes that lead to all that no root leads to: of
 * each unreached component that nothing else unreached refers to, the smallest
 * member. Ascending; graph_free the list. */
enum status graph_garbage_roots(const struct graph *forward, const uint64_t *reached,
                                const struct graph_components *components, uint32_t **ret_nodes,
                                uint32_t *ret_count, struct error *err) MUST_CHECK;

/* ---- dominators.c: idom[v] is the last node that every path from a root to v
 * goes through, GRAPH_ROOT where there is none. `garbage` (NULL: none) are the
 * roots of what `roots` do not lead to: garbage is dominated by garbage only,
 * and its edges to reachable nodes count for nothing. */
struct graph_dominated {
    uint32_t node, size; /* it dominates the size - 1 nodes that follow it */
};

struct graph_dominators {
    uint32_t *idom;                /* GRAPH_NONE where no root leads to */
    uint32_t *nodes;               /* reached nodes: the tree in preorder; NULL once measured */
    struct graph_dominated *order; /* the same, once measured */
    uint32_t reached, order_count; /* from roots; with garbage, which comes last */
};

enum status graph_dominators(const struct graph *forward, const struct graph_sources *reverse,
                             const struct graph_roots *roots, const struct graph_roots *garbage,
                             struct graph_dominators *ret_dominators, struct error *err) MUST_CHECK;
/* Makes `order` of `nodes`: a step of its own, for the sources to end before it. */
enum status graph_dominators_measure(struct graph_dominators *dominators,
                                     struct error *err) MUST_CHECK;
void graph_dominators_deinit(struct graph_dominators *dominators);

/* Of measured ones, turns each node's own size into what would go if the node went: its own
 * and all that it dominates. Unreached nodes keep their own; sums stop at UINT64_MAX. */
void graph_retained(const struct graph_dominators *dominators, uint64_t *sizes);
/* The same for sizes of which all together fit into 32 bits. */
void graph_retained_narrow(const struct graph_dominators *dominators, uint32_t *sizes);

#endif
