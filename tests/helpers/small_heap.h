/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HELPERS_SMALL_HEAP_H
#define TESTS_HELPERS_SMALL_HEAP_H

#include "inquest/analyzer/index.h"

/* A heap written by hand, object by object, and its index in memory. Retained sizes
 * and references follow from who holds whom: each object but those at the top is
 * referred to by its holder, which dominates it. Objects are written as numbers from
 * 0 on; their ids in the index are one higher. Failures fail the test. */
#define SMALL_HEAP_MOST 4096

struct small_object {
    int holder;        /* -1: none */
    const char *label; /* of the holder's reference */
    const char *type;
    unsigned size;
    bool unreachable;
};

struct small_heap {
    struct small_object objects[SMALL_HEAP_MOST];
    int count;
    struct small_reference {
        int source, target;
        const char *label;
    } extra[64]; /* references beside the holders' */
    int extra_count;
    struct small_root {
        int object;
        const char *kind, *label;
    } roots[64];
    int root_count;
    struct {
        int64_t first; /* id */
        const void *bytes;
        size_t size;
    } contents[2]; /* rows of table content, as they are */
    int content_count;
    struct {
        int object;
        unsigned bytes;
    } shared_sizes[2]; /* rows of table shared_size */
    int shared_size_count;
};

int small_heap_add(struct small_heap *heap, int holder, const char *label, const char *type,
                   unsigned size);
void small_heap_refer(struct small_heap *heap, int source, const char *label, int target);
void small_heap_root(struct small_heap *heap, int object, const char *kind, const char *label);
/* What an object would free. */
uint64_t small_heap_retained(const struct small_heap *heap, int object);
uint64_t small_heap_address(int object);
struct index *small_heap_index(const struct small_heap *heap);

/* shop.cache: a module's dict, with SESSIONS (six instances, each with a __dict__, a
 * basket and a user), HEAD (a chain of ten nodes) and BLOB; a shared str, held by two
 * of them; a garbage cycle. */
void small_heap_shop(struct small_heap *heap);

#endif
