/* SPDX-License-Identifier: Apache-2.0 */
/* The dictionary of an instance, or the values that stand for it while nobody has
 * asked for one (Include/internal/pycore_object.h, PyObject_VisitManagedDict).
 *
 * OFFSET (layout)               SIZE  MEANING
 * - managed_values_before_...   8     3.11: pointer to the values, NULL where there is a dict
 * - managed_dict_before_object  8     the dict; 3.12: or the values, tagged
 * + type_basicsize              -     3.13 on, types of inline values: the values; while they
 *                                     are valid, a dict of the instance shares them and owns
 *                                     none. Who of the two visits them depends on the release */
#include "analyzer/objects/references_plan.h"
#include "inquest/base/checked_math.h"

static void add_dict(struct object_walk *walk, uint64_t dict_addr, enum reference_kind kind)
{
    walk_add_field(walk, dict_addr, kind, ".__dict__");
}

/* Values are in the order of the keys that the instances of the type share. */
static void add_values(struct object_walk *walk, uint64_t array_addr, uint64_t count)
{
    const struct reference_plan *plan = walk->plan;
    const uint8_t *bytes = count ? walk_view(walk, array_addr, count * 8) : NULL;
    if (!bytes || !walk_reserve(walk, count))
        return;
    for (uint64_t i = 0; i < count; i++)
        walk_add(walk, load_u64(bytes + 8 * i), plan->dict_kind,
                 i < plan->key_count ? LABEL_ATTRIBUTE : LABEL_NONE,
                 i < plan->key_count ? plan->key_names[i] : 0);
}

static void visit_dict_at_end(struct object_walk *walk)
{
    const struct reference_plan *plan = walk->plan;
    int64_t count = (int64_t)walk_field(walk, PY_var_size);
    uint64_t items = count < 0 ? -(uint64_t)count : (uint64_t)count, size;
    if (!checked_mul_u64(items, plan->itemsize, &size) || size > (UINT64_C(1) << 47)) {
        walk_fail(walk, STATUS_CORRUPT);
        return;
    }
    size = (size + plan->basicsize + 7) & ~UINT64_C(7);
    add_dict(walk, walk_read(walk, walk->addr + size + (uint64_t)plan->dictoffset),
             plan->dict_kind);
}

static void visit_dict_or_values(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t values_addr =
        load_u64(walk->bytes - layout_get(layout, PY_managed_values_before_object));
    if (values_addr)
        add_values(walk, values_addr + layout_get(layout, PY_values_array), walk->plan->key_count);
    add_dict(walk, load_u64(walk->bytes - layout_get(layout, PY_managed_dict_before_object)),
             walk->plan->dict_kind);
}

static void visit_tagged(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t word = load_u64(walk->bytes - layout_get(layout, PY_managed_dict_before_object));
    if (word & layout_or(layout, PY_constant_managed_values_tag, 0))
        add_values(walk, word + 1 + layout_get(layout, PY_values_array), walk->plan->key_count);
    else
        add_dict(walk, word, walk->plan->dict_kind);
}

static void visit_inline_values(struct object_walk *walk, uint64_t dict_addr)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t values_addr = walk->addr + walk->plan->basicsize;
    uint64_t array = layout_get(layout, PY_values_array);
    const uint8_t *head = walk_view(walk, values_addr, array);
    if (!head)
        return;
    if (!head[layout_get(layout, PY_values_valid)] || (dict_addr && walk->plan->visits_own_dict)) {
        add_dict(walk, dict_addr, walk->plan->dict_kind);
        return;
    }
    add_values(walk, values_addr + array, head[layout_get(layout, PY_values_capacity)]);
    add_dict(walk, dict_addr, REFERENCE_HIDDEN);
}

void visit_instance_dict(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    switch ((enum dict_form)walk->plan->dict_form) {
    case DICT_NONE: return;
    case DICT_AT_END: visit_dict_at_end(walk); return;
    case DICT_OR_VALUES: visit_dict_or_values(walk); return;
    case DICT_TAGGED: visit_tagged(walk); return;
    case DICT_MANAGED:
    case DICT_INLINE_VALUES: break;
    }
    uint64_t dict_addr = load_u64(walk->bytes - layout_get(layout, PY_managed_dict_before_object));
    if (walk->plan->dict_form == DICT_INLINE_VALUES)
        visit_inline_values(walk, dict_addr);
    else
        add_dict(walk, dict_addr, walk->plan->dict_kind);
}
