/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual table `object`. A plan is a range of ids, narrowed by comparisons of id
 * and address, walked up or down, with or without a wanted type. */
#include <string.h>

#include "analyzer/index/virtual_tables.h"

enum object_column {
    COLUMN_ROWID = -1,
    COLUMN_ID,
    COLUMN_ADDRESS,
    COLUMN_TYPE,
    COLUMN_SIZE,
    COLUMN_REFCOUNT,
    COLUMN_RETAINED,
    COLUMN_DOMINATOR,
    COLUMN_TRACKED,
    COLUMN_REACHABLE
};

static const char declaration[] =
    "CREATE TABLE object (id INTEGER PRIMARY KEY, address INTEGER, type_id INTEGER, size INTEGER,"
    " refcount INTEGER, retained INTEGER, dominator_id INTEGER, is_tracked INTEGER,"
    " is_reachable INTEGER)";

struct object_cursor {
    sqlite3_vtab_cursor base;   /* first: SQLite's part */
    struct packed_chunk *chunk; /* NULL: none yet */
    int64_t id, low, high;      /* low .. high are left, `id` of them is current */
    bool downward, by_type, ended;
    uint32_t type;
};

/* ---- Plans: idxNum says the direction, idxStr has two letters for each argument. */

enum { PLAN_DOWNWARD = 1 };

#define COST_LOOKUP 30.0 /* in rows read one after the other */
#define COST_FIND   60.0
#define USUAL_ROWS  1e6 /* where counting fails */

struct operator_letter {
    int op;
    char letter;
};

static const struct operator_letter operators[] = {
    {SQLITE_INDEX_CONSTRAINT_EQ, '='}, {SQLITE_INDEX_CONSTRAINT_GT, '>'},
    {SQLITE_INDEX_CONSTRAINT_GE, 'g'}, {SQLITE_INDEX_CONSTRAINT_LT, '<'},
    {SQLITE_INDEX_CONSTRAINT_LE, 'l'},
};

static const struct operator_letter *operator_of(int op, char letter)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (operators[i].op == op || operators[i].letter == letter)
            return &operators[i];
    }
    return NULL;
}

static char column_letter(int column, int op)
{
    switch (column) {
    case COLUMN_ROWID:
    case COLUMN_ID: return 'i';
    case COLUMN_ADDRESS: return 'a';
    case COLUMN_TYPE: return op == SQLITE_INDEX_CONSTRAINT_EQ ? 't' : 0;
    default: return 0;
    }
}

/* How much of the table a constraint leaves. */
static void estimate(sqlite3_index_info *info, char column, char op)
{
    if (column == 't') {
        info->estimatedRows = info->estimatedRows / 32 + 1;
        info->estimatedCost /= 4;
    } else if (op == '=') {
        info->estimatedRows = 1;
        info->estimatedCost = column == 'i' ? COST_LOOKUP : COST_FIND;
        info->idxFlags |= SQLITE_INDEX_SCAN_UNIQUE;
    } else {
        info->estimatedRows = info->estimatedRows / 4 + 1;
        info->estimatedCost = info->estimatedCost / 4 + COST_FIND;
    }
}
