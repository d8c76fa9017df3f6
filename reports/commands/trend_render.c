/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/trend_render.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "inquest_config.h"
#include "reports/commands/heap_answer.h"
#include "reports/commands/profile_flame.h"
#include "reports/render/escape.h"
#include "reports/render/gnuplot.h"
#include "reports/render/page.h"

#define TEXT_ROWS    20
#define PAGE_ROWS    300
#define TABLE_BYTES  (300u << 10)
#define CHART_SERIES 8

static size_t row_limit(const struct trend_answer *answer, size_t otherwise)
{
    int64_t limit = limit_or(answer->run->options, (int64_t)otherwise);
    return limit < 0 ? SIZE_MAX : (size_t)limit;
}

/* ---- Words. */

static void name_words(const struct trend *trend, const struct trend_row *row, struct text *text)
{
    text_append(text, row->keys[0] ? row->keys[0] : "?");
    if (trend->keys[1] && row->keys[1] && *row->keys[1])
        text_printf(text, trend->key_is_number[1] ? ":%s" : " (%s)", row->keys[1]);
}

static void verdict(const struct trend *trend, struct text *text)
{
    const struct trend_row *top = trend->rows.count ? &trend->rows.items[0] : NULL;
    struct unit_view view = unit_view(trend->unit);
    if (!top || top->shape != TREND_STEADY) {
        text_append(text, "Nothing grew in every interval");
        return;
    }
    name_words(trend, top, text);
    text_append(text, " grows by ");
    unit_amount(&view, top->slope, text);
    text_append(text, " an hour");
    if (isfinite(top->percent))
        text_printf(text, " (%.1f %%)", top->percent);
    text_append(text, ", in every interval");
    if (top->fit >= 0)
        text_printf(text, ", R² %.2f", top->fit);
}

/* ---- Tables. */

#define COLUMNS (TREND_KEYS + 7)

static enum column_kind value_kind(const struct trend *trend, double *ret_factor)
{
    struct unit_view view = unit_view(trend->unit);
    *ret_factor = view.factor;
    return view.kind;
}

static void add_value(struct table *table, enum column_kind kind, double value)
{
    if (!isfinite(value))
        table_null(table);
    else if (kind == COLUMN_SECONDS)
        table_real(table, value);
    else
        table_integer(table, (int64_t)llround(fmin(fmax(value, -9e18), 9e18)));
}

static size_t people_table(const struct trend *trend, size_t limit, struct column *columns,
                           struct table *table)
{
    double factor;
    enum column_kind kind = value_kind(trend, &factor);
    size_t count = 0;
    columns[count++] = (struct column){"per_hour", "Per hour", kind | COLUMN_SIGNED};
    columns[count++] = (struct column){"percent", "% per hour", COLUMN_PLAIN};
    columns[count++] = (struct column){"certain", "± (95 %)", kind};
    columns[count++] = (struct column){"fit", "R²", COLUMN_PLAIN};
    columns[count++] = (struct column){"first", "First", kind};
    columns[count++] = (struct column){"last", "Last", kind};
    columns[count++] = (struct column){"shape", "Shape", COLUMN_PLAIN};
    for (size_t i = 0; i < TREND_KEYS && trend->keys[i]; i++)
        columns[count++] = (struct column){trend->keys[i], NULL, COLUMN_CODE};
    table_init(table, columns, count);
    size_t hidden = 0, shown = 0;
    for (size_t i = 0; i < trend->rows.count; i++) {
        const struct trend_row *row = &trend->rows.items[i];
        if (row->shape == TREND_FLAT)
            continue;
        if (shown == limit) {
            hidden++;
            continue;
        }
        shown++;
        add_value(table, kind, row->slope * factor);
        if (isfinite(row->percent))
            table_real(table, round(row->percent * 10) / 10);
        else
            table_string(table, "new");
        add_value(table, kind, (row->high - row->slope) * factor);
        table_real(table, round(row->fit * 100) / 100);
        add_value(table, kind, row->values[0] * factor);
        add_value(table, kind, row->values[trend->input_count - 1] * factor);
        table_string(table, trend_shape_names[row->shape]);
        for (size_t j = 0; j < TREND_KEYS && trend->keys[j]; j++)
            table_string(table, row->keys[j]);
    }
    return hidden;
}

/* ---- Text and Markdown. */

static void inputs_text(const struct trend_answer *answer, struct text *text)
{
    const struct trend *trend = answer->trend;
    struct unit_view view = unit_view(strcmp(trend->family, "core") == 0 ? "bytes" : trend->unit);
    text_printf(text, "%zu inputs, times %s:\n", trend->input_count, trend->times_from);
    for (size_t i = 0; i < trend->input_count; i++) {
        struct text line = {0};
        text_append(&line, "  +");
        format_seconds(&line, trend->times[i]);
        text_append(&line, "  ");
        unit_amount(&view, trend->totals[i], &line);
        text_printf(&line, "  %s", answer->inputs[i].name);
        escape_terminal(text, text_string(&line), ESCAPE_ONE_LINE);
        text_append_char(text, '\n');
        text_deinit(&line);
    }
}

static void render_people(const struct trend_answer *answer, bool markdown, struct text *text)
{
    struct column columns[COLUMNS];
    struct table table;
    struct text words = {0};
    verdict(answer->trend, &words);
    text_append(text, markdown ? "### " : "");
    if (markdown)
        escape_markdown(text, text_string(&words));
    else
        escape_terminal(text, text_string(&words), ESCAPE_ONE_LINE);
    text_append(text, markdown ? "\n\n" : "\n");
    (markdown ? gates_markdown : gates_text)(answer->gates, text);
    if (!markdown)
        inputs_text(answer, text);
    text_printf(text, "\nGrowth of %s; steady growers first\n%s", answer->trend->what,
                markdown ? "\n" : "");
    size_t hidden = people_table(answer->trend, row_limit(answer, TEXT_ROWS), columns, &table);
    if (markdown)
        table_render_markdown(&table, text);
    else
        table_render_text(&table, answer_width(answer->run), text);
    if (hidden) {
        text_append_char(text, '[');
        format_count(text, (int64_t)hidden);
        text_append(text, " more; --limit 0 shows all]\n");
    }
    table_deinit(&table);
    text_deinit(&words);
}

/* ---- Data. */

static void real_member(struct json_writer *json, const char *key, double value)
{
    json_key(json, key);
    if (value == floor(value) && fabs(value) < 9e15)
        json_integer(json, (int64_t)value);
    else
        json_real(json, value);
}

static void json_row(const struct trend *trend, const struct trend_row *row,
                     struct json_writer *json)
{
    json_begin_object(json);
    for (size_t i = 0; i < TREND_KEYS && trend->keys[i]; i++) {
        json_key(json, trend->keys[i]);
        if (trend->key_is_number[i] && row->keys[i] && *row->keys[i])
            json_integer(json, strtoll(row->keys[i], NULL, 10));
        else
            json_string(json, row->keys[i]);
    }
    json_key(json, "values");
    json_begin_array(json);
    for (size_t i = 0; i < trend->input_count; i++) {
        if (row->values[i] == floor(row->values[i]) && fabs(row->values[i]) < 9e15)
            json_integer(json, (int64_t)row->values[i]);
        else
            json_real(json, row->values[i]);
    }
    json_end_array(json);
    real_member(json, "growth_per_hour", row->slope);
    real_member(json, "growth_per_hour_low", row->low);
    real_member(json, "growth_per_hour_high", row->high);
    real_member(json, "percent_per_hour", row->percent);
    real_member(json, "r_squared", row->fit);
    json_member_string(json, "shape", trend_shape_names[row->shape]);
    json_end_object(json);
}

static bool render_json(const struct trend_answer *answer, struct text *text)
{
    const struct trend *trend = answer->trend;
    struct json_writer json;
    struct text words = {0};
    verdict(trend, &words);
    json_init(&json, text);
    json_begin_object(&json);
    json_member_string(&json, "schema", "inquest/trend/1");
    json_member_string(&json, "input", answer->inputs[trend->input_count - 1].name);
    json_key(&json, "warnings");
    json_begin_array(&json);
    json_end_array(&json);
    json_key(&json, "inputs");
    json_begin_array(&json);
    for (size_t i = 0; i < trend->input_count; i++) {
        json_begin_object(&json);
        json_member_string(&json, "input", answer->inputs[i].name);
        real_member(&json, "time", answer->inputs[i].time);
        real_member(&json, "total", trend->totals[i]);
        json_end_object(&json);
    }
    json_end_array(&json);
    json_member_string(&json, "family", trend->family);
    json_member_string(&json, "verdict", text_string(&words));
    json_member_string(&json, "what", trend->what);
    json_member_string(&json, "unit", trend->unit);
    gates_json(answer->gates, &json);
    json_key(&json, "rows");
    json_begin_array(&json);
    size_t limit = row_limit(answer, SIZE_MAX / 2);
    for (size_t i = 0; i < trend->rows.count && i < limit; i++)
        json_row(trend, &trend->rows.items[i], &json);
    json_end_array(&json);
    json_end_object(&json);
    text_deinit(&words);
    return json_finish(&json);
}

static void csv_row(const struct trend *trend, const struct trend_row *row, struct table *table)
{
    const double numbers[] = {row->values[0], row->values[trend->input_count - 1],
                              row->slope,     row->low,
                              row->high,      row->percent,
                              row->fit};
    for (size_t i = 0; i < TREND_KEYS && trend->keys[i]; i++)
        table_string(table, row->keys[i]);
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        if (isfinite(numbers[i]))
            table_real(table, numbers[i]);
        else
            table_null(table); /* per cent of nothing */
    }
    table_string(table, trend_shape_names[row->shape]);
}

/* Every row, with JSON's numbers; of the values the first and the last. */
static void render_csv(const struct trend_answer *answer, struct text *text)
{
    static const char *const names[] = {"first",
                                        "last",
                                        "growth_per_hour",
                                        "growth_per_hour_low",
                                        "growth_per_hour_high",
                                        "percent_per_hour",
                                        "r_squared",
                                        "shape"};
    const struct trend *trend = answer->trend;
    struct column columns[TREND_KEYS + COUNT_OF(names)];
    struct table table;
    size_t count = 0, limit = row_limit(answer, SIZE_MAX / 2);
    for (size_t i = 0; i < TREND_KEYS && trend->keys[i]; i++)
        columns[count++] = (struct column){trend->keys[i], NULL, COLUMN_PLAIN};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        columns[count++] = (struct column){names[i], NULL, COLUMN_PLAIN};
    table_init(&table, columns, count);
    for (size_t i = 0; i < trend->rows.count && i < limit; i++)
        csv_row(trend, &trend->rows.items[i], &table);
    table_render_csv(&table, text);
    table_deinit(&table);
}

/* ---- The page. */

static bool chart(const struct trend *trend, struct text *text)
{
    struct chart_series series[CHART_SERIES];
    struct text names[CHART_SERIES] = {0};
    double *hours = calloc(trend->input_count, sizeof *hours);
    size_t count = 0;
    for (size_t i = 0; i < trend->rows.count && count < CHART_SERIES; i++) {
        if (trend->rows.items[i].shape == TREND_FLAT)
            continue;
        name_words(trend, &trend->rows.items[i], &names[count]);
        series[count] =
            (struct chart_series){text_string(&names[count]), trend->rows.items[i].values};
        count++;
    }
    for (size_t i = 0; hours && i < trend->input_count; i++)
        hours[i] = trend->times[i] / 3600;
    const struct chart lines = {"hours", trend->unit, hours, trend->input_count, series, count};
    bool drawn = hours && count && gnuplot_chart(&lines, text);
    for (size_t i = 0; i < count; i++)
        text_deinit(&names[i]);
    free(hours);
    return drawn;
}

static void base64(const char *bytes, size_t size, struct text *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        uint32_t word = 0;
        for (size_t j = 0; j < 3; j++)
            word = word << 8 | (i + j < size ? (unsigned char)bytes[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            text_append_char(text, i + j > size ? '=' : digits[word >> (18 - 6 * j) & 63]);
    }
}

/* As an image: whatever gnuplot wrote, it runs nothing and asks for nothing. */
static void chart_section(const struct trend *trend, struct text *text)
{
    struct text picture = {0};
    text_append(text, "<section id=\"chart\"><h2>Over time</h2><div class=\"panel picture\">\n");
    if (chart(trend, &picture)) {
        text_append(text, "<img alt=\"Values by hour of the rows that grow most\" "
                          "src=\"data:image/svg+xml;base64,");
        base64(text_string(&picture), picture.size, text);
        text_append(text, "\">\n");
    } else {
        text_append(text, "<p class=\"aside\">No chart: gnuplot is not there or failed. The table "
                          "has all numbers.</p>\n");
    }
    text_append(text, "</div></section>\n");
    text_deinit(&picture);
}

static void inputs_section(const struct trend_answer *answer, struct text *text)
{
    text_append(text, "<section><h2>Inputs</h2><dl class=\"facts\">\n");
    for (size_t i = 0; i < answer->trend->input_count; i++) {
        text_append(text, "<div><dt>+");
        format_seconds(text, answer->trend->times[i]);
        text_append(text, "</dt><dd>");
        escape_markup(text, answer->inputs[i].name, ESCAPE_ONE_LINE);
        text_append(text, "</dd></div>\n");
    }
    text_append(text, "</dl></section>\n");
}

static void render_html(const struct trend_answer *answer, struct text *text)
{
    struct column columns[COLUMNS];
    struct table table;
    struct text words = {0};
    verdict(answer->trend, &words);
    const struct page_shell shell = {
        .title = text_string(&words), .kind = "trend", .search_label = "Search rows"};
    bool steady = answer->trend->rows.count && answer->trend->rows.items[0].shape == TREND_STEADY;
    page_begin(&shell, text);
    text_printf(text, "<div class=\"verdict %s\"><div class=\"kind\">Trend of %zu inputs</div><h1>",
                steady ? "aborted" : "alive", answer->trend->input_count);
    escape_markup(text, text_string(&words), ESCAPE_ONE_LINE);
    text_append(text, "</h1></div>\n");
    gates_html(answer->gates, text);
    chart_section(answer->trend, text);
    size_t hidden = people_table(answer->trend, PAGE_ROWS, columns, &table);
    text_append(text,
                "<section><h2>Growth, steady growers first</h2><div class=\"panel memory\">\n");
    hidden += table_row_count(&table) - table_render_html(&table, TABLE_BYTES, text);
    if (hidden) {
        text_append(text, "<p class=\"aside\">");
        format_count(text, (int64_t)hidden);
        text_append(text, " more rows are cut from this page.</p>\n");
    }
    text_append(text, "</div></section>\n");
    inputs_section(answer, text);
    page_end(&shell, "<p>Made by inquest " INQUEST_VERSION ".</p>\n", text);
    table_deinit(&table);
    text_deinit(&words);
}

bool trend_render(const struct trend_answer *answer, struct text *text)
{
    switch (answer->run->format) {
    case FORMAT_JSON: return render_json(answer, text);
    case FORMAT_CSV: render_csv(answer, text); break;
    case FORMAT_MARKDOWN: render_people(answer, true, text); break;
    case FORMAT_HTML: render_html(answer, text); break;
    case FORMAT_JUNIT: gates_junit(answer->gates, "trend", text); break;
    default: render_people(answer, false, text); break;
    }
    return text_ok(text);
}
