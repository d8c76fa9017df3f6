/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_GATE_H
#define INQUEST_ANALYZER_GATE_H

#include <stdbool.h>

#include "inquest/analyzer/index.h"
#include "inquest/base/arena.h"
#include "inquest/base/error.h"

/* A condition on one number of an input, or on how it grew between two:
 * "retained(shop.models.Session) > 10MB", "function(json.loads).total > 50%". */

/* Kinds of input that a number is known of. */
enum metric_family {
    METRIC_CORE = 1,
    METRIC_TRACEMALLOC = 2,
    METRIC_PSTATS = 4,
    METRIC_SAMPLES = 8,
};

enum metric_unit {
    METRIC_COUNT,
    METRIC_BYTES,
    METRIC_WEIGHT, /* the recording's own: seconds, samples, bytes, … */
};

/* Fields of a metric, as bits. */
enum metric_field {
    FIELD_SELF = 1,
    FIELD_TOTAL = 2,
    FIELD_CALLS = 4,
    FIELD_SIZE = 8,
    FIELD_COUNT = 16
};

enum metric_id {
    METRIC_TOTAL,
    METRIC_FUNCTION,
    METRIC_FILE,
    METRIC_MODULE,
    METRIC_LINE,
    METRIC_THREAD,
    METRIC_DOMAIN,
    METRIC_BY_STATEMENT, /* of cores: `sql` answers it */
};

struct metric {
    const char *name;
    const char *argument; /* "TYPE" as help shows it; NULL: it has none */
    bool needs_argument;
    unsigned fields; /* metric_fields, the default first by value; 0: none */
    unsigned families;
    enum metric_unit unit;
    enum metric_id id;
    const char *sql;                    /* ?1 the argument or NULL: one number, NULL for 0 */
    const char *meaning;                /* lower case, no full stop */
    const char *(*known)(size_t index); /* what the argument can be, NULL past the end; no such
                                           function: anything */
};

/* NULL-named end. To add one: a row in gate.c, and for recordings its case in
 * profile_metric.c. */
extern const struct metric metric_table[];
const char *metric_field_name(enum metric_field field);

enum gate_operator { GATE_ABOVE, GATE_AT_LEAST, GATE_BELOW, GATE_AT_MOST };
enum gate_kind {
    GATE_VALUE,   /* the number itself; of two inputs, NEW's */
    GATE_CHANGE,  /* "> +10MB": NEW's less OLD's */
    GATE_PERCENT, /* of two inputs growth over OLD, of one the share of the total */
};

struct gate {
    const char *text; /* as the user wrote it */
    const struct metric *metric;
    const char *argument; /* NULL: none given */
    enum metric_field field;
    enum gate_operator comparison;
    enum gate_kind kind;
    double value;    /* bytes, seconds, a count, or per cent */
    bool is_growth;  /* growth(…): over time, of `trend` alone; */
    bool per_hour;   /* "%/h", "MB/h" */
    const char *row; /* growth(NAME) where NAME is no metric: a row of the trend */
};

/* STATUS_USAGE where it is no condition, or its metric is unknown: the message names
 * the nearest. Strings go to `arena`. */
enum status gate_parse(const char *text, struct arena *arena, struct gate *ret_gate,
                       struct error *err) MUST_CHECK;

/* One input's numbers. */
struct metric_source {
    unsigned family;  /* one of metric_family */
    const char *name; /* for messages */
    void *context;
    /* ret_whole: what a share is of. STATUS_OK with 0 for what the input hasn't. */
    enum status (*value)(void *context, const struct gate *gate, double *ret_value,
                         double *ret_whole, struct error *err);
};

/* A core's numbers, from its index. */
struct metric_source metric_source_core(struct index *index, const char *name);

struct gate_result {
    bool is_tripped, has_old;
    double old_value, new_value;
    double measured; /* what was compared with gate->value; INFINITY: grown from nothing */
};

/* `old_source` NULL: one input. STATUS_USAGE where the input's kind has no such number. */
enum status gate_evaluate(const struct gate *gate, const struct metric_source *old_source,
                          const struct metric_source *new_source, struct gate_result *ret_result,
                          struct error *err) MUST_CHECK;
bool gate_compare(const struct gate *gate, double measured);

#endif
