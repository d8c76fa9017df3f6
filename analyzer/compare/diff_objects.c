/* SPDX-License-Identifier: Apache-2.0 */
/* Which objects that were there before hold those that were not: of each new object whose
 * dominator is no new one, the dominator is the container that grew. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/compare/diff_core.h"
#include "analyzer/compare/object_match.h"
#include "inquest/analyzer/object_path.h"
#include "inquest/base/text.h"

#define CONTAINERS 50 /* told of one by one */
#define TYPES      3  /* of what a container holds */

struct growth {
    uint64_t objects, bytes; /* new ones right below, and all that goes with them */
};

struct container {
    uint32_t object; /* NEW's id - 1 */
    struct growth growth;
};

struct work {
    const struct core_pair *pair;
    struct heap_reader *old_reader, *new_reader;
    struct object_match match;
    struct growth *growth; /* by NEW's id - 1 */
    struct container containers[CONTAINERS];
    size_t container_count;
    uint64_t others;     /* containers that grew, too */
    struct growth rest;  /* of those */
    struct growth loose; /* new objects that no single object holds */
};

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "comparing objects: out of memory");
}

/* 0: it is no new one, or nothing that was there holds it. */
static uint32_t container_of(const struct object_match *match, uint32_t object)
{
    uint32_t holder = match->new_side.dominator[object];
    if (match->identity[object] != OBJECT_NEW || !match->new_side.reachable[object] || !holder)
        return 0;
    return match->identity[holder - 1] != OBJECT_NEW ? holder : 0;
}

static enum status add_up(struct work *work, struct error *err)
{
    const struct object_match *match = &work->match;
    work->growth = calloc((size_t)match->new_side.count + 1, sizeof *work->growth);
    if (!work->growth)
        return no_memory(err);
    for (uint32_t i = 0; i < match->new_side.count; i++) {
        uint32_t holder = container_of(match, i);
        struct growth *growth = holder ? &work->growth[holder - 1] : &work->loose;
        if (match->identity[i] != OBJECT_NEW || !match->new_side.reachable[i] ||
            (!holder && match->new_side.dominator[i]))
            continue;
        growth->objects++;
        growth->bytes += match->new_side.retained[i];
    }
    return STATUS_OK;
}

static int compare_containers(const void *left, const void *right)
{
    const struct container *a = left, *b = right;
    if (a->growth.bytes != b->growth.bytes)
        return a->growth.bytes < b->growth.bytes ? 1 : -1;
    return (a->object > b->object) - (a->object < b->object);
}

static void find_largest(struct work *work)
{
    struct container kept[2 * CONTAINERS];
    size_t count = 0;
    for (uint32_t i = 0; i < work->match.new_side.count; i++) {
        if (!work->growth[i].objects)
            continue;
        kept[count++] = (struct container){i, work->growth[i]};
        work->others++;
        work->rest.objects += work->growth[i].objects;
        work->rest.bytes += work->growth[i].bytes;
        if (count == 2 * CONTAINERS) {
            qsort(kept, count, sizeof *kept, compare_containers);
            count = CONTAINERS;
        }
    }
    qsort(kept, count, sizeof *kept, compare_containers);
    work->container_count = count < CONTAINERS ? count : CONTAINERS;
    memcpy(work->containers, kept, work->container_count * sizeof *kept);
    for (size_t i = 0; i < work->container_count; i++) {
        work->rest.objects -= kept[i].growth.objects;
        work->rest.bytes -= kept[i].growth.bytes;
    }
    work->others -= work->container_count;
}

/* ---- Words. */

struct type_count {
    uint32_t container, type;
    uint64_t count;
};

struct type_counts {
    ARRAY(struct type_count) counts;
};

static int compare_counts(const void *left, const void *right)
{
    const struct type_count *a = left, *b = right;
    if (a->container != b->container)
        return a->container < b->container ? -1 : 1;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    return (a->type > b->type) - (a->type < b->type);
}

/* What the containers hold of new objects, by type. */
static bool count_types(const struct work *work, struct type_counts *counts)
{
    uint32_t last = 0;
    for (uint32_t i = 0; i < work->match.new_side.count; i++) {
        uint32_t holder = container_of(&work->match, i), type = work->match.new_side.type[i];
        uint32_t container = 0;
        while (holder && container < work->container_count &&
               work->containers[container].object != holder - 1)
            container++;
        if (!holder || container == work->container_count)
            continue;
        size_t at = last; /* most often the same as before */
        if (at >= counts->counts.count || counts->counts.items[at].container != container ||
            counts->counts.items[at].type != type)
            for (at = 0; at < counts->counts.count; at++)
                if (counts->counts.items[at].container == container &&
                    counts->counts.items[at].type == type)
                    break;
        if (at == counts->counts.count &&
            !array_push(&counts->counts, ((struct type_count){container, type, 0})))
            return false;
        counts->counts.items[at].count++;
        last = (uint32_t)at;
    }
    if (counts->counts.count)
        qsort(counts->counts.items, counts->counts.count, sizeof *counts->counts.items,
              compare_counts);
    return true;
}

static enum status type_name(struct index *index, uint32_t type, struct text *text,
                             struct error *err)
{
    const struct index_value parameter = INDEX_INT(type);
    struct index_rows *rows;
    enum status status =
        index_query(index, "SELECT name FROM type WHERE id = ?", &parameter, 1, &rows, err);
    if (status != STATUS_OK)
        return status;
    const char *name = index_rows_next(rows) ? index_rows_text(rows, 0) : NULL;
    text_append(text, name ? name : "?");
    return index_rows_finish(rows, err);
}

/* "40,000 shop.models.Session, 40,000 str" */
static enum status held_words(const struct work *work, const struct type_counts *counts,
                              uint32_t container, struct text *text, struct error *err)
{
    enum status status = STATUS_OK;
    unsigned told = 0;
    for (size_t i = 0; i < counts->counts.count && status == STATUS_OK && told < TYPES; i++) {
        const struct type_count *count = &counts->counts.items[i];
        if (count->container != container)
            continue;
        text_printf(text, "%s%" PRIu64 " ", told++ ? ", " : "", count->count);
        status = type_name(work->pair->new_index, count->type, text, err);
    }
    return status;
}

static enum status add_row(struct work *work, const struct type_counts *counts, size_t position,
                           struct diff_table *table, struct error *err)
{
    const struct container *container = &work->containers[position];
    struct arena *arena = &work->pair->diff->arena;
    const struct object_match *match = &work->match;
    uint32_t before = match->old_of[container->object];
    struct text text = {0}, type = {0}, held = {0};
    enum status status = object_path_find(work->pair->new_index, work->new_reader,
                                          container->object + 1, &text, err);
    if (status == STATUS_OK)
        status =
            type_name(work->pair->new_index, match->new_side.type[container->object], &type, err);
    if (status == STATUS_OK)
        status = held_words(work, counts, (uint32_t)position, &held, err);
    if (status == STATUS_OK) {
        struct diff_row row = {
            .stack = DIFF_NO_STACK,
            .keys = {arena_strdup(arena, text_string(&text)),
                     arena_strdup(arena, text_string(&type)),
                     arena_printf(arena, "0x%" PRIx64, match->new_side.address[container->object])},
            .old_values = {before ? (double)match->old_side.retained[before - 1] : 0, 0, 0},
            .new_values = {(double)match->new_side.retained[container->object],
                           (double)container->growth.objects, (double)container->growth.bytes},
            .presence = DIFF_BOTH,
            .note = arena_strdup(arena, text_string(&held)),
            .rank = (double)container->growth.bytes,
        };
        if (!row.keys[0] || !row.keys[1] || !row.keys[2] || !row.note ||
            !array_push(&table->rows, row))
            status = no_memory(err);
    }
    text_deinit(&text);
    text_deinit(&type);
    text_deinit(&held);
    return status;
}

static const char *summary(const struct work *work)
{
    const struct object_match *match = &work->match;
    return arena_printf(
        &work->pair->diff->arena,
        "%u objects are the same in both, %u are new, %u went, and of %u it is uncertain. "
        "%" PRIu64 " other objects that were there hold %" PRIu64 " of the new ones; %" PRIu64
        " are held by no single object.%s",
        match->same, match->fresh, match->gone, match->uncertain, work->others, work->rest.objects,
        work->loose.objects,
        match->old_side.has_content && match->new_side.has_content
            ? ""
            : " One of the indexes is redacted or has no contents: objects were told apart by "
              "address and type alone, so all are uncertain that have both.");
}

static enum status add_table(struct work *work, struct error *err)
{
    struct diff_table *table = diff_add_table(work->pair->diff, "containers",
                                              "What was there before and holds the new objects");
    struct type_counts counts = {0};
    if (!table)
        return no_memory(err);
    table->keys[0] = "path";
    table->keys[1] = "type";
    table->keys[2] = "address";
    table->measures[0] = (struct diff_measure){"retained", "Retained", DIFF_BYTES};
    table->measures[1] = (struct diff_measure){"new_objects", "New objects", DIFF_COUNT};
    table->measures[2] = (struct diff_measure){"new_bytes", "New bytes", DIFF_BYTES};
    enum status status = count_types(work, &counts) ? STATUS_OK : no_memory(err);
    for (size_t i = 0; i < work->container_count && status == STATUS_OK; i++)
        status = add_row(work, &counts, i, table, err);
    array_deinit(&counts.counts);
    table->note = summary(work);
    return status == STATUS_OK && !table->note ? no_memory(err) : status;
}

enum status diff_objects(const struct core_pair *pair, struct error *err)
{
    struct work work = {.pair = pair};
    enum status status = heap_reader_open(pair->old_index, &work.old_reader, err);
    if (status == STATUS_OK)
        status = heap_reader_open(pair->new_index, &work.new_reader, err);
    if (status == STATUS_OK)
        status = object_match_make(pair->old_index, pair->new_index, work.old_reader,
                                   work.new_reader, &work.match, err);
    if (status == STATUS_OK)
        status = add_up(&work, err);
    if (status == STATUS_OK) {
        find_largest(&work);
        status = add_table(&work, err);
    }
    free(work.growth);
    object_match_deinit(&work.match);
    heap_reader_close(work.old_reader);
    heap_reader_close(work.new_reader);
    return status;
}
