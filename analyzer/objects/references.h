/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_OBJECTS_REFERENCES_H
#define INQUEST_ANALYZER_OBJECTS_REFERENCES_H

#include "analyzer/objects/object.h"
#include "inquest/base/array.h"

/* What an object refers to, and how big it is: one row of a table of kinds
 * each. */

enum reference_kind {
    REFERENCE_VISITED,  /* the type's tp_traverse visits it: gc.get_referents has
                           it */
    REFERENCE_HIDDEN,   /* counts, but the collector can't see it */
    REFERENCE_INFERRED, /* an aligned word of an unknown type that is an object's
                           address */
    REFERENCE_WEAK,     /* does not count: holds nothing alive */
};

/* How Python would write the step from the object to the target. */
enum reference_label {
    LABEL_NONE,
    LABEL_FIELD,      /* name: a static text, ".__closure__" */
    LABEL_ATTRIBUTE,  /* name_addr: a str: ".basket" */
    LABEL_KEY,        /* name_addr: a dict's key: "['u17']" leads to its value */
    LABEL_KEY_ITSELF, /* the target is itself a key of the dict or an item of a
                         set */
    LABEL_INDEX,      /* index: "[3]" */
    LABEL_VARIABLE,   /* name_addr: a str: a frame's or closure's variable */
};

struct reference {
    uint64_t target_addr; /* never 0 */
    union {
        const char *name;
        uint64_t name_addr, index;
    };
    uint8_t kind, label; /* reference_kind, reference_label */
};

/* A piece of memory that is at hand: most of what is read lies where it was
 * read from last. */
struct reference_window {
    uint64_t start, end; /* addresses; 0: none yet */
    const uint8_t *data; /* at start */
};

struct reference_list {
    ARRAY(struct reference) references; /* in the order of the object's fields */
    /* Takes those that an object with very many has so far, and empties the list: what is left
     * follows. NULL: the list has all. */
    enum status (*take)(struct reference_list *list, uint64_t addr);
    void *context;
    struct reference_window window;
    /* Bytes looked at beside the objects themselves, in tables and what else they lead to, and
     * how many may be; 0: no matter. Tables of a sound heap do not overlap, those of a hostile
     * one can each be all of it. */
    uint64_t looked, most;
};

/* As memory_view; what is `lasting` is where the next objects are looked for.
 */
const uint8_t *reference_window_open(struct reference_window *window,
                                     const struct memory_image *image, uint64_t addr, uint64_t size,
                                     bool is_lasting);
static inline const uint8_t *reference_window_view(struct reference_window *window,
                                                   const struct memory_image *image, uint64_t addr,
                                                   uint64_t size, bool is_lasting)
{
    if (addr >= window->start && addr < window->end && size <= window->end - addr)
        return window->data + (addr - window->start);
    return reference_window_open(window, image, addr, size, is_lasting);
}

/* Empties `list` and fills it with what the object at `addr` refers to, one
 * entry a reference (so a list that holds None twice has two), and tells what
 * sys.getsizeof would have returned. Damage gives what could be read and
 * STATUS_CORRUPT or STATUS_NOT_IN_DUMP. Called for every object of the heap: it
 * allocates nothing but room in the list. */
enum status object_references(struct python_process *process, const struct python_type *type,
                              uint64_t addr, struct reference_list *list,
                              uint64_t *ret_size) MUST_CHECK;

/* Where sys.getsizeof counts another object's bytes in those of a type's
 * instances: the offset of the word that leads to it, 0 for types of which it
 * does not. It counts them where nobody else holds that object. */
uint32_t object_part_offset(struct python_process *process, const struct python_type *type);

/* Makes the plan that object_references follows for a type, or for all types
 * that have objects. Once that is done, several threads may call
 * object_references for these at once, each with a list of its own. */
enum status references_prepare(struct python_process *process,
                               const struct python_type *type) MUST_CHECK;
enum status references_prepare_all(struct python_process *process) MUST_CHECK;

void reference_list_deinit(struct reference_list *list);

#endif
