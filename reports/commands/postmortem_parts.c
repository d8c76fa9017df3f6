/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/postmortem_parts.h"

#include <string.h>

#include "reports/commands/cycles_model.h"
#include "reports/commands/heap_answer.h"
#include "reports/render/escape.h"

#define TEXT_ROWS  5
#define PAGE_BYTES (60u << 10) /* of one table */
#define DRAWINGS   3

/* ---- The parts. To add one: a row. */

#define PART_COLUMNS 7

struct part {
    const char *name, *title;
    const char *sql; /* its columns are those below */
    struct column columns[PART_COLUMNS];
    size_t limit;
};

static const struct part part_rows[] = {
    {"tasks",
     "asyncio tasks",
     "SELECT CASE WHEN is_deadlocked THEN 'deadlocked' ELSE state END, name, coroutine, waits_for, "
     "(SELECT function || ' (' || coalesce(file, '?') || ':' || coalesce(line, 0) || ')' FROM "
     "task_frame f WHERE f.task_id = t.id ORDER BY depth LIMIT 1) FROM task t ORDER BY "
     "coalesce(is_deadlocked, 0) DESC, id",
     {{"state", "State", COLUMN_PLAIN},
      {"name", "Task", COLUMN_CODE},
      {"coroutine", "Coroutine", COLUMN_CODE},
      {"waits_for", "Waits for", COLUMN_CODE},
      {"frame", "Innermost frame", COLUMN_CODE}},
     500},
    {"context_variables",
     "Context variables",
     "SELECT coalesce((SELECT 'task ' || name FROM task WHERE id = task_id), (SELECT 'thread ' || "
     "coalesce(name, os_tid) FROM thread WHERE id = thread_id)), name, type, value FROM "
     "context_variable ORDER BY thread_id IS NULL, thread_id, task_id, rowid",
     {{"of", "Of", COLUMN_CODE},
      {"name", "Variable", COLUMN_CODE},
      {"type", "Type", COLUMN_CODE},
      {"value", "Value", COLUMN_CODE}},
     500},
    {"suspects",
     "Leak suspects",
     "SELECT retained, share, instances, coalesce(nullif(path, ''), title), holder, why, "
     "fingerprint "
     "FROM suspect WHERE kind IN ('single', 'group') ORDER BY rank",
     {{"retained", "Keeps", COLUMN_BYTES},
      {"share", "Share", COLUMN_SHARE},
      {"instances", "Instances", COLUMN_COUNT},
      {"path", "Path", COLUMN_CODE},
      {"holder", "Held as", COLUMN_PLAIN},
      {"why", "Why", COLUMN_PLAIN},
      {"fingerprint", "Fingerprint", COLUMN_CODE}},
     100},
    {"types",
     "Types, by what they keep",
     "SELECT name, instances, shallow, retained FROM type WHERE instances > 0 ORDER BY retained "
     "DESC, id",
     {{"type", "Type", COLUMN_CODE},
      {"instances", "Instances", COLUMN_COUNT},
      {"shallow", "Own size", COLUMN_BYTES},
      {"retained", "Keeps", COLUMN_BYTES}},
     100},
    {"held_by_extensions",
     "Held by C code alone, or not yet collected",
     "SELECT kind, instances, shallow, retained, title FROM suspect WHERE kind NOT IN ('single', "
     "'group') ORDER BY rank",
     {{"kind", "Kind", COLUMN_PLAIN},
      {"instances", "Instances", COLUMN_COUNT},
      {"shallow", "Own size", COLUMN_BYTES},
      {"retained", "Keeps", COLUMN_BYTES},
      {"title", "What", COLUMN_CODE}},
     50},
    {"cycles",
     "Reference cycles, garbage first",
     "SELECT CASE WHEN is_garbage THEN 'garbage' ELSE 'alive' END, copies, members, bytes, "
     "CASE WHEN has_finalizer THEN 'yes' END, shape FROM cycle WHERE kind <> 'program' OR "
     "is_garbage ORDER BY is_garbage "
     "DESC, bytes DESC, id",
     {{"state", "State", COLUMN_PLAIN},
      {"copies", "Copies", COLUMN_COUNT},
      {"members", "Objects", COLUMN_COUNT},
      {"bytes", "Bytes", COLUMN_BYTES},
      {"has_finalizer", "Finalizer", COLUMN_PLAIN},
      {"shape", "Shape", COLUMN_CODE}},
     100},
    {"allocation_sites",
     "Lines that allocated, as tracemalloc in the process saw them",
     "SELECT bytes, count, file, line FROM allocation_site WHERE suspect_rank IS NULL ORDER BY "
     "position",
     {{"bytes", "Bytes", COLUMN_BYTES},
      {"count", "Blocks", COLUMN_COUNT},
      {"file", "File", COLUMN_CODE},
      {"line", "Line", COLUMN_PLAIN}},
     100},
    {"waste",
     "Memory to gain",
     "SELECT kind, sum(bytes), sum(count), count(*) FROM waste GROUP BY kind ORDER BY sum(bytes) "
     "DESC, kind",
     {{"kind", "Kind", COLUMN_PLAIN},
      {"bytes", "To gain", COLUMN_BYTES},
      {"count", "Objects", COLUMN_COUNT},
      {"places", "Places", COLUMN_COUNT}},
     50},
};

static size_t column_count(const struct part *part)
{
    size_t count = 0;
    while (count < PART_COLUMNS && part->columns[count].name)
        count++;
    return count;
}

static enum status load_part(struct index *index, const struct part *part, struct parts *parts,
                             struct error *err)
{
    struct part_table loaded = {.name = part->name, .title = part->title};
    const char *limited =
        arena_printf(&parts->arena, "SELECT * FROM (%s) LIMIT %zu", part->sql, part->limit);
    const char *counted = arena_printf(&parts->arena, "SELECT count(*) FROM (%s)", part->sql);
    if (!limited || !counted)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    table_init(&loaded.table, part->columns, column_count(part));
    enum status status = table_query(&loaded.table, index, limited, NULL, 0, err);
    if (status == STATUS_OK)
        status = integer_query(index, counted, NULL, 0, &loaded.more, err);
    size_t rows = table_row_count(&loaded.table);
    loaded.more -= (int64_t)rows;
    if (status == STATUS_OK && rows && !array_push(&parts->tables, loaded))
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    if (status != STATUS_OK || !rows)
        table_deinit(&loaded.table);
    return status;
}

/* ---- Sentences. */

static enum status add_sentences(struct index *index, struct parts *parts, const char *sql,
                                 struct error *err)
{
    struct index_rows *rows;
    bool ok = true;
    enum status status = index_query(index, sql, NULL, 0, &rows, err);
    if (status != STATUS_OK)
        return status;
    while (ok && index_rows_next(rows)) {
        const char *sentence = index_rows_text(rows, 0);
        if (!sentence || !*sentence)
            continue;
        sentence = arena_strdup(&parts->arena, sentence);
        ok = sentence && array_push(&parts->sentences, sentence);
    }
    status = index_rows_finish(rows, err);
    return ok ? status : error_set(err, STATUS_NO_MEMORY, "out of memory");
}

static enum status load_sentences(struct index *index, struct parts *parts, struct error *err)
{
    static const char *const statements[] = {
        "SELECT why FROM suspect WHERE kind IN ('single', 'group') ORDER BY rank LIMIT 3",
        ("SELECT CASE WHEN count(*) > 0 THEN 'No object or group of them keeps a large share of "
         "the "
         "heap: no leak suspect' END FROM type WHERE NOT EXISTS (SELECT 1 FROM suspect WHERE kind "
         "IN ('single', 'group'))"),
        ("SELECT garbage_objects || ' objects in ' || garbage_cycles || ' reference cycles are "
         "garbage: ' || why FROM collector_state WHERE garbage_cycles > 0"),
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof statements / sizeof *statements && status == STATUS_OK; i++)
        status = add_sentences(index, parts, statements[i], err);
    return status;
}

static enum status load_drawings(struct index *index, struct parts *parts, struct error *err)
{
    struct cycles_model model;
    struct cycle_drawing drawings[DRAWINGS];
    size_t count = 0;
    int64_t garbage = 0;
    enum status status =
        integer_query(index, "SELECT count(*) FROM cycle WHERE is_garbage", NULL, 0, &garbage, err);
    if (status == STATUS_OK && garbage) /* without a heap there is no table of objects */
        status = cycles_model_load(index, &model, err);
    if (status != STATUS_OK || !garbage)
        return status;
    for (size_t i = 0; i < model.rows.count && count < DRAWINGS && status == STATUS_OK; i++)
        if (model.rows.items[i].is_garbage)
            status =
                cycles_model_drawing(&model, index, &model.rows.items[i], &drawings[count++], err);
    if (status == STATUS_OK && count)
        cycle_svg_render(drawings, count, false, &parts->drawings);
    cycles_model_deinit(&model);
    return status;
}

enum status parts_load(struct index *index, struct parts *ret_parts, struct error *err)
{
    struct parts parts = {0};
    enum status status = STATUS_OK;
    arena_init(&parts.arena);
    for (size_t i = 0; i < sizeof part_rows / sizeof *part_rows && status == STATUS_OK; i++)
        status = load_part(index, &part_rows[i], &parts, err);
    if (status == STATUS_OK)
        status = load_sentences(index, &parts, err);
    if (status == STATUS_OK)
        status = load_drawings(index, &parts, err);
    if (status == STATUS_OK)
        *ret_parts = parts;
    else
        parts_deinit(&parts);
    return status;
}

void parts_deinit(struct parts *parts)
{
    for (size_t i = 0; i < parts->tables.count; i++)
        table_deinit(&parts->tables.items[i].table);
    array_deinit(&parts->tables);
    array_deinit(&parts->sentences);
    text_deinit(&parts->drawings);
    arena_deinit(&parts->arena);
    *parts = (struct parts){0};
}

/* ---- Forms. */

static const struct part_table *find_part(const struct parts *parts, const char *name)
{
    for (size_t i = 0; i < parts->tables.count; i++)
        if (!strcmp(parts->tables.items[i].name, name))
            return &parts->tables.items[i];
    return NULL;
}

/* The first rows of a table. */
static struct table first_rows(const struct table *table, size_t most)
{
    struct table cut = *table;
    if (cut.cells.count > most * cut.column_count)
        cut.cells.count = most * cut.column_count;
    return cut;
}

void parts_text(const struct parts *parts, size_t width, struct text *text)
{
    static const char *const told[] = {"tasks", "context_variables", "types", "waste"};
    if (parts->sentences.count)
        text_append(text, "\nWhat fills the memory\n");
    for (size_t i = 0; i < parts->sentences.count; i++) {
        text_append(text, "  ");
        escape_terminal(text, parts->sentences.items[i], ESCAPE_ONE_LINE);
        text_append_char(text, '\n');
    }
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        const struct part_table *part = find_part(parts, told[i]);
        if (!part)
            continue;
        struct table cut = first_rows(&part->table, TEXT_ROWS);
        text_printf(text, "\n%s\n", part->title);
        table_render_text(&cut, width, text);
        int64_t hidden =
            (int64_t)(table_row_count(&part->table) - table_row_count(&cut)) + part->more;
        if (hidden) {
            text_append_char(text, '[');
            format_count(text, hidden);
            text_append(text, " more]\n");
        }
    }
}

void parts_markdown(const struct parts *parts, struct text *text)
{
    if (parts->sentences.count)
        text_append(text, "\n## What fills the memory\n\n");
    for (size_t i = 0; i < parts->sentences.count; i++) {
        text_append(text, "- ");
        escape_markdown(text, parts->sentences.items[i]);
        text_append_char(text, '\n');
    }
    for (size_t i = 0; i < parts->tables.count; i++) {
        struct table cut = first_rows(&parts->tables.items[i].table, TEXT_ROWS);
        text_printf(text, "\n### %s\n\n", parts->tables.items[i].title);
        table_render_markdown(&cut, text);
    }
}

void parts_html(const struct parts *parts, struct text *text)
{
    if (parts->sentences.count) {
        text_append(text, "<section id=\"holds\"><h2>What fills the memory</h2>"
                          "<ul class=\"panel sentences\">\n");
        for (size_t i = 0; i < parts->sentences.count; i++) {
            text_append(text, "<li>");
            escape_markup(text, parts->sentences.items[i], ESCAPE_ONE_LINE);
            text_append(text, "</li>\n");
        }
        text_append(text, "</ul></section>\n");
    }
    for (size_t i = 0; i < parts->tables.count; i++) {
        const struct part_table *part = &parts->tables.items[i];
        text_printf(text,
                    "<section id=\"%s\"><details class=\"panel more\"%s><summary><span>%s "
                    "<span class=\"aside\">",
                    part->name, table_row_count(&part->table) <= 10 ? " open" : "", part->title);
        format_count(text, (int64_t)table_row_count(&part->table) + part->more);
        text_append(text, "</span></span></summary>\n");
        size_t shown = table_render_html(&part->table, PAGE_BYTES, text);
        int64_t hidden = (int64_t)(table_row_count(&part->table) - shown) + part->more;
        if (hidden) {
            text_append(text, "<p class=\"aside\">");
            format_count(text, hidden);
            text_append(text, " more rows are cut from this page.</p>\n");
        }
        if (!strcmp(part->name, "cycles") && parts->drawings.size)
            text_append_n(text, parts->drawings.data, parts->drawings.size);
        text_append(text, "</details></section>\n");
    }
}

void parts_json(const struct parts *parts, struct json_writer *json)
{
    json_key(json, "findings");
    json_begin_array(json);
    for (size_t i = 0; i < parts->sentences.count; i++)
        json_string(json, parts->sentences.items[i]);
    json_end_array(json);
    for (size_t i = 0; i < sizeof part_rows / sizeof *part_rows; i++) {
        const struct part_table *part = find_part(parts, part_rows[i].name);
        json_key(json, part_rows[i].name);
        if (part) {
            table_render_json(&part->table, json);
        } else {
            json_begin_array(json);
            json_end_array(json);
        }
    }
}
