/* SPDX-License-Identifier: Apache-2.0 */
/* Strongly connected components after D. J. Pearce, "A Space-Efficient Algorithm
 * for Finding Strongly Connected Components" (2016): one word a node, which is
 * 0 while the node is unvisited, then the number of the earliest open node that
 * it leads back to, and in the end its component. Open nodes are numbered from 1
 * up; components take numbers from the top down, so that they are above all open
 * ones. The two never meet: each component's nodes have been closed. Those in no
 * cycle share one number, since nobody asks about them. */
#include "analyzer/graph/memory.h"
#include "inquest/base/array.h"

#define IN_NO_CYCLE UINT32_MAX

/* A node on the way from where the search began to where it is. */
struct visit {
    uint64_t edge; /* the next one to look at */
    uint32_t node;
    bool is_first;   /* leads to no open node that was met earlier */
    bool has_itself; /* as a target */
};

struct search {
    const struct graph *forward;
    uint32_t *state;
    ARRAY(struct visit) way;
    ARRAY(uint32_t) open; /* visited, their component not yet complete */
    uint32_t next_open;
    uint32_t count; /* components that hold a cycle */
};

static bool enter(struct search *search, uint32_t node)
{
    struct visit visit = {
        .edge = graph_first(search->forward, node), .node = node, .is_first = true};
    if (!array_push(&search->way, visit))
        return false;
    search->state[node] = search->next_open++;
    return true;
}

/* The node that closes a component takes the open ones above it along. */
static void close_component(struct search *search, const struct visit *last)
{
    uint32_t *state = search->state, own = state[last->node], members = 1;
    uint32_t component = IN_NO_CYCLE - 1 - search->count;
    while (search->open.count) {
        uint32_t node = search->open.items[search->open.count - 1];
        if (state[node] < own)
            break;
        state[node] = component;
        search->open.count--;
        members++;
    }
    bool is_cycle = members > 1 || last->has_itself;
    state[last->node] = is_cycle ? component : IN_NO_CYCLE;
    search->count += is_cycle;
    search->next_open -= members;
}

/* Looks at the edges of the node at the end of the way, up to one that leads to
 * a new node; GRAPH_NONE: there is none. An edge to a new node is looked at
 * again when the search is back. */
static uint32_t next_new(struct search *search, struct visit *visit)
{
    const uint32_t *targets = search->forward->targets;
    uint32_t *state = search->state, node = visit->node, low = state[node];
    uint64_t end = graph_end(search->forward, node), edge = visit->edge;
    uint32_t found = GRAPH_NONE;
    for (; edge < end; edge++) {
        uint32_t target = targets[edge], met = state[target];
        if (!met && !graph_degree(search->forward, target)) {
            state[target] = IN_NO_CYCLE; /* most nodes refer to nothing */
            continue;
        }
        if (!met) {
            found = target;
            break;
        }
        visit->has_itself |= target == node;
        if (met < low) {
            low = met;
            visit->is_first = false;
        }
    }
    visit->edge = edge;
    state[node] = low;
    return found;
}

static bool leave(struct search *search)
{
    struct visit visit = search->way.items[--search->way.count];
    if (!visit.is_first)
        return array_push(&search->open, visit.node);
    close_component(search, &visit);
    return true;
}

static bool search_from(struct search *search, uint32_t start)
{
    if (!enter(search, start))
        return false;
    while (search->way.count) {
        uint32_t next = next_new(search, &search->way.items[search->way.count - 1]);
        if (next == GRAPH_NONE ? !leave(search) : !enter(search, next))
            return false;
    }
    return true;
}

static enum status search_all(struct search *search, struct error *err)
{
    bool fits = true;
    for (uint32_t node = 0; fits && node < search->forward->node_count; node++)
        if (!search->state[node])
            fits = search_from(search, node);
    array_deinit(&search->way);
    array_deinit(&search->open);
    if (!fits)
        return error_set(err, STATUS_NO_MEMORY, "object graph: no memory to search for cycles");
    return STATUS_OK;
}

/* Turns the states into the bitmap and, in place, the members' components,
 * renumbered in the order in which their smallest members come. */
static void number(struct search *search, struct graph_components *components, uint32_t *renumbered)
{
    uint32_t *state = search->state, count = 0, members = 0;
    for (uint32_t i = 0; i < search->count; i++)
        renumbered[i] = GRAPH_NONE;
    for (uint32_t node = 0; node < components->node_count; node++) {
        if (!(node & 63))
            components->rank[node >> 6] = members;
        if (state[node] == IN_NO_CYCLE)
            continue;
        uint32_t *component = &renumbered[IN_NO_CYCLE - 1 - state[node]];
        if (*component == GRAPH_NONE)
            *component = count++;
        bitmap_set(components->in_cycle, node);
        state[members++] = *component;
    }
    components->count = count;
    components->member_count = members;
}

/* The members by component: a counting sort over the bitmap. */
static void list_members(struct graph_components *components)
{
    uint32_t *first = components->first, count = components->count, i = 0;
    for (uint32_t member = 0; member < components->member_count; member++)
        first[components->of_member[member]]++;
    for (uint32_t component = 1; component <= count; component++)
        first[component] += first[component - 1];
    for (uint64_t word = bitmap_words(components->node_count); word-- > 0;)
        for (uint64_t bits = components->in_cycle[word]; bits; i++) {
            unsigned bit = 63 - (unsigned)__builtin_clzll(bits);
            bits &= ~(UINT64_C(1) << bit);
            uint32_t component = components->of_member[components->member_count - 1 - i];
            components->members[--first[component]] = (uint32_t)(word * 64 + bit);
        }
}

static enum status fill_bitmap(struct search *search, struct graph_components *components,
                               struct error *err)
{
    uint32_t *renumbered;
    uint64_t words = bitmap_words(components->node_count);
    enum status status = graph_alloc_zeroed(words, sizeof *components->in_cycle,
                                            (void **)&components->in_cycle, err);
    if (!status)
        status = graph_alloc(words, sizeof *components->rank, (void **)&components->rank, err);
    if (!status)
        status = graph_alloc(search->count, sizeof *renumbered, (void **)&renumbered, err);
    if (status)
        return status;
    number(search, components, renumbered);
    graph_free(renumbered);
    status =
        graph_resize((void **)&search->state, components->member_count, sizeof *search->state, err);
    if (!status) {
        components->of_member = search->state;
        search->state = NULL;
    }
    return status;
}

static enum status fill_lists(struct graph_components *components, struct error *err)
{
    enum status status =
        graph_alloc_zeroed(components->count + UINT64_C(1), sizeof *components->first,
                           (void **)&components->first, err);
    if (!status)
        status = graph_alloc(components->member_count, sizeof *components->members,
                             (void **)&components->members, err);
    if (!status)
        list_members(components);
    return status;
}

enum status graph_components(const struct graph *forward, struct graph_components *ret_components,
                             struct error *err)
{
    struct graph_components components = {.node_count = forward->node_count};
    struct search search = {.forward = forward, .next_open = 1};
    enum status status =
        graph_alloc_zeroed(forward->node_count, sizeof *search.state, (void **)&search.state, err);
    if (!status)
        status = search_all(&search, err);
    if (!status)
        status = fill_bitmap(&search, &components, err);
    if (!status)
        status = fill_lists(&components, err);
    if (status)
        graph_components_deinit(&components);
    else
        *ret_components = components;
    graph_free(search.state);
    return status;
}

void graph_components_deinit(struct graph_components *components)
{
    if (!components)
        return;
    graph_free(components->in_cycle);
    graph_free(components->rank);
    graph_free(components->of_member);
    graph_free(components->first);
    graph_free(components->members);
    *components = (struct graph_components){0};
}
