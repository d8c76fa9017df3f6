/* SPDX-License-Identifier: Apache-2.0 */
/* What the pickle machine makes of the values on its stack. */
#include <string.h>

#include "formats/profiles/pickle.h"
#include "inquest/base/limits.h"

/* ---- tuples */

/* The function that stands for a file, as tracemalloc knows no functions. */
static enum status file_function(struct pickle *pickle, uint32_t file, uint32_t *ret_function)
{
    pickle_values *known = &pickle->file_functions;
    if (file >= known->count) {
        size_t added = pickle->profile->strings.count - known->count;
        if (!array_reserve(known, added))
            return STATUS_NO_MEMORY;
        memset(known->items + known->count, 0, added * sizeof *known->items);
        known->count += added;
    }
    if (!known->items[file]) {
        uint32_t function;
        enum status status = profile_add_function(pickle->profile, 0, file, 0, &function);
        if (status != STATUS_OK)
            return status;
        known->items[file] = function + 1;
    }
    *ret_function = known->items[file] - 1;
    return STATUS_OK;
}

/* An int that fits a frame's line; false: it is no int, or does not fit. */
static bool line_of(const struct pickle *pickle, uint32_t value, int32_t *ret_line)
{
    if (pickle_kind_of(value) == PICKLE_INT) {
        *ret_line = (int32_t)pickle_payload(value);
        return true;
    }
    if (pickle_kind_of(value) != PICKLE_LONG)
        return false;
    int64_t line = (int64_t)pickle->numbers.items[pickle_payload(value)];
    if (line < INT32_MIN || line > INT32_MAX)
        return false;
    *ret_line = (int32_t)line;
    return true;
}

/* An int that is not negative. */
static bool natural_of(const struct pickle *pickle, uint32_t value, uint64_t *ret_number)
{
    enum pickle_kind kind = pickle_kind_of(value);
    if (kind == PICKLE_INT) {
        *ret_number = pickle_payload(value);
        return true;
    }
    if (kind != PICKLE_LONG && kind != PICKLE_ULONG)
        return false;
    uint64_t number = pickle->numbers.items[pickle_payload(value)];
    if (kind == PICKLE_LONG && number > INT64_MAX)
        return false;
    *ret_number = number;
    return true;
}

enum status pickle_build_frame(struct pickle *pickle, uint32_t file, int32_t line,
                               uint32_t *ret_value)
{
    uint32_t function, frame;
    enum status status = file_function(pickle, file, &function);
    if (status == STATUS_OK)
        status = profile_add_frame(pickle->profile, function, line, &frame);
    if (status == STATUS_OK && frame > PICKLE_PAYLOAD_MAX)
        status = STATUS_OVER_LIMIT;
    if (status == STATUS_OK)
        *ret_value = pickle_value(PICKLE_FRAME, frame);
    return status;
}

/* The values are turned round in place: they are about to leave the stack. */
static enum status build_stack(struct pickle *pickle, uint32_t *frames, size_t count,
                               uint32_t *ret_value)
{
    if (count > UINT32_MAX)
        return STATUS_OVER_LIMIT;
    for (size_t i = 0, j = count - 1; i <= j && j < count; i++, j--) {
        uint32_t newer = pickle_payload(frames[i]);
        frames[i] = pickle_payload(frames[j]);
        frames[j] = newer;
    }
    uint32_t stack;
    enum status status = profile_add_stack(pickle->profile, frames, (uint32_t)count, &stack);
    if (status == STATUS_OK && stack > PICKLE_PAYLOAD_MAX)
        status = STATUS_OVER_LIMIT;
    if (status == STATUS_OK)
        *ret_value = pickle_value(PICKLE_STACK, stack);
    return status;
}

/* False: the values are not a trace's. The fourth is total_nframe, from 3.9 on. */
static bool trace_of(const struct pickle *pickle, const uint32_t *values, size_t count,
                     struct pickle_trace *ret_trace)
{
    uint64_t domain, size, total;
    if (!natural_of(pickle, values[0], &domain) || domain > UINT32_MAX ||
        !natural_of(pickle, values[1], &size) || pickle_kind_of(values[2]) != PICKLE_STACK)
        return false;
    if (count == 4 && values[3] != pickle_value(PICKLE_PLAIN, PLAIN_NONE) &&
        !natural_of(pickle, values[3], &total))
        return false;
    *ret_trace = (struct pickle_trace){values[2], (uint32_t)domain, size};
    return true;
}

static enum status build_trace(struct pickle *pickle, struct pickle_trace trace,
                               uint32_t *ret_value)
{
    if (pickle->traces.count > PICKLE_PAYLOAD_MAX)
        return STATUS_OVER_LIMIT;
    if (!array_push(&pickle->traces, trace))
        return STATUS_NO_MEMORY;
    *ret_value = pickle_value(PICKLE_TRACE, (uint32_t)pickle->traces.count - 1);
    return STATUS_OK;
}

static bool all_are(enum pickle_kind kind, const uint32_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (pickle_kind_of(values[i]) != kind)
            return false;
    return count > 0;
}

static enum status extend(struct pickle *pickle, struct pickle_list *list, const uint32_t *values,
                          size_t count)
{
    size_t done = 0;
    while (!list->values.count && done < count && list->traces < pickle->traces.count &&
           values[done] == pickle_value(PICKLE_TRACE, (uint32_t)list->traces)) {
        list->traces++;
        done++;
    }
    if (!array_reserve(&list->values, count - done))
        return pickle_fail_plainly(pickle, STATUS_NO_MEMORY);
    for (; done < count; done++)
        list->values.items[list->values.count++] = values[done];
    return STATUS_OK;
}

/* A tuple of traces, which Snapshot() takes as well as a list. */
static enum status build_traces(struct pickle *pickle, size_t count)
{
    enum status status = pickle_new_list(pickle);
    if (status != STATUS_OK)
        return status;
    uint32_t *values = pickle->stack.items + (pickle->stack.count - 1 - count);
    status = extend(pickle, &pickle->lists.items[pickle->lists.count - 1], values, count);
    values[0] = values[count];
    pickle->stack.count -= count;
    return status;
}

enum status pickle_build_tuple(struct pickle *pickle, size_t count)
{
    uint32_t *values;
    enum status status = pickle_top(pickle, count, &values);
    if (status != STATUS_OK)
        return status;
    if (!count)
        return pickle_push(pickle, pickle_value(PICKLE_PLAIN, PLAIN_EMPTY_TUPLE));
    uint32_t tuple = pickle_value(PICKLE_PLAIN, PLAIN_TUPLE);
    struct pickle_trace trace;
    int32_t line;
    if (count == 2 && pickle_kind_of(values[0]) == PICKLE_STRING &&
        line_of(pickle, values[1], &line))
        status = pickle_build_frame(pickle, pickle_payload(values[0]), line, &tuple);
    else if (all_are(PICKLE_FRAME, values, count))
        status = build_stack(pickle, values, count, &tuple);
    else if ((count == 3 || count == 4) && trace_of(pickle, values, count, &trace))
        status = build_trace(pickle, trace, &tuple);
    else if (all_are(PICKLE_TRACE, values, count))
        return build_traces(pickle, count);
    if (status != STATUS_OK)
        return pickle_fail_plainly(pickle, status);
    *values = tuple;
    pickle->stack.count -= count - 1;
    return STATUS_OK;
}

/* ---- lists and dicts */

static enum status check_containers(struct pickle *pickle)
{
    size_t count = pickle->lists.count + pickle->dicts.count + pickle->objects.count;
    if (count < LIMIT_PICKLE_CONTAINERS)
        return STATUS_OK;
    return pickle_fail(pickle, STATUS_OVER_LIMIT,
                       "more than %u lists, dicts and objects: this is no snapshot of tracemalloc, "
                       "which holds five",
                       LIMIT_PICKLE_CONTAINERS);
}

enum status pickle_new_list(struct pickle *pickle)
{
    enum status status = check_containers(pickle);
    if (status != STATUS_OK)
        return status;
    if (!array_push(&pickle->lists, (struct pickle_list){0}))
        return pickle_fail_plainly(pickle, STATUS_NO_MEMORY);
    return pickle_push_id(pickle, PICKLE_LIST, pickle->lists.count - 1);
}

enum status pickle_new_dict(struct pickle *pickle)
{
    enum status status = check_containers(pickle);
    if (status != STATUS_OK)
        return status;
    if (!array_push(&pickle->dicts, (struct pickle_dict){0}))
        return pickle_fail_plainly(pickle, STATUS_NO_MEMORY);
    return pickle_push_id(pickle, PICKLE_DICT, pickle->dicts.count - 1);
}

/* The `count` topmost, and in *ret_target the value below them. */
static enum status take(struct pickle *pickle, size_t count, uint32_t **ret_values,
                        uint32_t *ret_target)
{
    enum status status = pickle_top(pickle, count, ret_values);
    if (status != STATUS_OK)
        return status;
    pickle->stack.count -= count;
    uint32_t *target;
    status = pickle_top(pickle, 1, &target);
    if (status == STATUS_OK)
        *ret_target = *target;
    return status;
}

enum status pickle_append(struct pickle *pickle, size_t count)
{
    uint32_t *values, target;
    enum status status = take(pickle, count, &values, &target);
    if (status != STATUS_OK)
        return status;
    if (target == pickle_value(PICKLE_PLAIN, PLAIN_SET))
        return STATUS_OK;
    if (pickle_kind_of(target) != PICKLE_LIST)
        return pickle_fail(pickle, STATUS_CORRUPT,
                           "appends to what is no list: the file is damaged");
    return extend(pickle, &pickle->lists.items[pickle_payload(target)], values, count);
}

enum status pickle_set_items(struct pickle *pickle, size_t count)
{
    uint32_t *values, target;
    enum status status = take(pickle, count, &values, &target);
    if (status != STATUS_OK)
        return status;
    if (pickle_kind_of(target) != PICKLE_DICT || count % 2)
        return pickle_fail(pickle, STATUS_CORRUPT,
                           "sets items of what is no dict, or half an item: the file is damaged");
    pickle_values *pairs = &pickle->dicts.items[pickle_payload(target)].pairs;
    for (size_t i = 0; i < count; i += 2) {
        if (pickle_kind_of(values[i]) != PICKLE_STRING)
            continue;
        if (!array_push(pairs, values[i]) || !array_push(pairs, values[i + 1]))
            return pickle_fail_plainly(pickle, STATUS_NO_MEMORY);
    }
    return STATUS_OK;
}

/* ---- classes and their instances
 *
 * All that a pickle of this module can name. To add one: a row. */
static const struct {
    const char *name;
    enum pickle_class class;
} known_classes[] = {
    {"Snapshot", CLASS_SNAPSHOT},   {"_Traces", CLASS_TRACES}, {"Trace", CLASS_OTHER},
    {"Traceback", CLASS_OTHER},     {"Frame", CLASS_OTHER},    {"Statistic", CLASS_OTHER},
    {"StatisticDiff", CLASS_OTHER}, {"Filter", CLASS_OTHER},   {"DomainFilter", CLASS_OTHER},
};

enum status pickle_find_class(struct pickle *pickle, const char *module, size_t module_size,
                              const char *name, size_t name_size)
{
    bool is_ours = module_size == 11 && !memcmp(module, "tracemalloc", 11);
    for (size_t i = 0; is_ours && i < sizeof known_classes / sizeof *known_classes; i++)
        if (strlen(known_classes[i].name) == name_size &&
            !memcmp(known_classes[i].name, name, name_size))
            return pickle_push(pickle, pickle_value(PICKLE_CLASS, known_classes[i].class));
    return pickle_fail(pickle, STATUS_UNSUPPORTED,
                       "names %.*s.%.*s: not a tracemalloc snapshot, and not run",
                       (int)(module_size < 100 ? module_size : 100), module,
                       (int)(name_size < 100 ? name_size : 100), name);
}

enum status pickle_new_object(struct pickle *pickle, size_t count)
{
    uint32_t *arguments, class;
    enum status status = take(pickle, count, &arguments, &class);
    if (status == STATUS_OK)
        status = check_containers(pickle);
    if (status != STATUS_OK)
        return status;
    if (pickle_kind_of(class) != PICKLE_CLASS)
        return pickle_fail(pickle, STATUS_CORRUPT,
                           "makes an instance of what is no class: the file is damaged");
    struct pickle_object object = {pickle_payload(class), 0};
    if (!array_push(&pickle->objects, object))
        return pickle_fail_plainly(pickle, STATUS_NO_MEMORY);
    pickle->stack.count--;
    return pickle_push_id(pickle, PICKLE_OBJECT, pickle->objects.count - 1);
}

enum status pickle_set_state(struct pickle *pickle)
{
    uint32_t *state, object;
    enum status status = take(pickle, 1, &state, &object);
    if (status != STATUS_OK)
        return status;
    if (pickle_kind_of(object) != PICKLE_OBJECT)
        return pickle_fail(pickle, STATUS_CORRUPT,
                           "sets the state of what is no object: the file is damaged");
    pickle->objects.items[pickle_payload(object)].state = *state;
    return STATUS_OK;
}
