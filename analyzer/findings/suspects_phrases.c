/* SPDX-License-Identifier: Apache-2.0 */
/* Objects and holders in words. The counters of an lru_cache (Modules/_functoolsmodule.c):
 *
 * OFFSET         SIZE  MEANING
 * cache          8     pointer to its dict, found by its value
 * cache + 8      8     hits
 * cache + 16     8     pointer to the function
 * cache + 24     8     maxsize, -1 for None
 * cache + 32     8     misses */
#include <string.h>

#include "analyzer/findings/suspects_words.h"
#include "analyzer/objects/containers.h"
#include "inquest/base/bytes_reader.h"

#define LRU_MOST_BYTES 256

static void append_article(struct text *text, const char *name)
{
    text_append(text, *name && strchr("aeioAEIO", *name) ? "an " : "a ");
}

static void append_number(struct text *text, uint64_t count, const char *one, const char *many)
{
    text_append(text, " with ");
    text_append_count(text, count);
    text_append(text, count == 1 ? one : many);
}

struct lru_counts {
    uint64_t entries;
    int64_t hits, misses, maxsize;
};

static bool read_lru(const struct finder *finder, uint32_t object, struct lru_counts *ret_counts)
{
    struct python_process *process = finder->heap->process;
    const struct graph *references = &finder->heap->references;
    const struct python_type *type = heap_type(finder->heap, object);
    uint64_t size = type->basicsize > 0 && type->basicsize < LRU_MOST_BYTES
                        ? (uint64_t)type->basicsize
                        : LRU_MOST_BYTES;
    const uint8_t *bytes = memory_view(process->image, heap_address(finder->heap, object), size);
    uint64_t end = graph_end(references, object);
    for (uint64_t edge = graph_first(references, object); bytes && edge < end; edge++) {
        uint32_t dict = references->targets[edge];
        if (heap_type(finder->heap, dict)->kind != KIND_DICT)
            continue;
        for (uint64_t at = 16; at + 40 <= size; at += 8) {
            uint32_t function;
            if (load_u64(bytes + at) != heap_address(finder->heap, dict) ||
                !heap_map_id(finder->heap->find.objects, load_u64(bytes + at + 16), &function))
                continue;
            struct lru_counts counts = {.hits = (int64_t)load_u64(bytes + at + 8),
                                        .maxsize = (int64_t)load_u64(bytes + at + 24),
                                        .misses = (int64_t)load_u64(bytes + at + 32)};
            if (counts.hits < 0 || counts.misses < 0 || counts.maxsize < -1 ||
                dict_count(process, heap_address(finder->heap, dict), &counts.entries) != STATUS_OK)
                continue;
            *ret_counts = counts;
            return true;
        }
    }
    return false;
}

static void append_lru(const struct finder *finder, uint32_t object, struct text *text)
{
    struct lru_counts counts;
    text_append(text, "an lru_cache");
    if (!read_lru(finder, object, &counts))
        return;
    text_append(text, " (maxsize ");
    if (counts.maxsize < 0)
        text_append(text, "None");
    else
        text_append_count(text, (uint64_t)counts.maxsize);
    text_append(text, ", ");
    text_append_count(text, counts.entries);
    text_append(text, counts.entries == 1 ? " entry, " : " entries, ");
    text_append_count(text, (uint64_t)counts.hits);
    text_append(text, counts.hits == 1 ? " hit, " : " hits, ");
    text_append_count(text, (uint64_t)counts.misses);
    text_append(text, counts.misses == 1 ? " miss)" : " misses)");
}

/* How many items a container has; false where that can't be read, or it is none. */
static bool count_items(const struct finder *finder, uint32_t object, uint64_t *ret_count,
                        bool *ret_entries)
{
    struct python_process *process = finder->heap->process;
    uint64_t addr = heap_address(finder->heap, object), items;
    struct set_iterator set;
    struct deque_iterator deque;
    *ret_entries = false;
    switch (heap_type(finder->heap, object)->kind) {
    case KIND_DICT:
    case KIND_ORDERED_DICT:
    case KIND_DEFAULT_DICT:
    case KIND_COUNTER:
        *ret_entries = true;
        return dict_count(process, addr, ret_count) == STATUS_OK;
    case KIND_LIST: return list_items(process, addr, &items, ret_count) == STATUS_OK;
    case KIND_TUPLE: return tuple_items(process, addr, &items, ret_count) == STATUS_OK;
    case KIND_SET:
    case KIND_FROZENSET:
        if (set_iterate(process, addr, &set) != STATUS_OK)
            return false;
        *ret_count = set.used;
        return true;
    case KIND_DEQUE:
        if (deque_iterate(process, addr, &deque) != STATUS_OK)
            return false;
        *ret_count = deque.count;
        return true;
    default: return false;
    }
}

void words_object(struct finder *finder, uint32_t object, struct text *text)
{
    const struct python_type *type = heap_type(finder->heap, object);
    uint64_t count;
    bool entries;
    if (strcmp(type->name, "functools._lru_cache_wrapper") == 0) {
        append_lru(finder, object, text);
        return;
    }
    append_article(text, type->name);
    text_printf(text, type->module && strcmp(type->module, "builtins") != 0 ? "`%s`" : "%s",
                type->name);
    if (count_items(finder, object, &count, &entries)) {
        append_number(text, count, entries ? " entry" : " item", entries ? " entries" : " items");
    } else if (heap_getsizeof(finder->heap, object) > heap_retained(finder->facts, object) / 2) {
        text_append(text, " of ");
        text_append_size(text, heap_getsizeof(finder->heap, object));
    }
}

/* ---- Holders: the words of the column, by how they begin, and what to say. */

static const struct phrase {
    const char *holder, *words;
} phrases[] = {
    {"class attribute", "a class attribute"},
    {"closure cell", "a variable that a closure keeps"},
    {"thread local", "kept in a thread local"},
    {"context variable", "kept in a context variable"},
    {"variable of a running frame", "a variable of a running frame"},
    {"variable of a suspended generator", "a variable of a suspended generator"},
    {"variable of a suspended coroutine", "a variable of a suspended coroutine"},
    {"variable of a suspended async generator", "a variable of a suspended async generator"},
    {"traceback of an exception", "in a frame that is kept by the "},
    {"logging handler", "kept by a logging handler"},
    {"event loop queue", "kept by an event loop"},
    {"atexit callback", "kept for an atexit callback"},
    {"signal handler", "kept by a "},
    {"gc.garbage", "what the collector could not free"},
    {"thread state", "kept in a thread's state"},
    {"interpreter state", "kept in the interpreter's state"},
    {"C variable", "kept in a C variable"},
    {"attribute of a function", "an attribute of a function"},
    {NULL, NULL},
};

void words_holder(const struct finder *finder, const struct suspect *suspect, struct text *text)
{
    if (strcmp(suspect->holder, "extension") == 0) {
        const struct heap_roots *roots = finder->findings->roots;
        text_append(text, ", held by C code");
        for (size_t i = 0; i < roots->roots.count; i++)
            if (roots->roots.items[i].kind == ROOT_EXTENSION &&
                roots->roots.items[i].object == suspect->object) {
                text_printf(text, " (%s)", roots->roots.items[i].label);
                return;
            }
        return;
    }
    for (const struct phrase *phrase = phrases; phrase->holder; phrase++) {
        if (strncmp(suspect->holder, phrase->holder, strlen(phrase->holder)) != 0)
            continue;
        text_printf(text, ", %s", phrase->words);
        size_t size = strlen(phrase->words);
        if (phrase->words[size - 1] == ' ')
            text_append(text, suspect->holder);
        return;
    }
}
