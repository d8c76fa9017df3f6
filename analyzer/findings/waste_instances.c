/* SPDX-License-Identifier: Apache-2.0 */
/* What an instance's attributes take where its class has no __slots__: the word that
 * leads to the dictionary, the dictionary, and from 3.11 on the values that stand in
 * for it. __slots__ would take 8 bytes an attribute.
 *
 * OFFSET (layout)                  SIZE  MEANING
 * - (type's dictoffset)            8     up to 3.10: pointer to the dict
 * managed_dict_before_object       8     3.11 on: the dict; 3.12: or the values, tagged
 * managed_values_before_object     8     3.11: the values
 * values_prefix_before             1     3.11, 3.12: bytes in front of the values: 2 and
 *                                        one a value, up to a multiple of 8
 * values_size_before               1     3.11, 3.12: values in use
 * + (type's basicsize)             -     3.13 on: values_capacity, values_size, … and the
 *                                        values, then a byte each for their order */
#include "analyzer/findings/waste_pass.h"
#include "analyzer/objects/fields.h"
#include "analyzer/objects/references_plan.h"
#include "inquest/base/checked_math.h"

enum { FORM_NONE, FORM_POINTER, FORM_MANAGED };

#define WORD       8
#define BASES_MOST 1000 /* of a class, one above the other */

/* A dictionary that a base in C brings along (of exceptions, modules) stays. */
static bool is_of_class(const struct heap *heap, const struct python_type *type)
{
    const struct python_type *base = type;
    for (unsigned i = 0; i < BASES_MOST && base->is_heap; i++) {
        if (!base->base_addr || type_at(heap->process, base->base_addr, &base) != STATUS_OK)
            return false;
    }
    return !base->is_heap && base->dictoffset == 0;
}

/* Made by a class statement: such a type frees its instances as all classes do, or has
 * keys that they share. Up to 3.10 these go where the instances are too unlike. */
static bool is_class(const struct python_process *process, const struct python_type *type)
{
    const struct reference_facts *facts = process->types->references;
    uint64_t dealloc;
    return type_entry_of(type)->cached_keys_addr ||
           (facts && facts->class_dealloc &&
            field_u64(process, type->addr, PY_type_dealloc, &dealloc) == STATUS_OK &&
            dealloc == facts->class_dealloc);
}

/* What the keys that instances share have room for; new instances get no more. */
static uint64_t keys_room(const struct python_process *process, uint64_t keys_addr)
{
    uint64_t usable, entries;
    if (!keys_addr || field_u64(process, keys_addr, PY_keys_usable, &usable) != STATUS_OK ||
        field_u64(process, keys_addr, PY_keys_nentries, &entries) != STATUS_OK ||
        usable > UINT8_MAX || entries > UINT8_MAX)
        return 0;
    return usable + entries;
}

void instance_forms(const struct heap *heap, struct instance_waste *instances)
{
    const struct python_layout *layout = &heap->process->layout;
    uint64_t managed = layout_or(layout, PY_constant_tpflags_managed_dict, 0);
    for (size_t i = 0; i < heap->types.count; i++) {
        const struct python_type *type = heap->types.items[i];
        bool is_managed = (type->flags & managed) != 0;
        if (!type->is_heap || type->kind != KIND_UNKNOWN ||
            (!is_managed && type->dictoffset <= 0) || !is_class(heap->process, type) ||
            !is_of_class(heap, type))
            continue;
        instances[i].form = is_managed ? FORM_MANAGED : FORM_POINTER;
        instances[i].keys_room = keys_room(heap->process, type_entry_of(type)->cached_keys_addr);
    }
}

struct attributes {
    uint64_t used;  /* attributes */
    uint64_t bytes; /* that they take, without their values' objects */
};

static bool add_dict(const struct heap *heap, uint64_t dict_addr, struct attributes *attributes)
{
    uint32_t dict;
    uint64_t used;
    if (!dict_addr || !heap_map_id(heap->find.objects, dict_addr, &dict) ||
        field_u64(heap->process, dict_addr, PY_dict_used, &used) != STATUS_OK)
        return false;
    attributes->used = used;
    attributes->bytes += heap_size(heap, dict);
    return true;
}

/* 3.11, 3.12. The prefix tells up to 7 for how many values there is room; it was no
 * less than what the keys have now. */
static bool add_values(const struct heap *heap, uint64_t shared_room, uint64_t values_addr,
                       struct attributes *attributes)
{
    const struct python_process *process = heap->process;
    const struct python_layout *layout = &process->layout;
    uint8_t prefix, used;
    values_addr += layout_get(layout, PY_values_array);
    if (memory_read_u8(process->image, values_addr - layout_get(layout, PY_values_prefix_before),
                       &prefix) != STATUS_OK ||
        memory_read_u8(process->image, values_addr - layout_get(layout, PY_values_size_before),
                       &used) != STATUS_OK)
        return false;
    uint64_t least = prefix > 9 ? prefix - 9u : 0, most = prefix > 2 ? prefix - 2u : 0;
    uint64_t room = max_u64(max_u64(min_u64(shared_room, most), least), used);
    attributes->used = used;
    attributes->bytes += prefix + WORD * room;
    return true;
}

/* 3.13 on. */
static void add_inline_values(const struct heap *heap, const struct python_type *type,
                              uint64_t addr, struct attributes *attributes)
{
    const struct python_process *process = heap->process;
    const struct python_layout *layout = &process->layout;
    uint64_t values_addr = addr + (uint64_t)type->basicsize;
    uint8_t capacity, used;
    if (!(type->flags & layout_or(layout, PY_constant_tpflags_inline_values, 0)) ||
        field_u8(process, values_addr, PY_values_capacity, &capacity) != STATUS_OK ||
        field_u8(process, values_addr, PY_values_size, &used) != STATUS_OK)
        return;
    attributes->used = used;
    attributes->bytes +=
        layout_get(layout, PY_values_array) + WORD * (uint64_t)capacity + ((capacity + 7u) & ~7u);
}

static void read_managed(const struct heap *heap, uint32_t object,
                         const struct instance_waste *waste, struct attributes *attributes)
{
    const struct python_type *type = heap_type(heap, object);
    uint64_t addr = heap_address(heap, object);
    const struct python_layout *layout = &heap->process->layout;
    uint64_t tag = layout_or(layout, PY_constant_managed_values_tag, 0), word, values;
    if (pointer_at(heap->process, addr - layout_get(layout, PY_managed_dict_before_object),
                   &word) != STATUS_OK)
        return;
    attributes->bytes += WORD;
    if (word & tag) { /* 3.12 */
        add_values(heap, waste->keys_room, word + 1, attributes);
        return;
    }
    if (!tag && layout_has(layout, PY_managed_values_before_object)) { /* 3.11 */
        attributes->bytes += WORD;
        if (pointer_at(heap->process, addr - layout_get(layout, PY_managed_values_before_object),
                       &values) == STATUS_OK &&
            values && add_values(heap, waste->keys_room, values, attributes))
            return;
    }
    if (layout_has(layout, PY_values_capacity))
        add_inline_values(heap, type, addr, attributes);
    add_dict(heap, word, attributes);
}

void waste_of_instance(struct waste_pass *pass, uint32_t object)
{
    const struct heap *heap = pass->heap;
    struct instance_waste *waste = &pass->instances[heap->type[object]];
    struct attributes attributes = {0};
    uint64_t dict_addr;
    if (waste->form == FORM_MANAGED) {
        read_managed(heap, object, waste, &attributes);
    } else if (pointer_at(heap->process,
                          heap_address(heap, object) +
                              (uint64_t)heap_type(heap, object)->dictoffset,
                          &dict_addr) == STATUS_OK) {
        attributes.bytes += WORD;
        add_dict(heap, dict_addr, &attributes);
    }
    uint64_t slots;
    if (__builtin_mul_overflow(attributes.used, WORD, &slots) || slots >= attributes.bytes)
        return;
    if (!waste->count++)
        waste->example = object;
    waste->bytes += attributes.bytes - slots;
}
