/* SPDX-License-Identifier: Apache-2.0 */
/* Cycles for people: garbage first and why it is still there, then those of the
 * program's data; those of types, modules and functions are counted. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "reports/commands/answer.h"
#include "reports/commands/cycles.h"
#include "reports/render/escape.h"

#define TEXT_ROWS 20

/* ---- words */

static void append_amount(struct text *text, int64_t count, const char *one, const char *many)
{
    format_count(text, count);
    text_printf(text, " %s", count == 1 ? one : many);
}

void cycles_sentence(const struct cycles_model *model, struct text *text)
{
    if (!model->garbage_cycles) {
        text_append(text, "no reference cycle is garbage");
        return;
    }
    append_amount(text, model->garbage_cycles,
                  "reference cycle is garbage: ", "reference cycles are garbage: ");
    append_amount(text, model->garbage_objects, "object, ", "objects, ");
    format_bytes(text, model->garbage_bytes);
}

static void write_headline(const struct cycles_answer *answer)
{
    struct text words;
    text_init(&words);
    cycles_sentence(&answer->model, &words);
    answer_line(answer->run, text_string(&words), true);
    if (answer->model.why) {
        text_clear(&words);
        text_printf(&words, "Still there because %s", answer->model.why);
        text_append(output_text(answer->run->answer),
                    answer->run->format == FORMAT_MARKDOWN ? "\n" : "");
        answer_line(answer->run, text_string(&words), false);
    }
    text_deinit(&words);
}

/* ---- tables */

static const char *notes_of(const struct cycle_row *row)
{
    if (row->has_finalizer)
        return row->has_weakref_callback ? "finalizer, weakref callback" : "finalizer";
    return row->has_weakref_callback ? "weakref callback" : "";
}

static void write_rows(const struct cycles_answer *answer, size_t first, size_t count)
{
    static const struct column columns[] = {
        {"copies", NULL, COLUMN_COUNT},    {"objects", NULL, COLUMN_COUNT},
        {"size", NULL, COLUMN_BYTES},      {"retained", NULL, COLUMN_BYTES},
        {"address", NULL, COLUMN_ADDRESS}, {"runs", NULL, COLUMN_PLAIN},
        {"shape", NULL, COLUMN_PLAIN},
    };
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof *columns);
    for (size_t i = first; i < first + count; i++) {
        const struct cycle_row *row = &answer->model.rows.items[i];
        table_integer(&table, row->copies);
        table_integer(&table, row->members);
        table_integer(&table, row->bytes);
        table_integer(&table, row->retained);
        table_integer(&table, (int64_t)row->address);
        table_string(&table, notes_of(row));
        table_string(&table, row->shape);
    }
    answer_table(answer->run, &table);
    output_text(answer->run->answer)->failed |= table.failed;
    table_deinit(&table);
}

static void write_kind(const struct cycles_answer *answer, size_t first, size_t count)
{
    const struct cycle_row *row = &answer->model.rows.items[first];
    size_t most = options_has_limit(answer->run->options) ? answer->limit : TEXT_ROWS;
    size_t shown = count < most ? count : most;
    struct text words;
    answer_heading(answer->run, row->is_garbage ? "Garbage: no root leads to it"
                                                : "Alive, of the program's data");
    write_rows(answer, first, shown);
    if (shown == count)
        return;
    text_init(&words);
    append_amount(&words, (int64_t)(count - shown), "more shape", "more shapes");
    text_append(&words, "; --limit 0 shows all");
    answer_note(answer->run, text_string(&words));
    text_deinit(&words);
}

static void write_program(const struct cycles_answer *answer, size_t first, size_t count)
{
    int64_t cycles = 0, objects = 0;
    struct text words;
    for (size_t i = first; i < first + count; i++) {
        cycles += answer->model.rows.items[i].copies;
        objects += answer->model.rows.items[i].members;
    }
    text_init(&words);
    append_amount(&words, cycles, "cycle", "cycles");
    text_append(&words, " more, of ");
    append_amount(&words, objects, "object, is", "objects, are");
    text_append(&words, " of types, modules and functions, as every program has them; --format "
                        "json or csv lists them");
    text_append(output_text(answer->run->answer), "\n");
    answer_note(answer->run, text_string(&words));
    text_deinit(&words);
}

/* ---- one copy */

static void append_node(const struct cycle_drawing *drawing, uint32_t number, struct text *text)
{
    text_printf(text, "%s %s", drawing->nodes[number].name,
                drawing->nodes[number].detail ? drawing->nodes[number].detail : "");
}

static void write_copy(const struct cycles_answer *answer, const struct cycle_drawing *drawing)
{
    const struct command_run *run = answer->run;
    struct text *text = output_text(run->answer), line;
    answer_heading(run, "One copy of the first");
    text_init(&line);
    for (size_t i = 0; i < drawing->arrow_count; i++) {
        const struct cycle_arrow *arrow = &drawing->arrows[i];
        text_clear(&line);
        append_node(drawing, arrow->source, &line);
        text_printf(&line, "  %s -> ", arrow->label ? arrow->label : "?");
        append_node(drawing, arrow->target, &line);
        if (run->format == FORMAT_MARKDOWN) {
            text_append(text, "- ");
            escape_markdown_code(text, text_string(&line), false);
            text_append_char(text, '\n');
        } else {
            text_append(text, "  ");
            answer_line(run, text_string(&line), false);
        }
    }
    if (drawing->more) {
        text_clear(&line);
        append_amount(&line, (int64_t)drawing->more, "more object", "more objects");
        answer_note(run, text_string(&line));
    }
    text->failed |= line.failed;
    text_deinit(&line);
}

/* ---- the collector */

static void write_generations(const struct cycles_answer *answer)
{
    static const struct column columns[] = {
        {"generation", NULL, COLUMN_PLAIN}, {"objects", NULL, COLUMN_COUNT},
        {"garbage", NULL, COLUMN_COUNT},    {"count", NULL, COLUMN_COUNT},
        {"threshold", NULL, COLUMN_COUNT},  {"collections", NULL, COLUMN_COUNT},
        {"collected", NULL, COLUMN_COUNT},  {"uncollectable", NULL, COLUMN_COUNT},
    };
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < answer->model.generations.count; i++) {
        const struct collector_row *row = &answer->model.generations.items[i];
        const int64_t stats[] = {row->collections, row->collected, row->uncollectable};
        table_integer(&table, row->generation);
        table_integer(&table, row->objects);
        table_integer(&table, row->garbage);
        table_integer(&table, row->count);
        table_integer(&table, row->threshold);
        for (size_t j = 0; j < 3; j++) {
            if (stats[j] < 0)
                table_null(&table);
            else
                table_integer(&table, stats[j]);
        }
    }
    answer_table(answer->run, &table);
    output_text(answer->run->answer)->failed |= table.failed;
    table_deinit(&table);
}

static void write_collector(const struct cycles_answer *answer)
{
    const struct cycles_model *model = &answer->model;
    struct text words;
    if (!model->has_collector)
        return;
    text_init(&words);
    text_printf(&words, "The garbage collector: automatic collection %s",
                model->is_enabled ? "on" : "off");
    text_append(&words, model->is_collecting ? ", running when it died" : "");
    if (model->frozen) {
        text_append(&words, ", ");
        append_amount(&words, model->frozen, "object frozen", "objects frozen");
    }
    if (model->kept) {
        text_append(&words, ", ");
        append_amount(&words, model->kept, "object in gc.garbage", "objects in gc.garbage");
    }
    if (model->debug)
        text_printf(&words, ", gc.set_debug(%" PRId64 ")", model->debug);
    answer_heading(answer->run, text_string(&words));
    write_generations(answer);
    text_deinit(&words);
}

/* ---- the whole */

static void write_next(const struct cycles_answer *answer)
{
    const struct command_run *run = answer->run;
    const char *input = strcmp(run->options->operands[0], "-") ? run->options->operands[0] : "CORE";
    char address[24];
    if (!answer->model.rows.count || answer->model.rows.items[0].is_program)
        return;
    snprintf(address, sizeof address, "0x%" PRIx64, answer->model.rows.items[0].address);
    answer_heading(run, "Next");
    answer_command(run, "an object of the first: its fields, who refers to it",
                   (const char *[]){"show", input, address, NULL});
    answer_command(run, "the shapes as a drawing",
                   (const char *[]){"cycles", input, "-o", "cycles.svg", NULL});
}

enum status cycles_render(struct cycles_answer *answer, struct error *err)
{
    struct cycles_model *model = &answer->model;
    enum status status = STATUS_OK;
    write_headline(answer);
    for (size_t first = 0; first < model->rows.count;) {
        size_t count = cycles_model_run(model, first);
        if (model->rows.items[first].is_program)
            write_program(answer, first, count);
        else
            write_kind(answer, first, count);
        first += count;
    }
    if (model->rows.count && !model->rows.items[0].is_program) {
        struct cycle_drawing drawing;
        status = cycles_model_drawing(model, answer->index, &model->rows.items[0], &drawing, err);
        if (status == STATUS_OK)
            write_copy(answer, &drawing);
    }
    write_collector(answer);
    write_next(answer);
    return status;
}
