/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/index/virtual_tables.h"

#include <math.h>
#include <stdlib.h>

#define OLDEST_SQLITE 3026000     /* shadow tables */
#define MOST_MAPPED   (1LL << 40) /* bytes; SQLite takes less where it was built for less */

int virtual_tables_register(sqlite3 *db)
{
    if (sqlite3_libversion_number() < OLDEST_SQLITE)
        return SQLITE_ERROR;
    int code = sqlite3_create_module_v2(db, "inquest_object", &virtual_object_module, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_create_module_v2(db, "inquest_ref", &virtual_ref_module, NULL, NULL);
    return code;
}

static int take_number(void *context, int count, char **values, char **names)
{
    (void)names;
    if (count == 1 && values[0])
        *(int64_t *)context = strtoll(values[0], NULL, 10);
    return 0;
}

/* Where a PRAGMA is not allowed, or there is no such one, all works as well. */
void virtual_tables_map(sqlite3 *db, const char *schema)
{
    int64_t now = -1;
    char *ask = sqlite3_mprintf("PRAGMA \"%w\".mmap_size", schema);
    if (ask)
        (void)sqlite3_exec(db, ask, take_number, &now, NULL);
    char *set = now ? NULL : sqlite3_mprintf("PRAGMA \"%w\".mmap_size = %lld", schema, MOST_MAPPED);
    if (set)
        (void)sqlite3_exec(db, set, NULL, NULL, NULL);
    sqlite3_free(ask);
    sqlite3_free(set);
}

int virtual_table_connect(sqlite3 *db, const char *declaration, const char *const *argv,
                          sqlite3_vtab **ret_table, char **ret_message)
{
    int code = sqlite3_declare_vtab(db, declaration);
    if (code != SQLITE_OK) {
        *ret_message = sqlite3_mprintf("%s", sqlite3_errmsg(db));
        return code;
    }
    /* it reads, and nothing else: views of the index may use it */
    sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
    struct virtual_table *table = sqlite3_malloc(sizeof *table);
    struct heap_reader *reader = packed_reader_create(db, argv[1]);
    if (!table || !reader) {
        sqlite3_free(table);
        heap_reader_close(reader);
        return SQLITE_NOMEM;
    }
    virtual_tables_map(db, argv[1]);
    *table = (struct virtual_table){.reader = reader};
    *ret_table = &table->base;
    return SQLITE_OK;
}

int virtual_table_disconnect(sqlite3_vtab *base)
{
    struct virtual_table *table = (struct virtual_table *)base;
    heap_reader_close(table->reader);
    sqlite3_free(table);
    return SQLITE_OK;
}

int virtual_table_fail(sqlite3_vtab *base, const struct error *error)
{
    struct virtual_table *table = (struct virtual_table *)base;
    if (error->status == STATUS_NO_MEMORY)
        return SQLITE_NOMEM;
    sqlite3_free(base->zErrMsg);
    base->zErrMsg = sqlite3_mprintf("%s", error->message);
    if (error->status == STATUS_CORRUPT)
        return SQLITE_CORRUPT_VTAB;
    return table->reader->code != SQLITE_OK ? table->reader->code : SQLITE_ERROR;
}

/* ---- Ranges. */

enum { EQUAL = '=', ABOVE = '>', AT_LEAST = 'g', BELOW = '<', AT_MOST = 'l' };

char virtual_operator_letter(int op)
{
    switch (op) {
    case SQLITE_INDEX_CONSTRAINT_EQ: return EQUAL;
    case SQLITE_INDEX_CONSTRAINT_GT: return ABOVE;
    case SQLITE_INDEX_CONSTRAINT_GE: return AT_LEAST;
    case SQLITE_INDEX_CONSTRAINT_LT: return BELOW;
    case SQLITE_INDEX_CONSTRAINT_LE: return AT_MOST;
    default: return 0;
    }
}

static void at_least(struct virtual_range *range, int64_t low)
{
    if (low > range->low)
        range->low = low;
}

static void at_most(struct virtual_range *range, int64_t high)
{
    if (high < range->high)
        range->high = high;
}

static void leave_none(struct virtual_range *range)
{
    range->low = INT64_MAX;
    range->high = INT64_MIN;
}

static void narrow_integer(struct virtual_range *range, char letter, int64_t value)
{
    if ((letter == ABOVE && value == INT64_MAX) || (letter == BELOW && value == INT64_MIN)) {
        leave_none(range);
        return;
    }
    if (letter == EQUAL || letter == AT_LEAST || letter == ABOVE)
        at_least(range, value + (letter == ABOVE));
    if (letter == EQUAL || letter == AT_MOST || letter == BELOW)
        at_most(range, value - (letter == BELOW));
}

/* 2.5 lies between 2 and 3: nothing equals it, > is >= 3, < is <= 2. */
static void narrow_real(struct virtual_range *range, char letter, double value)
{
    const double limit = 9223372036854775808.0; /* 2^63 */
    bool high = value >= limit, low = value < -limit,
         upward = letter == ABOVE || letter == AT_LEAST;
    if (high || low) { /* all numbers are on one side of it */
        if (letter == EQUAL || high == upward)
            leave_none(range);
        return;
    }
    int64_t below = (int64_t)floor(value);
    if ((double)below == value)
        narrow_integer(range, letter, below);
    else if (letter == EQUAL)
        leave_none(range);
    else if (upward)
        at_least(range, below + 1);
    else
        at_most(range, below);
}

void virtual_range_narrow(struct virtual_range *range, char letter, sqlite3_value *value)
{
    switch (sqlite3_value_numeric_type(value)) {
    case SQLITE_INTEGER: narrow_integer(range, letter, sqlite3_value_int64(value)); break;
    case SQLITE_FLOAT: narrow_real(range, letter, sqlite3_value_double(value)); break;
    case SQLITE_NULL: leave_none(range); break;
    default: /* no whole number equals a text or a blob */
        if (letter == EQUAL)
            leave_none(range);
        break;
    }
}
