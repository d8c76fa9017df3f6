/* SPDX-License-Identifier: Apache-2.0 */
/* METRIC ['(' ARGUMENT ')'] ['.' FIELD] OPERATOR ['+'] NUMBER [UNIT] ['/h']
 * The operator is the last one of the text, because names of functions hold < and >. */
#include "inquest/analyzer/gate.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/findings/waste_pass.h"
#include "analyzer/runtime/heap_memory_rows.h"
#include "analyzer/runtime/tasks.h"

#define ANY_CALLS (METRIC_PSTATS | METRIC_SAMPLES)
#define ALL       (METRIC_CORE | METRIC_TRACEMALLOC | ANY_CALLS)
#define TIMES     (FIELD_TOTAL | FIELD_SELF | FIELD_CALLS)
#define SIZES     (FIELD_SIZE | FIELD_COUNT)

/* ---- What an argument can be, where that is known. */

static const char *known_region(size_t index)
{
    if (index < MEMORY_PART_COUNT)
        return memory_part_names[index];
    index -= MEMORY_PART_COUNT;
    return index < CORE_REGION_COUNT ? core_region_name((enum core_region)index) : NULL;
}

static const char *known_waste(size_t index)
{
    return index < WASTE_KIND_COUNT ? waste_kind_names[index] : NULL;
}

static const char *known_state(size_t index)
{
    return index < TASK_STATE_COUNT ? task_state_names[index] : NULL;
}

#define STATEMENT(NAME, ARGUMENT, UNIT, SQL, MEANING)                                              \
    STATEMENT_OF(NAME, ARGUMENT, NULL, UNIT, SQL, MEANING)
#define STATEMENT_OF(NAME, ARGUMENT, KNOWN, UNIT, SQL, MEANING)                                    \
    {                                                                                              \
        .name = (NAME), .argument = (ARGUMENT), .families = METRIC_CORE, .unit = (UNIT),           \
        .id = METRIC_BY_STATEMENT, .sql = (SQL), .meaning = (MEANING), .known = (KNOWN)            \
    }

const struct metric metric_table[] = {
    {.name = "total",
     .fields = TIMES | SIZES,
     .families = METRIC_TRACEMALLOC | ANY_CALLS,
     .unit = METRIC_WEIGHT,
     .id = METRIC_TOTAL,
     .meaning = "all of the recording: time, samples, bytes; .calls and .count their number"},
    {.name = "function",
     .argument = "NAME",
     .needs_argument = true,
     .fields = TIMES,
     .families = ANY_CALLS,
     .unit = METRIC_WEIGHT,
     .id = METRIC_FUNCTION,
     .meaning = "a function by its name, module.name or file:line"},
    {.name = "module",
     .argument = "NAME",
     .needs_argument = true,
     .fields = TIMES | SIZES,
     .families = METRIC_TRACEMALLOC | ANY_CALLS,
     .unit = METRIC_WEIGHT,
     .id = METRIC_MODULE,
     .meaning = "a module or package with all that is in it"},
    {.name = "file",
     .argument = "PATTERN",
     .needs_argument = true,
     .fields = TIMES | SIZES,
     .families = METRIC_TRACEMALLOC | ANY_CALLS,
     .unit = METRIC_WEIGHT,
     .id = METRIC_FILE,
     .meaning = "files by name, with * and ?"},
    {.name = "line",
     .argument = "FILE:LINE",
     .needs_argument = true,
     .fields = TIMES | SIZES,
     .families = METRIC_TRACEMALLOC | METRIC_SAMPLES,
     .unit = METRIC_WEIGHT,
     .id = METRIC_LINE,
     .meaning = "one line"},
    {.name = "thread",
     .argument = "NAME",
     .needs_argument = true,
     .fields = FIELD_TOTAL | FIELD_CALLS,
     .families = METRIC_SAMPLES,
     .unit = METRIC_WEIGHT,
     .id = METRIC_THREAD,
     .meaning = "one thread or process, by name or number"},
    {.name = "domain",
     .argument = "NUMBER",
     .needs_argument = true,
     .fields = SIZES,
     .families = METRIC_TRACEMALLOC,
     .unit = METRIC_WEIGHT,
     .id = METRIC_DOMAIN,
     .meaning = "tracemalloc's domain; 0 is Python's own"},
    STATEMENT("objects", NULL, METRIC_COUNT, "SELECT sum(instances) FROM type",
              "Python objects, also those that nothing leads to"),
    STATEMENT("heap", NULL, METRIC_BYTES, "SELECT sum(shallow) FROM type", "bytes of all objects"),
    STATEMENT("mapped", NULL, METRIC_BYTES,
              "SELECT sum(bytes) FROM memory WHERE region NOT LIKE 'reserved%'",
              "memory that the process had mapped"),
    STATEMENT_OF("memory", "REGION", known_region, METRIC_BYTES,
                 "SELECT sum(bytes) FROM memory WHERE region = ?1",
                 "one region of the table memory"),
    STATEMENT("instances", "TYPE", METRIC_COUNT, "SELECT sum(instances) FROM type WHERE name = ?1",
              "objects of a type"),
    STATEMENT("shallow", "TYPE", METRIC_BYTES, "SELECT sum(shallow) FROM type WHERE name = ?1",
              "bytes of a type's objects themselves"),
    STATEMENT("retained", "TYPE", METRIC_BYTES, "SELECT sum(retained) FROM type WHERE name = ?1",
              "bytes that a type's objects keep, those within another counted once"),
    STATEMENT("largest", "PATH", METRIC_BYTES, "SELECT max(retained) FROM largest WHERE path = ?1",
              "bytes that would be freed with one object, by its path"),
    STATEMENT("suspects", NULL, METRIC_COUNT,
              "SELECT count(*) FROM suspect WHERE kind IN ('single', 'group')",
              "leak suspects at the default threshold"),
    STATEMENT("suspect", "FINGERPRINT", METRIC_BYTES,
              "SELECT sum(retained) FROM suspect WHERE fingerprint = ?1 OR path = ?1",
              "bytes that a leak suspect keeps, by its fingerprint or path"),
    STATEMENT("cycles", NULL, METRIC_COUNT, "SELECT sum(copies) FROM cycle",
              "reference cycles, garbage or alive"),
    STATEMENT("garbage_cycles", NULL, METRIC_COUNT,
              "SELECT sum(copies) FROM cycle WHERE is_garbage", "cycles that nothing leads to"),
    STATEMENT("garbage_bytes", NULL, METRIC_BYTES, "SELECT sum(bytes) FROM cycle WHERE is_garbage",
              "bytes in cycles that nothing leads to"),
    STATEMENT_OF("waste", "KIND", known_waste, METRIC_BYTES,
                 "SELECT sum(bytes) FROM waste WHERE ?1 IS NULL OR kind = ?1",
                 "bytes to gain, of one kind of waste or of all"),
    STATEMENT("threads", NULL, METRIC_COUNT, "SELECT count(*) FROM thread", "threads"),
    STATEMENT_OF("tasks", "STATE", known_state, METRIC_COUNT,
                 "SELECT count(*) FROM task WHERE ?1 IS NULL OR state = ?1",
                 "asyncio tasks, in one state or in all"),
    STATEMENT("deadlocked_tasks", NULL, METRIC_COUNT,
              "SELECT count(*) FROM task WHERE is_deadlocked",
              "tasks that wait for themselves through others"),
    STATEMENT("exceptions", NULL, METRIC_COUNT, "SELECT count(*) FROM exception WHERE position = 0",
              "exceptions in flight or handled"),
    STATEMENT("warnings", NULL, METRIC_COUNT, "SELECT count(*) FROM warning",
              "parts that could not be read"),
    {0},
};

static const struct {
    const char *name;
    enum metric_field field;
} field_names[] = {
    {"self", FIELD_SELF}, {"total", FIELD_TOTAL}, {"calls", FIELD_CALLS},
    {"size", FIELD_SIZE}, {"count", FIELD_COUNT},
};
#define FIELD_NAMES (sizeof field_names / sizeof *field_names)

const char *metric_field_name(enum metric_field field)
{
    for (size_t i = 0; i < FIELD_NAMES; i++)
        if (field_names[i].field == field)
            return field_names[i].name;
    return "";
}

/* ---- Parsing. */

#define METRIC_LETTERS "abcdefghijklmnopqrstuvwxyz_"

static const struct {
    const char *name;
    double factor;
} units[] = {
    {"", 1},
    {"B", 1},
    {"kB", 1e3},
    {"KB", 1e3},
    {"MB", 1e6},
    {"GB", 1e9},
    {"TB", 1e12},
    {"KiB", 1024.0},
    {"MiB", 1048576},
    {"GiB", 1073741824.0},
    {"TiB", 1099511627776.0},
    {"s", 1},
    {"ms", 1e-3},
    {"us", 1e-6},
    {"µs", 1e-6},
    {"ns", 1e-9},
    {"min", 60},
    {"h", 3600},
};

static char *trimmed(struct arena *arena, const char *start, const char *end)
{
    while (start < end && isspace((unsigned char)*start))
        start++;
    while (end > start && isspace((unsigned char)end[-1]))
        end--;
    return arena_strndup(arena, start, (size_t)(end - start));
}

static enum status parse_unit(char *unit, struct gate *gate, struct error *err)
{
    size_t size = strlen(unit);
    if (size >= 2 && !strcmp(unit + size - 2, "/h")) {
        gate->per_hour = true;
        unit[size -= 2] = '\0';
    }
    while (size && isspace((unsigned char)unit[size - 1]))
        unit[--size] = '\0';
    if (!strcmp(unit, "%")) {
        gate->kind = GATE_PERCENT;
        return STATUS_OK;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (!strcmp(unit, units[i].name)) {
            gate->value *= units[i].factor;
            return STATUS_OK;
        }
    }
    return error_set(err, STATUS_USAGE,
                     "--fail-if '%s': '%s' is no unit; use %%, B, KB, MB, GB, KiB, MiB, GiB, s, "
                     "ms, us, min, h or none",
                     gate->text, unit);
}

static enum status parse_value(const char *text, struct arena *arena, struct gate *gate,
                               struct error *err)
{
    while (isspace((unsigned char)*text))
        text++;
    char *end;
    bool is_signed = *text == '+' || *text == '-';
    gate->value = strtod(text, &end);
    if (end == text || !isfinite(gate->value) || isalpha((unsigned char)*text) ||
        (is_signed && !isdigit((unsigned char)text[1]) && text[1] != '.'))
        return error_set(err, STATUS_USAGE, "--fail-if '%s': '%s' is no number", gate->text, text);
    gate->kind = is_signed ? GATE_CHANGE : GATE_VALUE;
    char *unit = trimmed(arena, end, end + strlen(end));
    return unit ? parse_unit(unit, gate, err) : error_set(err, STATUS_NO_MEMORY, "out of memory");
}

/* The letters that two names have in common from the start, for a suggestion. */
static const char *nearest_metric(const char *name)
{
    const char *best = "total";
    size_t most = 0;
    for (const struct metric *metric = metric_table; metric->name; metric++) {
        size_t common = 0;
        while (name[common] && name[common] == metric->name[common])
            common++;
        if (common > most) {
            most = common;
            best = metric->name;
        }
    }
    return best;
}

static const struct metric *find_metric(const char *name)
{
    for (const struct metric *metric = metric_table; metric->name; metric++)
        if (!strcmp(metric->name, name))
            return metric;
    return NULL;
}

static enum status unknown_metric(const struct gate *gate, const char *name, struct error *err)
{
    return error_set(err, STATUS_USAGE,
                     "--fail-if '%s': there is no metric '%s'; did you mean '%s'? inquest help "
                     "metrics lists all",
                     gate->text, name, nearest_metric(name));
}

/* A name that no input can have would pass for 0 for ever. */
static enum status check_argument(const struct gate *gate, struct error *err)
{
    const struct metric *metric = gate->metric;
    struct text names = {0};
    const char *name;
    if (!gate->argument || !metric->known)
        return STATUS_OK;
    for (size_t i = 0; (name = metric->known(i)); i++) {
        if (!strcmp(name, gate->argument)) {
            text_deinit(&names);
            return STATUS_OK;
        }
        text_printf(&names, "%s'%s'", i ? ", " : "", name);
    }
    enum status status =
        error_set(err, STATUS_USAGE, "--fail-if '%s': there is no %s(%s); it takes %s", gate->text,
                  metric->name, gate->argument, text_string(&names));
    text_deinit(&names);
    return status;
}

static enum status parse_field(const char *name, struct gate *gate, struct error *err)
{
    const struct metric *metric = gate->metric;
    if (!*name) {
        static const enum metric_field defaults[] = {FIELD_TOTAL, FIELD_SIZE};
        for (size_t i = 0; i < 2 && !gate->field; i++)
            gate->field = metric->fields & defaults[i];
        return STATUS_OK;
    }
    for (size_t i = 0; i < FIELD_NAMES; i++) {
        if (!strcmp(name, field_names[i].name) && metric->fields & field_names[i].field) {
            gate->field = field_names[i].field;
            return STATUS_OK;
        }
    }
    return error_set(err, STATUS_USAGE, "--fail-if '%s': %s has no '.%s'; see inquest help metrics",
                     gate->text, metric->name, name);
}

static enum status parse_metric(const char *text, struct arena *arena, struct gate *gate,
                                struct error *err)
{
    const char *open = strchr(text, '('), *close = strrchr(text, ')');
    const char *dot = strchr(text, '.'), *end = text + strlen(text);
    bool has_argument = open && close && close > open;
    const char *name_end = has_argument ? open : dot ? dot : end;
    const char *rest = has_argument ? close + 1 : name_end;
    char *name = trimmed(arena, text, name_end);
    char *argument = has_argument ? trimmed(arena, open + 1, close) : NULL;
    char *field = *rest == '.' ? trimmed(arena, rest + 1, end) : trimmed(arena, rest, end);
    if (!name || !field || (has_argument && !argument))
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    gate->metric = find_metric(name);
    gate->argument = argument && *argument ? argument : NULL;
    if (!gate->metric)
        return unknown_metric(gate, name, err);
    if (gate->argument && !gate->metric->argument)
        return error_set(err, STATUS_USAGE, "--fail-if '%s': %s takes nothing in parentheses",
                         gate->text, name);
    bool needs =
        gate->metric->needs_argument || (gate->metric->sql && strstr(gate->metric->sql, "= ?1") &&
                                         !strstr(gate->metric->sql, "?1 IS NULL"));
    if (!gate->argument && needs)
        return error_set(err, STATUS_USAGE, "--fail-if '%s': of which one? write %s(%s)",
                         gate->text, name, gate->metric->argument);
    enum status status = check_argument(gate, err);
    return status == STATUS_OK ? parse_field(field, gate, err) : status;
}

/* growth(METRIC), growth(NAME) */
static enum status parse_growth(const char *text, struct arena *arena, struct gate *gate,
                                struct error *err)
{
    const char *close = strrchr(text, ')');
    char *inner = close ? trimmed(arena, text + strlen("growth("), close) : NULL;
    if (!inner || !*inner)
        return error_set(err, STATUS_USAGE, "--fail-if '%s': growth(METRIC) or growth(NAME)",
                         gate->text);
    gate->is_growth = true;
    size_t size = strcspn(inner, "(.");
    char *name = arena_strndup(arena, inner, size);
    if (!name)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    if (find_metric(name))
        return parse_metric(inner, arena, gate, err);
    if (inner[size] == '(' && name[strspn(name, METRIC_LETTERS)] == '\0')
        return unknown_metric(gate, name, err);
    gate->row = inner;
    return STATUS_OK;
}

enum status gate_parse(const char *text, struct arena *arena, struct gate *ret_gate,
                       struct error *err)
{
    struct gate gate = {.text = text};
    const char *sign = NULL;
    for (const char *at = text; *at; at++)
        if (*at == '<' || *at == '>')
            sign = at;
    if (!sign)
        return error_set(err, STATUS_USAGE,
                         "--fail-if '%s': write METRIC > VALUE, as in 'total.self > 20%%'", text);
    bool equal = sign[1] == '=';
    gate.comparison =
        *sign == '>' ? (equal ? GATE_AT_LEAST : GATE_ABOVE) : (equal ? GATE_AT_MOST : GATE_BELOW);
    char *metric = trimmed(arena, text, sign);
    if (!metric)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    enum status status = parse_value(sign + 1 + equal, arena, &gate, err);
    if (status == STATUS_OK)
        status = !strncmp(metric, "growth(", 7) ? parse_growth(metric, arena, &gate, err)
                                                : parse_metric(metric, arena, &gate, err);
    if (status == STATUS_OK && gate.per_hour && !gate.is_growth)
        status =
            error_set(err, STATUS_USAGE, "--fail-if '%s': only growth(…) is by the hour", text);
    if (status == STATUS_OK)
        *ret_gate = gate;
    return status;
}

/* ---- Evaluating. */

bool gate_compare(const struct gate *gate, double measured)
{
    switch (gate->comparison) {
    case GATE_ABOVE: return measured > gate->value;
    case GATE_AT_LEAST: return measured >= gate->value;
    case GATE_BELOW: return measured < gate->value;
    case GATE_AT_MOST: return measured <= gate->value;
    }
    return false;
}

/* Per cent. */
static double growth(double old_value, double new_value)
{
    if (old_value == 0)
        return new_value == 0 ? 0 : INFINITY;
    return (new_value - old_value) / fabs(old_value) * 100;
}

static enum status value_of(const struct gate *gate, const struct metric_source *source,
                            double *ret_value, double *ret_whole, struct error *err)
{
    enum status status = source->value(source->context, gate, ret_value, ret_whole, err);
    return status == STATUS_NOT_IN_DUMP ? error_prefix(err, "%s", source->name) : status;
}

enum status gate_evaluate(const struct gate *gate, const struct metric_source *old_source,
                          const struct metric_source *new_source, struct gate_result *ret_result,
                          struct error *err)
{
    struct gate_result result = {.has_old = old_source != NULL};
    double whole = 0, ignored;
    if (gate->is_growth)
        return error_set(err, STATUS_USAGE, "--fail-if '%s': growth(…) is of inquest trend alone",
                         gate->text);
    if (!(gate->metric->families & new_source->family))
        return error_set(err, STATUS_USAGE,
                         "--fail-if '%s': %s holds no %s; inquest help metrics says what has which",
                         gate->text, new_source->name, gate->metric->name);
    if (gate->kind == GATE_CHANGE && !old_source)
        return error_set(err, STATUS_USAGE,
                         "--fail-if '%s': a change needs two inputs, as inquest diff takes them",
                         gate->text);
    enum status status = value_of(gate, new_source, &result.new_value, &whole, err);
    if (status == STATUS_OK && old_source)
        status = value_of(gate, old_source, &result.old_value, &ignored, err);
    if (status != STATUS_OK)
        return status;
    result.measured = result.new_value;
    if (gate->kind == GATE_CHANGE)
        result.measured = result.new_value - result.old_value;
    else if (gate->kind == GATE_PERCENT && old_source)
        result.measured = growth(result.old_value, result.new_value);
    else if (gate->kind == GATE_PERCENT)
        result.measured = whole > 0 ? result.new_value / whole * 100 : 0;
    result.is_tripped = gate_compare(gate, result.measured);
    *ret_result = result;
    return STATUS_OK;
}

/* ---- Cores. */

static enum status one_number(struct index *index, const char *sql, const char *argument,
                              double *ret_value, struct error *err)
{
    const struct index_value parameter = INDEX_STR(argument);
    struct index_rows *rows;
    double value = 0;
    enum status status = index_query(index, sql, &parameter, strstr(sql, "?1") ? 1 : 0, &rows, err);
    if (status != STATUS_OK)
        return status;
    if (index_rows_next(rows) && !index_rows_is_null(rows, 0))
        value = index_rows_real(rows, 0);
    status = index_rows_finish(rows, err);
    if (status == STATUS_OK)
        *ret_value = value;
    return status;
}

/* Whether the number is of the object graph, which not every index holds. */
static bool needs_heap(const struct metric *metric)
{
    static const char *const tables[] = {"FROM type", "FROM suspect", "FROM cycle", "FROM waste",
                                         "FROM largest"};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (strstr(metric->sql, tables[i]))
            return true;
    return false;
}

/* Zero would pass for an answer where no Python could be read. */
static bool needs_python(const struct metric *metric)
{
    static const char *const others[] = {"mapped", "threads", "warnings"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(metric->name, others[i]) == 0)
            return false;
    return true;
}

static enum status core_value(void *context, const struct gate *gate, double *ret_value,
                              double *ret_whole, struct error *err)
{
    const char *whole = gate->metric->unit == METRIC_BYTES ? "SELECT sum(shallow) FROM type"
                                                           : "SELECT sum(instances) FROM type";
    const char *parts = index_meta(context, "parts");
    if (parts && !strstr(parts, "heap") && needs_heap(gate->metric))
        return error_set(err, STATUS_USAGE,
                         "--fail-if '%s': %s needs the object graph: ask inquest heap or diff",
                         gate->text, gate->metric->name);
    if (!index_meta(context, "python_version") && needs_python(gate->metric))
        return error_set(
            err, STATUS_NOT_IN_DUMP,
            "--fail-if '%s': no Python could be read in the core; inquest info tells why",
            gate->text);
    enum status status = one_number(context, gate->metric->sql, gate->argument, ret_value, err);
    return status == STATUS_OK ? one_number(context, whole, NULL, ret_whole, err) : status;
}

struct metric_source metric_source_core(struct index *index, const char *name)
{
    return (struct metric_source){METRIC_CORE, name, index, core_value};
}
