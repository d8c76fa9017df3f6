/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "reports/commands/answer.h"
#include "reports/commands/heap_answer.h"

#define TEXT_ROWS 8 /* of each kind */

static const struct column row_columns[] = {
    {"kind", NULL, COLUMN_PLAIN},      {"title", NULL, COLUMN_PLAIN},
    {"count", NULL, COLUMN_COUNT},     {"bytes", NULL, COLUMN_BYTES},
    {"size", NULL, COLUMN_COUNT},      {"held_by", NULL, COLUMN_PLAIN},
    {"address", NULL, COLUMN_ADDRESS}, {"object_id", NULL, COLUMN_PLAIN},
};

static const struct column kind_columns[] = {
    {"kind", NULL, COLUMN_PLAIN},     {"bytes", "to gain", COLUMN_BYTES},
    {"share", NULL, COLUMN_SHARE},    {"count", "objects", COLUMN_COUNT},
    {"rows", "places", COLUMN_COUNT},
};

struct answer {
    struct command_run *run;
    struct index *index;
    struct table kinds; /* by bytes */
    int64_t all_bytes;  /* of the heap */
    int64_t unreachable;
};

/* What a kind is and what would help, for its heading. */
static const struct advice {
    const char *kind, *holder, *words; /* holder: over the titles */
} advices[] = {
    {"duplicate string", "value", "equal strings: intern them, or keep one where they are made"},
    {"duplicate bytes", "value", "equal bytes: keep one where they are made"},
    {"duplicate tuple", "value", "equal tuples: keep one where they are made"},
    {"empty dict", "holder", "empty dicts: None until there is something to put in"},
    {"empty list", "holder", "empty lists: None or () until there is something to put in"},
    {"empty set", "holder", "empty sets: None or frozenset() until there is something to put in"},
    {"empty tuple", "holder", "empty tuples beside the shared one"},
    {"over-allocated list", "holder", "room that lists have and do not use: a copy has none"},
    {"sparse dict", "holder",
     "dicts with more than 4 times the room of their entries, after "
     "removals: a copy has less"},
    {"sparse set", "holder",
     "sets with more than 8 times the slots of their items, after "
     "removals: a copy has less"},
    {"dict per instance", "class",
     "what __dict__ takes beyond 8 bytes an attribute: __slots__ "
     "saves it"},
    {"boxed numbers", "list", "number objects of lists of numbers: array.array or numpy need none"},
};

static const struct advice *advice_of(const char *kind)
{
    static const struct advice other = {"", "holder", ""};
    for (size_t i = 0; i < COUNT_OF(advices); i++)
        if (!strcmp(advices[i].kind, kind))
            return &advices[i];
    return &other;
}

/* ---- loading */

static enum status load(struct answer *answer, struct error *err)
{
    enum status status =
        integer_query(answer->index, "SELECT CAST(total(shallow) AS INTEGER) FROM type", NULL, 0,
                      &answer->all_bytes, err);
    if (status == STATUS_OK)
        status =
            integer_query(answer->index, "SELECT CAST(total(unreachable) AS INTEGER) FROM type",
                          NULL, 0, &answer->unreachable, err);
    const struct index_value all = INDEX_INT(answer->all_bytes);
    if (status != STATUS_OK)
        return status;
    return table_query(&answer->kinds, answer->index,
                       "SELECT kind, CAST(total(bytes) AS INTEGER), total(bytes) / max(?, 1),"
                       " CAST(total(count) AS INTEGER), count(*) FROM waste GROUP BY kind"
                       " ORDER BY 2 DESC, 1",
                       &all, 1, err);
}

static enum status load_rows(struct answer *answer, const char *kind, int64_t limit,
                             struct table *table, struct error *err)
{
    const struct index_value parameters[] = {INDEX_STR(kind), INDEX_INT(limit)};
    return table_query(table, answer->index,
                       "SELECT w.kind, w.title, w.count, w.bytes, w.size, w.held_by, o.address,"
                       " w.object_id FROM waste w LEFT JOIN object o ON o.id = w.object_id"
                       " WHERE ?1 IS NULL OR w.kind = ?1"
                       " ORDER BY ?1 IS NOT NULL AND w.object_id IS NULL, w.bytes DESC, w.rowid"
                       " LIMIT ?2",
                       parameters, 2, err);
}

/* ---- for people */

static void write_sentence(const struct answer *answer)
{
    struct text *text = output_text(answer->run->answer), line;
    int64_t bytes = 0;
    for (size_t i = 0; i < table_row_count(&answer->kinds); i++)
        bytes += answer->kinds.cells.items[i * COUNT_OF(kind_columns) + 1].integer;
    text_init(&line);
    if (!bytes) {
        text_append(&line, "no waste found");
    } else {
        format_bytes(&line, bytes);
        text_append(&line, " to gain at most, ");
        format_share(&line, answer->all_bytes ? (double)bytes / (double)answer->all_bytes : 0);
        text_append(&line, " of all objects; most in ");
        text_append(&line, answer->kinds.cells.items[0].text);
    }
    answer_line(answer->run, text_string(&line), true);
    text_append_char(text, '\n');
    text->failed |= line.failed;
    text_deinit(&line);
}

/* The columns that a kind has, under titles that say what they are. */
static void show_rows(const struct answer *answer, const struct advice *advice,
                      const struct table *rows)
{
    bool is_value = !strcmp(advice->holder, "value");
    const struct column columns[] = {
        {"bytes", "to gain", COLUMN_BYTES},
        {"count", is_value ? "copies" : "objects", COLUMN_COUNT},
        {"title", advice->holder, COLUMN_PLAIN},
        {"held_by", "most held by", COLUMN_PLAIN},
    };
    struct table shown;
    table_init(&shown, columns, is_value ? 4 : 3);
    for (size_t i = 0; i < table_row_count(rows); i++) {
        const struct cell *cells = &rows->cells.items[i * COUNT_OF(row_columns)];
        table_integer(&shown, cells[3].kind == CELL_INTEGER ? cells[3].integer : 0);
        table_integer(&shown, cells[2].kind == CELL_INTEGER ? cells[2].integer : 0);
        table_string(&shown, cells[1].kind == CELL_TEXT ? cells[1].text : NULL);
        if (is_value)
            table_string(&shown, cells[5].kind == CELL_TEXT ? cells[5].text : NULL);
    }
    answer_table(answer->run, &shown);
    output_text(answer->run->answer)->failed |= shown.failed;
    table_deinit(&shown);
}

static enum status write_kind(struct answer *answer, size_t number, int64_t limit,
                              struct error *err)
{
    const struct cell *cells = &answer->kinds.cells.items[number * COUNT_OF(kind_columns)];
    const struct advice *advice = advice_of(cells[0].text);
    struct table rows;
    struct text words;
    table_init(&rows, row_columns, COUNT_OF(row_columns));
    text_init(&words);
    enum status status = load_rows(answer, cells[0].text, limit, &rows, err);
    if (status == STATUS_OK) {
        format_bytes(&words, cells[1].integer);
        text_printf(&words, " in %s", *advice->words ? advice->words : cells[0].text);
        answer_heading(answer->run, text_string(&words));
        show_rows(answer, advice, &rows);
        int64_t hidden = cells[4].integer - (int64_t)table_row_count(&rows);
        text_clear(&words);
        format_count(&words, hidden);
        text_append(&words, " more; --limit 0 shows all");
        if (hidden > 0)
            answer_note(answer->run, text_string(&words));
    }
    table_deinit(&rows);
    text_deinit(&words);
    return status;
}

static enum status write_people(struct answer *answer, struct error *err)
{
    int64_t limit = limit_or(answer->run->options, TEXT_ROWS);
    struct text words;
    enum status status = STATUS_OK;
    write_sentence(answer);
    if (table_row_count(&answer->kinds))
        answer_table(answer->run, &answer->kinds);
    for (size_t i = 0; i < table_row_count(&answer->kinds) && status == STATUS_OK; i++)
        status = write_kind(answer, i, limit, err);
    if (answer->unreachable) {
        text_init(&words);
        format_count(&words, answer->unreachable);
        text_append(&words, " objects that no root leads to are left out: they go as a whole, see "
                            "inquest cycles");
        text_append(output_text(answer->run->answer), "\n");
        answer_note(answer->run, text_string(&words));
        text_deinit(&words);
    }
    return status;
}

/* ---- for programs */

static enum status write_json(struct answer *answer, struct table *rows, int64_t row_count,
                              struct error *err)
{
    struct json_writer json;
    json_init(&json, output_text(answer->run->answer));
    enum status status =
        answer_begin_json(&json, "waste", answer->run->options->operands[0], answer->index, err);
    if (status != STATUS_OK)
        return status;
    json_member_integer(&json, "heap_bytes", answer->all_bytes);
    json_member_integer(&json, "unreachable_left_out", answer->unreachable);
    json_key(&json, "kinds");
    table_render_json(&answer->kinds, &json);
    json_member_integer(&json, "row_count", row_count);
    json_key(&json, "rows");
    table_render_json(rows, &json);
    json_end_object(&json);
    return json_finish(&json) ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}

static enum status write_programs(struct answer *answer, struct error *err)
{
    struct table rows;
    int64_t row_count = 0;
    table_init(&rows, row_columns, COUNT_OF(row_columns));
    enum status status = load_rows(answer, NULL, limit_or(answer->run->options, -1), &rows, err);
    if (status == STATUS_OK)
        status =
            integer_query(answer->index, "SELECT count(*) FROM waste", NULL, 0, &row_count, err);
    if (status == STATUS_OK && answer->run->format == FORMAT_CSV)
        table_render_csv(&rows, output_text(answer->run->answer));
    else if (status == STATUS_OK)
        status = write_json(answer, &rows, row_count, err);
    table_deinit(&rows);
    return status;
}

enum status command_waste(struct command_run *run, struct error *err)
{
    struct answer answer = {.run = run};
    enum status status = command_open_index(run, 0, &answer.index, err);
    if (status == STATUS_OK)
        status = name_input(run, answer_needs_heap(answer.index, err), err);
    if (status != STATUS_OK)
        return status;
    table_init(&answer.kinds, kind_columns, COUNT_OF(kind_columns));
    status = name_input(run, load(&answer, err), err);
    bool people = run->format & (FORMAT_TEXT | FORMAT_MARKDOWN);
    if (status == STATUS_OK)
        status = name_input(run, people ? write_people(&answer, err) : write_programs(&answer, err),
                            err);
    table_deinit(&answer.kinds);
    return status;
}
