/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/diff_render.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/commands/heap_answer.h"
#include "reports/commands/hotspots_answer.h"
#include "reports/commands/profile_flame.h"
#include "reports/render/escape.h"

#define MAIN_ROWS  20 /* in text and Markdown */
#define OTHER_ROWS 10

/* ---- Tables for people. */

static enum column_kind unit_kind(const struct diff_answer *answer, enum diff_unit unit,
                                  double *ret_factor)
{
    *ret_factor = 1;
    switch (unit) {
    case DIFF_BYTES: return COLUMN_BYTES;
    case DIFF_COUNT: return COLUMN_COUNT;
    case DIFF_SECONDS: return COLUMN_SECONDS;
    case DIFF_SHARE: return COLUMN_SHARE;
    case DIFF_NUMBER: break;
    }
    struct unit_view view = unit_view(answer->unit);
    *ret_factor = view.factor;
    return view.kind;
}

static void add_number(struct table *table, enum column_kind kind, double value)
{
    kind &= ~(unsigned)COLUMN_SIGNED;
    if ((kind == COLUMN_BYTES || kind == COLUMN_COUNT) && fabs(value) < 9e18 &&
        value == floor(value))
        table_integer(table, (int64_t)value);
    else if (kind == COLUMN_BYTES)
        table_integer(table, (int64_t)fmin(fmax(value, -9e18), 9e18));
    else
        table_real(table, value);
}

static bool is_changed(const struct diff_table *table, const struct diff_row *row)
{
    if (row->presence != DIFF_BOTH || row->note)
        return true;
    for (size_t i = 0; i < diff_measure_count(table); i++)
        if (row->old_values[i] != row->new_values[i])
            return true;
    return row->is_exact && row->old_size != row->new_size;
}

static void add_key(struct table *table, const struct diff_table *source,
                    const struct diff_row *row, size_t key)
{
    if (source->key_is_number[key] && row->keys[key])
        table_integer(table, strtoll(row->keys[key], NULL, 10));
    else
        table_string(table, row->keys[key]);
}

static const char *presence_words(const struct diff_table *source, const struct diff_row *row)
{
    static const char *const words[] = {[DIFF_BOTH] = "", [DIFF_NEW] = "new", [DIFF_GONE] = "gone"};
    (void)source;
    return row->is_noise ? "within chance" : row->note ? row->note : words[row->presence];
}

/* Which keys have a word in any row that changed: columns without one are left out. The
 * last is whether any row has a note. */
static void used_keys(const struct diff_table *source, size_t keys, bool used[DIFF_KEYS + 1])
{
    memset(used, 0, (DIFF_KEYS + 1) * sizeof *used);
    used[0] = true;
    for (size_t i = 0; i < source->rows.count; i++) {
        const struct diff_row *row = &source->rows.items[i];
        if (!is_changed(source, row))
            continue;
        for (size_t j = 1; j < keys; j++)
            used[j] |= row->keys[j] && *row->keys[j];
        used[DIFF_KEYS] |= *presence_words(source, row) != '\0';
    }
}

size_t diff_people_table(const struct diff_answer *answer, const struct diff_table *source,
                         size_t limit, struct column *ret_columns, struct table *ret_table)
{
    size_t keys = diff_key_count(source), measures = diff_measure_count(source), count = 0;
    double factors[DIFF_MEASURES];
    for (size_t i = 0; i < measures; i++) {
        enum column_kind kind = unit_kind(answer, source->measures[i].unit, &factors[i]);
        ret_columns[count++] = (struct column){"change", "Change", kind | COLUMN_SIGNED};
        ret_columns[count++] =
            (struct column){source->measures[i].name, source->measures[i].title, kind};
    }
    bool used[DIFF_KEYS + 1];
    used_keys(source, keys, used);
    for (size_t i = 0; i < keys; i++)
        if (used[i])
            ret_columns[count++] =
                (struct column){source->keys[i], source->key_titles[i], COLUMN_CODE};
    if (used[DIFF_KEYS])
        ret_columns[count++] = (struct column){"note", "Note", COLUMN_PLAIN};
    table_init(ret_table, ret_columns, count);
    size_t shown = 0, changed = 0;
    for (size_t i = 0; i < source->rows.count; i++) {
        const struct diff_row *row = &source->rows.items[i];
        if (!is_changed(source, row))
            continue;
        changed++;
        if (shown == limit)
            continue;
        shown++;
        for (size_t j = 0; j < measures; j++) {
            double change = row->new_values[j] - row->old_values[j];
            add_number(ret_table, ret_columns[2 * j].kind, change * factors[j]);
            add_number(ret_table, ret_columns[2 * j + 1].kind, row->new_values[j] * factors[j]);
        }
        for (size_t j = 0; j < keys; j++)
            if (used[j])
                add_key(ret_table, source, row, j);
        if (used[DIFF_KEYS])
            table_string(ret_table, presence_words(source, row));
    }
    return changed - shown + source->left_out;
}

/* ---- Text. */

static void amount(const struct diff_answer *answer, double value, struct text *text)
{
    double factor;
    enum column_kind kind = unit_kind(answer, answer->diff->total.unit, &factor);
    struct unit_view view = {kind, factor, NULL};
    if (answer->diff->total.unit == DIFF_NUMBER)
        view = unit_view(answer->unit);
    unit_amount(&view, value, text);
}

static void total_words(const struct diff_answer *answer, struct text *text)
{
    const struct diff *diff = answer->diff;
    double change = diff->new_total - diff->old_total;
    amount(answer, diff->old_total, text);
    text_append(text, " → ");
    amount(answer, diff->new_total, text);
    if (diff->old_total > 0)
        text_printf(text, " (%+.1f %%)", change / diff->old_total * 100);
}

static size_t row_limit(const struct diff_answer *answer, size_t otherwise)
{
    int64_t limit = limit_or(answer->run->options, (int64_t)otherwise);
    return limit < 0 ? SIZE_MAX : (size_t)limit;
}

static void more_note(size_t hidden, struct text *text)
{
    if (!hidden)
        return;
    text_append_char(text, '[');
    format_count(text, (int64_t)hidden);
    text_append(text, " more; --limit 0 shows all]\n");
}

static void text_table(const struct diff_answer *answer, const struct diff_table *source,
                       size_t limit, struct text *text)
{
    struct column columns[DIFF_COLUMNS];
    struct table table;
    size_t hidden = diff_people_table(answer, source, limit, columns, &table);
    if (table_row_count(&table) || source == &answer->diff->tables.items[0]) {
        text_printf(text, "\n%s\n", source->title);
        table_render_text(&table, answer_width(answer->run), text);
        more_note(hidden, text);
    }
    if (source->note && (table_row_count(&table) || !source->rows.count)) {
        escape_terminal(text, source->note, ESCAPE_ONE_LINE);
        text_append_char(text, '\n');
    }
    table_deinit(&table);
}

void diff_render_text(const struct diff_answer *answer, struct text *text)
{
    const struct diff *diff = answer->diff;
    escape_terminal(text, diff->verdict, ESCAPE_ONE_LINE);
    text_append(text, "\n");
    gates_text(answer->gates, text);
    text_printf(text, "%s: ", diff->total.title);
    total_words(answer, text);
    text_append(text, ", NEW compared to OLD\n");
    for (size_t i = 0; i < diff->warnings.count; i++) {
        text_append(text, "Warning: ");
        escape_terminal(text, diff->warnings.items[i], ESCAPE_ONE_LINE);
        text_append_char(text, '\n');
    }
    if (diff->rule) {
        text_append(text, "Matched: ");
        escape_terminal(text, diff->rule, ESCAPE_ONE_LINE);
        text_append_char(text, '\n');
    }
    for (size_t i = 0; i < diff->tables.count; i++)
        text_table(answer, diff_table_for_people(diff, i),
                   row_limit(answer, i ? OTHER_ROWS : MAIN_ROWS), text);
}

void diff_render_markdown(const struct diff_answer *answer, struct text *text)
{
    const struct diff *diff = answer->diff;
    text_append(text, "### ");
    escape_markdown(text, diff->verdict);
    text_append(text, "\n\n");
    gates_markdown(answer->gates, text);
    text_printf(text, "\n**%s**: ", diff->total.title);
    total_words(answer, text);
    text_append(text, ", NEW (");
    escape_markdown_code(text, answer->sides[1].input, false);
    text_append(text, ") compared to OLD (");
    escape_markdown_code(text, answer->sides[0].input, false);
    text_append(text, ")\n");
    for (size_t i = 0; i < diff->warnings.count; i++) {
        text_append(text, "\n> ");
        escape_markdown(text, diff->warnings.items[i]);
        text_append_char(text, '\n');
    }
    for (size_t i = 0; i < diff->tables.count; i++) {
        struct column columns[DIFF_COLUMNS];
        struct table table;
        const struct diff_table *source = diff_table_for_people(diff, i);
        size_t hidden = diff_people_table(
            answer, source, row_limit(answer, i ? OTHER_ROWS : MAIN_ROWS), columns, &table);
        if (table_row_count(&table)) {
            text_printf(text, "\n#### %s\n\n", source->title);
            table_render_markdown(&table, text);
            more_note(hidden, text);
        }
        table_deinit(&table);
    }
}

/* ---- Data: every number of both, unrounded. */

static void number(struct json_writer *json, double value)
{
    if (value == floor(value) && fabs(value) < 9e15)
        json_integer(json, (int64_t)value);
    else
        json_real(json, value);
}

static const char *const which_names[] = {"old", "new", "delta"};

static void measure_member(struct json_writer *json, const char *name, const char *which,
                           double value)
{
    char key[64];
    snprintf(key, sizeof key, "%s_%s", name, which);
    json_key(json, key);
    number(json, value);
}

/* Sizes of a snapshot, which a double would round. */
static bool exact_sizes(const struct diff_row *row, int64_t ret_sizes[3])
{
    if (!row->is_exact || row->old_size > INT64_MAX || row->new_size > INT64_MAX)
        return false;
    ret_sizes[0] = (int64_t)row->old_size;
    ret_sizes[1] = (int64_t)row->new_size;
    ret_sizes[2] = ret_sizes[1] - ret_sizes[0];
    return true;
}

static void json_sizes(struct json_writer *json, const char *name, const int64_t sizes[3])
{
    char key[64];
    for (size_t i = 0; i < 3; i++) {
        snprintf(key, sizeof key, "%s_%s", name, which_names[i]);
        json_member_integer(json, key, sizes[i]);
    }
}

/* Of a traceback, oldest first, as hotspots tells them. */
static void json_frames(struct json_writer *json, const struct profile *names, uint32_t id)
{
    const struct profile_stack *stack = &names->stacks.items[id];
    json_key(json, "frames");
    json_begin_array(json);
    for (uint32_t i = 0; i < stack->depth; i++) {
        const struct profile_frame *frame =
            &names->frames.items[names->stack_frames.items[stack->first + i]];
        const struct profile_function *function = &names->functions.items[frame->function];
        const char *name = profile_text(names, function->name);
        json_begin_object(json);
        json_member_string(json, "file", profile_text(names, function->file));
        json_member_integer(json, "line", frame->line);
        if (*name)
            json_member_string(json, "function", name);
        json_end_object(json);
    }
    json_end_array(json);
}

static void json_row(struct json_writer *json, const struct profile *names,
                     const struct diff_table *table, const struct diff_row *row)
{
    static const char *const presence[] = {
        [DIFF_BOTH] = "both", [DIFF_NEW] = "new", [DIFF_GONE] = "gone"};
    json_begin_object(json);
    for (size_t i = 0; i < diff_key_count(table); i++) {
        json_key(json, table->keys[i]);
        if (table->key_is_number[i] && row->keys[i])
            json_integer(json, strtoll(row->keys[i], NULL, 10));
        else
            json_string(json, row->keys[i]);
    }
    if (row->stack != DIFF_NO_STACK && names)
        json_frames(json, names, row->stack);
    int64_t sizes[3];
    bool exact = exact_sizes(row, sizes);
    if (exact)
        json_sizes(json, table->measures[0].name, sizes);
    for (size_t i = exact ? 1 : 0; i < diff_measure_count(table); i++) {
        measure_member(json, table->measures[i].name, "old", row->old_values[i]);
        measure_member(json, table->measures[i].name, "new", row->new_values[i]);
        double delta = row->new_values[i] - row->old_values[i];
        measure_member(json, table->measures[i].name, "delta", delta);
        if (row->has_margins && i < sizeof row->margins / sizeof *row->margins) {
            measure_member(json, table->measures[i].name, "delta_low", delta - row->margins[i]);
            measure_member(json, table->measures[i].name, "delta_high", delta + row->margins[i]);
        }
    }
    json_member_string(json, "presence", presence[row->presence]);
    json_member_bool(json, "noise", row->is_noise);
    json_member_string(json, "note", row->note);
    json_end_object(json);
}

bool diff_render_json(const struct diff_answer *answer, struct text *text)
{
    const struct diff *diff = answer->diff;
    struct json_writer json;
    json_init(&json, text);
    json_begin_object(&json);
    json_member_string(&json, "schema", "inquest/diff/1");
    json_member_string(&json, "input", answer->sides[1].input);
    json_member_string(&json, "old_input", answer->sides[0].input);
    json_key(&json, "warnings");
    json_begin_array(&json);
    for (size_t i = 0; i < diff->warnings.count; i++)
        json_string(&json, diff->warnings.items[i]);
    json_end_array(&json);
    json_member_string(&json, "family", diff->family);
    json_member_string(&json, "verdict", diff->verdict);
    json_member_string(&json, "rule", diff->rule);
    json_member_string(&json, "unit", answer->unit);
    json_key(&json, "total");
    json_begin_object(&json);
    measure_member(&json, diff->total.name, "old", diff->old_total);
    measure_member(&json, diff->total.name, "new", diff->new_total);
    measure_member(&json, diff->total.name, "delta", diff->new_total - diff->old_total);
    json_end_object(&json);
    gates_json(answer->gates, &json);
    size_t limit = row_limit(answer, SIZE_MAX / 2);
    for (size_t i = 0; i < diff->tables.count; i++) {
        const struct diff_table *table = &diff->tables.items[i];
        json_key(&json, table->name);
        json_begin_array(&json);
        for (size_t j = 0; j < table->rows.count && j < limit; j++)
            json_row(&json, answer->names, table, &table->rows.items[j]);
        json_end_array(&json);
    }
    json_end_object(&json);
    return json_finish(&json);
}

static void add_stack(struct table *table, const struct profile *names, uint32_t stack)
{
    struct text text = {0};
    if (stack != DIFF_NO_STACK)
        hotspots_append_path(names, stack, ";", &text);
    table_string(table, text_string(&text));
    table->failed |= text.failed;
    text_deinit(&text);
}

void diff_render_csv(const struct diff_answer *answer, struct text *text)
{
    const struct diff_table *source = &answer->diff->tables.items[0];
    size_t keys = diff_key_count(source), measures = diff_measure_count(source), count = 0;
    struct column columns[DIFF_COLUMNS];
    char names[3 * DIFF_MEASURES][64];
    for (size_t i = 0; i < keys; i++)
        columns[count++] = (struct column){source->keys[i], NULL, COLUMN_PLAIN};
    bool has_stacks =
        answer->names && source->rows.count && source->rows.items[0].stack != DIFF_NO_STACK;
    if (has_stacks)
        columns[count++] = (struct column){"frames", NULL, COLUMN_PLAIN};
    for (size_t i = 0; i < 3 * measures; i++) {
        snprintf(names[i], sizeof names[i], "%s_%s", source->measures[i / 3].name,
                 which_names[i % 3]);
        columns[count++] = (struct column){names[i], NULL, COLUMN_PLAIN};
    }
    struct table table;
    table_init(&table, columns, count);
    size_t limit = row_limit(answer, SIZE_MAX / 2);
    for (size_t i = 0; i < source->rows.count && i < limit; i++) {
        const struct diff_row *row = &source->rows.items[i];
        for (size_t j = 0; j < keys; j++)
            add_key(&table, source, row, j);
        if (has_stacks)
            add_stack(&table, answer->names, row->stack);
        int64_t sizes[3];
        bool exact = exact_sizes(row, sizes);
        for (size_t j = 0; exact && j < 3; j++)
            table_integer(&table, sizes[j]);
        for (size_t j = exact ? 1 : 0; j < measures; j++) {
            add_number(&table, COLUMN_COUNT, row->old_values[j]);
            add_number(&table, COLUMN_COUNT, row->new_values[j]);
            add_number(&table, COLUMN_COUNT, row->new_values[j] - row->old_values[j]);
        }
    }
    table_render_csv(&table, text);
    table_deinit(&table);
}
