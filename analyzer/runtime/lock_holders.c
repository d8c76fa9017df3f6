/* SPDX-License-Identifier: Apache-2.0 */
/* A `with` statement keeps on the evaluation stack, until it ends,
 *   up to 3.13   the bound exit method: a method, or a builtin with its self
 *   from 3.14 on the exit function and, in the next word, the object
 * Source: WITH statements in Python/compile.c (codegen.c), Python/bytecodes.c. */
#include "analyzer/runtime/lock_holders.h"

#include <string.h>

#include "analyzer/objects/fields.h"
#include "inquest/base/partition_point.h"

#define WORDS_MAX   4096u
#define METHODS_MAX 64

static bool is_exit_name(const char *name)
{
    return !strcmp(name, "__exit__") || !strcmp(name, "__aexit__");
}

static bool field_is_exit(struct python_process *process, uint64_t addr, enum python_field field)
{
    uint64_t name_addr;
    const char *name;
    return object_pointer(process, addr, field, &name_addr) == STATUS_OK && name_addr &&
           str_name(process, name_addr, &name) == STATUS_OK && is_exit_name(name);
}

/* The name of a builtin is read-only data, which a core may lack; of a lock's
 * methods only its exit stays on a stack. */
static bool builtin_is_exit(struct python_process *process, uint64_t addr, uint64_t self_addr)
{
    uint64_t def_addr, chars_addr;
    struct text name = {0};
    const struct python_type *type;
    if (object_pointer(process, addr, PY_cfunction_def, &def_addr) == STATUS_OK &&
        object_pointer(process, def_addr, PY_methoddef_name, &chars_addr) == STATUS_OK &&
        memory_read_c_string(process->image, chars_addr, &name) == STATUS_OK && text_ok(&name)) {
        bool is_exit = is_exit_name(text_string(&name));
        text_deinit(&name);
        return is_exit;
    }
    text_deinit(&name);
    return object_type(process, self_addr, &type) == STATUS_OK &&
           (type->kind == KIND_LOCK || type->kind == KIND_RLOCK);
}

/* What a frame left on its stack may be freed; a free block begins with a pointer. */
static bool is_alive(const struct python_process *process, uint64_t addr)
{
    uint64_t count;
    return field_u64(process, addr, PY_object_refcnt, &count) == STATUS_OK && count &&
           count <= INT32_MAX;
}

/* The object that the exit method at `addr` is bound to, 0: no such method. */
static uint64_t bound_exit(struct python_process *process, const struct python_type *type,
                           uint64_t addr)
{
    uint64_t function_addr, self_addr;
    if ((type->kind != KIND_METHOD && type->kind != KIND_BUILTIN) || !is_alive(process, addr))
        return 0;
    if (type->kind == KIND_METHOD)
        return object_pointer(process, addr, PY_method_function, &function_addr) == STATUS_OK &&
                       object_pointer(process, addr, PY_method_self, &self_addr) == STATUS_OK &&
                       field_is_exit(process, function_addr, PY_function_name)
                   ? self_addr
                   : 0;
    if (type->kind == KIND_BUILTIN)
        return object_pointer(process, addr, PY_cfunction_self, &self_addr) == STATUS_OK &&
                       self_addr && builtin_is_exit(process, addr, self_addr)
                   ? self_addr
                   : 0;
    return 0;
}

/* From 3.14 on: whether the object is an exit function that its self follows. */
static bool is_exit_function(struct python_process *process, const struct python_type *type,
                             uint64_t addr)
{
    if (!layout_has(&process->layout, PY_constant_stackref_tag_mask))
        return false;
    if (type->kind == KIND_FUNCTION)
        return field_is_exit(process, addr, PY_function_name);
    return type->kind == KIND_UNKNOWN && !strcmp(type->name, "method_descriptor") &&
           field_is_exit(process, addr, PY_descr_name);
}

static enum status add(struct held_objects *held, uint64_t addr, size_t holder)
{
    struct held_object item = {addr, holder, 1};
    return array_push(&held->items, item) ? STATUS_OK : STATUS_NO_MEMORY;
}

/* A Condition is held through its lock. */
static enum status add_with_lock(struct held_objects *held, struct python_process *process,
                                 uint64_t addr, size_t holder)
{
    const struct python_type *type, *lock_type;
    uint64_t lock_addr;
    enum status status = add(held, addr, holder);
    if (status == STATUS_OK && object_type(process, addr, &type) == STATUS_OK &&
        type->kind == KIND_UNKNOWN && type->is_heap &&
        instance_attribute(process, addr, "_lock", &lock_addr) == STATUS_OK && lock_addr != addr &&
        object_type(process, lock_addr, &lock_type) == STATUS_OK &&
        (lock_type->kind == KIND_LOCK || lock_type->kind == KIND_RLOCK ||
         lock_type->kind == KIND_UNKNOWN))
        status = add(held, lock_addr, holder);
    return status;
}

/* Each `with` statement has a bound method of its own: the same one again is a copy. */
struct seen_methods {
    uint64_t addrs[METHODS_MAX];
    size_t count;
};

static bool is_new(struct seen_methods *seen, uint64_t addr)
{
    for (size_t i = 0; i < seen->count; i++)
        if (seen->addrs[i] == addr)
            return false;
    if (seen->count < METHODS_MAX)
        seen->addrs[seen->count++] = addr;
    return true;
}

enum status held_objects_add(struct held_objects *held, struct python_process *process,
                             const struct frame_fact *frame, size_t holder, bool any_word)
{
    uint64_t addr, end_addr, word;
    uint32_t slots;
    enum status status = STATUS_OK;
    bool next_is_self = false;
    struct seen_methods seen = {.count = 0};
    if (!frame_live_stack(process, frame, &addr, &end_addr)) {
        slots = any_word ? frame_slots(process, frame, &addr) : 0;
        if (!slots)
            return STATUS_OK;
        end_addr = addr + 8 * (uint64_t)slots;
        addr += 8 * (uint64_t)frame->code->variable_count;
    }
    if (end_addr - addr > 8 * WORDS_MAX)
        end_addr = addr + 8 * WORDS_MAX;
    for (; addr < end_addr && status == STATUS_OK; addr += 8) {
        const struct python_type *type;
        if (memory_read_u64(process->image, addr, &word) != STATUS_OK)
            return STATUS_OK;
        uint64_t object_addr = frame_untag(process, word);
        if (!object_addr || object_type(process, object_addr, &type) != STATUS_OK) {
            next_is_self = false;
            continue;
        }
        uint64_t self_addr = next_is_self ? object_addr : bound_exit(process, type, object_addr);
        if (self_addr && (next_is_self || is_new(&seen, object_addr)))
            status = add_with_lock(held, process, self_addr, holder);
        next_is_self = !next_is_self && is_exit_function(process, type, object_addr);
    }
    return status;
}

static int compare(const void *left, const void *right)
{
    const struct held_object *a = left, *b = right;
    if (a->addr != b->addr)
        return a->addr < b->addr ? -1 : 1;
    return a->holder < b->holder ? -1 : a->holder > b->holder;
}

void held_objects_sort(struct held_objects *held)
{
    size_t kept = 0;
    struct held_object *items = held->items.items;
    if (held->items.count)
        qsort(items, held->items.count, sizeof *items, compare);
    for (size_t i = 0; i < held->items.count; i++) {
        if (kept && !compare(&items[kept - 1], &items[i]))
            items[kept - 1].count += items[i].count;
        else
            items[kept++] = items[i];
    }
    held->items.count = kept;
}

const struct held_object *held_objects_find(const struct held_objects *held, uint64_t addr,
                                            size_t *ret_count)
{
    size_t low, count = 0;
    PARTITION_POINT(low, held->items.count, held->items.items[low].addr < addr);
    while (low + count < held->items.count && held->items.items[low + count].addr == addr)
        count++;
    *ret_count = count;
    return count ? &held->items.items[low] : NULL;
}

void held_objects_deinit(struct held_objects *held)
{
    if (held)
        array_deinit(&held->items);
}
