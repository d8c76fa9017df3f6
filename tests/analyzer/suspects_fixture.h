/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ANALYZER_SUSPECTS_FIXTURE_H
#define TESTS_ANALYZER_SUSPECTS_FIXTURE_H

#include "analyzer/findings/suspects.h"
#include "analyzer/objects/type_table.h"
#include "tests/analyzer/objects_fixture.h"

/* A heap made by hand, with all that the passes find of it: objects with a type
 * and a size, references with a label, roots. Nothing of it is in the process's
 * memory, so values and numbers of items can't be read. Failures fail the test.
 */
#define MADE_TYPES      32
#define MADE_OBJECTS    4096
#define MADE_REFERENCES 16384
#define MADE_ROOTS      64

struct made_heap {
    struct objects objects;
    struct heap heap;
    struct heap_roots roots;
    struct heap_facts facts;
    struct findings findings;
    struct type_entry types[MADE_TYPES];
    uint32_t address[MADE_OBJECTS], type[MADE_OBJECTS];
    uint16_t size[MADE_OBJECTS], refcount[MADE_OBJECTS];
    struct made_reference {
        uint32_t source, target;
        const char *label;
    } references[MADE_REFERENCES];
    size_t reference_count;
};

void made_heap_begin(struct made_heap *made);
/* A name without a dot is the language's own. */
uint32_t made_type(struct made_heap *made, const char *name, enum object_kind kind);
uint32_t made_object(struct made_heap *made, uint32_t type, uint64_t size);
/* `label` is a static text. */
void made_refer(struct made_heap *made, uint32_t source, const char *label, uint32_t target);
/* A new object that `source` refers to. */
uint32_t made_held(struct made_heap *made, uint32_t source, const char *label, uint32_t type,
                   uint64_t size);
void made_root(struct made_heap *made, uint32_t object, enum root_kind kind, const char *label);
/* Everything is there: finds the facts. */
void made_heap_end(struct made_heap *made);
void made_heap_free(struct made_heap *made);

/* The bytes that would go if the members went, by going around them. */
uint64_t made_retained(const struct made_heap *made, const uint32_t *members, size_t count);

#endif
