/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_TESTS_ANALYZER_TEST_GRAPH_REFERENCE_H
#define INQUEST_TESTS_ANALYZER_TEST_GRAPH_REFERENCE_H

#include <stdint.h>

#include "analyzer/graph/graph.h"

/* Small graphs, and what the passes should say of them, worked out slowly and
 * straight from the definitions. Sets of nodes are the bits of a word. */
#define SAMPLE_NODES 48
#define SAMPLE_EDGES 512
#define SAMPLE_ROOTS 8

struct sample {
    unsigned node_count, edge_count, root_count;
    uint32_t sources[SAMPLE_EDGES], targets[SAMPLE_EDGES]; /* sources ascend */
    uint64_t out[SAMPLE_NODES];
    uint32_t roots[SAMPLE_ROOTS];
    uint8_t classes[SAMPLE_ROOTS];
    uint64_t sizes[SAMPLE_NODES];
};

/* xorshift64*: the same samples on each machine. `state` is never 0. */
uint64_t random_next(uint64_t *state);
uint32_t random_below(uint64_t *state, uint32_t limit);

/* The sample of that number: density, locality and shape vary with it. */
void sample_make(struct sample *sample, unsigned number);
/* The same as compressed rows; fails the test where that fails. */
struct graph sample_graph(const struct sample *sample);
struct graph_roots sample_roots(const struct sample *sample);
uint64_t sample_root_set(const struct sample *sample);

/* What `roots` lead to without going through `removed`. */
uint64_t reference_reach(const struct sample *sample, uint64_t roots, uint64_t removed);
/* For node v of what `roots` lead to: by removing each other node in turn. */
uint32_t reference_idom(const struct sample *sample, uint64_t roots, uint64_t removed, uint32_t v);
uint64_t reference_retained(const struct sample *sample, uint64_t roots, uint64_t removed,
                            uint32_t v);
/* For each node, the nodes that it leads to by one edge or more. */
void reference_closure(const struct sample *sample, uint64_t closure[SAMPLE_NODES]);

#endif
