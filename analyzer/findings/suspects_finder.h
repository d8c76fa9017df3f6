/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_SUSPECTS_FINDER_H
#define INQUEST_ANALYZER_FINDINGS_SUSPECTS_FINDER_H

#include "analyzer/findings/suspects.h"
#include "analyzer/findings/suspects_c.h"
#include "analyzer/findings/suspects_modules.h"
#include "analyzer/findings/suspects_named.h"
#include "inquest/analyzer/suspect_rules.h"

/* What the files suspects_*.c share while they look. */

struct type_sum {
    uint32_t type;
    uint64_t bytes, count;
};

struct finder {
    const struct findings *findings;
    const struct heap *heap;
    const struct heap_facts *facts;
    struct suspects *out;
    const struct dominated_tree *tree; /* out's */
    struct module_table modules;
    struct c_holders c_holders;
    struct named_paths named;
    uint64_t *namespaces;              /* bitmap: dictionaries of modules */
    ARRAY(uint8_t) label_is_dict;      /* by label code: 0 not known, 1 no, 2 ".__dict__" */
    uint64_t *type_bytes, *type_count; /* by type, zero between uses */
    uint8_t *type_is_link;             /* by type: of an lru_cache's links */
    ARRAY(struct type_sum) sums;       /* the last result of finder_sums */
    uint64_t *extension_only;          /* bitmap: reached from roots of that kind alone */
    uint32_t garbage_list;             /* gc.garbage; GRAPH_NONE: not found */
    struct text label;                 /* scratch */
};

struct object_list {
    ARRAY(uint32_t) items;
};

/* ---- suspects_finder.c */
enum status finder_init(struct finder *finder, const struct findings *findings,
                        struct suspects *out) MUST_CHECK;
void finder_deinit(struct finder *finder);
/* The candidate with its strings empty; NULL: out of memory. Valid until the next. */
struct suspect *finder_add(struct finder *finder, enum suspect_kind kind);

/* Lists, tuples, dicts, sets, deques: what has items and no attributes. */
bool is_container(const struct python_type *type);
/* The findings whose paths lead to the object by names, where any do. */
const struct findings *finder_paths(struct finder *finder, uint32_t object);
/* What is part of how a program is written, not of what it keeps: modules, classes,
 * functions, frames. Never a suspect itself. */
bool is_transparent(const struct finder *finder, uint32_t object);
bool label_is_dict(struct finder *finder, uint32_t code);
/* A label as ref.label has it; in a namespace a key is ".name". Valid until the next. */
const char *step_label(struct finder *finder, uint32_t code, bool in_namespace);
/* The __dict__ that an object has and dominates; GRAPH_NONE: none. */
uint32_t namespace_of(struct finder *finder, uint32_t object);
/* What an object dominates at once, with the entries of its __dict__ in place of
 * that, and the results in place of an lru_cache's links. Empties the list first. */
enum status dominated_children(struct finder *finder, uint32_t object,
                               struct object_list *list) MUST_CHECK;
/* The dominator, that whose __dict__ it is in place of a __dict__; GRAPH_NONE: a root. */
uint32_t owner_of(struct finder *finder, uint32_t object);

/* Fills finder->sums, the largest first, by what the objects retain. */
enum status finder_sums(struct finder *finder, const uint32_t *objects, size_t count) MUST_CHECK;
/* As finder_sums, by own size, of all that the objects dominate. */
enum status finder_sums_within(struct finder *finder, const uint32_t *objects,
                               size_t count) MUST_CHECK;
/* As finder_sums, by own size, of the objects whose bits are set. */
enum status finder_sums_of(struct finder *finder, const uint64_t *bits) MUST_CHECK;

/* ---- suspects_single.c, suspects_group.c, suspects_unheld.c: each adds its own. */
enum status find_single_suspects(struct finder *finder) MUST_CHECK;
enum status find_group_suspects(struct finder *finder) MUST_CHECK;
enum status find_unheld_suspects(struct finder *finder) MUST_CHECK;
/* What only C code holds; before the others. */
enum status find_extension_only(struct finder *finder) MUST_CHECK;

/* ---- suspects_group.c: the bits of what would go with all of `members` together. */
enum status retained_set(const struct findings *findings, const uint32_t *members, size_t count,
                         uint64_t *bits) MUST_CHECK;

/* ---- suspects_holder.c: fills holder, path and fingerprint of a single one. */
enum status name_holder(struct finder *finder, struct suspect *suspect) MUST_CHECK;
/* ---- suspects_words.c: fills title, why and parts. */
enum status describe_suspect(struct finder *finder, struct suspect *suspect) MUST_CHECK;

#endif
