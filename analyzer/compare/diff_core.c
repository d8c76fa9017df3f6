/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/compare/diff_core.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/compare/joined.h"

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "out of memory");
}

/* ---- Whether the two belong together. */

static bool same_meta(const struct core_pair *pair, const char *key)
{
    const char *a = index_meta(pair->old_index, key), *b = index_meta(pair->new_index, key);
    return a && b && !strcmp(a, b);
}

/* Where the C library was mapped: the kernel moves it at each start, and a fork keeps it. */
static enum status first_mapping(struct index *index, int64_t *ret_start, struct error *err)
{
    struct index_rows *rows;
    enum status status =
        index_query(index,
                    "SELECT min(start) FROM mapped_file WHERE path LIKE '%/libc%' OR "
                    "path LIKE '%/ld-%'",
                    NULL, 0, &rows, err);
    if (status != STATUS_OK)
        return status;
    *ret_start = index_rows_next(rows) ? index_rows_integer(rows, 0) : 0;
    return index_rows_finish(rows, err);
}

static enum status judge_pair(struct core_pair *pair, struct error *err)
{
    int64_t old_start = 0, new_start = 0;
    enum status status = first_mapping(pair->old_index, &old_start, err);
    if (status == STATUS_OK)
        status = first_mapping(pair->new_index, &new_start, err);
    if (status != STATUS_OK)
        return status;
    bool same_program = same_meta(pair, "executable") || same_meta(pair, "command");
    pair->is_one_process = same_program && same_meta(pair, "python_version") &&
                           (old_start ? old_start == new_start : same_meta(pair, "pid"));
    pair->is_one_pid = same_meta(pair, "pid");
    static const struct {
        const char *key, *words;
    } expected[] = {{"command", "commands"},
                    {"python_version", "versions of Python"},
                    {"arch", "architectures"}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const char *a = index_meta(pair->old_index, expected[i].key);
        const char *b = index_meta(pair->new_index, expected[i].key);
        if (!a || !b || !strcmp(a, b))
            continue;
        const char *warning =
            arena_printf(&pair->diff->arena,
                         "not of the same program: OLD and NEW have different %s, '%s' and '%s'",
                         expected[i].words, a, b);
        if (!warning || !array_push(&pair->diff->warnings, warning))
            return no_memory(err);
    }
    return STATUS_OK;
}

/* ---- Types. */

/* What holds others is measured by itself: what a dict retains is told by what is in it. */
static bool is_container(const char *type)
{
    static const char *const names[] = {
        "dict",
        "list",
        "tuple",
        "set",
        "frozenset",
        "collections.deque",
        "cell",
        "module",
        "collections.OrderedDict",
        "collections.defaultdict",
        "type",
        "function",
        "mappingproxy",
        "str",
        "bytes",
        "int",
        "float",
        "weakref.ReferenceType",
        "frame",
        "code",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i], type))
            return true;
    return false;
}

static enum status diff_types(const struct core_pair *pair, struct error *err)
{
    struct diff_table *table = diff_add_table(pair->diff, "rows", "Types, by growth");
    if (!table)
        return no_memory(err);
    table->keys[0] = "type";
    table->measures[0] = (struct diff_measure){"retained", "Retained", DIFF_BYTES};
    table->measures[1] = (struct diff_measure){"shallow", "Shallow", DIFF_BYTES};
    table->measures[2] = (struct diff_measure){"instances", "Instances", DIFF_COUNT};
    enum status status =
        joined_rows(pair->old_index, pair->new_index,
                    "SELECT name, retained, shallow, instances FROM type WHERE instances > 0",
                    &pair->diff->arena, table, err);
    for (size_t i = 0; i < table->rows.count; i++) {
        struct diff_row *row = &table->rows.items[i];
        pair->diff->old_total += row->old_values[1];
        pair->diff->new_total += row->new_values[1];
        int measure = is_container(row->keys[0] ? row->keys[0] : "") ? 1 : 0;
        row->rank = row->new_values[measure] - row->old_values[measure];
    }
    table->note = "In order of growth: builtin containers and values by their own size, all other "
                  "types by what they retain.";
    diff_sort(table);
    return status;
}

/* ---- What is joined by a statement. */

struct joined_table {
    const char *name, *title, *sql;
    const char *keys[DIFF_KEYS];
    struct diff_measure measures[DIFF_MEASURES];
};

static const struct joined_table joined_tables[] = {
    {"suspects",
     "Leak suspects, joined by fingerprint",
     "SELECT coalesce(fingerprint, title), coalesce(nullif(path, ''), title), kind, retained, "
     "instances, listed FROM (SELECT *, 1 AS listed FROM suspect UNION ALL SELECT *, 0 FROM "
     "suspect_candidate) WHERE kind IN ('single', 'group')",
     {"fingerprint", "path", "kind"},
     {{"retained", "Retained", DIFF_BYTES},
      {"instances", "Instances", DIFF_COUNT},
      {"suspects", "Suspects", DIFF_COUNT}}},
    {"memory",
     "Memory of the process",
     "SELECT region, bytes FROM memory WHERE region NOT LIKE 'reserved%'",
     {"region"},
     {{"bytes", "Bytes", DIFF_BYTES}}},
    {"cycles",
     "Reference cycles",
     "SELECT shape, CASE WHEN is_garbage THEN 'garbage' ELSE 'alive' END, bytes, copies FROM cycle",
     {"shape", "state"},
     {{"bytes", "Bytes", DIFF_BYTES}, {"copies", "Copies", DIFF_COUNT}}},
};

/* A candidate is told where it is a suspect in the other. */
static void keep_listed(struct diff_table *table)
{
    size_t kept = 0;
    for (size_t i = 0; i < table->rows.count; i++)
        if (table->rows.items[i].old_values[2] > 0 || table->rows.items[i].new_values[2] > 0)
            table->rows.items[kept++] = table->rows.items[i];
    table->rows.count = kept;
}

static enum status diff_joined(const struct core_pair *pair, const struct joined_table *joined,
                               struct error *err)
{
    struct diff_table *table = diff_add_table(pair->diff, joined->name, joined->title);
    if (!table)
        return no_memory(err);
    memcpy(table->keys, joined->keys, sizeof table->keys);
    memcpy(table->measures, joined->measures, sizeof table->measures);
    enum status status =
        joined_rows(pair->old_index, pair->new_index, joined->sql, &pair->diff->arena, table, err);
    if (joined == &joined_tables[0])
        keep_listed(table);
    diff_sort(table);
    return status;
}

/* ---- The verdict. */

static const char *bytes_words(double bytes, char buffer[32])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = 0;
    for (bytes = fabs(bytes); bytes >= 1024 && unit < 4; unit++)
        bytes /= 1024;
    snprintf(buffer, 32, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return buffer;
}

static const struct diff_table *find_table(const struct diff *diff, const char *name)
{
    for (size_t i = 0; i < diff->tables.count; i++)
        if (!strcmp(diff->tables.items[i].name, name))
            return &diff->tables.items[i];
    return NULL;
}

#define NOTABLE 0.001 /* of the heap: a growth worth a sentence */

static enum status write_verdict(struct diff *diff, struct error *err)
{
    char change[32], held[32];
    double growth = diff->new_total - diff->old_total;
    const struct diff_table *containers = find_table(diff, "containers");
    const struct diff_table *types = find_table(diff, "rows");
    const char *direction = growth >= 0 ? "grew" : "shrank";
    bytes_words(growth, change);
    double share = diff->old_total > 0 ? fabs(growth) / diff->old_total * 100 : 0;
    if (containers && containers->rows.count && containers->rows.items[0].rank > 0) {
        const struct diff_row *row = &containers->rows.items[0];
        bytes_words(row->rank, held);
        diff->verdict = arena_printf(
            &diff->arena, "The heap %s by %s (%.1f %%); %s holds %s of new objects: %s", direction,
            change, share, *row->keys[0] ? row->keys[0] : row->keys[1], held, row->note);
    } else if (types && types->rows.count &&
               types->rows.items[0].rank > NOTABLE * diff->new_total) {
        const struct diff_row *row = &types->rows.items[0];
        diff->verdict = arena_printf(&diff->arena,
                                     "The heap %s by %s (%.1f %%), most of all %s: %.0f instances, "
                                     "%.0f before",
                                     direction, change, share, row->keys[0], row->new_values[2],
                                     row->old_values[2]);
    } else {
        diff->verdict = arena_printf(&diff->arena, "The heap %s by %s (%.1f %%); no type grew much",
                                     direction, change, share);
    }
    return diff->verdict ? STATUS_OK : no_memory(err);
}

enum status diff_cores(struct index *old_index, struct index *new_index, struct diff *ret_diff,
                       struct error *err)
{
    struct diff diff;
    diff_init(&diff);
    diff.family = "core";
    diff.total = (struct diff_measure){"heap", "Heap", DIFF_BYTES};
    struct core_pair pair = {.old_index = old_index, .new_index = new_index, .diff = &diff};
    enum status status = judge_pair(&pair, err);
    if (status == STATUS_OK)
        status = diff_types(&pair, err);
    if (status == STATUS_OK)
        status = diff_joined(&pair, &joined_tables[0], err);
    if (status == STATUS_OK && pair.is_one_process)
        status = diff_objects(&pair, err);
    for (size_t i = 1; i < sizeof joined_tables / sizeof *joined_tables && status == STATUS_OK; i++)
        status = diff_joined(&pair, &joined_tables[i], err);
    if (status == STATUS_OK)
        status = diff_threads(&pair, err);
    if (status == STATUS_OK)
        status = write_verdict(&diff, err);
    diff.rule =
        pair.is_one_process
            ? "one process, or forks of one: objects are the same by address, type and content"
            : "two processes: types, suspects and cycles are the same by name";
    if (status == STATUS_OK)
        *ret_diff = diff;
    else
        diff_deinit(&diff);
    return status;
}
