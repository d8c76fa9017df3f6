/* SPDX-License-Identifier: Apache-2.0 */
/* References of types that no row knows: aligned words that are addresses of what
 * looks like an object. Whoever knows all objects of the heap can tell better. */
#include "analyzer/objects/references_plan.h"

#include "inquest/base/checked_math.h"

#define METATYPES_MAX 4
#define SCAN_MAX      (UINT64_C(1) << 24) /* bytes of one object */

/* Whether the chain of metatypes from `type_addr` ends at the type of types. */
static bool looks_like_type(const struct python_process *process, uint64_t type_addr)
{
    uint64_t root_addr = process->types->root_addr, flags;
    uint64_t ready = layout_or(&process->layout, PY_constant_tpflags_ready, 0);
    if (type_addr & 7 || field_u64(process, type_addr, PY_type_flags, &flags) != STATUS_OK ||
        !(flags & ready))
        return false;
    for (unsigned i = 0; i < METATYPES_MAX; i++) {
        if (type_addr == root_addr)
            return true;
        if (field_u64(process, type_addr, PY_object_type, &type_addr) != STATUS_OK || type_addr & 7)
            return false;
    }
    return false;
}

bool looks_like_object(const struct python_process *process, uint64_t addr)
{
    uint64_t type_addr, refcount;
    if (addr & 7 || !memory_is_writable(process->image, addr) ||
        field_u64(process, addr, PY_object_refcnt, &refcount) != STATUS_OK || !refcount ||
        field_u64(process, addr, PY_object_type, &type_addr) != STATUS_OK)
        return false;
    return looks_like_type(process, type_addr);
}

static bool is_known(const struct reference_plan *plan, uint64_t offset)
{
    for (size_t i = 0; i < plan->word_count; i++)
        if (plan->words[i].offset == offset)
            return true;
    return plan->dictoffset > 0 && (uint64_t)plan->dictoffset == offset;
}

void visit_unknown(struct object_walk *walk)
{
    const struct reference_plan *plan = walk->plan;
    uint64_t end = plan->scan_end, there;
    if (plan->is_scanned_to_end && plan->itemsize) {
        uint64_t count = walk_field(walk, PY_var_size), more;
        if (checked_mul_u64(count, plan->itemsize, &more) && more <= SCAN_MAX)
            end += more;
        else
            walk_fail(walk, STATUS_CORRUPT);
    }
    const uint8_t *bytes = memory_span(walk->process->image, walk->addr, &there);
    if (!bytes || there < end) {
        walk_fail(walk, STATUS_NOT_IN_DUMP);
        end = bytes ? there : 0;
    }
    if (end && !walk_spend(walk, end))
        return;
    for (uint64_t offset = plan->scan_start; offset + 8 <= end; offset += 8) {
        uint64_t target = load_u64(bytes + offset);
        if (target && !is_known(plan, offset) && looks_like_object(walk->process, target))
            walk_add(walk, target, REFERENCE_INFERRED, LABEL_NONE, 0);
    }
}
