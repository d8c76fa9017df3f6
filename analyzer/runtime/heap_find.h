/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_HEAP_FIND_H
#define INQUEST_ANALYZER_RUNTIME_HEAP_FIND_H

#include "analyzer/objects/references.h"
#include "analyzer/runtime/heap_map.h"
#include "analyzer/runtime/heap_pools.h"
#include "inquest/base/array.h"
#include "inquest/base/bytes_reader.h"
#include "inquest/base/checked_math.h"

/* Finds objects without following references: those on the collector's lists
 * and those in pymalloc's pools. What is left (static ones, large ones that the
 * collector doesn't know) only references lead to. */
struct heap_find {
    struct heap_map *objects;     /* all that were found */
    struct heap_map *tracked;     /* those on the collector's lists, without frozen immortals */
    uint64_t generation_count[4]; /* objects by list: youngest first; last what is frozen,
                                     immortals too */
    struct pool_totals pools;
    uint64_t object_blocks, other_blocks; /* live pool blocks with an object, with other data */
    uint64_t other_bytes;
    const char *note; /* what is damaged, NULL for nothing */
};

enum status heap_find_objects(struct python_process *process, struct progress *progress,
                              struct heap_find *ret_find) MUST_CHECK;
void heap_find_deinit(struct heap_find *find);

/* Whether a live object stands at `addr`: a type that proves itself, and a
 * count above zero (freed and free-listed memory has none). NULL for no. */
const struct python_type *object_alive_at(struct python_process *process, uint64_t addr);

/* The same for an address that neither list nor pool showed, which some word
 * led to: freed memory can look alive, but its pool knows better. A word that
 * is surely a reference may lead to an object within a block that holds
 * something else. Any other may be a stale one, and memory that was used again
 * can look like an object: an int takes 8 for its size and then its digits,
 * which, where the int is an id(), are a type's address. Such a false bytearray
 * had 12 MB, a false list a table of other objects. As far as can be told
 * without learning new types, so on any thread: false is sure, true where the
 * type is known or may be one. */
bool object_may_be_at(const struct python_process *process, uint64_t addr, bool is_surely_one);

/* What stands before an object of this type in its memory block, in bytes. */
uint64_t object_header_bytes(const struct python_process *process, const struct python_type *type);

/* Above this no count is real: what stands there is a pointer or text. */
#define LARGEST_REFCOUNT (UINT64_C(1) << 40)

/* 3.11's static objects begin at 999,999,999 and are counted up and down from
 * there. */
#define STATIC_REFCOUNT_3_11 UINT64_C(500000000)

/* What the word with an object's reference count says. From 3.12 on a count has
 * 32 bits. Above are flags in 3.14 and later, and what an extension that was
 * built for an older one added to an immortal's count, which is little. An
 * address, as a free list keeps in the first word of its items, has more. */
static inline uint64_t refcount_of_word(unsigned minor, uint64_t word)
{
    if (minor >= 12) {
        const uint64_t most_carried = 0xFF;
        uint64_t carried = minor >= 14 ? word >> 32 & 0xFFFF : word >> 32;
        if (carried)
            return carried <= most_carried ? UINT64_MAX : 0;
        const uint64_t immortal = UINT32_C(1) << 31; /* as CPython's own test: a sign bit */
        word &= UINT32_MAX;
        return word >= immortal ? UINT64_MAX : word;
    }
    if (minor == 11 && word >= STATIC_REFCOUNT_3_11 && word <= LARGEST_REFCOUNT)
        return UINT64_MAX;
    return word;
}

/* Reference count and type of the object at `addr`, in one look. */
enum status object_head_apart(const struct python_process *process, uint64_t addr,
                              uint64_t *ret_count, uint64_t *ret_type_addr) MUST_CHECK;
static inline enum status MUST_CHECK object_head(const struct python_process *process,
                                                 struct reference_window *window, uint64_t addr,
                                                 uint64_t *ret_count, uint64_t *ret_type_addr)
{
    const struct python_layout *layout = &process->layout;
    uint64_t count = layout_get(layout, PY_object_refcnt),
             type = layout_get(layout, PY_object_type);
    const uint8_t *head =
        reference_window_view(window, process->image, addr, max_u64(count, type) + 8, true);
    if (!head)
        return object_head_apart(process, addr, ret_count, ret_type_addr);
    *ret_count = refcount_of_word(layout_minor(layout), load_u64(head + count));
    *ret_type_addr = load_u64(head + type);
    return STATUS_OK;
}

/* The reference count as the version stores it; UINT64_MAX for an immortal. */
enum status object_refcount(const struct python_process *process, uint64_t addr,
                            uint64_t *ret_count) MUST_CHECK;

/* ---- heap_header.c: whether what stands in front of an object is the
 * collector's, where the type has it so. Words of C memory that look like an
 * object by chance (an entry of a table whose hash is taken for a reference
 * count) don't have it. */
bool object_header_agrees(const struct python_process *process, uint64_t addr,
                          const struct python_type *type);

/* Whether the memory from there on holds as much as it claims to have, and a
 * dict's table can be one. */
bool object_fits_memory(const struct python_process *process, uint64_t addr,
                        const struct python_type *type);

#endif
