/* SPDX-License-Identifier: Apache-2.0 */
/* An index may be damaged or made to deceive: what does not fit together is an error. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/profile/profile_index.h"

#define STACK_FRAMES_MAX (UINT64_C(400) << 20) /* of all stacks together */

/* A node of the table, by its id. */
struct node {
    uint32_t parent, frame; /* frame PROFILE_NO_ID: a place without a function */
    uint32_t depth;
    uint32_t stack; /* PROFILE_NO_ID: not asked for yet */
};

struct reading {
    struct index *index;
    struct profile *profile;
    struct error *err;
    ARRAY(struct node) nodes; /* 0 is no node */
    ARRAY(uint32_t) node_ids; /* nodes of ids that the table has, to be found by it: dense */
    ARRAY(uint32_t) scratch;  /* frames */
    ARRAY(uint32_t) depths;   /* of each track's last stack */
};

static enum status damaged(struct reading *reading, const char *table)
{
    return error_set(reading->err, STATUS_CORRUPT, "table %s is damaged: load the recording again",
                     table);
}

static enum status no_memory(struct reading *reading, enum status status)
{
    return error_set(reading->err, status, "%s", status_name(status));
}

bool profile_index_is(struct index *index)
{
    const char *kind = index_meta(index, "kind");
    return kind &&
           (!strcmp(kind, "tracemalloc") || !strcmp(kind, "pstats") || !strcmp(kind, "pyspy"));
}

typedef enum status (*row_reader)(struct reading *reading, struct index_rows *rows);

/* Runs a statement and reads each of its rows. */
static enum status each_row(struct reading *reading, const char *sql, row_reader read)
{
    struct index_rows *rows;
    enum status status = index_query(reading->index, sql, NULL, 0, &rows, reading->err);
    if (status != STATUS_OK)
        return status;
    while (status == STATUS_OK && index_rows_next(rows))
        status = read(reading, rows);
    enum status finished = index_rows_finish(rows, status == STATUS_OK ? reading->err : NULL);
    return status == STATUS_OK ? finished : status;
}

/* ---- Facts. */

static const char *kept(struct profile *profile, const char *text)
{
    return arena_strdup(&profile->arena, text);
}

static enum status read_fact(struct reading *reading, struct index_rows *rows)
{
    const char *key = index_rows_text(rows, 0), *value = index_rows_text(rows, 1);
    struct profile *profile = reading->profile;
    enum status status = STATUS_OK;
    if (!key || !value)
        return status;
    if (!strcmp(key, "format") || !strcmp(key, "unit")) {
        const char *copy = kept(profile, value);
        *(*key == 'f' ? &profile->format : &profile->unit) = copy;
        status = copy ? STATUS_OK : STATUS_NO_MEMORY;
    } else if (!strcmp(key, "is_sampled")) {
        profile->is_sampled = true;
    } else if (!strcmp(key, "is_approximate")) {
        profile->is_approximate = true;
    }
    if (status == STATUS_OK)
        status = profile_add_fact(profile, key, value);
    return status == STATUS_OK ? status : no_memory(reading, status);
}

static enum status read_warning(struct reading *reading, struct index_rows *rows)
{
    const char *area = index_rows_text(rows, 0), *message = index_rows_text(rows, 1);
    enum status status =
        profile_add_warning(reading->profile, area ? area : "", "%s", message ? message : "");
    return status == STATUS_OK ? status : no_memory(reading, status);
}

/* ---- Functions. */

/* The text, or the bytes where it was none. */
static enum status read_string(struct reading *reading, struct index_rows *rows, int column,
                               int bytes_column, uint32_t *ret_string)
{
    size_t size = 0;
    const char *bytes = index_rows_blob(rows, bytes_column, &size);
    if (!bytes) {
        bytes = index_rows_text(rows, column);
        size = bytes ? strlen(bytes) : 0;
    }
    enum status status = profile_add_string(reading->profile, bytes ? bytes : "", size, ret_string);
    return status == STATUS_OK ? status : no_memory(reading, status);
}

static int32_t read_line(const struct index_rows *rows, int column)
{
    int64_t line = index_rows_integer(rows, column);
    return line >= INT32_MIN && line <= INT32_MAX ? (int32_t)line : 0;
}

static enum status read_function(struct reading *reading, struct index_rows *rows)
{
    uint32_t name = 0, file = 0, function = 0;
    struct profile *profile = reading->profile;
    if (index_rows_integer(rows, 0) != (int64_t)profile->functions.count + 1)
        return damaged(reading, "function");
    enum status status = read_string(reading, rows, 1, 4, &name);
    if (status == STATUS_OK)
        status = read_string(reading, rows, 2, 5, &file);
    if (status != STATUS_OK)
        return status;
    status = profile_add_function(profile, name, file, read_line(rows, 3), &function);
    if (status != STATUS_OK)
        return no_memory(reading, status);
    /* two equal ones would have been one */
    return function + 1 == profile->functions.count ? STATUS_OK : damaged(reading, "function");
}

/* False: there is no such function. */
static bool read_function_id(const struct reading *reading, const struct index_rows *rows,
                             int column, uint32_t *ret_function)
{
    int64_t id = index_rows_integer(rows, column);
    if (id < 1 || (uint64_t)id > reading->profile->functions.count)
        return false;
    *ret_function = (uint32_t)(id - 1);
    return true;
}

static enum status read_track(struct reading *reading, struct index_rows *rows)
{
    struct profile *profile = reading->profile;
    const char *name = index_rows_text(rows, 1), *state = index_rows_text(rows, 4);
    struct profile_track track = {
        .pid = index_rows_is_null(rows, 2) ? -1 : index_rows_integer(rows, 2),
        .tid = index_rows_is_null(rows, 3) ? -1 : index_rows_integer(rows, 3),
        .is_idle = state && !strcmp(state, "idle"),
        .is_active = state && !strncmp(state, "active", 6),
        .holds_gil = state && !strcmp(state, "active+gil")};
    if (index_rows_integer(rows, 0) != (int64_t)profile->tracks.count + 1)
        return damaged(reading, "sample_track");
    enum status status =
        profile_add_string(profile, name ? name : "", name ? strlen(name) : 0, &track.name);
    if (status == STATUS_OK &&
        (!array_push(&profile->tracks, track) || !array_push(&reading->depths, 0)))
        status = STATUS_NO_MEMORY;
    return status == STATUS_OK ? status : no_memory(reading, status);
}

/* ---- Nodes: ids rise, parents come before their children. */

/* The node of an id; 0 where the table has none. */
static uint32_t find_node(const struct reading *reading, int64_t id)
{
    return id > 0 && (uint64_t)id < reading->node_ids.count ? reading->node_ids.items[id] : 0;
}

static enum status read_node_place(struct reading *reading, struct index_rows *rows,
                                   struct node *node)
{
    struct profile *profile = reading->profile;
    uint32_t function = 0;
    node->frame = PROFILE_NO_ID;
    if (!index_rows_is_null(rows, 1)) {
        node->parent = find_node(reading, index_rows_integer(rows, 1));
        if (!node->parent)
            return damaged(reading, "node");
        node->depth = reading->nodes.items[node->parent].depth;
    }
    if (index_rows_is_null(rows, 2))
        return STATUS_OK;
    if (!read_function_id(reading, rows, 2, &function))
        return damaged(reading, "node");
    enum status status = profile_add_frame(profile, function, read_line(rows, 3), &node->frame);
    if (status != STATUS_OK)
        return no_memory(reading, status);
    node->depth++;
    return STATUS_OK;
}

/* Gives an id its node: ids are dense but for those of tracks, so a table of them is
 * no larger than a few times the rows. */
static enum status add_node(struct reading *reading, int64_t id, const struct node *node)
{
    size_t count = reading->nodes.count + reading->profile->tracks.count;
    if (id < (int64_t)reading->node_ids.count || (uint64_t)id > count + 1)
        return damaged(reading, "node");
    while (reading->node_ids.count < (uint64_t)id) {
        if (!array_push(&reading->node_ids, 0))
            return no_memory(reading, STATUS_NO_MEMORY);
    }
    uint32_t position = (uint32_t)reading->nodes.count;
    if (position == UINT32_MAX || !array_push(&reading->node_ids, position) ||
        !array_push(&reading->nodes, *node))
        return no_memory(reading, STATUS_NO_MEMORY);
    return STATUS_OK;
}

static enum status stack_of(struct reading *reading, uint32_t position, uint32_t *ret_stack)
{
    struct node *node = &reading->nodes.items[position];
    if (node->stack != PROFILE_NO_ID) {
        *ret_stack = node->stack;
        return STATUS_OK;
    }
    if (reading->profile->stack_frames.count + node->depth > STACK_FRAMES_MAX)
        return error_set(reading->err, STATUS_OVER_LIMIT, "its stacks have more frames than %llu",
                         (unsigned long long)STACK_FRAMES_MAX);
    reading->scratch.count = 0;
    if (!array_reserve(&reading->scratch, node->depth))
        return no_memory(reading, STATUS_NO_MEMORY);
    uint32_t depth = node->depth;
    for (uint32_t up = position; up; up = reading->nodes.items[up].parent) {
        if (reading->nodes.items[up].frame != PROFILE_NO_ID)
            reading->scratch.items[--depth] = reading->nodes.items[up].frame;
    }
    enum status status =
        profile_add_stack(reading->profile, reading->scratch.items, node->depth, &node->stack);
    if (status != STATUS_OK)
        return no_memory(reading, status);
    *ret_stack = node->stack;
    return STATUS_OK;
}

static enum status read_node(struct reading *reading, struct index_rows *rows)
{
    struct node node = {.stack = PROFILE_NO_ID};
    enum status status = read_node_place(reading, rows, &node);
    if (status == STATUS_OK)
        status = add_node(reading, index_rows_integer(rows, 0), &node);
    if (status != STATUS_OK || reading->profile->family != PROFILE_SAMPLES)
        return status;
    double self = index_rows_real(rows, 4);
    int64_t count = index_rows_integer(rows, 6), track = index_rows_integer(rows, 5);
    if (!(self > 0) && count <= 0)
        return STATUS_OK;
    if (track < 1 || (uint64_t)track > reading->profile->tracks.count || count < 0)
        return damaged(reading, "node");
    uint32_t stack = 0;
    reading->depths.items[track - 1] = node.depth;
    status = stack_of(reading, (uint32_t)reading->nodes.count - 1, &stack);
    if (status != STATUS_OK)
        return status;
    status =
        profile_add_sample(reading->profile, stack, (uint32_t)(track - 1), self, (uint64_t)count);
    return status == STATUS_OK ? status : no_memory(reading, status);
}

static enum status read_trace(struct reading *reading, struct index_rows *rows)
{
    uint32_t node = 0, stack = 0;
    int64_t domain = index_rows_integer(rows, 1), size = index_rows_integer(rows, 2);
    int64_t count = index_rows_integer(rows, 3);
    if (!index_rows_is_null(rows, 0)) {
        node = find_node(reading, index_rows_integer(rows, 0));
        if (!node)
            return damaged(reading, "trace");
    }
    if (domain < 0 || domain > UINT32_MAX || size < 0 || count < 0)
        return damaged(reading, "trace");
    enum status status = stack_of(reading, node, &stack);
    if (status != STATUS_OK)
        return status;
    status = profile_add_trace(reading->profile, stack, (uint32_t)domain, (uint64_t)size,
                               (uint64_t)count);
    return status == STATUS_OK ? status : no_memory(reading, status);
}

static enum status read_local(struct reading *reading, struct index_rows *rows)
{
    struct profile *profile = reading->profile;
    struct profile_local local = {0};
    uint32_t node = find_node(reading, index_rows_integer(rows, 0));
    const char *name = index_rows_text(rows, 1), *kind = index_rows_text(rows, 2);
    const char *value = index_rows_text(rows, 3);
    int64_t track = index_rows_integer(rows, 4);
    if (!node || track < 1 || (uint64_t)track > profile->tracks.count ||
        reading->depths.items[track - 1] < reading->nodes.items[node].depth)
        return damaged(reading, "local");
    local.track = (uint32_t)(track - 1);
    local.depth = reading->depths.items[track - 1] - reading->nodes.items[node].depth;
    local.is_argument = kind && !strcmp(kind, "argument");
    enum status status =
        profile_add_string(profile, name ? name : "", name ? strlen(name) : 0, &local.name);
    if (status == STATUS_OK && value)
        status = profile_add_string(profile, value, strlen(value), &local.value);
    if (status == STATUS_OK && !array_push(&profile->locals, local))
        status = STATUS_NO_MEMORY;
    return status == STATUS_OK ? status : no_memory(reading, status);
}

/* ---- pstats: a function's edges stand side by side, in the file's order. */

static enum status read_stat(struct reading *reading, struct index_rows *rows)
{
    struct profile_stat stat = {.calls = index_rows_integer(rows, 1),
                                .primitive_calls = index_rows_integer(rows, 2),
                                .self = index_rows_real(rows, 3),
                                .total = index_rows_real(rows, 4)};
    if (!read_function_id(reading, rows, 0, &stat.function))
        return damaged(reading, "stat");
    return array_push(&reading->profile->stats, stat) ? STATUS_OK
                                                      : no_memory(reading, STATUS_NO_MEMORY);
}

static enum status read_call(struct reading *reading, struct index_rows *rows)
{
    struct profile_call call = {.calls = index_rows_integer(rows, 2),
                                .primitive_calls = index_rows_integer(rows, 3),
                                .self = index_rows_real(rows, 4),
                                .total = index_rows_real(rows, 5),
                                .is_count = index_rows_integer(rows, 6)};
    if (!read_function_id(reading, rows, 0, &call.caller) ||
        !read_function_id(reading, rows, 1, &call.callee))
        return damaged(reading, "call");
    return array_push(&reading->profile->calls, call) ? STATUS_OK
                                                      : no_memory(reading, STATUS_NO_MEMORY);
}

/* The edges come in the order of the functions that they lead to. */
static enum status join_calls(struct reading *reading)
{
    struct profile *profile = reading->profile;
    uint64_t next = 0;
    for (size_t i = 0; i < profile->stats.count; i++) {
        struct profile_stat *stat = &profile->stats.items[i];
        stat->first_call = next;
        while (next < profile->calls.count && profile->calls.items[next].callee == stat->function)
            next++;
        stat->call_count = (uint32_t)(next - stat->first_call);
    }
    return next == profile->calls.count ? STATUS_OK : damaged(reading, "call");
}

static enum status read_tables(struct reading *reading)
{
    static const struct {
        const char *sql;
        row_reader read;
        int families; /* set of 1 << enum profile_family; 0: all */
    } tables[] = {
        {"SELECT key, value FROM meta", read_fact, 0},
        {"SELECT area, message FROM warning ORDER BY rowid", read_warning, 0},
        {"SELECT id, name, file, line, name_bytes, file_bytes FROM function ORDER BY id",
         read_function, 0},
        {"SELECT id, name, pid, tid, state FROM sample_track ORDER BY id", read_track,
         1 << PROFILE_SAMPLES},
        {"SELECT id, parent_id, function_id, line, self, track_id, self_count FROM node"
         " ORDER BY id",
         read_node, 1 << PROFILE_SAMPLES | 1 << PROFILE_TRACEMALLOC},
        {"SELECT node_id, domain, size, count FROM trace ORDER BY rowid", read_trace,
         1 << PROFILE_TRACEMALLOC},
        {"SELECT l.frame_id, l.name, l.kind, l.value, n.track_id FROM local l"
         " JOIN node n ON n.id = l.frame_id ORDER BY l.rowid",
         read_local, 1 << PROFILE_SAMPLES},
        {"SELECT function_id, calls, primitive_calls, self, total FROM stat ORDER BY rowid",
         read_stat, 1 << PROFILE_PSTATS},
        {"SELECT caller_id, callee_id, calls, primitive_calls, self, total, is_count FROM call"
         " ORDER BY rowid",
         read_call, 1 << PROFILE_PSTATS},
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof tables / sizeof *tables; i++) {
        if (!tables[i].families || tables[i].families >> reading->profile->family & 1)
            status = each_row(reading, tables[i].sql, tables[i].read);
    }
    return status;
}

static enum profile_family family_of(struct index *index)
{
    const char *kind = index_meta(index, "kind");
    if (!kind || !profile_index_is(index))
        return PROFILE_NONE;
    return kind[0] == 't' ? PROFILE_TRACEMALLOC : kind[1] == 's' ? PROFILE_PSTATS : PROFILE_SAMPLES;
}

enum status profile_index_read(struct index *index, struct profile *ret_profile, struct error *err)
{
    struct profile profile;
    struct reading reading = {.index = index, .profile = &profile, .err = err};
    const struct node none = {.frame = PROFILE_NO_ID, .stack = PROFILE_NO_ID};
    profile_init(&profile);
    profile.family = family_of(index);
    profile.format = profile.unit = "";
    enum status status = STATUS_OK;
    if (profile.family == PROFILE_NONE)
        status = error_set(err, STATUS_UNSUPPORTED, "this index is of no recording");
    else if (!array_push(&reading.nodes, none) || !array_push(&reading.node_ids, 0))
        status = no_memory(&reading, STATUS_NO_MEMORY);
    if (status == STATUS_OK)
        status = read_tables(&reading);
    if (status == STATUS_OK)
        status = join_calls(&reading);
    array_deinit(&reading.nodes);
    array_deinit(&reading.node_ids);
    array_deinit(&reading.scratch);
    array_deinit(&reading.depths);
    if (status != STATUS_OK) {
        profile_deinit(&profile);
        return status;
    }
    profile_seal(&profile);
    *ret_profile = profile;
    return STATUS_OK;
}
