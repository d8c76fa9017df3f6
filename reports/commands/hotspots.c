/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "reports/commands/heap_answer.h"
#include "reports/commands/hotspots_answer.h"
#include "reports/commands/recordings.h"
#include "reports/render/json.h"

#define COLUMNS_MAX 8

/* ---- Columns for programs. */

static size_t plain_columns(const struct hotspots_answer *answer, struct column *columns)
{
    bool snapshot = answer->profile->family == PROFILE_TRACEMALLOC;
    const char *names[COLUMNS_MAX + 1] = {0};
    size_t count = 0;
    bool place = answer->relation || answer->by == HOTSPOT_FUNCTION || answer->by == HOTSPOT_LINE;
    if (place && (!snapshot || answer->relation))
        names[count++] = "function";
    if (place || answer->by == HOTSPOT_FILE)
        names[count++] = "file";
    if (place || (answer->by == HOTSPOT_FILE && snapshot))
        names[count++] = "line";
    if (answer->relation) {
        names[count++] = "calls";
        names[count++] = "self";
        names[count++] = "total";
    } else {
        if (answer->by == HOTSPOT_MODULE)
            names[count++] = "module";
        if (answer->by == HOTSPOT_TRACEBACK)
            names[count++] = "frames";
        if (answer->by == HOTSPOT_THREAD) {
            names[count++] = "thread";
            names[count++] = "pid";
            names[count++] = "tid";
        }
        names[count++] = snapshot ? "size" : "self";
        if (!snapshot)
            names[count++] = "total";
        names[count++] = "count";
        if (answer->stat_rows)
            names[count++] = "primitive_calls";
    }
    for (size_t i = 0; i < count; i++)
        columns[i] = (struct column){names[i], NULL, COLUMN_PLAIN};
    return count;
}

/* ---- JSON. */

static int64_t whole(uint64_t value)
{
    return value < INT64_MAX ? (int64_t)value : INT64_MAX;
}

static void write_frames(const struct hotspots_answer *answer, uint32_t id,
                         struct json_writer *json)
{
    const struct profile *profile = answer->profile;
    const struct profile_stack *stack = &profile->stacks.items[id];
    json_key(json, "frames");
    json_begin_array(json);
    for (uint32_t i = 0; i < stack->depth; i++) {
        const struct profile_frame *frame =
            &profile->frames.items[profile->stack_frames.items[stack->first + i]];
        const struct profile_function *function = &profile->functions.items[frame->function];
        json_begin_object(json);
        if (profile->family != PROFILE_TRACEMALLOC)
            json_member_string(json, "function", profile_text(profile, function->name));
        json_member_string(json, "file", profile_text(profile, function->file));
        json_member_integer(json, "line", frame->line);
        json_end_object(json);
    }
    json_end_array(json);
}

/* Stacks are lists, the oldest frame first. */
static void write_tracebacks(const struct hotspots_answer *answer, struct json_writer *json)
{
    bool snapshot = answer->profile->family == PROFILE_TRACEMALLOC;
    json_begin_array(json);
    for (size_t i = 0; i < answer->shown_count; i++) {
        const struct hotspot *row = &answer->hotspots.rows.items[i];
        json_begin_object(json);
        write_frames(answer, row->key, json);
        if (snapshot) {
            json_member_integer(json, "size", whole(row->size));
        } else {
            json_member_amount(json, "self", row->total);
            json_member_amount(json, "total", row->total);
        }
        json_member_integer(json, "count", whole(row->count));
        json_end_object(json);
        output_drain(answer->run->answer);
    }
    json_end_array(json);
}

static void write_relation(const struct hotspots_answer *answer, struct json_writer *json)
{
    const struct options *options = answer->run->options;
    json_member_string(json, "relation", answer->relation);
    json_key(json, "of");
    json_begin_object(json);
    json_member_string(json, "function", options->callers ? options->callers : options->callees);
    json_member_integer(json, "matched", answer->relations.matched);
    json_member_integer(json, "count", (int64_t)answer->relations.count);
    json_member_amount(json, "self", answer->relations.self);
    json_member_amount(json, "total", answer->relations.total);
    json_end_object(json);
}

static enum status write_json(const struct hotspots_answer *answer, const struct table *rows,
                              struct error *err)
{
    struct json_writer json;
    recordings_begin_json(answer->run, "hotspots", answer->profile, &json);
    json_member_string(&json, "format", answer->profile->format);
    json_member_string(&json, "unit", answer->profile->unit);
    if (answer->relation) {
        write_relation(answer, &json);
    } else {
        json_member_string(&json, "by", answer->by_word);
        json_key(&json, "total");
        if (answer->profile->family == PROFILE_TRACEMALLOC)
            json_integer(&json, whole(answer->hotspots.whole_size));
        else
            json_amount(&json, answer->hotspots.whole);
        json_member_integer(&json, "count", (int64_t)answer->hotspots.whole_count);
    }
    json_member_integer(&json, "row_count", (int64_t)answer->row_count);
    json_key(&json, "rows");
    if (answer->by == HOTSPOT_TRACEBACK && !answer->relation)
        write_tracebacks(answer, &json);
    else
        table_render_json(rows, &json);
    json_end_object(&json);
    return json_finish(&json) ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}

static enum status write_plain(const struct hotspots_answer *answer, struct error *err)
{
    struct column columns[COLUMNS_MAX];
    struct table rows;
    table_init(&rows, columns, plain_columns(answer, columns));
    bool is_table =
        answer->run->format == FORMAT_CSV || answer->relation || answer->by != HOTSPOT_TRACEBACK;
    if (is_table)
        hotspots_fill_plain(answer, &rows);
    enum status status = STATUS_OK;
    if (rows.failed)
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    else if (answer->run->format == FORMAT_CSV)
        table_render_csv(&rows, output_text(answer->run->answer));
    else
        status = write_json(answer, &rows, err);
    table_deinit(&rows);
    return status;
}

static void deinit(struct hotspots_answer *answer)
{
    if (answer->has_loaded)
        profile_deinit(&answer->loaded);
    if (answer->has_stats)
        pstats_deinit(&answer->stats);
    hotspots_deinit(&answer->hotspots);
    hotspots_deinit(&answer->paths);
    call_relations_deinit(&answer->relations);
    arena_deinit(&answer->arena);
}

enum status command_hotspots(struct command_run *run, struct error *err)
{
    struct hotspots_answer answer = {.run = run};
    arena_init(&answer.arena);
    enum status status = name_input(run, hotspots_load(&answer, err), err);
    if (status == STATUS_OK) {
        switch (run->format) {
        case FORMAT_PSTATS: status = hotspots_print_pstats(&answer, err); break;
        case FORMAT_TEXT:
        case FORMAT_MARKDOWN: hotspots_render(&answer); break;
        default: status = write_plain(&answer, err); break;
        }
    }
    deinit(&answer);
    return status;
}
