/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_FACTS_H
#define INQUEST_REPORTS_COMMANDS_FACTS_H

#include <stdbool.h>

#include "inquest/analyzer/index.h"
#include "inquest/base/arena.h"
#include "inquest/base/array.h"
#include "inquest/base/text.h"
#include "reports/render/json.h"

/* What an index says of its input as a whole: its meta table, in an order for
 * people and with a title for each row. */

enum fact_kind {
    FACT_TEXT,
    FACT_NUMBER,
    FACT_COUNT, /* a number with thousands apart */
    FACT_BYTES,
    FACT_BOOL, /* 0 or 1 */
};

struct fact {
    const char *key, *value;
    const char *title;   /* for people; the key itself where it has none */
    enum fact_kind kind; /* FACT_TEXT where the value is not what its key promises */
    bool hidden;         /* of no use to people */
};

struct facts {
    struct arena arena;
    ARRAY(struct fact) items;
};

/* meta, and the number of threads and frames where meta lacks them. */
enum status facts_load(struct index *index, struct facts *ret_facts, struct error *err) MUST_CHECK;
void facts_deinit(struct facts *facts);

/* The value for people, unescaped. */
void fact_display(const struct fact *fact, struct text *text);
/* A member of the object that `json` stands in; numbers as numbers. */
void fact_member(const struct fact *fact, struct json_writer *json);

#endif
