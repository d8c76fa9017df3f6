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

/* ---- Plans: idxNum says the direction, idxStr has two letters for each argument,
 * its column and its operator. */

enum { PLAN_UPWARD, PLAN_DOWNWARD };

#define MOST_ARGUMENTS 8
#define COST_LOOKUP    30.0 /* in rows read one after the other */
#define COST_FIND      60.0
#define USUAL_ROWS     1000000 /* where counting fails */

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

/* A list of types is left to SQLite: one walk that asks for each object whether it
 * is in it, instead of one walk for each type. */
static bool is_list(sqlite3_index_info *info, int constraint)
{
    return sqlite3_libversion_number() >= 3038000 && sqlite3_vtab_in(info, constraint, -1);
}

static sqlite3_int64 count_rows(sqlite3_vtab *base)
{
    const struct virtual_table *table = (const struct virtual_table *)base;
    uint32_t objects;
    if (heap_reader_counts(table->reader, &objects, NULL, NULL) != STATUS_OK)
        return USUAL_ROWS; /* xFilter will say why */
    return objects;
}

/* What is left of the table, and what that costs. */
static void estimate(sqlite3_index_info *info, const char *letters, sqlite3_int64 rows)
{
    double cost = (double)rows + COST_LOOKUP;
    for (const char *pair = letters; *pair; pair += 2) {
        bool equal = pair[1] == '=';
        rows = equal && *pair != 't' ? 1 : rows / (equal ? 32 : 4) + 1;
        if (*pair != 't')
            cost = (double)rows + (*pair == 'i' ? COST_LOOKUP : COST_FIND);
        if (equal && *pair != 't')
            info->idxFlags |= SQLITE_INDEX_SCAN_UNIQUE;
    }
    info->estimatedRows = rows;
    info->estimatedCost = cost;
}

/* The walk is by id, one way or the other. */
static void choose_direction(sqlite3_index_info *info)
{
    info->idxNum = PLAN_UPWARD;
    if (info->nOrderBy < 1 || info->aOrderBy[0].iColumn > COLUMN_ID)
        return;
    info->orderByConsumed = 1; /* what follows an id orders nothing more */
    if (info->aOrderBy[0].desc)
        info->idxNum = PLAN_DOWNWARD;
}

static int object_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    char letters[2 * MOST_ARGUMENTS + 1];
    int arguments = 0;
    for (int i = 0; i < info->nConstraint && arguments < MOST_ARGUMENTS; i++) {
        char op = virtual_operator_letter(info->aConstraint[i].op);
        char column = column_letter(info->aConstraint[i].iColumn, info->aConstraint[i].op);
        if (!info->aConstraint[i].usable || !op || !column || (column == 't' && is_list(info, i)))
            continue;
        letters[2 * arguments] = column;
        letters[2 * arguments + 1] = op;
        info->aConstraintUsage[i].argvIndex = ++arguments;
    }
    letters[2 * arguments] = '\0';
    estimate(info, letters, count_rows(base));
    choose_direction(info);
    info->idxStr = sqlite3_mprintf("%s", letters);
    info->needToFreeIdxStr = 1;
    return info->idxStr ? SQLITE_OK : SQLITE_NOMEM;
}

/* ---- Cursors. */

static struct heap_reader *reader_of(const struct object_cursor *cursor)
{
    return ((const struct virtual_table *)cursor->base.pVtab)->reader;
}

static int object_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret_cursor)
{
    (void)base;
    struct object_cursor *cursor = sqlite3_malloc(sizeof *cursor);
    if (!cursor)
        return SQLITE_NOMEM;
    *cursor = (struct object_cursor){.ended = true};
    *ret_cursor = &cursor->base;
    return SQLITE_OK;
}

static int object_close(sqlite3_vtab_cursor *base)
{
    struct object_cursor *cursor = (struct object_cursor *)base;
    packed_chunk_unpin(cursor->chunk);
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static int fail(struct object_cursor *cursor, const struct error *error)
{
    cursor->ended = true;
    return virtual_table_fail(cursor->base.pVtab, error);
}

/* Makes `chunk` the one of the current object. */
static enum status load(struct object_cursor *cursor, struct error *err)
{
    struct packed_chunk *chunk = cursor->chunk;
    uint32_t id = (uint32_t)cursor->id;
    if (chunk && id >= chunk->objects.first && id - chunk->objects.first < chunk->objects.count)
        return STATUS_OK;
    enum status status = packed_reader_objects(reader_of(cursor), id, &chunk, err);
    if (status != STATUS_OK)
        return status;
    packed_chunk_unpin(cursor->chunk);
    cursor->chunk = chunk;
    return STATUS_OK;
}

static uint64_t value_at(const struct object_cursor *cursor, enum packed_object_column column)
{
    return cursor->chunk->objects.value[column][cursor->id - cursor->chunk->objects.first];
}

/* Goes on from the current id, which may do, to the first that does. */
static int settle(struct object_cursor *cursor)
{
    int step = cursor->downward ? -1 : 1;
    struct error error;
    for (; cursor->id >= cursor->low && cursor->id <= cursor->high; cursor->id += step) {
        enum status status = load(cursor, &error);
        if (status == STATUS_OK && cursor->by_type)
            status = packed_objects_need(&cursor->chunk->objects, PACKED_KIND, &error);
        if (status != STATUS_OK)
            return fail(cursor, &error);
        if (!cursor->by_type || value_at(cursor, PACKED_KIND) >> 2 == cursor->type)
            return SQLITE_OK;
    }
    cursor->ended = true;
    return SQLITE_OK;
}

/* ---- From arguments to a range of ids. */

/* SQL's integers are signed. Addresses from 2^63 on, which no process has, are
 * negative there and come last here: nothing is narrowed across that. */
static enum status narrow_by_address(struct object_cursor *cursor, uint32_t objects,
                                     struct virtual_range addresses, struct error *err)
{
    struct heap_reader *reader = reader_of(cursor);
    uint32_t below = 0, last = 0, positive = objects;
    enum status status = STATUS_OK;
    if (addresses.low < 0 && addresses.high >= 0) {
        status = heap_reader_find(reader, INT64_MAX, &positive, err);
        if (status != STATUS_OK || positive != objects)
            return status;
        addresses.low = 0;
    }
    if (addresses.low)
        status = heap_reader_find(reader, (uint64_t)addresses.low - 1, &below, err);
    if (status == STATUS_OK)
        status = heap_reader_find(reader, (uint64_t)addresses.high, &last, err);
    if (cursor->low <= below)
        cursor->low = (int64_t)below + 1;
    if (cursor->high > last)
        cursor->high = last;
    return status;
}

static enum status narrow(struct object_cursor *cursor, const char *letters, sqlite3_value **values,
                          struct error *err)
{
    struct virtual_range ids = {1, 0}, addresses = {INT64_MIN, INT64_MAX}, types = {0, UINT32_MAX};
    uint32_t objects;
    enum status status = heap_reader_counts(reader_of(cursor), &objects, NULL, err);
    if (status != STATUS_OK)
        return status;
    ids.high = objects;
    bool by_address = false;
    for (int i = 0; letters[2 * i]; i++) {
        struct virtual_range *range = letters[2 * i] == 'i'   ? &ids
                                      : letters[2 * i] == 'a' ? &addresses
                                                              : &types;
        virtual_range_narrow(range, letters[2 * i + 1], values[i]);
        by_address |= range == &addresses;
    }
    bool none = types.low > types.high || addresses.low > addresses.high;
    cursor->low = ids.low;
    cursor->high = none ? 0 : ids.high;
    cursor->by_type = types.low == types.high;
    cursor->type = (uint32_t)types.low;
    if (by_address && cursor->low <= cursor->high)
        status = narrow_by_address(cursor, objects, addresses, err);
    return status;
}

static int object_filter(sqlite3_vtab_cursor *base, int plan, const char *letters, int count,
                         sqlite3_value **values)
{
    struct object_cursor *cursor = (struct object_cursor *)base;
    struct error error;
    (void)count;
    cursor->ended = false;
    if (narrow(cursor, letters, values, &error) != STATUS_OK)
        return fail(cursor, &error);
    cursor->downward = plan == PLAN_DOWNWARD;
    cursor->id = cursor->downward ? cursor->high : cursor->low;
    return settle(cursor);
}

static int object_next(sqlite3_vtab_cursor *base)
{
    struct object_cursor *cursor = (struct object_cursor *)base;
    cursor->id += cursor->downward ? -1 : 1;
    return settle(cursor);
}

static int object_eof(sqlite3_vtab_cursor *base)
{
    return ((struct object_cursor *)base)->ended;
}

/* ---- Values. */

static enum packed_object_column packed_column(int column)
{
    switch (column) {
    case COLUMN_ADDRESS: return PACKED_ADDRESS;
    case COLUMN_SIZE: return PACKED_SIZE;
    case COLUMN_REFCOUNT: return PACKED_REFCOUNT;
    case COLUMN_RETAINED: return PACKED_RETAINED;
    case COLUMN_DOMINATOR: return PACKED_DOMINATOR;
    default: return PACKED_KIND;
    }
}

static void give(sqlite3_context *context, int column, uint64_t value)
{
    switch (column) {
    case COLUMN_TYPE: sqlite3_result_int64(context, (int64_t)(value >> 2)); break;
    case COLUMN_TRACKED: sqlite3_result_int(context, (value & HEAP_TRACKED) != 0); break;
    case COLUMN_REACHABLE: sqlite3_result_int(context, (value & HEAP_REACHABLE) != 0); break;
    case COLUMN_DOMINATOR:
        if (value)
            sqlite3_result_int64(context, (int64_t)value);
        break; /* else NULL */
    default: sqlite3_result_int64(context, (int64_t)value); break;
    }
}

static int object_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
    struct object_cursor *cursor = (struct object_cursor *)base;
    struct error error;
    if (column == COLUMN_ID) {
        sqlite3_result_int64(context, cursor->id);
        return SQLITE_OK;
    }
    enum packed_object_column packed = packed_column(column);
    if (packed_objects_need(&cursor->chunk->objects, packed, &error) != STATUS_OK)
        return fail(cursor, &error);
    give(context, column, value_at(cursor, packed));
    return SQLITE_OK;
}

static int object_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret_rowid)
{
    *ret_rowid = ((struct object_cursor *)base)->id;
    return SQLITE_OK;
}

/* ---- The module. */

static int object_connect(sqlite3 *db, void *context, int count, const char *const *argv,
                          sqlite3_vtab **ret_table, char **ret_message)
{
    (void)context;
    (void)count;
    return virtual_table_connect(db, declaration, argv, ret_table, ret_message);
}

/* Another address than object_connect: the module itself is no table. */
static int object_create(sqlite3 *db, void *context, int count, const char *const *argv,
                         sqlite3_vtab **ret_table, char **ret_message)
{
    return object_connect(db, context, count, argv, ret_table, ret_message);
}

static int object_shadow(const char *name)
{
    return sqlite3_stricmp(name, "chunk") == 0;
}

const sqlite3_module virtual_object_module = {
    .iVersion = 3,
    .xCreate = object_create,
    .xConnect = object_connect,
    .xBestIndex = object_best_index,
    .xDisconnect = virtual_table_disconnect,
    .xDestroy = virtual_table_disconnect,
    .xOpen = object_open,
    .xClose = object_close,
    .xFilter = object_filter,
    .xNext = object_next,
    .xEof = object_eof,
    .xColumn = object_column,
    .xRowid = object_rowid,
    .xShadowName = object_shadow,
};
