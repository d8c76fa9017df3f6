/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual table `ref`. A plan is a walk by source or by target over a range of
 * ids; where both ends are given, the shorter of the two objects' lists is walked. */
#include <string.h>

#include "analyzer/index/virtual_tables.h"

enum ref_column { COLUMN_ROWID = -1, COLUMN_SOURCE, COLUMN_TARGET, COLUMN_LABEL };

static const char declaration[] =
    "CREATE TABLE ref (source_id INTEGER, target_id INTEGER, label TEXT)";

struct ref_cursor {
    sqlite3_vtab_cursor base; /* first: SQLite's part */
    struct heap_walk walk;    /* valid unless `ended` */
    struct heap_edge edge;    /* the current one */
    uint32_t wanted_other;    /* 0: any */
    bool ended, labelled;     /* labelled: `number` and `label` are of this edge */
    uint64_t number;
    uint32_t label;
};

/* ---- Plans: idxNum says which way, idxStr has two letters for each argument, its
 * column and its operator. */

enum { PLAN_FORWARD, PLAN_REVERSE, PLAN_EITHER };

#define MOST_ARGUMENTS   8
#define COST_LOOKUP      40.0    /* in references read one after the other */
#define COST_LABEL       10.0    /* of a reference found by its target */
#define USUAL_OBJECTS    1000000 /* where counting fails */
#define USUAL_REFERENCES 2000000

/* What the constraints leave of one end's ids, as a share of them. */
struct ref_end {
    bool equal;
    double share;
};

static struct ref_end end_share(const char *letters, char column, double objects)
{
    struct ref_end end = {false, 1.0};
    for (const char *pair = letters; *pair; pair += 2) {
        if (*pair != column)
            continue;
        end.equal |= pair[1] == '=';
        end.share /= 4;
    }
    if (end.equal || end.share < 1 / objects)
        end.share = 1 / objects;
    return end;
}

/* Whether a walk is in the order that is asked for. A walk by source is in the order
 * of the row ids, and so of the sources; one by target has its sources in order, and
 * a source's references in that of the row ids. An end that is fixed orders nothing. */
static bool is_ordered(const sqlite3_index_info *info, int column, bool fixed)
{
    static const int by_source[] = {COLUMN_SOURCE, COLUMN_ROWID},
                     by_target[] = {COLUMN_TARGET, COLUMN_SOURCE, COLUMN_ROWID};
    const int *keys = column == COLUMN_SOURCE ? by_source : by_target;
    int key = 0, count = column == COLUMN_SOURCE ? 2 : 3;
    for (int i = 0; i < info->nOrderBy; i++) {
        bool skips = key == 0 && (fixed || column == COLUMN_SOURCE);
        if (skips && keys[0] != info->aOrderBy[i].iColumn)
            key = 1;
        if (key == count || keys[key] != info->aOrderBy[i].iColumn ||
            (info->aOrderBy[i].desc && !(fixed && key == 0)))
            return false;
        key++;
    }
    return true;
}

static void choose_plan(struct virtual_table *table, sqlite3_index_info *info, const char *letters)
{
    uint32_t object_count = USUAL_OBJECTS;
    uint64_t reference_count = USUAL_REFERENCES;
    if (heap_reader_counts(table->reader, &object_count, &reference_count, NULL) != STATUS_OK)
        object_count = USUAL_OBJECTS; /* xFilter will say why */
    double objects = (double)object_count + 1, references = (double)reference_count + 1;
    struct ref_end source = end_share(letters, 's', objects),
                   target = end_share(letters, 't', objects);
    bool labels = info->colUsed & 1u << COLUMN_LABEL;
    double forward = references * source.share;
    double reverse = references * target.share * (labels ? COST_LABEL : 1.0);
    bool by_source = is_ordered(info, COLUMN_SOURCE, source.equal),
         by_target = is_ordered(info, COLUMN_TARGET, target.equal);
    bool go_back = reverse < forward || (reverse == forward && by_target && !by_source);
    info->idxNum = source.equal && target.equal ? PLAN_EITHER
                   : go_back                    ? PLAN_REVERSE
                                                : PLAN_FORWARD;
    info->orderByConsumed =
        info->nOrderBy && info->idxNum != PLAN_EITHER && (go_back ? by_target : by_source);
    info->estimatedCost = COST_LOOKUP + (go_back ? reverse : forward);
    info->estimatedRows = (sqlite3_int64)(references * source.share * target.share) + 1;
}

static int ref_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    char letters[2 * MOST_ARGUMENTS + 1];
    int arguments = 0;
    for (int i = 0; i < info->nConstraint && arguments < MOST_ARGUMENTS; i++) {
        int column = info->aConstraint[i].iColumn;
        char op = virtual_operator_letter(info->aConstraint[i].op);
        if (!info->aConstraint[i].usable || !op ||
            (column != COLUMN_SOURCE && column != COLUMN_TARGET))
            continue;
        letters[2 * arguments] = column == COLUMN_SOURCE ? 's' : 't';
        letters[2 * arguments + 1] = op;
        info->aConstraintUsage[i].argvIndex = ++arguments;
    }
    letters[2 * arguments] = '\0';
    choose_plan((struct virtual_table *)base, info, letters);
    info->idxStr = sqlite3_mprintf("%s", letters);
    info->needToFreeIdxStr = 1;
    return info->idxStr ? SQLITE_OK : SQLITE_NOMEM;
}

/* ---- Cursors. */

static struct heap_reader *reader_of(const struct ref_cursor *cursor)
{
    return ((const struct virtual_table *)cursor->base.pVtab)->reader;
}

static int ref_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret_cursor)
{
    (void)base;
    struct ref_cursor *cursor = sqlite3_malloc(sizeof *cursor);
    if (!cursor)
        return SQLITE_NOMEM;
    *cursor = (struct ref_cursor){.ended = true};
    *ret_cursor = &cursor->base;
    return SQLITE_OK;
}

static void end_walk(struct ref_cursor *cursor)
{
    heap_walk_finish(&cursor->walk, NULL);
    cursor->ended = true;
}

static int ref_close(sqlite3_vtab_cursor *base)
{
    struct ref_cursor *cursor = (struct ref_cursor *)base;
    end_walk(cursor);
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static int fail(struct ref_cursor *cursor, const struct error *error)
{
    end_walk(cursor);
    return virtual_table_fail(cursor->base.pVtab, error);
}

static int ref_next(sqlite3_vtab_cursor *base)
{
    struct ref_cursor *cursor = (struct ref_cursor *)base;
    bool forward = cursor->walk.direction == HEAP_REFERENCES;
    struct error error;
    cursor->labelled = false;
    while (heap_walk_next(&cursor->walk, &cursor->edge)) {
        uint32_t other = forward ? cursor->edge.target_id : cursor->edge.source_id;
        if (!cursor->wanted_other || other == cursor->wanted_other)
            return SQLITE_OK;
    }
    cursor->ended = true;
    if (heap_walk_finish(&cursor->walk, &error) != STATUS_OK)
        return fail(cursor, &error);
    return SQLITE_OK;
}

static int ref_eof(sqlite3_vtab_cursor *base)
{
    return ((struct ref_cursor *)base)->ended;
}

/* ---- From arguments to a walk. */

/* Cuts to ids that there can be. */
static void narrow(const char *letters, char column, sqlite3_value **values,
                   struct virtual_range *ret_range)
{
    struct virtual_range range = {1, UINT32_MAX};
    for (int i = 0; letters[2 * i]; i++) {
        if (letters[2 * i] == column)
            virtual_range_narrow(&range, letters[2 * i + 1], values[i]);
    }
    *ret_range = range;
}

/* Whether the target's list is the shorter one. */
static enum status target_is_shorter(struct heap_reader *reader, uint32_t source, uint32_t target,
                                     bool *ret_shorter, struct error *err)
{
    uint64_t references, referrers = 0;
    enum status status = heap_reader_degree(reader, HEAP_REFERENCES, source, &references, err);
    if (status == STATUS_OK && references)
        status = heap_reader_degree(reader, HEAP_REFERRERS, target, &referrers, err);
    if (status == STATUS_OK)
        *ret_shorter = referrers < references;
    return status;
}

static enum status start(struct ref_cursor *cursor, int plan, struct virtual_range sources,
                         struct virtual_range targets, struct error *err)
{
    struct heap_reader *reader = reader_of(cursor);
    bool back = plan == PLAN_REVERSE;
    enum status status = STATUS_OK;
    if (plan == PLAN_EITHER)
        status =
            target_is_shorter(reader, (uint32_t)sources.low, (uint32_t)targets.low, &back, err);
    if (status != STATUS_OK)
        return status;
    struct virtual_range own = back ? targets : sources, other = back ? sources : targets;
    cursor->wanted_other = other.low == other.high ? (uint32_t)other.low : 0;
    heap_walk_start(reader, back ? HEAP_REFERRERS : HEAP_REFERENCES, (uint32_t)own.low,
                    (uint32_t)own.high, &cursor->walk);
    return STATUS_OK;
}

static int ref_filter(sqlite3_vtab_cursor *base, int plan, const char *letters, int count,
                      sqlite3_value **values)
{
    struct ref_cursor *cursor = (struct ref_cursor *)base;
    struct virtual_range sources, targets;
    struct error error;
    (void)count;
    end_walk(cursor);
    narrow(letters, 's', values, &sources);
    narrow(letters, 't', values, &targets);
    if (sources.low > sources.high || targets.low > targets.high)
        return SQLITE_OK;
    cursor->ended = false;
    if (start(cursor, plan, sources, targets, &error) != STATUS_OK)
        return fail(cursor, &error);
    return ref_next(base);
}

/* ---- Values. */

static enum status need_label(struct ref_cursor *cursor, struct error *err)
{
    if (cursor->labelled)
        return STATUS_OK;
    enum status status = heap_walk_label(&cursor->walk, &cursor->number, &cursor->label, err);
    cursor->labelled = status == STATUS_OK;
    return status;
}

static enum status give_label(struct ref_cursor *cursor, sqlite3_context *context,
                              struct error *err)
{
    const char *text;
    size_t size;
    enum status status = need_label(cursor, err);
    if (status == STATUS_OK)
        status = heap_reader_label(reader_of(cursor), cursor->label, &text, &size, err);
    if (status == STATUS_OK && text)
        sqlite3_result_text64(context, text, size, SQLITE_TRANSIENT, SQLITE_UTF8);
    return status;
}

static int ref_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
    struct ref_cursor *cursor = (struct ref_cursor *)base;
    struct error error;
    if (column == COLUMN_SOURCE)
        sqlite3_result_int64(context, cursor->edge.source_id);
    else if (column == COLUMN_TARGET)
        sqlite3_result_int64(context, cursor->edge.target_id);
    else if (give_label(cursor, context, &error) != STATUS_OK)
        return fail(cursor, &error);
    return SQLITE_OK;
}

static int ref_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret_rowid)
{
    struct ref_cursor *cursor = (struct ref_cursor *)base;
    struct error error;
    if (need_label(cursor, &error) != STATUS_OK)
        return fail(cursor, &error);
    *ret_rowid = (sqlite3_int64)cursor->number;
    return SQLITE_OK;
}

/* ---- The module. */

static int ref_connect(sqlite3 *db, void *context, int count, const char *const *argv,
                       sqlite3_vtab **ret_table, char **ret_message)
{
    (void)context;
    (void)count;
    return virtual_table_connect(db, declaration, argv, ret_table, ret_message);
}

/* Another address than ref_connect: the module itself is no table. */
static int ref_create(sqlite3 *db, void *context, int count, const char *const *argv,
                      sqlite3_vtab **ret_table, char **ret_message)
{
    return ref_connect(db, context, count, argv, ret_table, ret_message);
}

static int ref_shadow(const char *name)
{
    return !sqlite3_stricmp(name, "chunk") || !sqlite3_stricmp(name, "reverse") ||
           !sqlite3_stricmp(name, "label");
}

const sqlite3_module virtual_ref_module = {
    .iVersion = 3,
    .xCreate = ref_create,
    .xConnect = ref_connect,
    .xBestIndex = ref_best_index,
    .xDisconnect = virtual_table_disconnect,
    .xDestroy = virtual_table_disconnect,
    .xOpen = ref_open,
    .xClose = ref_close,
    .xFilter = ref_filter,
    .xNext = ref_next,
    .xEof = ref_eof,
    .xColumn = ref_column,
    .xRowid = ref_rowid,
    .xShadowName = ref_shadow,
};
