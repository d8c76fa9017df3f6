/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/facts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reports/render/table.h"

/* The keys of meta that have a title, in the order in which people read them. To
 * give a new key one: a row here. */
static const struct fact known[] = {
    {"source", NULL, "Input", FACT_TEXT, false},
    {"kind", NULL, "Kind", FACT_TEXT, false},
    {"format", NULL, "Format", FACT_TEXT, false},
    {"source_bytes", NULL, "Size", FACT_BYTES, false},
    {"source_mtime", NULL, "Written", FACT_TEXT, false},
    {"made_by", NULL, "Made by", FACT_TEXT, false},
    {"arch", NULL, "Machine", FACT_TEXT, false},
    {"executable", NULL, "Executable", FACT_TEXT, false},
    {"command", NULL, "Command", FACT_TEXT, false},
    {"pid", NULL, "Process", FACT_NUMBER, false},
    {"ppid", NULL, "Parent process", FACT_NUMBER, false},
    {"uid", NULL, "User", FACT_NUMBER, false},
    {"signal", NULL, "Signal", FACT_TEXT, false},
    {"signal_text", NULL, "Died of", FACT_TEXT, false},
    {"signal_number", NULL, NULL, FACT_NUMBER, true},
    {"signal_code", NULL, NULL, FACT_NUMBER, true},
    {"fault_address", NULL, "Fault address", FACT_TEXT, false},
    {"abort_message", NULL, "Abort message", FACT_TEXT, false},
    {"abort_source", NULL, "said by", FACT_TEXT, false},
    {"python_version", NULL, "Python", FACT_TEXT, false},
    {"python_build", NULL, "Python's build", FACT_TEXT, false},
    {"python_how", NULL, "Python found by", FACT_TEXT, false},
    {"thread_count", NULL, "Threads", FACT_COUNT, false},
    {"python_thread_count", NULL, "Python threads", FACT_COUNT, false},
    {"frame_count", NULL, "Python frames", FACT_COUNT, false},
    {"recorder", NULL, "Recorded by", FACT_TEXT, false},
    {"title", NULL, "Title", FACT_TEXT, false},
    {"wrapper", NULL, "Compressed by", FACT_TEXT, false},
    {"unit", NULL, "Unit", FACT_TEXT, false},
    {"total", NULL, "Total", FACT_COUNT, false},
    {"count", NULL, "Blocks, samples, calls", FACT_COUNT, false},
    {"functions", NULL, "Functions", FACT_COUNT, false},
    {"stacks", NULL, "Stacks", FACT_COUNT, false},
    {"track_count", NULL, "Processes, threads", FACT_COUNT, false},
    {"tree", NULL, "Tree", FACT_TEXT, false},
    {"is_sampled", NULL, "Sampled", FACT_BOOL, false},
    {"is_approximate", NULL, "Read off a picture", FACT_BOOL, false},
    {"traceback_limit", NULL, "Frames kept of a stack", FACT_NUMBER, false},
    {"pickle_protocol", NULL, "Pickle protocol", FACT_NUMBER, false},
    {"parts", NULL, NULL, FACT_TEXT, true},
    {"tool", NULL, "Indexed by", FACT_TEXT, false},
    {"schema", NULL, "Index schema", FACT_NUMBER, false},
    {"redacted", NULL, "Redacted", FACT_BOOL, false},
    {"fingerprint", NULL, NULL, FACT_TEXT, true},
    {"files_state", NULL, NULL, FACT_TEXT, true},
};
#define KNOWN_COUNT (sizeof known / sizeof *known)

/* Recordings have none of these. */
#define OF_CORES                                                                                   \
    " WHERE NOT EXISTS (SELECT 1 FROM meta WHERE key = 'kind' AND value IN"                        \
    " ('tracemalloc', 'pstats', 'pyspy'))"

/* Other keys come after the known ones, by name. */
static size_t rank(const char *key)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        if (!strcmp(known[i].key, key))
            return i;
    }
    return KNOWN_COUNT;
}

static int compare(const void *a, const void *b)
{
    const struct fact *first = a, *second = b;
    size_t first_rank = rank(first->key), second_rank = rank(second->key);
    if (first_rank != second_rank)
        return first_rank < second_rank ? -1 : 1;
    return strcmp(first->key, second->key);
}

static bool read_number(const char *value, int64_t *ret_number)
{
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (errno || end == value || *end)
        return false;
    *ret_number = number;
    return true;
}

static bool add(struct facts *facts, const char *key, const char *value)
{
    size_t i = rank(key);
    int64_t number;
    struct fact fact = {.key = arena_strdup(&facts->arena, key),
                        .value = arena_strdup(&facts->arena, value)};
    if (!fact.key || !fact.value)
        return false;
    fact.title = i < KNOWN_COUNT && known[i].title ? known[i].title : fact.key;
    fact.hidden = i < KNOWN_COUNT && known[i].hidden;
    if (i < KNOWN_COUNT && read_number(value, &number))
        fact.kind = known[i].kind;
    return array_push(&facts->items, fact);
}

static bool has(const struct facts *facts, const char *key)
{
    for (size_t i = 0; i < facts->items.count; i++) {
        if (!strcmp(facts->items.items[i].key, key))
            return true;
    }
    return false;
}

/* Runs a statement whose rows are keys and values. */
static enum status load_rows(struct index *index, struct facts *facts, const char *sql,
                             struct error *err)
{
    struct index_rows *rows;
    enum status status = index_query(index, sql, NULL, 0, &rows, err);
    if (status != STATUS_OK)
        return status;
    bool added = true;
    while (added && index_rows_next(rows)) {
        const char *key = index_rows_text(rows, 0), *value = index_rows_text(rows, 1);
        if (key && value && !has(facts, key))
            added = add(facts, key, value);
    }
    status = index_rows_finish(rows, err);
    if (status == STATUS_OK && !added)
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    return status;
}

enum status facts_load(struct index *index, struct facts *ret_facts, struct error *err)
{
    static const char *const statements[] = {
        "SELECT key, value FROM meta ORDER BY key LIMIT 1000",
        "SELECT 'thread_count', (SELECT count(*) FROM thread)" OF_CORES,
        "SELECT 'python_thread_count', (SELECT count(*) FROM thread WHERE is_python)" OF_CORES,
        "SELECT 'frame_count', (SELECT count(*) FROM frame WHERE kind = 'python')" OF_CORES,
        ("SELECT 'track_count', (SELECT count(*) FROM sample_track) FROM meta"
         " WHERE key = 'kind' AND value = 'pyspy'"),
    };
    struct facts facts = {0};
    arena_init(&facts.arena);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof statements / sizeof *statements; i++)
        status = load_rows(index, &facts, statements[i], err);
    if (status != STATUS_OK) {
        facts_deinit(&facts);
        return status;
    }
    if (facts.items.count)
        qsort(facts.items.items, facts.items.count, sizeof *facts.items.items, compare);
    *ret_facts = facts;
    return STATUS_OK;
}

void facts_deinit(struct facts *facts)
{
    array_deinit(&facts->items);
    arena_deinit(&facts->arena);
}

void fact_display(const struct fact *fact, struct text *text)
{
    int64_t number = 0;
    if (fact->kind == FACT_TEXT || !read_number(fact->value, &number)) {
        text_append(text, fact->value);
        return;
    }
    switch (fact->kind) {
    case FACT_COUNT: format_count(text, number); break;
    case FACT_BYTES: format_bytes(text, number); break;
    case FACT_BOOL: text_append(text, number ? "yes" : "no"); break;
    default: text_printf(text, "%" PRId64, number); break;
    }
}

void fact_member(const struct fact *fact, struct json_writer *json)
{
    int64_t number = 0;
    if (fact->kind == FACT_TEXT || !read_number(fact->value, &number))
        json_member_string(json, fact->key, fact->value);
    else if (fact->kind == FACT_BOOL)
        json_member_bool(json, fact->key, number != 0);
    else
        json_member_integer(json, fact->key, number);
}
