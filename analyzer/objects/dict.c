/* SPDX-License-Identifier: Apache-2.0 */
/* dict objects (Include/internal/pycore_dict.h of each version).
 *
 * OFFSET (layout)         SIZE  MEANING
 * dict_used               8     entries in use
 * dict_keys               8     pointer to the keys object
 * dict_values             8     pointer to the values of a split dict, else NULL
 * of the keys object:
 * keys_size_or_log2       8, 1  slots of the index table; its logarithm from 3.11 on
 * keys_log2_index_bytes   1     logarithm of the index table's bytes, from 3.11 on
 * keys_kind               1     0 general, 1 unicode, 2 split, from 3.11 on
 * keys_nentries           8     entries after the index table, deleted ones included
 * keys_indices            -     the index table, then the entries
 * of the values:
 * values_array            -     the values, in the order of the entries
 * values_size_before      -     3.11, 3.12: count of values, a byte in front
 * values_order_before     -     3.11, 3.12: order of insertion, bytes going down
 * values_capacity         1     3.13 on: entries of the array; the order of
 *                               insertion follows the array, bytes going up
 * values_size             1     3.13 on: count of values */
#include "analyzer/objects/fields.h"
#include "analyzer/objects/kinds.h"
#include "inquest/base/checked_math.h"
#include "inquest/base/limits.h"

enum { KEYS_GENERAL, KEYS_UNICODE, KEYS_SPLIT };

/* Bytes of the index table and slots in it. */
static enum status index_table(const struct python_process *process, uint64_t keys_addr,
                               uint64_t *ret_bytes, uint64_t *ret_slots)
{
    enum status status;
    if (!layout_has(&process->layout, PY_keys_log2_index_bytes)) {
        uint64_t slots;
        status = field_u64(process, keys_addr, PY_keys_size_or_log2, &slots);
        if (status != STATUS_OK)
            return status;
        if (slots > LIMIT_DICT_ENTRIES)
            return STATUS_CORRUPT;
        uint64_t width = slots <= 0xFF ? 1 : slots <= 0xFFFF ? 2 : slots <= 0xFFFFFFFF ? 4 : 8;
        *ret_bytes = slots * width;
        *ret_slots = slots;
        return STATUS_OK;
    }
    uint8_t log2_slots, log2_bytes;
    status = field_u8(process, keys_addr, PY_keys_size_or_log2, &log2_slots);
    if (status == STATUS_OK)
        status = field_u8(process, keys_addr, PY_keys_log2_index_bytes, &log2_bytes);
    if (status != STATUS_OK)
        return status;
    if (log2_slots > 40 || log2_bytes > 44)
        return STATUS_CORRUPT;
    *ret_bytes = UINT64_C(1) << log2_bytes;
    *ret_slots = UINT64_C(1) << log2_slots;
    return STATUS_OK;
}

static void set_entry_layout(const struct python_layout *layout, bool has_hash,
                             struct dict_iterator *iterator)
{
    iterator->entry_size =
        layout_get(layout, has_hash ? PY_keys_entry_size : PY_keys_unicode_entry_size);
    iterator->key_offset =
        layout_get(layout, has_hash ? PY_keys_entry_key : PY_keys_unicode_entry_key);
    iterator->value_offset =
        layout_get(layout, has_hash ? PY_keys_entry_value : PY_keys_unicode_entry_value);
}

static enum status iterate_keys(const struct python_process *process, uint64_t keys_addr,
                                bool is_split, struct dict_iterator *iterator)
{
    uint64_t index_bytes, slots;
    uint8_t kind = KEYS_GENERAL;
    enum status status = index_table(process, keys_addr, &index_bytes, &slots);
    if (status == STATUS_OK)
        status = field_u64(process, keys_addr, PY_keys_nentries, &iterator->count);
    bool has_kind = layout_has(&process->layout, PY_keys_kind);
    if (status == STATUS_OK && has_kind)
        status = field_u8(process, keys_addr, PY_keys_kind, &kind);
    if (status != STATUS_OK)
        return status;
    if (iterator->count > slots || kind > KEYS_SPLIT ||
        (has_kind && is_split && kind != KEYS_SPLIT))
        return STATUS_CORRUPT;
    set_entry_layout(&process->layout, kind == KEYS_GENERAL, iterator);
    iterator->keys_addr = keys_addr;
    iterator->entries_addr =
        keys_addr + layout_get(&process->layout, PY_keys_indices) + index_bytes;
    iterator->entries =
        view_at(process, iterator->entries_addr, iterator->count * iterator->entry_size);
    return STATUS_OK;
}

/* From 3.13 on, a header says the capacity; the order follows the array. */
static enum status values_with_header(const struct python_process *process, uint64_t values_addr,
                                      struct dict_iterator *iterator)
{
    uint8_t capacity, size;
    enum status status = field_u8(process, values_addr, PY_values_capacity, &capacity);
    if (status == STATUS_OK)
        status = field_u8(process, values_addr, PY_values_size, &size);
    if (status != STATUS_OK)
        return status;
    if (size > capacity)
        return STATUS_CORRUPT;
    iterator->values_addr = values_addr + layout_get(&process->layout, PY_values_array);
    iterator->count = min_u64(iterator->count, capacity);
    iterator->order_addr = iterator->values_addr + 8 * (uint64_t)capacity;
    iterator->order_count = size;
    return STATUS_OK;
}

/* Up to 3.10 a bare array in order of insertion; in 3.11 and 3.12 the order is
 * in front of it. */
static enum status values_without_header(const struct python_process *process, uint64_t values_addr,
                                         struct dict_iterator *iterator)
{
    const struct python_layout *layout = &process->layout;
    iterator->values_addr = values_addr + layout_or(layout, PY_values_array, 0);
    if (!layout_has(layout, PY_values_order_before))
        return STATUS_OK;
    uint8_t size;
    enum status status = memory_read_u8(
        process->image, iterator->values_addr - layout_get(layout, PY_values_size_before), &size);
    if (status != STATUS_OK)
        return status;
    iterator->order_addr = iterator->values_addr - layout_get(layout, PY_values_order_before);
    iterator->order_count = size;
    iterator->order_descends = true;
    return STATUS_OK;
}

enum status dict_iterate_values(const struct python_process *process, uint64_t keys_addr,
                                uint64_t values_addr, struct dict_iterator *ret_iterator)
{
    struct dict_iterator iterator = {0};
    enum status status = iterate_keys(process, keys_addr, true, &iterator);
    if (status == STATUS_OK)
        status = layout_has(&process->layout, PY_values_capacity)
                     ? values_with_header(process, values_addr, &iterator)
                     : values_without_header(process, values_addr, &iterator);
    if (status == STATUS_OK)
        *ret_iterator = iterator;
    return status;
}

enum status dict_iterate_raw(const struct python_process *process, uint64_t dict_addr,
                             struct dict_iterator *ret_iterator)
{
    uint64_t keys_addr, values_addr;
    enum status status = field_u64(process, dict_addr, PY_dict_keys, &keys_addr);
    if (status == STATUS_OK)
        status = field_u64(process, dict_addr, PY_dict_values, &values_addr);
    if (status != STATUS_OK)
        return status;
    if (values_addr)
        return dict_iterate_values(process, keys_addr, values_addr, ret_iterator);
    struct dict_iterator iterator = {0};
    status = iterate_keys(process, keys_addr, false, &iterator);
    if (status == STATUS_OK)
        *ret_iterator = iterator;
    return status;
}

static enum status entry_index(const struct python_process *process,
                               const struct dict_iterator *iterator, uint64_t *ret_index)
{
    uint8_t index;
    if (!iterator->order_addr) {
        *ret_index = iterator->next;
        return STATUS_OK;
    }
    uint64_t addr = iterator->order_descends ? iterator->order_addr - iterator->next
                                             : iterator->order_addr + iterator->next;
    enum status status = memory_read_u8(process->image, addr, &index);
    if (status != STATUS_OK)
        return status;
    *ret_index = index;
    return index < iterator->count ? STATUS_OK : STATUS_CORRUPT;
}

static enum status entry_word(const struct python_process *process,
                              const struct dict_iterator *iterator, uint64_t offset,
                              uint64_t *ret_word)
{
    if (iterator->entries) {
        *ret_word = load_u64(iterator->entries + offset);
        return STATUS_OK;
    }
    return pointer_at(process, iterator->entries_addr + offset, ret_word);
}

static enum status entry_read(const struct python_process *process,
                              const struct dict_iterator *iterator, uint64_t index,
                              uint64_t *ret_key, uint64_t *ret_value)
{
    uint64_t offset = index * iterator->entry_size;
    enum status status =
        iterator->values_addr
            ? pointer_at(process, iterator->values_addr + 8 * index, ret_value)
            : entry_word(process, iterator, offset + iterator->value_offset, ret_value);
    if (status != STATUS_OK || !*ret_value)
        return status;
    status = entry_word(process, iterator, offset + iterator->key_offset, ret_key);
    return status == STATUS_OK && !*ret_key ? STATUS_CORRUPT : status;
}

bool dict_next_raw(const struct python_process *process, struct dict_iterator *iterator,
                   uint64_t *ret_key, uint64_t *ret_value, enum status *ret_status)
{
    uint64_t end = iterator->order_addr ? iterator->order_count : iterator->count;
    uint64_t index, key, value;
    *ret_status = STATUS_OK;
    while (iterator->next < end) {
        enum status status = entry_index(process, iterator, &index);
        if (status == STATUS_OK)
            status = entry_read(process, iterator, index, &key, &value);
        iterator->next++;
        if (status != STATUS_OK) {
            *ret_status = status;
            iterator->next = end;
            return false;
        }
        if (value) {
            *ret_key = key;
            *ret_value = value;
            return true;
        }
    }
    return false;
}

enum status dict_find(const struct python_process *process, struct dict_iterator *iterator,
                      const char *key, uint64_t *ret_value)
{
    uint64_t found_key, value;
    enum status status;
    while (dict_next_raw(process, iterator, &found_key, &value, &status)) {
        if (str_equals_raw(process, found_key, key)) {
            *ret_value = value;
            return STATUS_OK;
        }
    }
    return status == STATUS_OK ? STATUS_NOT_IN_DUMP : status;
}

enum status dict_get_raw(const struct python_process *process, uint64_t dict_addr, const char *key,
                         uint64_t *ret_value)
{
    struct dict_iterator iterator;
    enum status status = dict_iterate_raw(process, dict_addr, &iterator);
    return status == STATUS_OK ? dict_find(process, &iterator, key, ret_value) : status;
}

static enum status must_be_dict(struct python_process *process, uint64_t addr)
{
    const struct python_type *type;
    enum status status = object_type(process, addr, &type);
    if (status == STATUS_OK && !kind_is_dict(type->kind))
        status = STATUS_CORRUPT;
    return status;
}

enum status dict_iterate(struct python_process *process, uint64_t dict_addr,
                         struct dict_iterator *ret_iterator)
{
    enum status status = must_be_dict(process, dict_addr);
    return status == STATUS_OK ? dict_iterate_raw(process, dict_addr, ret_iterator) : status;
}

bool dict_next(struct python_process *process, struct dict_iterator *iterator, uint64_t *ret_key,
               uint64_t *ret_value, enum status *ret_status)
{
    return dict_next_raw(process, iterator, ret_key, ret_value, ret_status);
}

enum status dict_count(struct python_process *process, uint64_t dict_addr, uint64_t *ret_used)
{
    uint64_t used;
    enum status status = must_be_dict(process, dict_addr);
    if (status == STATUS_OK)
        status = field_u64(process, dict_addr, PY_dict_used, &used);
    if (status == STATUS_OK && used > LIMIT_DICT_ENTRIES)
        status = STATUS_CORRUPT;
    if (status == STATUS_OK)
        *ret_used = used;
    return status;
}

enum status dict_get(struct python_process *process, uint64_t dict_addr, const char *key,
                     uint64_t *ret_value)
{
    enum status status = must_be_dict(process, dict_addr);
    return status == STATUS_OK ? dict_get_raw(process, dict_addr, key, ret_value) : status;
}
