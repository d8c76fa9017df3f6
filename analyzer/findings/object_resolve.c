/* SPDX-License-Identifier: Apache-2.0 */
/* From a path to its object: each step is written as access_path writes it and
 * compared with what comes next, so that every path we print leads back. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/findings/access_path.h"
#include "inquest/analyzer/object_path.h"
#include "inquest/base/array.h"

#define MOST_TRIALS 10000 /* objects looked into: paths can lead astray */

/* Up to here a path was followed. */
struct place {
    uint32_t object;
    uint32_t followed; /* characters */
    bool in_namespace;
};

struct resolver {
    struct index *index;
    struct heap_reader *reader;
    char *path; /* as we would write it */
    size_t size;
    ARRAY(struct place) places; /* still to be tried, the best last */
    uint32_t farthest;
    struct text label, step;
    struct error *err;
};

static enum status no_memory(struct resolver *resolver)
{
    return error_set(resolver->err, STATUS_NO_MEMORY, "paths: out of memory");
}

/* ["key"] is written ['key']. */
static char *normalize(const char *path)
{
    char *copy = strdup(path);
    for (char *open = copy; open && (open = strstr(open, "[\""));) {
        char *close = strstr(open + 2, "\"]"), *inside = open + 2;
        open += 2;
        if (!close || memchr(inside, '\'', (size_t)(close - inside)) ||
            memchr(inside, '\\', (size_t)(close - inside)))
            continue;
        inside[-1] = *close = '\'';
    }
    return copy;
}

/* Whether the path goes on with a whole step. */
static bool goes_on(const struct resolver *resolver, size_t at, const char *step, size_t size)
{
    if (size > resolver->size - at || memcmp(resolver->path + at, step, size) != 0)
        return false;
    char after = resolver->path[at + size];
    return !after || after == '.' || after == '[';
}

static enum status push(struct resolver *resolver, struct place place)
{
    if (place.followed > resolver->farthest)
        resolver->farthest = place.followed;
    return array_push(&resolver->places, place) ? STATUS_OK : no_memory(resolver);
}

/* ---- Roots. */

/* Longer names are better, and of the same name the root that explains best, which
 * comes last here. */
static void sort_places(struct resolver *resolver)
{
    struct place *places = resolver->places.items;
    for (size_t i = 1; i < resolver->places.count; i++) {
        for (size_t j = i; j && places[j - 1].followed > places[j].followed; j--) {
            struct place place = places[j];
            places[j] = places[j - 1];
            places[j - 1] = place;
        }
    }
}

/* All roots whose name the path begins with. */
static enum status find_roots(struct resolver *resolver)
{
    struct index_rows *rows;
    enum status status =
        index_query(resolver->index,
                    "SELECT r.object_id, r.kind, r.label, t.name = 'dict' FROM root r "
                    "LEFT JOIN object o ON o.id = r.object_id LEFT JOIN type t ON t.id = o.type_id "
                    "WHERE r.kind != 'extension' ORDER BY r.rowid DESC",
                    NULL, 0, &rows, resolver->err);
    if (status != STATUS_OK)
        return status;
    while (status == STATUS_OK && index_rows_next(rows)) {
        const char *kind = index_rows_text(rows, 1), *label = index_rows_text(rows, 2);
        int64_t object = index_rows_integer(rows, 0);
        struct access_path path;
        if (!kind || !label || object < 1 || object > UINT32_MAX)
            continue;
        text_clear(&resolver->step);
        access_path_begin(&path, kind, label, index_rows_integer(rows, 3) == 1, &resolver->step);
        size_t size = resolver->step.size;
        if (size && goes_on(resolver, 0, text_string(&resolver->step), size))
            status =
                push(resolver, (struct place){(uint32_t)object, (uint32_t)size, path.in_namespace});
    }
    enum status ended = index_rows_finish(rows, status == STATUS_OK ? resolver->err : NULL);
    sort_places(resolver);
    return status == STATUS_OK ? ended : status;
}

/* ---- Steps. */

/* A reference may go on in two ways: x.__dict__['y'] is x.y too. */
static enum status try_reference(struct resolver *resolver, const struct place *place,
                                 const struct heap_edge *edge, const char *label, size_t size)
{
    struct access_path path = {.text = &resolver->step, .in_namespace = place->in_namespace};
    struct place next = {.object = edge->target_id, .followed = place->followed};
    enum status status = STATUS_OK;
    if (size >= 4 && memcmp(label, "weak", 4) == 0)
        return STATUS_OK;
    text_clear(&resolver->label);
    text_clear(&resolver->step);
    text_append_n(&resolver->label, label, size);
    access_path_step(&path, text_string(&resolver->label));
    next.in_namespace = path.in_namespace;
    if (!resolver->step.size && path.in_namespace)
        status = push(resolver, next);
    const char *forms[] = {text_string(&resolver->step), text_string(&resolver->label)};
    for (int form = 0; form < 2 && status == STATUS_OK; form++) {
        size_t length = strlen(forms[form]);
        if (!length || (form && strcmp(forms[0], forms[1]) == 0) ||
            !goes_on(resolver, place->followed, forms[form], length))
            continue;
        next.followed = place->followed + (uint32_t)length;
        next.in_namespace = false;
        status = push(resolver, next);
    }
    return status;
}

static enum status try_place(struct resolver *resolver, const struct place *place)
{
    struct heap_walk walk;
    struct heap_edge edge;
    enum status status = STATUS_OK;
    heap_walk_start(resolver->reader, HEAP_REFERENCES, place->object, place->object, &walk);
    while (status == STATUS_OK && heap_walk_next(&walk, &edge)) {
        uint64_t number;
        uint32_t label;
        const char *text = NULL;
        size_t size;
        status = heap_walk_label(&walk, &number, &label, resolver->err);
        if (status == STATUS_OK)
            status = heap_reader_label(resolver->reader, label, &text, &size, resolver->err);
        if (status == STATUS_OK && text)
            status = try_reference(resolver, place, &edge, text, size);
    }
    struct error end;
    enum status ended = heap_walk_finish(&walk, &end);
    if (status != STATUS_OK || ended == STATUS_OK)
        return status;
    if (resolver->err)
        *resolver->err = end;
    return ended;
}

static enum status not_found(struct resolver *resolver)
{
    if (!resolver->farthest)
        return error_set(resolver->err, STATUS_NOT_IN_DUMP,
                         "no module, type, thread or frame that '%s' could begin with",
                         resolver->path);
    return error_set(resolver->err, STATUS_NOT_IN_DUMP, "'%.*s' holds no '%s'",
                     (int)resolver->farthest, resolver->path, resolver->path + resolver->farthest);
}

static enum status resolve(struct resolver *resolver, uint32_t *ret_id)
{
    enum status status = find_roots(resolver);
    for (unsigned trials = 0; status == STATUS_OK && resolver->places.count; trials++) {
        struct place place = resolver->places.items[--resolver->places.count];
        if (place.followed == resolver->size) {
            *ret_id = place.object;
            return STATUS_OK;
        }
        if (trials == MOST_TRIALS)
            break;
        status = try_place(resolver, &place);
    }
    return status == STATUS_OK ? not_found(resolver) : status;
}

enum status object_path_resolve(struct index *index, struct heap_reader *reader, const char *path,
                                uint32_t *ret_id, struct error *err)
{
    struct resolver resolver = {.index = index, .reader = reader, .err = err};
    text_init(&resolver.label);
    text_init(&resolver.step);
    resolver.path = normalize(path);
    enum status status = resolver.path ? STATUS_OK : no_memory(&resolver);
    if (status == STATUS_OK)
        resolver.size = strlen(resolver.path);
    if (status == STATUS_OK && resolver.size > UINT32_MAX / 2)
        status = error_set(err, STATUS_USAGE, "the path is too long");
    if (status == STATUS_OK)
        status = resolve(&resolver, ret_id);
    free(resolver.path);
    array_deinit(&resolver.places);
    text_deinit(&resolver.label);
    text_deinit(&resolver.step);
    return status;
}
