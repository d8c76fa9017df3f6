/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_OBJECTS_TYPE_TABLE_H
#define INQUEST_ANALYZER_OBJECTS_TYPE_TABLE_H

#include "analyzer/objects/fields.h"

/* What the rooms of analyzer/objects know of a type, beyond what the others
 * see. */
struct type_entry {
    struct python_type type; /* first: every python_type given out is in an entry */
    const char *tp_name;     /* as C code prints it: "collections.deque", "MyClass" */
    uint64_t metatype_addr, mro_addr, dict_addr; /* 0: none, or not at hand */
    uint64_t slots_addr;                         /* heap types: __slots__ as a tuple, 0 for none */
    uint64_t cached_keys_addr;                   /* heap types: keys shared by the instances, 0 for
                                                    none */
    const struct class_shape *shape;             /* class_shape.c: NULL until asked for */
    const struct reference_plan *plan;           /* references_plan.c: NULL until asked for */
    bool has_objects;                            /* some were found */
};

static inline const struct type_entry *type_entry_of(const struct python_type *type)
{
    return (const struct type_entry *)type;
}

/* Open addressing from an address to an index of an array or a pointer; address
 * 0 is never a key. */
struct address_map {
    struct address_slot {
        uint64_t addr;
        const void *value;
    } * slots;
    size_t capacity, count; /* capacity: 0 or a power of two */
};
const void *address_map_get(const struct address_map *map, uint64_t addr);
/* False: out of memory. An address that is there already keeps its value. */
bool address_map_put(struct address_map *map, uint64_t addr, const void *value) MUST_CHECK;
void address_map_deinit(struct address_map *map);

struct type_table {
    struct address_map entries;               /* struct type_entry * */
    struct address_map names;                 /* const char *: names learned for static types */
    unsigned names_stage;                     /* static_names.c: how much was looked through */
    uint64_t root_addr;                       /* the type that is its own type; 0: not known yet */
    const struct reference_facts *references; /* references_plan.c: NULL until asked for */
};

/* ---- static_names.c: the full name ("collections.deque"; builtins bare) of a
 * static type whose tp_name is not in the dump, found through the dictionaries
 * of modules; NULL where it is in none. Looks through them once. */
const char *static_type_name(struct python_process *process, uint64_t type_addr);
/* static_contents.c: of one that is in none, and one of the interpreter's own, by its
 * size, base and the names of its methods; NULL where these do not tell it surely. */
const char *static_type_name_by_contents(struct python_process *process, uint64_t type_addr);

/* ---- type_table.c */
/* The dictionary of a type, wherever its version keeps it; 0 where it is
 * missing. */
uint64_t type_dict_addr(const struct python_process *process, uint64_t type_addr, uint64_t flags);
/* The part of a static type that its interpreter keeps, from 3.12 on; 0: none.
 */
uint64_t static_type_state_addr(const struct python_process *process, uint64_t type_addr,
                                uint64_t flags);

#endif
