/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/helpers/small_heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "inquest/analyzer/heap_index.h"
#include "inquest/base/text.h"

#define MOST_TEXTS 256

int small_heap_add(struct small_heap *heap, int holder, const char *label, const char *type,
                   unsigned size)
{
    assert_true(heap->count < SMALL_HEAP_MOST && holder < heap->count);
    bool unreachable = holder >= 0 && heap->objects[holder].unreachable;
    heap->objects[heap->count] = (struct small_object){holder, label, type, size, unreachable};
    return heap->count++;
}

void small_heap_refer(struct small_heap *heap, int source, const char *label, int target)
{
    heap->extra[heap->extra_count++] = (struct small_reference){source, target, label};
}

void small_heap_root(struct small_heap *heap, int object, const char *kind, const char *label)
{
    heap->roots[heap->root_count++] = (struct small_root){object, kind, label};
}

uint64_t small_heap_retained(const struct small_heap *heap, int object)
{
    uint64_t sum = heap->objects[object].size;
    for (int i = object + 1; i < heap->count; i++)
        if (heap->objects[i].holder == object)
            sum += small_heap_retained(heap, i);
    return sum;
}

uint64_t small_heap_address(int object)
{
    return 0x7f0000001000 + (uint64_t)object * 4096;
}

/* ---- Texts, numbered from 1. */

struct texts {
    const char *items[MOST_TEXTS];
    uint32_t count;
};

static uint32_t number_of(struct texts *texts, const char *text)
{
    for (uint32_t i = 0; i < texts->count; i++)
        if (strcmp(texts->items[i], text) == 0)
            return i + 1;
    assert_true(texts->count < MOST_TEXTS);
    texts->items[texts->count++] = text;
    return texts->count;
}

struct columns {
    uint64_t address[SMALL_HEAP_MOST], size[SMALL_HEAP_MOST], refcount[SMALL_HEAP_MOST],
        retained[SMALL_HEAP_MOST], first[SMALL_HEAP_MOST + 1];
    uint32_t type[SMALL_HEAP_MOST], dominator[SMALL_HEAP_MOST], target[SMALL_HEAP_MOST + 64],
        label[SMALL_HEAP_MOST + 64];
    uint8_t flags[SMALL_HEAP_MOST];
    struct texts types, labels;
    uint64_t edges;
};

static void add_edge(struct columns *columns, int target, const char *label)
{
    columns->target[columns->edges] = (uint32_t)target;
    columns->label[columns->edges++] = label ? number_of(&columns->labels, label) : 0;
}

static void fill(const struct small_heap *heap, struct columns *columns)
{
    for (int i = 0; i < heap->count; i++) {
        const struct small_object *object = &heap->objects[i];
        columns->address[i] = small_heap_address(i);
        columns->size[i] = object->size;
        columns->refcount[i] = object->label ? 1 : UINT32_MAX;
        columns->type[i] = number_of(&columns->types, object->type);
        columns->dominator[i] = object->holder < 0 ? HEAP_NO_OBJECT : (uint32_t)object->holder;
        columns->flags[i] = (uint8_t)(object->unreachable ? 0 : HEAP_REACHABLE) |
                            (strcmp(object->type, "str") == 0 ? 0 : HEAP_TRACKED);
        columns->first[i] = columns->edges;
        for (int j = 0; j < heap->extra_count; j++)
            if (heap->extra[j].source == i)
                add_edge(columns, heap->extra[j].target, heap->extra[j].label);
        for (int j = i + 1; j < heap->count; j++)
            if (heap->objects[j].holder == i && heap->objects[j].label)
                add_edge(columns, j, heap->objects[j].label);
    }
    columns->first[heap->count] = columns->edges;
    for (int i = heap->count; i-- > 0;) { /* holders come first */
        columns->retained[i] += columns->size[i];
        if (heap->objects[i].holder >= 0)
            columns->retained[heap->objects[i].holder] += columns->retained[i];
    }
}

static void write_rows(const struct small_heap *heap, const struct columns *columns,
                       struct index_writer *writer)
{
    for (uint32_t type = 0; type < columns->types.count; type++) {
        const char *name = columns->types.items[type], *dot = strrchr(name, '.');
        char module[128];
        int64_t instances = 0, shallow = 0, retained = 0, unreachable = 0;
        for (int i = 0; i < heap->count; i++) {
            if (columns->type[i] != type + 1)
                continue;
            instances++;
            shallow += (int64_t)columns->size[i];
            retained += (int64_t)columns->retained[i];
            unreachable += heap->objects[i].unreachable;
        }
        strcpy(module, "builtins");
        if (dot && (size_t)(dot - name) < sizeof module) {
            memcpy(module, name, (size_t)(dot - name));
            module[dot - name] = '\0';
        }
        const struct index_value row[] = {
            INDEX_INT(type + 1),  INDEX_INT(0x1000 + type), INDEX_STR(name),
            INDEX_INT(instances), INDEX_INT(shallow),       INDEX_INT(retained),
            INDEX_STR(module),    INDEX_INT(unreachable),
        };
        assert_int_equal(index_writer_row(writer, INDEX_TYPE, row, 8), STATUS_OK);
    }
    for (int i = 0; i < heap->root_count; i++) {
        const struct index_value row[] = {INDEX_INT(heap->roots[i].object + 1),
                                          INDEX_STR(heap->roots[i].kind),
                                          INDEX_STR(heap->roots[i].label)};
        assert_int_equal(index_writer_row(writer, INDEX_ROOT, row, 3), STATUS_OK);
    }
    for (int i = 0; i < heap->content_count; i++) {
        const struct index_value row[] = {
            INDEX_INT(heap->contents[i].first),
            INDEX_BYTES(heap->contents[i].bytes, heap->contents[i].size)};
        assert_int_equal(index_writer_row(writer, INDEX_CONTENT, row, 2), STATUS_OK);
    }
    for (int i = 0; i < heap->shared_size_count; i++) {
        const struct index_value row[] = {INDEX_INT(heap->shared_sizes[i].object + 1),
                                          INDEX_INT(heap->shared_sizes[i].bytes)};
        assert_int_equal(index_writer_row(writer, INDEX_SHARED_SIZE, row, 2), STATUS_OK);
    }
}

struct index *small_heap_index(const struct small_heap *heap)
{
    struct columns *columns = calloc(1, sizeof *columns);
    struct index_writer *writer;
    struct index *index = NULL;
    struct error err = {0};
    struct text text = {0};
    uint64_t offsets[MOST_TEXTS + 1] = {0};
    assert_non_null(columns);
    fill(heap, columns);
    for (uint32_t i = 0; i < columns->labels.count; i++) {
        text_append(&text, columns->labels.items[i]);
        offsets[i + 1] = text.size;
    }
    const struct heap_objects objects = {.count = (uint32_t)heap->count,
                                         .address = columns->address,
                                         .type = columns->type,
                                         .size = columns->size,
                                         .refcount = columns->refcount,
                                         .retained = columns->retained,
                                         .dominator = columns->dominator,
                                         .flags = columns->flags};
    const struct heap_references references = {.count = columns->edges,
                                               .first = columns->first,
                                               .target = columns->target,
                                               .label = columns->label};
    const struct heap_labels labels = {columns->labels.count, offsets, text_string(&text)};
    assert_int_equal(index_writer_create(NULL, &writer, &err), STATUS_OK);
    write_rows(heap, columns, writer);
    if (index_writer_heap(writer, &objects, &references, &labels, false, &err) != STATUS_OK ||
        index_writer_publish(writer, &index, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    text_deinit(&text);
    free(columns);
    return index;
}

void small_heap_shop(struct small_heap *heap)
{
    static const char *const keys[] = {"['u0']", "['u1']", "['u2']",
                                       "['u3']", "['u4']", "['it\\'s [5].x']"};
    *heap = (struct small_heap){0};
    int module = small_heap_add(heap, -1, NULL, "dict", 100);
    int sessions = small_heap_add(heap, module, "['SESSIONS']", "dict", 1000);
    for (int i = 0; i < 6; i++) {
        int session = small_heap_add(heap, sessions, keys[i], "shop.models.Session", 50);
        int dict = small_heap_add(heap, session, ".__dict__", "dict", 100);
        int basket = small_heap_add(heap, dict, "['basket']", "list", 80);
        small_heap_add(heap, basket, "[0]", "str", 20);
        small_heap_add(heap, basket, "[1]", "str", 20);
        small_heap_add(heap, dict, "['user']", "str", 60);
    }
    int node = small_heap_add(heap, module, "['HEAD']", "shop.models.Node", 48);
    for (int i = 0; i < 9; i++)
        node = small_heap_add(heap, node, ".next", "shop.models.Node", 48);
    small_heap_add(heap, module, "['BLOB']", "bytearray", 700);
    int other = small_heap_add(heap, -1, NULL, "dict", 64);
    int shared = small_heap_add(heap, -1, NULL, "str", 90);
    small_heap_refer(heap, module, "['NAME']", shared);
    small_heap_refer(heap, other, "['NAME']", shared);
    small_heap_refer(heap, other, "weak referent", node);
    int garbage = small_heap_add(heap, -1, NULL, "list", 88);
    heap->objects[garbage].unreachable = true;
    small_heap_add(heap, garbage, "[0]", "list", 56);
    small_heap_refer(heap, garbage + 1, "[0]", garbage);
    small_heap_root(heap, module, "module", "shop.cache");
    small_heap_root(heap, other, "module", "shop");
    small_heap_root(heap, module, "extension", "refcount 2, 1 found");
}
