/* SPDX-License-Identifier: Apache-2.0 */
/* From the heap and what was found of it to the index's tables. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/findings/findings.h"
#include "analyzer/graph/memory.h"
#include "analyzer/runtime/heap_facts.h"
#include "analyzer/runtime/heap_memory.h"
#include "inquest/analyzer/heap_index.h"

/* How many objects have an ordinary row of their own. */
#define LARGEST_OBJECTS 2000

struct writing {
    const struct core_dump *core;
    struct heap *heap;
    const struct heap_roots *roots;
    struct heap_facts *facts;
    struct index_writer *writer;
    struct text text, value;
};

/* ---- type */

struct type_totals {
    uint64_t instances, shallow, retained, unreachable;
};

static const char *type_module(const struct python_type *type)
{
    if (type->module)
        return type->module;
    return strchr(type->name, '.') ? NULL : "builtins";
}

static enum status write_types(struct writing *writing)
{
    const struct heap *heap = writing->heap;
    size_t count = heap->types.count;
    struct type_totals *totals = calloc(count + 1, sizeof *totals);
    uint64_t *retained = calloc(count + 1, sizeof *retained);
    enum status status = totals && retained ? heap_retained_by_type(heap, writing->facts, retained)
                                            : STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < heap->count && status == STATUS_OK; i++) {
        struct type_totals *total = &totals[heap->type[i]];
        total->instances++;
        total->shallow += heap_size(heap, i);
        total->unreachable += !graph_bit(writing->facts->reached, i);
    }
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        const struct python_type *type = heap->types.items[i];
        const struct index_value row[] = {
            INDEX_INT(i + 1),
            INDEX_INT(type->addr),
            INDEX_STR(type->name),
            INDEX_INT(totals[i].instances),
            INDEX_INT(totals[i].shallow),
            INDEX_INT(retained[i]),
            INDEX_STR(type_module(type)),
            INDEX_INT(totals[i].unreachable),
        };
        status = index_writer_row(writing->writer, INDEX_TYPE, row, sizeof row / sizeof *row);
    }
    free(totals);
    free(retained);
    return status;
}

/* ---- root */

static enum status write_roots(struct writing *writing)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < writing->roots->roots.count && status == STATUS_OK; i++) {
        const struct heap_root *root = &writing->roots->roots.items[i];
        const struct index_value row[] = {
            INDEX_INT(root->object + UINT64_C(1)),
            INDEX_STR(root_kind_names[root->kind]),
            INDEX_STR(root->label),
        };
        status = index_writer_row(writing->writer, INDEX_ROOT, row, sizeof row / sizeof *row);
    }
    return status;
}

/* ---- largest */

struct ranked {
    uint64_t retained;
    uint32_t object;
};

/* Larger first, then by address: the same core gives the same order. */
static int compare_ranked(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;
    return a->retained != b->retained ? (a->retained < b->retained ? 1 : -1)
                                      : (a->object > b->object) - (a->object < b->object);
}

/* A link of a chain: its dominator is of the same type and keeps little more.
 * One long list would fill the table otherwise. */
static bool is_chain_link(const struct heap *heap, const struct heap_facts *facts, uint32_t object)
{
    uint32_t dominator = facts->dominators.idom[object];
    return dominator < GRAPH_NONE && heap->type[dominator] == heap->type[object] &&
           facts->retained[object] > facts->retained[dominator] / 10 * 9;
}

/* The LARGEST_OBJECTS that retain most, by keeping twice as many and cutting. */
static size_t find_largest(const struct heap *heap, const struct heap_facts *facts,
                           struct ranked *ranked)
{
    const uint64_t *retained = facts->retained;
    size_t count = 0;
    uint64_t most_left_out = 0; /* of two that retain as much, the first stays */
    bool is_cut = false;
    for (uint32_t i = 0; i < heap->count; i++) {
        if ((is_cut && retained[i] <= most_left_out) || is_chain_link(heap, facts, i))
            continue;
        ranked[count++] = (struct ranked){retained[i], i};
        if (count == 2 * LARGEST_OBJECTS) {
            qsort(ranked, count, sizeof *ranked, compare_ranked);
            count = LARGEST_OBJECTS;
            most_left_out = ranked[count - 1].retained;
            is_cut = true;
        }
    }
    qsort(ranked, count, sizeof *ranked, compare_ranked);
    return count < LARGEST_OBJECTS ? count : LARGEST_OBJECTS;
}

static enum status write_largest(struct writing *writing, const struct findings *findings)
{
    const struct heap *heap = writing->heap;
    static const struct repr_limits limits = {
        .depth = 2, .items = 6, .string_size = 80, .total_size = 400};
    struct ranked *ranked = malloc(2 * LARGEST_OBJECTS * sizeof *ranked);
    if (!ranked)
        return STATUS_NO_MEMORY;
    size_t count = find_largest(heap, writing->facts, ranked);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        uint32_t object = ranked[i].object;
        text_clear(&writing->text);
        findings_path(findings, object, &writing->text);
        text_clear(&writing->value);
        object_repr(heap->process, heap_address(heap, object), &limits, &writing->value);
        const struct index_value row[] = {
            INDEX_INT(object + UINT64_C(1)),
            INDEX_INT(heap->type[object] + UINT64_C(1)),
            INDEX_INT(heap_getsizeof(heap, object)),
            INDEX_INT(ranked[i].retained),
            INDEX_STR(writing->text.size ? text_string(&writing->text) : NULL),
            INDEX_STR(text_string(&writing->value)),
        };
        status = index_writer_row(writing->writer, INDEX_LARGEST, row, sizeof row / sizeof *row);
    }
    free(ranked);
    return status;
}

/* ---- shared_size */

static enum status write_shared_sizes(struct writing *writing)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < writing->heap->parts.count && status == STATUS_OK; i++) {
        const struct heap_wide *part = &writing->heap->parts.items[i];
        const struct index_value row[] = {
            INDEX_INT(part->object + UINT64_C(1)),
            INDEX_INT(part->value),
        };
        status =
            index_writer_row(writing->writer, INDEX_SHARED_SIZE, row, sizeof row / sizeof *row);
    }
    return status;
}

/* ---- object and ref */

/* The index counts types from 1 and says UINT32_MAX for an immortal's count;
 * flags gain what the passes found; GRAPH_ROOT and GRAPH_NONE become "none". */
static void read_objects(const void *context, uint32_t index, uint32_t count,
                         struct heap_object_block *block)
{
    const struct writing *writing = context;
    const struct heap *heap = writing->heap;
    const struct heap_facts *facts = writing->facts;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t object = index + i, idom = facts->dominators.idom[object];
        uint64_t refcount = heap_refcount(heap, object);
        block->address[i] = heap_address(heap, object);
        block->size[i] = heap_getsizeof(heap, object);
        block->refcount[i] = refcount == UINT64_MAX ? UINT32_MAX : refcount;
        block->retained[i] = facts->retained[object];
        block->type[i] = heap->type[object] + 1;
        block->dominator[i] = idom >= GRAPH_NONE ? HEAP_NO_OBJECT : idom;
        block->flags[i] =
            heap->flags[object] | (graph_bit(facts->reached, object) ? HEAP_REACHABLE : 0);
    }
}

_Static_assert(sizeof(struct weak_reference) == sizeof(struct heap_more_reference) &&
                   offsetof(struct weak_reference, label) ==
                       offsetof(struct heap_more_reference, label),
               "weak references go into the index as they are");

static enum status write_bulk(struct writing *writing, bool plain, struct error *err)
{
    const struct heap *heap = writing->heap;
    struct heap_labels labels;
    uint64_t *offsets;
    struct text label_bytes = {0};
    enum status status = label_texts(heap->labels, &label_bytes, &offsets, &labels);
    if (status != STATUS_OK) {
        text_deinit(&label_bytes);
        return error_set(err, status, "the heap: %s", status_name(status));
    }
    const struct heap_objects objects = {
        .count = heap->count, .read = read_objects, .context = writing};
    const struct heap_references references = {
        .count = heap->references.edge_count,
        .first = heap->references.first,
        .target = heap->references.targets,
        .label = heap->label,
        .more_count = heap->weak.count,
        .more = (const struct heap_more_reference *)heap->weak.items,
        .reverse_first = writing->facts->reverse_first,
        .reverse_source = writing->facts->reverse_sources,
    };
    status = index_writer_heap(writing->writer, &objects, &references, &labels, plain, err);
    free(offsets);
    text_deinit(&label_bytes);
    return status;
}

static enum status write_heap(struct writing *writing, bool plain, struct error *err)
{
    const struct findings findings = {
        writing->core, writing->heap, writing->roots, writing->facts, writing->writer,
    };
    enum status status = write_types(writing);
    if (status == STATUS_OK)
        status = write_roots(writing);
    if (status == STATUS_OK)
        status = write_largest(writing, &findings);
    if (status == STATUS_OK)
        status = write_shared_sizes(writing);
    text_deinit(&writing->text);
    text_deinit(&writing->value);
    if (status != STATUS_OK)
        return error_set(err, status, "the heap: %s", status_name(status));
    status = findings_write(&findings, err);
    return status == STATUS_OK ? write_bulk(writing, plain, err) : status;
}

static void write_notes(const struct heap *heap, struct index_writer *writer)
{
    struct text message = {0};
    if (heap->find.note)
        index_writer_warning(writer, "heap", heap->find.note);
    if (heap->damaged) {
        text_printf(&message,
                    "%llu objects could be read in part only: some of their references "
                    "are missing",
                    (unsigned long long)heap->damaged);
        index_writer_warning(writer, "heap", text_string(&message));
    }
    text_clear(&message);
    if (heap->find.pools.damaged) {
        text_printf(&message, "%llu pools have free lists that contradict their counts",
                    (unsigned long long)heap->find.pools.damaged);
        index_writer_warning(writer, "heap", text_string(&message));
    }
    text_deinit(&message);
}

/* Where the memory went is counted beside the dominators, which take one thread. */
struct counting {
    const struct core_dump *core;
    const struct heap *heap;
    const uint64_t *reached;
    struct memory_count *count;
};

static enum status count_memory(void *context, struct error *err)
{
    struct counting *counting = context;
    enum status status =
        heap_memory_count(counting->core, counting->heap, counting->reached, &counting->count);
    if (status != STATUS_OK)
        return error_set(err, status, "the table memory: %s", status_name(status));
    return STATUS_OK;
}

enum status collect_heap(const struct core_dump *core, struct python_process *process,
                         struct index_writer *writer, bool plain, struct progress *progress,
                         struct error *err)
{
    struct outside_references outside = {0};
    struct heap heap = {0};
    struct heap_roots roots = {0};
    struct heap_facts facts = {0};
    struct counting counting = {.core = core, .heap = &heap};
    const struct graph_task beside = {count_memory, &counting};
    enum status status = outside_references_collect(core, process, &outside);
    if (status == STATUS_OK)
        status = heap_build(process, &outside, progress, &heap, err);
    if (status == STATUS_OK)
        status = heap_roots_find(&heap, &outside, &roots);
    outside_references_deinit(&outside);
    counting.reached = roots.reached;
    if (status == STATUS_OK)
        status = heap_facts_find(&heap, &roots, &beside, &facts, err);
    if (status == STATUS_OK) {
        struct writing writing = {
            .core = core, .heap = &heap, .roots = &roots, .facts = &facts, .writer = writer};
        write_notes(&heap, writer);
        status = heap_memory_write(counting.count, writer);
        heap_memory_destroy(counting.count);
        counting.count = NULL;
        if (status == STATUS_OK)
            status = write_heap(&writing, plain, err);
        else
            error_set(err, status, "the table memory: %s", status_name(status));
    } else if (!err->message[0]) {
        error_set(err, status, "the heap: %s", status_name(status));
    }
    heap_memory_destroy(counting.count);
    heap_facts_deinit(&facts);
    heap_roots_deinit(&roots);
    heap_deinit(&heap);
    graph_memory_trim();
    return status;
}
