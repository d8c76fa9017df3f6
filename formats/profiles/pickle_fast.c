/* SPDX-License-Identifier: Apache-2.0 */
/* The run of opcodes that nearly all of a snapshot consists of, a trace, done in one go:
 *
 *   MARK, int, int, STACK, small int, TUPLE, memoize     (domain, size, stack, total_nframe)
 *   int, int, STACK, TUPLE3, memoize                     of CPython 3.8
 *
 *   STACK   get a stack
 *           MARK, FRAME…, TUPLE, memoize
 *           FRAME…, TUPLE1 to TUPLE3, memoize
 *   FRAME   get a file's name, small int, TUPLE2, memoize
 *
 * It does what the opcodes would do one by one, once all of them were seen; whatever looks
 * different in the least is left to them, errors included. */
#include "formats/profiles/pickle.h"
#include "inquest/base/bytes_reader.h"

/* Longer than what is read between two comparisons with the end of the file. */
#define RUN_BYTES 32

#define CACHE_BITS_MIN 6
#define CACHE_BITS_MAX 16
#define CACHE_PROBES   16
#define NOT_CACHED     UINT64_MAX
#define LINE_BITS      16
#define FRAME_BITS     20
#define INDEX_LIMIT    ((UINT32_C(1) << (64 - FRAME_BITS - LINE_BITS)) - 1) /* would be NOT_CACHED */
#define FRAMES_AT_ONCE 16

/* ---- the parts of a run: their length, or 0 where the bytes are something else */

static inline size_t small_int(const uint8_t *bytes, uint32_t *ret_number)
{
    if (bytes[0] == 'K') {
        *ret_number = bytes[1];
        return 2;
    }
    if (bytes[0] != 'M')
        return 0;
    *ret_number = load_u16(bytes + 1);
    return 3;
}

/* Not negative. */
static inline size_t any_int(const uint8_t *bytes, uint32_t *ret_number)
{
    if (bytes[0] != 'J')
        return small_int(bytes, ret_number);
    *ret_number = load_u32(bytes + 1);
    return *ret_number <= INT32_MAX ? 5 : 0;
}

/* The place in the memo that is got. */
static inline size_t get(const uint8_t *bytes, uint32_t *ret_index)
{
    if (bytes[0] == 'h') {
        *ret_index = bytes[1];
        return 2;
    }
    if (bytes[0] != 'j')
        return 0;
    *ret_index = load_u32(bytes + 1);
    return 5;
}

/* Putting the top into the place `next`, the first free one. */
static inline size_t put(const uint8_t *bytes, size_t next)
{
    if (bytes[0] == 0x94)
        return 1;
    if (bytes[0] == 'r' && load_u32(bytes + 1) == next)
        return 5;
    return bytes[0] == 'q' && bytes[1] == next ? 2 : 0;
}

/* ---- frames */

/* A frame that was seen but not looked up. */
struct seen_frame {
    uint64_t key; /* its name's place in the memo, and its line */
    size_t place; /* in the cache */
};

/* The cache is small enough to stay in the processor's. A word of it is a key and its frame. */
static inline bool is_cached(uint64_t word, uint64_t key)
{
    return word >> FRAME_BITS == key;
}

static inline uint32_t cached_frame(uint64_t word)
{
    return (uint32_t)word & ((UINT32_C(1) << FRAME_BITS) - 1);
}

/* *ret_frame is PROFILE_NO_ID where the name is none. */
static enum status make_frame(struct pickle *pickle, uint64_t key, uint32_t *ret_frame)
{
    const uint32_t *name = pickle_memo_find(&pickle->memo, key >> LINE_BITS);
    uint32_t value;
    *ret_frame = PROFILE_NO_ID;
    if (!name || pickle_kind_of(*name) != PICKLE_STRING)
        return STATUS_OK;
    enum status status = pickle_build_frame(pickle, pickle_payload(*name),
                                            (int32_t)(key & ((1 << LINE_BITS) - 1)), &value);
    if (status == STATUS_OK)
        *ret_frame = pickle_payload(value);
    return status;
}

/* One that is not in its own place: in one of the few behind it, or not there. Where all of
 * those are taken, the first is given up. */
static enum status find_frame(struct pickle *pickle, const struct seen_frame *seen,
                              uint32_t *ret_frame)
{
    uint64_t *words = pickle->frame_cache + seen->place, *free_word = words;
    for (size_t i = 0; i < CACHE_PROBES; i++) {
        if (is_cached(words[i], seen->key)) {
            *ret_frame = cached_frame(words[i]);
            return STATUS_OK;
        }
        if (words[i] == NOT_CACHED) {
            free_word = &words[i];
            break;
        }
    }
    enum status status = make_frame(pickle, seen->key, ret_frame);
    if (status == STATUS_OK && *ret_frame >> FRAME_BITS == 0)
        *free_word = seen->key << FRAME_BITS | *ret_frame;
    return status;
}

/* The length of a frame that would be memo entry `next`; 0: it is something else. */
static inline size_t see_frame(const uint8_t *bytes, size_t next, uint64_t *ret_key)
{
    uint32_t index, line;
    size_t got = get(bytes, &index);
    size_t number = got ? small_int(bytes + got, &line) : 0;
    const uint8_t *tuple = bytes + got + number;
    if (!number || *tuple != 0x86 || index >= INDEX_LIMIT)
        return 0;
    *ret_key = (uint64_t)index << LINE_BITS | line;
    size_t kept = put(tuple + 1, next);
    return kept ? got + number + 1 + kept : 0;
}

/* The next few frames, from stack->end on, and their places in the cache, which are asked for. */
static inline size_t see_frames(const struct pickle *pickle, struct pickle_new_stack *stack,
                                struct seen_frame seen[FRAMES_AT_ONCE])
{
    const uint8_t *at = pickle->data + stack->end, *end = pickle->data + pickle->size;
    const uint64_t *cache = pickle->frame_cache;
    size_t next = pickle->memo.count + stack->depth, count = 0, size;
    unsigned shift = 64 - pickle->cache_bits;
    while (count < FRAMES_AT_ONCE && end - at >= RUN_BYTES &&
           (size = see_frame(at, next + count, &seen[count].key))) {
        size_t place = seen[count].key * UINT64_C(0x9e3779b97f4a7c15) >> shift;
        __builtin_prefetch(&cache[place]);
        seen[count++].place = place;
        at += size;
    }
    stack->end = (size_t)(at - pickle->data);
    return count;
}

/* The frames of the stack. All of the next few are seen before the first is looked up. */
static inline enum status read_frames(struct pickle *pickle, struct pickle_new_stack *stack)
{
    struct seen_frame seen[FRAMES_AT_ONCE];
    size_t count = FRAMES_AT_ONCE, depth = 0;
    while (count == FRAMES_AT_ONCE && depth <= PICKLE_FRAMES_MAX - FRAMES_AT_ONCE) {
        stack->depth = depth;
        count = see_frames(pickle, stack, seen);
        for (size_t i = 0; i < count; i++) {
            uint64_t word = pickle->frame_cache[seen[i].place];
            uint32_t frame = cached_frame(word);
            enum status status =
                is_cached(word, seen[i].key) ? STATUS_OK : find_frame(pickle, &seen[i], &frame);
            if (status != STATUS_OK || frame == PROFILE_NO_ID) {
                stack->depth = 0;
                return status;
            }
            stack->frames[PICKLE_FRAMES_MAX - ++depth] = frame;
        }
    }
    stack->depth = depth;
    return STATUS_OK;
}

/* From stack->end on. */
static inline enum status read_stack(struct pickle *pickle, struct pickle_new_stack *stack)
{
    bool is_marked = pickle->data[stack->end] == '(';
    size_t kept = 0;
    stack->end += is_marked;
    enum status status = read_frames(pickle, stack);
    const uint8_t *tuple = pickle->data + stack->end;
    bool has_opcode = is_marked || (stack->depth >= 1 && stack->depth <= 3);
    if (has_opcode && pickle->size - stack->end >= RUN_BYTES &&
        *tuple == (is_marked ? 't' : 0x84 + stack->depth))
        kept = put(tuple + 1, pickle->memo.count + stack->depth);
    if (!kept)
        stack->depth = 0;
    stack->end += 1 + kept;
    return status;
}

static inline const uint32_t *frames_of(const struct pickle_new_stack *stack)
{
    return stack->frames + PICKLE_FRAMES_MAX - stack->depth;
}

/* Looks up the stack that waits, if one does. */
static inline enum status finish_stack(struct pickle *pickle)
{
    struct pickle_new_stack *stack = &pickle->new_stacks[!pickle->newest];
    uint32_t id;
    if (!stack->depth)
        return STATUS_OK;
    enum status status = profile_add_hashed_stack(pickle->profile, frames_of(stack),
                                                  (uint32_t)stack->depth, stack->hash, &id);
    if (status != STATUS_OK || id > PICKLE_PAYLOAD_MAX)
        return status == STATUS_OK ? STATUS_OVER_LIMIT : status;
    pickle->memo.values.items[stack->kept] = pickle_value(PICKLE_STACK, id);
    stack->depth = 0;
    return STATUS_OK;
}

/* The stack and its frames take their places in the memo. What it is waits for the next one: to
 * look it up at once is to wait for the profile's table. */
static inline enum status keep_stack(struct pickle *pickle, struct pickle_new_stack *stack)
{
    if (!pickle_memo_pass(&pickle->memo, stack->depth) ||
        !pickle_memo_add(&pickle->memo, pickle_value(PICKLE_STACK, 0)))
        return STATUS_NO_MEMORY;
    stack->kept = pickle->memo.values.count - 1;
    stack->hash = profile_hash_stack(pickle->profile, frames_of(stack), (uint32_t)stack->depth);
    enum status status = finish_stack(pickle);
    pickle->newest = !pickle->newest;
    return status;
}

/* ---- traces */

/* What comes before the stack: its length, or 0. */
static inline size_t see_begin(const uint8_t *bytes, struct pickle_trace *ret_trace)
{
    uint32_t size;
    size_t mark = bytes[0] == '(', domain = any_int(bytes + mark, &ret_trace->domain);
    size_t number = domain ? any_int(bytes + mark + domain, &size) : 0;
    if (!number)
        return 0;
    ret_trace->size = size;
    return mark + domain + number;
}

/* The trace's tuple and its place in the memo, `next`: their length, or 0. */
static inline size_t see_end(const struct pickle *pickle, size_t at, bool has_total, size_t next)
{
    uint32_t total;
    const uint8_t *bytes = pickle->data + at;
    if (pickle->size - at < RUN_BYTES)
        return 0;
    size_t number = has_total ? small_int(bytes, &total) : 0;
    if ((has_total && !number) || bytes[number] != (has_total ? 't' : 0x87))
        return 0;
    size_t kept = put(bytes + number + 1, next);
    return kept ? number + 1 + kept : 0;
}

static enum status push_trace(struct pickle *pickle, struct pickle_trace trace)
{
    if (pickle->traces.count > PICKLE_PAYLOAD_MAX)
        return STATUS_OVER_LIMIT;
    uint32_t value = pickle_value(PICKLE_TRACE, (uint32_t)pickle->traces.count);
    return array_push(&pickle->traces, trace) && pickle_memo_add(&pickle->memo, value) &&
                   array_push(&pickle->stack, value)
               ? STATUS_OK
               : STATUS_NO_MEMORY;
}

static inline enum status run_trace(struct pickle *pickle, size_t *ret_size)
{
    const uint8_t *bytes = pickle->data + pickle->position;
    struct pickle_new_stack *stack = &pickle->new_stacks[pickle->newest];
    struct pickle_trace trace;
    enum status status = STATUS_OK;
    size_t begin = see_begin(bytes, &trace), next = pickle->memo.count, place;
    uint32_t index;
    uint64_t key;
    if (!begin)
        return STATUS_OK;
    stack->depth = 0;
    stack->end = pickle->position + begin;
    size_t got = get(bytes + begin, &index);
    if (got && !see_frame(bytes + begin, next, &key)) {
        place = index < next ? index : SIZE_MAX;
        stack->end += got;
    } else {
        status = read_stack(pickle, stack);
        if (!stack->depth)
            return status;
        place = next + stack->depth;
        next = place + 1;
    }
    size_t end = see_end(pickle, stack->end, bytes[0] == '(', next);
    if (status != STATUS_OK || !end || place > PICKLE_PAYLOAD_MAX)
        return stack->depth = 0, status;
    *ret_size = stack->end + end - pickle->position;
    trace.stack = pickle_later((uint32_t)place);
    if (stack->depth)
        status = keep_stack(pickle, stack);
    return status == STATUS_OK ? push_trace(pickle, trace) : status;
}

static enum status prepare_cache(struct pickle *pickle)
{
    /* a place for each 64 bytes of the file, in which 6 to 8 frames are at most */
    unsigned bits = CACHE_BITS_MIN;
    while (bits < CACHE_BITS_MAX && (size_t)64 << bits < pickle->size)
        bits++;
    size_t places = ((size_t)1 << bits) + CACHE_PROBES;
    pickle->cache_bits = bits;
    pickle->frame_cache = malloc(places * sizeof *pickle->frame_cache);
    if (!pickle->frame_cache)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < places; i++)
        pickle->frame_cache[i] = NOT_CACHED;
    return STATUS_OK;
}

/* As many traces as there are from the position on. What is left to do later needs a memo in
 * which nothing is put twice: a thin one. */
enum status pickle_run_fast(struct pickle *pickle)
{
    enum status status = pickle->frame_cache ? STATUS_OK : prepare_cache(pickle);
    while (status == STATUS_OK && pickle->size - pickle->position >= RUN_BYTES) {
        uint8_t code = pickle->data[pickle->position];
        size_t size = 0;
        pickle->offset = pickle->position;
        if (code == '(' || code == 'K' || code == 'M' || code == 'J')
            status = run_trace(pickle, &size);
        pickle->position += size;
        if (!size)
            break;
    }
    if (status == STATUS_OK)
        status = finish_stack(pickle);
    return status == STATUS_OK ? status : pickle_fail_plainly(pickle, status);
}
