/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/analyzer/suspects_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

void made_heap_begin(struct made_heap *made)
{
    memset(made, 0, sizeof *made);
    objects_make(&made->objects, python_layout_for_version(0x030C01F0));
    objects_open(&made->objects);
    made->heap.process = &made->objects.process;
    made->heap.labels = label_table_create(made->heap.process);
    assert_non_null(made->heap.labels);
    made->heap.addresses.low = made->address;
    made->heap.sizes.low = made->size;
    made->heap.refcounts.low = made->refcount;
    made->heap.type = made->type;
}

uint32_t made_type(struct made_heap *made, const char *name, enum object_kind kind)
{
    size_t number = made->heap.types.count;
    assert_true(number < MADE_TYPES);
    struct python_type *type = &made->types[number].type;
    const char *dot = strrchr(name, '.');
    type->name = type->qualname = type->short_name = name;
    type->kind = kind;
    type->is_exact_kind = true;
    type->is_heap = dot;
    type->module = "builtins";
    if (dot)
        type->module = arena_strndup(&made->objects.arena, name, (size_t)(dot - name));
    const struct python_type *added = type;
    assert_true(array_push(&made->heap.types, added));
    return (uint32_t)number;
}

uint32_t made_object(struct made_heap *made, uint32_t type, uint64_t size)
{
    uint32_t object = made->heap.count++;
    assert_true(object < MADE_OBJECTS);
    uint64_t addr = UINT64_C(0x7a0000000000) + 64 * (uint64_t)object;
    assert_int_equal(heap_addresses_set(&made->heap.addresses, object, addr), STATUS_OK);
    assert_int_equal(heap_column_set(&made->heap.sizes, object, size), STATUS_OK);
    assert_int_equal(heap_column_set(&made->heap.refcounts, object, 1), STATUS_OK);
    made->type[object] = type;
    return object;
}

void made_refer(struct made_heap *made, uint32_t source, const char *label, uint32_t target)
{
    assert_true(made->reference_count < MADE_REFERENCES);
    made->references[made->reference_count++] = (struct made_reference){source, target, label};
}

uint32_t made_held(struct made_heap *made, uint32_t source, const char *label, uint32_t type,
                   uint64_t size)
{
    uint32_t object = made_object(made, type, size);
    made_refer(made, source, label, object);
    return object;
}

void made_root(struct made_heap *made, uint32_t object, enum root_kind kind, const char *label)
{
    const struct heap_root root = {object, (uint8_t)kind, label};
    assert_true(array_push(&made->roots.roots, root));
}

static int by_source(const void *left, const void *right)
{
    const struct made_reference *a = left, *b = right;
    if (a->source != b->source)
        return a->source < b->source ? -1 : 1;
    return (a > b) - (a < b);
}

void made_heap_end(struct made_heap *made)
{
    struct graph_builder builder;
    struct error err = {0};
    made->heap.label = calloc(made->reference_count + 1, sizeof *made->heap.label);
    assert_non_null(made->heap.label);
    qsort(made->references, made->reference_count, sizeof *made->references, by_source);
    assert_int_equal(graph_builder_init(&builder, made->heap.count, 0, made->heap.count, 0, &err),
                     STATUS_OK);
    for (size_t i = 0; i < made->reference_count; i++) {
        const struct made_reference *edge = &made->references[i];
        const struct reference reference = {.name = edge->label, .label = LABEL_FIELD};
        made->heap.label[i] = label_code(made->heap.labels, &reference);
        assert_int_equal(graph_builder_edge(&builder, edge->source, edge->target, &err), STATUS_OK);
    }
    assert_int_equal(graph_build(&builder, 1, &made->heap.references, &err), STATUS_OK);
    assert_int_equal(heap_facts_find(&made->heap, &made->roots, NULL, &made->facts, &err),
                     STATUS_OK);
    made->findings = (struct findings){NULL, &made->heap, &made->roots, &made->facts, NULL};
}

void made_heap_free(struct made_heap *made)
{
    heap_facts_deinit(&made->facts);
    heap_roots_deinit(&made->roots);
    graph_deinit(&made->heap.references);
    free(made->heap.label);
    array_deinit(&made->heap.types);
    array_deinit(&made->heap.addresses.windows);
    array_deinit(&made->heap.sizes.wide);
    label_table_destroy(made->heap.labels);
    objects_close(&made->objects);
}

/* Marks what the roots lead to, going around `around`. */
static void reach(const struct made_heap *made, const bool *around, bool *reached)
{
    for (size_t i = 0; i < made->roots.roots.count; i++)
        reached[made->roots.roots.items[i].object] = !around[made->roots.roots.items[i].object];
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < made->reference_count; i++) {
            const struct made_reference *edge = &made->references[i];
            if (reached[edge->source] && !reached[edge->target] && !around[edge->target])
                changed = reached[edge->target] = true;
        }
    }
}

uint64_t made_retained(const struct made_heap *made, const uint32_t *members, size_t count)
{
    static bool around[MADE_OBJECTS], all[MADE_OBJECTS], rest[MADE_OBJECTS];
    uint64_t bytes = 0;
    memset(around, 0, sizeof around);
    memset(all, 0, sizeof all);
    memset(rest, 0, sizeof rest);
    reach(made, around, all);
    for (size_t i = 0; i < count; i++)
        around[members[i]] = true;
    reach(made, around, rest);
    for (uint32_t i = 0; i < made->heap.count; i++)
        bytes += all[i] && !rest[i] ? heap_size(&made->heap, i) : 0;
    return bytes;
}
