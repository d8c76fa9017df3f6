/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "reports/commands/answer.h"
#include "reports/commands/heap_answer.h"

#define TEXT_ROWS    20
#define TEXT_LARGEST 10

/* ---- What --by can say. To add one: its columns, its sorts and a row in groupings. */

static const struct column type_columns[] = {
    {"type", NULL, COLUMN_PLAIN},        {"instances", NULL, COLUMN_COUNT},
    {"shallow", NULL, COLUMN_BYTES},     {"shallow_share", "share", COLUMN_SHARE},
    {"retained", NULL, COLUMN_BYTES},    {"retained_share", "share", COLUMN_SHARE},
    {"unreachable", NULL, COLUMN_COUNT}, {"module", NULL, COLUMN_PLAIN},
    {"address", NULL, COLUMN_ADDRESS},
};
static const struct heap_sort type_sorts[] = {
    {"retained", "by retained size", "retained DESC, shallow DESC, name, id"},
    {"shallow", "by their own size", "shallow DESC, retained DESC, name, id"},
    {"instances", "by instances", "instances DESC, shallow DESC, name, id"},
    {"name", "by name", "name, id"},
    {0},
};

static const struct column module_columns[] = {
    {"module", NULL, COLUMN_PLAIN},           {"types", NULL, COLUMN_COUNT},
    {"instances", NULL, COLUMN_COUNT},        {"shallow", NULL, COLUMN_BYTES},
    {"shallow_share", "share", COLUMN_SHARE}, {"unreachable", NULL, COLUMN_COUNT},
};
static const struct heap_sort module_sorts[] = {
    {"shallow", "by their types' own size", "4 DESC, 3 DESC, 1"},
    {"instances", "by instances", "3 DESC, 4 DESC, 1"},
    {"name", "by name", "1"},
    {0},
};

static const struct column size_columns[] = {
    {"size_from", "from", COLUMN_COUNT},      {"size_to", "to", COLUMN_COUNT},
    {"instances", NULL, COLUMN_COUNT},        {"shallow", "bytes", COLUMN_BYTES},
    {"shallow_share", "share", COLUMN_SHARE},
};
static const struct heap_sort size_sorts[] = {
    {"size", "by size", "size"},
    {0},
};

static const struct heap_grouping groupings[] = {
    {"type", "Types", type_columns, COUNT_OF(type_columns), type_sorts,
     "SELECT name, instances, shallow, shallow * 1.0 / max(?1, 1), retained,"
     " retained * 1.0 / max(?1, 1), unreachable, module, address FROM type"
     " WHERE instances > 0 ORDER BY %s LIMIT ?2",
     "SELECT count(*) FROM type WHERE instances > 0"},
    {"module", "Modules", module_columns, COUNT_OF(module_columns), module_sorts,
     "SELECT module, count(*), CAST(total(instances) AS INTEGER),"
     " CAST(total(shallow) AS INTEGER), total(shallow) / max(?1, 1),"
     " CAST(total(unreachable) AS INTEGER) FROM type WHERE instances > 0 GROUP BY module ORDER BY "
     "%s LIMIT ?2",
     "SELECT count(*) FROM (SELECT 1 FROM type WHERE instances > 0 GROUP BY module)"},
    {"size", "Objects, by size in bytes", size_columns, COUNT_OF(size_columns), size_sorts, NULL,
     NULL},
};

static enum status unknown_word(const char *option, const char *word, const char *const *known,
                                struct error *err)
{
    struct text list;
    text_init(&list);
    for (size_t i = 0; known[i]; i++)
        text_printf(&list, "%s%s", i ? ", " : "", known[i]);
    enum status status = error_set(err, STATUS_USAGE, "--%s takes one of %s here, not '%s'", option,
                                   text_string(&list), word);
    text_deinit(&list);
    return status;
}

static enum status choose_grouping(const char *name, const struct heap_grouping **ret_grouping,
                                   struct error *err)
{
    const char *known[COUNT_OF(groupings) + 1] = {0};
    for (size_t i = 0; i < COUNT_OF(groupings); i++) {
        known[i] = groupings[i].name;
        if (!name || !strcmp(name, known[i])) {
            *ret_grouping = &groupings[i];
            return STATUS_OK;
        }
    }
    return unknown_word("by", name, known, err);
}

static enum status choose_sort(const struct heap_grouping *grouping, const char *name,
                               const struct heap_sort **ret_sort, struct error *err)
{
    const char *known[8] = {0};
    for (size_t i = 0; grouping->sorts[i].name; i++) {
        known[i] = grouping->sorts[i].name;
        if (!name || !strcmp(name, known[i])) {
            *ret_sort = &grouping->sorts[i];
            return STATUS_OK;
        }
    }
    return unknown_word("sort", name, known, err);
}

/* ---- Loading. */

static int64_t bounded(uint64_t value)
{
    return value < INT64_MAX ? (int64_t)value : INT64_MAX;
}

static double share(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

static void load_sizes(struct heap_answer *answer, int64_t limit)
{
    for (int class = 0; class < HEAP_SIZE_CLASSES; class ++) {
        const struct heap_amount *amount = &answer->census.classes[class];
        if (!amount->count)
            continue;
        answer->row_count++;
        if (limit >= 0 && answer->row_count > limit)
            continue;
        table_integer(&answer->rows, class ? bounded(UINT64_C(1) << (class - 1)) : 0);
        table_integer(&answer->rows,
                      class ? bounded(((UINT64_C(1) << (class - 1)) - 1) * 2 + 1) : 0);
        table_integer(&answer->rows, bounded(amount->count));
        table_integer(&answer->rows, bounded(amount->bytes));
        table_real(&answer->rows, share(amount->bytes, answer->census.all.bytes));
    }
}

static enum status load_rows(struct heap_answer *answer, const struct heap_sort *sort,
                             struct error *err)
{
    bool people = answer->run->format & (FORMAT_TEXT | FORMAT_MARKDOWN);
    int64_t limit =
        limit_or(answer->run->options, people && answer->grouping->sql ? TEXT_ROWS : -1);
    const struct index_value parameters[] = {INDEX_INT(bounded(answer->census.all.bytes)),
                                             INDEX_INT(limit)};
    struct text sql;
    if (!answer->grouping->sql) {
        load_sizes(answer, limit);
        return STATUS_OK;
    }
    text_init(&sql);
    text_printf(&sql, answer->grouping->sql, sort->order);
    enum status status =
        table_query(&answer->rows, answer->index, text_string(&sql), parameters, 2, err);
    text_deinit(&sql);
    if (status == STATUS_OK)
        status = integer_query(answer->index, answer->grouping->count_sql, NULL, 0,
                               &answer->row_count, err);
    return status;
}

static enum status load_memory(struct heap_answer *answer, struct error *err)
{
    enum status status = integer_query(answer->index,
                                       "SELECT CAST(total(bytes) AS INTEGER) FROM memory"
                                       " WHERE region NOT LIKE 'reserved%'",
                                       NULL, 0, &answer->mapped, err);
    const struct index_value mapped = INDEX_INT(answer->mapped);
    if (status != STATUS_OK)
        return status;
    return table_query(&answer->memory, answer->index,
                       "SELECT region, bytes, CASE WHEN region LIKE 'reserved%' THEN NULL"
                       " ELSE bytes * 1.0 / max(?, 1) END, detail"
                       " FROM memory ORDER BY region LIKE 'reserved%', bytes DESC, rowid",
                       &mapped, 1, err);
}

/* Of a chain of alike objects each retains all that follow: its first is enough. */
static enum status load_largest(struct heap_answer *answer, struct error *err)
{
    bool people = answer->run->format & (FORMAT_TEXT | FORMAT_MARKDOWN);
    int64_t limit = people ? TEXT_LARGEST : limit_or(answer->run->options, -1);
    const struct index_value parameters[] = {INDEX_INT(bounded(answer->census.all.bytes)),
                                             INDEX_INT(limit)};
    return table_query(&answer->largest, answer->index,
                       "SELECT l.retained, l.retained * 1.0 / max(?1, 1), t.name, l.path, l.value,"
                       " l.size, o.address, l.object_id FROM largest l"
                       " JOIN object o ON o.id = l.object_id LEFT JOIN type t ON t.id = l.type_id"
                       " LEFT JOIN object d ON d.id = o.dominator_id"
                       " WHERE d.type_id IS NOT o.type_id OR d.retained * 9 > l.retained * 10"
                       " ORDER BY l.retained DESC, l.object_id LIMIT ?2",
                       parameters, 2, err);
}

/* From what retains most down to where it gathers: the child that has most of its
 * parent's, as long as one has. */
static const char holder_sql[] =
    "WITH RECURSIVE candidate(id, dominator, type, retained, path) AS MATERIALIZED ("
    " SELECT l.object_id, o.dominator_id, l.type_id, l.retained, l.path FROM largest l"
    " JOIN object o ON o.id = l.object_id WHERE l.path IS NOT NULL"
    " ORDER BY l.retained DESC, l.object_id LIMIT 200),"
    "down(id, type, retained, path, depth) AS ("
    " SELECT * FROM (SELECT id, type, retained, path, 0 FROM candidate"
    "  ORDER BY retained DESC, id LIMIT 1)"
    " UNION ALL SELECT c.id, c.type, c.retained, c.path, d.depth + 1 FROM down d"
    " JOIN candidate c ON c.dominator = d.id"
    " WHERE c.retained * 2 > d.retained AND (c.type != d.type OR c.retained * 10 < d.retained * 9) "
    "AND d.depth < 20 AND NOT EXISTS (SELECT 1 FROM shared_size s WHERE s.object_id = d.id))"
    "SELECT path, retained FROM down ORDER BY depth DESC LIMIT 1";

static enum status load_holder(struct heap_answer *answer, struct error *err)
{
    struct index_rows *rows;
    enum status status = index_query(answer->index, holder_sql, NULL, 0, &rows, err);
    if (status != STATUS_OK)
        return status;
    if (index_rows_next(rows) && index_rows_text(rows, 0)) {
        int64_t retained = index_rows_integer(rows, 1);
        text_append(&answer->holder_path, index_rows_text(rows, 0));
        text_printf(&answer->holder, "%s keeps ", index_rows_text(rows, 0));
        format_bytes(&answer->holder, retained);
        text_append(&answer->holder, " (");
        format_share(&answer->holder, share((uint64_t)retained, answer->census.all.bytes));
        text_append(&answer->holder, ")");
    }
    return index_rows_finish(rows, err);
}

static enum status load(struct heap_answer *answer, const struct heap_sort *sort, struct error *err)
{
    struct heap_reader *reader;
    enum status status = heap_reader_open(answer->index, &reader, err);
    if (status != STATUS_OK)
        return status;
    status = heap_census_take(answer->index, reader, &answer->census, err);
    heap_reader_close(reader);
    if (status == STATUS_OK)
        status = load_rows(answer, sort, err);
    if (status == STATUS_OK)
        status = load_memory(answer, err);
    if (status == STATUS_OK)
        status = load_largest(answer, err);
    return status == STATUS_OK ? load_holder(answer, err) : status;
}

/* ---- JSON. */

static void write_amounts(const struct heap_census *census, struct json_writer *json)
{
    json_key(json, "objects");
    json_begin_object(json);
    json_member_integer(json, "count", bounded(census->all.count));
    json_member_integer(json, "bytes", bounded(census->all.bytes));
    json_member_integer(json, "reachable", bounded(census->reachable.count));
    json_member_integer(json, "reachable_bytes", bounded(census->reachable.bytes));
    json_member_integer(json, "unreachable", bounded(census->all.count - census->reachable.count));
    json_member_integer(json, "unreachable_bytes",
                        bounded(census->all.bytes - census->reachable.bytes));
    json_member_integer(json, "tracked", bounded(census->tracked.count));
    json_member_integer(json, "tracked_bytes", bounded(census->tracked.bytes));
    json_end_object(json);
}

static enum status write_json(struct heap_answer *answer, struct error *err)
{
    struct json_writer json;
    json_init(&json, output_text(answer->run->answer));
    enum status status =
        answer_begin_json(&json, "heap", answer->run->options->operands[0], answer->index, err);
    if (status != STATUS_OK)
        return status;
    json_member_string(&json, "by", answer->grouping->name);
    write_amounts(&answer->census, &json);
    json_key(&json, "memory");
    table_render_json(&answer->memory, &json);
    json_key(&json, "largest");
    table_render_json(&answer->largest, &json);
    json_member_integer(&json, "row_count", answer->row_count);
    json_key(&json, "rows");
    table_render_json(&answer->rows, &json);
    json_end_object(&json);
    return json_finish(&json) ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}

static enum status write_answer(struct heap_answer *answer, const struct heap_sort *sort,
                                struct error *err)
{
    switch (answer->run->format) {
    case FORMAT_JSON: return write_json(answer, err);
    case FORMAT_CSV:
        table_render_csv(&answer->rows, output_text(answer->run->answer));
        return STATUS_OK;
    default: return heap_render(answer, sort->words, err);
    }
}

enum status command_heap(struct command_run *run, struct error *err)
{
    static const struct column memory_columns[] = {{"region", NULL, COLUMN_PLAIN},
                                                   {"bytes", "size", COLUMN_BYTES},
                                                   {"share", NULL, COLUMN_SHARE},
                                                   {"detail", NULL, COLUMN_PLAIN}};
    static const struct column largest_columns[] = {
        {"retained", NULL, COLUMN_BYTES},  {"share", NULL, COLUMN_SHARE},
        {"type", NULL, COLUMN_PLAIN},      {"path", NULL, COLUMN_PLAIN},
        {"value", NULL, COLUMN_PLAIN},     {"size", NULL, COLUMN_BYTES},
        {"address", NULL, COLUMN_ADDRESS}, {"object_id", NULL, COLUMN_PLAIN},
    };
    struct heap_answer answer = {.run = run};
    const struct heap_sort *sort = NULL;
    enum status status = choose_grouping(run->options->by, &answer.grouping, err);
    if (status == STATUS_OK)
        status = choose_sort(answer.grouping, run->options->sort, &sort, err);
    if (status == STATUS_OK)
        status = command_open_index(run, 0, &answer.index, err);
    if (status != STATUS_OK)
        return status;
    table_init(&answer.rows, answer.grouping->columns, answer.grouping->column_count);
    table_init(&answer.memory, memory_columns, COUNT_OF(memory_columns));
    table_init(&answer.largest, largest_columns, COUNT_OF(largest_columns));
    text_init(&answer.holder);
    text_init(&answer.holder_path);
    status = name_input(run, load(&answer, sort, err), err);
    if (status == STATUS_OK)
        status = write_answer(&answer, sort, err);
    if (status == STATUS_OK && (answer.rows.failed || answer.holder.failed))
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    table_deinit(&answer.rows);
    table_deinit(&answer.memory);
    table_deinit(&answer.largest);
    text_deinit(&answer.holder);
    text_deinit(&answer.holder_path);
    return status;
}
