/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "inquest/analyzer/heap_index.h"
#include "inquest/analyzer/object_path.h"
#include "reports/commands/answer.h"
#include "reports/commands/heap_answer.h"
#include "reports/commands/show_answer.h"

#define TEXT_ROWS      20
#define MOST_REFERRERS 2000000 /* that are counted by type */

/* ---- Which object. */

static enum status nothing_there(struct show_answer *answer, uint64_t address, uint32_t nearest,
                                 struct error *err)
{
    struct heap_object_row row;
    if (!nearest)
        return error_set(err, STATUS_NOT_IN_DUMP,
                         "no object starts at 0x%" PRIx64 ", and none before it", address);
    enum status status = heap_reader_object(answer->reader, nearest, &row, err);
    if (status != STATUS_OK)
        return status;
    if (address - row.address < row.size)
        return error_set(err, STATUS_NOT_IN_DUMP,
                         "no object starts at 0x%" PRIx64 ": it is %" PRIu64
                         " byte%s into the object at 0x%" PRIx64,
                         address, address - row.address, address - row.address == 1 ? "" : "s",
                         row.address);
    return error_set(err, STATUS_NOT_IN_DUMP,
                     "no object starts at 0x%" PRIx64 "; the nearest before it is at 0x%" PRIx64
                     " and ends at 0x%" PRIx64,
                     address, row.address, row.address + row.size);
}

static enum status find_address(struct show_answer *answer, uint64_t address, uint32_t *ret_id,
                                struct error *err)
{
    struct heap_object_row row;
    uint32_t id;
    enum status status = heap_reader_find(answer->reader, address, &id, err);
    if (status == STATUS_OK && id)
        status = heap_reader_object(answer->reader, id, &row, err);
    if (status != STATUS_OK)
        return status;
    if (!id || row.address != address)
        return nothing_there(answer, address, id, err);
    *ret_id = id;
    return STATUS_OK;
}

static enum status find_id(struct show_answer *answer, uint64_t number, uint32_t *ret_id,
                           struct error *err)
{
    uint32_t count;
    enum status status = heap_reader_counts(answer->reader, &count, NULL, err);
    if (status != STATUS_OK)
        return status;
    if (!number || number > count)
        return error_set(err, STATUS_NOT_IN_DUMP,
                         "there is no object #%" PRIu64 ": the last is #%u", number, count);
    *ret_id = (uint32_t)number;
    return STATUS_OK;
}

/* False: it is no number. */
static bool read_number(const char *word, uint64_t *ret_number)
{
    bool hexadecimal = word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
    const char *digits = hexadecimal ? word + 2 : word;
    size_t size = strspn(digits, hexadecimal ? "0123456789abcdefABCDEF" : "0123456789");
    char *end;
    if (!size || digits[size])
        return false;
    errno = 0;
    unsigned long long number = strtoull(digits, &end, hexadecimal ? 16 : 10);
    *ret_number = errno ? UINT64_MAX : number;
    return true;
}

/* A path that several objects have leads to one of them, which must not go unsaid. */
static enum status find_path(struct show_answer *answer, const char *path, uint32_t *ret_id,
                             struct error *err)
{
    uint32_t count;
    struct text words = {0};
    enum status status =
        object_path_resolve(answer->index, answer->reader, path, ret_id, &count, err);
    if (status != STATUS_OK || count == 1)
        return status;
    format_count(&words, count);
    text_append(&words, " objects have this path, this is one of them: ask for another by address");
    status = command_warn(answer->run, 0, text_string(&words),
                          &answer->warnings[answer->warning_count++], err);
    text_deinit(&words);
    return status;
}

static enum status find_object(struct show_answer *answer, uint32_t *ret_id, struct error *err)
{
    const char *word = answer->run->options->operands[1];
    uint64_t number;
    if (word[0] == '#' && read_number(word + 1, &number))
        return find_id(answer, number, ret_id, err);
    if (read_number(word, &number))
        return find_address(answer, number, ret_id, err);
    return find_path(answer, word, ret_id, err);
}

/* ---- What is known of it. */

static enum status load_object(struct show_answer *answer, uint32_t id, struct show_object *object,
                               struct error *err)
{
    enum status status = heap_reader_object(answer->reader, id, &object->row, err);
    const struct index_value parameters[] = {INDEX_INT(id), INDEX_INT(object->row.type_id),
                                             INDEX_INT(object->row.address)};
    struct index_rows *rows;
    if (status == STATUS_OK)
        status = index_query(answer->index,
                             "SELECT (SELECT name FROM type WHERE id = ?2),"
                             " coalesce((SELECT value FROM largest WHERE object_id = ?1),"
                             " (SELECT value FROM local WHERE address = ?3 LIMIT 1))",
                             parameters, 3, &rows, err);
    if (status != STATUS_OK)
        return status;
    if (index_rows_next(rows)) {
        const char *type = index_rows_text(rows, 0), *value = index_rows_text(rows, 1);
        text_append(&object->type, type ? type : "?");
        text_append(&object->value, value ? value : "");
    }
    status = index_rows_finish(rows, err);
    if (status == STATUS_OK && object->row.flags & HEAP_REACHABLE)
        status = object_path_find(answer->index, answer->reader, id, &object->path, err);
    return status;
}

#define NEIGHBOUR_SQL(own, other, order)                                                           \
    "SELECT r.label, t.name, o.address, o.size, o.retained, l.value, l.path, o.id FROM ref r"      \
    " CROSS JOIN object o ON o.id = r." other " LEFT JOIN type t ON t.id = o.type_id"              \
    " LEFT JOIN largest l ON l.object_id = o.id WHERE r." own " = ?1 ORDER BY " order " LIMIT ?2"

/* In the order in which the object holds them; the largest, where not all are told. */
static enum status load_fields(struct show_answer *answer, int64_t limit, struct error *err)
{
    uint32_t id = answer->object.row.id;
    const struct index_value parameters[] = {INDEX_INT(id), INDEX_INT(limit)};
    enum status status =
        heap_reader_degree(answer->reader, HEAP_REFERENCES, id, &answer->field_count, err);
    if (status != STATUS_OK)
        return status;
    bool all = limit < 0 || answer->field_count <= (uint64_t)limit;
    return table_query(&answer->fields, answer->index,
                       all ? NEIGHBOUR_SQL("source_id", "target_id", "r.rowid")
                           : NEIGHBOUR_SQL("source_id", "target_id", "o.retained DESC, r.rowid"),
                       parameters, 2, err);
}

static enum status load_referrers(struct show_answer *answer, int64_t limit, struct error *err)
{
    uint32_t id = answer->object.row.id;
    const struct index_value parameters[] = {INDEX_INT(id), INDEX_INT(limit)};
    enum status status =
        heap_reader_degree(answer->reader, HEAP_REFERRERS, id, &answer->referrer_count, err);
    if (status == STATUS_OK)
        status = table_query(&answer->referrers, answer->index,
                             NEIGHBOUR_SQL("target_id", "source_id", "r.source_id, r.rowid"),
                             parameters, 2, err);
    if (status != STATUS_OK || limit < 0 || answer->referrer_count <= (uint64_t)limit ||
        answer->referrer_count > MOST_REFERRERS)
        return status;
    return table_query(&answer->referrer_types, answer->index,
                       "SELECT t.name, count(*) FROM ref r CROSS JOIN object o"
                       " ON o.id = r.source_id LEFT JOIN type t ON t.id = o.type_id"
                       " WHERE r.target_id = ?1 GROUP BY t.id ORDER BY 2 DESC, 1 LIMIT ?2",
                       parameters, 2, err);
}

/* The index has the values of variables and of the largest objects; those of the object and
 * of what it refers to are read from the core. */
static enum status load_values(struct show_answer *answer, struct error *err)
{
    struct object_values *values;
    struct show_object *object = &answer->object;
    struct table *fields = &answer->fields;
    const char *warning;
    enum status status = command_open_values(answer->run, 0, answer->index, &values, &warning, err);
    if (status == STATUS_OK && warning)
        answer->warnings[answer->warning_count++] = warning;
    if (status != STATUS_OK || !values)
        return status;
    const char *value = object_values_get(values, object->row.address);
    if (value) {
        text_clear(&object->value);
        text_append(&object->value, value);
    }
    for (size_t row = 0; row < table_row_count(fields); row++) {
        const struct cell *address =
            &fields->cells.items[row * fields->column_count + NEIGHBOUR_ADDRESS];
        if (address->kind == CELL_INTEGER)
            table_set_string(fields, row, NEIGHBOUR_VALUE,
                             object_values_get(values, (uint64_t)address->integer));
    }
    object_values_close(values);
    return STATUS_OK;
}

static enum status load(struct show_answer *answer, struct error *err)
{
    bool people = answer->run->format & (FORMAT_TEXT | FORMAT_MARKDOWN);
    int64_t limit = limit_or(answer->run->options, people ? TEXT_ROWS : -1);
    uint32_t id;
    enum status status = find_object(answer, &id, err);
    const struct index_value parameter = INDEX_INT(id);
    if (status == STATUS_OK)
        status = load_object(answer, id, &answer->object, err);
    if (status == STATUS_OK && answer->object.row.dominator_id)
        status = load_object(answer, answer->object.row.dominator_id, &answer->dominator, err);
    if (status == STATUS_OK)
        status = integer_query(answer->index, "SELECT CAST(total(shallow) AS INTEGER) FROM type",
                               NULL, 0, &answer->total, err);
    if (status == STATUS_OK)
        status = load_fields(answer, limit, err);
    if (status == STATUS_OK)
        status = load_values(answer, err);
    if (status == STATUS_OK)
        status = load_referrers(answer, limit, err);
    if (status == STATUS_OK)
        status = table_query(&answer->roots, answer->index,
                             "SELECT kind, label FROM root WHERE object_id = ?1 ORDER BY rowid"
                             " LIMIT 100",
                             &parameter, 1, err);
    return status;
}

/* ---- JSON. */

static void member_known(struct json_writer *json, const char *key, const struct text *value)
{
    json_member_string(json, key, value->size ? text_string(value) : NULL);
}

static void write_object(const struct show_answer *answer, const struct show_object *object,
                         struct json_writer *json)
{
    const struct heap_object_row *row = &object->row;
    json_begin_object(json);
    json_member_integer(json, "id", row->id);
    json_member_address(json, "address", row->address);
    member_known(json, "type", &object->type);
    member_known(json, "path", &object->path);
    json_member_integer(json, "size", (int64_t)row->size);
    json_member_integer(json, "retained", (int64_t)row->retained);
    json_key(json, "retained_share");
    json_real(json, answer->total > 0 ? (double)row->retained / (double)answer->total : 0);
    json_member_integer(json, "refcount", (int64_t)row->refcount);
    json_member_bool(json, "is_immortal", row->refcount == UINT32_MAX);
    json_member_bool(json, "is_tracked", row->flags & HEAP_TRACKED);
    json_member_bool(json, "is_reachable", row->flags & HEAP_REACHABLE);
    member_known(json, "value", &object->value);
    json_end_object(json);
}

static enum status write_json(const struct show_answer *answer, struct error *err)
{
    struct json_writer json;
    json_init(&json, output_text(answer->run->answer));
    enum status status =
        answer_begin_json_with(&json, "show", answer->run->options->operands[0], answer->index,
                               answer->warnings, answer->warning_count, err);
    if (status != STATUS_OK)
        return status;
    json_key(&json, "object");
    write_object(answer, &answer->object, &json);
    json_key(&json, "dominator");
    if (answer->dominator.row.id)
        write_object(answer, &answer->dominator, &json);
    else
        json_null(&json);
    member_known(&json, "path", &answer->object.path);
    json_key(&json, "roots");
    table_render_json(&answer->roots, &json);
    json_member_integer(&json, "row_count", (int64_t)answer->field_count);
    json_key(&json, "rows");
    table_render_json(&answer->fields, &json);
    json_member_integer(&json, "referrer_count", (int64_t)answer->referrer_count);
    json_key(&json, "referrers");
    table_render_json(&answer->referrers, &json);
    json_end_object(&json);
    return json_finish(&json) ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}

/* ---- The command. */

static void answer_init(struct show_answer *answer, struct command_run *run)
{
    static const struct column neighbour_columns[] = {
        {"label", NULL, COLUMN_PLAIN},     {"type", NULL, COLUMN_PLAIN},
        {"address", NULL, COLUMN_ADDRESS}, {"size", NULL, COLUMN_BYTES},
        {"retained", NULL, COLUMN_BYTES},  {"value", NULL, COLUMN_PLAIN},
        {"path", NULL, COLUMN_PLAIN},      {"object_id", NULL, COLUMN_PLAIN},
    };
    static const struct column type_columns[] = {{"type", NULL, COLUMN_PLAIN},
                                                 {"references", NULL, COLUMN_COUNT}};
    static const struct column root_columns[] = {{"kind", NULL, COLUMN_PLAIN},
                                                 {"label", NULL, COLUMN_PLAIN}};
    *answer = (struct show_answer){.run = run};
    table_init(&answer->fields, neighbour_columns, NEIGHBOUR_COLUMNS);
    table_init(&answer->referrers, neighbour_columns, NEIGHBOUR_COLUMNS);
    table_init(&answer->referrer_types, type_columns, 2);
    table_init(&answer->roots, root_columns, 2);
}

static void object_deinit(struct show_object *object)
{
    text_deinit(&object->type);
    text_deinit(&object->path);
    text_deinit(&object->value);
}

static void answer_deinit(struct show_answer *answer)
{
    table_deinit(&answer->fields);
    table_deinit(&answer->referrers);
    table_deinit(&answer->referrer_types);
    table_deinit(&answer->roots);
    object_deinit(&answer->object);
    object_deinit(&answer->dominator);
    heap_reader_close(answer->reader);
}

static enum status write_answer(const struct show_answer *answer, struct error *err)
{
    switch (answer->run->format) {
    case FORMAT_JSON: return write_json(answer, err);
    case FORMAT_CSV:
        table_render_csv(&answer->fields, output_text(answer->run->answer));
        return STATUS_OK;
    default: show_render(answer); return STATUS_OK;
    }
}

enum status command_show(struct command_run *run, struct error *err)
{
    struct show_answer answer;
    answer_init(&answer, run);
    enum status status = command_open_index(run, 0, &answer.index, err);
    if (status == STATUS_OK)
        status = heap_reader_open(answer.index, &answer.reader, err);
    if (status == STATUS_OK)
        status = name_input(run, load(&answer, err), err);
    if (status == STATUS_OK)
        status = write_answer(&answer, err);
    answer_deinit(&answer);
    return status;
}
