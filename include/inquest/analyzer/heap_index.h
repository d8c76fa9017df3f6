/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_HEAP_INDEX_H
#define INQUEST_ANALYZER_HEAP_INDEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "inquest/analyzer/index.h"

/* The heap's bulk columns on their way into the index, where they are packed
 * (varints in LZ4 chunks) behind the virtual tables `object` and `ref`, or, with
 * `load --plain`, written as ordinary tables. Object ids in the index are array
 * index plus 1; everything here is by array index, in order of address. */

enum heap_object_flags {
    HEAP_TRACKED = 1,   /* on one of the collector's lists */
    HEAP_REACHABLE = 2, /* from a root */
};

#define HEAP_NO_OBJECT UINT32_MAX

/* Objects one behind the other, as `read` below gives them. */
#define HEAP_BLOCK_OBJECTS 128
struct heap_object_block {
    uint64_t address[HEAP_BLOCK_OBJECTS], size[HEAP_BLOCK_OBJECTS];
    uint64_t refcount[HEAP_BLOCK_OBJECTS], retained[HEAP_BLOCK_OBJECTS];
    uint32_t type[HEAP_BLOCK_OBJECTS], dominator[HEAP_BLOCK_OBJECTS];
    uint8_t flags[HEAP_BLOCK_OBJECTS];
};

/* Borrowed; `count` items each. */
struct heap_objects {
    uint32_t count;
    const uint64_t *address;  /* ascending */
    const uint32_t *type;     /* id in the table `type` */
    const uint64_t *size;     /* as sys.getsizeof */
    const uint64_t *refcount; /* as the object says; immortal ones UINT32_MAX */
    const uint64_t *retained;
    const uint32_t *dominator; /* HEAP_NO_OBJECT: none */
    const uint8_t *flags;      /* heap_object_flags */
    /* Instead of all columns, NULL: they are there. Fills in `count` objects, at most
     * HEAP_BLOCK_OBJECTS; on any thread. */
    void (*read)(const void *context, uint32_t index, uint32_t count,
                 struct heap_object_block *ret_block);
    const void *context;
};

/* A reference's label: 0 none; HEAP_LABEL_INDEX | i: "[i]"; else the number,
 * from 1, of a text in heap_labels. Weak references are in here too: their
 * labels' texts begin with "weak". */
#define HEAP_LABEL_INDEX 0x80000000u

struct heap_more_reference {
    uint32_t source, target, label;
};

struct heap_references { /* compressed sparse rows by source */
    uint64_t count;
    const uint32_t *narrow_first; /* objects + 1; NULL: */
    const uint64_t *first;        /* the same, also for 2^32 references and more */
    const uint32_t *target;       /* `count` */
    const uint32_t *label;        /* `count` */
    /* References at the ends of the rows, beside `count`: ascending by source. */
    size_t more_count;
    const struct heap_more_reference *more;
    /* The same rows by target, without `more`, each ascending by source, where there are
     * fewer than 2^32; NULL: they are made. Packing leaves other numbers in
     * reverse_source. */
    const uint32_t *reverse_first;
    uint32_t *reverse_source;
};

/* `object` may be their count. */
static inline uint64_t heap_references_first(const struct heap_references *references,
                                             uint64_t object)
{
    return references->narrow_first ? references->narrow_first[object] : references->first[object];
}

struct heap_labels { /* UTF-8 texts, one behind the other */
    uint32_t count;
    const uint64_t *offset; /* count + 1, into text */
    const char *text;
};

/* Writes all three; both directions of `ref` are readable by id afterwards.
 * `plain`: ordinary tables. */
enum status index_writer_heap(struct index_writer *writer, const struct heap_objects *objects,
                              const struct heap_references *references,
                              const struct heap_labels *labels, bool plain,
                              struct error *err) MUST_CHECK;

/* The same in steps, so that what can be packed is packed while there is nothing to write
 * yet, and what is packed need not be kept. Borrows all three until it ends. What is
 * written is the same, whatever was packed when. */
struct heap_packing;

/* Takes the columns as they are said to be; they are looked at when they are packed. */
enum status heap_packing_create(const struct heap_objects *objects,
                                const struct heap_references *references,
                                const struct heap_labels *labels, struct heap_packing **ret_packing,
                                struct error *err) MUST_CHECK;
void heap_packing_destroy(struct heap_packing *packing);
/* Packs the references by target, on all processors; reverse_first and reverse_source may
 * end afterwards. */
enum status heap_packing_referrers(struct heap_packing *packing, struct error *err) MUST_CHECK;
/* Packs objects and the references by source on the calling thread, until all are packed
 * or `stop` is set. */
enum status heap_packing_ahead(struct heap_packing *packing, const atomic_bool *stop,
                               struct error *err) MUST_CHECK;
/* Writes all, and packs what is not packed yet. */
enum status index_writer_packing(struct index_writer *writer, struct heap_packing *packing,
                                 bool plain, struct error *err) MUST_CHECK;

#endif
