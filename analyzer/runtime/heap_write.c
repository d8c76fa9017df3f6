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
    /* the columns, packed as soon as they are there */
    struct heap_objects objects;
    struct heap_references references;
    struct heap_labels labels; /* their texts are made in the end */
    struct heap_packing *packing;
    atomic_bool stop_packing;
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

/* Each size may be what there was room for, and all together more. */
static void check_sum(const struct writing *writing, uint64_t sum)
{
    const struct core_dump *core = writing->core;
    uint64_t there = 0;
    for (size_t i = 0; i < core->segments.count; i++)
        if (core->segments.items[i].flags & 2)
            there += core->segments.items[i].size;
    struct text message = {0};
    if (sum <= there)
        return;
    text_printf(&message,
                "the sizes of all objects add up to %llu bytes, but the process had %llu that "
                "it could write to: types or sizes are damaged, and sums are too large",
                (unsigned long long)sum, (unsigned long long)there);
    index_writer_warning(writing->writer, "heap", text_string(&message));
    text_deinit(&message);
}

static enum status write_types(struct writing *writing)
{
    const struct heap *heap = writing->heap;
    size_t count = heap->types.count;
    struct type_totals *totals = calloc(count + 1, sizeof *totals);
    uint64_t *retained = calloc(count + 1, sizeof *retained), sum = 0;
    enum status status = totals && retained ? heap_retained_by_type(heap, writing->facts, retained)
                                            : STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < heap->count && status == STATUS_OK; i++) {
        struct type_totals *total = &totals[heap->type[i]];
        total->instances++;
        total->shallow += heap_size(heap, i);
        sum += heap_size(heap, i);
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
    check_sum(writing, sum);
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
           heap_retained(facts, object) > heap_retained(facts, dominator) / 10 * 9;
}

/* The LARGEST_OBJECTS that retain most, by keeping twice as many and cutting. */
static size_t find_largest(const struct heap *heap, const struct heap_facts *facts,
                           struct ranked *ranked)
{
    size_t count = 0;
    uint64_t most_left_out = 0; /* of two that retain as much, the first stays */
    bool is_cut = false;
    for (uint32_t i = 0; i < heap->count; i++) {
        uint64_t retained = heap_retained(facts, i);
        if ((is_cut && retained <= most_left_out) || is_chain_link(heap, facts, i))
            continue;
        ranked[count++] = (struct ranked){retained, i};
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
        block->retained[i] = heap_retained(facts, object);
        block->type[i] = heap->type[object] + 1;
        block->dominator[i] = idom >= GRAPH_NONE ? HEAP_NO_OBJECT : idom;
        block->flags[i] = (uint8_t)((graph_bit(heap->tracked, object) ? HEAP_TRACKED : 0) |
                                    (graph_bit(facts->reached, object) ? HEAP_REACHABLE : 0));
    }
}

_Static_assert(sizeof(struct weak_reference) == sizeof(struct heap_more_reference) &&
                   offsetof(struct weak_reference, label) ==
                       offsetof(struct heap_more_reference, label),
               "weak references go into the index as they are");

static void set_columns(struct writing *writing)
{
    const struct heap *heap = writing->heap;
    writing->objects =
        (struct heap_objects){.count = heap->count, .read = read_objects, .context = writing};
    writing->references = (struct heap_references){
        .count = heap->references.edge_count,
        .narrow_first = heap->references.narrow,
        .first = heap->references.wide,
        .target = heap->references.targets,
        .label = heap->label,
        .more_count = heap->weak.count,
        .more = (const struct heap_more_reference *)heap->weak.items,
    };
    writing->labels = (struct heap_labels){.count = label_code_end(heap->labels) - 1};
}

/* Those by target come first, and their memory is free for the findings. */
static enum status pack_sources(void *context, struct graph_sources *sources, struct error *err)
{
    struct writing *writing = context;
    set_columns(writing);
    writing->references.reverse_first = sources->narrow;
    writing->references.reverse_source = sources->narrow ? sources->sources : NULL;
    enum status status = heap_packing_create(&writing->objects, &writing->references,
                                             &writing->labels, &writing->packing, err);
    return status == STATUS_OK ? heap_packing_referrers(writing->packing, err) : status;
}

static enum status pack_ahead(void *context, struct error *err)
{
    struct writing *writing = context;
    return heap_packing_ahead(writing->packing, &writing->stop_packing, err);
}

static enum status write_bulk(struct writing *writing, bool plain, struct error *err)
{
    uint64_t *offsets;
    struct text label_bytes = {0};
    enum status status =
        label_texts(writing->heap->labels, &label_bytes, &offsets, &writing->labels);
    if (status != STATUS_OK) {
        text_deinit(&label_bytes);
        return error_set(err, status, "the heap: %s", status_name(status));
    }
    status = index_writer_packing(writing->writer, writing->packing, plain, err);
    free(offsets);
    text_deinit(&label_bytes);
    return status;
}

static enum status write_answers(void *context, struct error *err)
{
    struct writing *writing = context;
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
    if (status == STATUS_OK)
        status = heap_object_ids_write(writing->heap, writing->writer, err);
    text_deinit(&writing->text);
    text_deinit(&writing->value);
    if (status == STATUS_OK)
        status = findings_write(&findings, err);
    else
        error_set(err, status, "the heap: %s", status_name(status));
    atomic_store(&writing->stop_packing, true);
    return status;
}

/* The answers take one thread, so the columns are packed beside them. */
static enum status write_heap(struct writing *writing, bool plain, struct error *err)
{
    const struct graph_task tasks[] = {{write_answers, writing}, {pack_ahead, writing}};
    enum status status = graph_run(tasks, 2, 2, err);
    return status == STATUS_OK ? write_bulk(writing, plain, err) : status;
}

static void write_notes(const struct heap *heap, struct index_writer *writer)
{
    struct text message = {0};
    if (heap->find.note)
        index_writer_warning(writer, "heap", heap->find.note);
    if (heap->damaged) {
        text_printf(&message,
                    "%llu object%s could be read in part only: some of %s references "
                    "are missing",
                    (unsigned long long)heap->damaged, heap->damaged == 1 ? "" : "s",
                    heap->damaged == 1 ? "its" : "their");
        index_writer_warning(writer, "heap", text_string(&message));
    }
    text_clear(&message);
    if (heap->find.pools.damaged) {
        text_printf(&message, "%llu pool%s free lists that contradict their counts",
                    (unsigned long long)heap->find.pools.damaged,
                    heap->find.pools.damaged == 1 ? " has" : "s have");
        index_writer_warning(writer, "heap", text_string(&message));
    }
    text_deinit(&message);
}

/* What is found beside passes that take one thread: the roots first, and with them where
 * the memory went. */
struct finding {
    const struct core_dump *core;
    const struct heap *heap;
    const struct outside_references *outside;
    struct heap_roots roots;
    const uint64_t *reached; /* bitmap: the roots' */
    struct memory_count *count;
};

static enum status find_roots(void *context, struct error *err)
{
    struct finding *finding = context;
    enum status status = heap_roots_find(finding->heap, finding->outside, &finding->roots);
    finding->reached = finding->roots.reached;
    return status == STATUS_OK ? status
                               : error_set(err, status, "the heap: %s", status_name(status));
}

static enum status count_memory(void *context, struct error *err)
{
    struct finding *finding = context;
    enum status status =
        heap_memory_count(finding->core, finding->heap, finding->reached, &finding->count);
    if (status != STATUS_OK)
        return error_set(err, status, "the table memory: %s", status_name(status));
    return STATUS_OK;
}

static enum status write_all(struct writing *writing, struct finding *finding, bool plain,
                             struct error *err)
{
    write_notes(writing->heap, writing->writer);
    enum status status = heap_memory_write(finding->count, writing->writer);
    heap_memory_destroy(finding->count);
    finding->count = NULL;
    if (status != STATUS_OK)
        return error_set(err, status, "the table memory: %s", status_name(status));
    return write_heap(writing, plain, err);
}

enum status collect_heap(const struct core_dump *core, struct python_process *process,
                         struct index_writer *writer, bool plain, struct progress *progress,
                         struct error *err)
{
    struct outside_references outside = {0};
    struct heap heap = {0};
    struct heap_facts facts = {0};
    struct finding finding = {.core = core, .heap = &heap, .outside = &outside};
    struct writing writing = {
        .core = core, .heap = &heap, .roots = &finding.roots, .facts = &facts, .writer = writer};
    const struct heap_beside beside = {
        {find_roots, &finding}, {count_memory, &finding}, pack_sources, &writing};
    enum status status = outside_references_collect(core, process, &outside);
    if (status == STATUS_OK)
        status = heap_build(process, &outside, progress, &heap, err);
    if (status == STATUS_OK)
        status = heap_facts_find(&heap, &finding.roots, &beside, &facts, err);
    outside_references_deinit(&outside);
    if (status == STATUS_OK)
        status = write_all(&writing, &finding, plain, err);
    else if (!err->message[0])
        error_set(err, status, "the heap: %s", status_name(status));
    heap_memory_destroy(finding.count);
    heap_packing_destroy(writing.packing);
    heap_facts_deinit(&facts);
    heap_roots_deinit(&finding.roots);
    heap_deinit(&heap);
    graph_memory_trim();
    return status;
}
