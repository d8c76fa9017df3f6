/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_CYCLES_PASS_H
#define INQUEST_ANALYZER_FINDINGS_CYCLES_PASS_H

/* What the files cycles*.c have in common. */
#include "analyzer/findings/findings.h"
#include "analyzer/findings/label_masks.h"

/* What a type's instances are in a cycle. */
enum cycle_role {
    ROLE_CONTAINER, /* dict, list, cell, …: says nothing by itself */
    ROLE_CODE,      /* function, descriptor, … */
    ROLE_TYPE,      /* type, module: the program itself */
    ROLE_INSTANCE,  /* of any other type */
};

enum cycle_finalizer { FINALIZER_NONE, FINALIZER_ALWAYS, FINALIZER_GENERATOR };

#define NODE_NAMESPACE UINT32_C(0x80000000) /* the __dict__ of the node that it stands for */

/* A component under examination. */
struct cycle_component {
    const uint32_t *members; /* ascending */
    uint32_t count;
    bool is_nested; /* within a larger one, once types and modules are left out */
};

struct cycle_pass {
    const struct findings *findings;
    const struct heap *heap;
    struct label_masks masks;
    uint64_t *type_hash;    /* of the name, by index into heap->types */
    uint8_t *role;          /* enum cycle_role, likewise */
    uint8_t *finalizer;     /* enum cycle_finalizer, likewise */
    uint64_t *has_callback; /* bitmap: a weak reference to the object calls back */
    uint32_t *node_of;      /* by object: node of the shape at hand + 1, maybe with
                               NODE_NAMESPACE; 0: not in the component at hand */
};

/* ---- cycles_facts.c: fills and frees all of a pass but `findings`. */
enum status cycle_pass_init(struct cycle_pass *pass, const struct findings *findings) MUST_CHECK;
void cycle_pass_deinit(struct cycle_pass *pass);
/* Whether freeing the object runs code: __del__, or a generator that is suspended where
 * something wants to be told. */
bool cycle_has_finalizer(const struct cycle_pass *pass, uint32_t object);

/* ---- cycles_nested.c: the cycles among instances within the components that hold the
 * program's own types and modules, through which nearly all that a module holds is one
 * component. Empty where there are none. Of the result only the members are objects. */
enum status cycles_find_nested(struct cycle_pass *pass, struct graph_components *ret_nested,
                               struct error *err) MUST_CHECK;

/* ---- cycles_shape.c: a component as a small labelled graph. An instance and its
 * __dict__ are one node. Up to SHAPE_NODES nodes it is the component itself, and equal
 * hashes mean isomorphic graphs as far as colours tell; a larger one is told by which
 * types refer to which by what: one node a type. */
#define SHAPE_NODES 64

struct shape_node {
    uint64_t color;  /* the same for nodes at the same place; of types alone in a large one */
    uint32_t object; /* an example in a large one */
    uint32_t type;
};

struct shape_edge {
    uint32_t source, target; /* nodes */
    uint32_t mask;
};

struct shape {
    ARRAY(struct shape_node) nodes;
    ARRAY(struct shape_edge) edges; /* each once */
    uint32_t *slots, slot_mask;     /* of the edges */
    bool is_exact;
    uint64_t hash;   /* the same for isomorphic ones, in every process */
    uint64_t raw[2]; /* of the graph in the order in which it was read */
};

/* Reads nodes and edges, sets `raw`, and for a large one `hash`. pass->node_of is that
 * of the component until shape_release. */
enum status shape_read(struct cycle_pass *pass, const struct cycle_component *component,
                       struct shape *shape) MUST_CHECK;
void shape_release(struct cycle_pass *pass, const struct cycle_component *component);
/* Colours the nodes of an exact one and sets `hash`. */
void shape_refine(const struct cycle_pass *pass, struct shape *shape);
/* Whether two refined exact ones of equal hash are isomorphic. Gives up after a bounded
 * search with true: colours had told no difference. */
bool shapes_match(const struct shape *left, const struct shape *right);
void shape_deinit(struct shape *shape);

/* ---- cycles_text.c: with pass->node_of of the component. Appends
 * "shop.Node.children -> list[…] -> shop.Node.parent -> …"; ret_start is the object
 * that it begins with. */
enum status shape_text(const struct cycle_pass *pass, const struct shape *shape,
                       const struct cycle_component *component, struct text *text,
                       uint32_t *ret_start) MUST_CHECK;

/* ---- cycles_drawing.c: some objects of a component and the references among them,
 * along a shortest cycle from `start` first. */
#define DRAWN_NODES 16
#define DRAWN_EDGES 48

struct drawn_edge {
    uint32_t source, target, code; /* objects; label */
    bool in_namespace;
};

struct drawing {
    uint32_t nodes[DRAWN_NODES], node_count;
    struct drawn_edge edges[DRAWN_EDGES];
    uint32_t edge_count;
};

enum status cycle_draw(struct cycle_pass *pass, uint32_t start,
                       struct drawing *ret_drawing) MUST_CHECK;

/* ---- cycles_collector.c: how the garbage cycles that there are lie in the generations. */
struct cycle_garbage {
    uint64_t cycles, objects, bytes;
    const uint64_t *is_garbage; /* bitmap over objects: members of garbage cycles */
};
enum status collector_write(const struct findings *findings, const struct cycle_garbage *garbage,
                            struct error *err) MUST_CHECK;

#endif
