/* SPDX-License-Identifier: Apache-2.0 */
/* What an object refers to and how big it is: follows the plan of its type. */
#include "analyzer/objects/references.h"

#include <string.h>

#include "analyzer/objects/references_plan.h"
#include "inquest/base/checked_math.h"

#define LOOK_MAX    1536 /* before + reach of any plan */
#define HEAD_BYTES  16   /* reference count and type */
#define RESERVE_MAX 65536
#define ARRAY_MAX   (UINT64_C(1) << 32) /* references of one object */

const uint8_t *reference_window_open(struct reference_window *window,
                                     const struct memory_image *image, uint64_t addr, uint64_t size,
                                     bool is_lasting)
{
    uint64_t there;
    const uint8_t *bytes = memory_span(image, addr, &there);
    if (!bytes || size > there)
        return NULL;
    bool is_same_piece = addr < window->start && addr + there == window->end &&
                         bytes + (window->start - addr) == window->data;
    if (is_same_piece || is_lasting)
        *window = (struct reference_window){addr, addr + there, bytes};
    return bytes;
}

bool walk_reserve_more(struct object_walk *walk, uint64_t count)
{
    if (count > ARRAY_MAX) {
        walk_fail(walk, STATUS_CORRUPT);
        return false;
    }
    /* what is said to be there may be holes: the rest makes room as it comes */
    if (array_reserve(&walk->list->references, (size_t)min_u64(count, RESERVE_MAX)))
        return true;
    walk_fail(walk, STATUS_NO_MEMORY);
    return false;
}

bool walk_make_room(struct object_walk *walk)
{
    struct reference_list *list = walk->list;
    if (!list->take || list->references.count < RESERVE_MAX)
        return walk_reserve_more(walk, 1);
    enum status status = list->take(list, walk->addr);
    if (status != STATUS_OK)
        walk_fail(walk, status);
    return status == STATUS_OK;
}

void walk_add_array(struct object_walk *walk, uint64_t array_addr, uint64_t count,
                    enum reference_kind kind)
{
    if (!count || !walk_reserve(walk, count))
        return;
    const uint8_t *bytes = walk_view(walk, array_addr, count * 8);
    if (!bytes)
        return;
    for (uint64_t i = 0; i < count; i++)
        walk_add(walk, load_u64(bytes + 8 * i), kind, LABEL_INDEX, i);
}

uint64_t walk_read(struct object_walk *walk, uint64_t addr)
{
    uint64_t word;
    if (memory_read_u64(walk->process->image, addr, &word) == STATUS_OK)
        return word;
    walk_fail(walk, STATUS_NOT_IN_DUMP);
    return 0;
}

uint32_t walk_u32(struct object_walk *walk, uint64_t offset)
{
    uint32_t word;
    if (offset + 4 <= walk->plan->reach)
        return load_u32(walk->bytes + offset);
    if (memory_read_u32(walk->process->image, walk->addr + offset, &word) == STATUS_OK)
        return word;
    walk_fail(walk, STATUS_NOT_IN_DUMP);
    return 0;
}

bool walk_refuse(struct object_walk *walk)
{
    walk->is_refused = true;
    walk_fail(walk, STATUS_CORRUPT);
    return false;
}

static void visit_pair(struct object_walk *walk, uint64_t pair_addr, const char *label)
{
    const uint8_t *bytes = pair_addr ? walk_view(walk, pair_addr, 16) : NULL;
    if (!bytes)
        return;
    walk_add_field(walk, load_u64(bytes), walk->plan->counted, label);
    walk_add_field(walk, load_u64(bytes + 8), walk->plan->counted, label);
}

static uint64_t word_after_items(struct object_walk *walk, uint64_t offset)
{
    uint64_t after;
    if (checked_mul_add_u64(walk_field(walk, PY_var_size), walk->plan->itemsize, offset, &after))
        return walk_read(walk, walk->addr + after);
    walk_fail(walk, STATUS_CORRUPT);
    return 0;
}

static void visit_words(struct object_walk *walk)
{
    const struct reference_plan *plan = walk->plan;
    for (size_t i = 0; i < plan->word_count; i++) {
        const struct reference_word *word = &plan->words[i];
        uint64_t target = word->form == WORD_AFTER_ITEMS ? word_after_items(walk, word->offset)
                                                         : walk_u64(walk, word->offset);
        if (word->form == WORD_PAIR)
            visit_pair(walk, target, word->label);
        else
            walk_add_field(walk, target, word->kind, word->label);
    }
}

/* A borrowed view of the object, or a copy where its bytes are in several
 * pieces. */
static bool look(struct object_walk *walk, uint8_t copy[LOOK_MAX])
{
    const struct reference_plan *plan = walk->plan;
    uint64_t start = walk->addr - plan->before, size = plan->before + plan->reach;
    const uint8_t *bytes =
        reference_window_view(&walk->list->window, walk->process->image, start, size, true);
    if (!bytes && size <= LOOK_MAX &&
        memory_read(walk->process->image, start, copy, size) == STATUS_OK)
        bytes = copy;
    if (!bytes) {
        walk_fail(walk, STATUS_NOT_IN_DUMP);
        return false;
    }
    walk->bytes = bytes + plan->before;
    return true;
}

/* A type that lies could make its instances larger than what there is. */
static bool has_body(struct object_walk *walk)
{
    uint64_t size = walk->plan->basicsize;
    if (size <= SIZE_BELIEVED || memory_is_writable_all(walk->process->image, walk->addr, size))
        return true;
    walk_fail(walk, STATUS_CORRUPT);
    return false;
}

static void visit_own_type(struct object_walk *walk)
{
    const struct reference_plan *plan = walk->plan;
    if (plan->has_type)
        walk_add_field(walk, plan->type->addr, plan->type_kind, ".__class__");
}

const struct reference_plan *reference_plan_of(struct python_process *process,
                                               const struct python_type *type)
{
    struct type_entry *entry = (struct type_entry *)(uintptr_t)type; /* lives in the table */
    if (!entry->plan)
        entry->plan = reference_plan_create(process, type);
    return entry->plan;
}

enum status references_prepare(struct python_process *process, const struct python_type *type)
{
    return reference_plan_of(process, type) ? STATUS_OK : STATUS_NO_MEMORY;
}

/* A plan asks for the types of its bases, which may move the table. */
enum status references_prepare_all(struct python_process *process)
{
    const struct address_map *entries = &process->types->entries;
    for (size_t i = 0; i < entries->capacity; i++) {
        const struct type_entry *entry = entries->slots[i].value;
        size_t capacity = entries->capacity;
        if (!entry || !entry->has_objects || entry->plan)
            continue;
        if (!reference_plan_of(process, &entry->type))
            return STATUS_NO_MEMORY;
        if (entries->capacity != capacity)
            i = (size_t)-1;
    }
    return STATUS_OK;
}

enum status object_references(struct python_process *process, const struct python_type *type,
                              uint64_t addr, struct reference_list *list, uint64_t *ret_size)
{
    uint8_t copy[LOOK_MAX];
    struct object_walk walk = {
        .process = process, .plan = reference_plan_of(process, type), .addr = addr, .list = list};
    list->references.count = 0;
    if (!walk.plan)
        return STATUS_NO_MEMORY;
    bool has_size = has_body(&walk);
    if (!has_size || !look(&walk, copy)) {
        visit_own_type(&walk);
        *ret_size = walk.plan->header_size + (has_size ? walk.plan->basicsize : HEAD_BYTES);
        return walk.status;
    }
    visit_words(&walk);
    if (walk.plan->dict_form != DICT_NONE)
        visit_instance_dict(&walk);
    if (walk.plan->visit)
        walk.plan->visit(&walk);
    if (walk.plan->scan_end)
        visit_unknown(&walk);
    visit_own_type(&walk);
    *ret_size =
        walk.plan->header_size + (walk.is_refused ? walk.plan->basicsize : walk.plan->size(&walk));
    return walk.status;
}

void reference_list_deinit(struct reference_list *list)
{
    array_deinit(&list->references);
}
