/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_LABEL_MASKS_H
#define INQUEST_ANALYZER_FINDINGS_LABEL_MASKS_H

#include "analyzer/runtime/heap_graph.h"

/* Labels without what differs from one object to its like: indices and keys are all
 * "[…]", attributes and fields stay. While the heap is being looked at; label_classes
 * does the like for an index. */
enum {
    MASK_NONE, /* no label, or a weak one */
    MASK_ITEM, /* "[3]", "['key']" */
    MASK_KEY,  /* the key of a dict or the item of a set itself */
    MASK_DICT, /* ".__dict__" */
    MASK_FIRST /* from here on: one for each text */
};

struct label_masks {
    struct label_table *labels;
    uint32_t *of_code[2];      /* mask + 1, 0: not asked yet; of namespaces apart */
    ARRAY(const char *) texts; /* mask - MASK_FIRST */
    ARRAY(uint64_t) hashes;    /* of the texts: the same in every process */
    uint32_t *slots, slot_mask;
    struct arena arena;
    bool failed; /* out of memory, sticky */
};

enum status label_masks_init(struct label_masks *masks, struct label_table *labels) MUST_CHECK;
void label_masks_deinit(struct label_masks *masks);

/* `in_namespace`: the source is the dictionary of an instance or module, whose keys
 * are attributes: "['name']" is ".name". MASK_NONE where memory is out. */
uint32_t label_mask(struct label_masks *masks, uint32_t code, bool in_namespace);
/* "" for MASK_NONE. */
const char *label_mask_text(const struct label_masks *masks, uint32_t mask);
uint64_t label_mask_hash(const struct label_masks *masks, uint32_t mask);
/* Whether it leads to a namespace of code: ".__globals__" and the like. */
bool label_mask_is_globals(const struct label_masks *masks, uint32_t mask);

/* A hash of a name, the same in every process. */
uint64_t name_hash(const char *name);

#endif
