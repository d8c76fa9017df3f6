/* SPDX-License-Identifier: Apache-2.0 */
/* The two runs of opcodes that nearly all of a snapshot consists of, done in one go:
 *
 *   get a file's name, small int, TUPLE2, memoize                     a frame
 *   MARK, small int, int, get a stack, small int, TUPLE, memoize      a trace
 *   small int, int, get a stack, TUPLE3, memoize                      a trace of 3.8
 *
 * They do what the opcodes would do one by one; whatever looks different in the
 * least is left to them, errors included. */
#include "formats/profiles/pickle.h"
#include "inquest/base/bytes_reader.h"

/* Longer than the longest run, so that one comparison checks all its reads. */
#define RUN_BYTES 32

#define CACHE_BITS_MIN 6
#define CACHE_BITS_MAX 16
#define CACHE_PROBES   8
#define NOT_CACHED     UINT64_MAX
#define FILES_CACHED   ((UINT32_C(1) << 20) - 1) /* the last would look like NOT_CACHED */
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

static inline size_t positive_int(const uint8_t *bytes, uint32_t *ret_number)
{
    if (bytes[0] != 'J')
        return small_int(bytes, ret_number);
    *ret_number = load_u32(bytes + 1);
    return *ret_number <= INT32_MAX ? 5 : 0;
}

/* The place in the memo that is got. */
static inline size_t get(const struct pickle *pickle, const uint8_t *bytes, uint32_t *ret_index)
{
    bool is_short = bytes[0] == 'h';
    if (!is_short && bytes[0] != 'j')
        return 0;
    *ret_index = is_short ? bytes[1] : load_u32(bytes + 1);
    if (*ret_index >= pickle->memo.count)
        return 0;
    return is_short ? 2 : 5;
}

/* Putting the top into the place `next` of a memo that has no gaps. */
static inline size_t put(const struct pickle *pickle, const uint8_t *bytes, size_t next)
{
    if (pickle->memo.count != pickle->memo_used)
        return 0;
    if (bytes[0] == 0x94)
        return 1;
    if (bytes[0] == 'r' && load_u32(bytes + 1) == next)
        return 5;
    return bytes[0] == 'q' && bytes[1] == next ? 2 : 0;
}

static inline bool push_and_put(struct pickle *pickle, uint32_t value)
{
    if (!array_push(&pickle->memo, value))
        return false;
    pickle->memo_used++;
    return array_push(&pickle->stack, value);
}

/* ---- frames */

/* A frame that was seen but not looked up. */
struct seen_frame {
    uint64_t key; /* 20 bits of file, 16 of line */
    size_t size;  /* of its opcodes */
};

static inline size_t cache_place(const struct pickle *pickle, uint64_t key)
{
    return key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - pickle->cache_bits);
}

/* The frame of a key, looked for first in a few places of a table that nearly stays in the
 * processor's cache: 36 bits of key and 28 of frame are one word. Where all of those
 * are taken, the first is given up. */
static inline enum status find_frame(struct pickle *pickle, uint64_t key, uint32_t *ret_value)
{
    size_t home = cache_place(pickle, key), free_place = home;
    for (size_t i = 0; i < CACHE_PROBES; i++) {
        uint64_t entry = pickle->frame_cache[home + i];
        if (entry >> PICKLE_PAYLOAD_BITS == key) {
            *ret_value = pickle_value(PICKLE_FRAME, (uint32_t)entry & PICKLE_PAYLOAD_MAX);
            return STATUS_OK;
        }
        if (entry == NOT_CACHED) {
            free_place = home + i;
            break;
        }
    }
    enum status status =
        pickle_build_frame(pickle, (uint32_t)(key >> 16), (int32_t)(key & 0xFFFF), ret_value);
    if (status == STATUS_OK)
        pickle->frame_cache[free_place] = key << PICKLE_PAYLOAD_BITS | pickle_payload(*ret_value);
    return status;
}

/* False: the bytes are something else. The frame would be memo entry `next`. */
static inline bool see_frame(const struct pickle *pickle, const uint8_t *bytes, size_t next,
                             struct seen_frame *ret_frame)
{
    uint32_t index, line;
    size_t got = get(pickle, bytes, &index);
    uint32_t name = got ? pickle->memo.items[index] : 0, file = pickle_payload(name);
    size_t number = got ? small_int(bytes + got, &line) : 0;
    size_t tuple = got + number;
    if (!number || bytes[tuple] != 0x86 || pickle_kind_of(name) != PICKLE_STRING ||
        file >= FILES_CACHED)
        return false;
    size_t kept = put(pickle, bytes + tuple + 1, next);
    ret_frame->key = (uint64_t)file << 16 | line;
    ret_frame->size = tuple + 1 + kept;
    return kept;
}

/* The frames of a stack from here on: all are seen, and their places in the cache asked for,
 * before the first is looked up. */
static enum status run_frames(struct pickle *pickle, size_t *ret_size)
{
    struct seen_frame frames[FRAMES_AT_ONCE];
    size_t count = 0, at = pickle->position;
    while (count < FRAMES_AT_ONCE && pickle->size - at >= RUN_BYTES &&
           see_frame(pickle, pickle->data + at, pickle->memo.count + count, &frames[count])) {
        __builtin_prefetch(&pickle->frame_cache[cache_place(pickle, frames[count].key)]);
        at += frames[count++].size;
    }
    if (!count)
        return STATUS_OK;
    if (!array_reserve(&pickle->memo, count) || !array_reserve(&pickle->stack, count))
        return STATUS_NO_MEMORY;
    uint32_t *put_here = pickle->memo.items + pickle->memo.count;
    uint32_t *push_here = pickle->stack.items + pickle->stack.count;
    for (size_t i = 0; i < count; i++) {
        enum status status = find_frame(pickle, frames[i].key, &put_here[i]);
        if (status != STATUS_OK)
            return status;
        push_here[i] = put_here[i];
    }
    pickle->memo.count += count;
    pickle->memo_used += count;
    pickle->stack.count += count;
    *ret_size = at - pickle->position;
    return STATUS_OK;
}

/* ---- traces */

static inline enum status run_trace(struct pickle *pickle, const uint8_t *bytes, size_t *ret_size)
{
    struct pickle_trace trace;
    uint32_t size, index, total;
    bool has_total = bytes[0] == '(';
    size_t at = has_total, part;
    if (!(part = small_int(bytes + at, &trace.domain)))
        return STATUS_OK;
    at += part;
    if (!(part = positive_int(bytes + at, &size)))
        return STATUS_OK;
    at += part;
    if (!(part = get(pickle, bytes + at, &index)) || index > PICKLE_PAYLOAD_MAX)
        return STATUS_OK;
    at += part;
    if (has_total && !(part = small_int(bytes + at, &total)))
        return STATUS_OK;
    at += has_total ? part : 0;
    if (bytes[at] != (has_total ? 't' : 0x87) ||
        !(part = put(pickle, bytes + at + 1, pickle->memo.count)))
        return STATUS_OK;
    if (pickle->traces.count > PICKLE_PAYLOAD_MAX)
        return STATUS_OVER_LIMIT;
    trace.stack = pickle_later(index);
    trace.size = size;
    uint32_t value = pickle_value(PICKLE_TRACE, (uint32_t)pickle->traces.count);
    *ret_size = at + 1 + part;
    return array_push(&pickle->traces, trace) && push_and_put(pickle, value) ? STATUS_OK
                                                                             : STATUS_NO_MEMORY;
}

void pickle_resolve_traces(struct pickle *pickle)
{
    struct pickle_trace *traces = pickle->traces.items;
    for (; pickle->resolved < pickle->traces.count; pickle->resolved++) {
        struct pickle_trace *trace = &traces[pickle->resolved];
        if (pickle_kind_of(trace->stack) != PICKLE_NOTHING)
            continue;
        uint32_t value = pickle->memo.items[pickle_payload(trace->stack)];
        trace->stack = pickle_kind_of(value) == PICKLE_STACK ? value : 0;
    }
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

/* As many runs as there are from the position on. */
enum status pickle_run_fast(struct pickle *pickle)
{
    enum status status = pickle->frame_cache ? STATUS_OK : prepare_cache(pickle);
    while (status == STATUS_OK && pickle->size - pickle->position >= RUN_BYTES) {
        const uint8_t *bytes = pickle->data + pickle->position;
        size_t size = 0;
        pickle->offset = pickle->position;
        if (bytes[0] == 'h' || bytes[0] == 'j')
            status = run_frames(pickle, &size);
        else if (bytes[0] == '(' || bytes[0] == 'K')
            status = run_trace(pickle, bytes, &size);
        pickle->position += size;
        if (!size)
            break;
    }
    return status == STATUS_OK ? status : pickle_fail_plainly(pickle, status);
}
