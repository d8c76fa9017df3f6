/* SPDX-License-Identifier: Apache-2.0 */
/* Dominators by semi-NCA (L. Georgiadis, R. E. Tarjan, R. F. Werneck, "Finding
 * Dominators in Practice", JGAA 2006), over the depth-first preorder under one
 * virtual root, number 0.
 *
 * Semidominators come in descending order, with path compression. Then, in
 * ascending order, idom(w) is the nearest ancestor of w's parent, in the tree
 * of dominators as far as it is built, whose number is not above semi(w). The
 * paper walks up step by step, which is quadratic where a long chain ends in
 * many nodes that the root holds too: a linked list whose last element refers to
 * a registry's entries. So each node also has a skip pointer (E. W. Myers, "An
 * applicative random-access stack", 1983), and the way up is logarithmic.
 *
 * Leaves, which refer to nothing, are half of a heap and lie on no way to anything:
 * they get no number, and in the end the nearest common dominator of their sources. */
#include <string.h>

#include "analyzer/graph/memory.h"

#define AHEAD 8 /* edges, of a prefetch */

/* In `number`, of what has none. Numbers are below all of these: */
#define UNSEEN  GRAPH_NONE /* so that those not reached need no other mark in the end */
#define HELD    UINT32_MAX /* a leaf that the virtual root refers to */
#define LEAF    (UINT32_MAX - 2)
#define GARBAGE (UINT32_MAX - 3) /* a leaf among the garbage */

/* A node in the forest over which semidominators are found, and afterwards in
 * the tree of dominators. The two halves are always wanted together. */
struct link {
    union {
        uint32_t above; /* ancestor; those on compressed ways have skipped some */
        uint32_t depth; /* in the tree */
    };
    union {
        uint32_t best; /* least semi from here to below `above` */
        uint32_t skip; /* an ancestor in the tree, far up */
    };
};

struct search {
    const struct graph *forward;
    const struct graph_sources *reverse;
    uint32_t *number; /* by node: preorder number, or one of the marks */
    uint32_t *node;   /* by number, less 1; leaves from the end on backwards */
    uint64_t *leaves; /* bitmap: which of all nodes, in preorder, are leaves */
    uint32_t *idom;   /* by number: the parent at first */
    uint32_t *semi;   /* by number: of the semidominator */
    union {
        uint64_t *edge;     /* by number, while they are given: the next to follow */
        struct link *links; /* by number, afterwards */
    };
    uint32_t *order;         /* the tree of dominators in preorder */
    uint32_t leaf;           /* the mark of leaves that are met now */
    uint32_t last;           /* number */
    uint32_t reached, count; /* nodes from the roots; with garbage */
    uint32_t reached_last;   /* number of the last from the roots */
};

static void search_deinit(struct search *search)
{
    graph_free(search->number);
    graph_free(search->node);
    graph_free(search->leaves);
    graph_free(search->idom);
    graph_free(search->semi);
    graph_free(search->edge);
    graph_free(search->order);
}

/* Nodes that refer to something, and the virtual root. */
static uint64_t count_numbers(const struct graph *graph)
{
    uint64_t count = 1;
    for (uint32_t node = 0; node < graph->node_count; node++)
        count += graph_degree(graph, node) > 0;
    return count;
}

static enum status search_init(struct search *search, struct error *err)
{
    uint64_t count = search->forward->node_count, numbers = count_numbers(search->forward);
    enum status status = graph_alloc(count, sizeof *search->number, (void **)&search->number, err);
    if (!status)
        status = graph_alloc(count, sizeof *search->node, (void **)&search->node, err);
    if (!status)
        status = graph_alloc_zeroed(bitmap_words(count), sizeof *search->leaves,
                                    (void **)&search->leaves, err);
    if (!status)
        status = graph_alloc(numbers, sizeof *search->idom, (void **)&search->idom, err);
    if (!status)
        status = graph_alloc(numbers, sizeof *search->semi, (void **)&search->semi, err);
    if (!status)
        status = graph_alloc(numbers, sizeof *search->edge, (void **)&search->edge, err);
    for (uint64_t node = 0; !status && node < count; node++)
        search->number[node] = UNSEEN;
    return status;
}

static inline uint32_t *leaf_at(const struct search *search, uint32_t index)
{
    return &search->node[search->forward->node_count - 1 - index];
}

/* The number of a node that is met; 0: it is a leaf. */
static inline uint32_t enter(struct search *search, uint32_t node, uint32_t parent)
{
    uint64_t first = graph_first(search->forward, node);
    uint32_t met = search->count++;
    if (first == graph_end(search->forward, node)) {
        search->number[node] = search->leaf;
        bitmap_set(search->leaves, met);
        *leaf_at(search, met - search->last) = node;
        return 0;
    }
    uint32_t number = ++search->last;
    search->number[node] = number;
    search->node[number - 1] = node;
    search->idom[number] = parent;
    search->edge[number] = first;
    return number;
}

/* Follows edges from `current` up to one that leads to a new node that refers to more,
 * and enters it; 0: there is none. */
static uint32_t go_down(struct search *search, uint32_t current)
{
    const uint32_t *targets = search->forward->targets, *number = search->number;
    uint64_t edge = search->edge[current];
    uint64_t end = graph_end(search->forward, search->node[current - 1]);
    while (edge < end) {
        uint32_t target = targets[edge++];
        if (number[target] != UNSEEN)
            continue;
        uint32_t entered = enter(search, target, current);
        if (entered) {
            search->edge[current] = edge;
            return entered;
        }
    }
    return 0;
}

/* Numbers in depth-first preorder; the way back is by the parents. */
static void number_from(struct search *search, const struct graph_roots *roots)
{
    for (uint32_t i = 0; i < roots->count; i++) {
        if (search->number[roots->nodes[i]] != UNSEEN)
            continue;
        uint32_t current = enter(search, roots->nodes[i], 0);
        while (current) {
            uint32_t next = go_down(search, current);
            current = next ? next : search->idom[current];
        }
    }
}

/* The virtual root refers to each root, and nothing is nearer to it: where the
 * search came by another way, the parent that it found does not matter. Only what has
 * been met since `least`. */
static void mark_roots(struct search *search, const struct graph_roots *roots, uint32_t least)
{
    for (uint32_t i = 0; i < roots->count; i++) {
        uint32_t *number = &search->number[roots->nodes[i]];
        if (*number == search->leaf)
            *number = HELD;
        else if (*number >= least && *number <= search->last)
            search->idom[*number] = 0;
    }
}

static void number_all(struct search *search, const struct graph_roots *roots,
                       const struct graph_roots *garbage)
{
    search->leaf = LEAF;
    number_from(search, roots);
    mark_roots(search, roots, 1);
    search->reached = search->count;
    search->reached_last = search->last;
    if (!garbage)
        return;
    search->leaf = GARBAGE;
    number_from(search, garbage);
    mark_roots(search, garbage, search->reached_last + 1);
}

/* Least semi from `number` up to the top of its tree in the forest, in which all
 * nodes >= `linked` hang below their parents. Each node on the way is put right
 * below the top's parent. The way down again is kept in the pointers that lead
 * up, so that no path is too long. */
static uint32_t evaluate(const struct search *search, uint32_t number, uint32_t linked)
{
    struct link *links = search->links;
    if (links[number].above < linked)
        return links[number].best;
    uint32_t below = UNSEEN, top = number;
    while (links[top].above >= linked) {
        uint32_t next = links[top].above;
        links[top].above = below;
        below = top;
        top = next;
    }
    uint32_t least = links[top].best, end = links[top].above;
    while (below != UNSEEN) {
        struct link *link = &links[below];
        below = link->above;
        link->above = end;
        least = link->best = link->best < least ? link->best : least;
    }
    return least;
}

/* The sources of much-used nodes lie all over the heap: ask for them early. */
static inline void prefetch_source(const struct search *search, uint64_t edge, uint64_t end)
{
    const uint32_t *sources = search->reverse->sources;
    if (edge + 2 * AHEAD < end)
        __builtin_prefetch(&search->number[sources[edge + 2 * AHEAD]]);
    if (edge + AHEAD < end) {
        uint32_t number = search->number[sources[edge + AHEAD]];
        __builtin_prefetch(&search->links[number <= search->last ? number : 0]);
    }
}

/* Nodes up to `last` take notice of each other only: what comes later is garbage. */
static void find_semi(struct search *search, uint32_t first, uint32_t last)
{
    const struct graph_sources *reverse = search->reverse;
    for (uint32_t w = last; w >= first; w--) {
        uint32_t node = search->node[w - 1], parent = search->idom[w], semi = parent;
        uint64_t i = graph_sources_first(reverse, node);
        uint64_t end = graph_sources_first(reverse, node + UINT64_C(1));
        if (i + 1 == end) /* by its parent, like most objects */
            i = end;
        for (; i < end && semi; i++) {
            prefetch_source(search, i, end);
            uint32_t source = search->number[reverse->sources[i]];
            if (source > last)
                continue;
            uint32_t candidate = source > w ? evaluate(search, source, w + 1) : source;
            if (candidate < semi)
                semi = candidate;
        }
        search->semi[w] = semi;
        search->links[w] = (struct link){.above = parent, .best = semi};
    }
}

static void find_idoms(struct search *search)
{
    uint32_t *idom = search->idom;
    struct link *links = search->links;
    idom[0] = 0;
    links[0] = (struct link){.depth = 0, .skip = 0};
    for (uint32_t w = 1; w <= search->last; w++) {
        uint32_t above = idom[w], semi = search->semi[w];
        while (above > semi)
            above = links[above].skip > semi ? links[above].skip : idom[above];
        idom[w] = above;
        uint32_t depth = links[above].depth, far = links[above].skip;
        bool is_even = depth - links[far].depth == links[far].depth - links[links[far].skip].depth;
        links[w] = (struct link){.depth = depth + 1, .skip = is_even ? links[far].skip : above};
    }
}

/* The nearest that dominates both, by the skips too. */
static uint32_t find_common(const struct search *search, uint32_t a, uint32_t b)
{
    const struct link *links = search->links;
    const uint32_t *idom = search->idom;
    if (links[a].depth < links[b].depth) {
        uint32_t deeper = b;
        b = a;
        a = deeper;
    }
    while (links[a].depth > links[b].depth)
        a = links[links[a].skip].depth >= links[b].depth ? links[a].skip : idom[a];
    while (a != b) {
        bool is_far = links[a].skip != links[b].skip;
        a = is_far ? links[a].skip : idom[a];
        b = is_far ? links[b].skip : idom[b];
    }
    return a;
}

/* Of those of its sources that count. */
static uint32_t dominator_of_leaf(const struct search *search, uint32_t leaf)
{
    const struct graph_sources *reverse = search->reverse;
    uint32_t mark = search->number[leaf], common = UNSEEN;
    uint32_t last = mark == LEAF ? search->reached_last : search->last;
    uint64_t end = graph_sources_first(reverse, leaf + UINT64_C(1));
    if (mark == HELD)
        return 0;
    for (uint64_t i = graph_sources_first(reverse, leaf); i < end && common; i++) {
        prefetch_source(search, i, end);
        uint32_t source = search->number[reverse->sources[i]];
        if (source > last || source == common)
            continue;
        common = common == UNSEEN ? source : find_common(search, common, source);
    }
    return common;
}

/* In place of the marks. What is in `semi`: how many nodes each dominates, with itself. */
static void find_sizes(struct search *search)
{
    uint32_t *sizes = search->semi;
    for (uint32_t w = 0; w <= search->last; w++)
        sizes[w] = 1;
    for (uint32_t i = 0; i < search->count - search->last; i++) {
        uint32_t leaf = *leaf_at(search, i), idom = dominator_of_leaf(search, leaf);
        search->number[leaf] = idom;
        sizes[idom]++;
    }
    for (uint32_t w = search->last; w > 0; w--)
        sizes[search->idom[w]] += sizes[w];
}

/* The tree of dominators in preorder, children in the order in which they were met, and
 * from numbers back to nodes. Once a node has its place, `semi` has where the next of
 * those that it dominates goes. */
static void order_tree(struct search *search)
{
    uint32_t *next = search->semi;
    next[0] = 0;
    for (uint32_t i = 0, w = 0; i < search->count; i++) {
        bool is_leaf = graph_bit(search->leaves, i);
        uint32_t node = is_leaf ? *leaf_at(search, i - w) : search->node[w++];
        uint32_t idom = is_leaf ? search->number[node] : search->idom[w];
        uint32_t size = is_leaf ? 1 : next[w], place = next[idom];
        next[idom] += size;
        if (!is_leaf)
            next[w] = place + 1;
        search->order[place] = node;
        search->number[node] = idom ? search->node[idom - 1] : GRAPH_ROOT;
    }
}

static enum status search_run(struct search *search, const struct graph_roots *roots,
                              const struct graph_roots *garbage, struct error *err)
{
    number_all(search, roots, garbage);
    find_semi(search, search->reached_last + 1, search->last);
    find_semi(search, 1, search->reached_last);
    find_idoms(search);
    find_sizes(search);
    graph_free(search->links);
    search->links = NULL;
    enum status status =
        graph_alloc(search->count, sizeof *search->order, (void **)&search->order, err);
    if (!status)
        order_tree(search);
    return status;
}

enum status graph_dominators(const struct graph *forward, const struct graph_sources *reverse,
                             const struct graph_roots *roots, const struct graph_roots *garbage,
                             struct graph_dominators *ret_dominators, struct error *err)
{
    struct search search = {.forward = forward, .reverse = reverse};
    enum status status = graph_check_roots(forward, roots, err);
    if (!status && garbage)
        status = graph_check_roots(forward, garbage, err);
    if (!status)
        status = search_init(&search, err);
    if (!status)
        status = search_run(&search, roots, garbage, err);
    if (!status) {
        *ret_dominators = (struct graph_dominators){.idom = search.number,
                                                    .nodes = search.order,
                                                    .reached = search.reached,
                                                    .order_count = search.count};
        search.number = NULL;
        search.order = NULL;
    }
    search_deinit(&search);
    return status;
}

/* What each dominates ends where the next comes that it does not. While that is not known,
 * its size is the place of the one that dominates it. */
static void measure_tree(const struct graph_dominators *dominators, struct graph_dominated *order)
{
    uint32_t open = GRAPH_NONE, count = dominators->order_count;
    for (uint32_t place = 0; place <= count; place++) {
        uint32_t node = place < count ? dominators->nodes[place] : GRAPH_NONE;
        uint32_t idom = place < count ? dominators->idom[node] : GRAPH_ROOT;
        while (open != GRAPH_NONE && order[open].node != idom) {
            uint32_t above = order[open].size;
            order[open].size = place - open;
            open = above;
        }
        if (place < count) {
            order[place] = (struct graph_dominated){node, open};
            open = place;
        }
    }
}

enum status graph_dominators_measure(struct graph_dominators *dominators, struct error *err)
{
    struct graph_dominated *order;
    enum status status = graph_alloc(dominators->order_count, sizeof *order, (void **)&order, err);
    if (status)
        return status;
    measure_tree(dominators, order);
    graph_free(dominators->nodes);
    dominators->nodes = NULL;
    dominators->order = order;
    return STATUS_OK;
}

void graph_dominators_deinit(struct graph_dominators *dominators)
{
    if (!dominators)
        return;
    graph_free(dominators->idom);
    graph_free(dominators->nodes);
    graph_free(dominators->order);
    *dominators = (struct graph_dominators){0};
}

void graph_retained(const struct graph_dominators *dominators, uint64_t *sizes)
{
    for (uint32_t i = dominators->order_count; i-- > 0;) {
        uint32_t node = dominators->order[i].node, idom = dominators->idom[node];
        if (idom == GRAPH_ROOT)
            continue;
        if (__builtin_add_overflow(sizes[idom], sizes[node], &sizes[idom]))
            sizes[idom] = UINT64_MAX;
    }
}

void graph_retained_narrow(const struct graph_dominators *dominators, uint32_t *sizes)
{
    for (uint32_t i = dominators->order_count; i-- > 0;) {
        uint32_t node = dominators->order[i].node, idom = dominators->idom[node];
        if (idom != GRAPH_ROOT)
            sizes[idom] += sizes[node];
    }
}
