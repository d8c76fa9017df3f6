/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as tables: for programs every fact in a column of its own, for people the numbers
 * first and the place as one writes it. */
#include "reports/commands/hotspots_answer.h"

static int64_t bounded(double value)
{
    return value < 9.2e18 ? value > -9.2e18 ? (int64_t)value : INT64_MIN : INT64_MAX;
}

static int64_t whole(uint64_t value)
{
    return value < INT64_MAX ? (int64_t)value : INT64_MAX;
}

struct hotspot hotspots_row(const struct hotspots_answer *answer, size_t position)
{
    if (!answer->stat_rows)
        return answer->hotspots.rows.items[position];
    const struct profile_stat *stat = &answer->profile->stats.items[answer->stat_rows[position]];
    uint64_t calls = stat->calls > 0 ? (uint64_t)stat->calls : 0;
    return (struct hotspot){.key = stat->function,
                            .self = stat->self,
                            .total = stat->total,
                            .self_count = calls,
                            .count = calls};
}

/* As the recording has it: bytes and samples are whole numbers. */
static void plain_amount(const struct hotspots_answer *answer, struct table *table, double value)
{
    bool seconds = answer->unit.kind == COLUMN_SECONDS;
    if (!seconds && value == (double)bounded(value))
        table_integer(table, bounded(value));
    else
        table_real(table, value);
}

static void shown_amount(const struct hotspots_answer *answer, struct table *table, double value)
{
    value *= answer->unit.factor;
    if (answer->unit.kind != COLUMN_SECONDS && value == (double)bounded(value))
        table_integer(table, bounded(value));
    else
        table_real(table, value);
}

static double share(double part, double of)
{
    return of > 0 ? part / of : 0;
}

static void line_cell(struct table *table, int32_t line)
{
    if (line)
        table_integer(table, line);
    else
        table_null(table);
}

/* ---- Stacks, as one line: "main (a.py:3) > work (b.py:7)". */

static void append_frame(const struct profile *profile, uint32_t id, struct text *text)
{
    const struct profile_frame *frame = &profile->frames.items[id];
    const char *name = profile_text(profile, profile->functions.items[frame->function].name);
    if (*name)
        text_append(text, name);
    else
        profile_place(profile, frame->function, frame->line, text);
}

void hotspots_append_path(const struct profile *profile, uint32_t id, const char *separator,
                          struct text *text)
{
    const struct profile_stack *stack = &profile->stacks.items[id];
    for (uint32_t i = 0; i < stack->depth; i++) {
        text_append(text, i ? separator : "");
        append_frame(profile, profile->stack_frames.items[stack->first + i], text);
    }
}

static void path_cell(const struct hotspots_answer *answer, struct table *table, uint32_t stack,
                      const char *separator)
{
    struct text text;
    text_init(&text);
    hotspots_append_path(answer->profile, stack, separator, &text);
    table_string(table, text_string(&text));
    table->failed |= text.failed;
    text_deinit(&text);
}

/* ---- For programs. */

static void track_cells(const struct hotspots_answer *answer, struct table *table, uint32_t id,
                        bool shown)
{
    const struct profile_track *track = &answer->profile->tracks.items[id];
    struct text name;
    text_init(&name);
    if (shown)
        profile_track_name(answer->profile, id, &name);
    else
        text_append(&name, profile_text(answer->profile, track->name));
    table_string(table, text_string(&name));
    table->failed |= name.failed;
    text_deinit(&name);
    if (track->pid >= 0)
        table_integer(table, track->pid);
    else
        table_null(table);
    if (track->tid >= 0)
        table_integer(table, track->tid);
    else
        table_null(table);
}

static void plain_key(const struct hotspots_answer *answer, struct table *table,
                      const struct hotspot *row)
{
    const struct hotspots *hotspots = &answer->hotspots;
    bool snapshot = answer->profile->family == PROFILE_TRACEMALLOC;
    switch (answer->by) {
    case HOTSPOT_FUNCTION:
    case HOTSPOT_LINE:
        if (!snapshot)
            table_string(table, hotspot_function(hotspots, row));
        table_string(table, hotspot_file(hotspots, row));
        if (snapshot)
            table_integer(table, hotspot_line(hotspots, row));
        else
            line_cell(table, hotspot_line(hotspots, row));
        break;
    case HOTSPOT_FILE:
        table_string(table, hotspot_file(hotspots, row));
        if (snapshot)
            table_integer(table, 0);
        break;
    case HOTSPOT_MODULE: table_string(table, hotspot_module(hotspots, row)); break;
    case HOTSPOT_THREAD: track_cells(answer, table, row->key, false); break;
    case HOTSPOT_TRACEBACK: path_cell(answer, table, row->key, ";"); break;
    }
}

static void fill_relations(const struct hotspots_answer *answer, struct table *table, bool shown)
{
    const struct profile *profile = answer->profile;
    bool by_frame = profile->family == PROFILE_TRACEMALLOC;
    for (size_t i = 0; i < answer->shown_count; i++) {
        const struct call_relation *row = &answer->relations.rows.items[i];
        bool nobody = row->frame_or_function == PROFILE_NO_ID;
        uint32_t function = nobody     ? PROFILE_NO_ID
                            : by_frame ? profile->frames.items[row->frame_or_function].function
                                       : row->frame_or_function;
        int32_t line = nobody     ? 0
                       : by_frame ? profile->frames.items[row->frame_or_function].line
                                  : profile->functions.items[function].line;
        if (!shown) {
            table_string(table,
                         nobody || by_frame
                             ? NULL
                             : profile_text(profile, profile->functions.items[function].name));
            table_string(table,
                         nobody ? NULL
                                : profile_text(profile, profile->functions.items[function].file));
            line_cell(table, line);
            table_integer(table, whole(row->count));
            plain_amount(answer, table, row->self);
            plain_amount(answer, table, row->total);
            continue;
        }
        struct text place;
        text_init(&place);
        if (!nobody)
            profile_place(profile, function, line, &place);
        shown_amount(answer, table, row->total);
        table_real(table, share(row->total, answer->relations.total));
        shown_amount(answer, table, row->self);
        table_integer(table, whole(row->count));
        if (!by_frame)
            table_string(table,
                         nobody ? "(nobody: it is the outermost)"
                                : profile_text(profile, profile->functions.items[function].name));
        table_string(table,
                     nobody && by_frame ? "(nobody: it is the outermost)" : text_string(&place));
        table->failed |= place.failed;
        text_deinit(&place);
    }
}

void hotspots_fill_plain(const struct hotspots_answer *answer, struct table *table)
{
    bool snapshot = answer->profile->family == PROFILE_TRACEMALLOC;
    if (answer->relation) {
        fill_relations(answer, table, false);
        return;
    }
    for (size_t i = 0; i < answer->shown_count; i++) {
        struct hotspot row = hotspots_row(answer, i);
        plain_key(answer, table, &row);
        if (snapshot) {
            table_integer(table, whole(row.size));
            table_integer(table, whole(row.count));
            continue;
        }
        plain_amount(answer, table, row.self);
        plain_amount(answer, table, row.total);
        table_integer(table, whole(row.count));
        if (answer->stat_rows)
            table_integer(table,
                          answer->profile->stats.items[answer->stat_rows[i]].primitive_calls);
    }
}

/* ---- For people. */

static void shown_key(const struct hotspots_answer *answer, struct table *table,
                      const struct hotspot *row)
{
    const struct hotspots *hotspots = &answer->hotspots;
    bool snapshot = answer->profile->family == PROFILE_TRACEMALLOC;
    struct text place;
    switch (answer->by) {
    case HOTSPOT_FUNCTION:
    case HOTSPOT_LINE:
        if (!snapshot)
            table_string(table, hotspot_function(hotspots, row));
        text_init(&place);
        text_append(&place, hotspot_file(hotspots, row));
        if (hotspot_line(hotspots, row) || snapshot)
            text_printf(&place, "%s%d", place.size ? ":" : "line ", hotspot_line(hotspots, row));
        table_string(table, text_string(&place));
        table->failed |= place.failed;
        text_deinit(&place);
        break;
    case HOTSPOT_FILE: table_string(table, hotspot_file(hotspots, row)); break;
    case HOTSPOT_MODULE: table_string(table, hotspot_module(hotspots, row)); break;
    case HOTSPOT_THREAD: track_cells(answer, table, row->key, true); break;
    case HOTSPOT_TRACEBACK: path_cell(answer, table, row->key, " > "); break;
    }
}

void hotspots_fill_shown(const struct hotspots_answer *answer, struct table *table)
{
    const struct hotspots *hotspots = &answer->hotspots;
    bool snapshot = answer->profile->family == PROFILE_TRACEMALLOC;
    bool one_amount = snapshot || answer->by == HOTSPOT_THREAD || answer->by == HOTSPOT_TRACEBACK;
    if (answer->relation) {
        fill_relations(answer, table, true);
        return;
    }
    for (size_t i = 0; i < answer->shown_count; i++) {
        struct hotspot row = hotspots_row(answer, i);
        if (!one_amount) {
            shown_amount(answer, table, row.self);
            table_real(table, share(row.self, hotspots->whole));
        }
        shown_amount(answer, table, row.total);
        table_real(table, share(row.total, hotspots->whole));
        table_integer(table, whole(row.count));
        if (snapshot)
            table_integer(table, row.count ? whole(row.size / row.count) : 0);
        shown_key(answer, table, &row);
    }
}
