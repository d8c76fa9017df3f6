/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/graph/memory.h"
#include "analyzer/runtime/heap_memory_parts.h"
#include "inquest/base/bytes_reader.h"
#include "inquest/base/checked_math.h"
#include "inquest/base/cycle_guard.h"
#include "inquest/base/limits.h"

#define PAGE_BYTES    4096
#define PRE_HEADER    16    /* bytes of the dictionary's words */
#define FIXED_START   16    /* reference count and type hold no data */
#define SPAN_MAX      4096  /* bytes of an object that are looked at */
#define FOLLOWED_MAX  65536 /* bytes of a piece of data that are looked at */
#define LEAST_ADDRESS 4096
#define OF_RUNTIME    (HEAP_NO_OBJECT - 1) /* owner: the interpreter itself */

/* ndarray of numpy: its bytes, which may be another's, and the flag that says. */
#define NDARRAY_DATA      16
#define NDARRAY_FLAGS     64
#define NDARRAY_OWNS_DATA 4

/* ---- the list */

enum status data_add(struct data_list *list, uint64_t addr, uint64_t size, bool is_block)
{
    uint64_t number = size / 16;
    uint32_t form = is_block ? DATA_BLOCK : 0;
    if (number > DATA_NUMBER) {
        number = min_u64(size / PAGE_BYTES, DATA_NUMBER);
        form = DATA_PAGES;
    }
    if (!array_reserve(&list->sizes, 1))
        return STATUS_NO_MEMORY;
    if (!heap_map_add(list->map, addr))
        return STATUS_CORRUPT;
    list->sizes.items[list->sizes.count++] = (uint32_t)number | form;
    if (!list->low)
        list->low = addr;
    list->high = addr;
    return STATUS_OK;
}

enum status data_add_blocks(struct data_list *list, const struct pool *pool,
                            const uint64_t blocks[POOL_LIVE_WORDS])
{
    struct heap_stretch places;
    uint32_t count = 0, step = pool->block_size / 8, words = (pool->block_count + 63) / 64;
    uint64_t size = POOL_HEADER_BYTES + (uint64_t)pool->block_count * pool->block_size;
    size = (size + HEAP_WORD_BYTES - 1) / HEAP_WORD_BYTES * HEAP_WORD_BYTES;
    for (uint32_t word = 0; word < words; word++)
        count += heap_count_bits(blocks[word]);
    if (!count)
        return STATUS_OK;
    if (!array_reserve(&list->sizes, count))
        return STATUS_NO_MEMORY;
    if (!heap_map_stretch(list->map, pool->addr, size, &places))
        return STATUS_CORRUPT;
    for (uint32_t i = 0; i < count; i++)
        list->sizes.items[list->sizes.count++] = pool->block_size / 16 | DATA_BLOCK;
    for (uint32_t word = 0; word < words; word++) {
        for (uint64_t bits = blocks[word]; bits; bits &= bits - 1) {
            uint32_t block = word * 64 + (uint32_t)__builtin_ctzll(bits);
            heap_stretch_set(&places, POOL_HEADER_BYTES / 8 + block * step);
        }
    }
    if (!list->low)
        list->low = pool->addr;
    list->high = pool->addr + size;
    return STATUS_OK;
}

uint64_t data_size(const struct data_list *list, uint32_t id)
{
    uint32_t form = list->sizes.items[id];
    return (uint64_t)(form & DATA_NUMBER) * (form & DATA_PAGES ? PAGE_BYTES : 16);
}

bool data_is_block(const struct data_list *list, uint32_t id)
{
    return list->sizes.items[id] & DATA_BLOCK;
}

void data_list_deinit(struct data_list *list)
{
    if (!list)
        return;
    heap_map_destroy(list->map);
    array_deinit(&list->sizes);
    graph_free(list->owner);
    *list = (struct data_list){0};
}

/* ---- what to look at of an object, by type */

enum look {
    LOOK_NOT,
    LOOK_FIXED,   /* the fixed part, and the dictionary's words in front */
    LOOK_STR,     /* as much of a str as its form has */
    LOOK_TYPE,    /* static types are shorter than others */
    LOOK_NDARRAY, /* numpy's, which may show another's data */
};

struct glance {
    enum look look;
    uint32_t before, span; /* before: 0, or as far back as the PRE_HEADER lies */
    bool follows;          /* its data may lead on to more of its own */
};

/* They hold references alone, to objects. */
static bool holds_no_data(const struct python_type *type)
{
    switch (type->kind) {
    case KIND_NONE:
    case KIND_BOOL:
    case KIND_INT:
    case KIND_FLOAT:
    case KIND_COMPLEX:
    case KIND_BYTES:
    case KIND_TUPLE: return type->is_exact_kind;
    case KIND_MEMORYVIEW: return true; /* shows another's */
    default: return !strcmp(type->name, "managedbuffer");
    }
}

static struct glance glance_of(const struct python_process *process, const struct python_type *type)
{
    struct glance glance = {.look = LOOK_FIXED, .before = 0};
    if (holds_no_data(type))
        return (struct glance){.look = LOOK_NOT};
    uint64_t header = object_header_bytes(process, type);
    glance.before = header > layout_get(&process->layout, PY_gc_head_size) ? (uint32_t)header : 0;
    glance.span = type->basicsize > 0 ? (uint32_t)min_u64((uint64_t)type->basicsize, SPAN_MAX) : 0;
    if (type->kind == KIND_STR && type->is_exact_kind)
        glance.look = LOOK_STR;
    else if (type->kind == KIND_TYPE)
        glance.look = LOOK_TYPE;
    else if (!strcmp(type->name, "numpy.ndarray"))
        glance.look = LOOK_NDARRAY;
    glance.follows = type->kind == KIND_UNKNOWN || type->kind == KIND_DEQUE ||
                     type->kind == KIND_ORDERED_DICT || type->kind == KIND_MODULE;
    return glance;
}

static uint32_t type_span(const struct python_process *process, uint64_t addr, uint32_t span)
{
    const struct python_layout *layout = &process->layout;
    uint64_t flags = 0, is_heap = layout_get(layout, PY_constant_tpflags_heaptype);
    if (object_pointer(process, addr, PY_type_flags, &flags) == STATUS_OK && flags & is_heap)
        return span;
    return (uint32_t)layout_get(layout, PY_type_size);
}

/* ---- claiming */

struct found_data {
    uint64_t addr;
    uint32_t id;
};

struct claims {
    const struct heap *heap;
    const struct python_process *process;
    struct data_list *list;
    struct glance *glances;
    ARRAY(struct found_data) pending; /* data that may lead on */
    struct reference_window window;
    uint64_t low, span; /* of the data's addresses */
    bool has_prefix;    /* 3.11, 3.12: values have bytes in front, the nearest says how many */
    bool no_memory;
};

static inline const uint8_t *view(struct claims *claims, uint64_t addr, uint64_t size,
                                  bool is_lasting)
{
    return reference_window_view(&claims->window, claims->process->image, addr, size, is_lasting);
}

/* How many bytes from its address on belong to the str's own struct. */
static uint32_t str_span(struct claims *claims, uint64_t addr)
{
    const struct python_layout *layout = &claims->process->layout;
    uint64_t offset = layout_get(layout, PY_unicode_state);
    const uint8_t *bytes = view(claims, addr, offset + 4, true);
    if (!bytes)
        return 0;
    uint32_t state = load_u32(bytes + offset);
    if (!(state >> layout_get(layout, PY_unicode_compact_shift) & 1))
        return (uint32_t)layout_get(layout, PY_unicode_size);
    if (!(state >> layout_get(layout, PY_unicode_ascii_shift) & 1))
        return (uint32_t)layout_get(layout, PY_unicode_compact_header_size);
    return layout_has(layout, PY_unicode_wstr)
               ? (uint32_t)layout_get(layout, PY_unicode_ascii_header_size)
               : 0;
}

static void claim_data(struct claims *claims, uint64_t addr, uint32_t owner, bool follows)
{
    struct found_data found = {.addr = addr};
    if (!heap_map_id(claims->list->map, addr, &found.id) ||
        claims->list->owner[found.id] != HEAP_NO_OBJECT)
        return;
    claims->list->owner[found.id] = owner;
    if (follows && !array_push(&claims->pending, found))
        claims->no_memory = true;
}

/* Most words lead to no data at all. */
static inline void claim(struct claims *claims, uint64_t addr, uint32_t owner, bool follows)
{
    if (addr - claims->low <= claims->span)
        claim_data(claims, addr, owner, follows);
}

/* A word that leads to the values of an instance, or of a dict that shares its keys. */
static void claim_values(struct claims *claims, uint64_t word, uint32_t owner)
{
    uint64_t addr = word & ~UINT64_C(1);
    uint64_t before = layout_get(&claims->process->layout, PY_values_prefix_before);
    const uint8_t *prefix = addr >= LEAST_ADDRESS ? view(claims, addr - before, 1, false) : NULL;
    if (prefix)
        claim(claims, addr - *prefix, owner, false);
}

static void claim_words(struct claims *claims, const uint8_t *bytes, uint64_t size, uint32_t owner,
                        bool follows)
{
    for (uint64_t offset = 0; offset + 8 <= size; offset += 8)
        claim(claims, load_u64(bytes + offset), owner, follows);
}

/* In front of the object: its dictionary, or its values. */
static void claim_pre_header(struct claims *claims, const uint8_t *bytes, uint32_t owner)
{
    claim_words(claims, bytes, PRE_HEADER, owner, false);
    for (uint32_t offset = 0; claims->has_prefix && offset < PRE_HEADER; offset += 8)
        claim_values(claims, load_u64(bytes + offset), owner);
}

/* The object's fixed part: where its address leads to. */
static void claim_fixed(struct claims *claims, const struct python_type *type,
                        const struct glance *glance, const uint8_t *bytes, uint32_t owner)
{
    const struct python_layout *layout = &claims->process->layout;
    uint64_t start = FIXED_START, values = layout_get(layout, PY_dict_values);
    if (claims->has_prefix && type->kind == KIND_DICT && values + 8 <= glance->span)
        claim_values(claims, load_u64(bytes + values), owner);
    if (glance->look == LOOK_NDARRAY && glance->span >= NDARRAY_FLAGS + 4 &&
        !(load_u32(bytes + NDARRAY_FLAGS) & NDARRAY_OWNS_DATA))
        start = NDARRAY_DATA + 8;
    if (glance->span > start)
        claim_words(claims, bytes + start, glance->span - start, owner, glance->follows);
}

static void claim_of_object(struct claims *claims, uint32_t object, uint32_t type)
{
    struct glance glance = claims->glances[type];
    uint64_t addr = heap_address(claims->heap, object);
    if (glance.look == LOOK_STR)
        glance.span = str_span(claims, addr);
    else if (glance.look == LOOK_TYPE)
        glance.span = type_span(claims->process, addr, glance.span);
    if (!(glance.before + glance.span))
        return;
    const uint8_t *bytes =
        view(claims, addr - glance.before, (uint64_t)glance.before + glance.span, true);
    if (!bytes)
        return;
    if (glance.before)
        claim_pre_header(claims, bytes, object);
    claim_fixed(claims, claims->heap->types.items[type], &glance, bytes + glance.before, object);
}

static void follow_pending(struct claims *claims)
{
    while (claims->pending.count && !claims->no_memory) {
        struct found_data found = claims->pending.items[--claims->pending.count];
        uint64_t available = 0;
        const uint8_t *bytes = memory_span(claims->process->image, found.addr, &available);
        uint64_t size = min_u64(data_size(claims->list, found.id), FOLLOWED_MAX);
        if (bytes)
            claim_words(claims, bytes, min_u64(size, available), claims->list->owner[found.id],
                        true);
    }
}

/* The states of the interpreter and of threads are no object's. */
static void claim_runtime(struct claims *claims)
{
    const struct python_process *process = claims->process;
    struct cycle_guard guard = {0};
    uint64_t addr;
    claim(claims, process->interp_addr, OF_RUNTIME, false);
    if (object_pointer(process, process->interp_addr, PY_interp_threads_head, &addr) != STATUS_OK)
        return;
    for (unsigned i = 0; addr && i < LIMIT_THREADS && cycle_guard_step(&guard, addr); i++) {
        claim(claims, addr, OF_RUNTIME, false);
        if (object_pointer(process, addr, PY_thread_next, &addr) != STATUS_OK)
            return;
    }
}

static enum status prepare(struct claims *claims)
{
    const struct heap *heap = claims->heap;
    struct data_list *list = claims->list;
    uint32_t count = 0;
    enum status status = heap_map_freeze(list->map, &count);
    if (status != STATUS_OK)
        return status;
    status = graph_alloc(count, sizeof *list->owner, (void **)&list->owner, NULL);
    if (status != STATUS_OK)
        return status;
    memset(list->owner, 0xFF, count * sizeof *list->owner);
    claims->glances = calloc(heap->types.count + 1, sizeof *claims->glances);
    if (!claims->glances)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < heap->types.count; i++)
        claims->glances[i] = glance_of(heap->process, heap->types.items[i]);
    claims->has_prefix = layout_has(&heap->process->layout, PY_values_prefix_before);
    claims->low = max_u64(list->low, LEAST_ADDRESS);
    claims->span = list->high > claims->low ? list->high - claims->low : 0;
    return STATUS_OK;
}

enum status owners_find(const struct heap *heap, struct data_list *list)
{
    struct claims claims = {.heap = heap, .process = heap->process, .list = list};
    enum status status = prepare(&claims);
    if (status == STATUS_OK) {
        claim_runtime(&claims);
        for (uint32_t i = 0; i < heap->count && !claims.no_memory; i++) {
            uint32_t type = heap->type[i];
            if (claims.glances[type].look == LOOK_NOT)
                continue;
            claim_of_object(&claims, i, type);
            follow_pending(&claims);
        }
        for (size_t i = 0; i < list->sizes.count; i++) {
            if (list->owner[i] == OF_RUNTIME)
                list->owner[i] = HEAP_NO_OBJECT;
        }
        status = claims.no_memory ? STATUS_NO_MEMORY : STATUS_OK;
    }
    array_deinit(&claims.pending);
    free(claims.glances);
    return status;
}

uint64_t object_inline_bytes(const struct heap *heap, uint32_t object)
{
    const struct python_type *type = heap_type(heap, object);
    uint64_t header = object_header_bytes(heap->process, type);
    uint64_t fixed = type->basicsize > 0 ? (uint64_t)type->basicsize : 0;
    bool is_var = type->itemsize > 0 || type->kind == KIND_STR;
    return is_var && heap_size(heap, object) > header ? heap_size(heap, object) - header : fixed;
}
