/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_SUSPECTS_H
#define INQUEST_ANALYZER_FINDINGS_SUSPECTS_H

#include "analyzer/findings/findings.h"
#include "analyzer/findings/suspects_tree.h"
#include "inquest/base/arena.h"
#include "inquest/base/array.h"

/* What may be a leak. `retained` is always the bytes that would go with it. */
enum suspect_kind {
    SUSPECT_SINGLE,    /* one object: where its memory falls apart into many small ones */
    SUSPECT_GROUP,     /* many instances of one type that no single suspect holds */
    SUSPECT_EXTENSION, /* instances of one type that only C code holds */
    SUSPECT_GARBAGE,   /* instances of one type that nothing holds, not yet collected */
    SUSPECT_INTERNED,  /* immortal interned strings that nothing refers to any more */
    SUSPECT_KIND_COUNT
};
extern const char *const suspect_kind_names[SUSPECT_KIND_COUNT];

struct suspect_part {
    const char *kind, *title; /* as the table suspect_part has them */
    uint32_t object;          /* GRAPH_NONE: none */
    uint64_t instances, bytes;
    double share; /* of the suspect's retained bytes */
};

struct suspect {
    enum suspect_kind kind;
    uint32_t object;         /* SUSPECT_SINGLE: the holder; else GRAPH_NONE */
    uint32_t type;           /* index into heap->types: the holder's, or the instances' */
    uint32_t accumulation;   /* object where it falls apart; GRAPH_NONE: none */
    bool is_structure;       /* falls apart into other candidates: told where they are not */
    ARRAY(uint32_t) members; /* of other kinds: instances that no other instance dominates */
    uint64_t instances, shallow, retained;
    double share;   /* of all bytes that roots lead to, also of what none leads to */
    int64_t parent; /* index of the candidate that it is a part of; -1: none */
    bool is_alarm;  /* a suspect by the default thresholds */
    bool
        is_joint; /* what no one member holds alone is counted too: it took a pass over the graph */
    const char *title, *path, *why, *holder, *accumulation_path; /* "" for none */
    char fingerprint[17];
    ARRAY(struct suspect_part) parts;
};

struct suspects {
    const struct findings *findings;
    struct dominated_tree tree;
    uint64_t reachable_bytes;
    ARRAY(struct suspect) items; /* alarms first, each by retained bytes */
    struct arena arena;          /* of the strings */
};

enum status suspects_find(const struct findings *findings, struct suspects *ret_suspects,
                          struct error *err) MUST_CHECK;
void suspects_deinit(struct suspects *suspects);

/* Sets the bit of every object that would go with the suspect; `bits` has a bit for
 * each object of the heap. */
enum status suspect_mark(const struct suspects *suspects, const struct suspect *suspect,
                         uint64_t *bits) MUST_CHECK;

/* Finds them and writes the tables suspect, suspect_candidate and suspect_part; a
 * row of findings.c's table. */
enum status suspects_write(const struct findings *findings, struct error *err);

#endif
