/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "reports/commands/answer.h"
#include "reports/commands/leaks_answer.h"

#define MADE_OF_ROWS 12
#define UNHELD_ROWS  50

static const struct column row_columns[LEAKS_COLUMNS] = {
    [LEAKS_RANK] = {"rank", NULL, COLUMN_PLAIN},
    [LEAKS_KIND] = {"kind", NULL, COLUMN_PLAIN},
    [LEAKS_TITLE] = {"title", NULL, COLUMN_PLAIN},
    [LEAKS_SHARE] = {"share", NULL, COLUMN_SHARE},
    [LEAKS_RETAINED] = {"retained", NULL, COLUMN_BYTES},
    [LEAKS_SHALLOW] = {"shallow", NULL, COLUMN_BYTES},
    [LEAKS_INSTANCES] = {"instances", NULL, COLUMN_COUNT},
    [LEAKS_TYPE] = {"type", NULL, COLUMN_PLAIN},
    [LEAKS_HOLDER] = {"holder", NULL, COLUMN_PLAIN},
    [LEAKS_PATH] = {"path", NULL, COLUMN_PLAIN},
    [LEAKS_WHY] = {"why", NULL, COLUMN_PLAIN},
    [LEAKS_FINGERPRINT] = {"fingerprint", NULL, COLUMN_PLAIN},
    [LEAKS_ADDRESS] = {"address", NULL, COLUMN_ADDRESS},
    [LEAKS_OBJECT_ID] = {"object_id", NULL, COLUMN_PLAIN},
    [LEAKS_ACCUMULATION_PATH] = {"accumulation_path", NULL, COLUMN_PLAIN},
    [LEAKS_ACCUMULATION_ADDRESS] = {"accumulation_address", NULL, COLUMN_ADDRESS},
    [LEAKS_ACCUMULATION_RETAINED] = {"accumulation_retained", NULL, COLUMN_BYTES},
};
static const struct column part_columns[PART_COLUMNS] = {
    [PART_RANK] = {"rank", NULL, COLUMN_PLAIN},
    [PART_KIND] = {"kind", NULL, COLUMN_PLAIN},
    [PART_TITLE] = {"title", NULL, COLUMN_PLAIN},
    [PART_INSTANCES] = {"instances", NULL, COLUMN_COUNT},
    [PART_BYTES] = {"bytes", NULL, COLUMN_BYTES},
    [PART_SHARE] = {"share", NULL, COLUMN_SHARE},
    [PART_ADDRESS] = {"address", NULL, COLUMN_ADDRESS},
};
static const struct column unheld_columns[] = {
    {"type", NULL, COLUMN_PLAIN},    {"instances", NULL, COLUMN_COUNT},
    {"shallow", NULL, COLUMN_BYTES}, {"retained", NULL, COLUMN_BYTES},
    {"share", NULL, COLUMN_SHARE},
};
static const struct column made_of_columns[] = {
    {"name", NULL, COLUMN_PLAIN},
    {"instances", NULL, COLUMN_COUNT},
    {"shallow", NULL, COLUMN_BYTES},
    {"share", NULL, COLUMN_SHARE},
};

const struct cell *leaks_cell(const struct table *table, size_t row, size_t column)
{
    return &table->cells.items[row * table->column_count + column];
}

/* ---- Thresholds. */

static enum status read_threshold(const struct options *options, double *ret_share,
                                  struct error *err)
{
    *ret_share = SUSPECT_DEFAULT_SHARE;
    if (!options->threshold)
        return STATUS_OK;
    char *end;
    double percent = strtod(options->threshold, &end);
    if (*end == '%')
        end++;
    if (end == options->threshold || *end || !(percent >= SUSPECT_LEAST_SHARE * 100) ||
        percent > 100)
        return error_set(err, STATUS_USAGE,
                         "--threshold takes a percentage from %.0f to 100, not '%s': smaller "
                         "candidates are not in the index",
                         SUSPECT_LEAST_SHARE * 100, options->threshold);
    *ret_share = percent / 100;
    return STATUS_OK;
}

/* 300000, 256K, 4M, 1G. */
static enum status read_least(const struct options *options, uint64_t *ret_bytes, struct error *err)
{
    static const char units[] = "KMG";
    *ret_bytes = SUSPECT_DEFAULT_BYTES;
    if (!options->least)
        return STATUS_OK;
    char *end;
    double bytes = strtod(options->least, &end);
    const char *unit = *end ? strchr(units, *end) : NULL;
    for (const char *i = units; unit && i <= unit; i++)
        bytes *= 1024;
    if (end == options->least || (*end && !unit) || (unit && end[1]) ||
        !(bytes >= (double)SUSPECT_LEAST_BYTES) || bytes > 1e18)
        return error_set(err, STATUS_USAGE,
                         "--least takes a number of bytes, as 300000, 256K or 4M, from 64K on, "
                         "not '%s': smaller candidates are not in the index",
                         options->least);
    *ret_bytes = (uint64_t)bytes;
    return STATUS_OK;
}

/* ---- Loading: ranks of those that the thresholds let through. */

struct choice {
    struct suspect_candidate *candidates;
    int64_t *rank, *retained;
    size_t count;
};

static const char all_suspects[] =
    "SELECT 1 AS is_alarm, * FROM suspect UNION ALL SELECT 0, * FROM suspect_candidate";

static enum status count_candidates(struct leaks_answer *answer, int64_t *ret_count,
                                    struct error *err)
{
    return integer_query(answer->index,
                         "SELECT (SELECT count(*) FROM suspect) + (SELECT count(*) FROM "
                         "suspect_candidate)",
                         NULL, 0, ret_count, err);
}

static void add_candidate(struct leaks_answer *answer, struct choice *choice,
                          const struct index_rows *rows)
{
    struct suspect_candidate *candidate = &choice->candidates[choice->count];
    int64_t retained = index_rows_integer(rows, 3);
    *candidate = (struct suspect_candidate){
        .share = index_rows_real(rows, 2),
        .retained = retained > 0 ? (uint64_t)retained : 0,
        .parent = index_rows_is_null(rows, 4) ? -1 : index_rows_integer(rows, 4),
        .is_structure = index_rows_integer(rows, 5),
        .is_alarm = index_rows_integer(rows, 6),
    };
    if (candidate->share >= SUSPECT_LEAST_SHARE && !candidate->is_structure)
        answer->candidate_count++;
    choice->rank[choice->count++] = index_rows_integer(rows, 0);
}

/* From ranks to indices; rows are in order of rank. */
static void number_parents(struct choice *choice)
{
    for (size_t i = 0; i < choice->count; i++) {
        int64_t parent = choice->candidates[i].parent, found = -1;
        for (size_t j = 0; parent >= 0 && j < choice->count; j++)
            if (choice->rank[j] == parent)
                found = (int64_t)j;
        choice->candidates[i].parent = found;
    }
}

static enum status load_candidates(struct leaks_answer *answer, struct choice *choice,
                                   struct error *err)
{
    struct index_rows *rows;
    struct text sql;
    int64_t count;
    enum status status = count_candidates(answer, &count, err);
    if (status != STATUS_OK)
        return status;
    size_t most = count > 0 && count < 100000 ? (size_t)count : 100000;
    choice->candidates = calloc(most + 1, sizeof *choice->candidates);
    choice->rank = calloc(most + 1, sizeof *choice->rank);
    if (!choice->candidates || !choice->rank)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    text_init(&sql);
    text_printf(&sql,
                "SELECT rank, kind, share, retained, parent_rank, is_structure, is_alarm FROM (%s)"
                " ORDER BY rank",
                all_suspects);
    status = index_query(answer->index, text_string(&sql), NULL, 0, &rows, err);
    text_deinit(&sql);
    if (status != STATUS_OK)
        return status;
    while (choice->count < most && index_rows_next(rows))
        add_candidate(answer, choice, rows);
    status = index_rows_finish(rows, err);
    number_parents(choice);
    return status;
}

/* By the default thresholds the index has the answer; others ask the rules again. */
static void apply_thresholds(const struct leaks_answer *answer, struct choice *choice)
{
    if (answer->least_share != SUSPECT_DEFAULT_SHARE ||
        answer->least_bytes != SUSPECT_DEFAULT_BYTES)
        suspect_rules_apply(choice->candidates, choice->count, answer->least_share,
                            answer->least_bytes);
}

static enum status load_rows(struct leaks_answer *answer, const struct choice *choice,
                             struct error *err)
{
    int64_t limit = limit_or(answer->run->options, -1);
    struct text sql, ranks;
    text_init(&sql);
    text_init(&ranks);
    for (size_t i = 0; i < choice->count; i++) {
        if (!choice->candidates[i].is_alarm)
            continue;
        answer->suspect_count++;
        text_printf(&ranks, "%s%lld", ranks.size ? ", " : "", (long long)choice->rank[i]);
    }
    text_printf(&sql,
                "SELECT s.rank, s.kind, s.title, s.share, s.retained, s.shallow, s.instances,"
                " t.name, s.holder, s.path, s.why, s.fingerprint, o.address, s.object_id,"
                " s.accumulation_path, a.address, a.retained FROM (%s) s"
                " LEFT JOIN type t ON t.id = s.type_id LEFT JOIN object o ON o.id = s.object_id"
                " LEFT JOIN object a ON a.id = s.accumulation_id WHERE s.rank IN (%s)"
                " ORDER BY s.retained DESC, s.rank LIMIT %lld",
                all_suspects, text_string(&ranks), (long long)limit);
    enum status status = table_query(&answer->rows, answer->index, text_string(&sql), NULL, 0, err);
    text_clear(&sql);
    text_printf(&sql,
                "SELECT p.suspect_rank, p.kind, p.title, p.instances, p.bytes, p.share, o.address"
                " FROM suspect_part p LEFT JOIN object o ON o.id = p.object_id"
                " WHERE p.suspect_rank IN (%s) ORDER BY p.suspect_rank, p.kind, p.position",
                text_string(&ranks));
    if (status == STATUS_OK)
        status = table_query(&answer->parts, answer->index, text_string(&sql), NULL, 0, err);
    text_deinit(&sql);
    text_deinit(&ranks);
    return status;
}

static enum status load_unheld(struct leaks_answer *answer, struct table *table, const char *kinds,
                               struct error *err)
{
    struct text sql;
    text_init(&sql);
    text_printf(&sql,
                "SELECT t.name, s.instances, s.shallow, s.retained, s.share FROM (%s) s"
                " LEFT JOIN type t ON t.id = s.type_id WHERE s.kind IN (%s)"
                " ORDER BY s.retained DESC, s.rank LIMIT %d",
                all_suspects, kinds, UNHELD_ROWS);
    enum status status = table_query(table, answer->index, text_string(&sql), NULL, 0, err);
    text_deinit(&sql);
    return status;
}

static enum status load_made_of(struct leaks_answer *answer, struct error *err)
{
    uint64_t all = answer->census.all.bytes;
    const struct index_value parameters[] = {INDEX_INT(all < INT64_MAX ? (int64_t)all : INT64_MAX),
                                             INDEX_INT(MADE_OF_ROWS)};
    enum status status =
        table_query(&answer->types, answer->index,
                    "SELECT name, instances, shallow, shallow * 1.0 / max(?1, 1) FROM type"
                    " WHERE instances > 0 ORDER BY shallow DESC, name, id LIMIT ?2",
                    parameters, 2, err);
    if (status != STATUS_OK)
        return status;
    return table_query(&answer->modules, answer->index,
                       "SELECT module, CAST(total(instances) AS INTEGER),"
                       " CAST(total(shallow) AS INTEGER), total(shallow) / max(?1, 1) FROM type"
                       " WHERE instances > 0 GROUP BY module ORDER BY 3 DESC, 1 LIMIT ?2",
                       parameters, 2, err);
}

static enum status load(struct leaks_answer *answer, struct error *err)
{
    struct heap_reader *reader;
    struct choice choice = {0};
    enum status status = heap_reader_open(answer->index, &reader, err);
    if (status != STATUS_OK)
        return status;
    status = heap_census_take(answer->index, reader, &answer->census, err);
    heap_reader_close(reader);
    if (status == STATUS_OK)
        status = load_candidates(answer, &choice, err);
    apply_thresholds(answer, &choice);
    if (status == STATUS_OK)
        status = load_rows(answer, &choice, err);
    if (status == STATUS_OK)
        status = load_unheld(answer, &answer->extension, "'extension'", err);
    if (status == STATUS_OK)
        status = load_unheld(answer, &answer->garbage, "'garbage', 'interned'", err);
    if (status == STATUS_OK)
        status = load_made_of(answer, err);
    free(choice.candidates);
    free(choice.rank);
    return status;
}

/* ---- JSON: each row with its parts. */

static void write_cell(struct json_writer *json, const struct column *column,
                       const struct cell *cell)
{
    json_key(json, column->name);
    switch (cell->kind) {
    case CELL_INTEGER:
        if (column->kind == COLUMN_ADDRESS)
            json_address(json, (uint64_t)cell->integer);
        else
            json_integer(json, cell->integer);
        break;
    case CELL_REAL: json_real(json, cell->real); break;
    case CELL_TEXT: json_string(json, cell->text); break;
    case CELL_NULL: json_null(json); break;
    }
}

static void write_parts(const struct leaks_answer *answer, int64_t rank, const char *kind,
                        const char *key, struct json_writer *json)
{
    const struct table *parts = &answer->parts;
    json_key(json, key);
    json_begin_array(json);
    for (size_t row = 0; row < table_row_count(parts); row++) {
        const struct cell *of = leaks_cell(parts, row, PART_KIND);
        if (leaks_cell(parts, row, PART_RANK)->integer != rank || of->kind != CELL_TEXT ||
            strcmp(of->text, kind) != 0)
            continue;
        json_begin_object(json);
        for (size_t column = PART_TITLE; column < PART_COLUMNS; column++)
            write_cell(json, &part_columns[column], leaks_cell(parts, row, column));
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_rows(const struct leaks_answer *answer, struct json_writer *json)
{
    static const char *const kinds[][2] = {{"type", "types"},
                                           {"field", "fields"},
                                           {"sample", "samples"},
                                           {"holder", "holders"},
                                           {"allocated at", "allocated_at"}};
    json_key(json, "rows");
    json_begin_array(json);
    for (size_t row = 0; row < table_row_count(&answer->rows); row++) {
        json_begin_object(json);
        for (size_t column = 0; column < LEAKS_COLUMNS; column++)
            write_cell(json, &row_columns[column], leaks_cell(&answer->rows, row, column));
        for (size_t i = 0; i < COUNT_OF(kinds); i++)
            write_parts(answer, leaks_cell(&answer->rows, row, LEAKS_RANK)->integer, kinds[i][0],
                        kinds[i][1], json);
        json_end_object(json);
    }
    json_end_array(json);
}

static enum status write_json(struct leaks_answer *answer, struct error *err)
{
    struct json_writer json;
    json_init(&json, output_text(answer->run->answer));
    enum status status =
        answer_begin_json(&json, "leaks", answer->run->options->operands[0], answer->index, err);
    if (status != STATUS_OK)
        return status;
    json_key(&json, "threshold_share");
    json_real(&json, answer->least_share);
    json_member_integer(&json, "threshold_bytes", (int64_t)answer->least_bytes);
    json_member_integer(&json, "object_bytes", (int64_t)answer->census.all.bytes);
    json_member_integer(&json, "reachable_bytes", (int64_t)answer->census.reachable.bytes);
    json_member_integer(&json, "row_count", (int64_t)answer->suspect_count);
    write_rows(answer, &json);
    json_key(&json, "held_by_c");
    table_render_json(&answer->extension, &json);
    json_key(&json, "not_collected");
    table_render_json(&answer->garbage, &json);
    json_key(&json, "types");
    table_render_json(&answer->types, &json);
    json_key(&json, "modules");
    table_render_json(&answer->modules, &json);
    json_end_object(&json);
    return json_finish(&json) ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}

static enum status write_answer(struct leaks_answer *answer, struct error *err)
{
    switch (answer->run->format) {
    case FORMAT_JSON: return write_json(answer, err);
    case FORMAT_CSV:
        table_render_csv(&answer->rows, output_text(answer->run->answer));
        return STATUS_OK;
    default: leaks_render(answer); return STATUS_OK;
    }
}

static void answer_init(struct leaks_answer *answer)
{
    table_init(&answer->rows, row_columns, LEAKS_COLUMNS);
    table_init(&answer->parts, part_columns, PART_COLUMNS);
    table_init(&answer->extension, unheld_columns, COUNT_OF(unheld_columns));
    table_init(&answer->garbage, unheld_columns, COUNT_OF(unheld_columns));
    table_init(&answer->types, made_of_columns, COUNT_OF(made_of_columns));
    table_init(&answer->modules, made_of_columns, COUNT_OF(made_of_columns));
}

static void answer_deinit(struct leaks_answer *answer)
{
    table_deinit(&answer->rows);
    table_deinit(&answer->parts);
    table_deinit(&answer->extension);
    table_deinit(&answer->garbage);
    table_deinit(&answer->types);
    table_deinit(&answer->modules);
}

enum status command_leaks(struct command_run *run, struct error *err)
{
    struct leaks_answer answer = {.run = run};
    enum status status = read_threshold(run->options, &answer.least_share, err);
    if (status == STATUS_OK)
        status = read_least(run->options, &answer.least_bytes, err);
    if (status == STATUS_OK)
        status = command_open_index(run, 0, &answer.index, err);
    if (status != STATUS_OK)
        return status;
    answer_init(&answer);
    status = name_input(run, load(&answer, err), err);
    if (status == STATUS_OK)
        status = write_answer(&answer, err);
    answer_deinit(&answer);
    return status;
}
