/* SPDX-License-Identifier: Apache-2.0 */
/* One pass over the objects that a root leads to, in order of address; then the rows. */
#include "analyzer/findings/waste.h"

#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/findings/object_window.h"
#include "analyzer/findings/waste_pass.h"

#define ROWS_PER_KIND 1000 /* the largest; one more for the rest */
#define FIRST_SLOTS   1024

const char *const waste_kind_names[WASTE_KIND_COUNT] = {
    [WASTE_STRING] = "duplicate string",         [WASTE_BYTES] = "duplicate bytes",
    [WASTE_TUPLE] = "duplicate tuple",           [WASTE_EMPTY_DICT] = "empty dict",
    [WASTE_EMPTY_LIST] = "empty list",           [WASTE_EMPTY_SET] = "empty set",
    [WASTE_EMPTY_TUPLE] = "empty tuple",         [WASTE_LIST_ROOM] = "over-allocated list",
    [WASTE_SPARSE_DICT] = "sparse dict",         [WASTE_SPARSE_SET] = "sparse set",
    [WASTE_INSTANCE_DICT] = "dict per instance", [WASTE_BOXED] = "boxed numbers",
};

/* ---- added up by place */

static uint32_t find_slot(const struct waste_pass *pass, uint8_t kind, uint32_t holder)
{
    uint64_t hash = ((uint64_t)holder << 4 | kind) * UINT64_C(0x9E3779B97F4A7C15);
    uint32_t slot = (uint32_t)(hash >> 32) & pass->slot_mask;
    for (; pass->slots[slot]; slot = (slot + 1) & pass->slot_mask) {
        const struct waste_place *place = &pass->places.items[pass->slots[slot] - 1];
        if (place->kind == kind && place->holder == holder)
            break;
    }
    return slot;
}

static bool grow(struct waste_pass *pass)
{
    uint32_t mask = pass->slots ? pass->slot_mask * 2 + 1 : FIRST_SLOTS - 1;
    uint32_t *slots = calloc((size_t)mask + 1, sizeof *slots);
    if (!slots)
        return false;
    free(pass->slots);
    pass->slots = slots;
    pass->slot_mask = mask;
    for (size_t i = 0; i < pass->places.count; i++) {
        const struct waste_place *place = &pass->places.items[i];
        if (place->kind != WASTE_BOXED) /* one each */
            slots[find_slot(pass, place->kind, place->holder)] = (uint32_t)i + 1;
    }
    return true;
}

bool waste_add(struct waste_pass *pass, enum waste_kind kind, uint32_t object, uint64_t bytes)
{
    struct waste_place place = {.kind = (uint8_t)kind, .example = object};
    if (!holder_of(&pass->holders, object, &place.holder))
        return false;
    if ((!pass->slots || pass->places.count * 2 >= pass->slot_mask) && !grow(pass))
        return false;
    uint32_t slot = find_slot(pass, place.kind, place.holder);
    if (!pass->slots[slot]) {
        if (pass->places.count >= UINT32_MAX - 2 || !array_push(&pass->places, place))
            return false;
        pass->slots[slot] = (uint32_t)pass->places.count;
    }
    struct waste_place *found = &pass->places.items[pass->slots[slot] - 1];
    found->count++;
    found->bytes += bytes;
    if (bytes > found->most) {
        found->most = bytes;
        found->example = object;
    }
    return true;
}

/* ---- the pass */

/* An empty tuple is one object, shared by all: a second one is what counts. */
static bool add_tuple(struct waste_pass *pass, uint32_t object, bool *met_empty)
{
    int64_t size;
    if (object_size(pass->heap->process, heap_address(pass->heap, object), &size) != STATUS_OK)
        return true;
    if (size)
        duplicates_add(&pass->duplicates, object);
    else if (*met_empty)
        return waste_add(pass, WASTE_EMPTY_TUPLE, object, heap_size(pass->heap, object));
    else
        *met_empty = true;
    return true;
}

static bool add_list(struct waste_pass *pass, uint32_t object)
{
    return waste_of_list(pass, object) &&
           (graph_degree(&pass->heap->references, object) < BOXED_LEAST ||
            waste_of_numbers(pass, object));
}

/* What is looked at in an object, by its type; 0: nothing. */
enum look {
    LOOK_NOT,
    LOOK_VALUE,
    LOOK_TUPLE,
    LOOK_LIST,
    LOOK_DICT,
    LOOK_SET,
    LOOK_INSTANCE,
};

static uint8_t look_of(const struct python_type *type)
{
    static const uint8_t of_kind[KIND_COUNT] = {
        [KIND_STR] = LOOK_VALUE, [KIND_BYTES] = LOOK_VALUE, [KIND_TUPLE] = LOOK_TUPLE,
        [KIND_LIST] = LOOK_LIST, [KIND_DICT] = LOOK_DICT,   [KIND_SET] = LOOK_SET};
    return type->is_exact_kind ? of_kind[type->kind] : LOOK_NOT;
}

static bool look_at(struct waste_pass *pass, uint32_t object, bool *met_empty)
{
    switch ((enum look)pass->looks[pass->heap->type[object]]) {
    case LOOK_VALUE: duplicates_add(&pass->duplicates, object); return true;
    case LOOK_TUPLE: return add_tuple(pass, object, met_empty);
    case LOOK_LIST: return add_list(pass, object);
    case LOOK_DICT: return waste_of_dict(pass, object);
    case LOOK_SET: return waste_of_set(pass, object);
    case LOOK_INSTANCE: waste_of_instance(pass, object); return true;
    case LOOK_NOT: break;
    }
    return true;
}

static enum status look_at_all(struct waste_pass *pass)
{
    const uint64_t *reached = pass->findings->facts->reached;
    struct object_window window = {.heap = pass->heap, .wanted = pass->looks};
    bool ok = true, met_empty = false;
    for (uint32_t object = 0; object < pass->heap->count && ok; object++) {
        object_prefetch(&window, object);
        if (graph_bit(reached, object))
            ok = look_at(pass, object, &met_empty);
    }
    ok = ok && duplicates_finish(&pass->duplicates);
    return ok ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status prepare_looks(struct waste_pass *pass)
{
    const struct heap *heap = pass->heap;
    pass->instances = calloc(heap->types.count + 1, sizeof *pass->instances);
    pass->looks = calloc(heap->types.count + 1, sizeof *pass->looks);
    if (!pass->instances || !pass->looks)
        return STATUS_NO_MEMORY;
    instance_forms(heap, pass->instances);
    for (size_t i = 0; i < heap->types.count; i++)
        pass->looks[i] = pass->instances[i].form ? LOOK_INSTANCE : look_of(heap->types.items[i]);
    return STATUS_OK;
}

static uint64_t count_candidates(const struct waste_pass *pass)
{
    const struct heap *heap = pass->heap;
    uint64_t count = 0;
    for (uint32_t object = 0; object < heap->count; object++) {
        uint8_t look = pass->looks[heap->type[object]];
        count += look == LOOK_VALUE || look == LOOK_TUPLE;
    }
    return count;
}

/* ---- rows: each kind's own largest */

struct row {
    uint64_t bytes, count;
    uint32_t example, index; /* index: of the group, place or type */
    uint8_t kind;
};

struct rows {
    struct waste_pass *pass;
    ARRAY(struct row) items;
    struct text title, holder;
};

static int compare_rows(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    return (a->example > b->example) - (a->example < b->example);
}

static bool collect(struct rows *rows)
{
    const struct waste_pass *pass = rows->pass;
    static const uint8_t kind_of[KIND_COUNT] = {
        [KIND_STR] = WASTE_STRING, [KIND_BYTES] = WASTE_BYTES, [KIND_TUPLE] = WASTE_TUPLE};
    bool ok = true;
    for (size_t i = 0; i < pass->duplicates.groups.count && ok; i++) {
        const struct duplicate *group = &pass->duplicates.groups.items[i];
        struct row row = {group->bytes - group->largest, group->copies, group->first, (uint32_t)i,
                          kind_of[heap_type(pass->heap, group->first)->kind]};
        ok = array_push(&rows->items, row);
    }
    for (size_t i = 0; i < pass->places.count && ok; i++) {
        const struct waste_place *place = &pass->places.items[i];
        struct row row = {place->bytes, place->count, place->example, (uint32_t)i, place->kind};
        ok = array_push(&rows->items, row);
    }
    for (size_t i = 0; i < pass->heap->types.count && ok; i++) {
        const struct instance_waste *waste = &pass->instances[i];
        struct row row = {waste->bytes, waste->count, waste->example, (uint32_t)i,
                          WASTE_INSTANCE_DICT};
        ok = !waste->bytes || array_push(&rows->items, row);
    }
    if (rows->items.count)
        qsort(rows->items.items, rows->items.count, sizeof *rows->items.items, compare_rows);
    return ok;
}

static void words_of_duplicate(struct rows *rows, const struct row *row)
{
    static const struct repr_limits limits = {
        .depth = 2, .items = 8, .string_size = 80, .total_size = 200};
    struct waste_pass *pass = rows->pass;
    const struct duplicate *group = &pass->duplicates.groups.items[row->index];
    uint32_t holder = group->holder;
    object_repr(pass->heap->process, heap_address(pass->heap, row->example), &limits, &rows->title);
    if (holder != NO_HOLDER || holder_of(&pass->holders, row->example, &holder))
        holder_text(&pass->holders, holder, &rows->holder);
}

static void words_of(struct rows *rows, const struct row *row)
{
    struct waste_pass *pass = rows->pass;
    text_clear(&rows->title);
    text_clear(&rows->holder);
    switch ((enum waste_kind)row->kind) {
    case WASTE_STRING:
    case WASTE_BYTES:
    case WASTE_TUPLE: words_of_duplicate(rows, row); return;
    case WASTE_INSTANCE_DICT:
        text_append(&rows->title, pass->heap->types.items[row->index]->name);
        return;
    default: holder_text(&pass->holders, pass->places.items[row->index].holder, &rows->title);
    }
}

/* Of duplicates, where all copies have one size. */
static bool size_of_one(const struct rows *rows, const struct row *row, uint64_t *ret_size)
{
    if (row->kind > WASTE_TUPLE)
        return false;
    const struct duplicate *group = &rows->pass->duplicates.groups.items[row->index];
    *ret_size = group->largest;
    return group->largest * group->copies == group->bytes;
}

static enum status write_row(struct rows *rows, const struct row *row)
{
    uint64_t size = 0;
    bool has_size = size_of_one(rows, row, &size);
    words_of(rows, row);
    if (!text_ok(&rows->title) || !text_ok(&rows->holder))
        return STATUS_NO_MEMORY;
    const struct index_value values[] = {
        INDEX_STR(waste_kind_names[row->kind]),
        INDEX_STR(text_string(&rows->title)),
        INDEX_INT(row->count),
        INDEX_INT(row->bytes),
        INDEX_INT(row->example + UINT64_C(1)),
        INDEX_STR(rows->holder.size ? text_string(&rows->holder) : NULL),
        INDEX_INT_IF(has_size, size),
    };
    return index_writer_row(rows->pass->findings->writer, INDEX_WASTE, values,
                            sizeof values / sizeof *values);
}

static enum status write_rest(struct rows *rows, uint8_t kind, uint64_t places, uint64_t count,
                              uint64_t bytes)
{
    text_clear(&rows->title);
    text_printf(&rows->title, "… %" PRIu64 " more, each less than these", places);
    const struct index_value values[] = {
        INDEX_STR(waste_kind_names[kind]),
        INDEX_STR(text_string(&rows->title)),
        INDEX_INT(count),
        INDEX_INT(bytes),
        INDEX_NONE,
        INDEX_NONE,
        INDEX_NONE,
    };
    return index_writer_row(rows->pass->findings->writer, INDEX_WASTE, values,
                            sizeof values / sizeof *values);
}

static enum status write_rows(struct waste_pass *pass)
{
    struct rows rows = {.pass = pass};
    enum status status = collect(&rows) ? STATUS_OK : STATUS_NO_MEMORY;
    size_t i = 0;
    while (i < rows.items.count && status == STATUS_OK) {
        uint8_t kind = rows.items.items[i].kind;
        uint64_t written = 0, places = 0, count = 0, bytes = 0;
        for (; i < rows.items.count && rows.items.items[i].kind == kind && status == STATUS_OK;
             i++) {
            if (written++ < ROWS_PER_KIND) {
                status = write_row(&rows, &rows.items.items[i]);
                continue;
            }
            places++;
            count += rows.items.items[i].count;
            bytes += rows.items.items[i].bytes;
        }
        if (places && status == STATUS_OK)
            status = write_rest(&rows, kind, places, count, bytes);
    }
    array_deinit(&rows.items);
    text_deinit(&rows.title);
    text_deinit(&rows.holder);
    return status;
}

enum status waste_write(const struct findings *findings, struct error *err)
{
    const struct heap *heap = findings->heap;
    struct waste_pass pass = {.findings = findings, .heap = heap};
    enum status status = holders_init(&pass.holders, findings);
    if (status == STATUS_OK)
        status = prepare_looks(&pass);
    if (status == STATUS_OK)
        status = duplicates_init(&pass.duplicates, heap, &pass.holders, count_candidates(&pass));
    if (status == STATUS_OK)
        status = look_at_all(&pass);
    if (status == STATUS_OK)
        status = write_rows(&pass);
    duplicates_deinit(&pass.duplicates);
    holders_deinit(&pass.holders);
    array_deinit(&pass.places);
    free(pass.slots);
    free(pass.instances);
    free(pass.looks);
    return status == STATUS_OK ? STATUS_OK : error_set(err, status, "%s", status_name(status));
}
