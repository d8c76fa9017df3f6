/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/suspects_c.h"

#include <string.h>

#include "inquest/base/bytes_reader.h"
#include "inquest/base/partition_point.h"

#define MOST_CALLBACKS 10000000u
#define LAST_SIGNAL    64

struct scan {
    const struct heap *heap;
    struct c_holders *holders;
    enum status status;
};

static bool object_at(const struct scan *scan, uint64_t addr, uint32_t *ret_object)
{
    return addr && addr % 8 == 0 && heap_map_id(scan->heap->find.objects, addr, ret_object);
}

static bool is_kind_at(const struct scan *scan, uint64_t addr, enum object_kind kind)
{
    uint32_t object;
    return object_at(scan, addr, &object) && heap_type(scan->heap, object)->kind == kind;
}

static void add(struct scan *scan, uint64_t addr, enum c_holder_kind kind, unsigned number)
{
    struct c_holder holder = {.kind = (uint8_t)kind, .number = (uint8_t)number};
    if (!object_at(scan, addr, &holder.object) || scan->status != STATUS_OK)
        return;
    if (!array_push(&scan->holders->items, holder))
        scan->status = STATUS_NO_MEMORY;
}

/* ---- atexit */

/* {function, arguments, keywords or NULL} */
static bool is_callback(const struct scan *scan, const uint8_t *words)
{
    uint32_t function;
    uint64_t keywords = load_u64(words + 16);
    return object_at(scan, load_u64(words), &function) &&
           is_kind_at(scan, load_u64(words + 8), KIND_TUPLE) &&
           (!keywords || is_kind_at(scan, keywords, KIND_DICT) ||
            is_kind_at(scan, keywords, KIND_NONE));
}

static void add_callback(struct scan *scan, const uint8_t *words)
{
    for (unsigned i = 0; i < 3; i++)
        if (!is_kind_at(scan, load_u64(words + 8 * i), KIND_NONE))
            add(scan, load_u64(words + 8 * i), C_HOLDER_ATEXIT, 0);
}

/* Calls `visit` for each entry; false where one is no callback. */
static bool walk_callbacks(struct scan *scan, const uint8_t *entries, uint32_t count,
                           void (*visit)(struct scan *scan, const uint8_t *words))
{
    const struct memory_image *image = scan->heap->process->image;
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t entry = load_u64(entries + 8 * (size_t)i);
        if (!entry) /* unregistered */
            continue;
        const uint8_t *words = entry % 8 ? NULL : memory_view(image, entry, 24);
        if (!words || !is_callback(scan, words))
            return false;
        found++;
        if (visit)
            visit(scan, words);
    }
    return found > 0;
}

static void try_array(struct scan *scan, const uint8_t *words)
{
    const struct memory_image *image = scan->heap->process->image;
    uint64_t array = load_u64(words);
    uint32_t count = load_u32(words + 8), room = load_u32(words + 12);
    if (array < 4096 || array % 8 || !count || count > room || room < 16 || room > MOST_CALLBACKS)
        return;
    const uint8_t *entries = memory_view(image, array, 8 * (uint64_t)count);
    if (entries && walk_callbacks(scan, entries, count, NULL))
        walk_callbacks(scan, entries, count, add_callback);
}

static bool tuple_words(const struct scan *scan, uint64_t addr, const uint8_t **ret_words)
{
    struct python_process *process = scan->heap->process;
    uint64_t items, count;
    if (!is_kind_at(scan, addr, KIND_TUPLE) ||
        tuple_items(process, addr, &items, &count) != STATUS_OK || count != 3)
        return false;
    *ret_words = memory_view(process->image, items, 24);
    return *ret_words && is_callback(scan, *ret_words);
}

static void try_list(struct scan *scan, uint64_t addr)
{
    struct python_process *process = scan->heap->process;
    uint64_t items, count;
    const uint8_t *words, *view;
    if (!is_kind_at(scan, addr, KIND_LIST) ||
        list_items(process, addr, &items, &count) != STATUS_OK || !count ||
        count > MOST_CALLBACKS || !(view = memory_view(process->image, items, 8 * count)))
        return;
    for (uint64_t i = 0; i < count; i++)
        if (!tuple_words(scan, load_u64(view + 8 * i), &words))
            return;
    add(scan, addr, C_HOLDER_ATEXIT, 0);
    for (uint64_t i = 0; i < count; i++)
        if (tuple_words(scan, load_u64(view + 8 * i), &words))
            add_callback(scan, words);
}

static void scan_words(struct scan *scan, uint64_t addr, uint64_t size, bool lists)
{
    uint64_t available;
    const uint8_t *bytes = memory_span(scan->heap->process->image, addr, &available);
    if (!bytes)
        return;
    size = size < available ? size : available;
    for (uint64_t offset = 0; offset + 16 <= size; offset += 8) {
        if (lists)
            try_list(scan, load_u64(bytes + offset));
        else
            try_array(scan, bytes + offset);
    }
}

/* The state of the module atexit, of which its module object points to 32 bytes. */
static void scan_atexit_module(struct scan *scan, const struct findings *findings)
{
    const struct python_process *process = scan->heap->process;
    if (!layout_has(&process->layout, PY_module_dict))
        return;
    uint64_t state_offset = layout_get(&process->layout, PY_module_dict) + 16, state;
    for (size_t i = 0; i < findings->roots->roots.count; i++) {
        const struct heap_root *root = &findings->roots->roots.items[i];
        if (root->kind == ROOT_MODULE && strcmp(root->label, "atexit") == 0 &&
            heap_type(scan->heap, root->object)->kind == KIND_MODULE &&
            memory_read_u64(process->image, heap_address(scan->heap, root->object) + state_offset,
                            &state) == STATUS_OK &&
            state)
            scan_words(scan, state, 32, false);
    }
}

static void scan_atexit(struct scan *scan, const struct findings *findings)
{
    const struct python_process *process = scan->heap->process;
    const struct python_layout *layout = &process->layout;
    if (layout_minor(layout) < 10)
        scan_atexit_module(scan, findings);
    else if (layout_has(layout, PY_interp_size))
        scan_words(scan, process->interp_addr, layout_get(layout, PY_interp_size),
                   layout_minor(layout) >= 14);
}

/* ---- Signal handlers. */

static bool is_handler(const struct scan *scan, const uint8_t *entry)
{
    uint32_t object;
    return load_u64(entry) <= 1 && object_at(scan, load_u64(entry + 8), &object);
}

static void add_handlers(struct scan *scan, const uint8_t *entries)
{
    for (unsigned i = 0; i < LAST_SIGNAL; i++) {
        uint64_t addr = load_u64(entries + 16 * i + 8);
        if (!is_kind_at(scan, addr, KIND_NONE) && !is_kind_at(scan, addr, KIND_INT))
            add(scan, addr, C_HOLDER_SIGNAL, i + 1);
    }
}

static void scan_signals_in(struct scan *scan, const uint8_t *bytes, uint64_t size)
{
    for (unsigned half = 0; half < 16; half += 8) { /* entries are on 8 bytes */
        unsigned run = 0;
        for (uint64_t offset = half; offset + 16 <= size; offset += 16) {
            run = is_handler(scan, bytes + offset) ? run + 1 : 0;
            if (run == LAST_SIGNAL)
                add_handlers(scan, bytes + offset - (uint64_t)16 * (LAST_SIGNAL - 1));
        }
    }
}

static void scan_signals(struct scan *scan, const struct core_dump *core)
{
    for (size_t i = 0; i < core->segments.count; i++) {
        const struct core_segment *segment = &core->segments.items[i];
        uint64_t available;
        if (segment->region != CORE_REGION_PROGRAM_DATA &&
            segment->region != CORE_REGION_LIBRARY_DATA)
            continue;
        const uint8_t *bytes =
            memory_span(scan->heap->process->image, segment->address, &available);
        if (bytes)
            scan_signals_in(scan, bytes, available < segment->stored ? available : segment->stored);
    }
}

static int compare_holders(const void *left, const void *right)
{
    const struct c_holder *a = left, *b = right;
    if (a->object != b->object)
        return a->object < b->object ? -1 : 1;
    return a->kind != b->kind ? a->kind - b->kind : a->number - b->number;
}

enum status c_holders_find(const struct findings *findings, struct c_holders *ret_holders)
{
    struct c_holders holders = {0};
    struct scan scan = {.heap = findings->heap, .holders = &holders};
    if (findings->core && findings->heap->process->image) {
        scan_atexit(&scan, findings);
        scan_signals(&scan, findings->core);
    }
    if (scan.status != STATUS_OK) {
        c_holders_deinit(&holders);
        return scan.status;
    }
    if (holders.items.count)
        qsort(holders.items.items, holders.items.count, sizeof *holders.items.items,
              compare_holders);
    *ret_holders = holders;
    return STATUS_OK;
}

void c_holders_deinit(struct c_holders *holders)
{
    if (holders)
        array_deinit(&holders->items);
}

const struct c_holder *c_holder_of(const struct c_holders *holders, uint32_t object)
{
    size_t low;
    PARTITION_POINT(low, holders->items.count, holders->items.items[low].object < object);
    if (low == holders->items.count || holders->items.items[low].object != object)
        return NULL;
    return &holders->items.items[low];
}
