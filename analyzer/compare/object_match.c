/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/compare/object_match.h"

#include <stdlib.h>
#include <string.h>

#include "inquest/analyzer/heap_index.h"
#include "inquest/base/array.h"
#include "inquest/base/fnv.h"

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "comparing objects: out of memory");
}

/* ---- Columns. */

static void columns_deinit(struct object_columns *columns)
{
    free(columns->address);
    free(columns->retained);
    free(columns->size);
    free(columns->type);
    free(columns->dominator);
    free(columns->content);
    free(columns->reachable);
    *columns = (struct object_columns){0};
}

static bool columns_allocate(struct object_columns *columns)
{
    size_t count = (size_t)columns->count + 1;
    columns->address = calloc(count, sizeof *columns->address);
    columns->retained = calloc(count, sizeof *columns->retained);
    columns->size = calloc(count, sizeof *columns->size);
    columns->type = calloc(count, sizeof *columns->type);
    columns->dominator = calloc(count, sizeof *columns->dominator);
    columns->content = calloc(count, sizeof *columns->content);
    columns->reachable = calloc(count, 1);
    return columns->address && columns->retained && columns->size && columns->type &&
           columns->dominator && columns->content && columns->reachable;
}

/* What a damaged index says past its own objects is left out. */
static enum status load_contents(struct index *index, struct object_columns *columns,
                                 struct error *err)
{
    struct index_rows *rows;
    enum status status =
        index_query(index, "SELECT first_id, hashes FROM content", NULL, 0, &rows, err);
    if (status != STATUS_OK)
        return status;
    while (index_rows_next(rows)) {
        size_t size = 0;
        int64_t first = index_rows_integer(rows, 0);
        const void *bytes = index_rows_blob(rows, 1, &size);
        if (!bytes || first < 1 || first > columns->count)
            continue;
        size_t room = (size_t)(columns->count - first + 1) * sizeof *columns->content;
        memcpy(columns->content + first - 1, bytes, size < room ? size : room);
        columns->has_content = true;
    }
    return index_rows_finish(rows, err);
}

static enum status load_columns(struct index *index, struct heap_reader *reader,
                                struct object_columns *columns, struct error *err)
{
    enum status status = heap_reader_counts(reader, &columns->count, NULL, err);
    if (status == STATUS_OK && !columns_allocate(columns))
        return no_memory(err);
    struct heap_object_row row;
    for (uint32_t i = 0; i < columns->count && status == STATUS_OK; i++) {
        status = heap_reader_object(reader, i + 1, &row, err);
        if (status != STATUS_OK)
            break;
        columns->address[i] = row.address;
        columns->retained[i] = row.retained;
        columns->size[i] = row.size < UINT32_MAX ? (uint32_t)row.size : UINT32_MAX;
        columns->type[i] = row.type_id;
        columns->dominator[i] = row.dominator_id <= columns->count ? row.dominator_id : 0;
        columns->reachable[i] = (row.flags & HEAP_REACHABLE) != 0;
    }
    return status == STATUS_OK ? load_contents(index, columns, err) : status;
}

/* ---- Types: NEW's id of each of OLD's, 0 for none. */

struct known_type {
    char *name;
    int64_t address;
    uint32_t id;
};

struct type_list {
    ARRAY(struct known_type) types;
};

static int compare_types(const void *left, const void *right)
{
    const struct known_type *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order ? order : (a->address > b->address) - (a->address < b->address);
}

static enum status load_types(struct index *index, struct type_list *list, struct error *err)
{
    struct index_rows *rows;
    enum status status =
        index_query(index, "SELECT id, address, name FROM type", NULL, 0, &rows, err);
    bool ok = true;
    if (status != STATUS_OK)
        return status;
    while (ok && index_rows_next(rows)) {
        const char *name = index_rows_text(rows, 2);
        struct known_type type = {strdup(name ? name : ""), index_rows_integer(rows, 1),
                                  (uint32_t)index_rows_integer(rows, 0)};
        ok = type.name && array_push(&list->types, type);
        if (!ok)
            free(type.name);
    }
    status = index_rows_finish(rows, err);
    if (ok && list->types.count)
        qsort(list->types.items, list->types.count, sizeof *list->types.items, compare_types);
    return ok ? status : no_memory(err);
}

static void type_list_deinit(struct type_list *list)
{
    for (size_t i = 0; i < list->types.count; i++)
        free(list->types.items[i].name);
    array_deinit(&list->types);
}

static enum status join_types(struct index *old_index, struct index *new_index,
                              uint32_t **ret_new_of, uint32_t *ret_count, struct error *err)
{
    struct type_list old_list = {0}, new_list = {0};
    uint32_t most = 0, *new_of = NULL;
    enum status status = load_types(old_index, &old_list, err);
    if (status == STATUS_OK)
        status = load_types(new_index, &new_list, err);
    for (size_t i = 0; i < old_list.types.count; i++)
        most = old_list.types.items[i].id > most ? old_list.types.items[i].id : most;
    if (status == STATUS_OK) {
        new_of = most < UINT32_MAX ? calloc((size_t)most + 1, sizeof *new_of) : NULL;
        status = new_of ? STATUS_OK : no_memory(err);
    }
    for (size_t i = 0, j = 0; status == STATUS_OK && i < old_list.types.count; i++) {
        const struct known_type *old_type = &old_list.types.items[i];
        while (j < new_list.types.count && compare_types(&new_list.types.items[j], old_type) < 0)
            j++;
        if (j < new_list.types.count && compare_types(&new_list.types.items[j], old_type) == 0)
            new_of[old_type->id] = new_list.types.items[j].id;
    }
    type_list_deinit(&old_list);
    type_list_deinit(&new_list);
    *ret_new_of = new_of;
    *ret_count = most + 1;
    return status;
}

/* ---- Matching. */

static void match_addresses(struct object_match *match, const uint32_t *new_type_of,
                            uint32_t type_count)
{
    const struct object_columns *a = &match->old_side, *b = &match->new_side;
    for (uint32_t i = 0, j = 0; j < b->count; j++) {
        while (i < a->count && a->address[i] < b->address[j])
            i++;
        match->identity[j] = OBJECT_NEW;
        if (i >= a->count || a->address[i] != b->address[j] || a->type[i] >= type_count ||
            new_type_of[a->type[i]] != b->type[j] || !b->type[j])
            continue;
        match->old_of[j] = i + 1;
        match->identity[j] =
            a->content[i] && a->content[i] == b->content[j] ? OBJECT_SAME : OBJECT_UNCERTAIN;
        i++; /* no object is two, whatever a damaged index says */
    }
}

/* Values never change: one with other content is another object. */
static enum status settle_values(struct index *index, struct object_match *match, struct error *err)
{
    struct index_rows *rows;
    enum status status = index_query(index,
                                     "SELECT id FROM type WHERE name IN ('str', 'bytes', 'int', "
                                     "'float', 'complex', 'tuple', 'frozenset', 'bool')",
                                     NULL, 0, &rows, err);
    uint32_t values[16];
    size_t count = 0;
    if (status != STATUS_OK)
        return status;
    while (count < sizeof values / sizeof *values && index_rows_next(rows))
        values[count++] = (uint32_t)index_rows_integer(rows, 0);
    status = index_rows_finish(rows, err);
    for (uint32_t i = 0; i < match->new_side.count; i++) {
        if (match->identity[i] != OBJECT_UNCERTAIN || !match->new_side.content[i])
            continue;
        for (size_t k = 0; k < count; k++)
            if (match->new_side.type[i] == values[k])
                match->identity[i] = OBJECT_NEW;
    }
    return status;
}

/* ---- By what holds it: a hash of the label of the reference from its dominator. */

static enum status label_hashes(struct heap_reader *reader, const struct object_columns *columns,
                                const uint8_t *wanted, uint32_t *hashes, struct error *err)
{
    struct heap_walk walk;
    struct heap_edge edge;
    enum status status = STATUS_OK;
    heap_walk_start(reader, HEAP_REFERENCES, 1, columns->count, &walk);
    while (status == STATUS_OK && heap_walk_next(&walk, &edge)) {
        uint32_t target = edge.target_id - 1;
        if (target >= columns->count || !wanted[target] || hashes[target] ||
            columns->dominator[target] != edge.source_id)
            continue;
        uint64_t number;
        uint32_t label, hash = FNV32_START;
        const char *text;
        size_t size;
        status = heap_walk_label(&walk, &number, &label, err);
        if (status == STATUS_OK)
            status = heap_reader_label(reader, label, &text, &size, err);
        if (status == STATUS_OK && text)
            hash = fnv32(hash, text, size);
        hashes[target] = hash | 1;
    }
    enum status ended = heap_walk_finish(&walk, err);
    return status == STATUS_OK ? ended : status;
}

struct holders {
    uint8_t *old_wanted, *new_wanted;
    uint32_t *old_hashes, *new_hashes; /* of an object that is a root: of its root's label */
};

#define PASSES 64 /* a chain of uncertain objects is settled one a pass */

/* What is a root by a name of its own needs no holder. */
static enum status root_hashes(struct index *index, const struct object_columns *columns,
                               uint32_t *hashes, struct error *err)
{
    struct index_rows *rows;
    enum status status =
        index_query(index,
                    "SELECT object_id, kind, label FROM root WHERE kind IN ('module', 'builtins', "
                    "'type', 'interpreter', 'static', 'thread')",
                    NULL, 0, &rows, err);
    if (status != STATUS_OK)
        return status;
    while (index_rows_next(rows)) {
        int64_t id = index_rows_integer(rows, 0);
        if (id < 1 || id > columns->count || hashes[id - 1])
            continue;
        uint32_t hash = FNV32_START;
        for (int column = 1; column <= 2; column++) {
            const char *text = index_rows_text(rows, column);
            hash = text ? fnv32(hash, text, strlen(text)) : hash;
        }
        hashes[id - 1] = hash | 1;
    }
    return index_rows_finish(rows, err);
}

static void settle_held(struct object_match *match, const struct holders *holders)
{
    const struct object_columns *a = &match->old_side, *b = &match->new_side;
    bool changed = true;
    for (unsigned pass = 0; changed && pass < PASSES; pass++) {
        changed = false;
        for (uint32_t i = 0; i < b->count; i++) {
            if (match->identity[i] != OBJECT_UNCERTAIN)
                continue;
            uint32_t before = match->old_of[i] - 1;
            uint32_t holder = b->dominator[i], old_holder = a->dominator[before];
            bool held_alike = holder ? match->identity[holder - 1] == OBJECT_SAME &&
                                           match->old_of[holder - 1] == old_holder
                                     : !old_holder;
            if (!held_alike || !holders->new_hashes[i] ||
                holders->new_hashes[i] != holders->old_hashes[before])
                continue;
            match->identity[i] = OBJECT_SAME;
            changed = true;
        }
    }
}

struct readers {
    struct index *old_index, *new_index;
    struct heap_reader *old_reader, *new_reader;
};

static enum status settle_by_holder(struct object_match *match, const struct readers *readers,
                                    struct error *err)
{
    const struct object_columns *a = &match->old_side, *b = &match->new_side;
    struct holders holders = {
        .old_wanted = calloc((size_t)a->count + 1, 1),
        .new_wanted = calloc((size_t)b->count + 1, 1),
        .old_hashes = calloc((size_t)a->count + 1, sizeof *holders.old_hashes),
        .new_hashes = calloc((size_t)b->count + 1, sizeof *holders.new_hashes),
    };
    enum status status =
        holders.old_wanted && holders.new_wanted && holders.old_hashes && holders.new_hashes
            ? STATUS_OK
            : no_memory(err);
    for (uint32_t i = 0; status == STATUS_OK && i < b->count; i++) {
        if (match->identity[i] == OBJECT_UNCERTAIN) {
            holders.new_wanted[i] = 1;
            holders.old_wanted[match->old_of[i] - 1] = 1;
        }
    }
    if (status == STATUS_OK)
        status = root_hashes(readers->old_index, a, holders.old_hashes, err);
    if (status == STATUS_OK)
        status = root_hashes(readers->new_index, b, holders.new_hashes, err);
    if (status == STATUS_OK)
        status = label_hashes(readers->old_reader, a, holders.old_wanted, holders.old_hashes, err);
    if (status == STATUS_OK)
        status = label_hashes(readers->new_reader, b, holders.new_wanted, holders.new_hashes, err);
    if (status == STATUS_OK)
        settle_held(match, &holders);
    free(holders.old_wanted);
    free(holders.new_wanted);
    free(holders.old_hashes);
    free(holders.new_hashes);
    return status;
}

static void count(struct object_match *match)
{
    for (uint32_t i = 0; i < match->new_side.count; i++) {
        match->same += match->identity[i] == OBJECT_SAME;
        match->uncertain += match->identity[i] == OBJECT_UNCERTAIN;
        match->fresh += match->identity[i] == OBJECT_NEW;
        if (match->identity[i] == OBJECT_NEW)
            match->old_of[i] = 0;
    }
    match->gone = match->old_side.count - match->same - match->uncertain;
}

enum status object_match_make(struct index *old_index, struct index *new_index,
                              struct heap_reader *old_reader, struct heap_reader *new_reader,
                              struct object_match *ret_match, struct error *err)
{
    const struct readers readers = {old_index, new_index, old_reader, new_reader};
    struct object_match match = {0};
    uint32_t *new_type_of = NULL, type_count = 0;
    enum status status = load_columns(old_index, old_reader, &match.old_side, err);
    if (status == STATUS_OK)
        status = load_columns(new_index, new_reader, &match.new_side, err);
    if (status == STATUS_OK)
        status = join_types(old_index, new_index, &new_type_of, &type_count, err);
    if (status == STATUS_OK) {
        match.old_of = calloc((size_t)match.new_side.count + 1, sizeof *match.old_of);
        match.identity = calloc((size_t)match.new_side.count + 1, 1);
        status = match.old_of && match.identity ? STATUS_OK : no_memory(err);
    }
    if (status == STATUS_OK) {
        match_addresses(&match, new_type_of, type_count);
        status = settle_values(new_index, &match, err);
    }
    if (status == STATUS_OK)
        status = settle_by_holder(&match, &readers, err);
    free(new_type_of);
    if (status == STATUS_OK) {
        count(&match);
        *ret_match = match;
    } else {
        object_match_deinit(&match);
    }
    return status;
}

void object_match_deinit(struct object_match *match)
{
    columns_deinit(&match->old_side);
    columns_deinit(&match->new_side);
    free(match->old_of);
    free(match->identity);
    *match = (struct object_match){0};
}
