/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_WASTE_PASS_H
#define INQUEST_ANALYZER_FINDINGS_WASTE_PASS_H

/* What the files waste*.c have in common. */
#include "analyzer/findings/findings.h"
#include "analyzer/findings/label_masks.h"

/* As the contract names and orders them. */
enum waste_kind {
    WASTE_STRING,
    WASTE_BYTES,
    WASTE_TUPLE,
    WASTE_EMPTY_DICT,
    WASTE_EMPTY_LIST,
    WASTE_EMPTY_SET,
    WASTE_EMPTY_TUPLE,
    WASTE_LIST_ROOM,
    WASTE_SPARSE_DICT,
    WASTE_SPARSE_SET,
    WASTE_INSTANCE_DICT,
    WASTE_BOXED,
    WASTE_KIND_COUNT
};
extern const char *const waste_kind_names[WASTE_KIND_COUNT];

/* ---- waste_holders.c: where objects stand, so that those at like places are told
 * together: "shop.models.Order.status", "shop.cache.SESSIONS[…]". */
#define HOLDER_STEPS 6

struct holder {
    uint32_t owner; /* index of a type, or an object */
    bool is_type;   /* any instance of that type */
    uint8_t count;
    uint32_t masks[HOLDER_STEPS]; /* from the object up to the owner */
};

struct holders {
    const struct findings *findings;
    struct label_masks masks;
    uint32_t *via;   /* by object: label of the reference by which a shortest path comes;
                        NULL until many were asked for */
    uint64_t looked; /* references gone through to answer those few */
    bool failed;     /* out of memory, sticky */
    ARRAY(struct holder) items;
    uint32_t *slots, slot_mask;
};

enum status holders_init(struct holders *holders, const struct findings *findings) MUST_CHECK;
void holders_deinit(struct holders *holders);
/* The number of the place of a reached object; false: out of memory. */
bool holder_of(struct holders *holders, uint32_t object, uint32_t *ret_holder) MUST_CHECK;
void holder_text(struct holders *holders, uint32_t holder, struct text *text);

/* ---- waste_values.c: values of str, bytes, tuple, and of the numbers in tuples. */
struct waste_values {
    const struct heap *heap;
    uint64_t seed[2]; /* so that nobody can make values that collide */
};
/* False where the value is not at hand. */
bool value_hash(const struct waste_values *values, uint32_t object, uint64_t *ret_hash);
/* Whether two objects of one type have one value; tuples: the same items, or equal
 * strings and numbers of one type. */
bool values_equal(const struct waste_values *values, uint32_t left, uint32_t right);

/* ---- waste_duplicates.c */
#define NO_HOLDER UINT32_MAX

struct duplicate {
    uint32_t first, copies;
    uint64_t bytes, largest; /* of all copies; of one of them */
    uint32_t holder, votes;  /* most common, see duplicates_add */
};

struct met_value {
    uint32_t object, hash;
};

struct duplicates {
    struct waste_values values;
    struct holders *holders;
    ARRAY(struct duplicate) groups;   /* two copies or more; after duplicates_finish */
    uint64_t *counters, counter_mask; /* 2 bits each, by hash: how many have it */
    struct met_value *met;            /* ascending by object */
    uint64_t met_count;
    uint64_t *slots, slot_count; /* open addressing */
};

/* `candidates`: objects that will be added, at most. */
enum status duplicates_init(struct duplicates *duplicates, const struct heap *heap,
                            struct holders *holders, uint64_t candidates) MUST_CHECK;
void duplicates_deinit(struct duplicates *duplicates);
/* Objects come in ascending order. */
void duplicates_add(struct duplicates *duplicates, uint32_t object);
/* False: out of memory. */
bool duplicates_finish(struct duplicates *duplicates) MUST_CHECK;

/* ---- waste.c: what is added up by place. */
struct waste_place {
    uint8_t kind; /* enum waste_kind */
    uint32_t holder, example;
    uint64_t count, bytes, most; /* most: bytes of the example */
};

struct waste_pass {
    const struct findings *findings;
    const struct heap *heap;
    struct holders holders;
    struct duplicates duplicates;
    ARRAY(struct waste_place) places;
    uint32_t *slots, slot_mask;       /* of the places */
    struct instance_waste *instances; /* by index of type */
    uint8_t *looks;                   /* likewise: what is looked at (waste.c) */
};

/* `bytes` to gain of an object; false: out of memory. */
bool waste_add(struct waste_pass *pass, enum waste_kind kind, uint32_t object,
               uint64_t bytes) MUST_CHECK;

/* ---- waste_containers.c: each of an exact list, dict, set. */
bool waste_of_list(struct waste_pass *pass, uint32_t object) MUST_CHECK;
bool waste_of_dict(struct waste_pass *pass, uint32_t object) MUST_CHECK;
bool waste_of_set(struct waste_pass *pass, uint32_t object) MUST_CHECK;

/* ---- waste_numbers.c: of an exact list that is long. */
#define BOXED_LEAST 1000 /* items */
bool waste_of_numbers(struct waste_pass *pass, uint32_t object) MUST_CHECK;

/* ---- waste_instances.c: what __dict__ takes of the instances of a class, beyond the
 * 8 bytes an attribute that __slots__ would take. */
struct instance_waste {
    uint8_t form; /* 0: no class that __slots__ could help */
    uint32_t example;
    uint64_t count, bytes;
    uint64_t keys_room; /* attributes that new instances get room for, where they share keys */
};
void instance_forms(const struct heap *heap, struct instance_waste *instances);
void waste_of_instance(struct waste_pass *pass, uint32_t object);

#endif
