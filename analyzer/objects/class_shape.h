/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_OBJECTS_CLASS_SHAPE_H
#define INQUEST_ANALYZER_OBJECTS_CLASS_SHAPE_H

#include "analyzer/objects/type_table.h"

/* How instances of a class print themselves, as far as that can be told. */
enum repr_form {
    FORM_KIND,        /* as their kind does; for KIND_UNKNOWN by their attributes */
    FORM_OVERRIDDEN,  /* by a __repr__ that only Python could run */
    FORM_DATACLASS,   /* fields: attributes */
    FORM_NAMED_TUPLE, /* fields: one an item */
    FORM_STRUCT_SEQ,  /* fields: one an item that shows */
    FORM_ENUM,        /* "<Color.RED: 1>" */
    FORM_FLAG,        /* as FORM_ENUM, up to 3.10 with a name made up from the members */
    FORM_GLOBAL_ENUM, /* "re.IGNORECASE" */
};

struct class_slot {
    const char *name; /* as the attribute is called: "_C__x" for __x in class C */
    uint64_t offset;
    bool is_after_items; /* `offset` counts from the end of the items, as if there were none */
};

/* What the whole line of a class's bases says of its instances. */
struct class_shape {
    enum repr_form form;
    const char *const *fields; /* names, in order */
    size_t field_count;
    const struct class_slot *slots; /* of all bases, base first, in order of definition */
    size_t slot_count;
};

/* Read once a class and kept; never NULL, empty where memory is out. */
const struct class_shape *class_shape_of(struct python_process *process,
                                         const struct python_type *type);

/* The bases of a type in order of lookup, itself first. */
struct mro_iterator {
    uint64_t items_addr, count, next;
};
void mro_iterate(struct python_process *process, const struct python_type *type,
                 struct mro_iterator *ret_iterator);
bool mro_next(struct python_process *process, struct mro_iterator *iterator,
              const struct type_entry **ret_entry);
/* The first of the bases whose dictionary has `name`, and what it has there. */
bool class_lookup(struct python_process *process, const struct python_type *type, const char *name,
                  const struct type_entry **ret_owner, uint64_t *ret_value);

/* ---- class_slots.c: what the slot of an instance holds; 0: nothing. */
enum status class_slot_value(struct python_process *process, const struct python_type *type,
                             uint64_t addr, const struct class_slot *slot,
                             uint64_t *ret_value) MUST_CHECK;
/* Fills slots and slot_count. */
void class_slots_read(struct python_process *process, const struct type_entry *entry,
                      struct class_shape *shape);
/* ---- class_fields.c: fills fields and field_count; false where they don't read. */
bool dataclass_fields_read(struct python_process *process, uint64_t fields_dict_addr,
                           struct class_shape *shape);
bool named_tuple_fields_read(struct python_process *process, uint64_t names_addr,
                             struct class_shape *shape);
bool struct_seq_fields_read(struct python_process *process, const struct type_entry *entry,
                            struct class_shape *shape);

/* More than these are not taken for fields. */
#define FIELDS_MAX 512

#endif
