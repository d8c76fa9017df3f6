/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_OBJECTS_FIELDS_H
#define INQUEST_ANALYZER_OBJECTS_FIELDS_H

/* Reads that ask nothing about types: what the type table itself is built on. */
#include "analyzer/objects/object.h"
#include "inquest/base/bytes_reader.h"

enum status field_u8(const struct python_process *process, uint64_t addr, enum python_field field,
                     uint8_t *ret_value) MUST_CHECK;
enum status field_u32(const struct python_process *process, uint64_t addr, enum python_field field,
                      uint32_t *ret_value) MUST_CHECK;
enum status field_u64(const struct python_process *process, uint64_t addr, enum python_field field,
                      uint64_t *ret_value) MUST_CHECK;
/* The pointer at `addr` itself. */
enum status pointer_at(const struct python_process *process, uint64_t addr,
                       uint64_t *ret_pointer) MUST_CHECK;

/* As memory_view; a valid pointer for size 0. */
static inline const uint8_t *view_at(const struct python_process *process, uint64_t addr,
                                     uint64_t size)
{
    static const uint8_t nothing[1];
    return size ? memory_view(process->image, addr, size) : nothing;
}

/* A number of the layout that some versions do not have. */
static inline uint64_t layout_or(const struct python_layout *layout, enum python_field field,
                                 uint64_t otherwise)
{
    return layout_has(layout, field) ? layout_get(layout, field) : otherwise;
}

/* ---- dict.c: as dict_iterate, for what is known to be a dict by its place. */
enum status dict_iterate_raw(const struct python_process *process, uint64_t dict_addr,
                             struct dict_iterator *ret_iterator) MUST_CHECK;
/* Split values of an instance that has no dict of its own: `keys_addr` is its
 * type's; `values_addr` a PyDictValues. */
enum status dict_iterate_values(const struct python_process *process, uint64_t keys_addr,
                                uint64_t values_addr,
                                struct dict_iterator *ret_iterator) MUST_CHECK;
bool dict_next_raw(const struct python_process *process, struct dict_iterator *iterator,
                   uint64_t *ret_key, uint64_t *ret_value, enum status *ret_status);
enum status dict_get_raw(const struct python_process *process, uint64_t dict_addr, const char *key,
                         uint64_t *ret_value) MUST_CHECK;
/* The rest of an iteration until `key`; STATUS_NOT_IN_DUMP where it is not there. */
enum status dict_find(const struct python_process *process, struct dict_iterator *iterator,
                      const char *key, uint64_t *ret_value) MUST_CHECK;

/* ---- str.c */
struct str_view {
    uint64_t length; /* characters */
    uint64_t data_addr;
    unsigned kind;             /* bytes a character: 1, 2 or 4 */
    bool is_ascii, is_compact; /* compact: the characters are within the object's own block */
};
enum status str_view_raw(const struct python_process *process, uint64_t addr,
                         struct str_view *ret_view) MUST_CHECK;
/* As str_read and str_name, without a look at the type. */
enum status str_read_raw(const struct python_process *process, uint64_t addr,
                         uint64_t max_characters, struct text *ret_text) MUST_CHECK;
enum status str_name_raw(const struct python_process *process, uint64_t addr,
                         const char **ret_name) MUST_CHECK;
bool str_equals_raw(const struct python_process *process, uint64_t addr, const char *ascii);
static inline uint32_t str_character(const uint8_t *data, unsigned kind, uint64_t index)
{
    return kind == 1   ? data[index]
           : kind == 2 ? load_u16(data + 2 * index)
                       : load_u32(data + 4 * index);
}

/* ---- sequence.c: as tuple_items, without a look at the type. */
enum status tuple_items_raw(const struct python_process *process, uint64_t addr,
                            uint64_t *ret_items_addr, uint64_t *ret_count) MUST_CHECK;

#endif
