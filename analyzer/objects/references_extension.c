/* SPDX-License-Identifier: Apache-2.0 */
/* References that extension modules of the standard library keep outside of the
 * object, each in its own way. Offsets within an object unless said otherwise.
 *
 * functools._lru_cache_wrapper  24 the first link, itself at the end; of a link: 24 the
 *   (_functoolsmodule.c)        next, 40 key, 48 result
 * _pickle.Pickler (_pickle.c)   16 pointer to the memo: 16 entries, 24 pointer to pairs of a
 *                               key and a number
 * _pickle.Unpickler             24 pointer to the memo's objects, 32 how many
 * _pickle.Pdata                 16 items, 24 pointer to them
 * _queue.SimpleQueue            32 index of the first item, 40 pointer to a ring, 48 its
 *   (_queuemodule.c), 3.13 on   length, 56 items
 * Element (_elementtree.c)      40 pointer to: 0 attributes, 8 children, 24 pointer to them
 * its iterators                 16 pointer to pairs of a parent and a number, 24 how many
 * xmlparser (pyexpat.c)         last word: pointer to the handlers
 * sqlite3.Cache (3.10)          40 the first node; of a node: 48 the next */
#include "analyzer/objects/references_plan.h"
#include "inquest/base/cycle_guard.h"

#define COUNT_MAX    (UINT64_C(1) << 32)
#define XML_HANDLERS 22

void visit_lru_cache(struct object_walk *walk)
{
    bool visits_type = layout_minor(&walk->process->layout) >= 10;
    uint64_t link_addr = walk_u64(walk, 24);
    struct cycle_guard guard = {0};
    while (link_addr != walk->addr) {
        const uint8_t *link =
            cycle_guard_step(&guard, link_addr) ? walk_view(walk, link_addr, 56) : NULL;
        if (!link) {
            walk_fail(walk, STATUS_CORRUPT);
            return;
        }
        walk_add_field(walk, link_addr, REFERENCE_HIDDEN, ".<link>");
        walk_add_field(walk, load_u64(link + 40), walk->plan->counted, ".<key>");
        walk_add_field(walk, load_u64(link + 48), walk->plan->counted, ".<result>");
        if (visits_type)
            walk_add_field(walk, load_u64(link + 8), walk->plan->counted, ".<link_type>");
        link_addr = load_u64(link + 24);
    }
}

static enum reference_kind memo_kind(struct object_walk *walk)
{
    bool is_visited = release_has(&walk->process->layout, CHANGE_PICKLE_MEMO_VISITED);
    return is_visited ? walk->plan->counted : (enum reference_kind)REFERENCE_HIDDEN;
}

void visit_pickler(struct object_walk *walk)
{
    uint64_t memo_addr = walk_u64(walk, 16);
    const uint8_t *memo = memo_addr ? walk_view(walk, memo_addr, 32) : NULL;
    if (!memo)
        return;
    uint64_t count = load_u64(memo + 16), pairs_addr = load_u64(memo + 24);
    if (!pairs_addr || !count)
        return;
    const uint8_t *pairs = walk_view(walk, pairs_addr, count > COUNT_MAX ? 0 : 16 * count);
    for (uint64_t i = 0; pairs && i < count; i++)
        walk_add_field(walk, load_u64(pairs + 16 * i), memo_kind(walk), ".<memo>");
}

void visit_unpickler(struct object_walk *walk)
{
    uint64_t memo_addr = walk_u64(walk, 24);
    if (memo_addr)
        walk_add_array(walk, memo_addr, walk_u64(walk, 32), memo_kind(walk));
}

void visit_pickle_data(struct object_walk *walk)
{
    walk_add_array(walk, walk_u64(walk, 24), walk_u64(walk, 16), REFERENCE_HIDDEN);
}

void visit_simple_queue(struct object_walk *walk)
{
    uint64_t first = walk_u64(walk, 32), length = walk_u64(walk, 48), count = walk_u64(walk, 56);
    if (!count)
        return;
    if (length > COUNT_MAX || count > length || first >= length) {
        walk_fail(walk, STATUS_CORRUPT);
        return;
    }
    const uint8_t *items = walk_view(walk, walk_u64(walk, 40), 8 * length);
    for (uint64_t i = 0; items && i < count; i++)
        walk_add(walk, load_u64(items + 8 * ((first + i) % length)), walk->plan->counted,
                 LABEL_INDEX, i);
}

void visit_element(struct object_walk *walk)
{
    uint64_t extra_addr = walk_u64(walk, 40);
    const uint8_t *extra = extra_addr ? walk_view(walk, extra_addr, 32) : NULL;
    if (!extra)
        return;
    walk_add_field(walk, load_u64(extra), walk->plan->counted, ".attrib");
    walk_add_array(walk, load_u64(extra + 24), load_u64(extra + 8), walk->plan->counted);
}

void visit_element_iterator(struct object_walk *walk)
{
    uint64_t count = walk_u64(walk, 24);
    if (!count)
        return;
    const uint8_t *pairs = walk_view(walk, walk_u64(walk, 16), count > COUNT_MAX ? 0 : 16 * count);
    for (uint64_t i = 0; pairs && i < count; i++)
        walk_add_field(walk, load_u64(pairs + 16 * i), walk->plan->counted, ".<parent>");
}

void visit_xml_parser(struct object_walk *walk)
{
    uint64_t handlers_addr = walk_u64(walk, walk->plan->row_basicsize - 8);
    if (handlers_addr)
        walk_add_array(walk, handlers_addr, XML_HANDLERS, walk->plan->counted);
}

void visit_sqlite_cache(struct object_walk *walk)
{
    uint64_t node_addr = walk_u64(walk, 40);
    struct cycle_guard guard = {0};
    while (node_addr && walk->status == STATUS_OK) {
        if (!cycle_guard_step(&guard, node_addr)) {
            walk_fail(walk, STATUS_CORRUPT);
            return;
        }
        walk_add_field(walk, node_addr, walk->plan->counted, ".<node>");
        node_addr = walk_read(walk, node_addr + 48);
    }
}

/* datetime and time: a byte says whether there is room for one. */
void visit_time_zone(struct object_walk *walk)
{
    bool is_time = walk->plan->type->kind == KIND_TIME;
    uint8_t has_zone;
    enum python_field flag = is_time ? PY_time_has_tzinfo : PY_datetime_has_tzinfo;
    if (field_u8(walk->process, walk->addr, flag, &has_zone) != STATUS_OK || !has_zone)
        return;
    walk_add_field(walk, walk_field(walk, is_time ? PY_time_tzinfo : PY_datetime_tzinfo),
                   walk->plan->counted, ".tzinfo");
}
