/* SPDX-License-Identifier: Apache-2.0 */
/* __slots__: a class statement leaves a member for each behind the type object.
 *
 * OFFSET (layout)     SIZE  MEANING
 * type_members        8     pointer to the members of the type
 * of a member of memberdef_size bytes:
 * memberdef_name      8     pointer to a C string
 * memberdef_type      4     6 or 16: an object, the latter not to be read while NULL
 * memberdef_offset    8     where in the instance its address is
 * memberdef_flags     4     16: behind the items, of a tuple's subclass (3.15 on) */
#include <string.h>

#include "analyzer/objects/class_shape.h"
#include "inquest/base/checked_math.h"

#define MEMBER_OBJECT    6
#define MEMBER_OBJECT_EX 16
#define AFTER_ITEMS      16
#define SLOTS_MAX        4096
#define BASES_MAX        256

struct slot_list {
    ARRAY(struct class_slot) members; /* of one class, in the order of the type object */
    ARRAY(struct class_slot) slots;   /* of all, as they are to be shown */
};

static const char *member_name(struct python_process *process, uint64_t member_addr)
{
    uint64_t name_addr;
    struct text text;
    const char *name = NULL;
    text_init(&text);
    if (field_u64(process, member_addr, PY_memberdef_name, &name_addr) == STATUS_OK &&
        memory_read_c_string(process->image, name_addr, &text) == STATUS_OK)
        name = arena_strndup(process->arena, text_string(&text), text.size);
    text_deinit(&text);
    return name;
}

static bool read_member(struct python_process *process, uint64_t member_addr,
                        struct class_slot *ret_slot)
{
    uint32_t type, flags = 0;
    bool is_read =
        field_u32(process, member_addr, PY_memberdef_type, &type) == STATUS_OK &&
        (type == MEMBER_OBJECT || type == MEMBER_OBJECT_EX) &&
        field_u64(process, member_addr, PY_memberdef_offset, &ret_slot->offset) == STATUS_OK &&
        field_u32(process, member_addr, PY_memberdef_flags, &flags) == STATUS_OK &&
        (ret_slot->name = member_name(process, member_addr)) != NULL;
    ret_slot->is_after_items = flags & AFTER_ITEMS;
    return is_read;
}

enum status class_slot_value(struct python_process *process, const struct python_type *type,
                             uint64_t addr, const struct class_slot *slot, uint64_t *ret_value)
{
    int64_t items = 0;
    uint64_t offset = slot->offset;
    enum status status = slot->is_after_items ? object_size(process, addr, &items) : STATUS_OK;
    if (status == STATUS_OK && items &&
        (items < 0 ||
         !checked_mul_add_u64((uint64_t)items, (uint64_t)type->itemsize, slot->offset, &offset)))
        status = STATUS_CORRUPT;
    return status == STATUS_OK ? pointer_at(process, addr + offset, ret_value) : status;
}

static void read_members(struct python_process *process, const struct type_entry *entry,
                         struct slot_list *list)
{
    uint64_t items_addr, count, members_addr;
    struct class_slot slot;
    list->members.count = 0;
    if (tuple_items_raw(process, entry->slots_addr, &items_addr, &count) != STATUS_OK ||
        count > SLOTS_MAX ||
        field_u64(process, entry->type.addr, PY_type_members, &members_addr) != STATUS_OK)
        return;
    uint64_t size = layout_get(&process->layout, PY_memberdef_size);
    for (uint64_t i = 0; i < count; i++)
        if (read_member(process, members_addr + i * size, &slot) &&
            !array_push(&list->members, slot))
            return;
}

/* A name that a base has already keeps its place; the member is the newer one. */
static bool take_member(struct slot_list *list, struct class_slot *member)
{
    struct class_slot taken = *member;
    member->name = NULL;
    for (size_t i = 0; i < list->slots.count; i++) {
        if (strcmp(list->slots.items[i].name, taken.name) == 0) {
            list->slots.items[i] = taken;
            return true;
        }
    }
    return list->slots.count < SLOTS_MAX && array_push(&list->slots, taken);
}

/* Whether `member` is what the compiler makes of `name` in class `class_name`:
 * "__x" in "_C" is "_C__x". */
static bool is_mangled(const char *member, const char *name, const char *class_name)
{
    size_t size = strlen(name);
    if (strcmp(member, name) == 0)
        return true;
    class_name += strspn(class_name, "_");
    size_t class_size = strlen(class_name);
    if (strncmp(name, "__", 2) != 0 || strcmp(name + size - 2, "__") == 0 || !class_size)
        return false;
    return member[0] == '_' && strncmp(member + 1, class_name, class_size) == 0 &&
           strcmp(member + 1 + class_size, name) == 0;
}

static void take_named(struct python_process *process, const struct type_entry *entry,
                       uint64_t name_addr, struct slot_list *list)
{
    const char *name;
    if (str_name(process, name_addr, &name) != STATUS_OK)
        return;
    for (size_t i = 0; i < list->members.count; i++) {
        struct class_slot *member = &list->members.items[i];
        if (member->name && is_mangled(member->name, name, entry->type.short_name) &&
            !take_member(list, member))
            return;
    }
}

/* The type object has its members sorted; __slots__ has them as they were written. */
static void take_in_written_order(struct python_process *process, const struct type_entry *entry,
                                  struct slot_list *list)
{
    uint64_t written_addr, items_addr, count, name_addr, value;
    struct dict_iterator iterator;
    enum status status;
    if (dict_get_raw(process, entry->dict_addr, "__slots__", &written_addr) != STATUS_OK)
        return;
    if (tuple_items(process, written_addr, &items_addr, &count) == STATUS_OK ||
        list_items(process, written_addr, &items_addr, &count) == STATUS_OK) {
        for (uint64_t i = 0; i < count && i < SLOTS_MAX; i++)
            if (pointer_at(process, items_addr + 8 * i, &name_addr) == STATUS_OK)
                take_named(process, entry, name_addr, list);
    } else if (dict_iterate(process, written_addr, &iterator) == STATUS_OK) {
        for (uint64_t i = 0; i < SLOTS_MAX; i++)
            if (dict_next(process, &iterator, &name_addr, &value, &status))
                take_named(process, entry, name_addr, list);
    }
}

static void take_class(struct python_process *process, const struct type_entry *entry,
                       struct slot_list *list)
{
    if (!entry->type.is_heap || !entry->slots_addr)
        return;
    read_members(process, entry, list);
    if (list->members.count > 1)
        take_in_written_order(process, entry, list);
    for (size_t i = 0; i < list->members.count; i++)
        if (list->members.items[i].name && !take_member(list, &list->members.items[i]))
            return;
}

void class_slots_read(struct python_process *process, const struct type_entry *entry,
                      struct class_shape *shape)
{
    const struct type_entry *line[BASES_MAX];
    const struct python_type *base = &entry->type;
    struct slot_list list = {0};
    size_t count = 0;
    do
        line[count++] = type_entry_of(base);
    while (count < BASES_MAX && base->base_addr &&
           type_at(process, base->base_addr, &base) == STATUS_OK);
    while (count-- > 0)
        take_class(process, line[count], &list);
    struct class_slot *slots = arena_alloc(process->arena, list.slots.count * sizeof *slots);
    if (slots && list.slots.count) {
        memcpy(slots, list.slots.items, list.slots.count * sizeof *slots);
        shape->slots = slots;
        shape->slot_count = list.slots.count;
    }
    array_deinit(&list.slots);
    array_deinit(&list.members);
}
