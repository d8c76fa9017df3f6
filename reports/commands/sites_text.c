/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/sites_text.h"

#include "reports/commands/heap_answer.h"

#define OF_ALL "FROM allocation_site WHERE suspect_rank IS NULL"

static const struct column columns[] = {
    {"bytes", NULL, COLUMN_BYTES},
    {"share", NULL, COLUMN_SHARE},
    {"blocks", NULL, COLUMN_COUNT},
    {"site", "allocated at", COLUMN_PLAIN},
};

static void write_heading(const struct command_run *run, int64_t bytes, int64_t blocks)
{
    struct text words = {0};
    text_append(&words, "Allocated at, by tracemalloc: ");
    format_bytes(&words, bytes);
    text_append(&words, " in ");
    format_count(&words, blocks);
    text_append(&words, blocks == 1 ? " block" : " blocks");
    answer_heading(run, text_string(&words));
    output_text(run->answer)->failed |= words.failed;
    text_deinit(&words);
}

static void write_rest(const struct command_run *run, int64_t sites, size_t shown)
{
    struct text words = {0};
    if (sites <= (int64_t)shown)
        return;
    format_count(&words, sites - (int64_t)shown);
    text_append(&words, " more; --limit 0 shows all");
    answer_note(run, text_string(&words));
    text_deinit(&words);
}

enum status sites_render(const struct command_run *run, struct index *index, uint64_t limit,
                         struct error *err)
{
    int64_t bytes = 0, blocks = 0, sites = 0;
    enum status status =
        integer_query(index, "SELECT CAST(total(bytes) AS INTEGER) " OF_ALL, NULL, 0, &bytes, err);
    if (!status)
        status = integer_query(index, "SELECT CAST(total(count) AS INTEGER) " OF_ALL, NULL, 0,
                               &blocks, err);
    if (!status)
        status = integer_query(index, "SELECT count(*) " OF_ALL, NULL, 0, &sites, err);
    if (status || !sites)
        return status;
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof *columns);
    const struct index_value parameters[] = {
        INDEX_INT(bytes), INDEX_INT(limit && limit < INT64_MAX ? (int64_t)limit : -1)};
    status = table_query(&table, index,
                         "SELECT bytes, bytes * 1.0 / max(?1, 1), count,"
                         " coalesce(file || ':' || coalesce(line, '?'), 'all other lines') " OF_ALL
                         " ORDER BY position LIMIT ?2",
                         parameters, 2, err);
    if (!status) {
        write_heading(run, bytes, blocks);
        answer_table(run, &table);
        write_rest(run, sites, table_row_count(&table));
    }
    table_deinit(&table);
    return status;
}
