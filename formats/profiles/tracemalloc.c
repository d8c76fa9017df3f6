/* SPDX-License-Identifier: Apache-2.0 */
/* A snapshot as tracemalloc.Snapshot.dump writes it: a pickle of
 *
 *   Snapshot  {'traces': _Traces {'_traces': [trace, …]}, 'traceback_limit': int}
 *   trace     (domain, size, traceback)                CPython 3.8
 *             (domain, size, traceback, total_nframe)  from 3.9 on
 *   traceback ((filename, lineno), …)                  newest frame first
 *
 * Source: CPython, Lib/tracemalloc.py and Modules/_tracemalloc.c. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "formats/profiles/formats.h"
#include "formats/profiles/pickle.h"
#include "inquest/base/checked_math.h"

/* ---- recognising */

static bool is_name(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

/* The length of a name that a newline ends, with it; 0: it is none. */
static size_t name_line(const uint8_t *bytes, uint64_t size)
{
    size_t length = 0;
    while (length < size && length < 256 && is_name(bytes[length]))
        length++;
    return length && length < size && bytes[length] == '\n' ? length + 1 : 0;
}

/* Protocols 2 and up begin with PROTO. The older begin with any opcode: that which
 * names a global, "c", is told apart, so that its error can say what it names. */
bool pickle_recognise(const uint8_t *bytes, uint64_t size)
{
    if (size >= 2 && bytes[0] == 0x80 && bytes[1] >= 1 && bytes[1] < 16)
        return true;
    if (size < 2 || bytes[0] != 'c')
        return false;
    size_t module = name_line(bytes + 1, size - 1);
    return module && name_line(bytes + 1 + module, size - 1 - module);
}

/* ---- what the pickle holds */

static const char *describe(const struct pickle *pickle, uint32_t value)
{
    static const char *const plain[] = {"None",    "a bool",         "a number", "bytes",
                                        "a tuple", "an empty tuple", "a set"};
    uint32_t payload = pickle_payload(value);
    switch (pickle_kind_of(value)) {
    case PICKLE_INT:
    case PICKLE_LONG:
    case PICKLE_ULONG: return "an int";
    case PICKLE_STRING: return "a str";
    case PICKLE_LIST: return "a list";
    case PICKLE_DICT: return "a dict";
    case PICKLE_CLASS: return "a class";
    case PICKLE_OBJECT:
        return pickle->objects.items[payload].class == CLASS_SNAPSHOT
                   ? "a Snapshot"
                   : "another object of tracemalloc";
    case PICKLE_PLAIN: return plain[payload];
    default: return "a tuple";
    }
}

/* The value of an instance's attribute; 0: it has none of that name. The last of
 * equal keys counts, as in a dict. */
static uint32_t attribute(const struct pickle *pickle, uint32_t object, const char *name)
{
    uint32_t state = pickle->objects.items[pickle_payload(object)].state, found = 0;
    if (pickle_kind_of(state) != PICKLE_DICT)
        return 0;
    const pickle_values *pairs = &pickle->dicts.items[pickle_payload(state)].pairs;
    for (size_t i = 0; i < pairs->count; i += 2)
        if (!strcmp(profile_text(pickle->profile, pickle_payload(pairs->items[i])), name))
            found = pairs->items[i + 1];
    return found;
}

static bool is_instance(const struct pickle *pickle, uint32_t value, enum pickle_class class)
{
    return pickle_kind_of(value) == PICKLE_OBJECT &&
           pickle->objects.items[pickle_payload(value)].class == class;
}

static enum status find_traces(struct pickle *pickle, uint32_t snapshot, uint32_t *ret_list)
{
    if (!is_instance(pickle, snapshot, CLASS_SNAPSHOT))
        return error_set(pickle->err, STATUS_UNSUPPORTED,
                         "a pickle of %s, not of a tracemalloc snapshot; Snapshot.dump writes one",
                         describe(pickle, snapshot));
    uint32_t traces = attribute(pickle, snapshot, "traces"), list = 0;
    if (is_instance(pickle, traces, CLASS_TRACES))
        list = attribute(pickle, traces, "_traces");
    if (pickle_kind_of(list) != PICKLE_LIST &&
        list != pickle_value(PICKLE_PLAIN, PLAIN_EMPTY_TUPLE))
        return error_set(pickle->err, STATUS_CORRUPT,
                         "the snapshot has no list of traces: the file is damaged");
    *ret_list = list;
    return STATUS_OK;
}

#define BATCH 64

/* The stacks of traces are looked for in the memo all at once, as it is slow to answer. False:
 * the one at *ret_wrong has none. */
static bool find_stacks(const struct pickle *pickle, const struct pickle_trace *traces,
                        size_t count, struct profile_trace *ret_traces, size_t *ret_wrong)
{
    const uint32_t *stacks[BATCH];
    for (size_t i = 0; i < count; i++)
        pickle_memo_prefetch(&pickle->memo, pickle_payload(traces[i].stack));
    for (size_t i = 0; i < count; i++)
        stacks[i] = pickle_kind_of(traces[i].stack) == PICKLE_NOTHING
                        ? pickle_memo_find(&pickle->memo, pickle_payload(traces[i].stack))
                        : &traces[i].stack;
    for (size_t i = 0; i < count; i++) {
        *ret_wrong = i;
        if (!stacks[i] || pickle_kind_of(*stacks[i]) != PICKLE_STACK)
            return false;
        ret_traces[i] =
            (struct profile_trace){pickle_payload(*stacks[i]), traces[i].domain, traces[i].size, 1};
    }
    return true;
}

static enum status fail_trace(struct pickle *pickle, size_t trace)
{
    return error_set(pickle->err, STATUS_CORRUPT,
                     "trace %zu is no (domain, size, traceback) of numbers that fit: the file is "
                     "damaged",
                     trace);
}

/* Those that the list has from `first` on. */
static enum status add_batch(struct pickle *pickle, const struct pickle_trace *traces, size_t first,
                             size_t count)
{
    struct profile_trace batch[BATCH];
    size_t wrong;
    if (!find_stacks(pickle, traces, count, batch, &wrong))
        return fail_trace(pickle, first + wrong);
    enum status status = profile_add_traces(pickle->profile, batch, count);
    if (status == STATUS_OVER_LIMIT)
        return error_set(pickle->err, STATUS_CORRUPT,
                         "the sizes of the traces add up to more than 2^64 bytes at trace %zu: the "
                         "file is damaged",
                         first);
    return status == STATUS_OK ? status : pickle_fail_plainly(pickle, status);
}

/* What the list has besides. */
static enum status add_values(struct pickle *pickle, const struct pickle_list *list)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < list->values.count && status == STATUS_OK; i++) {
        uint32_t value = list->values.items[i];
        status = pickle_kind_of(value) == PICKLE_TRACE
                     ? add_batch(pickle, &pickle->traces.items[pickle_payload(value)],
                                 list->traces + i, 1)
                     : fail_trace(pickle, list->traces + i);
    }
    return status;
}

static enum status add_traces(struct pickle *pickle, uint32_t value)
{
    if (pickle_kind_of(value) != PICKLE_LIST)
        return STATUS_OK;
    const struct pickle_list *list = &pickle->lists.items[pickle_payload(value)];
    enum status status = STATUS_OK;
    for (size_t i = 0; i < list->traces && status == STATUS_OK; i += BATCH)
        status = add_batch(pickle, pickle->traces.items + i, i, min_u64(BATCH, list->traces - i));
    return status == STATUS_OK ? add_values(pickle, list) : status;
}

static enum status add_facts(struct pickle *pickle, uint32_t snapshot)
{
    char text[32];
    uint32_t limit = attribute(pickle, snapshot, "traceback_limit");
    enum status status = STATUS_OK;
    if (pickle_kind_of(limit) == PICKLE_INT) {
        snprintf(text, sizeof text, "%u", pickle_payload(limit));
        status = profile_add_fact(pickle->profile, "traceback_limit", text);
    }
    snprintf(text, sizeof text, "%u", pickle->version);
    if (status == STATUS_OK)
        status = profile_add_fact(pickle->profile, "pickle_protocol", text);
    size_t left = pickle->size - pickle->position;
    if (status == STATUS_OK && left)
        status = profile_add_warning(pickle->profile, "snapshot",
                                     "%zu bytes follow the snapshot at offset %zu and were not "
                                     "read, as pickle.load does not",
                                     left, pickle->position);
    return status == STATUS_OK ? status : pickle_fail_plainly(pickle, status);
}

static enum status read_snapshot(struct pickle *pickle)
{
    uint32_t snapshot, list = 0;
    enum status status = pickle_run(pickle, &snapshot);
    if (status == STATUS_OK)
        status = find_traces(pickle, snapshot, &list);
    if (status == STATUS_OK)
        status = add_traces(pickle, list);
    if (status == STATUS_OK)
        status = add_facts(pickle, snapshot);
    return status;
}

enum status tracemalloc_parse(const struct input_file *input, struct progress *progress,
                              struct profile *profile, struct error *err)
{
    profile->family = PROFILE_TRACEMALLOC;
    profile->format = "tracemalloc pickle";
    profile->unit = "bytes";
    struct pickle pickle;
    pickle_init(&pickle, input, true, profile, progress, err);
    enum status status = read_snapshot(&pickle);
    if (pickle.needs_full_memo) {
        pickle_deinit(&pickle);
        pickle_init(&pickle, input, false, profile, progress, err);
        status = read_snapshot(&pickle);
    }
    pickle_deinit(&pickle);
    return status;
}
