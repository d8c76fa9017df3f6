/* SPDX-License-Identifier: Apache-2.0 */
/* The garbage collector's own state, and so why garbage is still there
 * (Include/internal/pycore_gc.h; pycore_pymem.h in 3.8, pycore_interp_structs.h from
 * 3.14 on).
 *
 * OFFSET (layout)               SIZE  MEANING
 * gc_enabled                    4     gc.isenabled()
 * gc_debug                      4     gc.get_debug()
 * gc_generations                -     3 of gc_generation_size: head of the list, threshold
 *                                     and count (4 bytes each)
 * gc_permanent                  -     the same of what gc.freeze() took out
 * gc_collecting                 4     1 while it runs
 * gc_garbage                    8     the list gc.garbage
 * gc_long_lived_total           8     objects that outlived the last full collection
 * gc_long_lived_pending         8     those that have been added to the oldest since
 * gc_stats, gc_stats_pointer    -     per generation; see python_fields.h */
#include <string.h>

#include "analyzer/findings/cycles_pass.h"
#include "analyzer/objects/fields.h"
#include "inquest/base/checked_math.h"

#define GENERATIONS 3
#define LINK_MASK   (~UINT64_C(3))

struct generation {
    uint64_t objects, garbage;
    uint32_t threshold, count;
    bool has_stats;
    uint64_t collections, collected, uncollectable;
};

struct collector {
    const struct findings *findings;
    const struct cycle_garbage *garbage;
    uint64_t addr;
    bool enabled, collecting;
    uint32_t debug;
    uint64_t kept; /* length of gc.garbage */
    uint64_t long_lived, pending;
    struct generation generations[GENERATIONS + 1]; /* the last: frozen */
};

static const struct python_process *process_of(const struct collector *collector)
{
    return collector->findings->heap->process;
}

static uint64_t gc_address(const struct python_process *process)
{
    if (layout_has(&process->layout, PY_interp_gc))
        return process->interp_addr + layout_get(&process->layout, PY_interp_gc);
    if (layout_has(&process->layout, PY_runtime_gc))
        return process->runtime_addr + layout_get(&process->layout, PY_runtime_gc);
    return 0;
}

/* ---- reading */

static uint64_t generation_address(const struct collector *collector, unsigned generation)
{
    const struct python_layout *layout = &process_of(collector)->layout;
    if (generation == GENERATIONS)
        return layout_has(layout, PY_gc_permanent)
                   ? collector->addr + layout_get(layout, PY_gc_permanent)
                   : 0;
    return collector->addr + layout_get(layout, PY_gc_generations) +
           generation * layout_get(layout, PY_gc_generation_size);
}

/* 0: not at hand. From 3.15 on the newest of a ring. */
static uint64_t stats_address(const struct collector *collector, unsigned generation)
{
    const struct python_process *process = process_of(collector);
    const struct python_layout *layout = &process->layout;
    uint64_t rings_addr, ring_addr, index_offset;
    uint8_t index;
    if (layout_has(layout, PY_gc_stats))
        return collector->addr + layout_get(layout, PY_gc_stats) +
               generation * layout_get(layout, PY_gcstats_size);
    if (field_u64(process, collector->addr, PY_gc_stats_pointer, &rings_addr) != STATUS_OK ||
        !rings_addr)
        return 0;
    if (generation == 0) {
        ring_addr = rings_addr;
        index_offset = layout_get(layout, PY_gcstats_young_index);
    } else {
        ring_addr = rings_addr + layout_get(layout, PY_gcstats_old) +
                    (generation - 1) * layout_get(layout, PY_gcstats_old_size);
        index_offset = layout_get(layout, PY_gcstats_old_index);
    }
    if (memory_read_u8(process->image, ring_addr + index_offset, &index) != STATUS_OK ||
        (index + UINT64_C(1)) * layout_get(layout, PY_gcstats_size) > index_offset)
        return 0;
    return ring_addr + index * layout_get(layout, PY_gcstats_size);
}

static void read_generation(struct collector *collector, unsigned number)
{
    const struct python_process *process = process_of(collector);
    struct generation *generation = &collector->generations[number];
    uint64_t addr = generation_address(collector, number);
    generation->objects = collector->findings->heap->find.generation_count[number];
    if (number == GENERATIONS)
        return;
    if (field_u32(process, addr, PY_gc_generation_threshold, &generation->threshold) != STATUS_OK ||
        field_u32(process, addr, PY_gc_generation_count, &generation->count) != STATUS_OK)
        return;
    addr = stats_address(collector, number);
    generation->has_stats =
        addr &&
        field_u64(process, addr, PY_gcstats_collections, &generation->collections) == STATUS_OK &&
        field_u64(process, addr, PY_gcstats_collected, &generation->collected) == STATUS_OK &&
        field_u64(process, addr, PY_gcstats_uncollectable, &generation->uncollectable) == STATUS_OK;
}

/* Length of gc.garbage; 0 where what it says has no items. */
static uint64_t read_kept(const struct python_process *process, uint64_t collector_addr)
{
    uint64_t list_addr, items_addr, kept, bytes;
    if (field_u64(process, collector_addr, PY_gc_garbage, &list_addr) != STATUS_OK || !list_addr ||
        field_u64(process, list_addr, PY_var_size, &kept) != STATUS_OK ||
        field_u64(process, list_addr, PY_list_items, &items_addr) != STATUS_OK ||
        !checked_mul_u64(kept, 8, &bytes) ||
        !memory_is_writable_all(process->image, items_addr, bytes))
        return 0;
    return kept;
}

static enum status read_collector(struct collector *collector)
{
    const struct python_process *process = process_of(collector);
    uint32_t enabled, collecting;
    enum status status = field_u32(process, collector->addr, PY_gc_enabled, &enabled);
    if (status == STATUS_OK)
        status = field_u32(process, collector->addr, PY_gc_collecting, &collecting);
    if (status == STATUS_OK)
        status = field_u32(process, collector->addr, PY_gc_debug, &collector->debug);
    if (status != STATUS_OK)
        return status;
    collector->enabled = enabled != 0;
    collector->collecting = collecting == 1;
    collector->kept = read_kept(process, collector->addr);
    if (field_u64(process, collector->addr, PY_gc_long_lived_total, &collector->long_lived) !=
            STATUS_OK ||
        field_u64(process, collector->addr, PY_gc_long_lived_pending, &collector->pending) !=
            STATUS_OK)
        collector->long_lived = collector->pending = 0;
    for (unsigned i = 0; i <= GENERATIONS; i++)
        read_generation(collector, i);
    return STATUS_OK;
}

/* ---- where the garbage lies */

static uint64_t garbage_in_list(const struct collector *collector, unsigned number)
{
    const struct heap *heap = collector->findings->heap;
    const struct python_process *process = heap->process;
    uint64_t head_addr = generation_address(collector, number), link, garbage = 0;
    uint64_t left = collector->generations[number].objects;
    uint64_t header = layout_get(&process->layout, PY_gc_head_size);
    uint32_t object;
    if (!head_addr || memory_read_u64(process->image, head_addr, &link) != STATUS_OK)
        return 0;
    while (left-- && (link &= LINK_MASK) && link != head_addr) {
        if (heap_map_id(heap->find.objects, link + header, &object))
            garbage += graph_bit(collector->garbage->is_garbage, object);
        if (memory_read_u64(process->image, link, &link) != STATUS_OK)
            break;
    }
    return garbage;
}

/* The oldest generation has what the others have not: its list is the longest. */
static void find_garbage(struct collector *collector)
{
    static const unsigned others[] = {0, 1, GENERATIONS};
    uint64_t rest = collector->garbage->objects;
    for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
        struct generation *generation = &collector->generations[others[i]];
        generation->garbage = min_u64(garbage_in_list(collector, others[i]), rest);
        rest -= generation->garbage;
    }
    collector->generations[GENERATIONS - 1].garbage = rest;
}

/* ---- words */

static void begin_reason(struct text *text)
{
    if (text->size)
        text_append(text, "; ");
}

static void explain_generation(const struct collector *collector, unsigned number,
                               struct text *text)
{
    static const char *const what[] = {"allocations", "collections of generation 0",
                                       "collections of generation 1"};
    const struct generation *generation = &collector->generations[number];
    bool never = generation->has_stats && !generation->collections;
    begin_reason(text);
    text_append_count(text, generation->garbage);
    text_printf(text, " %s in generation %u, which %s: ",
                generation->garbage == 1 ? "object is" : "objects are", number,
                never ? "has never been collected" : "was not due again");
    text_append_count(text, generation->count);
    text_append(text, " of threshold ");
    text_append_count(text, generation->threshold);
    text_printf(text, " %s", what[number]);
    if (number == GENERATIONS - 1 && generation->count > generation->threshold &&
        collector->pending < collector->long_lived / 4) {
        text_append(text, ", and a full collection waits until a quarter is new: ");
        text_append_count(text, collector->pending);
        text_append(text, " of ");
        text_append_count(text, collector->long_lived);
    }
}

static void explain(const struct collector *collector, struct text *text)
{
    bool automatic = collector->enabled && collector->generations[0].threshold;
    if (!collector->garbage->cycles)
        return;
    if (collector->collecting)
        text_append(text, "the collector was running: it had not freed them yet");
    if (!collector->enabled) {
        begin_reason(text);
        text_append(text, "automatic collection was off: gc.disable()");
    } else if (!automatic) {
        begin_reason(text);
        text_append(text, "automatic collection was off: gc.set_threshold(0)");
    }
    const struct generation *frozen = &collector->generations[GENERATIONS];
    if (frozen->garbage) {
        begin_reason(text);
        text_append(text, "gc.freeze() took ");
        text_append_count(text, frozen->garbage);
        text_append(text, frozen->garbage == 1 ? " object out of collection"
                                               : " objects out of collection");
    }
    for (unsigned i = 0; i < GENERATIONS && automatic; i++)
        if (collector->generations[i].garbage)
            explain_generation(collector, i, text);
}

/* ---- rows */

static enum status write_generation(const struct collector *collector, unsigned number)
{
    const struct generation *generation = &collector->generations[number];
    const struct index_value row[] = {
        INDEX_INT(number),
        INDEX_INT((int32_t)generation->threshold),
        INDEX_INT((int32_t)generation->count),
        INDEX_INT(generation->objects),
        INDEX_INT_IF(generation->has_stats, generation->collections),
        INDEX_INT_IF(generation->has_stats, generation->collected),
        INDEX_INT_IF(generation->has_stats, generation->uncollectable),
        INDEX_INT(generation->garbage),
    };
    return index_writer_row(collector->findings->writer, INDEX_COLLECTOR, row,
                            sizeof row / sizeof *row);
}

static enum status write_state(const struct collector *collector)
{
    struct text why;
    text_init(&why);
    explain(collector, &why);
    const struct index_value row[] = {
        INDEX_INT(collector->enabled),
        INDEX_INT(collector->collecting),
        INDEX_INT(collector->debug),
        INDEX_INT(collector->generations[GENERATIONS].objects),
        INDEX_INT(collector->kept),
        INDEX_INT(collector->garbage->cycles),
        INDEX_INT(collector->garbage->objects),
        INDEX_INT(collector->garbage->bytes),
        INDEX_STR(why.size ? text_string(&why) : NULL),
    };
    enum status status = text_ok(&why)
                             ? index_writer_row(collector->findings->writer, INDEX_COLLECTOR_STATE,
                                                row, sizeof row / sizeof *row)
                             : STATUS_NO_MEMORY;
    text_deinit(&why);
    return status;
}

enum status collector_write(const struct findings *findings, const struct cycle_garbage *garbage,
                            struct error *err)
{
    struct collector collector = {
        .findings = findings, .garbage = garbage, .addr = gc_address(findings->heap->process)};
    enum status status = collector.addr ? read_collector(&collector) : STATUS_NOT_IN_DUMP;
    if (status != STATUS_OK) {
        index_writer_warning(findings->writer, "collector",
                             "the garbage collector's state is not in the core: thresholds and "
                             "counts are missing, and why garbage was not collected");
        return STATUS_OK;
    }
    if (garbage->cycles)
        find_garbage(&collector);
    for (unsigned i = 0; i < GENERATIONS && status == STATUS_OK; i++)
        status = write_generation(&collector, i);
    if (status == STATUS_OK)
        status = write_state(&collector);
    return status == STATUS_OK ? STATUS_OK : error_set(err, status, "the collector's state");
}
