/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of a recording that has none: pstats knows only who called whom, and how long
 * that took in all. A function's time below one caller is taken to be spent as its time
 * is on the whole. The largest branches are laid out first, up to a bound. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/profile/call_edges.h"
#include "analyzer/profile/order.h"
#include "analyzer/profile/sequence_sort.h"
#include "analyzer/profile/tree.h"

#define NODES_MAX 100000 /* more than any picture shows */
#define LEAST     1e-6   /* of the whole: smaller branches have no children */
#define DEPTH_MAX 500
#define ROUNDING  1e-6

struct estimate {
    struct call_tree *tree;
    struct call_edges edges;
    ARRAY(struct call_node) nodes; /* as they are found; node 0 is the root */
    ARRAY(uint32_t) depths;
    ARRAY(uint32_t) heap; /* nodes without their children yet, the largest first */
    double scale;         /* of all amounts: below 1 where the file claims too much */
};

/* ---- A heap: the largest total, then the one that was found first. */

static bool is_before(const struct estimate *estimate, uint32_t a, uint32_t b)
{
    double first = estimate->nodes.items[a].total, second = estimate->nodes.items[b].total;
    return first > second || (first == second && a < b);
}

static bool heap_push(struct estimate *estimate, uint32_t node)
{
    if (!array_push(&estimate->heap, node))
        return false;
    uint32_t *heap = estimate->heap.items;
    size_t i = estimate->heap.count - 1;
    for (; i && is_before(estimate, node, heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = node;
    return true;
}

static uint32_t heap_pop(struct estimate *estimate)
{
    uint32_t *heap = estimate->heap.items, top = heap[0];
    size_t count = --estimate->heap.count, i = 0;
    uint32_t moved = heap[count];
    for (size_t child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && is_before(estimate, heap[child + 1], heap[child]))
            child++;
        if (!is_before(estimate, heap[child], moved))
            break;
        heap[i] = heap[child];
    }
    heap[i] = moved;
    return top;
}

/* ---- Nodes. */

static bool is_above(const struct estimate *estimate, uint32_t node, uint32_t function)
{
    for (; node; node = estimate->nodes.items[node].parent)
        if (estimate->nodes.items[node].function == function)
            return true;
    return false;
}

static uint64_t whole(double calls)
{
    return calls > 0 && calls < 1e18 ? (uint64_t)(calls + 0.5) : 0;
}

static bool add_node(struct estimate *estimate, uint32_t parent, uint32_t function, double total,
                     double calls)
{
    bool recursion = is_above(estimate, parent, function);
    struct call_node node = {.parent = parent,
                             .function = function,
                             .self = total,
                             .total = total,
                             .count = whole(calls),
                             .kind = recursion ? CALL_NODE_RECURSION : CALL_NODE_FUNCTION};
    uint32_t depth = estimate->depths.items[parent] + 1;
    if (!array_push(&estimate->nodes, node) || !array_push(&estimate->depths, depth))
        return false;
    return recursion || heap_push(estimate, (uint32_t)(estimate->nodes.count - 1));
}

/* A function's total counts its recursion once: what it spends in calls of itself is
 * spent on the same things, so those calls have no share of their own. */
static bool is_self_call(const struct estimate *estimate, uint32_t edge)
{
    const struct profile_call *call = &estimate->tree->profile->calls.items[edge];
    return call->caller == call->callee;
}

/* How a node's time is shared out: its own part, and an edge's. */
struct shares {
    double own, all;
    const uint64_t *first;
    const uint32_t *rows;
    const double *weights;
};

static struct shares shares_of(const struct estimate *estimate, const struct call_node *node)
{
    const struct call_edges *edges = &estimate->edges;
    uint32_t function = node->function;
    struct shares shares = {0};
    double held = 0;
    if (estimate->tree->is_reverse) {
        bool top = !node->parent;
        shares = (struct shares){.first = edges->first_in, .rows = edges->in};
        shares.weights = top ? edges->edge_self : edges->edge_total;
        shares.own = top ? edges->self[function] : edges->unheld[function];
    } else {
        shares = (struct shares){.first = edges->first_out, .rows = edges->out};
        shares.weights = edges->edge_total;
        shares.own = edges->self[function];
    }
    for (uint64_t i = shares.first[function]; i < shares.first[function + 1]; i++) {
        double weight = shares.weights[shares.rows[i]];
        shares.all += is_self_call(estimate, shares.rows[i]) ? 0 : weight;
        held += weight;
    }
    if (estimate->tree->is_reverse && !node->parent) /* what no caller accounts for */
        shares.own = shares.own > held ? shares.own - held : 0;
    shares.all += shares.own;
    if (!estimate->tree->is_reverse && shares.all < edges->total[function])
        shares.all = edges->total[function];
    return shares;
}

static bool add_children(struct estimate *estimate, uint32_t id)
{
    const struct call_edges *edges = &estimate->edges;
    const struct profile *profile = estimate->tree->profile;
    const struct call_node node = estimate->nodes.items[id];
    struct shares shares = shares_of(estimate, &node);
    if (!(shares.all > 0))
        return true;
    estimate->nodes.items[id].self = node.total * shares.own / shares.all;
    bool by_self = estimate->tree->is_reverse && !node.parent;
    double whole_time = (by_self ? edges->self : edges->total)[node.function];
    double part = whole_time > 0 ? node.total / (whole_time * estimate->scale) : 0;
    for (uint64_t i = shares.first[node.function]; i < shares.first[node.function + 1]; i++) {
        uint32_t edge = shares.rows[i];
        const struct profile_call *call = &profile->calls.items[edge];
        uint32_t function = estimate->tree->is_reverse ? call->caller : call->callee;
        bool is_self = is_self_call(estimate, edge);
        double total = is_self ? 0 : node.total * shares.weights[edge] / shares.all;
        if ((total > 0 || is_self) &&
            !add_node(estimate, id, function, total, part * (double)call->calls))
            return false;
    }
    return true;
}

static bool add_roots(struct estimate *estimate)
{
    const struct profile *profile = estimate->tree->profile;
    const struct call_node root = {.function = PROFILE_NO_ID, .kind = CALL_NODE_ROOT};
    bool ok = array_push(&estimate->nodes, root) && array_push(&estimate->depths, 0);
    for (size_t i = 0; ok && i < profile->stats.count; i++) {
        const struct profile_stat *stat = &profile->stats.items[i];
        double total = estimate->tree->is_reverse ? estimate->edges.self[stat->function]
                                                  : estimate->edges.unheld[stat->function];
        if (total > 0)
            ok = add_node(estimate, 0, stat->function, total, (double)stat->calls);
    }
    return ok;
}

/* Callers that the file has no numbers of. */
static bool add_outer_roots(struct estimate *estimate)
{
    const struct profile *profile = estimate->tree->profile;
    bool *known = calloc(profile->functions.count + 1, sizeof *known), ok = known;
    for (size_t i = 0; ok && i < profile->stats.count; i++)
        known[profile->stats.items[i].function] = true;
    for (uint32_t i = 0; ok && i < profile->functions.count; i++) {
        if (!known[i] && estimate->edges.unheld[i] > 0)
            ok = add_node(estimate, 0, i, estimate->edges.unheld[i], 0);
    }
    free(known);
    return ok;
}

/* What the outermost took with what they called is what all functions took themselves. A file
 * that claims more (damaged, edited, or not written by a profiler) is believed in its
 * proportions: the tree is never more than the file's total. */
static void scale_roots(struct estimate *estimate)
{
    double claimed = 0, taken = 0;
    for (size_t i = 1; i < estimate->nodes.count; i++)
        claimed += estimate->nodes.items[i].total;
    for (size_t i = 0; i < estimate->tree->profile->functions.count; i++)
        taken += estimate->edges.self[i];
    estimate->scale = taken > 0 && claimed > taken * (1 + ROUNDING) ? taken / claimed : 1;
    for (size_t i = 1; i < estimate->nodes.count; i++) {
        struct call_node *node = &estimate->nodes.items[i];
        node->total *= estimate->scale;
        node->self *= estimate->scale;
    }
    estimate->nodes.items[0].total = claimed * estimate->scale;
}

static bool expand(struct estimate *estimate)
{
    bool ok = add_roots(estimate);
    if (ok && !estimate->tree->is_reverse)
        ok = add_outer_roots(estimate);
    if (ok)
        scale_roots(estimate);
    double all = ok ? estimate->nodes.items[0].total : 0;
    while (ok && estimate->heap.count) {
        uint32_t node = heap_pop(estimate);
        if (estimate->nodes.count >= NODES_MAX || estimate->nodes.items[node].total < all * LEAST ||
            estimate->depths.items[node] >= DEPTH_MAX)
            estimate->tree->is_cut = true;
        else
            ok = add_children(estimate, node);
    }
    return ok;
}

/* ---- From the order of finding to preorder. */

/* The nodes by parent, siblings in the order of their functions. */
static enum status sort_siblings(const struct estimate *estimate, uint32_t *sorted)
{
    uint32_t *strings = NULL, *functions = NULL;
    size_t count = estimate->nodes.count;
    struct keyed_item *items = calloc(2 * count, sizeof *items);
    enum status status =
        items ? order_strings(estimate->tree->profile, &strings) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = order_functions(estimate->tree->profile, strings, &functions);
    for (uint32_t i = 1; status == STATUS_OK && i < count; i++) {
        const struct call_node *node = &estimate->nodes.items[i];
        items[i - 1] =
            (struct keyed_item){(uint64_t)node->parent << 32 | functions[node->function], i};
    }
    if (status == STATUS_OK)
        keyed_sort(items, items + count, count - 1);
    for (size_t i = 0; status == STATUS_OK && i + 1 < count; i++)
        sorted[i] = items[i].item;
    free(strings);
    free(functions);
    free(items);
    return status;
}

/* `sorted` has each node's children side by side; `first` where they begin. */
static bool write_preorder(const struct estimate *estimate, const uint32_t *sorted,
                           const uint32_t *first)
{
    struct call_tree *tree = estimate->tree;
    ARRAY(uint64_t) waiting = {0}; /* found node << 32 | written parent */
    bool ok = array_push(&waiting, UINT64_C(0));
    while (ok && waiting.count) {
        uint64_t top = waiting.items[--waiting.count];
        uint32_t found = (uint32_t)(top >> 32), id = (uint32_t)tree->nodes.count;
        struct call_node node = estimate->nodes.items[found];
        node.parent = (uint32_t)top;
        ok = array_push(&tree->nodes, node);
        for (uint32_t i = first[found + 1]; ok && i-- > first[found];)
            ok = array_push(&waiting, (uint64_t)sorted[i] << 32 | id);
    }
    array_deinit(&waiting);
    return ok;
}

static enum status finish(const struct estimate *estimate)
{
    size_t count = estimate->nodes.count;
    uint32_t *sorted = calloc(count + 1, sizeof *sorted);
    uint32_t *first = calloc(count + 2, sizeof *first);
    enum status status = sorted && first ? sort_siblings(estimate, sorted) : STATUS_NO_MEMORY;
    if (status == STATUS_OK) {
        for (size_t i = 1; i < count; i++)
            first[estimate->nodes.items[i].parent + 1]++;
        for (size_t i = 0; i < count; i++)
            first[i + 1] += first[i];
        status = write_preorder(estimate, sorted, first) ? STATUS_OK : STATUS_NO_MEMORY;
    }
    if (status == STATUS_OK)
        call_tree_close(estimate->tree);
    free(sorted);
    free(first);
    return status;
}

enum status call_tree_estimate(struct call_tree *tree, struct error *err)
{
    struct estimate estimate = {.tree = tree};
    enum status status = call_edges_init(&estimate.edges, tree->profile, err);
    if (status != STATUS_OK)
        return status;
    tree->note = "estimated from caller/callee totals";
    status = expand(&estimate) ? finish(&estimate) : STATUS_NO_MEMORY;
    if (status != STATUS_OK)
        error_set(err, status, "%s", status_name(status));
    call_edges_deinit(&estimate.edges);
    array_deinit(&estimate.nodes);
    array_deinit(&estimate.depths);
    array_deinit(&estimate.heap);
    return status;
}
